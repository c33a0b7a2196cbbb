"""Files: the upload in three steps, and who may read what was uploaded."""

from __future__ import annotations

from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.workspace import Workspace, WorkspaceServer

PIXEL = bytes.fromhex("89504e470d0a1a0a") + b"not a whole picture"


def test_an_uploaded_plot_stands_in_the_thread_and_can_be_read_with_the_token(
    client: WebClient, server: WorkspaceServer, workspace: Workspace, ask: str, tmp_path: Path
) -> None:
    plot = tmp_path / "plot.png"
    plot.write_bytes(PIXEL)
    root = client.chat_postMessage(channel=ask, text="Run 7")["ts"]
    done = client.files_upload_v2(
        channel=ask,
        thread_ts=root,
        file=str(plot),
        filename="plot.png",
        title="Run 7, measured",
        alt_txt="Three bars",
        initial_comment="Here it is",
    )
    message = workspace.messages("ask-fjellro", root)[-1]
    file = message["files"][0]
    assert message["text"] == "Here it is"
    assert (file["title"], file["mimetype"], file["alt_txt"]) == (
        "Run 7, measured",
        "image/png",
        "Three bars",
    )
    assert client.files_info(file=done["file"]["id"])["file"]["size"] == len(PIXEL)
    with pytest.raises(HTTPError, match="403"):
        urlopen(file["url_private"])
    headers = {"Authorization": f"Bearer {server.bot_token}"}
    with urlopen(Request(file["url_private"], headers=headers)) as answer:
        assert answer.read() == PIXEL
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_exists_only_when_its_upload_is_complete(client: WebClient, ask: str) -> None:
    started = client.files_getUploadURLExternal(filename="a.txt", length=3)
    for method, arguments in (
        ("files.info", {"file": started["file_id"]}),
        ("files.completeUploadExternal", {"files": [{"id": started["file_id"]}]}),
        ("files.completeUploadExternal", {"files": [{"id": "F0"}]}),
    ):
        with pytest.raises(SlackApiError, match=r"file_(not_found|update_failed)"):
            client.api_call(method, json=arguments)
    with pytest.raises(HTTPError, match="400"):
        urlopen(Request(started["upload_url"], data=b"too long", method="POST"))
    urlopen(Request(started["upload_url"], data=b"abc", method="POST")).close()
    assert client.files_completeUploadExternal(files=[{"id": started["file_id"]}])["ok"]
    assert client.files_info(file=started["file_id"])["file"]["name"] == "a.txt"
