from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.control import client
from bot.control.client import NotRunning, OperationFailed
from bot.control.server import ControlServer


class Refused(Exception):
    """Something the person can act on."""


def _perform(name: str, arguments: dict[str, Any], on_progress: Any) -> Any:
    if name == "refuse":
        raise Refused("Do it the other way.")
    if name == "break":
        raise RuntimeError("broken")
    on_progress({"done": 1, "total": 2})
    return {"said": arguments["what"]}


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    server = ControlServer(tmp_path / "control.json", _perform, (Refused,))
    yield tmp_path / "control.json"
    server.close()


def test_a_command_hands_its_work_to_the_running_bot(file: Path) -> None:
    steps: list[dict[str, Any]] = []
    assert client.perform(file, "say", {"what": "hei"}, steps.append) == {"said": "hei"}
    assert steps == [{"done": 1, "total": 2}]


def test_what_the_bot_refuses_reaches_the_person_in_its_own_words(file: Path) -> None:
    with pytest.raises(OperationFailed, match=r"^Do it the other way\.$"):
        client.perform(file, "refuse", {})


def test_what_breaks_in_the_bot_is_said_to_be_broken(file: Path) -> None:
    with pytest.raises(OperationFailed, match="RuntimeError"):
        client.perform(file, "break", {})


def test_only_the_owner_can_read_the_token(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_the_token_nothing_is_done(file: Path) -> None:
    address = json.loads(file.read_text())
    file.write_text(json.dumps(address | {"token": "guessed"}))
    with pytest.raises(OperationFailed, match="Wrong token"):
        client.perform(file, "say", {"what": "hei"})


def test_without_a_bot_the_command_knows(tmp_path: Path) -> None:
    with pytest.raises(NotRunning):
        client.perform(tmp_path / "control.json", "say", {})
    (tmp_path / "control.json").write_text('{"port": 1, "token": "x"}')
    with pytest.raises(NotRunning):
        client.perform(tmp_path / "control.json", "say", {})
