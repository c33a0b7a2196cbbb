"""An admin's day: watching, setting, starting a training and stopping it, moving versions."""

from __future__ import annotations

from bot.demo.stage import ADMIN, ASK_CHANNEL, EXPERT
from bot.slack.retrain_view import run_text
from bot.slack.words import words
from storage import jobs, pairs, runs
from storage.pair_records import NewPair
from storage.runs import Run
from tests.browser.day import Day


def play(day: Day) -> None:
    """Play Sindre's day."""
    day.become(ADMIN)
    measured = _measured_run(day)
    _a_training_is_due(day)
    _looks_around(day)
    if measured is not None:
        _reads_a_report(day, measured)
    _asks_how_things_stand(day)
    _trains_and_stops(day, has_trained=measured is not None)
    if measured is not None:
        _moves_versions(day, f"v{measured.id}")
    _changes_the_schedule(day)


def _measured_run(day: Day) -> Run | None:
    """Return the newest run of this home that passed the gate, if there was one."""
    with day.stage.skredder.database.read() as session:
        found = runs.listed(session, limit=20)
    return next((run for run in found if run.state == "promoted"), None)


def _a_training_is_due(day: Day) -> None:
    """On a day without an expert before it, one more pair makes the training due."""
    if day.stage.skredder.retrainings.readiness().is_due:
        return
    expert = day.stage.person_id(EXPERT)
    pair = NewPair(
        day.sayings.open_question,
        day.sayings.colleague_knows,
        author=expert,
        origin="slack",
        origin_key="the admin's day",
    )
    with day.stage.skredder.database.write() as session:
        made = pairs.propose(session, pair)
        day.stage.skredder.corrections.approve_in(session, made.id, expert)


def _looks_around(day: Day) -> None:
    say = words(day.sayings.language)
    day.open_home(say("The model"))
    day.see(say("Audit"), "#home")
    day.tab.wait("document.querySelector('#home img')?.complete")
    day.photograph_home("admin-home", 3_400)
    day.press(say("Channel settings"), "#home")
    day.tab.wait("!!document.querySelector('dialog')")
    day.tab.click("dialog .choice input")
    day.photograph("channel-settings")
    day.save(say("Save"))
    day.press(say("Export pairs"), "#home")
    day.open_direct_message(ADMIN)
    day.tab.wait("!!document.querySelector('#messages .file')")
    day.photograph("export")


def _reads_a_report(day: Day, run: Run) -> None:
    """The message of a run that has ended is owed once more: it is shown from what SQL has."""
    say = words(day.sayings.language)
    with day.stage.skredder.database.write() as session:
        jobs.enqueue(session, "retrain", {"run_id": run.id}, key=f"shown again:{run.id}")
    day.stage.skredder.wake_workers()
    day.open_direct_message(ADMIN)
    day.see(run_text(run, say).partition("\n")[0].strip("*"), "#messages")
    day.tab.resize(1_180, 1_300)
    day.photograph("run-report", "#place")
    day.tab.evaluate("[...document.querySelectorAll('#messages .summary')].at(-1)?.click()")
    day.tab.wait("document.querySelector('#thread img.picture')?.complete")
    day.tab.resize(1_180, 760)
    day.photograph("run-plot")


def _asks_how_things_stand(day: Day) -> None:
    day.go(ASK_CHANNEL)
    day.command("/retrain status", "v" if _measured_run(day) else "base")
    day.command("/retrain plan", ":")
    day.photograph("retrain-status")


def _trains_and_stops(day: Day, *, has_trained: bool) -> None:
    """He starts a training and stops it.

    The first one of a home begins with the base model's answers to general questions, which takes
    minutes; then it is stopped before it learns anything.
    """
    say = words(day.sayings.language)
    day.command("/retrain run", say("Not now"))
    day.photograph("retrain-confirm")
    day.press(say("Start"), "#messages")
    day.open_direct_message(ADMIN)
    day.see(say("Stage: {stage}").partition(":")[0] + ":", "#messages")
    if has_trained:
        day.tab.wait(
            "[...document.querySelectorAll('#messages .message')].at(-1).innerText.includes('▓')"
        )
    day.photograph("run-under-way")
    day.press(say("Stop"), "#messages")
    day.tab.wait("!!document.querySelector('dialog.small')")
    day.photograph("run-stop")
    day.press(say("Yes"), "dialog")
    day.see(_text_of_stopped(day), "#messages")
    day.photograph("run-stopped")


def _text_of_stopped(day: Day) -> str:
    """Return how the message of a stopped run begins."""
    say = words(day.sayings.language)
    with day.stage.skredder.database.read() as session:
        newest = runs.listed(session, limit=1)[0]
    title = say("*Retraining, run {id}: {state}*", id=newest.id, state=say("stopped"))
    return title.strip("*")


def _moves_versions(day: Day, name: str) -> None:
    say = words(day.sayings.language)
    back = say("Back to *{version}*: it answers within seconds.", version="base").replace("*", "")
    again = say("*{version}* answers within seconds.", version=name).replace("*", "")
    day.go(ASK_CHANNEL)
    day.command("/retrain rollback", back)
    day.command(f"/retrain promote {name}", again)
    day.photograph("promote-and-roll-back")


def _changes_the_schedule(day: Day) -> None:
    day.go(ASK_CHANNEL)
    day.command("/retrain schedule 0 3 * * 1", "0 3 * * 1")
    day.command("/retrain promote v99", "v99")
    day.photograph("schedule")
