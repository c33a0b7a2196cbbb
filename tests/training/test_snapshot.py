from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from storage.pairs import Pair
from tests.training.samples import (
    UNKNOWING,
    pair,
    row_maker,
)
from training.recipe import Recipe
from training.replay import rows_wanted
from training.snapshot import (
    MOST_UNANSWERABLE,
    HeldOutLeaked,
    Snapshot,
    SnapshotBroken,
    build_snapshot,
    read_snapshot,
)

PAIRS = [pair(n, split="held_out" if n % 5 == 0 else "train") for n in range(1, 41)]
REPLAY = [(f"What is {n} + 1?", f"{n} + 1 = {n + 1}.") for n in range(30)]


def build(
    folder: Path,
    pairs: Sequence[Pair] = PAIRS,
    replay: Sequence[tuple[str, str]] = REPLAY,
    recipe: Recipe | None = None,
) -> Snapshot:
    return build_snapshot(
        pairs,
        replay,
        folder=folder,
        base="small-model",
        make=row_maker(recipe or Recipe(bare_share=0.0, replay_share=0.2)),
    )


def test_the_same_input_gives_the_same_digest(tmp_path: Path) -> None:
    first = build(tmp_path / "a")
    second = build(tmp_path / "b", pairs=list(reversed(PAIRS)))
    assert first.digest == second.digest
    assert first.path.read_bytes() == second.path.read_bytes()


def test_another_seed_answer_or_persona_gives_another_digest(tmp_path: Path) -> None:
    digests = {
        build(tmp_path).digest,
        build(tmp_path, recipe=Recipe(bare_share=0.0, replay_share=0.2, seed=8)).digest,
        build(tmp_path, pairs=[*PAIRS[:-1], pair(40, split="held_out", output="Hei!")]).digest,
    }
    assert len(digests) == 3


def test_the_file_is_named_by_the_sha256_of_its_content(tmp_path: Path) -> None:
    snapshot = build(tmp_path)
    assert snapshot.path.stem == hashlib.sha256(snapshot.path.read_bytes()).hexdigest()
    assert [path.name for path in tmp_path.iterdir()] == [snapshot.path.name]


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    snapshot = build(tmp_path)
    again = read_snapshot(snapshot.path, snapshot.digest)
    assert again.rows == snapshot.rows
    assert (len(again.train), len(again.held_out), again.replay_rows) == (40, 8, 8)


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x0c"])
def test_a_line_separator_inside_an_answer_does_not_cut_its_row(
    tmp_path: Path, separator: str
) -> None:
    answer = f"First line.{separator}Second line."
    snapshot = build(tmp_path, pairs=[*PAIRS[:-1], pair(40, split="held_out", output=answer)])
    again = read_snapshot(snapshot.path, snapshot.digest)
    assert again.rows == snapshot.rows


def test_replay_makes_up_its_share_of_the_training_rows(tmp_path: Path) -> None:
    snapshot = build(tmp_path, recipe=Recipe(bare_share=0.0, replay_share=0.2))
    assert snapshot.replay_rows / len(snapshot.train) == pytest.approx(0.2)
    assert build(tmp_path, recipe=Recipe(bare_share=0.0, replay_share=0.0)).replay_rows == 0


def rows_of(snapshot: Snapshot) -> str:
    """Return the SHA-256 of the pairs' and general rows, without the line that says how."""
    lines = snapshot.path.read_text(encoding="utf-8").splitlines()[1:]
    rows = [line for line in lines if '"kind":"unanswerable"' not in line]
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def test_replay_keeps_its_share_where_there_are_fewer_prompts_than_rows(tmp_path: Path) -> None:
    recipe = Recipe(bare_share=0.0, replay_share=0.9)
    snapshot = build(tmp_path, recipe=recipe)
    assert snapshot.replay_rows / len(snapshot.train) == pytest.approx(0.9)
    times = Counter(row.question for row in snapshot.train if row.kind == "replay")
    assert (len(times), set(times.values())) == (30, {9, 10})
    assert build(tmp_path / "again", recipe=recipe).digest == snapshot.digest


def test_a_prompt_without_an_answer_is_no_row_and_the_others_make_up_for_it(tmp_path: Path) -> None:
    replay = [*REPLAY[:29], ("Say nothing.", "")]
    few = build(tmp_path, replay=replay, recipe=Recipe(bare_share=0.0, replay_share=0.48))
    assert few.replay_rows == 29
    many = build(tmp_path, replay=replay, recipe=Recipe(bare_share=0.0, replay_share=0.9))
    assert (many.replay_rows, many.replay_prompts) == (288, 29)


