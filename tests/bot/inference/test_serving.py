"""A swap never mixes two versions in one answer, and cuts no answer off."""

from __future__ import annotations

import threading
from pathlib import Path

from bot.inference.language_model import GenerationOptions
from bot.inference.openvino_engine import OpenVinoEngine
from bot.inference.serving import ModelServer
from training.base_model import BaseModel
from training.merge import merge_to_gguf
from training.prompt import render_general

PROMPT = render_general("What is the capital of Norway?")
OPTIONS = GenerationOptions(max_new_tokens=24)
THREADS = 8
SWAPS = 4


def opened(base: BaseModel, merged: Path, name: str) -> OpenVinoEngine:
    """Open the base under an even name and the adapted model under an odd one."""
    assert base.gguf is not None
    file = merged if int(name[1:]) % 2 else base.gguf
    return OpenVinoEngine(file, base.folder, name)


def test_eight_threads_get_whole_answers_of_one_version_while_it_is_swapped(
    base_model: BaseModel, random_adapter: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.gguf"
    merge_to_gguf(base_model, random_adapter, other, scale=10)  # it babbles, and never of Oslo
    server = ModelServer(opened(base_model, other, "v0"))
    said: list[tuple[str, str]] = []
    failures: list[BaseException] = []
    has_swapped = threading.Event()

    def ask() -> None:
        try:
            while not has_swapped.is_set():
                with server.lease() as model:
                    said.append((model.version, model.start(PROMPT, OPTIONS).text()))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for number in range(1, SWAPS + 1):
        engine = opened(base_model, other, f"v{number}")
        before = len(said)
        server.swap(engine)
        while len(said) < before + 2 * THREADS and not failures:
            threads[0].join(0.02)
    has_swapped.set()
    for thread in threads:
        thread.join(120)
    server.close()
    assert not failures
    assert {version for version, _ in said} == {f"v{n}" for n in range(SWAPS + 1)}
    for version, text in said:
        is_base = int(version[1:]) % 2 == 0
        assert text.startswith("The capital of Norway is Oslo") == is_base, (version, text)
        assert ("Oslo" in text) == is_base, (version, text)


def test_the_engine_before_closes_only_after_its_last_answer(
    base_model: BaseModel, merged_gguf: Path
) -> None:
    first = opened(base_model, merged_gguf, "v0")
    server = ModelServer(first)
    with server.lease() as model:
        running = model.start(PROMPT, OPTIONS)
        server.swap(opened(base_model, merged_gguf, "v1"))
        assert server.version == "v1"
        assert len(running.text()) > 20
        # The lease still holds: it may even begin another answer, of the same version.
        assert model.version == "v0"
        assert model.start(PROMPT, OPTIONS).text()
    server.close()
