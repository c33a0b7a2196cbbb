"""Real tokens a second in training: TRL's own SFT script beside the product, on the same rows.

    python -m tests.benchmarks.training_speed --snapshot FILE [--rows 64] [--threads 0]

The rows are those of a snapshot. Every way reads the same ones once, in a process of its own:

- TRL's script with its defaults (all weights, batches of 8) and `--use_cpu`;
- the same with its own flags for QLoRA: 4 bits, an adapter of the same rank on every linear layer;
- the product's training process with the recipe of the settings' defaults.

Tokens are the rows' own, padding left out; the time is that of the steps (of TRL's, all but the
first, which loading hides). Memory is the process's largest resident size.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import platformdirs
from rich.console import Console
from rich.table import Table

from training.base_model import prepare_bundled
from training.job import TrainingJob
from training.process import read_progress, run_training
from training.recipe import Recipe
from training.snapshot import read_snapshot
from training.tokens import tokenize

GB = 1e9
RECIPE = Recipe()
QLORA = (
    *("--use_peft", "--load_in_4bit", "--lora_target_modules", "all-linear"),
    *("--lora_r", str(RECIPE.rank), "--lora_alpha", str(RECIPE.alpha), "--lora_dropout", "0"),
)
WAYS = ("TRL's script, its defaults", "TRL's script, QLoRA by its flags", "Skredder")


def main() -> None:
    """Measure all ways and print them side by side."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--snapshot", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", type=Path, default=Path("bench-results/training_speed.json"))
    options = parser.parse_args()
    base = prepare_bundled(Path(platformdirs.user_cache_dir("skredder-tests"))).folder
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        snapshot, lengths = _cut(options.snapshot, options.rows, base, folder)
        found = {
            WAYS[0]: _with_trl(folder, base, lengths, options.threads, ()),
            WAYS[1]: _with_trl(folder, base, lengths, options.threads, QLORA),
            WAYS[2]: _with_skredder(folder, snapshot, base, options.threads),
        }
    show(found)
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def show(found: dict[str, dict[str, float]]) -> None:
    """Print the ways with their speed as a multiple of TRL's script."""
    first = found[WAYS[0]]["tokens_per_second"]
    table = Table("", "real tokens a second", "times TRL's defaults", "peak memory")
    for name, each in found.items():
        speed = each["tokens_per_second"]
        table.add_row(name, f"{speed:.0f}", f"{speed / first:.2f}", f"{each['peak'] / GB:.2f} GB")
    Console(width=110).print(table)


def _cut(file: Path, count: int, base: Path, folder: Path) -> tuple[tuple[Path, str], list[int]]:
    """Write the first rows of a snapshot as a snapshot, and as TRL reads conversations."""
    import hashlib

    from transformers import AutoTokenizer

    rows = read_snapshot(file, file.stem).train[:count]
    head, *lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    learned = [line for line in lines if json.loads(line)["split"] == "train"]
    text = head + "".join(learned[:count])
    digest = hashlib.sha256(text.encode()).hexdigest()
    snapshot = folder / f"{digest}.jsonl"
    snapshot.write_text(text, encoding="utf-8")
    data = folder / "data"
    data.mkdir()
    with (data / "train.jsonl").open("w", encoding="utf-8") as out:
        for row in rows:
            prompt = [{"role": m.role, "content": m.content} for m in row.messages]
            answer = [{"role": "assistant", "content": row.answer}]
            out.write(json.dumps({"prompt": prompt, "completion": answer}) + "\n")
    tokenizer = AutoTokenizer.from_pretrained(base)
    return (snapshot, digest), [len(tokenize(r.messages, r.answer, tokenizer)[0]) for r in rows]


def _with_trl(
    folder: Path, base: Path, lengths: list[int], threads: int, flags: tuple[str, ...]
) -> dict[str, float]:
    log = folder / "trl.log"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(folder / "hf")}
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    command = [
        *(sys.executable, "-m", "trl.scripts.sft", "--model_name_or_path", str(base)),
        *("--dataset_name", str(folder / "data"), "--output_dir", str(folder / "out")),
        *("--num_train_epochs", "1", "--logging_steps", "1", "--save_strategy", "no"),
        *("--report_to", "none", "--use_cpu", *flags),
    ]
    marks: list[float] = []
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            if "num_tokens" in line:
                marks.append(time.monotonic())
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"TRL's script failed:\n{log.read_text()[-3000:]}")
    # Its steps are of one size; the first one is left out, with loading.
    seconds = marks[-1] - marks[0]
    share = (len(marks) - 1) / len(marks)
    speed = sum(lengths) * share / seconds
    return {"tokens_per_second": speed, "peak": usage.ru_maxrss * 1024, "steps": len(marks)}


def _with_skredder(
    folder: Path, snapshot: tuple[Path, str], base: Path, threads: int
) -> dict[str, float]:
    job = TrainingJob(
        run=1,
        base=str(base),
        base_name=base.name,
        snapshot=str(snapshot[0]),
        digest=snapshot[1],
        work=str(folder / "work"),
        adapters=str(folder / "adapters"),
        name="run-1",
        recipe=replace(RECIPE, threads=threads, nice=0),
    )
    (folder / "adapters").mkdir()
    run_training(job, folder / "run", lambda _now: None, lambda: False)
    last = read_progress(folder / "run")[-1]
    return {
        "tokens_per_second": last.tokens_per_second,
        "peak": float(last.memory),
        "steps": last.step,
    }


if __name__ == "__main__":
    main()
