"""The champion's engine follows SQL; what cannot be opened is stood in for, or waited for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot import champion as champion_module
from bot.champion import Champion
from bot.inference.language_model import GenerationOptions, LanguageModel, ModelUnavailable
from bot.inference.remote_engine import RemoteEngine
from bot.inference.remote_server import RemoteServer
from storage import runs, versions
from storage.database import Database
from storage.versions import Version
from tests.bot.inference.faulty_server import MODEL, WORDS, FaultyServer
from training.manifest import ManifestBroken
from training.prompt import render_general

PROMPT = render_general("What is the capital of Norway?")
SHORT = GenerationOptions(max_new_tokens=20)


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer().running() as started:
        yield started


class Opener:
    """Opens versions on a server; some may be damaged, and the server may be down."""

    def __init__(self, server: FaultyServer) -> None:
        self.url = server.url
        self.damaged: set[str] = set()
        self.is_down = False
        self.tried: list[str] = []

    def __call__(self, version: Version) -> RemoteEngine:
        self.tried.append(version.name)
        if version.name in self.damaged:
            raise ManifestBroken("one byte is not what it was")
        url = "http://127.0.0.1:9/v1" if self.is_down else self.url
        return RemoteEngine(RemoteServer(url, MODEL), version.name)


def promote(database: Database, name: str) -> None:
    with database.write() as session:
        revision = versions.ensure_base(session).revision
        run = runs.propose(session, name, "command line")
        run = runs.claim(session, run.id, "test", timedelta(seconds=60))
        made = versions.register(
            session, name, run_id=run.id, folder="/nowhere", manifest_sha256="0"
        )
        versions.judge(session, made.id, "passed")
        runs.finish(session, run.id, run.attempt, "passed", message="", version_id=made.id)
        versions.promote(
            session, made.id, expected_revision=revision, actor="command line", reason=""
        )


def test_a_server_that_is_down_is_said_at_once_and_the_champion_answers_when_it_is_back(
    database: Database, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = Opener(server)
    opener.is_down = True
    champion = Champion(database, opener)
    for _ in range(5):
        with pytest.raises(ModelUnavailable, match="cannot be reached"), champion.lease():
            pass
    assert len(opener.tried) == 1, "it is not tried again for every question"
    opener.is_down = False
    monkeypatch.setattr(champion_module.time, "monotonic", lambda: 1e12)
    with champion.lease() as model:
        assert model.start(PROMPT, SHORT).text() == "".join(WORDS)
    champion.close()


def test_no_other_version_answers_in_place_of_one_whose_server_is_down(
    database: Database, server: FaultyServer
) -> None:
    promote(database, "v1")
    opener = Opener(server)
    opener.is_down = True
    champion = Champion(database, opener)
    with pytest.raises(ModelUnavailable), champion.lease():
        pass
    assert opener.tried == ["v1"]


def test_a_version_whose_files_are_damaged_is_stood_in_for_by_the_one_before(
    database: Database, server: FaultyServer
) -> None:
    promote(database, "v1")
    promote(database, "v2")
    opener = Opener(server)
    opener.damaged = {"v2"}
    champion = Champion(database, opener)
    assert champion.version == "v1"
    opener.damaged = set()
    champion.follow()
    assert champion.version == "v2"
    champion.close()


def test_the_version_before_answers_on_while_the_new_ones_server_is_down(
    database: Database, server: FaultyServer
) -> None:
    opener = Opener(server)
    champion = Champion(database, opener)
    assert champion.version == "base"
    promote(database, "v1")
    opener.is_down = True
    with pytest.raises(ModelUnavailable):
        champion.follow()
    with champion.lease() as model:
        assert model.version == "base"
        assert model.start(PROMPT, SHORT).text() == "".join(WORDS)
    champion.close()


def test_a_promotion_is_taken_back_and_made_again_without_opening_anything(
    database: Database, server: FaultyServer
) -> None:
    opener = Opener(server)
    champion = Champion(database, opener, kept_seconds=60)
    assert champion.version == "base"
    for name in ("v1", "v2"):
        promote(database, name)
        champion.follow()
    assert opener.tried == ["base", "v1", "v2"]
    opener.is_down = True
    with champion.lease() as running:
        for expected in ("v1", "v2", "v1"):
            _move_to(database, expected)
            champion.follow()
            with champion.lease() as model:
                assert model.version == expected
                assert model.start(PROMPT, SHORT).text() == "".join(WORDS)
        assert running.version == "v2", "what was begun is finished by the version that began it"
    assert opener.tried == ["base", "v1", "v2"]
    champion.close()


def test_only_the_version_before_stays_open_and_only_for_a_while(
    database: Database, server: FaultyServer
) -> None:
    opener = Opener(server)
    champion = Champion(database, opener, kept_seconds=0.05)
    closed: list[str] = []
    for engine in ("base", "v1", "v2"):
        if engine != "base":
            promote(database, engine)
        champion.follow()
        with champion.lease() as model:
            _note_closing(model, closed)
    deadline = time.monotonic() + 10
    while len(closed) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(closed) == ["base", "v1"]
    _move_to(database, "v1")
    champion.follow()
    assert champion.version == "v1"
    assert opener.tried == ["base", "v1", "v2", "v1"]
    champion.close()


def _move_to(database: Database, name: str) -> None:
    with database.write() as session:
        now = versions.serving(session)
        wanted = versions.by_name(session, name)
        if now.previous is not None and now.previous.id == wanted.id:
            versions.rollback(session, "command line", "to see")
        else:
            versions.promote(
                session,
                wanted.id,
                expected_revision=now.revision,
                actor="command line",
                reason="to see",
            )


def _note_closing(model: LanguageModel, closed: list[str]) -> None:
    close = model.close

    def noted() -> None:
        closed.append(model.version)
        close()

    model.close = noted  # type: ignore[method-assign]
