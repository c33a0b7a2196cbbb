"""As many pairs as are wanted, made from the sample company's own by how colleagues ask.

Each pair is asked from each of six places (another place is another question) and with each of four
openings (which make no difference), so that there is both to find: what is new and what is not.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bot.demo.company_files import FOLDER

_OPENINGS = {
    "en": ("", "Hi! ", "Quick question: ", "Hey everyone, "),
    "no": ("", "Hei! ", "Kort spørsmål: ", "Hei alle, "),
}
_PLACES = ("Bergen", "Voss", "Oslo", "Edinburgh", "Tromsø", "Stavanger")
_FROM = {"en": " I work in {}.", "no": " Jeg jobber i {}."}

#: The openings and places that make of one pair many.
VARIANTS = len(_PLACES) * len(_OPENINGS["en"])


def write_many_pairs(path: Path, wanted: int) -> None:
    """Write `wanted` different pairs to a JSONL file.

    Raises:
        ValueError: the company's pairs and the variants do not make that many.
    """
    rows = list(itertools.islice(_rows(), wanted))
    if len(rows) < wanted:
        raise ValueError(f"The sample company makes {len(rows)} pairs, not {wanted}.")
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _rows() -> Iterator[dict[str, Any]]:
    lines = (FOLDER / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    own = [json.loads(line) for line in lines]
    for place, variant in itertools.product(_PLACES, range(len(_OPENINGS["en"]))):
        for row in own:
            opening = _OPENINGS[row["language"]][variant]
            question = f"{opening}{row['input'].rstrip()}{_FROM[row['language']].format(place)}"
            yield row | {"input": question}
