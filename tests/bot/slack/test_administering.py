from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.lessons import owe_lessons
from bot.worker import TryLater
from storage import audit, canaries, jobs, pair_trials, pairs, runs, snapshots, versions
from storage.jobs import Job
from storage.pair_trials import Score
from storage.pairs import NewPair
from tests.bot.slack.conftest import Bot
from training.base_model import BaseModel
from training.manifest import write_manifest


def test_status_says_which_version_answers_and_what_is_missing(bot: Bot) -> None:
    reply = bot.workspace.person("Sindre").slash("/retrain status").text
    assert "base" in reply
    assert "500 more pairs are needed before the next training." in reply


def test_a_run_that_is_too_early_is_refused_with_what_is_missing(bot: Bot) -> None:
    reply = bot.workspace.person("Sindre").slash("/retrain run").text
    assert "too early" in reply
    assert "more pairs are needed" in reply
    with bot.skredder.database.read() as session:
        assert runs.current(session) is None


def test_there_is_nothing_to_roll_back_to_from_the_base(bot: Bot) -> None:
    assert "no predecessor" in bot.workspace.person("Sindre").slash("/retrain rollback").text


@pytest.mark.parametrize("who", ["Kari", "Tom", "Ingrid"])
@pytest.mark.parametrize("what", ["status", "run", "rollback"])
def test_who_is_no_admin_gets_a_clear_sentence(bot: Bot, who: str, what: str) -> None:
    reply = bot.workspace.person(who).slash(f"/retrain {what}").text
    assert "Only admins may" in reply
    assert f"<@{bot.workspace.person('Sindre').id}>" in reply


def test_a_word_it_does_not_know_is_answered_with_those_it_does(bot: Bot) -> None:
    assert "/retrain status" in bot.workspace.person("Sindre").slash("/retrain tomorrow").text


def test_everybody_sees_in_app_home_what_concerns_them(bot: Bot) -> None:
    kari = str(bot.workspace.person("Kari").open_home()["blocks"])
    ingrid = str(bot.workspace.person("Ingrid").open_home()["blocks"])
    sindre = str(bot.workspace.person("Sindre").open_home()["blocks"])
    assert "Corrections to review" not in kari
    assert "The model" not in kari
    assert "Corrections to review" in ingrid
    assert "The model" not in ingrid
    assert "Answering now" in sindre


def test_the_plan_says_counts_time_and_cost(bot: Bot) -> None:
    reply = bot.workspace.person("Sindre").slash("/retrain plan").text
    for part in ("*Pairs:*", "*Time:*", "*Against forgetting:*", "*Cost:*", "*Too early:*"):
        assert part in reply


@pytest.fixture
def enough(bot: Bot) -> Iterator[None]:
    """Let one pair be enough for a training, while the test runs; no run really begins."""
    bot.verify("Is there coffee?", "Yes, there is coffee on every floor.")
    bot.wait(lambda: _is_considered(bot), "the bot to see that there are too few pairs")
    retrainings: Any = bot.skredder.retrainings
    before, retrainings._enough_pairs = retrainings._enough_pairs, 0
    run, retrainings.run = retrainings.run, _held
    yield
    with bot.skredder.database.write() as session:
        open_run = runs.current(session)
        if open_run is not None:
            runs.abandon(session, open_run.id, "the test has ended")
    retrainings._enough_pairs, retrainings.run = before, run


def _is_considered(bot: Bot) -> bool:
    """Whether no pair waits to be counted: it would begin a training by itself."""
    with bot.skredder.database.read() as session:
        return jobs.count_open(session, ["consider_retraining"]) == 0


def _held(job: Job, shown: Any) -> None:
    """Show the run, and leave it open as one that goes on."""
    shown.progress("run\npreparing…")
    raise TryLater(1.0, "the test holds it")


