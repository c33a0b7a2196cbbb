"""An expert's day: correcting in every way, reviewing, deciding, taking back."""

from __future__ import annotations

import json

from bot.demo.stage import ADMIN, ASK_CHANNEL, COLLEAGUE, EMPLOYEE, EXPERT
from bot.slack.words import words
from tests.browser.day import Day


def play(day: Day) -> None:
    """Play Ingrid's day, after Kari's."""
    _answers_what_was_handed_over(day)
    _corrects_by_button(day)
    _corrects_by_reply(day)
    _ticks_a_colleagues_reply(day)
    _contradicted(day)
    _reviews(day)


def _answers_what_was_handed_over(day: Day) -> None:
    say = words(day.sayings.language)
    day.become(EXPERT)
    day.go(ASK_CHANNEL)
    day.open_thread(day.sayings.unknown)
    day.press(say("Answer"), "#thread")
    day.write_over(day.sayings.known_after_all, "dialog textarea")
    day.save(say("Save"))
    told = say("Verified by <@{expert}> · from now on this is what I answer.")
    day.see(told.partition("·")[2].strip(), "#thread")
    done = say("✅ Answered by <@{expert}>.").partition("<")[0].strip()
    day.tab.wait(f"document.querySelector('#thread').innerText.split('{done}').length > 2")
    day.photograph("answered-by-an-expert")


def _corrects_by_button(day: Day) -> None:
    say = words(day.sayings.language)
    day.become(COLLEAGUE)
    day.ask(day.sayings.wrong)
    day.become(EXPERT)
    day.press(say("Correct it"), "#thread")
    day.write_over(day.sayings.better, "dialog textarea")
    day.photograph("correct-form")
    day.save(say("Save"))
    day.tab.wait("document.querySelectorAll('#thread .message').length >= 3")
    day.photograph("corrected")


def _corrects_by_reply(day: Day) -> None:
    day.become(COLLEAGUE)
    day.ask(day.sayings.other_wrong)
    day.become(EXPERT)
    day.say(f"{day.sayings.correction} {day.sayings.other_better}", "#composer-thread")
    day.tab.wait("document.querySelectorAll('#thread .message').length >= 4")
    day.photograph("corrected-by-reply")


def _ticks_a_colleagues_reply(day: Day) -> None:
    say = words(day.sayings.language)
    tom, sindre = (day.stage.workspace.person(name) for name in (COLLEAGUE, ADMIN))
    root = tom.post("general", day.sayings.open_question)
    sindre.post("general", day.sayings.colleague_knows, root)
    day.become(EXPERT)
    day.go("general")
    day.open_thread(day.sayings.open_question)
    day.tab.wait("document.querySelectorAll('#thread .message').length >= 2")
    day.tab.hover("#thread .message:last-child")
    day.press(day.sayings.page["react"], "#thread .message:last-child")
    day.tab.wait("!!document.querySelector('.menu')")
    day.tab.click(".menu .menu-item:nth-child(2)")
    saved = say("Saved: whoever asks this again gets <@{user}>'s answer.").partition(":")[0]
    day.see(saved, "#thread")
    day.photograph("tick")


def _contradicted(day: Day) -> None:
    """Kari is given the corrected answer, and holds another one to be right."""
    say = words(day.sayings.language)
    day.become(EMPLOYEE)
    day.ask(day.sayings.wrong)
    day.photograph("verified-answer")
    day.press(say("Correct it"), "#thread")
    day.write_over(day.sayings.contradicting, "dialog textarea")
    day.save(say("Save"))


def _reviews(day: Day) -> None:
    say = words(day.sayings.language)
    day.become(EXPERT)
    day.open_home(say("Corrections to review"))
    day.see(say("Reject"), "#home")
    day.see(say("Both are right"), "#home")
    day.photograph_home("review-queue", 2_000)
    day.press(say("Edit"), "#home", 0)
    day.tab.wait("!!document.querySelector('dialog textarea')")
    day.photograph("edit-a-proposal")
    day.press(day.sayings.page["cancel"], "dialog")
    day.tab.wait("!document.querySelector('dialog')")
    day.decide(say("The older is right"))
    day.decide(say("Approve"))
    if say("Reject") in day.tab.text("#home"):
        day.decide(say("Reject"))
    _takes_back(day)
    day.photograph_home("expert-home", 1_400)


def _takes_back(day: Day) -> None:
    """She takes the newest answer back; it must be gone from the list."""
    say = words(day.sayings.language)
    label = json.dumps(say("Take it back"))
    first = f"[...document.querySelectorAll('#home button')].find((b) => b.innerText === {label})"
    answer = day.tab.evaluate(f"{first}.closest('.block').querySelector('.text').innerText")

    def take_back() -> None:
        day.press(say("Take it back"), "#home", 0)
        day.tab.wait("!!document.querySelector('dialog.small')")
        day.photograph("take-back")
        day.press(say("Yes"), "dialog")

    day.until(
        f"!document.querySelector('#home').innerText.includes({json.dumps(answer)})", take_back
    )
