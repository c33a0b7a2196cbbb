"""A snapshot: the rows of one training, frozen in a file that is named by its content.

The file is JSONL. Its first line says how the rows were made, each further line is a row. The
same pairs, passages, persona and recipe give the same bytes, and so the same SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from storage.pairs import Pair
from training.prompt import PROMPT_VERSION, ChatMessage
from training.replay import evenly, rows_wanted
from training.rows import Kind, Row, RowMaker, is_drawn, order_of, replay_row

#: What of the recipe decides about the rows; the rest may change without a new snapshot.
_ROW_SETTINGS = (
    "max_tokens",
    "replay_share",
    "replay_tokens",
    "unanswerable_share",
    "bare_share",
    "shuffle_passages",
    "seed",
)

#: How many held-out questions are asked without the passages that answer them. A share of them is
#: uncertain by about seven points.
MOST_UNANSWERABLE = 50


class SnapshotBroken(Exception):
    """The snapshot's file is missing, altered, or holds no row to train on."""


class HeldOutLeaked(Exception):
    """A group that is kept for measuring also has rows that would be trained on."""


@dataclass(frozen=True)
class Snapshot:
    """Frozen rows, and the file they are in."""

    digest: str
    path: Path
    base: str
    seed: int
    prompt_version: str
    rows: tuple[Row, ...]
    #: Pairs that do not fit into the recipe's `max_tokens` even with one passage.
    too_long: tuple[int, ...] = ()

    @property
    def train(self) -> tuple[Row, ...]:
        """The rows to learn from, replayed ones included."""
        return tuple(row for row in self.rows if row.split == "train")

    @property
    def held_out(self) -> tuple[Row, ...]:
        """The rows to measure with."""
        return self._kept("pair")

    @property
    def unanswerable(self) -> tuple[Row, ...]:
        """Held-out questions without the passages that answer them."""
        return self._kept("unanswerable")

    @property
    def replay_rows(self) -> int:
        """How many of the training rows are general examples."""
        return sum(1 for row in self.rows if row.kind == "replay")

    @property
    def replay_prompts(self) -> int:
        """How many different general examples there are."""
        return len({row.question for row in self.rows if row.kind == "replay"})

    def pair_ids(self, split: str) -> tuple[int, ...]:
        """Return the pairs on one side of the split."""
        return tuple(
            row.pair_id
            for row in self.rows
            if row.kind == "pair" and row.split == split and row.pair_id is not None
        )

    def _kept(self, kind: Kind) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.split == "held_out" and row.kind == kind)


def build_snapshot(
    pairs: Sequence[Pair],
    replay: Sequence[tuple[str, str]],
    *,
    folder: Path,
    base: str,
    make: RowMaker,
) -> Snapshot:
    """Freeze approved pairs and general examples as rows, and write them to `folder`.

    Beside its own row, a share of the training pairs gets one without the passages that answer
    it, and a share one without any; up to `MOST_UNANSWERABLE` held-out questions are kept without
    the passages that answer them.

    Args:
        pairs: Approved pairs that everyone may see, each with its group and split. One that is
            held, or set aside, is left out, whoever handed it in.
        replay: General prompts with the base model's own answers; an empty one is no example.
            As many are drawn as make up the recipe's `replay_share` of the training rows. If
            that is more than there are prompts, all are taken, again and again, each as often
            as every other or once more.
        folder: Where the file `<digest>.jsonl` is written.
        base: Name of the base model; a snapshot belongs to one, because its replay does.
        make: Renders the pairs.

    Raises:
        HeldOutLeaked: a group is on both sides of the split.
    """
    make, recipe = make.looking_up_once(), make.recipe
    usable = [pair for pair in sorted(pairs, key=lambda pair: pair.id) if pair.is_usable]
    made = [make.pair(pair, "held_out" if pair.is_held_out else "train") for pair in usable]
    too_long = [row for row in made if make.is_too_long(row)]
    beside = [row for row in _beside(usable, make) if not make.is_too_long(row)]
    rows = [row for row in made if row not in too_long] + beside
    learned = sum(1 for row in rows if row.split == "train")
    general = [replay_row(prompt, answer) for prompt, answer in replay if answer]
    general = [row for row in general if not make.is_too_long(row)]
    wanted = rows_wanted(learned, recipe.replay_share)
    random.Random(recipe.seed).shuffle(general)  # noqa: S311 - a repeatable draw, no secret
    rows += general[:wanted] if wanted <= len(replay) else evenly(general, wanted)
    refuse_leaks((row.split, row.group_key) for row in rows if row.group_key is not None)
    header = {
        "base": base,
        "prompt_version": PROMPT_VERSION,
        "seed": recipe.seed,
        "made_with": {name: getattr(recipe, name) for name in _ROW_SETTINGS},
    }
    content = "".join(f"{_line(item)}\n" for item in (header, *(asdict(row) for row in rows)))
    digest = hashlib.sha256(content.encode()).hexdigest()
    path = folder / f"{digest}.jsonl"
    _write(path, content)
    return Snapshot(
        digest=digest,
        path=path,
        base=base,
        seed=recipe.seed,
        prompt_version=PROMPT_VERSION,
        rows=tuple(rows),
        too_long=tuple(row.pair_id for row in too_long if row.pair_id is not None),
    )


