"""What was made of a person's words goes with them, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

import storage
from bot.corrections import Corrections
from bot.pair_checks import PairChecks
from bot.pair_masking import PairMasking
from bot.permissions import Permissions
from bot.settings import People
from storage import answers, pairs, person, questions
from storage.answers import NewAnswer
from storage.database import Database
from storage.pairs import NewPair
from storage.written import written_by
from tests.bot.erasing_stage import (
    BO,
    BOSS,
    EVA,
    Office,
    opened_office,
    rows_with_marks,
)
from training.prompt import Voice

QUESTION = "Who feeds the fish in the pond?"
HERS = "Hei! The quokka desk feeds them, on every marmot Monday before nine. God tur!"


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    with opened_office(database, tmp_path) as opened:
        yield opened


@pytest.fixture
def corrections(database: Database) -> Corrections:
    return Corrections(database, Permissions(People(experts=(BO,))), 0.0)


def _proposed(office: Office, **changed: str) -> int:
    pair = replace(NewPair(QUESTION, HERS, EVA, "slack", "hers"), **changed)  # type: ignore[arg-type]
    with office.database.write() as session:
        return pairs.propose(session, pair).id


def _texts(office: Office, pair_id: int) -> tuple[str, str]:
    with office.database.read() as session:
        pair = pairs.get(session, pair_id)
    return pair.input, pair.output


def test_an_expert_s_edit_of_her_proposal_goes_with_her(
    office: Office, corrections: Corrections
) -> None:
    better = corrections.edit(
        pair_id=_proposed(office), text=f"{HERS} Bring bread.", reason="more", user_id=BO, key="e"
    )
    report = office.erasing.run(EVA, BOSS, is_dry=False)
    assert (report.is_gone, report.pairs) == (True, 3)  # one was hers before
    assert _texts(office, better.id) == ("", "")
    assert rows_with_marks(office.database) == []


def test_an_edit_of_an_edit_goes_too(office: Office, database: Database) -> None:
    corrections = Corrections(
        database, Permissions(People(experts=(BO,))), 0.0, two_experts=("C9",)
    )
    number = _proposed(office, place="C9")
    for key in ("once", "twice"):
        number = corrections.edit(
            pair_id=number, text=f"{HERS} Bring {key}.", reason="", user_id=BO, key=key
        ).id
    office.erasing.run(EVA, BOSS, is_dry=False)
    assert rows_with_marks(office.database) == []


def test_a_correction_of_an_answer_that_was_hers_goes_with_her(
    office: Office, corrections: Corrections, database: Database
) -> None:
    number = _proposed(office)
    with database.write() as session:
        pairs.approve(session, number, BO)
        asked = questions.record(
            session, team_id="T1", channel="C1", ts="7", thread_ts="7", user_id=BO,
            place="mention", text=QUESTION,
        )  # fmt: skip
        assert asked is not None
        given = answers.record(session, NewAnswer(asked, "verified", HERS, None, pair_id=number))
    corrections.correct(
        answer_id=given.id, text=f"{HERS} Not in July.", reason="July", user_id=BO, key="c"
    )
    office.erasing.run(EVA, BOSS, is_dry=False)
    assert rows_with_marks(database) == []
    with database.read() as session:
        assert questions.get(session, asked).text == QUESTION  # Bo's own


def test_a_masked_pair_of_hers_goes_with_her(
    office: Office, corrections: Corrections, database: Database
) -> None:
    number = _proposed(office, output=f"{HERS} Call 917 30 584.")
    checks = PairChecks(database, voice=Voice(), find_text=lambda *_: None)
    masked = PairMasking(database, checks, corrections, lambda: None).mask(number, BO)
    office.erasing.run(EVA, BOSS, is_dry=False)
    assert _texts(office, masked.id) == ("", "")
    assert rows_with_marks(database) == []


def test_whoever_asked_what_a_colleague_answered_is_known_without_an_answer_of_the_bot_s(
    office: Office, corrections: Corrections
) -> None:
    adopted = corrections.adopt(
        question="May a quokka swim in the pond?", text="Hei! No, it is for the fish. God tur!",
        author=BO, chosen_by=BO, place="C1", audience="everyone", key="r", asked_by=EVA,
    )  # fmt: skip
    report = office.erasing.run(EVA, BOSS, is_dry=False)
    assert (report.is_gone, report.asked_pairs) == (True, 2)  # one was hers before
    assert _texts(office, adopted.id) == ("", "")
    assert rows_with_marks(office.database) == []


def test_what_she_asked_is_known_after_an_expert_s_edit(
    office: Office, corrections: Corrections
) -> None:
    proposed = replace(
        NewPair("May a quokka swim in the pond?", "Hei! Never. God tur!", "U0GONE", "slack", "p"),
        asked_by=EVA,
    )
    with office.database.write() as session:
        number = pairs.propose(session, proposed).id
    edited = corrections.edit(
        pair_id=number, text="Hei! Only in winter. God tur!", reason="", user_id=BO, key="e"
    )
    office.erasing.run(EVA, BOSS, is_dry=False)
    assert _texts(office, edited.id) == ("", "")
    assert rows_with_marks(office.database) == []


def test_in_an_older_installation_it_is_found_out_which_pair_another_was_made_of(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'skredder.db'}"
    config = Config()
    config.set_main_option("script_location", str(Path(storage.__file__).parent / "migrations"))
    engine = create_engine(url)
    insert = text(
        "INSERT INTO pairs (id, input, input_key, output, language, audience, state, author, "
        "reason, decided_by, origin, origin_key, group_id, created_at) VALUES (:id, 'q', 'q', 'a', "
        "'en', 'everyone', :state, :author, :reason, :decided_by, :origin, :key, 1, '2026-01-01')"
    )
    rows = [
        (1, "rejected", EVA, None, BO, "slack", "v1"),
        (2, "approved", BO, None, BO, "slack", "edit:1"),  # in Bo's words in place of the first
        (3, "approved", EVA, None, BO, "slack", "masked:1"),
        (4, "rejected", "U0GONE", f"Asked by <@{EVA}>, in #zoo.", BOSS, "slack-export", "x"),
        (5, "approved", BOSS, None, BOSS, "slack", "edit:4"),
        (6, "approved", "Kari", None, BO, "import", "import:6"),
    ]  # fmt: skip
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        connection.execute(
            text(
                "INSERT INTO pair_groups (id, key, split, created_at) "
                "VALUES (1, 'k', 'train', '2026-01-01')"
            )
        )
        names = ("id", "state", "author", "reason", "decided_by", "origin", "key")
        for row in rows:
            connection.execute(insert, dict(zip(names, row, strict=True)))
    engine.dispose()
    database = Database(url)
    database.migrate()
    with database.read() as session:
        hers = written_by(session, person.find(session, EVA))
    database.close()
    assert hers.pairs == (1, 2, 3)
    assert hers.asked_pairs == (4, 5)
