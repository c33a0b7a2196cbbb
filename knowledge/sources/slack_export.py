"""A Slack workspace's export as a source: its threads, and what was said on a day in a channel.

An export holds what only some people may see, too. So only public channels are listed, unless a
channel is asked for by name: whoever asks decides who may see the source.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

import yaml

from knowledge.listing import FoundDocument, Listing, Skipped, printable
from knowledge.sources.export_files import ExportFiles
from knowledge.sources.slack_talk import (
    Channel,
    Message,
    Talk,
    is_slack_export,
    open_talks,
    permalink,
    read_talks,
)

__all__ = ["is_slack_export", "list_slack_export"]

log = logging.getLogger(__name__)

#: Fewer messages outside of threads, on one day in one channel, say nothing that lasts.
FEWEST_OF_A_DAY = 4


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
    skipped: list[Skipped] = []
    documents: list[FoundDocument] = []
    export = open_talks(files, skipped)
    is_complete, read = export.is_sound, 0
    for each in read_talks(export, channels, skipped):
        is_complete, read = is_complete and each.is_whole, read + 1
        documents += _documents(each.channel, each.folder, each.talk, workspace_url)
    asked = f"#{','.join(sorted(channels))}" if channels else ""
    log.info("slack export listed channels=%d documents=%d", read, len(documents))
    return Listing(files.location + asked, tuple(documents), tuple(skipped), is_complete)


def _documents(
    channel: Channel, folder: str, talk: Talk, workspace_url: str
) -> Iterator[FoundDocument]:
    """Yield a document for each thread with a reply, and for each day with enough other talk."""
    threads: dict[str, list[Message]] = defaultdict(list)
    days: dict[str, list[Message]] = defaultdict(list)
    for ts in sorted(talk.messages, key=float):
        threads[talk.messages[ts].thread].append(talk.messages[ts])
    written: list[tuple[str, list[Message]]] = []
    for thread, messages in threads.items():
        if any(message.ts != thread for message in messages):
            began = datetime.fromtimestamp(float(thread), UTC).date().isoformat()
            written.append((f"{began}-{thread}", messages))
        else:
            days[talk.day_of[messages[0].ts]] += messages
    written += [each for each in days.items() if len(each[1]) >= FEWEST_OF_A_DAY]
    for name, messages in sorted(written, key=lambda each: each[0]):
        markdown = _markdown(channel, name, messages)
        link = permalink(workspace_url, channel, messages[0].ts)
        uri = printable(f"{folder}/{name}.md")
        yield FoundDocument(uri, partial(bytes, markdown.encode("utf-8", "replace")), link)


def _markdown(channel: Channel, name: str, messages: Sequence[Message]) -> str:
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


def _paragraph(message: Message) -> str:
    files = [f"(shared the file {name})" for name in message.files]
    body = "\n".join(part for part in (message.text, *files) if part)
    joint = "\n" if body.startswith("```") else " "
    return f"**{message.author}**, {message.moment:%H:%M}:{joint}{body}"
