"""Each new pair is first a test of the version whose answer it betters."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib.image
import pytest

from bot import prequential
from bot.corrections import Corrections
from bot.permissions import Permissions
from bot.prequential_plot import NoPlot, draw_scores, write_scores
from bot.settings import People
from bot.slack.retrain_view import on_new_questions
from bot.slack.words import words
from storage import answers, pair_trials, pairs, questions, runs, snapshots, versions
from storage.answers import NewAnswer
from storage.database import Database
from storage.pairs import NewPair

EXPERT, COLLEAGUE = "U0EXPERT", "U0COLLEAGUE"
LEAVE = "How long is parental leave?"


@pytest.fixture
def corrections(database: Database) -> Corrections:
    return Corrections(database, Permissions(People(experts=(EXPERT,))), 0.0)


def _answered(database: Database, said: str, *, ts: str = "1", version: str = "v3") -> int:
    with database.write() as session:
        question = questions.record(
            session, team_id="T1", channel="C1", ts=ts, thread_ts=ts, user_id=COLLEAGUE,
            place="mention", text=LEAVE,
        )  # fmt: skip
        assert question is not None
        return answers.record(session, NewAnswer(question, "grounded", said, version)).id


def _adopt(corrections: Corrections, text: str, answer_id: int | None, key: str = "r") -> int:
    return corrections.adopt(
        question=LEAVE, text=text, author=COLLEAGUE, chosen_by=EXPERT, place="C1",
        audience="everyone", key=key, answer_id=answer_id,
    ).id  # fmt: skip


def _tried(database: Database) -> list[tuple[int, str, bool]]:
    with database.read() as session:
        series = pair_trials.series(session)
    return [(trial.pair_id, trial.score.version, trial.score.agrees) for trial in series]


def test_a_colleague_s_reply_that_an_expert_chose_is_a_test(
    database: Database, corrections: Corrections
) -> None:
    number = _adopt(corrections, "It is 49 weeks.", _answered(database, "It is 40 weeks."))
    assert _tried(database) == [(number, "v3", False)]


def test_a_reply_where_the_bot_said_nothing_is_none(
    database: Database, corrections: Corrections
) -> None:
    _adopt(corrections, "It is 49 weeks.", None)
    assert _tried(database) == []


def test_an_expert_s_edit_is_a_test_in_place_of_the_proposal(
    database: Database, corrections: Corrections
) -> None:
    proposed = corrections.correct(
        answer_id=_answered(database, "It is 49 weeks."), text="It is 52 weeks.", reason="",
        user_id=COLLEAGUE, key="k",
    )  # fmt: skip
    assert _tried(database) == [(proposed.id, "v3", False)]
    edited = corrections.edit(
        pair_id=proposed.id, text="Hei! It is 49 weeks.", reason="", user_id=EXPERT, key="e"
    )
    assert _tried(database) == [(edited.id, "v3", True)]


@pytest.mark.parametrize(("version", "is_new"), [("v1", False), ("base", True)])
def test_what_a_version_has_learned_in_other_words_is_no_test_of_it(
    database: Database, corrections: Corrections, version: str, is_new: bool
) -> None:
    with database.write() as session:
        known = NewPair(
            "So how long is our parental leave?", "It is 49 weeks.", "U1", "import", "i"
        )
        pair = pairs.approve(session, pairs.propose(session, known, 0.0).id, "U9")
        snapshot = snapshots.register(
            session, "a" * 64, prompt_version="2", seed=1, train=[pair.id], held_out=[],
            replay_rows=0,
        )  # fmt: skip
        run = runs.propose(session, "2026-11", "U9")
        claimed = runs.claim(session, run.id, "w", runs.timedelta(60))
        runs.set_snapshot(session, run.id, claimed.attempt, snapshot.id)
        versions.register(
            session, "v1", run_id=run.id, folder="training/versions/v1", manifest_sha256="0"
        )
    _adopt(corrections, "It is 50 weeks.", _answered(database, "It is 49.", version=version))
    assert bool(_tried(database)) is is_new


def test_versions_are_told_in_the_order_they_answered_each_with_how_sure_that_is(
    database: Database, corrections: Corrections
) -> None:
    for ts, (version, said) in enumerate(
        [("base", "It is 40 weeks."), ("base", "It is 49 weeks."), ("v1", "It is 49 weeks.")]
    ):
        answer = _answered(database, said, ts=str(ts), version=version)
        _adopt(corrections, "Hei! It is 49 weeks.", answer, key=str(ts))
    with database.read() as session:
        base, tuned = map(prequential.plain, prequential.by_version(pair_trials.series(session)))
    assert (base["version"], base["pairs"], base["agreeing"]["mean"]) == ("base", 2, 0.5)
    assert base["agreeing"]["low"] < 0.5 < base["agreeing"]["high"]
    assert (tuned["version"], tuned["pairs"], tuned["agreeing"]["mean"]) == ("v1", 1, 1.0)
    assert tuned["agreeing"]["low"] < 0.3  # one right answer is no proof


def test_an_admin_is_told_in_slack_in_their_language(
    database: Database, corrections: Corrections
) -> None:
    answer = _answered(database, "It is 40 weeks.")
    _adopt(corrections, "It is 49 weeks.", answer)
    with database.read() as session:
        scores = prequential.by_version(pair_trials.series(session))
    english, norwegian = words("en"), words("nb")
    assert on_new_questions(scores, english).strip() == (
        "*v3* said what the expert says in 0% of 1 bettered answer (0% to 79%)."
    )
    none, most = norwegian.share(0), norwegian.share(0.79)
    assert on_new_questions(scores, norwegian).strip() == (
        f"*v3* sa det eksperten sier i {none} av 1 forbedret svar ({none} til {most})."
    )
    assert on_new_questions((), words("en")) == ""


def _tries(database: Database, corrections: Corrections, agreeing: str, version: str) -> None:
    """Let answers be bettered in turn: `+` said what the expert says, `-` another number."""
    for place, sign in enumerate(agreeing):
        said = "It is 49 weeks." if sign == "+" else "It is 40 weeks."
        answer = _answered(database, said, ts=f"{version}{place}", version=version)
        _adopt(corrections, "It is 49 weeks.", answer, key=f"{version}{place}")


def _promoted(database: Database, name: str) -> None:
    with database.write() as session:
        before = versions.ensure_base(session)
        run = runs.propose(session, name, "U0ADMIN")
        runs.abandon(session, run.id, "it is done")  # the next may begin
        made = versions.register(
            session, name, run_id=run.id, folder=f"versions/{name}", manifest_sha256="0"
        )
        versions.judge(session, made.id, "passed")
        versions.promote(
            session, made.id, expected_revision=before.revision, actor="U0ADMIN", reason="better"
        )


def test_the_running_score_forgets_what_is_long_ago_and_says_how_sure_it_is(
    database: Database, corrections: Corrections
) -> None:
    _tries(database, corrections, "-" * 40 + "+" * 40, "v3")
    with database.read() as session:
        points = prequential.history(session).points
    assert len(points) == 80
    # S / B by hand: of the last 40, each weighs 0.95 of the one after it
    newest = (1 - 0.95**40) / (1 - 0.95**80)
    assert points[-1].agreeing == pytest.approx(newest)
    assert points[-1].agreeing > 0.85  # the plain mean is a half
    assert points[39].agreeing == 0.0
    assert points[-1].low < newest < points[-1].high
    wide, narrow = points[0], points[39]
    assert narrow.high - narrow.low < (wide.high - wide.low) / 4
    assert points[79].high - points[79].low > 0.1  # and stays uncertain: old ones hardly count


def test_what_was_answered_by_a_new_version_is_marked_where_it_began(
    database: Database, corrections: Corrections
) -> None:
    _promoted(database, "v1")  # before anything was bettered: no change on the curve
    _tries(database, corrections, "--+", "v1")
    _promoted(database, "v2")
    _tries(database, corrections, "+++", "v2")
    with database.write() as session:
        versions.rollback(session, "U0ADMIN", "too rude")
    with database.read() as session:
        found = prequential.history(session)
    assert [change.version for change in found.changes] == ["v2", "v1"]
    assert found.points[2].at <= found.changes[0].at <= found.points[3].at
    assert found.changes[1].at >= found.points[-1].at


def test_the_plot_is_a_picture_in_the_reader_s_language(
    database: Database, corrections: Corrections, tmp_path: Path
) -> None:
    _tries(database, corrections, "--+++", "v1")
    with database.read() as session:
        found = prequential.history(session)
    english, norwegian = (draw_scores(found, words(each).retold_name) for each in ("en", "nb"))
    assert english != norwegian
    assert matplotlib.image.imread(io.BytesIO(english)).shape[:2] == (396, 880)
    written = write_scores(found, tmp_path / "scores.png")
    assert written.read_bytes() == english
    with pytest.raises(NoPlot, match="in a folder that exists"):
        write_scores(found, tmp_path / "none" / "scores.png")


def test_a_few_scores_are_no_curve(database: Database, corrections: Corrections) -> None:
    _tries(database, corrections, "-+", "v1")
    with database.read() as session, pytest.raises(NoPlot, match="2 of the 5 scores"):
        draw_scores(prequential.history(session))
