"""chat.startStream, chat.appendStream, chat.stopStream: messages that grow."""

from __future__ import annotations

from typing import Any

from bot.workspace.errors import SlackError
from bot.workspace.limits import check_markdown, check_message_blocks
from bot.workspace.methods.assistant import set_session_status
from bot.workspace.methods.places import addressed, joined, message_in, root_of, somebody
from bot.workspace.objects import message_json
from bot.workspace.posting import announce_change, from_app, post, with_ids
from bot.workspace.records import Json, Message, Stream
from bot.workspace.site import Site


def start(site: Site, arguments: Json) -> Json:
    """Serve chat.startStream."""
    chunks = _chunks(arguments)
    channel = addressed(site, arguments["channel"])
    recipient = arguments.get("recipient_user_id")
    if channel.kind != "im":
        if not arguments.get("recipient_team_id"):
            raise SlackError("missing_recipient_team_id")
        if not recipient:
            raise SlackError("missing_recipient_user_id")
        somebody(site, recipient)
    root = root_of(site, channel, arguments["thread_ts"])
    message = from_app(site, channel, "", [], thread_ts=root)
    is_plan = arguments.get("task_display_mode") == "plan"
    message.stream = Stream("in_progress", site.timing.clock(), recipient, is_plan)
    message.has_generated_blocks = True
    _write(message, chunks)
    post(site, message)
    site.clear_status(channel.id, root)
    return {"channel": channel.id, "ts": message.ts}


def append(site: Site, arguments: Json) -> Json:
    """Serve chat.appendStream."""
    chunks = _chunks(arguments)
    if not chunks:
        raise SlackError("no_text")
    if site.faults.take_append():
        site.faults.expire_streams()
    message = _open(site, arguments, or_say_stopped=True)
    _write(message, chunks)
    site.touch(message)
    return {"channel": message.channel, "ts": message.ts}


def stop(site: Site, arguments: Json) -> Json:
    """Serve chat.stopStream."""
    chunks = _chunks(arguments)
    blocks = arguments.get("blocks", [])
    check_message_blocks(blocks)
    message = _open(site, arguments, or_say_stopped=False)
    assert message.stream is not None
    before = message_json(site.state, message)
    _write(message, chunks)
    message.stream.state = "completed"
    if blocks:
        message.blocks = [*message.blocks, *with_ids(blocks)]
        message.has_generated_blocks = False
    if "metadata" in arguments:
        message.metadata = arguments["metadata"]
    if "session_status" in arguments:
        set_session_status(
            site, message.channel, message.root_ts, arguments["session_status"], arguments
        )
    announce_change(site, before, message)
    return {
        "channel": message.channel,
        "ts": message.ts,
        "message": message_json(site.state, message, with_metadata=True),
    }


def _open(site: Site, arguments: Json, *, or_say_stopped: bool) -> Message:
    channel = joined(site, arguments["channel"])
    message = message_in(site, channel, arguments["ts"])
    site.expire(message)
    if not message.is_from_app or message.stream is None:
        raise SlackError("message_not_in_streaming_state")
    if message.stream.state == "stopped" and or_say_stopped:
        raise SlackError("stopped_by_user")
    if message.stream.state != "in_progress":
        raise SlackError("message_not_in_streaming_state")
    return message


def _chunks(arguments: Json) -> list[Json]:
    chunks = list(arguments.get("chunks", ()))
    if arguments.get("markdown_text"):
        chunks.insert(0, {"type": "markdown_text", "text": arguments["markdown_text"]})
    for chunk in chunks:
        if chunk["type"] == "markdown_text":
            check_markdown(chunk["text"])
        if chunk["type"] == "blocks":
            check_message_blocks(chunk["blocks"])
    return chunks


def _write(message: Message, chunks: list[Json]) -> None:
    """Add chunks to a streamed message; a task's later chunks change its card."""
    stream = message.stream
    assert stream is not None
    for chunk in chunks:
        if chunk["type"] == "markdown_text":
            if stream.parts and stream.parts[-1]["type"] == "markdown":
                stream.parts[-1]["text"] += chunk["text"]
            else:
                stream.parts += with_ids([{"type": "markdown", "text": chunk["text"]}])
            message.text += chunk["text"]
        elif chunk["type"] == "plan_update":
            _plan(stream)["title"] = chunk["title"]
        elif chunk["type"] == "task_update":
            _update_task(stream, chunk)
        else:
            stream.parts += with_ids(chunk["blocks"])
    message.blocks = list(stream.parts)


def _plan(stream: Stream) -> Json:
    for part in stream.parts:
        if part["type"] == "plan":
            return part
    stream.parts += with_ids([{"type": "plan", "title": "", "tasks": []}])
    return stream.parts[-1]


def _update_task(stream: Stream, chunk: Json) -> None:
    tasks: list[Json] = _plan(stream)["tasks"] if stream.is_plan else stream.parts
    card = next((t for t in tasks if t.get("task_id") == chunk["id"]), None)
    if card is None:
        card = with_ids([{"type": "task_card", "task_id": chunk["id"]}])[0]
        tasks.append(card)
    card["title"], card["status"] = chunk["title"], chunk["status"]
    for name in ("details", "output"):
        if name in chunk:
            card[name] = _appended(card.get(name), chunk[name])
    if "sources" in chunk:
        card["sources"] = chunk["sources"]


def _appended(rich_text: Any, text: str) -> Json:
    """Return a rich text with `text` added at its end."""
    elements = rich_text["elements"][0]["elements"] if rich_text else []
    section = {
        "type": "rich_text_section",
        "elements": [*elements, {"type": "text", "text": text}],
    }
    return {"type": "rich_text", "elements": [section]}