def unanswerable_rows(pairs: Sequence[Pair], make: RowMaker) -> list[Row]:
    """Return held-out questions without the passages that answer them, as many as are measured."""
    ordered = sorted(pairs, key=lambda pair: order_of(pair, "unanswerable", make.recipe.seed))
    made = (make.unanswerable(pair, "held_out") for pair in ordered)
    return list(islice((row for row in made if row is not None), MOST_UNANSWERABLE))


def _beside(pairs: Sequence[Pair], make: RowMaker) -> list[Row]:
    """Return the rows that are made of pairs beside their own."""
    recipe = make.recipe
    learned = [pair for pair in pairs if not pair.is_held_out]
    unsure = (
        make.unanswerable(pair, "train")
        for pair in learned
        if is_drawn(pair, "unanswerable", recipe.unanswerable_share, recipe.seed)
    )
    return [
        *(row for row in unsure if row is not None),
        *(
            make.bare(pair)
            for pair in learned
            if is_drawn(pair, "bare", recipe.bare_share, recipe.seed)
        ),
        *unanswerable_rows([pair for pair in pairs if pair.is_held_out], make),
    ]


def read_snapshot(path: Path, digest: str) -> Snapshot:
    """Read a snapshot back.

    Raises:
        SnapshotBroken: the file is missing or its SHA-256 is not `digest`.
        HeldOutLeaked: a group is on both sides of the split.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SnapshotBroken(f"The snapshot {path} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise SnapshotBroken(
            f"The snapshot {path} was changed after it was frozen: its SHA-256 is not "
            f"{digest[:12]}…. Delete the file and start a new run."
        )
    header, *lines = (json.loads(line) for line in content.decode().strip("\n").split("\n"))
    rows = tuple(_row(line) for line in lines)
    refuse_leaks((row.split, row.group_key) for row in rows if row.group_key is not None)
    return Snapshot(
        digest=digest,
        path=path,
        base=header["base"],
        seed=header["seed"],
        prompt_version=header["prompt_version"],
        rows=rows,
    )


def refuse_leaks(splits: Iterable[tuple[str, str | None]]) -> None:
    """Raise `HeldOutLeaked` if a group occurs on both sides.

    Args:
        splits: The split and the group's key of each pair or row.
    """
    sides: dict[str, set[str]] = {"train": set(), "held_out": set()}
    for split, group in splits:
        sides[split].add(group or "")
    both = sides["train"] & sides["held_out"]
    if both:
        raise HeldOutLeaked(
            f"{len(both)} group(s) of questions are kept for measuring and would be trained on, "
            f"for example {sorted(both)[0]!r}. Nothing was trained: a measurement on questions "
            "that were learned proves nothing."
        )


def _row(fields: dict[str, Any]) -> Row:
    messages = tuple(ChatMessage(**message) for message in fields["messages"])
    return Row(**(fields | {"messages": messages}))


def _line(item: dict[str, Any]) -> str:
    return json.dumps(item, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _write(path: Path, content: str) -> None:
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == path.stem:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
