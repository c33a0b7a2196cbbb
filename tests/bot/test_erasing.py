from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.erasing import NobodyToErase
from storage import (
    answers,
    audit,
    jobs,
    pairs,
    questions,
    runs,
    sources,
)
from storage.answers import NewAnswer
from storage.clock import utc_now
from storage.database import Database
from storage.pairs import NewPair
from storage.tables import DocumentRow, PassageRow
from tests.bot.erasing_stage import (
    ASKED,
    BO,
    BO_ASKED,
    BO_FIXED,
    BOSS,
    DIRECT,
    EVA,
    Office,
    files_with_marks,
    opened_office,
    rows_with_marks,
)


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    with opened_office(database, tmp_path) as opened:
        yield opened


def test_no_byte_of_an_erased_person_s_words_is_left(office: Office, tmp_path: Path) -> None:
    assert {"logs/skredder.log", f"training/snapshots/{'a' * 64}.jsonl"} <= set(
        files_with_marks(tmp_path)
    )
    tables = {name for name, _ in rows_with_marks(office.database)}
    assert {"answers", "audit", "inbox", "jobs", "pair_holds", "pairs", "promotions",
            "questions", "runs"} <= tables  # fmt: skip
    report = office.erasing.run(EVA, BOSS, is_dry=False)
    assert report.is_gone
    assert rows_with_marks(office.database) == []
    if office.database.is_sqlite:
        assert files_with_marks(tmp_path) == []
    else:
        assert [f for f in files_with_marks(tmp_path) if "postgres" not in f] == []
    with office.database.read() as session:
        assert audit.first_broken(session) is None


def test_her_pairs_and_those_with_her_questions_are_out_of_use(office: Office) -> None:
    report = office.erasing.run(EVA, BOSS, is_dry=False)
    assert (report.questions, report.pairs, report.asked_pairs) == (1, 1, 1)
    with office.database.read() as session:
        assert [pair.state for pair in pairs.by_ids(session, [1, 2, 3])] == [
            "revoked", "approved", "revoked",
        ]  # fmt: skip
        assert [pair.id for pair in pairs.for_snapshot(session)] == [2]
    assert office.index.ids("verified", "everyone") == {"pair-2"}


def test_what_others_wrote_stays(office: Office, tmp_path: Path) -> None:
    office.erasing.run(EVA, BOSS, is_dry=False)
    with office.database.read() as session:
        kept = pairs.get(session, 2)
        assert (kept.output, kept.author) == (BO_FIXED, BO)
        assert questions.get(session, 2).text == BO_ASKED
        assert questions.get(session, 2).user_id == BO
    untouched = tmp_path / "training" / "snapshots" / f"{'b' * 64}.jsonl"
    assert not untouched.exists()  # it held her question, too
    assert "a library said" in (tmp_path / "logs" / "skredder.log").read_text()


def test_her_id_is_left_only_in_the_audit_log_and_the_report(office: Office) -> None:
    from storage.tables import Table

    report = office.erasing.run(EVA, BOSS, is_dry=False)
    with office.database.read() as session:
        named = {
            table.name
            for table in Table.metadata.sorted_tables
            for row in session.execute(table.select())
            if EVA in str(row) or DIRECT in str(row)
        }
        assert named == {"audit"}
        assert questions.get(session, 1).user_id == report.stands_for


def test_the_report_names_what_was_trained_on_her_words_and_what_to_do(office: Office) -> None:
    report = office.erasing.run(EVA, BOSS, is_dry=False)
    (snapshot,), (run,), (version,) = (
        report.uses.snapshots,
        report.uses.runs,
        report.uses.versions,
    )
    assert (snapshot.digest[0], snapshot.train, run.state, version.name) == (
        "a",
        2,
        "promoted",
        "v1",
    )
    assert report.uses.is_served_from
    assert report.plan.is_needed
    assert "rollback" in report.plan.steps[0]
    assert "skredder train run" in report.plan.steps[1]
    written = json.loads(office.erasing.report_file(report.stands_for).read_text())
    assert written["user"] == EVA
    assert written["left"] == {}
    assert any(each["done"] == "deleted" for each in written["files"])


def test_a_dry_run_tells_all_that_and_changes_nothing(office: Office) -> None:
    report = office.erasing.run(EVA, BOSS, is_dry=True)
    assert (report.questions, report.pairs, report.is_dry) == (1, 1, True)
    assert report.uses.versions[0].name == "v1"
    with office.database.read() as session:
        assert questions.get(session, 1).text == ASKED
    assert not office.erasing.report_file(report.stands_for).exists()


