"""Interactions: what Slack sends when somebody presses, submits, commands or opens something."""

from __future__ import annotations

import copy
from concurrent.futures import Future
from typing import Any

from bot.workspace.arguments import check_blocks
from bot.workspace.delivery import Acknowledgement
from bot.workspace.elements import Used
from bot.workspace.errors import SlackError
from bot.workspace.inputs import filled, initial_values, option_of
from bot.workspace.limits import check_message_blocks, check_text
from bot.workspace.objects import message_json, view_json
from bot.workspace.payloads import channel_reference, interaction, slash_command
from bot.workspace.posting import from_app, post
from bot.workspace.records import Channel, Json, Message, User, View
from bot.workspace.site import Site

#: The chosen side of feedback buttons, by what a caller may say.
_SIDES = {"positive": "positive_button", "negative": "negative_button"}


def press_in_message(
    site: Site, user: User, message: Message, used: Used
) -> Future[Acknowledgement]:
    """Send the press of an element in a message. Called with the lock held."""
    channel = site.state.channels[message.channel]
    is_ephemeral = message.ephemeral_for is not None
    body = interaction(site.state, "block_actions", user, site.tickets.new_trigger(user.id))
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": is_ephemeral,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    action = _action(site, used)
    values = site.typed.setdefault(f"{message.ts}:{user.id}", initial_values(message.blocks))
    _keep(values, used)
    body |= {
        "container": container,
        "channel": channel_reference(channel),
        "state": {"values": copy.deepcopy(values)},
        "response_url": _response_url(site, user, channel, message),
        "actions": [action],
    }
    if not is_ephemeral:
        body["message"] = message_json(site.state, message, with_metadata=True)
    return site.sockets.send("interactive", body)


def press_in_view(site: Site, user: User, view: View, used: Used) -> Future[Acknowledgement]:
    """Send the press of an element in a modal or App Home. Called with the lock held."""
    trigger = site.tickets.new_trigger(user.id, view.id)
    body = interaction(site.state, "block_actions", user, trigger)
    _keep(view.values, used)
    body |= {
        "container": {"type": "view", "view_id": view.id},
        "view": view_json(site.state, view),
        "actions": [_action(site, used)],
    }
    return site.sockets.send("interactive", body)


def submit(site: Site, user: User, view: View) -> Future[Acknowledgement]:
    """Send a filled-in modal. Called with the lock held."""
    trigger = site.tickets.new_trigger(user.id, view.id)
    body = interaction(site.state, "view_submission", user, trigger)
    body |= {"view": view_json(site.state, view), "response_urls": []}
    return site.sockets.send("interactive", body, takes_answer=True)


def closed(site: Site, user: User, view: View, *, is_all: bool) -> Future[Acknowledgement]:
    """Send that a modal was closed without submitting it."""
    with site.lock:
        body = interaction(site.state, "view_closed", user, None)
        body |= {"view": view_json(site.state, view), "is_cleared": is_all}
        return site.sockets.send("interactive", body)


def message_shortcut(
    site: Site, user: User, message: Message, callback_id: str
) -> Future[Acknowledgement]:
    """Send the use of a shortcut on a message. Called with the lock held."""
    channel = site.state.channels[message.channel]
    body = interaction(site.state, "message_action", user, site.tickets.new_trigger(user.id))
    body |= {
        "action_ts": _now(site),
        "callback_id": callback_id,
        "channel": channel_reference(channel),
        "message_ts": message.ts,
        "message": message_json(site.state, message, with_metadata=True),
        "response_url": _response_url(site, user, channel, message),
    }
    return site.sockets.send("interactive", body)


def global_shortcut(site: Site, user: User, callback_id: str) -> Future[Acknowledgement]:
    """Send the use of a shortcut that stands alone."""
    with site.lock:
        body = interaction(site.state, "shortcut", user, site.tickets.new_trigger(user.id))
        body |= {"action_ts": _now(site), "callback_id": callback_id}
        return site.sockets.send("interactive", body)


def command(
    site: Site, user: User, channel: Channel, name: str, text: str
) -> Future[Acknowledgement]:
    """Send a slash command. One that the app does not have fails at once, as in Slack."""
    with site.lock:
        if not site.installation.has_command(name):
            nobody: Future[Acknowledgement] = Future()
            nobody.set_result(Acknowledgement(False, error="not_a_command"))
            return nobody
        key = site.tickets.new_response(user.id, channel.id)
        body = slash_command(
            site.state,
            user,
            channel,
            name,
            text,
            response_url=f"{site.state.origin}/respond/{key}",
            trigger_id=site.tickets.new_trigger(user.id),
        )
        return site.sockets.send("slash_commands", body, takes_answer=True)


