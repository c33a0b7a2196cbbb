from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from knowledge import listing as listing_module
from knowledge.listing import Listing, SourceMissing
from knowledge.readers import Page, read_page
from knowledge.sources import export_files
from knowledge.sources.export_files import open_export
from knowledge.sources.slack_export import list_slack_export
from knowledge.sources.slack_text import first_line, to_markdown

REAL = Path(__file__).parents[4] / "shared/data/slack-export/slack-export-viewer-testarchive.zip"

Entry = dict[str, Any]
Export = Callable[[Mapping[str, object]], Path]

USERS = [
    {"id": "U1", "name": "ann", "profile": {"real_name": "Ann Lee", "display_name": "ann"}},
    {"id": "U2", "name": "bo", "deleted": True, "profile": {"real_name": "Bo Dahl"}},
    {"id": "U3", "name": "skredder", "is_bot": True, "profile": {"real_name": "Skredder"}},
]
BEGAN = 1470000000  # 2016-07-31 21:20:00 UTC


def _said(seconds: int, user: str, text: str, thread: int | None = None, **more: object) -> Entry:
    entry: Entry = {"type": "message", "user": user, "text": text, "ts": _ts(seconds)}
    if thread is not None:
        entry["thread_ts"] = _ts(thread)
    return entry | more


def _ts(seconds: int) -> str:
    return f"{BEGAN + seconds}.000100"


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """Writes an export as a folder, with its people and channels."""

    def write(files: Mapping[str, object]) -> Path:
        folder = tmp_path / "export"
        usual: dict[str, object] = {
            "users.json": USERS,
            "channels.json": [{"id": "C1", "name": "people"}, {"id": "C2", "name": "travel"}],
        }
        for name, content in (usual | dict(files)).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return folder

    return write


def _pages(listing: Listing) -> dict[str, Page]:
    return {each.uri: read_page(each.read(), each.uri) for each in listing.documents}


def test_a_thread_with_a_reply_is_a_document(export: Export) -> None:
    later = 24 * 3600
    folder = export(
        {
            "people/2016-07-31.json": [
                _said(0, "U1", "Who pays for *parental leave*?\nAnd how long?", 0, reply_count=2),
                _said(5, "U1", "Nobody answers this", 5),
            ],
            "people/2016-08-01.json": [
                _said(later, "U2", "Ask <@U1>, see <#C2|travel>", 0),
                _said(later + 60, "U1", "18 weeks &amp; full pay", 0, edited={"user": "U1"}),
            ],
        }
    )
    listing = list_slack_export(open_export(folder), workspace_url="https://acme.slack.com/")
    assert listing.is_complete
    assert [each.uri for each in listing.documents] == ["people/2016-07-31-1470000000.000100.md"]
    (document,) = listing.documents
    assert document.link == "https://acme.slack.com/archives/C1/p1470000000000100"
    page = read_page(document.read(), document.uri)
    assert page.title == "Who pays for *parental leave*?"
    assert page.owner == "Ann Lee"
    assert page.updated_at == datetime.fromtimestamp(BEGAN + later + 60.0001, UTC).replace(
        microsecond=0
    )
    assert page.text.split("\n\n") == [
        "Said in #people on 2016-07-31.",
        "Ann Lee, 21:20: Who pays for parental leave?\nAnd how long?",
        "Bo Dahl, 21:20: Ask @Ann Lee, see #travel",
        "Ann Lee, 21:21: 18 weeks & full pay",
    ]


def test_other_talk_is_a_document_a_day_if_there_is_enough_of_it(export: Export) -> None:
    folder = export(
        {
            "people/2016-07-31.json": [_said(n, "U1", f"thought {n}") for n in range(3)],
            "people/2016-08-01.json": [_said(90_000 + n, "U1", f"idea {n}") for n in range(4)],
        }
    )
    pages = _pages(list_slack_export(open_export(folder)))
    assert list(pages) == ["people/2016-08-01.md"]
    page = pages["people/2016-08-01.md"]
    assert page.title == "#people on 2016-08-01"
    assert page.text.count("idea") == 4