def test_a_run_that_is_training_on_her_pairs_is_stopped(office: Office) -> None:
    with office.database.write() as session:
        run = runs.propose(session, "2026-12", "schedule")
        claimed = runs.claim(session, run.id, "w", runs.timedelta(60))
        runs.set_snapshot(session, run.id, claimed.attempt, 1)
    office.erasing.run(EVA, BOSS, is_dry=False)
    with office.database.read() as session:
        assert runs.get(session, run.id).cancelled_by == BOSS


def test_what_was_waiting_to_be_answered_is_not_answered(office: Office) -> None:
    office.erasing.run(EVA, BOSS, is_dry=False)
    with office.database.write() as session:
        job = jobs.claim(session, "w", runs.timedelta(60), ["answer"])
    assert job is not None
    assert job.payload == {"asked": BO_ASKED}


def test_what_she_quoted_from_a_page_stays_there(
    office: Office,
) -> None:
    page = "Every colleague gets twenty-seven days of paid leave each calendar year."
    with office.database.write() as session:
        source = sources.register(session, "/handbook", "everyone")
        session.add(
            DocumentRow(
                id=1, source_id=source.id, uri="leave.md", title="Leave", audience="everyone",
                language="en", content_hash="x", version=1, state="indexed", synced_at=utc_now(),
            )
        )  # fmt: skip
        session.flush()
        session.add(
            PassageRow(id="1-1-0", document_id=1, version=1, ordinal=0, heading="L", text=page)
        )
    office.correct(EVA, "How many days of leave do we get?", f"Hei! {page}", None)
    office.ask(BO, "What about my leave next year?", "mention", "C1", f"Hei! {page}")
    report = office.erasing.run(EVA, BOSS, is_dry=False)
    assert report.is_gone
    with office.database.read() as session:
        assert session.get_one(PassageRow, "1-1-0").text == page
        quoted = answers.get(session, 3)
    assert quoted is not None
    assert quoted.text.endswith("days of paid leave each calendar year.")


def test_an_erased_question_is_no_gap(office: Office) -> None:
    with office.database.write() as session:
        asked = questions.record(
            session, team_id="T1", channel="C1", ts="1", thread_ts="1", user_id=EVA,
            place="mention", text="Do capybaras count as dogs in the office?",
        )  # fmt: skip
        assert asked is not None
        answers.record(session, NewAnswer(asked, "abstained", "I do not know.", None))
    long_ago = utc_now() - runs.timedelta(days=1)
    with office.database.read() as session:
        assert len(answers.abstained(session, long_ago)) == 1
    office.erasing.run(EVA, BOSS, is_dry=False)
    with office.database.read() as session:
        assert answers.abstained(session, long_ago) == ()


def test_erasing_again_finds_nobody(office: Office) -> None:
    office.erasing.run(EVA, BOSS, is_dry=False)
    with pytest.raises(NobodyToErase, match="Copy member ID"):
        office.erasing.run(EVA, BOSS, is_dry=False)


def test_an_author_by_name_is_erased_and_the_name_stays_where_it_means_a_contact(
    office: Office,
) -> None:
    with office.database.write() as session:
        pairs.propose(
            session,
            NewPair("How tall is the llama?", "As tall as a door.", "Eva Moe", "import", "n"),
        )
    office.ask(BO, "Whom do I ask about llamas?", "mention", "C1", "Hei! Ask Eva Moe.")
    report = office.erasing.run("Eva Moe", BOSS, is_dry=False)
    assert (report.pairs, report.is_gone) == (1, True)
    with office.database.read() as session:
        assert (pairs.get(session, 4).output, pairs.get(session, 4).author) == ("", "erased")
        contact = answers.get(session, 3)
    assert contact is not None
    assert contact.text == "Hei! Ask Eva Moe."


def test_a_run_that_is_gathering_pairs_is_stopped_too(office: Office) -> None:
    with office.database.write() as session:
        run = runs.propose(session, "2026-12", "schedule")
        claimed = runs.claim(session, run.id, "w", runs.timedelta(60))
        runs.enter(session, run.id, claimed.attempt, "preparing")
    office.erasing.run(EVA, BOSS, is_dry=False)
    with office.database.read() as session:
        assert runs.get(session, run.id).cancelled_by == BOSS


def test_the_asker_of_a_thread_from_an_export_is_found_by_the_pair_s_reason(
    office: Office,
) -> None:
    with office.database.write() as session:
        pairs.propose(
            session,
            replace(
                NewPair("Can tapirs swim in the pool?", "Yes.", BO, "slack-export", "x"),
                reason="Asked by <@U0GONE>, answered in #zoo on 2025-10-09.",
            ),
        )
    report = office.erasing.run("U0GONE", BOSS, is_dry=False)
    assert report.asked_pairs == 1
    with office.database.read() as session:
        assert pairs.get(session, 4).input == ""
