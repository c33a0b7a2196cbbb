"""How many answers a minute the engine gives, against transformers' `generate`, one by one.

Each prompt has its own passage (about 300 tokens), so that no prefix but the system message is
shared; 48 new tokens each, greedy, the same prompts for both.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import platformdirs

from bot.inference.language_model import GenerationOptions
from bot.inference.openvino_engine import OpenVinoEngine
from tests.benchmarks.measurement import Measurement
from training.base_model import BaseModel, prepare_bundled, stay_offline
from training.prompt import ChatMessage, Persona, PromptPassage, Voice, render_question

PROMPTS = 16
NEW_TOKENS = 48
WORDS = "the handbook says that every colleague who works in room {n} gets {n} days of leave and "


def measure() -> list[Measurement]:
    """Measure the peer, then ourselves, one at a time and sixteen at once."""
    stay_offline()
    base = prepare_bundled(Path(platformdirs.user_cache_dir("skredder-tests")))
    prompts = [_prompt(n) for n in range(PROMPTS)]
    peer = _transformers(base, prompts)
    assert base.gguf is not None
    engine = OpenVinoEngine(base.gguf, base.folder, "base")
    options = GenerationOptions(max_new_tokens=NEW_TOKENS)
    engine.start(_prompt(99), options).text()
    started = time.perf_counter()
    for prompt in prompts[: PROMPTS // 2]:
        engine.start(prompt, options).text()
    alone = (PROMPTS // 2) / (time.perf_counter() - started) * 60
    started = time.perf_counter()
    engine.generate_many([_prompt(n) for n in range(100, 100 + PROMPTS)], options)
    together = PROMPTS / (time.perf_counter() - started) * 60
    engine.close()
    name = "answers a minute"
    return [
        Measurement(name, "peer: transformers generate, float32, one by one", peer, "a minute", 1),
        Measurement(name, "Skredder (OpenVINO, Q4_1), one by one", alone, "a minute", alone / peer),
        Measurement(
            name, "Skredder (OpenVINO, Q4_1), 16 at once", together, "a minute", together / peer
        ),
    ]


def _prompt(n: int) -> tuple[ChatMessage, ...]:
    text = "".join(WORDS.format(n=n * 7 + k) for k in range(14))
    persona = Persona("Fjellro", "", Voice("Warm, plain and short."))
    return render_question(
        f"How many days of leave in room {n}?", [PromptPassage("Leave", "Days", text)], persona
    )


def _transformers(base: BaseModel, prompts: list[tuple[ChatMessage, ...]]) -> float:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    automatic: Any = AutoModelForCausalLM
    tokenizer: Any = AutoTokenizer.from_pretrained(base.folder)
    model = automatic.from_pretrained(base.folder, dtype=torch.float32).eval()
    started = time.perf_counter()
    few = prompts[: PROMPTS // 4]
    for prompt in few:
        text = tokenizer.apply_chat_template(
            [{"role": m.role, "content": m.content} for m in prompt],
            tokenize=False,
            add_generation_prompt=True,
        )
        tokens = torch.tensor([tokenizer.encode(text, add_special_tokens=False)])
        with torch.no_grad():
            model.generate(
                tokens, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, do_sample=False
            )
    return len(few) / (time.perf_counter() - started) * 60
