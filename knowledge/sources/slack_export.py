"""A Slack workspace's export as a source: its threads, and what was said on a day in a channel.

An export holds what only some people may see, too. So only public channels are listed, unless a
channel is asked for by name: whoever asks decides who may see the source.
"""

from __future__ import annotations

import json
import logging
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import yaml

from knowledge.listing import (
    FileUnreadable,
    FoundDocument,
    Listing,
    Skipped,
    SourceMissing,
    printable,
)
from knowledge.sources.export_files import ExportFiles
from knowledge.sources.slack_text import first_line, to_markdown

log = logging.getLogger(__name__)

#: Fewer messages outside of threads, on one day in one channel, say nothing that lasts.
FEWEST_OF_A_DAY = 4

#: Kinds of messages that people write. All others are written by Slack or by apps.
_WRITTEN = frozenset((None, "me_message", "thread_broadcast", "file_share", "file_mention"))

#: How Slack used to begin the message of a file; the file is named anyway.
_UPLOADED = re.compile(
    r"^<@\w+(?:\|[^>]*)?> (?:uploaded|shared) a file: <[^>]*>(?: and commented:)?"
)

_KINDS = {
    "channels.json": "public channel",
    "groups.json": "private channel",
    "mpims.json": "group conversation",
    "dms.json": "direct message",
}

_OPEN = frozenset(("public channel",))


@dataclass(frozen=True)
class _Channel:
    id: str
    name: str
    kind: str


@dataclass(frozen=True)
class _Message:
    """Something that somebody wrote, as it reads now."""

    ts: str
    thread: str
    author: str
    headline: str
    text: str
    files: tuple[str, ...]

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(float(self.ts), UTC)


@dataclass(frozen=True)
class _Workspace:
    people: Mapping[str, str]
    apps: frozenset[str]
    channels: Mapping[str, _Channel]
    names: Mapping[str, str]


@dataclass
class _Talk:
    """What was said in a channel: messages by their ts, and those of each day's file."""

    messages: dict[str, _Message] = field(default_factory=dict)
    day_of: dict[str, str] = field(default_factory=dict)


def is_slack_export(files: ExportFiles) -> bool:
    """Whether this is the export of a Slack workspace."""
    has_people = any(name in files.readers for name in ("users.json", "org_users.json"))
    return has_people and any(name in files.readers for name in _KINDS)


def list_slack_export(
    files: ExportFiles, *, channels: Collection[str] = (), workspace_url: str = ""
) -> Listing:
    """List the threads and days of a Slack export as Markdown.

    Args:
        files: The files of the export.
        channels: The names of the channels to list, private ones and (by their id) direct
            messages too; all public ones if empty.
        workspace_url: Where the workspace is (`https://acme.slack.com`), for links to messages.

    Raises:
        SourceMissing: these are no Slack export's files, or a channel is not among them.
    """
    if not is_slack_export(files):
        raise SourceMissing(
            f"{files.location} is no Slack export: there have to be users.json and channels.json "
            "in it."
        )
    skipped = [Skipped(printable(where), reason) for where, reason in files.unseen.items()]
    workspace = _workspace(files, skipped)
    documents: list[FoundDocument] = []
    days = _days(files)
    unknown = sorted(set(channels) - set(days))
    if unknown:
        raise SourceMissing(f"There is no channel {', '.join(unknown)} in {files.location}.")
    is_complete = not skipped
    for folder, names in days.items():
        channel = workspace.channels.get(folder)
        if folder not in channels and (channels or channel is None or channel.kind not in _OPEN):
            if not channels:
                skipped.append(Skipped(printable(folder), _why_not(channel)))
            continue
        damaged = len(skipped)
        talk = _talk(files, names, workspace, skipped)
        is_complete = is_complete and damaged == len(skipped)
        shown = channel or _Channel("", folder, "channel")
        documents += _documents(shown, folder, talk, workspace_url.rstrip("/"))
    asked = f"#{','.join(sorted(channels))}" if channels else ""
    log.info("slack export listed channels=%d documents=%d", len(days), len(documents))
    return Listing(files.location + asked, tuple(documents), tuple(skipped), is_complete)


def _why_not(channel: _Channel | None) -> str:
    kind = channel.kind if channel else "channel that is not in the export's list of public ones"
    return f"it is a {kind}; it is only listed when it is asked for by name"


def _workspace(files: ExportFiles, skipped: list[Skipped]) -> _Workspace:
    people: dict[str, str] = {}
    apps: set[str] = {"USLACKBOT"}
    for name in ("users.json", "org_users.json"):
        for user in _objects(files, name, skipped):
            profile = user.get("profile")
            profile = profile if isinstance(profile, dict) else {}
            shown = (
                profile.get("real_name")
                or user.get("real_name")
                or profile.get("display_name")
                or user.get("name")
            )
            user_id = str(user.get("id"))
            people[user_id] = " ".join(str(shown or "somebody").split())
            if user.get("is_bot") or user.get("is_app_user"):
                apps.add(user_id)
    channels: dict[str, _Channel] = {}
    for name, kind in _KINDS.items():
        for each in _objects(files, name, skipped):
            channel_id = str(each.get("id"))
            folder = str(each.get("name") or channel_id)
            # The strictest counts, if a folder's name stands in two lists.
            channels[folder] = _Channel(channel_id, folder, kind)
    if not people:
        raise SourceMissing(f"The list of people in {files.location} cannot be read.")
    names = {
        channel.id: channel.name if channel.kind in _OPEN else "private-channel"
        for channel in channels.values()
    }
    return _Workspace(people, frozenset(apps), channels, names)


