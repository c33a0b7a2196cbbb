"""A version on trial answers its share of threads, and people's votes decide what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.canary import CanaryTrial, thread_key
from bot.champion import Champion
from storage import audit, canaries, versions
from storage.canaries import Outcomes
from storage.database import Database
from storage.versions import Version
from tests.storage.test_canaries import challenger
from training.canary import CanaryRules
from training.manifest import ManifestBroken

THREADS = [thread_key("T1", "C1", f"{number}.0") for number in range(40)]


class Engine:
    """Stands for a loaded model; only its name and its end are looked at."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Opener:
    def __init__(self) -> None:
        self.opened: list[Engine] = []
        self.damaged: set[str] = set()

    def __call__(self, version: Version) -> Engine:
        if version.name in self.damaged:
            raise ManifestBroken("one byte is not what it was")
        self.opened.append(Engine(version.name))
        return self.opened[-1]


@pytest.fixture
def trial(database: Database) -> CanaryTrial:
    found = CanaryTrial(database, 0.5, CanaryRules(), timedelta(0))
    assert found.begin(challenger(database), "schedule")
    return found


@pytest.fixture
def opener() -> Opener:
    return Opener()


@pytest.fixture
def champion(database: Database, trial: CanaryTrial, opener: Opener) -> Champion:
    return Champion(database, opener, trial.version_for)  # type: ignore[arg-type]


def answering(champion: Champion, thread: str | None) -> str:
    with champion.lease(thread) as model:
        return model.version


def people_say(
    monkeypatch: pytest.MonkeyPatch, old: list[bool], new: list[bool]
) -> Callable[[], None]:
    seen = Outcomes(tuple(old), tuple(new))
    monkeypatch.setattr(canaries, "outcomes", lambda *_arguments: seen)
    return lambda: None


def serving(database: Database) -> str:
    with database.read() as session:
        return versions.serving(session).version.name


def test_each_thread_is_answered_by_the_version_that_it_began_with(champion: Champion) -> None:
    first = [answering(champion, thread) for thread in THREADS]
    assert set(first) == {"base", "v1"}
    assert [answering(champion, thread) for thread in THREADS] == first
    assert answering(champion, None) == "base"


def test_each_version_is_loaded_once(champion: Champion, opener: Opener) -> None:
    for thread in THREADS:
        answering(champion, thread)
    assert sorted(engine.version for engine in opener.opened) == ["base", "v1"]


def test_where_the_challenger_cannot_be_loaded_the_champion_answers(
    champion: Champion, opener: Opener
) -> None:
    opener.damaged.add("v1")
    assert {answering(champion, thread) for thread in THREADS} == {"base"}


def test_a_better_challenger_is_promoted_by_itself(
    database: Database, trial: CanaryTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_say(monkeypatch, [True, True] * 60, [False] * 120)
    assert trial.look() == "promoted"
    assert serving(database) == "v1"
    assert trial.version_for(THREADS[0]) is None
    with database.read() as session:
        done = versions.promotions(session)[0]
        ended = canaries.latest(session)
    assert (done.actor, done.version) == ("canary", "v1")
    assert "0 of" in done.reason
    assert ended is not None
    assert ended.state == "promoted"


def test_a_worse_challenger_is_withdrawn_by_itself_and_its_engine_closed(
    database: Database,
    trial: CanaryTrial,
    champion: Champion,
    opener: Opener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for thread in THREADS:
        answering(champion, thread)
    people_say(monkeypatch, [False] * 120, [True] * 120)
    assert trial.look() == "withdrawn"
    champion.end_trial()
    assert serving(database) == "base"
    assert {engine.version for engine in opener.opened if engine.is_closed} == {"v1"}
    assert {answering(champion, thread) for thread in THREADS} == {"base"}


def test_without_proof_the_trial_goes_on(
    trial: CanaryTrial, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_say(monkeypatch, [True, False] * 20, [True, False] * 20)
    assert trial.look() is None
    standing = trial.standing()
    assert standing is not None
    assert standing.state.verdict == "go on"


def test_an_admin_sees_how_a_trial_stands_and_withdraws_it_at_once(
    database: Database, trial: CanaryTrial, champion: Champion, opener: Opener
) -> None:
    for thread in THREADS:
        answering(champion, thread)
    standing = trial.standing()
    assert standing is not None
    assert standing.champion.threads + standing.challenger.threads == len(THREADS)
    told = standing.lines()
    assert told[0].startswith("On trial: v1, on 50% of the threads since ")
    assert f"v1: {standing.challenger.threads} threads, 0 votes up" in told[2]
    assert "20 to 1 ends the trial" in told[3]
    seen = standing.to_json()
    assert (seen["version"], seen["champion"], seen["verdict"]) == ("v1", "base", "go on")
    gone = trial.withdraw("U1", "it was rude to a customer")
    assert gone is not None
    assert gone.name == "v1"
    champion.end_trial()
    assert trial.standing() is None
    assert {answering(champion, thread) for thread in THREADS} == {"base"}
    assert {engine.version for engine in opener.opened if engine.is_closed} == {"v1"}
    with database.read() as session:
        record, ended = audit.latest(session)[0], canaries.latest(session)
    assert (record.actor, record.action) == ("U1", "canary.withdrawn")
    assert record.details["reason"] == "it was rude to a customer"
    assert ended is not None
    assert ended.state == "withdrawn"
    assert trial.withdraw("U1", "once more") is None


def test_a_trial_ends_when_somebody_changes_the_champion(
    database: Database, trial: CanaryTrial
) -> None:
    other = challenger(database, name="v2")
    with database.write() as session:
        now = versions.serving(session)
        versions.promote(
            session, other, expected_revision=now.revision, actor="U1", reason="an admin's choice"
        )
    assert trial.look() == "withdrawn"
    assert serving(database) == "v2"


def test_a_share_of_nothing_is_no_trial(database: Database) -> None:
    assert not CanaryTrial(database, 0.0).is_on
    assert CanaryTrial(database, 0.0).version_for(THREADS[0]) is None