@pytest.mark.usefixtures("enough")
def test_a_run_is_confirmed_with_counts_shown_while_it_goes_on_and_stopped(bot: Bot) -> None:
    sindre = bot.workspace.person("Sindre")
    before = len(bot.workspace.messages(sindre.dm_channel))
    sindre.slash("/retrain run")
    asked = bot.workspace.ephemerals_of("Sindre")[-1]
    assert "*Pairs:*" in str(asked["blocks"])
    assert "*Time:*" in str(asked["blocks"])
    with bot.skredder.database.read() as session:
        assert runs.current(session) is None, "nothing starts before it is confirmed"
    sindre.press(asked["ts"], "retrain_start")
    message = bot.wait(
        lambda: bot.workspace.messages(sindre.dm_channel)[before:], "the run's message"
    )[0]
    assert "Stage" in str(message["blocks"])
    assert "never more than one" in sindre.slash("/retrain run").text
    sindre.press(message["ts"], "retrain_stop")
    with bot.skredder.database.read() as session:
        latest = runs.listed(session, 1)[0]
    assert latest.cancelled_by == sindre.id


@pytest.mark.usefixtures("enough")
def test_a_run_is_cancelled_by_the_command(bot: Bot) -> None:
    sindre = bot.workspace.person("Sindre")
    bot.skredder.retrainings.request(sindre.id, "for cancelling")
    assert "is being stopped" in sindre.slash("/retrain cancel").text
    with bot.skredder.database.read() as session:
        assert runs.listed(session, 1)[0].cancelled_by == sindre.id
    assert f"by <@{sindre.id}>" in sindre.slash("/retrain status").text


def test_there_is_nothing_to_cancel(bot: Bot) -> None:
    assert "no run to cancel" in bot.workspace.person("Sindre").slash("/retrain cancel").text


def test_promoting_says_what_is_wrong(bot: Bot) -> None:
    sindre = bot.workspace.person("Sindre")
    assert "no version 'v99'" in sindre.slash("/retrain promote v99").text
    assert "answers already" in sindre.slash("/retrain promote base").text
    assert "/retrain status" in sindre.slash("/retrain promote").text


def test_a_refused_version_is_promoted_only_with_a_reason(bot: Bot) -> None:
    sindre = bot.workspace.person("Sindre")
    with bot.skredder.database.write() as session:
        run = runs.propose(session, "for a version", "test")
        runs.abandon(session, run.id, "made up")
        made = versions.register(session, "v77", run_id=run.id, folder="x", manifest_sha256="y")
        versions.judge(session, made.id, "refused")
    assert "write down why" in sindre.slash("/retrain promote v77").text
    follow = bot.skredder.models.follow_soon
    bot.skredder.models.follow_soon = lambda: None  # type: ignore[method-assign]
    try:
        assert "answers within seconds" in sindre.slash("/retrain promote v77 It is a test").text
        with bot.skredder.database.read() as session:
            assert versions.serving(session).version.name == "v77"
        assert "Back to *base*" in sindre.slash("/retrain rollback").text
    finally:
        bot.skredder.models.follow_soon = follow  # type: ignore[method-assign]


def test_the_schedule_is_shown_changed_and_turned_off(bot: Bot) -> None:
    sindre = bot.workspace.person("Sindre")
    assert "`0 2 * * *`" in sindre.slash("/retrain schedule").text
    assert "`30 4 * * 1`" in sindre.slash("/retrain schedule 30 4 * * 1").text
    assert "is not a time" in sindre.slash("/retrain schedule tomorrow").text
    assert "Nothing is trained by itself" in sindre.slash("/retrain schedule off").text
    assert "`0 2 * * *`" in sindre.slash("/retrain schedule 0 2 * * *").text


def test_the_members_of_a_user_group_are_admins(bot: Bot) -> None:
    group = bot.workspace.add_usergroup("trainers", ["Nora"])
    people: Any = bot.skredder.permissions._people
    bot.skredder.permissions._people = people.model_copy(update={"admins": (*people.admins, group)})
    try:
        assert "*Svarer nå:*" in bot.workspace.person("Nora").slash("/retrain status").text
        assert "Only admins" in bot.workspace.person("Kari").slash("/retrain status").text
    finally:
        bot.skredder.permissions._people = people


