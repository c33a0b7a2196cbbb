"""A part of the training groups that is not learned from: it says when to stop, and at what scale.

It is taken from the training side. What is held out for the gate is never looked at here: a number
that has chosen something is no measure of it any more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.rows import Row
from training.tokens import NOT_LEARNED

#: By what an adapter may count, the least first. Weights between base and tuned keep more of what
#: the base knew (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
SCALES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

#: By how much the loss on the company's rows may be above the best one of all scales.
_SCALE_TOLERANCE = 0.02

#: What is kept of the best adapter so far in a checkpoint's folder.
_REMEMBERED, _BEST_WEIGHTS = "best.json", "best.safetensors"


@dataclass(frozen=True)
class Losses:
    """Mean negative log-likelihood of answer tokens, in nats: of pairs, and of general rows."""

    pairs: float
    general: float | None


def split_rows(rows: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """Divide rows into those to learn from and those to validate with, whole groups at a time.

    A group's side follows from a hash of its key, so that the same seed gives the same sides.
    """
    learned: list[Row] = []
    kept: list[Row] = []
    for row in rows:
        key = f"{seed}/{row.group_key or row.question}"
        drawn = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
        (kept if drawn < share * 2**64 else learned).append(row)
    return (learned, kept) if learned else (list(rows), [])


def choose_scale(losses: dict[float, Losses]) -> float:
    """Return the scale with the least loss on general rows, of those that are good on pairs.

    Good is a loss on pairs within 2 % of the best one. Without general rows the smallest scale
    that is good is taken: the less an adapter counts, the less it can spoil.
    """
    best = min(each.pairs for each in losses.values())
    good = [
        scale for scale in sorted(losses) if losses[scale].pairs <= best * (1 + _SCALE_TOLERANCE)
    ]
    return min(good, key=lambda scale: losses[scale].general or 0.0)


def mean_loss(model: Any, tokenized: Sequence[tuple[list[int], list[int]]]) -> float:
    """Return the mean negative log-likelihood of the learned tokens, row by row, in nats."""
    import torch
    from torch.nn.functional import cross_entropy

    total, count = 0.0, 0
    with torch.no_grad(), _without_dropout(model):
        for ids, labels in tokenized:
            read = torch.tensor([ids], device=model.device)
            wanted = torch.tensor(labels[1:], device=model.device)
            logits = model(input_ids=read, use_cache=False).logits[0, :-1]
            is_learned = wanted != NOT_LEARNED
            total += float(
                cross_entropy(logits[is_learned].float(), wanted[is_learned], reduction="sum")
            )
            count += int(is_learned.sum())
    return total / max(count, 1)


@contextmanager
def _without_dropout(model: Any) -> Iterator[None]:
    """Let nothing be dropped, without `model.eval()`.

    On a processor with AVX-512 bfloat16 that makes bitsandbytes 0.50 pack the four-bit weights for
    answering, and they stay packed: the look takes many times as long, and what is learned after
    it is learned through layers that pass no gradient on.
    """
    import torch

    dropping = [m for m in model.modules() if isinstance(m, torch.nn.Dropout) and m.training]
    for module in dropping:
        module.eval()
    try:
        yield
    finally:
        for module in dropping:
            module.train()


def losses_at(
    model: Any,
    scale: float,
    pairs: Sequence[tuple[list[int], list[int]]],
    general: Sequence[tuple[list[int], list[int]]],
) -> Losses:
    """Return the losses of a model whose adapter counts by `scale`; it counts fully again after."""
    before = [
        (module, dict(module.scaling))
        for module in model.modules()
        if isinstance(getattr(module, "scaling", None), dict)
    ]
    try:
        for module, factors in before:
            module.scaling = {name: factor * scale for name, factor in factors.items()}
        return Losses(mean_loss(model, pairs), mean_loss(model, general) if general else None)
    finally:
        for module, factors in before:
            module.scaling = factors


class Best:
    """Remembers the adapter with the least validation loss, and when to stop looking for a better.

    Stopping when the loss has not fallen for a while is a regulariser of its own (Prechelt 1998,
    "Early stopping - but when?").
    """

    def __init__(self, patience: int) -> None:
        """Take how many looks in a row may bring nothing better; 0 never stops."""
        self._patience = patience
        self._without_better = 0
        self.loss: float | None = None
        self.step = 0
        self._weights: dict[str, Any] = {}

    @property
    def is_over(self) -> bool:
        """Whether it is time to stop."""
        return 0 < self._patience <= self._without_better

    def keep(self, folder: Path) -> None:
        """Write what is remembered beside a checkpoint, before that is sealed."""
        from safetensors.torch import save_file

        if self.loss is None:
            return
        kept = {"loss": self.loss, "step": self.step, "without_better": self._without_better}
        (folder / _REMEMBERED).write_text(json.dumps(kept), encoding="utf-8")
        save_file(
            {name: weight.cpu().contiguous() for name, weight in self._weights.items()},
            folder / _BEST_WEIGHTS,
        )

    def recall(self, folder: Path) -> None:
        """Take up what was remembered when a checkpoint was made; nothing if it had no look."""
        from safetensors.torch import load_file

        if not (folder / _REMEMBERED).exists():
            return
        kept = json.loads((folder / _REMEMBERED).read_text(encoding="utf-8"))
        self.loss, self.step = kept["loss"], kept["step"]
        self._without_better = kept["without_better"]
        self._weights = load_file(folder / _BEST_WEIGHTS)

    def look(self, model: Any, loss: float, step: int) -> bool:
        """Take one more validation loss; returns whether it is time to stop."""
        if self.loss is None or loss < self.loss:
            self.loss, self.step, self._without_better = loss, step, 0
            self._weights = {
                name: parameter.detach().clone()
                for name, parameter in model.named_parameters()
                if parameter.requires_grad
            }
            return False
        self._without_better += 1
        return self.is_over

    def restore(self, model: Any) -> None:
        """Put the best weights back."""
        import torch

        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name in self._weights:
                    parameter.copy_(self._weights[name])
