"""How long colleagues wait, against peers on the same prompts.

Run it with `python -m tests.benchmarks.asking_speed`.

The prompts are what the sample company's ten longest questions become, with their passages. Each
way to answer runs in a process of its own, warm, with 1, 4 and 16 askers at once, each asking
again as soon as it has its answer; greedy, at most 128 new tokens. `--only` runs some of the ways,
`--llama-python` names the interpreter of an environment with `llama-cpp-python[server]`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import platformdirs
from rich.console import Console
from rich.table import Table

from tests.benchmarks.asking_load import Ask, Figures, measure_askers
from tests.benchmarks.asking_stage import collect_prompts, made_new, read_prompts
from tests.benchmarks.asking_ways import (
    Prompt,
    counter,
    llama_cpp_server,
    llama_index_hugging_face,
    peak_mb,
    skredder_inference,
    skredder_whole,
    tokenizer_of,
)
from tests.benchmarks.machine_limits import measure_limits
from tests.benchmarks.measurement import Measurement
from training.base_model import BaseModel, prepare_bundled, stay_offline

HUGGING_FACE = "llama-index HuggingFaceLLM, float32, one by one"
LLAMA = "llama-cpp-python's server, Q4_1"
INFERENCE = "Skredder, inference alone"
WHOLE = "Skredder, the whole path"
WAYS = {"hf": HUGGING_FACE, "llama": LLAMA, "inference": INFERENCE, "whole": WHOLE}

#: How many answers are measured with so many askers; the slow peer gives fewer.
ANSWERS = {1: 20, 4: 32, 16: 64}
FEWER = {1: 6, 4: 8, 16: 16}

#: Parameters of the bundled model that a token of a prompt is multiplied with.
MULTIPLIED = 106_000_000


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=[*WAYS], default=[*WAYS])
    parser.add_argument("--llama-python", type=Path, default=_llama_python())
    parser.add_argument("--out", type=Path, default=Path("bench-results/asking-speed.json"))
    parser.add_argument("--child", nargs=3, metavar=("WAY", "FOLDER", "RESULT"))
    asked = parser.parse_args()
    stay_offline()
    if asked.child:
        way, folder, result = asked.child
        _in_child(way, Path(folder), Path(result), asked.llama_python)
        return
    measured = run(asked.only, asked.llama_python)
    show(measured)
    asked.out.parent.mkdir(exist_ok=True)
    asked.out.write_text(json.dumps(measured, indent=1), encoding="utf-8")


def measure() -> list[Measurement]:
    """Run every way that is installed; for `make bench`."""
    measured = run([*WAYS], _llama_python())
    show(measured)
    at_16 = {one["who"]: one for one in measured["figures"] if one["askers"] == 16}
    slowest = min(at_16.values(), key=lambda one: one["answers_a_minute"])
    peer = at_16.get(HUGGING_FACE, slowest)["answers_a_minute"]
    return [
        Measurement(
            "answers a minute, 16 askers",
            who if who.startswith("Skredder") else f"peer: {who}",
            one["answers_a_minute"],
            "a minute",
            one["answers_a_minute"] / peer,
        )
        for who, one in at_16.items()
    ]


def run(ways: list[str], llama_python: Path) -> dict[str, Any]:
    """Run each way in a process of its own; return figures, speeds of new prompts, and limits."""
    figures: list[dict[str, Any]] = []
    new: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _child("prompts", folder, llama_python)
        for way in ways:
            if missing := _missing(way, llama_python):
                Console().print(f"{WAYS[way]} is left out: {missing}")
                continue
            result = _child(way, folder, llama_python)
            figures += result["figures"]
            if result["new"]:
                new[WAYS[way]] = result["new"]
    limits = measure_limits()
    return {"figures": figures, "new prompts": new, "limits": limits.__dict__}


def show(measured: dict[str, Any]) -> None:
    """Print the figures, and how far they are from what the machine could do."""
    table = Table(title="From question to answer: the ten longest questions, warm")
    for column in ("who", "askers", "first word p50", "p95", "tokens/s", "answers/min", "peak MB"):
        table.add_column(column, justify="left" if column == "who" else "right")
    for one in measured["figures"]:
        table.add_row(
            one["who"],
            str(one["askers"]),
            f"{one['first_p50'] * 1000:.0f} ms",
            f"{one['first_p95'] * 1000:.0f} ms",
            f"{one['tokens_a_second']:.0f}",
            f"{one['answers_a_minute']:.0f}",
            f"{one['peak_mb']:.0f}",
        )
    Console(width=140).print(table)
    limits = measured["limits"]
    for who, new in measured["new prompts"].items():
        prompt = new["prompt_tokens"] / new["first_seconds"]
        Console(width=140).print(
            f"{who}, prompts never seen: first word after {new['first_seconds'] * 1000:.0f} ms; "
            f"without what all of them begin with, that is {prompt:.0f} prompt tokens a second, "
            f"{prompt * 2 * MULTIPLIED / 1e9:.0f} billion operations a second of the machine's "
            f"{limits['float32_gflops']:.0f} (float32) or {limits['bfloat16_gflops']:.0f} "
            f"(bfloat16); then {new['decode_tokens_a_second']:.0f} tokens a second, "
            f"{new['decode_tokens_a_second'] * new['weight_bytes'] / 1e9:.1f} GB of weights "
            f"a second of the {limits['bandwidth']:.1f} that memory gives."
        )


def _child(way: str, folder: Path, llama_python: Path) -> dict[str, Any]:
    result = folder / f"{way}-figures.json"
    command = [sys.executable, "-m", "tests.benchmarks.asking_speed"]
    command += ["--llama-python", str(llama_python), "--child", way, str(folder), str(result)]
    Console().print(f"{WAYS.get(way, way)} …")
    subprocess.run(command, check=True)
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found


def _in_child(way: str, folder: Path, result: Path, llama_python: Path) -> None:
    home, prompt_file = folder / "home", folder / "prompts.json"
    if way == "prompts":
        collect_prompts(home, prompt_file)
        result.write_text("{}", encoding="utf-8")
        return
    base = prepare_bundled(Path(platformdirs.user_cache_dir("skredder-tests")))
    prompts = read_prompts(prompt_file)
    counts = FEWER if way == "hf" else ANSWERS
    figures: list[Figures] = []
    with _open(way, base, prompts, home, llama_python) as ask:
        for n in range(len(prompts) if way != "hf" else 1):
            ask(n)  # warm: each prompt was asked once before
        figures += [measure_askers(WAYS[way], ask, askers, n) for askers, n in counts.items()]
    peak = peak_mb()
    content = [figure.as_dict() | {"peak_mb": peak} for figure in figures]
    new = None if way == "whole" else _new_prompts(way, base, prompts, home, llama_python)
    result.write_text(json.dumps({"figures": content, "new": new}), encoding="utf-8")


def _new_prompts(
    way: str, base: BaseModel, prompts: list[Prompt], home: Path, llama_python: Path
) -> dict[str, Any]:
    """Measure one asker whose prompts no cache has seen: the prompt's speed, and decoding's."""
    few = made_new(prompts, 1)[:5]
    with _open(way, base, few, home, llama_python) as ask:
        ask(0)  # the first one reads the system message, which all share
        said = [ask(n) for n in range(1, len(few))]
    tokenizer = tokenizer_of(base)
    count = counter(tokenizer)
    texts = [prompt.rendered(tokenizer) for prompt in few]
    # What all prompts begin with is read once, by all that keep what they have read.
    known = 0 if way == "hf" else count(os.path.commonprefix(texts))  # noqa: RUF071 - of letters
    sizes = [count(text) - known for text in texts[1:]]
    after_first = sum(one.whole_seconds - one.first_seconds for one in said)
    return {
        "prompt_tokens": sum(sizes) / len(sizes),
        "first_seconds": sum(one.first_seconds for one in said) / len(said),
        "decode_tokens_a_second": sum(one.tokens - 1 for one in said) / after_first,
        "weight_bytes": _weight_bytes(way, base),
    }


def _weight_bytes(way: str, base: BaseModel) -> int:
    """Return how many bytes of weights are read for one token."""
    from training.base_model import BUNDLED_BYTES

    assert base.gguf is not None
    if way == "hf":
        return (base.folder / "model.safetensors").stat().st_size
    return BUNDLED_BYTES if way == "llama" else base.gguf.stat().st_size


def _open(
    way: str, base: BaseModel, prompts: list[Prompt], home: Path, llama_python: Path
) -> AbstractContextManager[Ask]:
    if way == "hf":
        return llama_index_hugging_face(base, prompts)
    if way == "llama":
        return llama_cpp_server(base, prompts, llama_python)
    if way == "inference":
        return skredder_inference(base, prompts)
    return skredder_whole(base, prompts, home)


def _missing(way: str, llama_python: Path) -> str:
    """Return why a way cannot be measured here; nothing if it can."""
    if way == "llama" and not llama_python.is_file():
        return (
            f"there is no {llama_python}. Make an environment and install "
            "llama-cpp-python[server] in it (it compiles for some minutes)."
        )
    if way == "hf" and importlib.util.find_spec("llama_index.llms") is None:
        return "install llama-index-llms-huggingface (the extra `bench`)."
    return ""


def _llama_python() -> Path:
    return Path(os.environ.get("SKREDDER_BENCH_LLAMA", ".venv-llama/bin/python"))


if __name__ == "__main__":
    main()