def test_private_channels_and_direct_messages_are_only_listed_when_asked_for(
    export: Export,
) -> None:
    def thread(text: str) -> list[Entry]:
        return [_said(0, "U1", text, 0), _said(1, "U2", "yes", 0)]

    folder = export(
        {
            "groups.json": [{"id": "G1", "name": "board"}],
            "mpims.json": [{"id": "G2", "name": "mpdm-ann--bo-1"}],
            "dms.json": [{"id": "D1", "members": ["U1", "U2"]}],
            "people/2016-07-31.json": thread("open"),
            "board/2016-07-31.json": thread("secret"),
            "mpdm-ann--bo-1/2016-07-31.json": thread("secret"),
            "D1/2016-07-31.json": thread("secret"),
            "unlisted/2016-07-31.json": thread("secret"),
        }
    )
    listing = list_slack_export(open_export(folder))
    assert [each.uri.split("/")[0] for each in listing.documents] == ["people"]
    reasons = {skipped.path: skipped.reason for skipped in listing.skipped}
    assert set(reasons) == {"board", "mpdm-ann--bo-1", "D1", "unlisted"}
    assert "private channel" in reasons["board"]
    assert "direct message" in reasons["D1"]
    assert "not in the export's list" in reasons["unlisted"]
    assert listing.is_complete
    board = list_slack_export(open_export(folder), channels=["board"])
    assert [each.uri.split("/")[0] for each in board.documents] == ["board"]
    assert board.location != listing.location
    with pytest.raises(SourceMissing, match="no channel nowhere"):
        list_slack_export(open_export(folder), channels=["nowhere", "board"])


def test_a_channel_that_stands_in_two_lists_is_taken_for_the_private_one(export: Export) -> None:
    messages = [_said(n, "U1", f"secret {n}") for n in range(5)]
    folder = export(
        {"groups.json": [{"id": "G1", "name": "people"}], "people/2016-07-31.json": messages}
    )
    assert list_slack_export(open_export(folder)).documents == ()


def test_what_slack_and_apps_wrote_is_left_out(export: Export) -> None:
    folder = export(
        {
            "people/2016-07-31.json": [
                _said(0, "U1", "<@U1> has joined the channel", subtype="channel_join"),
                _said(1, "U1", "What about lunch?", 1),
                _said(2, "U3", "Skredder answers", 1),
                _said(3, "U9", "alert", 1, subtype="bot_message", bot_id="B1"),
                _said(4, "U1", "posted by an app in her name", 1, bot_id="B1"),
                _said(5, "USLACKBOT", "Reminder", 1),
                _said(6, "U2", "set the topic", subtype="channel_topic"),
                _said(7, "U2", "At noon", 1),
                _said(8, "U2", "Really, at noon", 1, subtype="thread_broadcast"),
                {"type": "message", "text": "no author", "ts": _ts(9), "thread_ts": _ts(1)},
                _said(10, "U1", "bad", 1, ts="soon"),
                "not an object",
            ]
        }
    )
    (page,) = _pages(list_slack_export(open_export(folder))).values()
    lines = page.text.split("\n\n")[1:]
    assert [line.partition(": ")[2] for line in lines] == [
        "What about lunch?", "At noon", "Really, at noon",
    ]  # fmt: skip


def test_edits_and_deletions_are_followed(export: Export) -> None:
    folder = export(
        {
            "people/2016-07-31.json": [
                _said(0, "U1", "When is lunch?", 0),
                _said(1, "U2", "At one", 0),
                _said(2, "U2", "secret", 0),
                _said(3, "U2", "This message was deleted.", 0, subtype="tombstone"),
                _said(4, "U2", "hidden", 0, hidden=True),
            ],
            "people/2016-08-01.json": [
                {
                    "type": "message", "subtype": "message_changed", "ts": _ts(90_000),
                    "message": _said(1, "U2", "At noon", 0),
                },
                {
                    "type": "message", "subtype": "message_deleted", "ts": _ts(90_001),
                    "deleted_ts": _ts(2),
                },
            ],
        }
    )  # fmt: skip
    (page,) = _pages(list_slack_export(open_export(folder))).values()
    assert "At noon" in page.text
    for gone in ("At one", "secret", "deleted", "hidden"):
        assert gone not in page.text


def test_a_thread_goes_on_under_its_name_when_its_first_message_is_deleted(export: Export) -> None:
    folder = export({"people/2016-07-31.json": [_said(9, "U2", "The reply", 0)]})
    pages = _pages(list_slack_export(open_export(folder)))
    assert list(pages) == ["people/2016-07-31-1470000000.000100.md"]