def test_an_admins_home_has_plot_gaps_versions_audit_and_settings(bot: Bot) -> None:
    bot.ask("Which customs number does our office in Ulan Bator have?")
    bot.workspace.person("Sindre").open_home(20)
    home = bot.wait(
        lambda: (
            "slack_file" in str(bot.workspace.home_of("Sindre")) and bot.workspace.home_of("Sindre")
        ),
        "the plot",
    )
    shown = str(home["blocks"])
    for part in ("Versions", "*base*", "Audit", "Channel settings", "Export pairs"):
        assert part in shown
    picture = next(block for block in home["blocks"] if block["type"] == "image")
    content = bot.workspace.state.files[picture["slack_file"]["id"]].content
    assert content.startswith(b"\x89PNG")


def test_an_admin_exports_the_approved_pairs(bot: Bot) -> None:
    bot.verify("Do we export?", "Yes, we export this one.")
    sindre = bot.workspace.person("Sindre")
    home = sindre.open_home(20)
    sindre.press(home, "home_export")

    def files() -> list[bytes]:
        shown = bot.workspace.messages(sindre.dm_channel)
        ids = [file["id"] for message in shown for file in message.get("files", ())]
        return [bot.workspace.state.files[one].content for one in ids]

    content = bot.wait(files, "the file")[0].decode()
    assert "we export this one" in content


def test_the_status_is_followed_by_a_plot_of_how_new_questions_went(bot: Bot) -> None:
    sindre = bot.workspace.person("Sindre")
    assert "over time" not in sindre.slash("/retrain status").text
    with bot.skredder.database.write() as session:
        for number in range(5):
            pair = NewPair(f"How many {number}?", f"It is {number}.", "U1", "import", f"i{number}")
            made = pairs.propose(session, pair, 0.0)
            pair_trials.record(session, made.id, Score("base", "grounded", 0.5, agrees=True))

    def pictures() -> list[bytes]:
        shown = bot.workspace.messages(sindre.dm_channel)
        files = [bot.workspace.state.files[f["id"]] for m in shown for f in m.get("files", ())]
        return [file.content for file in files if file.name == "scores.png"]

    assert "drawn in your direct messages" in sindre.slash("/retrain status").text
    assert bot.wait(pictures, "the plot")[0].startswith(b"\x89PNG")
    sindre.slash("/retrain status")
    bot.idle()
    assert len(pictures()) == 1  # nothing has changed since
    with bot.skredder.database.write() as session:
        for pair in pairs.listed(session, "proposed", 5):
            pairs.reject(session, pair.id, "U1")
    assert "over time" not in sindre.slash("/retrain status").text


def test_everybodys_home_is_in_their_language(bot: Bot) -> None:
    assert "Svar fra dokumentene til Fjellro" in str(bot.workspace.person("Nora").open_home())


def _version(bot: Bot, name: str, folder: str, manifest: str, train: list[int]) -> None:
    """Leave a version that passed the gate and has learned from some pairs."""
    with bot.skredder.database.write() as session:
        snapshot = snapshots.register(
            session,
            digest=f"made up for {name}",
            prompt_version="1",
            seed=1,
            train=train,
            held_out=[],
            replay_rows=0,
        )
        run = runs.propose(session, f"for {name}", "test")
        run = runs.claim(session, run.id, "test", timedelta(seconds=60))
        made = versions.register(
            session, name, run_id=run.id, folder=folder, manifest_sha256=manifest
        )
        versions.judge(session, made.id, "passed")
        runs.set_snapshot(session, run.id, run.attempt, snapshot.id)
        runs.finish(session, run.id, run.attempt, "passed", message="", version_id=made.id)


