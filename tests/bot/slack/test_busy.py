"""Slack asks to wait (429), whatever the bot calls: it waits, and nothing is lost or done twice.

The methods are read from the source, so that a new one without a test here fails.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bot.slack as listeners
from bot.slack.calls import SlackCalls
from tests.bot.slack.conftest import Bot, Json
from tests.bot.slack.test_faults import METHODS, QUIET

LEAVE = "How many days of annual leave do I get?"

#: What slack_sdk calls in turn for a method of its own.
_MADE_OF = {
    "files_upload_v2": ("files.getUploadURLExternal", "files.completeUploadExternal"),
}


def called_methods() -> frozenset[str]:
    """Return every method that the bot's source calls, by Slack's name."""
    found: set[str] = set()
    for file in Path(listeners.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr == "respond" and ast.unparse(node.func.value).endswith("_calls"):
                found.add("response_url")
            if node.func.attr in ("call", "call_patiently", "_try") and node.args:
                name = node.args[0]
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    found |= set(_MADE_OF.get(name.value, (name.value.replace("_", "."),)))
    return frozenset(found)


def _private_answers(bot: Bot, who: str) -> list[Json]:
    """Return the answers that only this person sees, wherever they stand."""
    person = bot.workspace.person(who)
    seen = [*bot.workspace.ephemerals_of(who), *bot.workspace.messages(person.dm_channel)]
    return [m for m in seen if "answer_feedback" in str(m.get("blocks"))]


def _ask_in_private(bot: Bot) -> None:
    before = len(_private_answers(bot, "Tom"))
    bot.workspace.person("Tom").slash(f"/ask {LEAVE}", "people")
    bot.wait(lambda: _private_answers(bot, "Tom")[before:], "the private answer", 60)
    bot.idle()
    assert len(_private_answers(bot, "Tom")) == before + 1


def _write_directly(bot: Bot) -> None:
    """Let a response URL be used up, so that the answer goes to the asker's direct messages."""
    side: Any = bot.skredder._slack
    respond = side.calls.respond

    def used_up(*_: Any, **__: Any) -> None:
        from bot.slack.calls import SlackRefused

        raise SlackRefused("response_url", "used_url")

    side.calls.respond = used_up
    try:
        _ask_in_private(bot)
    finally:
        side.calls.respond = respond


def _go_on_in_a_thread(bot: Bot) -> None:
    kari = bot.workspace.person("Kari")
    ts = kari.mention("general", LEAVE)
    bot.answer_to(ts)
    kari.post("general", "And how many weeks is parental leave?", ts)
    bot.wait(lambda: len(bot.replies(ts)) == 2, "the second answer", 60)
    bot.idle()
    assert len(bot.replies(ts)) == 2


def _share_although_the_connection_breaks(bot: Bot) -> None:
    """A message whose posting is uncertain is looked up before it is posted again."""
    _ask_in_private(bot)
    answer = _private_answers(bot, "Tom")[-1]
    before = len(bot.workspace.messages("people"))
    bot.workspace.faults.drop_after("chat.postMessage")
    bot.workspace.person("Tom").press(answer["ts"], "answer_share")
    bot.wait(lambda: bot.workspace.messages("people")[before:], "the shared answer", 60)
    bot.idle()
    assert len(bot.workspace.messages("people")) == before + 1


def _be_an_admin_by_group(bot: Bot) -> None:
    """Who is in a group is not known while Slack is busy: refused now, let in at the next try."""
    group = bot.workspace.add_usergroup("wardens", ["Nora"])
    people: Any = bot.skredder.permissions._people
    bot.skredder.permissions._people = people.model_copy(update={"admins": (*people.admins, group)})
    nora = bot.workspace.person("Nora")
    try:
        assert "Svarer nå" not in nora.slash("/retrain status").text
        bot.wait(lambda: "Svarer nå" in nora.slash("/retrain status").text, "the next try")
    finally:
        bot.skredder.permissions._people = people


def _open_the_pane(bot: Bot) -> None:
    bot.verify("Where is the drying room?", "In the cellar.")
    tom = bot.workspace.person("Tom")
    tom.open_messages()
    bot.wait(lambda: bot.workspace.state.prompts.get(tom.dm_channel), "the prompts")


def _say_that_it_is_no_answer(bot: Bot) -> None:
    """A whisper is not worth failing for; what somebody does next is done."""
    since = len(bot.workspace.ledger)
    ts = bot.workspace.person("Kari").post("people", "Lunch?")
    bot.workspace.person("Ingrid").shortcut(ts, "correct_answer")
    bot.wait(lambda: _was_busy(bot, "chat.postEphemeral", since), "the whisper")
    bot.workspace.person("Ingrid").shortcut(ts, "correct_answer")
    bot.wait(lambda: any("not an answer of mine" in t for t in bot.whispers_to("Ingrid")), "it")


def _export(bot: Bot) -> None:
    bot.verify("Who may export?", "Admins may export.")
    sindre = bot.workspace.person("Sindre")
    bot.idle()

    def files() -> list[str]:
        shown = bot.workspace.messages(sindre.dm_channel)
        return [file["id"] for message in shown for file in message.get("files", ())]

    before = len(files())
    home = sindre.open_home(20)
    bot.idle()
    bot.workspace.faults.rate_limit("files.completeUploadExternal", calls=1, retry_after=1)
    sindre.press(home, "home_export")
    bot.wait(lambda: files()[before:], "the file", 60)
    bot.idle()
    assert len(files()) == before + 1


def _start(bot: Bot) -> None:
    side: Any = bot.skredder._slack
    calls = SlackCalls(side.calls.client)
    assert calls.call_patiently("auth_test")["team_id"] == bot.workspace.team_id


#: What somebody does that makes the bot call a method, and the one outcome it has.
SCENARIOS: dict[str, Callable[[Bot], None]] = {
    "auth.test": _start,
    "response_url": _ask_in_private,
    "conversations.open": _write_directly,
    "conversations.replies": _go_on_in_a_thread,
    "conversations.history": _share_although_the_connection_breaks,
    "usergroups.users.list": _be_an_admin_by_group,
    "assistant.threads.setSuggestedPrompts": _open_the_pane,
    "chat.postEphemeral": _say_that_it_is_no_answer,
    "files.completeUploadExternal": _export,
}


def _was_busy(bot: Bot, method: str, since: int = 0) -> bool:
    made = bot.workspace.ledger.calls(method, since=since)
    return any(call.status == 429 for call in made)


def test_every_method_that_the_bot_calls_is_tried_while_slack_is_busy() -> None:
    tried = set(METHODS) | {method for method, _ in QUIET} | set(SCENARIOS)
    assert called_methods() == tried


@pytest.mark.parametrize("method", sorted(SCENARIOS))
def test_a_busy_slack_loses_nothing(bot: Bot, method: str) -> None:
    bot.idle()
    since = len(bot.workspace.ledger)
    if method != "files.completeUploadExternal":
        bot.workspace.faults.rate_limit(method, calls=1, retry_after=1)
    SCENARIOS[method](bot)
    assert _was_busy(bot, method, since), "the bot never met the busy Slack"
