"""files.*: the three steps of an upload, and what a file is."""

from __future__ import annotations

import mimetypes

from bot.workspace.errors import SlackError
from bot.workspace.methods.places import joined, root_of
from bot.workspace.objects import file_json
from bot.workspace.posting import from_app, post
from bot.workspace.records import File, Json
from bot.workspace.site import Site

#: The largest file taken here, in bytes. Slack takes 1 GB; this is memory.
LARGEST = 50_000_000


def get_upload_url(site: Site, arguments: Json) -> Json:
    """Serve files.getUploadURLExternal: the first step, which gives where to send the content."""
    name, length = arguments["filename"], int(arguments["length"])
    if not name:
        raise SlackError("missing_argument", ["[ERROR] missing required field: filename"])
    if length < 1 or length > LARGEST:
        raise SlackError("invalid_arguments", [f"[ERROR] length: between 1 and {LARGEST}"])
    file = File(
        id=site.state.new_id("F"),
        name=name,
        title=name,
        mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream",
        size=length,
        user=site.bot_user_id,
        created=int(site.timing.clock()),
        alt_text=arguments.get("alt_txt", ""),
    )
    site.state.files[file.id] = file
    return {"upload_url": f"{site.state.origin}/upload/{file.id}", "file_id": file.id}


def complete_upload(site: Site, arguments: Json) -> Json:
    """Serve files.completeUploadExternal: the last step, which shares the files."""
    files = [_uploaded(site, one["id"]) for one in arguments["files"]]
    names = arguments.get("channel_id") or arguments.get("channels") or ""
    channels = [joined(site, name) for name in names.split(",") if name]
    for file, one in zip(files, arguments["files"], strict=True):
        file.title = one.get("title") or file.name
        file.is_complete = True
        file.channels = [channel.id for channel in channels]
    for channel in channels:
        root = root_of(site, channel, arguments.get("thread_ts"))
        text = arguments.get("initial_comment", "")
        message = from_app(site, channel, text, arguments.get("blocks", []), thread_ts=root)
        message.files = [file.id for file in files]
        post(site, message)
    site.touch()
    return {"files": [file_json(site.state, file) for file in files]}


def info(site: Site, arguments: Json) -> Json:
    """Serve files.info."""
    file = site.state.files.get(arguments["file"])
    if file is None or not file.is_complete:
        raise SlackError("file_not_found")
    return {"file": file_json(site.state, file), "comments": []}


def _uploaded(site: Site, file_id: str) -> File:
    file = site.state.files.get(file_id)
    if file is None or file.is_complete:
        raise SlackError("file_not_found")
    if len(file.content) != file.size:
        raise SlackError("file_update_failed", ["[ERROR] the content has not arrived"])
    return file