def test_files_are_named(export: Export) -> None:
    file = {"title": "Travel policy", "name": "policy.pdf"}
    old = "<@U1|ann> uploaded a file: <https://acme.slack.com/f/1|Travel> and commented: the rules"
    folder = export(
        {
            "people/2016-07-31.json": [
                _said(0, "U1", "", 0, files=[file, {"mode": "tombstone", "title": "gone"}]),
                _said(1, "U1", old, 0, subtype="file_share", file={"name": "Travel"}),
            ]
        }
    )
    (page,) = _pages(list_slack_export(open_export(folder))).values()
    assert page.title == "Ann Lee: Travel policy"
    assert "(shared the file Travel policy)" in page.text
    assert "the rules\n(shared the file Travel)" in page.text
    assert "gone" not in page.text
    assert "uploaded" not in page.text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("<@U1> and <@U9|zoe> and <@U8>", "@Ann Lee and @zoe and @somebody"),
        ("<#C2> <#C9|old> <!here> <!subteam^S1|@people-team>", "#travel #old @here @people-team"),
        ("<https://a.example/x|the page> <https://b.example>", "the page https://b.example"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        ("# not a heading", "not a heading"),
        ("use `a &lt; b`", "use `a < b`"),
        (
            "so:```if a &lt; b:\n  <https://x.example|x.example>```done",
            "so:\n```\nif a < b:\n  x.example\n```\ndone",
        ),
        ("half a ``` fence", "half a  fence"),
    ],
)
def test_slack_s_marks_become_readable(text: str, read: str) -> None:
    markdown = to_markdown(text, {"U1": "Ann Lee"}, {"C2": "travel"})
    page = read_page(markdown.encode(), "message.md")
    assert page.text == read
    assert page.title == "Message"


def test_titles_are_short_and_plain() -> None:
    people = {"U1": "Ann Lee"}
    assert first_line("\n*<@U1>*: see <https://a.example/x|this> &amp; `that`", people, {}) == (
        "@Ann Lee*: see this & that"
    )
    title = first_line("word " * 40, people, {})
    assert len(title) <= 82
    assert title.endswith("word …")


def test_a_damaged_day_leaves_the_listing_incomplete(export: Export) -> None:
    folder = export(
        {
            "people/2016-07-31.json": "{",
            "people/2016-08-01.json": [_said(n, "U1", f"idea {n}") for n in range(4)],
            "people/2016-08-02.json": "7",
        }
    )
    listing = list_slack_export(open_export(folder))
    assert not listing.is_complete
    assert len(listing.documents) == 1
    assert "people/2016-07-31.json" in {skipped.path for skipped in listing.skipped}


def test_a_zip_file_is_read_as_the_folder_in_it_is(export: Export, tmp_path: Path) -> None:
    folder = export(
        {"people/2016-07-31.json": [_said(0, "U1", "Hei", 0), _said(1, "U2", "Hallo", 0)]}
    )
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.rglob("*"):
            archive.write(path, Path("Acme export") / path.relative_to(folder))
        archive.writestr("__MACOSX/people/._2016.json", "noise")
    one, other = list_slack_export(open_export(folder)), list_slack_export(open_export(packed))
    assert [(d.uri, d.read()) for d in one.documents] == [
        (d.uri, d.read()) for d in other.documents
    ]


def test_a_zip_bomb_and_what_is_no_export_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = tmp_path / "bomb.zip"
    limits = replace(export_files._LIMITS, harmless_bytes=1_000_000)
    monkeypatch.setattr(export_files, "_LIMITS", limits)
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.json", b"0" * 5_000_000)
        archive.writestr("channels.json", b"[]")
    with pytest.raises(SourceMissing, match="zip bomb"):
        list_slack_export(open_export(bomb))
    (tmp_path / "torn.zip").write_bytes(bomb.read_bytes()[:500])
    with pytest.raises(SourceMissing, match="zip file"):
        list_slack_export(open_export(tmp_path / "torn.zip"))
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceMissing, match=r"users\.json"):
        list_slack_export(open_export(tmp_path / "folder"))
    with pytest.raises(SourceMissing, match="There is no export"):
        list_slack_export(open_export(tmp_path / "nowhere"))


def test_a_day_larger_than_the_limit_is_not_read(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = export({"people/2016-07-31.json": [_said(n, "U1", "x" * 99) for n in range(90)]})
    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in folder.rglob("*.json"):
            archive.write(path, path.relative_to(folder))
    monkeypatch.setattr(listing_module, "LARGEST_FILE", 5000)
    listing = list_slack_export(open_export(packed))
    assert not listing.is_complete
    assert "larger than" in listing.skipped[0].reason


@pytest.mark.skipif(not REAL.exists(), reason="the real export is not on this machine")
def test_a_real_export_is_read() -> None:
    listing = list_slack_export(open_export(REAL))
    assert listing.is_complete
    pages = _pages(listing)
    assert len(pages) == 6
    talk = pages["enrique/2016-01-15.md"]
    assert 'Hamza Faran, 08:18: Nope. Just "install" the executor.' in talk.text
    for page in pages.values():
        assert "has joined the channel" not in page.text
        assert "<@U" not in page.text