def _days(files: ExportFiles) -> Mapping[str, list[str]]:
    """Return the day files of each channel's folder, oldest first."""
    days: dict[str, list[str]] = defaultdict(list)
    for name in sorted(files.readers):
        folder, _, day = name.rpartition("/")
        if folder and "/" not in folder and day[:4].isdigit() and day.endswith(".json"):
            days[folder].append(name)
    return days


def _talk(
    files: ExportFiles, names: Sequence[str], workspace: _Workspace, skipped: list[Skipped]
) -> _Talk:
    talk = _Talk()
    for name in names:
        day = name.rpartition("/")[2].removesuffix(".json")
        for entry in _objects(files, name, skipped):
            _apply(entry, day, talk, workspace)
    return talk


def _apply(entry: Mapping[str, Any], day: str, talk: _Talk, workspace: _Workspace) -> None:
    """Take one entry in: a message, or what later became of one."""
    subtype = entry.get("subtype")
    if subtype in ("message_deleted", "tombstone"):
        previous = entry.get("previous_message")
        ts = entry.get("deleted_ts") or (
            previous.get("ts") if isinstance(previous, dict) else entry.get("ts")
        )
        talk.messages.pop(str(ts), None)
        return
    if subtype == "message_changed":
        changed = entry.get("message")
        if isinstance(changed, dict):
            _apply(changed, day, talk, workspace)
        return
    message = _message(entry, workspace)
    if message is not None:
        talk.messages[message.ts] = message
        talk.day_of.setdefault(message.ts, day)


def _message(entry: Mapping[str, Any], workspace: _Workspace) -> _Message | None:
    """Return what a person wrote, or None for what Slack or an app did."""
    user = entry.get("user")
    ts = str(entry.get("ts") or "")
    thread = str(entry.get("thread_ts") or ts)
    if (
        entry.get("type", "message") != "message"
        or entry.get("subtype") not in _WRITTEN
        or entry.get("bot_id")
        or entry.get("hidden")
        or not isinstance(user, str)
        or user in workspace.apps
        or not (_is_moment(ts) and _is_moment(thread))
    ):
        return None
    attached = entry.get("files") or ([entry["file"]] if entry.get("file") else [])
    files = tuple(
        " ".join(str(file.get("title") or file.get("name") or "a file").split())
        for file in attached
        if isinstance(file, dict) and file.get("mode") not in ("tombstone", "hidden_by_limit")
    )
    text = _UPLOADED.sub("", str(entry.get("text") or "")).strip()
    if not text and not files:
        return None
    profile = entry.get("user_profile")
    stranger = profile.get("real_name") if isinstance(profile, dict) else None
    return _Message(
        ts=ts,
        thread=thread,
        author=workspace.people.get(user) or str(stranger or "somebody"),
        headline=first_line(text, workspace.people, workspace.names),
        text=to_markdown(text, workspace.people, workspace.names),
        files=files,
    )


def _documents(
    channel: _Channel, folder: str, talk: _Talk, workspace_url: str
) -> Iterator[FoundDocument]:
    """Yield a document for each thread with a reply, and for each day with enough other talk."""
    threads: dict[str, list[_Message]] = defaultdict(list)
    days: dict[str, list[_Message]] = defaultdict(list)
    for ts in sorted(talk.messages, key=float):
        threads[talk.messages[ts].thread].append(talk.messages[ts])
    written: list[tuple[str, list[_Message]]] = []
    for thread, messages in threads.items():
        if any(message.ts != thread for message in messages):
            began = datetime.fromtimestamp(float(thread), UTC).date().isoformat()
            written.append((f"{began}-{thread}", messages))
        else:
            days[talk.day_of[messages[0].ts]] += messages
    written += [each for each in days.items() if len(each[1]) >= FEWEST_OF_A_DAY]
    for name, messages in sorted(written, key=lambda each: each[0]):
        markdown = _markdown(channel, name, messages)
        link = None
        if workspace_url and channel.id:
            place = messages[0].ts.replace(".", "")
            link = f"{workspace_url}/archives/{channel.id}/p{place}"
        uri = printable(f"{folder}/{name}.md")
        yield FoundDocument(uri, partial(bytes, markdown.encode("utf-8", "replace")), link)


def _markdown(channel: _Channel, name: str, messages: Sequence[_Message]) -> str:
    first = messages[0]
    title = first.headline or f"{first.author}: {', '.join(first.files)}"
    is_day = len(name) == len("2016-08-01")
    fields = {
        "title": f"#{channel.name} on {name}" if is_day else title,
        "updated": messages[-1].moment.isoformat(timespec="seconds"),
    }
    if not is_day:
        fields["owner"] = first.author
    front = yaml.safe_dump(fields, allow_unicode=True, sort_keys=True, width=10_000)
    where = f"Said in #{channel.name} on {first.moment:%Y-%m-%d}."
    return "\n\n".join([f"---\n{front}---", where, *map(_paragraph, messages)]) + "\n"


def _paragraph(message: _Message) -> str:
    files = [f"(shared the file {name})" for name in message.files]
    body = "\n".join(part for part in (message.text, *files) if part)
    joint = "\n" if body.startswith("```") else " "
    return f"**{message.author}**, {message.moment:%H:%M}:{joint}{body}"


def _objects(files: ExportFiles, name: str, skipped: list[Skipped]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in a JSON file of the export; what cannot be read is noted."""
    if name not in files.readers:
        return
    try:
        found = json.loads(files.read(name))
    except FileUnreadable as unreadable:
        skipped.append(Skipped(printable(name), str(unreadable)))
    except (ValueError, RecursionError):
        skipped.append(Skipped(printable(name), "it is damaged: there is no JSON in it"))
    else:
        listed = found if isinstance(found, list) else []
        yield from (each for each in listed if isinstance(each, dict))


def _is_moment(ts: str) -> bool:
    try:
        datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return True
