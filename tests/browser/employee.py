"""An employee's day: asking in every place, going on, stopping, voting, asking people."""

from __future__ import annotations

from bot.demo.stage import ASK_CHANNEL, COLLEAGUE, EMPLOYEE
from bot.slack.words import words
from tests.browser.day import Day


def play(day: Day) -> None:
    """Play Kari's day."""
    day.become(EMPLOYEE)
    _asks_in_a_channel(day)
    _writes_directly(day)
    _asks_alone(day)
    _asks_about_a_message(day)
    _stops(day)
    _votes(day)
    _needs_a_person(day)


def _asks_in_a_channel(day: Day) -> None:
    day.go(ASK_CHANNEL)
    day.say(f"@Skredder {day.sayings.ask}")
    day.tab.wait("!!document.querySelector('#messages .status')")
    day.photograph("asking-status", is_quick=True)
    day.wait_for_answers(1)
    day.tab.click("#thread details.container summary")
    day.photograph("answer")
    day.say(day.sayings.follow_up, "#composer-thread")
    day.wait_for_answers(2)
    day.photograph("follow-up")


def _writes_directly(day: Day) -> None:
    say = words(day.sayings.language)
    day.open_direct_message(EMPLOYEE)
    day.see(say("Ask about how we do things"), "#prompts")
    day.photograph("agent-pane")
    day.say(day.sayings.direct)
    day.wait_for_answers(1)
    day.photograph("direct-message")


def _asks_alone(day: Day) -> None:
    say = words(day.sayings.language)
    day.go("general")
    day.command(f"/ask {day.sayings.private}", say("👁 Only you can see this."))
    day.photograph("ask-alone")
    day.press(say("Share with the channel"), "#messages")
    day.tab.wait("!!document.querySelector('#messages .message:not(.ephemeral) .feedback')")
    day.photograph("ask-shared")


def _asks_about_a_message(day: Day) -> None:
    day.stage.workspace.person(COLLEAGUE).post("people", day.sayings.about)
    day.go("people")
    day.see(day.sayings.about, "#messages")
    day.tab.hover("#messages .message:last-child")
    day.press(day.sayings.page["more"], "#messages .message:last-child")
    day.tab.wait("!!document.querySelector('.menu')")
    day.photograph("message-menu")
    day.tab.click(".menu .menu-item")
    day.tab.wait("!!document.querySelector('.message.ephemeral .feedback')")
    day.photograph("asked-about-a-message")


def _stops(day: Day) -> None:
    say = words(day.sayings.language)
    day.go(ASK_CHANNEL)
    day.say(f"@Skredder {day.sayings.long}")
    day.tab.wait("!!document.querySelector('#messages .status .button')")
    day.photograph("stop", is_quick=True)
    day.tab.evaluate("document.querySelector('#messages .status .button')?.click()")
    day.tab.wait(
        "document.querySelectorAll('#thread .message').length >= 2"
        " && !document.querySelector('#thread .status, #thread .caret')"
    )
    if say("Stopped, as you asked.") in day.tab.text("#thread"):  # else the answer was quicker
        day.photograph("stopped")


def _votes(day: Day) -> None:
    """She votes an answer down and proposes a better one."""
    say = words(day.sayings.language)
    day.ask(day.sayings.ask + " ")
    day.press(say("Correct it"), "#thread")
    day.write_over(day.sayings.better_ask, "dialog textarea")
    day.photograph("vote-form")
    day.save(say("Save"))


def _needs_a_person(day: Day) -> None:
    say = words(day.sayings.language)
    day.ask(day.sayings.unknown)
    day.tab.click("#thread details.container summary")
    day.photograph("not-known")
    day.press(say("Ask an expert"), "#thread")
    day.see("⏳", "#thread")
    day.tab.wait("document.querySelectorAll('#thread .message').length >= 3")
    day.photograph("waiting-for-an-expert")
