"""Versions swapped under sixteen askers, and two hundred questions at once, in full length.

`python -m tests.benchmarks.swapping`. Every answer is checked token by token against each version
alone; the pause is the longest time in which no asker got a word.
"""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import platformdirs
import psutil

from bot.inference.language_model import GenerationOptions
from bot.inference.memory import GIB
from bot.inference.openvino_engine import OpenVinoEngine
from bot.inference.serving import ModelServer
from tests.benchmarks.measurement import Measurement
from tests.bot.inference.greedy_check import AS_GOOD, worst_gap
from tests.plain_model import load_plain
from training.base_model import BaseModel, prepare_bundled, stay_offline
from training.merge import load_merged, merge_to_gguf
from training.prompt import render_general

QUESTIONS = [
    "Write one sentence about the sea.",
    "Name three colours.",
    "How many days has a week?",
]
PROMPTS = [render_general(question) for question in QUESTIONS]
OPTIONS = GenerationOptions(max_new_tokens=16)
ASKERS, SWAPS, OTHER_SCALE, FLOOD = 16, 4, 10.0, 200


def measure() -> list[Measurement]:
    """Swap under load, then flood; return what was seen."""
    stay_offline()
    base = prepare_bundled(Path(platformdirs.user_cache_dir("skredder-tests")))
    with tempfile.TemporaryDirectory() as name:
        adapter, other = Path(name) / "adapter", Path(name) / "other.gguf"
        _make_adapter(base, adapter)
        merge_to_gguf(base, adapter, other, scale=OTHER_SCALE)
        flood = _flood(base)
        return [*_swap(base, adapter, other), *flood]


def _swap(base: BaseModel, adapter: Path, other: Path) -> list[Measurement]:
    assert base.gguf is not None
    files = [base.gguf, other]
    server = ModelServer(OpenVinoEngine(files[0], base.folder, "v0", cache_gib=0.25))
    said: list[tuple[str, int, str]] = []
    heard: list[float] = []
    failures: list[BaseException] = []
    is_over = threading.Event()

    def ask(n: int) -> None:
        while not is_over.is_set():
            try:
                with server.lease() as model:
                    text = ""
                    for piece in model.start(PROMPTS[n % len(PROMPTS)], OPTIONS):
                        heard.append(time.perf_counter())
                        text += piece
                    said.append((model.version, n % len(PROMPTS), text))
            except Exception as failure:
                failures.append(failure)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(ASKERS)]
    for thread in threads:
        thread.start()
    for number in range(1, SWAPS + 1):
        engine = OpenVinoEngine(files[number % 2], base.folder, f"v{number}", cache_gib=0.25)
        before = len(said)
        server.swap(engine)
        while len(said) < before + 2 * ASKERS:
            time.sleep(0.02)
    is_over.set()
    for thread in threads:
        thread.join()
    server.close()
    times = sorted(heard)
    pause = max(after - moment for moment, after in itertools.pairwise(times))
    alone: list[Any] = [load_plain(base), load_merged(base, adapter, OTHER_SCALE)]
    mixed = sum(
        1
        for which, n, text in {(int(version[1:]) % 2, n, text) for version, n, text in said}
        if worst_gap(alone[which], base, PROMPTS[n], text)[0] > AS_GOOD
    )
    name = f"{SWAPS} swaps under {ASKERS} askers"
    return [
        Measurement(name, f"{len(said)} answers, failed", len(failures), "answers", 1),
        Measurement(name, "not what one version says alone", mixed, "texts", 1),
        Measurement(name, "longest time without a word to anybody", pause * 1000, "ms", 1),
    ]


def _flood(base: BaseModel) -> list[Measurement]:
    assert base.gguf is not None
    process = psutil.Process()
    before = process.memory_info().rss
    engine = OpenVinoEngine(base.gguf, base.folder, "v0")
    passage = "Every colleague who works in this room has days of leave, and desks by the window. "
    ended: list[str] = []

    def ask(n: int) -> None:
        prompt = render_general(f"Room {n}. {passage * 20} Which room is it?")
        ended.append(engine.start(prompt, OPTIONS, asker=f"person {n % 20}").text())

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(FLOOD)]
    peak = before
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, process.memory_info().rss)
        time.sleep(0.05)
    engine.close()
    stated, taken = engine.memory.total_gib, (peak - before) / GIB
    name = f"{FLOOD} questions at once"
    return [
        Measurement(name, "answered", len(ended), "answers", 1),
        Measurement(
            name, f"memory taken, of {stated:.2f} GiB stated", taken, "GiB", stated / taken
        ),
    ]


def _make_adapter(base: BaseModel, folder: Path) -> None:
    """Write an adapter of random weights."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    automatic: Any = AutoModelForCausalLM
    model = automatic.from_pretrained(base.folder, dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    adapted.save_pretrained(folder)


if __name__ == "__main__":
    from tests.benchmarks.__main__ import show_and_save

    show_and_save(measure())