def test_an_expert_hears_once_what_a_version_learned_that_an_admin_let_answer(
    bot: Bot, base_model: BaseModel, tmp_path: Path
) -> None:
    """The version is the base by another name; what it answers is asked and counted for real."""
    tom, sindre = bot.workspace.person("Tom"), bot.workspace.person("Sindre")
    question = "How many days may a tent be kept, at most?"
    right = bot.verify(question, "A tent may be kept for 10 days.", "Tom")
    wrong = bot.verify("How warm is the gear store?", "It has 12 degrees, all year.", "Tom")
    assert base_model.gguf is not None
    (tmp_path / "v12").mkdir()
    shutil.copy(base_model.gguf, tmp_path / "v12" / "model.gguf")
    manifest = write_manifest(tmp_path / "v12", {"run": 12})
    _version(bot, "v12", str(tmp_path / "v12"), manifest, [right, wrong])

    def told() -> list[str]:
        messages = bot.workspace.messages(tom.dm_channel)
        return [m["text"] for m in messages if "corrections are in" in m["text"]]

    assert "answers within seconds" in sindre.slash("/retrain promote v12").text
    assert bot.wait(told, "the message", 60) == [
        "🎓 Your 2 corrections are in version v12; it now answers 1 of them as you would."
    ]
    assert told()[0] in str(tom.open_home()["blocks"])
    assert "Back to *base*" in sindre.slash("/retrain rollback").text
    assert "answers within seconds" in sindre.slash("/retrain promote v12").text
    assert "Back to *base*" in sindre.slash("/retrain rollback").text
    bot.wait(lambda: bot.skredder.models.version == "base", "the base to answer", 60)
    with bot.skredder.database.read() as session:
        assert jobs.count_open(session, ["tell_lesson"]) == 0
    assert len(told()) == 1


def test_of_a_version_that_was_taken_back_nothing_is_told(bot: Bot) -> None:
    ingrid = bot.workspace.person("Ingrid")
    pair = bot.verify("How heavy is a tent?", "A tent weighs 3 kilos.", "Ingrid")
    _version(bot, "v13", "x", "y", [pair])
    with bot.skredder.database.write() as session:
        serving = versions.serving(session)
        made = versions.by_name(session, "v13")
        versions.promote(
            session, made.id, expected_revision=serving.revision, actor="test", reason=""
        )
        owe_lessons(session, made.id)
        versions.rollback(session, "test", "worse")
        assert jobs.count_open(session, ["tell_lesson"]) == 1
    bot.skredder.wake_workers()
    bot.wait(lambda: _nothing_is_owed(bot), "the lesson to be left out", 60)
    assert "v13" not in str(bot.workspace.messages(ingrid.dm_channel))


def _nothing_is_owed(bot: Bot) -> bool:
    with bot.skredder.database.read() as session:
        return jobs.count_open(session, ["tell_lesson"]) == 0


def test_a_trial_is_shown_by_the_status_and_ended_by_a_command(bot: Bot) -> None:
    sindre = bot.workspace.person("Sindre")
    assert "No version is on trial" in sindre.slash("/retrain withdraw").text
    _version(bot, "v14", "x", "y", [])
    with bot.skredder.database.write() as session:
        canaries.begin(session, versions.by_name(session, "v14").id, 0.2, "test")
    shown = sindre.slash("/retrain status").text
    assert "*On trial:* v14 gets 20% of the threads" in shown
    assert "`/retrain withdraw` ends the trial" in shown
    assert "*v14* is not on trial any more" in sindre.slash("/retrain withdraw too rude").text
    assert "On trial" not in sindre.slash("/retrain status").text
    with bot.skredder.database.read() as session:
        record = audit.latest(session)[0]
    assert (record.action, record.actor) == ("canary.withdrawn", sindre.id)
    assert record.details["reason"] == "too rude"


def test_an_admins_home_shows_what_people_asked_and_the_documents_did_not_answer(bot: Bot) -> None:
    answer = bot.ask("Who has the key of the sauna in Voss?")
    assert answer["metadata"]["event_payload"]["status"] == "abstained"
    sindre = bot.workspace.person("Sindre")
    bot.wait(lambda: "sauna" in str(sindre.open_home(20)["blocks"]), "the gap", 60)
    assert "sauna" not in str(bot.workspace.person("Ingrid").open_home(20)["blocks"])
