"""Changing the embedder: the old vectors serve until the new ones are complete."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from knowledge.embedder import Embedder, MiniLmEmbedder
from knowledge.embedder_model import EmbedderUnusable
from knowledge.embedders.multilingual import MultilingualEmbedder
from knowledge.examination import examine
from knowledge.reconciliation import reconcile
from knowledge.reembedding import FEW, Reembedding
from knowledge.serving_index import Serving, open_serving
from knowledge.verified import VerifiedAnswers, questions_from
from storage import documents, pairs, serving_embedder
from storage.failpoints import KILLED, VARIABLE
from storage.pairs import NewPair
from tests.knowledge.turned import TurnedEmbedder

if TYPE_CHECKING:
    from tests.knowledge.conftest import Write
    from tests.knowledge.house import House

ROOT = Path(__file__).parents[2]


@pytest.fixture
def turned(embedder: MiniLmEmbedder) -> TurnedEmbedder:
    return TurnedEmbedder(embedder)


@pytest.fixture
def reembedding(house: House, turned: TurnedEmbedder) -> Reembedding:
    return _reembedding(house, turned)


def _reembedding(house: House, new: Embedder) -> Reembedding:
    with house.database.write() as session:
        serving_embedder.change(session, "english", house.embedder.name)
    return Reembedding(house.database, house.indexes, "new", lambda _: new, grace_seconds=0.05)


def _many_pages(folder: Path, write: Write, count: int = 60) -> Path:
    for number in range(count):
        write(
            folder / f"{number}.md",
            "\n\n".join(
                [f"# Rope {number}"]
                + [
                    f"## Part {p}\n\nRope {number} hangs on hook {p} in yard {number * 7} by the "
                    "water, behind the shed where the boats are."
                    for p in range(3)
                ]
            ),
        )
    return folder


def _approve(house: House, question: str, audience: str = "everyone") -> int:
    with house.database.write() as session:
        pair = pairs.propose(
            session, NewPair(question, "5 days.", "U1", "correction", question, audience=audience)
        )
        return pairs.approve(session, pair.id, "U1").id


def _serves_exactly_what_sql_says(house: House, space: str) -> None:
    """Check ids, vectors and the row in SQL, and that nothing is left of other spaces."""
    index = house.indexes.index
    assert index.embedder_name == space
    with house.database.read() as session:
        row = serving_embedder.get(session)
        assert row is not None
        assert row.space == space
        for audience in documents.all_audiences(session):
            assert index.ids("passages", audience) == documents.served_ids(session, audience)
        assert {
            (audience, id)
            for audience in index.audiences("verified")
            for id in index.ids("verified", audience)
        } == {(audience, f"pair-{id}") for id, _, audience in pairs.approved_questions(session)}
    assert all(each.is_sound for each in examine(house.database, house.indexes))
    assert index.embedder_names() <= {space}


def _pages_found(house: House) -> list[str]:
    """The names of what is found; of the same page in both sources either may come first."""
    found = house.found("How many weeks of parental leave?", "everyone", "channel:hr")
    return [uri.rpartition("/")[2] for uri in found]


def test_the_new_embedder_takes_over_with_every_passage_and_verified_question(
    house: House, pages: Path, turned: TurnedEmbedder, reembedding: Reembedding
) -> None:
    house.ingest(pages)
    house.ingest(pages / "people", "channel:hr")
    pair = _approve(house, "How many holidays can I carry over?")
    _approve(house, "Who books flights?", "channel:hr")
    found = _pages_found(house)
    steps: list[tuple[int, int]] = []
    assert reembedding.run(lambda done, total, _: steps.append((done, total)))
    made = len(turned.embedded) + 2  # and the verified questions
    assert house.indexes.embedder is turned
    _serves_exactly_what_sql_says(house, turned.name)
    assert _pages_found(house) == found
    verified = VerifiedAnswers(house.indexes.serving, questions_from(house.database))
    match = verified.find("How many holidays can I carry over?", ["everyone"])
    assert match is not None
    assert match.pair_id == pair
    assert (steps[0], steps[-1]) == ((0, made), (made, made))
    assert reembedding.standing is None


def test_old_vectors_serve_until_the_new_ones_are_complete(
    house: House, tmp_path: Path, write: Write, turned: TurnedEmbedder, reembedding: Reembedding
) -> None:
    house.ingest(_many_pages(tmp_path / "many", write))
    spaces: set[str] = set()

    def watch(done: int, total: int, _name: str) -> None:
        if done < total:
            spaces.add(house.indexes.index.embedder_name)
            assert house.found("Where does rope 17 hang?", limit=1)

    assert reembedding.run(watch)
    assert spaces == {house.embedder.name}
    _serves_exactly_what_sql_says(house, turned.name)


def test_what_a_sync_changes_meanwhile_reaches_the_new_vectors(
    house: House,
    tmp_path: Path,
    write: Write,
    turned: TurnedEmbedder,
    reembedding: Reembedding,
) -> None:
    many = _many_pages(tmp_path / "many", write, 80)
    house.ingest(many)
    (pair, revoked) = (_approve(house, q) for q in ("Who books flights?", "Who feeds the cat?"))
    changed = threading.Event()

    def change(done: int, _total: int, _name: str) -> None:
        if done and not changed.is_set():
            changed.set()
            (many / "0.md").unlink()
            write(many / "1.md", "# Rope 1\n\nRope 1 was given to the museum in Bergen last year.")
            house.ingest(many)
            with house.database.write() as session:
                pairs.revoke(session, revoked, "U1")
            _approve(house, "Where is the museum?")

    assert reembedding.run(change)
    assert changed.is_set()
    _serves_exactly_what_sql_says(house, turned.name)
    assert house.found("Which rope is in a museum?", limit=1) == ["1.md"]
    assert f"pair-{pair}" in house.indexes.index.ids("verified", "everyone")


def test_what_changes_in_the_last_moment_before_the_switch_reaches_the_new_vectors(
    house: House,
    pages: Path,
    turned: TurnedEmbedder,
    reembedding: Reembedding,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house.ingest(pages)
    exclusively = house.indexes.exclusively

    def change_then_lock() -> AbstractContextManager[None]:
        monkeypatch.undo()
        (pages / "leave.md").unlink()
        (pages / "rope.md").write_text("# Rope\n\nThe longest rope is in the museum.")
        house.ingest(pages)
        return exclusively()

    monkeypatch.setattr(house.indexes, "exclusively", change_then_lock)
    assert reembedding.run()
    _serves_exactly_what_sql_says(house, turned.name)


def test_a_pair_approved_during_the_switch_reaches_the_new_vectors(
    house: House,
    pages: Path,
    turned: TurnedEmbedder,
    reembedding: Reembedding,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house.ingest(pages)
    switch = house.indexes.serving.switch

    def approve_then_switch(serving: Serving) -> None:
        _approve(house, "Who books flights?")
        switch(serving)

    monkeypatch.setattr(house.indexes.serving, "switch", approve_then_switch)
    assert reembedding.run()
    _serves_exactly_what_sql_says(house, turned.name)


def test_after_the_switch_syncs_go_into_the_new_vectors(
    house: House, pages: Path, write: Write, turned: TurnedEmbedder, reembedding: Reembedding
) -> None:
    house.ingest(pages)
    assert reembedding.run()
    write(pages / "rope.md", "# Rope\n\nThe longest rope is in the museum in Bergen.")
    house.ingest(pages)
    _serves_exactly_what_sql_says(house, turned.name)
    assert house.found("Which rope is the longest?", limit=1) == ["rope.md"]


def test_in_the_background_questions_find_the_same_before_during_and_after(
    house: House, tmp_path: Path, write: Write, turned: TurnedEmbedder, reembedding: Reembedding
) -> None:
    house.ingest(_many_pages(tmp_path / "many", write, 30))
    expected = house.found("Where does rope 17 hang?", limit=3)
    reembedding.start()
    asked = 0
    deadline = time.monotonic() + 60
    while house.indexes.index.embedder_name != turned.name or asked < 5:
        assert time.monotonic() < deadline
        assert house.found("Where does rope 17 hang?", limit=3) == expected
        asked += 1
    while house.indexes.index.embedder_names() != {turned.name}:
        assert time.monotonic() < deadline
        assert house.found("Where does rope 17 hang?", limit=3) == expected
    reembedding.stop()
    _serves_exactly_what_sql_says(house, turned.name)


def test_a_stopped_job_goes_on_where_it_was(
    house: House, tmp_path: Path, write: Write, turned: TurnedEmbedder
) -> None:
    house.ingest(_many_pages(tmp_path / "many", write))
    first = _reembedding(house, turned)
    first.start()
    while not turned.embedded:
        time.sleep(0.01)
    first.stop()
    made = len(turned.embedded)
    standing = first.standing
    assert standing is not None
    assert 0 < made < standing.total
    assert house.indexes.index.embedder_name == house.embedder.name
    turned.embedded.clear()
    assert _reembedding(house, turned).run()
    assert len(turned.embedded) == standing.total - made


def test_a_command_takes_the_work_over_from_the_background(
    house: House, tmp_path: Path, write: Write, turned: TurnedEmbedder, reembedding: Reembedding
) -> None:
    house.ingest(_many_pages(tmp_path / "many", write))
    reembedding.start()
    while not turned.embedded:
        time.sleep(0.01)
    assert reembedding.run()
    reembedding.stop()
    with house.database.read() as session:
        assert len(turned.embedded) == len(documents.served_ids(session, "everyone"))
    assert house.indexes.index.embedder_name == turned.name
    # Questions that the bot had begun may still look into the old vectors: they stay until it
    # is started again.
    assert house.indexes.index.embedder_names() == {turned.name, house.embedder.name}


def test_a_new_embedder_that_cannot_be_used_leaves_the_old_one_serving(
    house: House, pages: Path
) -> None:
    def missing(_named: str) -> Embedder:
        raise EmbedderUnusable("There is no folder /nowhere.")

    house.ingest(pages)
    reembedding = Reembedding(house.database, house.indexes, "/nowhere", missing)
    reembedding.start()
    reembedding.stop()
    assert reembedding.standing is not None
    assert reembedding.standing.fault == "There is no folder /nowhere."
    assert house.found("How many weeks of parental leave?", limit=1) == ["leave.md"]
    with pytest.raises(EmbedderUnusable):
        reembedding.run()


def test_a_start_opens_what_is_complete_whatever_the_settings_name(
    house: House, pages: Path, turned: TurnedEmbedder
) -> None:
    embedders: dict[str, Embedder] = {"english": house.embedder, "turned": turned}
    house.ingest(pages)
    with house.database.write() as session:
        serving_embedder.change(session, "english", house.embedder.name)
    house.index.close()
    folder = house.folder / "index"
    opened = open_serving(house.database, folder, "turned", embedders.__getitem__)
    assert (opened.serving.embedder, opened.is_settled) == (house.embedder, False)
    opened.serving.index.close()
    opened = open_serving(house.database, folder, "english", embedders.__getitem__)
    assert (opened.serving.embedder, opened.is_settled) == (house.embedder, True)
    opened.serving.index.close()


@pytest.mark.parametrize("loss", ["embedder", "other weights", "index"])
def test_when_the_old_vectors_cannot_serve_the_new_embedder_does_at_once(
    house: House, pages: Path, turned: TurnedEmbedder, loss: str
) -> None:
    def open_embedder(named: str) -> Embedder:
        if named == "old" and loss == "embedder":
            raise EmbedderUnusable("There is no folder old.")
        return turned if named == "new" else house.embedder

    house.ingest(pages)
    space = "another" if loss == "other weights" else house.embedder.name
    with house.database.write() as session:
        serving_embedder.change(session, "old", space)
    house.index.close()
    folder = house.folder / ("elsewhere" if loss == "index" else "index")
    opened = open_serving(house.database, folder, "new", open_embedder)
    assert (opened.serving.embedder, opened.is_settled) == (turned, True)
    house.indexes.serving.switch(opened.serving)
    assert reconcile(house.database, house.indexes).restored > 0
    assert house.found("How many weeks of parental leave?", limit=1) == ["leave.md"]
    opened.serving.index.close()


def test_pages_of_which_the_new_embedder_does_not_read_all_are_read_again_by_the_next_sync(
    house: House, pages: Path, write: Write, turned: TurnedEmbedder, reembedding: Reembedding
) -> None:
    write(pages / "long.md", "# Rope\n\n" + "The rope hangs on the hook in the yard. " * 18)
    house.ingest(pages)
    turned.passage_tokens = 100
    assert reembedding.run()
    assert house.found("Where does the rope hang?", limit=1) == ["long.md"]
    report = house.ingest(pages)
    assert (report.changed, report.unchanged) == (1, 3)
    assert house.ingest(pages).unchanged == 4


def test_the_first_start_serves_what_the_settings_name(
    house: House, turned: TurnedEmbedder
) -> None:
    house.index.close()
    opened = open_serving(house.database, house.folder / "index", "new", lambda _: turned)
    assert (opened.serving.embedder, opened.is_settled) == (turned, True)
    with house.database.read() as session:
        row = serving_embedder.get(session)
    assert row is not None
    assert (row.named, row.space) == ("new", turned.name)
    opened.serving.index.close()


def test_with_the_multilingual_embedder_a_norwegian_question_finds_the_english_page(
    house: House, pages: Path
) -> None:
    house.ingest(pages)
    questions = {
        "Hvor mange uker er foreldrepermisjonen?": "leave.md",
        "Når skal jeg ringe sjefen hvis jeg er syk?": "leave.md",
        "Hva dekkes av mat når jeg er på reise?": "travel.md",
        "Hvor tidlig må flyreiser bestilles?": "travel.md",
    }
    pair = _approve(house, "How many holidays can I carry over?")
    before = {question: house.found(question, limit=1)[0] for question in questions}
    assert set(before.values()) == {"people/ferie.md"}  # the only page in Norwegian
    assert _reembedding(house, MultilingualEmbedder()).run()
    after = {question: house.found(question, limit=1)[0] for question in questions}
    assert after == questions, before
    vectors = house.indexes.index.vectors("verified", "everyone", [f"pair-{pair}"])
    asked = house.indexes.embedder.embed_query("How many holidays can I carry over?")
    assert vectors[f"pair-{pair}"] @ asked > 0.999, "a question is looked for among questions"


KILLS = 30 if os.environ.get("SKREDDER_LONG") else 4


def _child(home: Path, cache: Path, fail_at: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.knowledge.reembedding_child", str(home), str(cache)]
    environment = {**os.environ, VARIABLE: fail_at}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_a_job_killed_anywhere_goes_on_at_the_next_start_and_makes_nothing_twice(
    tmp_path: Path,
    write: Write,
    open_house: Callable[[Path], House],
    embedder_cache: Path,
    turned: TurnedEmbedder,
) -> None:
    home = tmp_path / "home"
    house = open_house(home)
    house.ingest(_many_pages(tmp_path / "many", write, 120))
    total = house.index.count("passages", "everyone")
    assert total > FEW
    with house.database.write() as session:
        serving_embedder.change(session, "english", house.embedder.name)
    house.close()
    chance = random.Random(3)
    places = [f"reembedding.batch:{chance.randint(1, 2)}" for _ in range(KILLS - 2)]
    for place in [*places, "reembedding.complete", "reembedding.changed"]:
        assert _child(home, embedder_cache, place).returncode == KILLED
    last = _child(home, embedder_cache)
    assert last.returncode == 0, last.stderr
    assert int(last.stdout) == 0, "everything was made before the last two kills"
    house = open_house(home)
    house.index.close()
    opened = open_serving(house.database, home / "index", "turned", lambda _: turned)
    house.indexes.serving.switch(opened.serving)
    assert opened.is_settled
    assert house.indexes.index.ids("passages", "everyone") == house.keywords.ids("everyone")
    assert house.indexes.index.count("passages", "everyone") == total
    assert all(each.is_sound for each in examine(house.database, house.indexes))
    opened.serving.index.close()
