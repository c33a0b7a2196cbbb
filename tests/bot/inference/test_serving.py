"""A swap never mixes two versions in one answer, and cuts no answer off; a flood is survived."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psutil
import pytest

from bot.inference.language_model import GenerationOptions, InferenceBusy
from bot.inference.memory import GIB
from bot.inference.openvino_engine import OpenVinoEngine
from bot.inference.serving import ModelServer
from tests.bot.inference.greedy_check import AS_GOOD, worst_gap
from tests.plain_model import load_plain
from training.base_model import BaseModel
from training.merge import load_merged, merge_to_gguf
from training.prompt import render_general

QUESTIONS = [
    "Write one sentence about the sea.",
    "Name three colours.",
    "How many days has a week?",
]
PROMPTS = [render_general(question) for question in QUESTIONS]
OPTIONS = GenerationOptions(max_new_tokens=16)
ASKERS = 16
SWAPS = 2

#: So much of the random adapter that the other version says nothing that the base would say.
OTHER_SCALE = 10.0


@pytest.fixture(scope="module")
def other_gguf(
    base_model: BaseModel, random_adapter: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    target = tmp_path_factory.mktemp("other") / "other.gguf"
    merge_to_gguf(base_model, random_adapter, target, scale=OTHER_SCALE)
    return target


def opened(base: BaseModel, other: Path, name: str) -> OpenVinoEngine:
    """Open the base under an even name and the adapted model under an odd one."""
    assert base.gguf is not None
    file = other if int(name[1:]) % 2 else base.gguf
    return OpenVinoEngine(file, base.folder, name, cache_gib=0.25)


def test_sixteen_askers_get_whole_answers_of_one_version_while_it_is_swapped(
    base_model: BaseModel, random_adapter: Path, other_gguf: Path
) -> None:
    server = ModelServer(opened(base_model, other_gguf, "v0"))
    said: list[tuple[str, int, str]] = []
    failures: list[BaseException] = []
    has_swapped = threading.Event()

    def ask(n: int) -> None:
        try:
            while not has_swapped.is_set():
                with server.lease() as model:
                    text = model.start(PROMPTS[n % len(PROMPTS)], OPTIONS).text()
                    said.append((model.version, n % len(PROMPTS), text))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(ASKERS)]
    for thread in threads:
        thread.start()
    for number in range(1, SWAPS + 1):
        engine = opened(base_model, other_gguf, f"v{number}")
        before = len(said)
        began = time.monotonic()
        server.swap(engine)
        assert time.monotonic() - began < 2, "nobody waits for the version before to finish"
        while len(said) < before + 2 * ASKERS and not failures:
            threads[0].join(0.02)
    has_swapped.set()
    for thread in threads:
        thread.join(120)
    server.close()
    assert not failures
    assert {version for version, _, _ in said} == {f"v{n}" for n in range(SWAPS + 1)}

    alone = [load_plain(base_model), load_merged(base_model, random_adapter, OTHER_SCALE)]
    for which, prompt, text in {(int(version[1:]) % 2, n, text) for version, n, text in said}:
        assert text
        own, place = worst_gap(alone[which], base_model, PROMPTS[prompt], text)
        assert own <= AS_GOOD, f"version {which} alone would not say this, token {place}: {text}"
        others, _ = worst_gap(alone[1 - which], base_model, PROMPTS[prompt], text)
        assert others > AS_GOOD, f"the check cannot tell the versions apart: {text}"


def test_the_engine_before_closes_only_after_its_last_answer(
    base_model: BaseModel, other_gguf: Path
) -> None:
    first = opened(base_model, other_gguf, "v0")
    server = ModelServer(first)
    with server.lease() as model:
        running = model.start(PROMPTS[0], OPTIONS)
        server.swap(opened(base_model, other_gguf, "v1"))
        assert server.version == "v1"
        assert len(running.text()) > 20
        # The lease still holds: it may even begin another answer, of the same version.
        assert model.version == "v0"
        assert model.start(PROMPTS[0], OPTIONS).text()
    server.close()


def test_two_hundred_questions_at_once_get_one_outcome_each_within_the_stated_memory(
    base_model: BaseModel, merged_gguf: Path
) -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    engine = opened(base_model, merged_gguf, "v0")
    options = GenerationOptions(max_new_tokens=4)
    outcomes: list[str] = []
    peak = [before]

    def ask(n: int) -> None:
        prompt = render_general(f"Question {n}: which number comes after {n}?")
        try:
            generation = engine.start(prompt, options, asker=f"person {n % 20}")
            assert generation.place >= 0
            outcomes.append("answered" if generation.text() else "empty")
        except InferenceBusy:
            outcomes.append("told to come again")

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(200)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        peak.append(process.memory_info().rss)
        time.sleep(0.05)
    engine.close()
    assert outcomes == ["answered"] * 200
    taken = (max(peak) - before) / GIB
    assert taken <= engine.memory.total_gib, f"{taken:.2f} GiB, stated {engine.memory}"
