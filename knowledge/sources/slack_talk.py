"""What people wrote in a Slack workspace, read from its export: who, where, when, as it reads now.

An export holds what only some people may see, too: each channel says what kind it is.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from knowledge.listing import FileUnreadable, Skipped, SourceMissing, printable
from knowledge.sources.export_files import ExportFiles
from knowledge.sources.slack_text import first_line, to_markdown

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


@dataclass(frozen=True)
class Channel:
    """Where people write. `kind` says in words who can read along."""

    id: str
    name: str
    kind: str

    @property
    def is_open(self) -> bool:
        """Whether every colleague can read along."""
        return self.kind == "public channel"


@dataclass(frozen=True)
class Message:
    """Something that somebody wrote, as it reads now.

    Attributes:
        ts: Slack's name for it in its channel: when it was written, in seconds.
        thread: The `ts` of the first message of its thread; its own outside of one.
        user: Who wrote it, by id.
        author: The same by name.
        headline: Its first line, plain and short.
        text: All of it, as Markdown.
        raw: All of it, as Slack keeps it.
        files: The titles of the files it came with.
        reactions: The names of the emoji it got, with the ids of who gave them.
    """

    ts: str
    thread: str
    user: str
    author: str
    headline: str
    text: str
    raw: str
    files: tuple[str, ...]
    reactions: Mapping[str, tuple[str, ...]]

    @property
    def moment(self) -> datetime:
        """When it was written."""
        return datetime.fromtimestamp(float(self.ts), UTC)


@dataclass(frozen=True)
class Workspace:
    """Who is who, and what is where.

    Attributes:
        people: Names by user id, of those who left, too.
        apps: The ids of bots and apps.
        channels: The channels by their folder in the export.
        names: What a channel is called in a message, by id; private ones keep their names.
    """

    people: Mapping[str, str]
    apps: frozenset[str]
    channels: Mapping[str, Channel]
    names: Mapping[str, str]


@dataclass
class Talk:
    """What was said in a channel: messages by their ts, and those of each day's file."""

    messages: dict[str, Message] = field(default_factory=dict)
    day_of: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ChannelTalk:
    """A channel with what was said there. `is_whole` is whether every day could be read."""

    channel: Channel
    folder: str
    talk: Talk
    is_whole: bool


def is_slack_export(files: ExportFiles) -> bool:
    """Whether this is the export of a Slack workspace."""
    has_people = any(name in files.readers for name in ("users.json", "org_users.json"))
    return has_people and any(name in files.readers for name in _KINDS)


@dataclass(frozen=True)
class OpenedExport:
    """An export whose lists of people and channels have been read.

    Attributes:
        files: The files of the export.
        workspace: Who is who, and what is where.
        days: The day files of each channel's folder, oldest first.
        is_sound: Whether the lists, and all folders, could be read.
    """

    files: ExportFiles
    workspace: Workspace
    days: Mapping[str, Sequence[str]]
    is_sound: bool


def open_talks(files: ExportFiles, skipped: list[Skipped]) -> OpenedExport:
    """Read who is who in an export; `skipped` gets what could not be read, and why.

    Raises:
        SourceMissing: these are no Slack export's files.
    """
    if not is_slack_export(files):
        raise SourceMissing(
            f"{files.location} is no Slack export: there have to be users.json and channels.json "
            "in it."
        )
    skipped += [Skipped(printable(where), reason) for where, reason in files.unseen.items()]
    workspace = _workspace(files, skipped)
    return OpenedExport(files, workspace, _days(files), is_sound=not skipped)


def read_talks(
    export: OpenedExport, channels: Collection[str], skipped: list[Skipped]
) -> Iterator[ChannelTalk]:
    """Yield the channels of an export with what was said there, one after the other.

    Args:
        export: The export, from `open_talks`.
        channels: The names of the channels to read, private ones and (by their id) direct
            messages too; all public ones if empty.
        skipped: Gets what could not be read, or may not be, and why.

    Raises:
        SourceMissing: a channel is not in the export.
    """
    files, workspace = export.files, export.workspace
    unknown = sorted(set(channels) - set(export.days))
    if unknown:
        raise SourceMissing(f"There is no channel {', '.join(unknown)} in {files.location}.")
    for folder, names in export.days.items():
        channel = workspace.channels.get(folder)
        if folder not in channels and (channels or channel is None or not channel.is_open):
            if not channels:
                skipped.append(Skipped(printable(folder), _why_not(channel)))
            continue
        damaged = len(skipped)
        talk = _talk(files, names, workspace, skipped)
        is_whole = damaged == len(skipped)
        yield ChannelTalk(channel or Channel("", folder, "channel"), folder, talk, is_whole)


def permalink(workspace_url: str, channel: Channel, ts: str) -> str | None:
    """Return where a message stands in Slack, if the workspace's address is known."""
    if not workspace_url or not channel.id:
        return None
    return f"{workspace_url.rstrip('/')}/archives/{channel.id}/p{ts.replace('.', '')}"


def _why_not(channel: Channel | None) -> str:
    kind = channel.kind if channel else "channel that is not in the export's list of public ones"
    return f"it is a {kind}; it is only listed when it is asked for by name"


def _workspace(files: ExportFiles, skipped: list[Skipped]) -> Workspace:
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
    channels: dict[str, Channel] = {}
    for name, kind in _KINDS.items():
        for each in _objects(files, name, skipped):
            channel_id = str(each.get("id"))
            folder = str(each.get("name") or channel_id)
            # The strictest counts, if a folder's name stands in two lists.
            channels[folder] = Channel(channel_id, folder, kind)
    if not people:
        raise SourceMissing(f"The list of people in {files.location} cannot be read.")
    names = {
        channel.id: channel.name if channel.is_open else "private-channel"
        for channel in channels.values()
    }
    return Workspace(people, frozenset(apps), channels, names)


def _days(files: ExportFiles) -> Mapping[str, list[str]]:
    """Return the day files of each channel's folder, oldest first."""
    days: dict[str, list[str]] = defaultdict(list)
    for name in sorted(files.readers):
        folder, _, day = name.rpartition("/")
        if folder and "/" not in folder and day[:4].isdigit() and day.endswith(".json"):
            days[folder].append(name)
    return days


def _talk(
    files: ExportFiles, names: Sequence[str], workspace: Workspace, skipped: list[Skipped]
) -> Talk:
    talk = Talk()
    for name in names:
        day = name.rpartition("/")[2].removesuffix(".json")
        for entry in _objects(files, name, skipped):
            _apply(entry, day, talk, workspace)
    return talk


def _apply(entry: Mapping[str, Any], day: str, talk: Talk, workspace: Workspace) -> None:
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


def _message(entry: Mapping[str, Any], workspace: Workspace) -> Message | None:
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
    return Message(
        ts=ts,
        thread=thread,
        user=user,
        author=workspace.people.get(user) or str(stranger or "somebody"),
        headline=first_line(text, workspace.people, workspace.names),
        text=to_markdown(text, workspace.people, workspace.names),
        raw=text,
        files=files,
        reactions=_reactions(entry),
    )


def _reactions(entry: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    given = entry.get("reactions")
    return {
        str(each.get("name")): tuple(str(user) for user in each.get("users") or ())
        for each in (given if isinstance(given, list) else ())
        if isinstance(each, dict)
    }


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
