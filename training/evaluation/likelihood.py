"""How likely a version finds the experts' own answers: a measure that no wording can please.

A process of its own (`python -m training.evaluation.likelihood`), because it loads the base model
a second time, as weights that one can look into; its memory is gone when it ends.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.evaluation.answer_likelihoods import answer_likelihoods
from training.evaluation.answers import EvaluationStopped
from training.process import training_environment
from training.processor import has_bfloat16
from training.prompt import ChatMessage
from training.rows import Row
from training.version_files import ADAPTER

#: Returns for each version (by name; its folder, None for the base) the likelihood of each row's
#: answer: the geometric mean over its tokens, from 0 to 1.
Likelihoods = Callable[
    [Mapping[str, Path | None], Sequence[Row], Callable[[], bool]], Mapping[str, Sequence[float]]
]

#: How often a waiting parent looks whether it should stop, in seconds.
_LOOK = 0.5


class LikelihoodFailed(Exception):
    """The process that measures ended without a result; the message has its last words."""


class ReferenceLikelihood:
    """Measures versions of one base model, and keeps what it measured."""

    def __init__(self, base: Path, folder: Path, threads: int = 0) -> None:
        """Take the base model's folder, where results are kept, and the most threads (0: all)."""
        self._base = base
        self._folder = folder
        self._threads = threads

    def __call__(
        self,
        versions: Mapping[str, Path | None],
        rows: Sequence[Row],
        should_stop: Callable[[], bool] = lambda: False,
    ) -> dict[str, list[float]]:
        """Return each version's likelihood of each row's answer, between 0 and 1.

        Args:
            versions: Their names, and their folders with an adapter; None for the base.
            rows: What is to be found likely.
            should_stop: Asked twice a second.

        Raises:
            EvaluationStopped: `should_stop` said so.
            LikelihoodFailed: the measuring process ended without a result.
        """
        asked = [{"messages": [asdict(m) for m in r.messages], "answer": r.answer} for r in rows]
        digest = hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]
        kept = {name: self._kept(name, folder, digest) for name, folder in versions.items()}
        missing = {name: folder for name, folder in versions.items() if not kept[name].is_file()}
        if missing and rows:
            self._measure(missing, asked, kept, should_stop)
        if not rows:
            return {name: [] for name in versions}
        return {name: json.loads(kept[name].read_text(encoding="utf-8")) for name in versions}

    def _kept(self, name: str, folder: Path | None, digest: str) -> Path:
        manifest = self._base.name if folder is None else _short_hash(folder / "manifest.json")
        return self._folder / f"likelihood-{name}-{manifest}-{digest}.json"

    def _measure(
        self,
        versions: Mapping[str, Path | None],
        rows: Sequence[Mapping[str, Any]],
        kept: Mapping[str, Path],
        should_stop: Callable[[], bool],
    ) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            order, result = Path(temporary) / "order.json", Path(temporary) / "result.json"
            adapters = {n: None if f is None else str(f / ADAPTER) for n, f in versions.items()}
            order.write_text(
                json.dumps({"base": str(self._base), "versions": adapters, "rows": rows}),
                encoding="utf-8",
            )
            with (Path(temporary) / "log").open("w+", encoding="utf-8") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "training.evaluation.likelihood", order, result],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=training_environment(self._threads),
                    cwd=Path(__file__).parents[2],
                )
                try:
                    while process.poll() is None:
                        if should_stop():
                            raise EvaluationStopped("The evaluation was stopped, as asked.")
                        time.sleep(_LOOK)
                finally:
                    process.kill()
                    process.wait()
                log.seek(0)
                if process.returncode:
                    raise LikelihoodFailed(
                        "How likely the experts' answers are could not be measured: "
                        f"{log.read()[-300:].strip() or f'exit code {process.returncode}'}"
                    )
            found = json.loads(result.read_text(encoding="utf-8"))
        for name, values in found.items():
            part = kept[name].with_suffix(".tmp")
            part.write_text(json.dumps(values), encoding="utf-8")
            part.rename(kept[name])


def measure(
    base: Path,
    versions: Mapping[str, Path | None],
    rows: Sequence[tuple[Sequence[ChatMessage], str]],
) -> dict[str, list[float]]:
    """Return each version's likelihood of each answer: exp of the mean log-likelihood of its
    tokens, the end of the turn among them.

    Args:
        base: The base model's folder.
        versions: The folder of each version's adapter; None for the base.
        rows: Questions as chats, with the answers.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from training.tokens import tokenize

    tokenizer: Any = AutoTokenizer.from_pretrained(base, local_files_only=True)
    asked = [tokenize(messages, answer, tokenizer) for messages, answer in rows]
    automatic: Any = AutoModelForCausalLM
    bare: Any = automatic.from_pretrained(base, local_files_only=True, dtype=_number_type()).to(
        "cuda" if torch.cuda.is_available() else "cpu"
    )
    found = {}
    for name, folder in versions.items():
        if folder is None:
            found[name] = answer_likelihoods(bare, asked)
    for name, folder in versions.items():
        if folder is not None:
            # An adapter of the model's own type: casting to and fro costs more than it helps.
            tuned: Any = PeftModel.from_pretrained(bare, folder, autocast_adapter_dtype=False)
            found[name] = answer_likelihoods(tuned, asked)
            bare = tuned.unload()
    return found


def _number_type() -> Any:
    """Return bfloat16 where there are instructions for it, else float32.

    On 82 pairs of the sample company bfloat16 moved the mean by 0.0002 and a single answer's
    likelihood by at most 0.005.
    """
    import torch

    return torch.bfloat16 if torch.cuda.is_available() or has_bfloat16() else torch.float32


def _short_hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def _main(order: Path, result: Path) -> None:
    asked = json.loads(order.read_text(encoding="utf-8"))
    rows = [
        ([ChatMessage(**message) for message in row["messages"]], row["answer"])
        for row in asked["rows"]
    ]
    versions = {n: None if f is None else Path(f) for n, f in asked["versions"].items()}
    found = measure(Path(asked["base"]), versions, rows)
    result.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]))
