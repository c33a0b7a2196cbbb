"""How many contradictions are found among answers that nothing was tuned on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.contradictions import disagreement

DATA = Path(__file__).parent / "data"


def labelled(name: str) -> Iterator[tuple[str, str, str, bool]]:
    question = approved = ""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        sign, _, text = line.partition(" ")
        if sign == "?":
            question = text
        elif sign == "=":
            approved = text
        elif sign in "+-":
            yield question, approved, text, sign == "-"


def test_contradictions_are_found_and_rewordings_left_alone() -> None:
    examples = list(labelled("contradicting_answers.txt"))
    assert len(examples) == 300
    found = [disagreement(*texts) is not None for *texts, _ in examples]
    contradicts = [example[3] for example in examples]
    hits = sum(f and c for f, c in zip(found, contradicts, strict=True)) / sum(contradicts)
    alarms = sum(f and not c for f, c in zip(found, contradicts, strict=True)) / 150
    print(f"found {hits:.3f}, false alarms {alarms:.3f}")
    assert hits >= 0.90
    assert alarms <= 0.05


@pytest.mark.parametrize(
    ("older", "newer", "what"),
    [
        ("You get 25 days.", "You get 30 days.", "25 or 30"),
        ("Within two weeks.", "Within 14 days.", None),
        ("After 6 months.", "After 6 weeks.", "6 months or 6 weeks"),
        ("It is on 3 May.", "It is on 3 June.", "the month: May or June"),
        ("Ask Ingrid Holm.", "Ask Jonas Wiik.", "Ingrid or Jonas"),
        ("Ask Ingrid Holm.", "Ask Ingrid.", None),
        ("Yes, dogs are fine.", "No, dogs are not fine.", "yes or no"),
        ("40 % on skis and 20 % on boots.", "20 % on skis and 40 % on boots.",
         "where 20 and where 40 holds"),
        ("It is on the first floor.", "It is on the second floor.", "first or second"),
        ("It costs 85 kroner.", "It costs 85 kroner and takes 3 days.", None),
        ("", "", None),
    ],
)  # fmt: skip
def test_what_two_answers_disagree_on_is_said(older: str, newer: str, what: str | None) -> None:
    assert disagreement("How is it?", older, newer) == what
