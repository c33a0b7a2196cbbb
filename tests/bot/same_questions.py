"""Questions labelled by hand: the same in other words, and near misses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Labelled:
    """Two questions, whether they ask the same, and the kind of near miss if they do not."""

    one: str
    other: str
    are_the_same: bool
    kind: str = ""


def labelled(name: str, folder: Path = DATA) -> Iterator[Labelled]:
    """Read a file: `=` a question, `+` the same, `-kind` a near miss."""
    asked = ""
    for line in (folder / name).read_text(encoding="utf-8").splitlines():
        sign, _, text = line.partition(" ")
        if sign == "=":
            asked = text
        elif sign[:1] in ("+", "-"):
            yield Labelled(asked, text, sign == "+", sign[1:])
