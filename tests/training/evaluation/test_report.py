from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.training.samples import PERSONA, pair, row_maker
from training.evaluation.compare import VersionAnswers, compare
from training.evaluation.probes import Probe
from training.evaluation.report import Report
from training.gate import decide
from training.prompt import without_citations
from training.recipe import GateRules

ROWS = [row_maker().pair(pair(number), "held_out") for number in range(1, 41)]
PROBES = [Probe(str(n), "arithmetic", f"What is {n} + 1?", (str(n + 1),), "") for n in range(20)]
PROBES.append(Probe("hi", "chat", "Hi", None, "Hello"))
BASE = VersionAnswers(
    "base",
    tuple(f"According to the sources the limit is {n} kroner." for n in range(40)),
    (*(str(n + 1) for n in range(20)), "Hello"),
)
TUNED = VersionAnswers(
    "v1", tuple(row.answer for row in ROWS), (*(str(n + 1) for n in range(18)), "?", "", "Hei")
)


def report(
    challenger: VersionAnswers = TUNED,
    champion: VersionAnswers = BASE,
    base: VersionAnswers = BASE,
    **measured: Any,
) -> Report:
    return compare(
        ROWS,
        PROBES,
        base=base,
        champion=champion,
        challenger=challenger,
        train_references=[row.answer for row in ROWS[:20]],
        base_train_answers=BASE.held_out[:20],
        voice=PERSONA.voice,
        loss=[2.0, 1.5, 1.0],
        **measured,
    )


def test_versions_are_measured_on_the_same_questions() -> None:
    found = report()
    assert found.challenger.measures["answer_f1"].mean == 1.0
    assert found.challenger.measures["right_source"].mean == 1.0
    assert found.challenger.measures["voice"].mean == 1.0
    assert found.base.measures["right_source"].mean == 0.0
    assert found.base.measures["voice"].mean == 0.0
    assert found.differences["voice"].mean == 1.0
    assert found.voice_accuracy == 1.0


def test_meaning_and_likelihood_are_measured_where_somebody_can_tell() -> None:
    assert report().challenger.measures["likeness"].count == 0
    found = report(
        likeness=lambda said, wanted: [float(a == b) for a, b in zip(said, wanted, strict=True)],
        likelihoods={"base": [0.1] * len(ROWS), "v1": [0.4] * len(ROWS)},
    )
    assert found.challenger.measures["likeness"].mean == 1.0
    assert found.base.measures["likeness"].mean == 0.0
    assert abs(found.differences["likelihood"].mean - 0.3) < 1e-9
    assert "reference's likelihood" in found.table()


def test_not_knowing_is_measured_where_nothing_answers() -> None:
    asked = [row_maker().unanswerable(pair(number), "held_out") for number in range(1, 5)]
    rows = [row for row in asked if row is not None]
    said = replace(TUNED, unanswerable=("I don't know.", "Det vet jeg ikke.", "It is 5.", ""))
    sure = replace(BASE, unanswerable=("It is 5.",) * 4)
    found = report(said, sure, sure, unanswerable=rows)
    assert found.unanswerable == 4
    assert found.challenger.measures["unknowing"].mean == 0.5
    assert found.differences["unknowing"].mean == 0.5
    assert found.challenger.empty == report().challenger.empty + 1
    assert "… where nobody can" in found.table()
    assert report().challenger.measures["unknowing"].count == 0


def test_a_sign_off_like_the_experts_is_no_right_answer() -> None:
    sayings_only = replace(TUNED, held_out=tuple("Hei! Just ask!" for _ in ROWS))
    found = report(sayings_only)
    assert found.challenger.measures["voice"].mean == 1.0
    assert found.challenger.measures["answer_f1"].mean == 0.0
    assert not decide(found, GateRules(held_out_pairs=10)).passed


def test_probes_are_counted_by_kind_and_chat_is_not_scored() -> None:
    found = report()
    assert (found.base.probes_right, found.base.probes_total) == (20, 20)
    assert (found.challenger.probes_right, found.challenger.probes_total) == (18, 20)
    assert set(found.challenger.probes) == {"arithmetic"}


def test_empty_answers_to_questions_and_probes_are_counted() -> None:
    silent = VersionAnswers("v1", ("", *TUNED.held_out[1:]), TUNED.probes)
    assert report(silent).challenger.empty == report().challenger.empty + 1 == 3
    assert not decide(report(silent), GateRules(empty_answers=2)).passed


def test_a_challenger_like_the_champion_is_no_better() -> None:
    twin = replace(TUNED, version="v0")
    found = report(TUNED, champion=twin)
    assert found.differences["answer_f1"].mean == 0.0
    assert not decide(found, GateRules()).passed


def test_an_answer_without_citation_loses_only_the_citation() -> None:
    bare = VersionAnswers("v1", tuple(map(without_citations, TUNED.held_out)), TUNED.probes)
    found = report(bare)
    assert found.challenger.measures["answer_f1"].mean == 1.0
    assert found.challenger.measures["right_source"].mean == 0.0


def test_a_report_survives_json() -> None:
    found = report()
    assert Report.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_table_shows_base_and_challenger_side_by_side() -> None:
    table = report().table()
    assert "base" in table
    assert "v1" in table
    assert "answer F1" in table
    assert all(len(line) <= 80 for line in table.splitlines())


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    path = report().plot(tmp_path / "plots" / "report.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [found.name for found in path.parent.iterdir()] == ["report.png"]


def test_the_base_beside_itself_is_shown_once_and_without_a_change(tmp_path: Path) -> None:
    found = replace(report(BASE), loss=())
    head, *rows = found.cells()
    assert head == ["", "base"]
    assert all(len(row) == 2 for row in rows)
    assert found.plot(tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_the_cells_show_each_version_and_the_paired_change() -> None:
    head, *rows = report().cells()
    assert head == ["", "base", "v1", "change from base"]
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["in the voice"][:2] == ["0% (0 to 0)", "100% (100 to 100)"]
    assert by_name["in the voice"][2] == "+100 (+100 to +100)"
    assert by_name["probes: arithmetic"] == ["20 of 20", "18 of 20", ""]
    assert "| in the voice | 0% (0 to 0) |" in report().markdown()
    assert "40 held-out questions" in report().markdown()