def show_reply(
    site: Site, user: User, channel: Channel, name: str, answer: Acknowledgement
) -> None:
    """Show what the app replied to a command, or that it failed."""
    with site.lock:
        if not answer.is_ok:
            site.complain(f"the command {name}: {answer.error}")
            text = f"{name} failed with the error “{answer.error}”"
            if answer.error == "not_a_command":
                text = f"{name} is not a valid command."
            post(site, from_app(site, channel, text, [], ephemeral_for=user.id))
            return
        text, blocks = str(answer.payload.get("text") or ""), answer.payload.get("blocks") or []
        if not text and not blocks:
            return
        try:
            check_text(text)
            check_blocks(blocks)
            check_message_blocks(blocks)
        except SlackError as error:
            site.complain(f"the reply to {name}: {error}")
            return
        is_public = answer.payload.get("response_type") == "in_channel"
        only_for = None if is_public else user.id
        post(site, from_app(site, channel, text, blocks, ephemeral_for=only_for))


def open_home(site: Site, user: User, tab: str) -> None:
    """Tell the app that somebody opened its Home or its messages."""
    with site.lock:
        event: Json = {
            "type": "app_home_opened",
            "user": user.id,
            "channel": site.direct_message(user.id).id,
            "tab": tab,
            "event_ts": _now(site),
        }
        home = site.state.homes.get(user.id)
        if tab == "home" and home is not None:
            event["view"] = view_json(site.state, home)
        site.deliver_event(event)


def stop_session(site: Site, user: User, channel: Channel, thread_ts: str) -> None:
    """Stop what the app writes in a thread, and tell it so."""
    with site.lock:
        stopped = []
        for message in site.state.thread(channel.id, thread_ts):
            if message.stream is not None and message.stream.state == "in_progress":
                message.stream.state = "stopped"
                stopped.append(message.ts)
                site.touch(message)
        site.deliver_event(
            {
                "type": "agent_session_stopped",
                "user": user.id,
                "channel": channel.id,
                "thread_ts": thread_ts,
                "streaming_message_ts": stopped,
                "event_ts": _now(site),
            }
        )


def join(site: Site, user: User, channel: Channel) -> None:
    """Let somebody into a channel, and tell the app if it is there."""
    with site.lock:
        if user.id in channel.members:
            return
        channel.members.append(user.id)
        site.touch()
        if site.see(channel):
            site.deliver_event(
                {
                    "type": "member_joined_channel",
                    "user": user.id,
                    "channel": channel.id,
                    "channel_type": "G" if channel.kind == "group" else "C",
                    "team": site.team_id,
                    "event_ts": _now(site),
                }
            )


def _action(site: Site, used: Used) -> Json:
    """Return the entry in `actions` for one element."""
    element, value = used.element, used.value
    kind = element["type"]
    action: Json = {
        "type": kind,
        "action_id": element["action_id"],
        "block_id": used.block["block_id"],
        "action_ts": _now(site),
    }
    if kind == "feedback_buttons":
        side = element[_side(element, value)]
        return action | {"value": side["value"], "text": side["text"]}
    if kind in ("button", "icon_button"):
        names = ("text", "value", "style", "url", "icon")
        return action | {name: element[name] for name in names if name in element}
    if kind == "overflow":
        return action | {"selected_option": option_of(element, value)}
    return action | filled(element, value)


def _side(element: Json, value: Any) -> str:
    if value in _SIDES:
        return _SIDES[str(value)]
    for side in _SIDES.values():
        if element[side]["value"] == value:
            return side
    raise ValueError(f"feedback buttons have positive and negative, not {value!r}")


def _keep(values: dict[str, dict[str, Json]], used: Used) -> None:
    """Remember what an input holds; buttons and menus without a state hold nothing."""
    actions = values.get(used.block["block_id"], {})
    action_id = used.element["action_id"]
    if action_id in actions:
        actions[action_id] = filled(used.element, used.value)


def _response_url(site: Site, user: User, channel: Channel, message: Message) -> str:
    key = site.tickets.new_response(
        user.id, channel.id, thread_ts=message.thread_ts, message_ts=message.ts
    )
    return f"{site.state.origin}/respond/{key}"


def _now(site: Site) -> str:
    return site.state.new_ts(site.timing.clock())
