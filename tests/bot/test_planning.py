from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.planning import coverage, make_plan, share_in_voice
from bot.settings import Settings
from storage import answers, pairs, questions, votes
from storage.answers import NewAnswer
from storage.database import Database
from storage.pairs import NewPair
from training.prompt import Voice

SETTINGS = Settings(goal="Answer our colleagues' questions in our voice.")


def test_a_new_installation_is_told_what_to_gather(database: Database) -> None:
    made = make_plan(database, SETTINGS)
    assert made.advice == "gather more"
    assert "0 of 5,000 can be used" in made.message
    assert "at least 50" in made.message


def test_waiting_and_held_pairs_and_missing_topics_are_counted(database: Database) -> None:
    with database.write() as session:
        for number, holds in enumerate([(), ("It is toxic.",)]):
            new = NewPair(f"Who mends the boat{number}?", "Hei! Liv.", "U1", "import",
                          f"key {number}", holds=holds)  # fmt: skip
            pairs.approve(session, pairs.propose(session, new).id, "U9")
        pairs.propose(session, NewPair("Where is lunch?", "Hei! Here.", "U1", "import", "key 3"))
        question = questions.record(
            session, team_id="T", channel="C", ts="1", thread_ts="1", user_id="U", place="dm",
            text="How do I get a visa for Japan?",
        )  # fmt: skip
        assert question is not None
        answer = answers.record(session, NewAnswer(question, "grounded", "Ask.", "base"))
        votes.cast(session, answer.id, "U", -1)
    made = make_plan(database, SETTINGS)
    assert "1 of 5,000 can be used" in made.message
    assert "1 wait for an expert and 1 are held" in made.message
    assert "Write pairs about japan, visa." in made.message


def test_a_question_is_covered_by_a_pair_about_the_same() -> None:
    share, about = coverage(
        ["When does the canteen close?", "Which visa do I need?"],
        ["What time does our canteen shut on Fridays?"],
    )
    assert share == 0.5
    assert about == ("visa",)
    assert coverage([], ["Anything?"]) == (None, ())


def test_the_share_of_answers_in_the_voice_goes_by_the_written_rules() -> None:
    voice = Voice(always=("Hei!",))
    assert share_in_voice(voice, ["Hei! Yes."] * 9 + ["No."]) == 0.9
    assert share_in_voice(Voice(), ["Yes."]) is None


@pytest.mark.parametrize(
    ("wished", "said"),
    [((), "0 pairs can be learned from"), (("--most", "9"), "9 are wished at most")],
)
def test_a_learning_curve_of_too_few_pairs_is_refused_with_how_many_it_needs(
    installation: Path, wished: tuple[str, ...], said: str
) -> None:
    assert installation.is_dir()
    result = CliRunner().invoke(app, ["train", "plan", "--learning-curve", *wished])
    told = " ".join(result.stderr.split())
    assert result.exit_code == 1
    assert said in told
    assert "a learning curve needs 40" in told
