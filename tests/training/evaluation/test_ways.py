from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.evaluation.verdict import EvaluationQuestion, Said
from training.evaluation.ways import Way, WaysReport, summed_up

ALONE = Way("base", "base", False)
PRODUCT = Way("base + retrieval", "base", True)
KNOWN = [
    EvaluationQuestion(f"Limit {n}?", facts=((f"{n} kroner",),), pages=(f"{n}.md",))
    for n in range(1, 9)
]
PAGES_ONLY = EvaluationQuestion("Who cleans?", pages=("cleaning.md",))
NOWHERE = [EvaluationQuestion(f"Piano {n}?", pages=()) for n in range(2)]


def said(text: str, *pages: str, unsupported: int = 0) -> Said:
    return Said(text, not pages, pages, 2 if pages else 0, unsupported, unsupported, 1.5)


def alone(text: str) -> Said:
    return Said(text, False, None, 1, 1, 1, 0.5)


def report() -> WaysReport:
    product = {q: said(f"{n} kroner [1].", f"{n}.md") for n, q in enumerate(KNOWN[:5], start=1)}
    product[KNOWN[5]] = said("I don't know.")
    product[KNOWN[6]] = said("9 kroner [1].", "7.md", unsupported=1)
    product[KNOWN[7]] = said("8 kroner [1].", "9.md")
    product |= {PAGES_ONLY: said("See [1].", "cleaning.md")}
    product |= {NOWHERE[0]: said("I don't know."), NOWHERE[1]: said("In the hall [1].", "9.md")}
    model = {question: alone("Hei! 1 kroner") for question in (*KNOWN, *NOWHERE)}
    return summed_up(
        [ALONE, PRODUCT],
        {ALONE.name: model, PRODUCT.name: product},
        goal="Answer colleagues",
        base="tiny",
        snapshot=None,
        asked="11 questions",
        speaks=lambda texts: [text.startswith("Hei!") for text in texts],
    )


def test_right_abstained_and_wrong_are_all_there_is() -> None:
    for scores in report().scores:
        parts = [scores.measures[name].mean for name in ("right", "abstained", "wrong")]
        assert sum(parts) == pytest.approx(1.0)


def test_each_measure_is_taken_of_what_it_can_be_taken_of() -> None:
    base, product = report().scores
    assert product.questions == 11
    assert product.measures["right"].mean == pytest.approx(7 / 11)
    assert product.measures["abstained"].mean == pytest.approx(1 / 11)
    assert product.measures["unsupported"].mean == pytest.approx(1 / 18)
    # Of nine answers one is to a question without a page, and one cites the wrong one.
    assert product.measures["right_source"].count == 8
    assert product.measures["right_source"].mean == pytest.approx(7 / 8)
    assert product.measures["voice"].mean == 0.0
    assert base.questions == 10
    assert base.measures["right"].mean == pytest.approx(1 / 10)
    assert base.measures["voice"].mean == 1.0
    assert base.measures["unsupported"].mean == 1.0
    assert base.measures["right_source"].count == 0


def test_the_table_has_a_row_for_each_way_and_says_what_it_rests_on() -> None:
    table = report().markdown()
    assert table.splitlines()[0].startswith("|  | right | abstained | wrong |")
    assert "| base | 10% (0 to 30) |" in table
    assert "| base + retrieval | 64% (36 to 91) |" in table
    assert "| – |" in next(line for line in table.splitlines() if line.startswith("| base |"))
    assert "11 questions, 2 of them without an answer in the documents." in table
    assert "only the 10 questions" in table
    assert "nothing is checked before it is shown" in table


def test_a_measure_that_no_way_has_is_not_shown() -> None:
    found = summed_up(
        [PRODUCT],
        {PRODUCT.name: {KNOWN[0]: said("1 kroner [1].", "1.md")}},
        goal="Answer colleagues",
        base="tiny",
        snapshot=None,
        asked="1 question",
    )
    assert "voice" not in found.shown
    assert "in the voice" not in found.markdown()


def test_every_answer_can_be_read_with_its_verdict() -> None:
    found = {each.question: each for each in report().answers}
    assert found["Limit 7?"].wanted == "7 kroner"
    assert found["Limit 7?"].said["base + retrieval"] == "9 kroner [1]."
    assert found["Limit 7?"].verdicts == {"base": "wrong", "base + retrieval": "wrong"}
    assert found["Piano 0?"].wanted == "(no answer in the documents)"
    assert found["Who cleans?"].verdicts == {"base + retrieval": "right"}


def test_a_report_of_ways_survives_json() -> None:
    assert WaysReport.from_json(json.loads(json.dumps(report().to_json()))) == report()


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    assert report().plot(tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["plot.png"]