def test_where_prompts_suffice_the_rows_are_those_that_they_always_were(tmp_path: Path) -> None:
    shares = (0.2, 0.4)
    recipes = [Recipe(bare_share=0.0, replay_share=share) for share in shares]
    assert [rows_of(build(tmp_path, recipe=recipe)) for recipe in recipes] == [
        "cfa5ff1b93ba65ee03149fe93fa0073982f6a470b29c65a67f5aeb1df473e57c",
        "c8cef0d69695daa47d96f95fe2d8009b0dab29298c61828823516da010ebf78a",
    ]


def test_shares_of_the_pairs_are_also_learned_without_what_answers_and_without_anything(
    tmp_path: Path,
) -> None:
    plain = build(tmp_path)
    recipe = Recipe(replay_share=0.2, unanswerable_share=0.3, bare_share=0.2)
    snapshot = build(tmp_path, recipe=recipe)
    kinds = Counter(row.kind for row in snapshot.train)
    assert (kinds["pair"], kinds["unanswerable"], kinds["bare"]) == (32, 6, 7)
    assert kinds["replay"] == rows_wanted(32 + 6 + 7, 0.2)
    assert snapshot.pair_ids("train") == plain.pair_ids("train")
    assert snapshot.pair_ids("held_out") == plain.pair_ids("held_out")
    assert snapshot.held_out == plain.held_out


def test_held_out_questions_are_also_kept_without_what_answers_them(tmp_path: Path) -> None:
    snapshot = build(tmp_path)
    assert len(snapshot.unanswerable) == len(snapshot.held_out) == 8
    assert {row.answer for row in snapshot.unanswerable} == {UNKNOWING["en"]}
    many = [*PAIRS, *(pair(n, split="held_out") for n in range(1000, 1100))]
    assert len(build(tmp_path, pairs=many).unanswerable) == MOST_UNANSWERABLE


def test_a_held_out_group_never_gives_a_training_row(tmp_path: Path) -> None:
    snapshot = build(tmp_path, recipe=Recipe(unanswerable_share=0.5, bare_share=0.5))
    learned = {row.group_key for row in snapshot.train}
    measured = {row.group_key for row in (*snapshot.held_out, *snapshot.unanswerable)}
    assert measured == {f"topic {n}" for n in range(5, 41, 5)}
    assert not learned & measured


def test_a_leak_planted_among_the_pairs_is_refused(tmp_path: Path) -> None:
    leaked = [*PAIRS, pair(99, split="train", group="topic 5")]
    with pytest.raises(HeldOutLeaked, match="topic 5"):
        build(tmp_path, pairs=leaked)
    assert list(tmp_path.iterdir()) == []


def test_a_leak_planted_in_the_file_is_refused(tmp_path: Path) -> None:
    snapshot = build(tmp_path)
    lines = snapshot.path.read_text(encoding="utf-8").splitlines()
    held_out = next(json.loads(line) for line in lines if '"split":"held_out"' in line)
    lines.append(json.dumps(held_out | {"split": "train"}))
    content = "\n".join(lines)
    digest = hashlib.sha256(content.encode()).hexdigest()
    planted = tmp_path / f"{digest}.jsonl"
    planted.write_text(content, encoding="utf-8")
    with pytest.raises(HeldOutLeaked):
        read_snapshot(planted, digest)


def test_an_altered_file_is_not_trained_on(tmp_path: Path) -> None:
    snapshot = build(tmp_path)
    content = snapshot.path.read_text(encoding="utf-8")
    snapshot.path.write_text(content.replace("Hei!", "Hoi!", 1), encoding="utf-8")
    with pytest.raises(SnapshotBroken, match="was changed"):
        read_snapshot(snapshot.path, snapshot.digest)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SnapshotBroken, match="cannot be read"):
        read_snapshot(tmp_path / "nothing.jsonl", "0" * 64)


def test_a_pair_that_cannot_fit_is_left_out_and_named(tmp_path: Path) -> None:
    long = pair(41, output="Hei! " + "word " * 700)
    snapshot = build(tmp_path, pairs=[*PAIRS, long])
    assert snapshot.too_long == (41,)
    assert 41 not in snapshot.pair_ids("train")


def test_a_pair_that_is_held_or_set_aside_is_in_no_snapshot(tmp_path: Path) -> None:
    pairs = [
        pair(1),
        pair(2, holds=("It has a phone number in it.",)),
        pair(3, set_aside="It would leak."),
        pair(4, state="proposed"),
        pair(5, split="held_out"),
    ]
    snapshot = build(tmp_path, pairs)
    assert (snapshot.pair_ids("train"), snapshot.pair_ids("held_out")) == ((1,), (5,))
