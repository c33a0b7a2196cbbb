"""Whatever people do with pairs in whatever order, measuring stays honest and nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from bot.corrections import Corrections
from bot.pair_import import PairImport
from bot.permissions import Permissions
from bot.settings import People
from storage import audit, pair_conflicts, pair_groups, pair_holds, pair_ledger, pairs, snapshots
from storage.database import Database
from storage.pairs import NewPair, Pair, PairChangeRefused
from storage.question_bands import share_their_words
from storage.tables import Table
from training.snapshot import refuse_leaks

STEPS_WANTED = 10_000
SHARE = 0.4

TOPICS = [
    ("heating", "workshop"), ("alarm", "warehouse"), ("parking", "harbour"), ("lunch", "canteen"),
    ("laptop", "reception"), ("ladder", "basement"), ("kayak", "boathouse"),
]  # fmt: skip
WORDINGS = [
    "How does the {0} in the {1} work?",
    "How does {1} {0} work?",
    "In the {1}: how does our {0} work today?",
    "Who mends the {0} in the {1}?",
    "Who mends the {0} of the {1}, and does it work?",  # near to those before it and above
]
ALLOWED = {
    "approved": {"proposed"},
    "rejected": {"proposed"},
    "revoked": {"approved"},
}

taken = {"steps": 0}


def _question(topic: int, wording: int) -> str:
    return WORDINGS[wording].format(*TOPICS[topic])


class LifeOfPairs(RuleBasedStateMachine):
    """Experts, colleagues and trainings, doing anything in any order."""

    database: Database
    folder: Path
    stored = Bundle("stored")

    @initialize()
    def begin_with_nothing(self) -> None:
        with self.database.write() as session:
            for table in reversed(Table.metadata.sorted_tables):
                session.execute(table.delete())
        corrections = Corrections(self.database, Permissions(People()), SHARE)
        self.importing = PairImport(self.database, corrections)
        self.keys: set[str] = set()
        self.imported: set[tuple[str, str]] = set()
        self.questions: dict[int, str] = {}
        self.erased: set[int] = set()
        self.same: list[tuple[int, int]] = []
        self.trained: set[int] = set()
        self.measured: set[int] = set()
        self.snapshots = 0

    @rule(
        target=stored,
        topic=st.integers(0, len(TOPICS) - 1),
        wording=st.integers(0, len(WORDINGS) - 1),
        answer=st.integers(0, 3),
        checked=st.sampled_from([(), (), ("It holds a phone number.",), ("Toxic.", "Too short.")]),
        approve=st.booleans(),
    )
    def propose(
        self, topic: int, wording: int, answer: int, checked: tuple[str, ...], approve: bool
    ) -> int:
        taken["steps"] += 1
        audience = "C1" if answer == 2 else "everyone"
        key = f"{topic} {wording} {answer}"
        new = NewPair(
            _question(topic, wording), f"Hei! {answer} kroner.", "U1", "slack", key,
            audience=audience, holds=checked,
        )  # fmt: skip
        with self.database.write() as session:
            pair = pairs.propose(session, new, SHARE)
            if approve and pair.state == "proposed":
                pairs.approve(session, pair.id, "U9")
        self.keys.add(key)
        self.questions.setdefault(pair.id, pair.input)
        return pair.id

    @rule(
        target=stored,
        rows=st.lists(
            st.tuples(st.integers(0, len(TOPICS) - 1), st.integers(0, len(WORDINGS) - 1)),
            min_size=1,
            max_size=4,
        ),
        answer=st.integers(0, 1),
        approve=st.booleans(),
    )
    def import_a_file(self, rows: list[tuple[int, int]], answer: int, approve: bool):  # type: ignore[no-untyped-def]
        taken["steps"] += 1
        file = self.folder / "pairs.jsonl"
        texts = [(_question(*row), f"Imported: {answer}") for row in rows]
        file.write_text("\n".join(json.dumps({"input": q, "output": a}) for q, a in texts))
        report = self.importing.run(file, actor="command line", approve=approve)
        assert report.added == len(set(texts) - self.imported)
        assert report.added + report.known == len(texts)
        self.imported |= set(texts)
        with self.database.read() as session:
            found = pairs.listed(session, limit=report.added) if report.added else ()
        for pair in found:
            self.questions[pair.id] = pair.input
        return multiple(*(pair.id for pair in found))

    @rule(pair=stored, change=st.sampled_from(["approved", "rejected", "revoked"]))
    def decide(self, pair: int, change: str) -> None:
        taken["steps"] += 1
        before = self._read(pair)
        do = {"approved": pairs.approve, "rejected": pairs.reject, "revoked": pairs.revoke}[change]
        try:
            with self.database.write() as session:
                after = do(session, pair, "U9").state
        except PairChangeRefused:
            assert before.state not in ALLOWED[change]
            assert self._read(pair) == before
        else:
            assert after == change
            assert before.state in ALLOWED[change] or before.state == after == "approved"

    @rule(pair=stored, reason=st.sampled_from(["", "It is fine."]))
    def release(self, pair: int, reason: str) -> None:
        taken["steps"] += 1
        try:
            with self.database.write() as session:
                pair_holds.release(session, pair, "U9", reason)
        except PairChangeRefused:
            return
        assert reason
        assert all("contradicts" in hold for hold in self._read(pair).holds)

    @rule(one=stored, other=stored)
    def contradict(self, one: int, other: int) -> None:
        taken["steps"] += 1
        older, newer = sorted((one, other))
        if older == newer or self._read(older).state != "approved":
            return
        if self._read(newer).state not in ("approved", "proposed"):
            return
        with self.database.write() as session:
            found = pair_conflicts.open_between(session, older, newer, "200 or 300", "checks")
        if found.outcome is None:
            assert not self._read(newer).is_usable

    @rule(keep=st.sampled_from(["older", "newer", "both"]), which=st.integers(0, 5))
    def settle(self, keep: str, which: int) -> None:
        taken["steps"] += 1
        with self.database.write() as session:
            waiting = pair_conflicts.waiting(session)
            if waiting:
                conflict = waiting[which % len(waiting)]
                pairs.decide_conflict(session, conflict.id, keep, "U9", "I looked.")
        if waiting and keep == "older":
            assert not self._read(conflict.newer_id).is_usable

    @rule(one=stored, other=stored)
    def merge(self, one: int, other: int) -> None:
        taken["steps"] += 1
        with self.database.write() as session:
            pair_groups.merge(session, one, other, "U9")
        self.same.append((one, other))
        assert self._read(one).group_key == self._read(other).group_key

    @rule(pair=consumes(stored), chance=st.integers(0, 3))
    def erase(self, pair: int, chance: int) -> None:
        taken["steps"] += 1
        if chance:
            return
        with self.database.write() as session:
            erased = pairs.erase(session, pair, "admin")
        assert (erased.input, erased.output, erased.author) == ("", "", "erased")
        assert not erased.is_usable
        self.erased.add(pair)

    @rule()
    def snapshot(self) -> None:
        taken["steps"] += 1
        self.snapshots += 1
        with self.database.write() as session:
            usable = pairs.for_snapshot(session)
            sides: dict[str, list[int]] = {"train": [], "held_out": []}
            for pair in usable:
                sides[pair.split].append(pair.id)
            snapshots.register(
                session,
                f"{self.snapshots:064}",
                prompt_version="1",
                seed=7,
                train=sides["train"],
                held_out=sides["held_out"],
                replay_rows=0,
            )
        refuse_leaks((pair.split, pair.group_key) for pair in usable)
        assert all(pair.is_usable and pair.audience == "everyone" for pair in usable)
        train, held_out = set(sides["train"]), set(sides["held_out"])
        self.trained |= train
        assert not self.measured & train, "a pair that was kept for measuring is trained on"
        assert not self.trained & held_out, "a pair that was learned measures"
        self.measured |= held_out
        self._nothing_learned_measures(held_out)

    def _nothing_learned_measures(self, held_out: set[int]) -> None:
        for measured in held_out:
            for learned in self.trained - self.erased:
                assert not share_their_words(self.questions[measured], self.questions[learned])
        for pair in self.same:
            one, other = pair
            assert not (one in self.trained and other in held_out), pair
            assert not (other in self.trained and one in held_out), pair

    def _read(self, pair: int) -> Pair:
        with self.database.read() as session:
            return pairs.get(session, pair)

    def teardown(self) -> None:
        if not hasattr(self, "keys"):
            return
        self.snapshot()
        with self.database.read() as session:
            assert pair_ledger.differences(session) == ()
            assert audit.first_broken(session) is None
            stored = pairs.listed(session, limit=10_000)
            counted = pairs.count_by_state(session)
        assert len(stored) == len(self.keys) + len(self.imported)
        assert sum(counted.values()) == len(stored)
        assert {pair.id for pair in stored if pair.author == "erased"} == self.erased


def test_no_order_of_events_trains_on_held_out_questions_or_loses_a_pair(tmp_path: Path) -> None:
    LifeOfPairs.folder = tmp_path
    LifeOfPairs.database = Database(f"sqlite:///{tmp_path / 'skredder.db'}")
    LifeOfPairs.database.migrate()
    taken["steps"] = 0
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        LifeOfPairs,
        settings=settings(
            max_examples=120,
            stateful_step_count=100,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    LifeOfPairs.database.close()
    assert taken["steps"] >= STEPS_WANTED
