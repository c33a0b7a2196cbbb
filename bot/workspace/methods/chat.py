"""chat.*: messages of the app."""

from __future__ import annotations

from bot.workspace.errors import SlackError
from bot.workspace.limits import check_markdown, check_message_blocks, check_text
from bot.workspace.methods.places import (
    addressed,
    joined,
    message_in,
    root_of,
    somebody,
    writable,
)
from bot.workspace.objects import message_json
from bot.workspace.posting import announce_change, delete, from_app, post, with_ids
from bot.workspace.records import Json, Message
from bot.workspace.site import Site


def post_message(site: Site, arguments: Json) -> Json:
    """Serve chat.postMessage."""
    text, blocks, is_generated = _content(arguments)
    channel = addressed(site, arguments["channel"])
    root = root_of(site, channel, arguments.get("thread_ts"))
    message = from_app(site, channel, text, blocks, thread_ts=root)
    message.has_generated_blocks = is_generated
    message.attachments = arguments.get("attachments", [])
    message.metadata = arguments.get("metadata")
    post(site, message)
    site.clear_status(channel.id, root)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "message": message_json(site.state, message, with_metadata=True),
    }


def post_ephemeral(site: Site, arguments: Json) -> Json:
    """Serve chat.postEphemeral."""
    text, blocks, _ = _content(arguments)
    channel = addressed(site, arguments["channel"])
    user = somebody(site, arguments["user"])
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    root = root_of(site, channel, arguments.get("thread_ts"))
    message = from_app(site, channel, text, blocks, thread_ts=root, ephemeral_for=user.id)
    message.attachments = arguments.get("attachments", [])
    post(site, message)
    return {"message_ts": message.ts}


def update(site: Site, arguments: Json) -> Json:
    """Serve chat.update."""
    channel = writable(site, joined(site, arguments["channel"]))
    message = message_in(site, channel, arguments["ts"])
    if not message.is_from_app:
        raise SlackError("cant_update_message")
    site.expire(message)
    if message.stream is not None and message.stream.state == "in_progress":
        raise SlackError("streaming_state_conflict")
    text, blocks, is_generated = _content(arguments)
    before = message_json(site.state, message)
    if "text" in arguments or "markdown_text" in arguments:
        message.text = text
    if "blocks" in arguments or is_generated:
        message.blocks, message.has_generated_blocks = with_ids(blocks), is_generated
    elif message.has_generated_blocks:
        # Blocks that were made from the old text do not outlive it; the app's own do.
        message.blocks, message.has_generated_blocks = [], False
    if "attachments" in arguments:
        message.attachments = arguments["attachments"]
    if "metadata" in arguments:
        message.metadata = arguments["metadata"]
    message.edited_ts = site.state.new_ts(site.timing.clock())
    announce_change(site, before, message)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": message_json(site.state, message, with_metadata=True),
    }


def delete_message(site: Site, arguments: Json) -> Json:
    """Serve chat.delete."""
    channel = joined(site, arguments["channel"])
    message = message_in(site, channel, arguments["ts"])
    site.expire(message)
    if not message.is_from_app or _is_streaming(message):
        raise SlackError("cant_delete_message")
    delete(site, message)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(site: Site, arguments: Json) -> Json:
    """Serve chat.getPermalink."""
    channel = joined(site, arguments["channel"])
    message = message_in(site, channel, arguments["message_ts"])
    link = f"{site.state.origin}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def _content(arguments: Json) -> tuple[str, list[Json], bool]:
    """Return a message's text, its blocks, and whether the blocks were made from the text."""
    text, blocks = arguments.get("text", ""), arguments.get("blocks", [])
    markdown = arguments.get("markdown_text")
    if markdown is not None:
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        check_markdown(markdown)
        if not markdown:
            raise SlackError("no_text")
        return markdown, [{"type": "markdown", "text": markdown}], True
    if not text and not blocks and not arguments.get("attachments"):
        raise SlackError("no_text")
    check_text(text)
    check_message_blocks(blocks)
    return text, blocks, False


def _is_streaming(message: Message) -> bool:
    return message.stream is not None and message.stream.state == "in_progress"
