from __future__ import annotations

import pytest

from storage import pair_groups, pairs, snapshots
from storage.database import Database
from storage.pair_groups import content_words, draw_split
from storage.pairs import NewPair, Pair, PairChangeRefused
from storage.question_bands import bands, near_by_words, share_their_words

SHARE = 0.18


def question_on(side: str, word: str) -> str:
    """A question about `word` that is drawn to that side."""
    for number in range(200):
        text = f"How does the {word} of house{number} work?"
        if draw_split(" ".join(sorted(content_words(text))), SHARE) == side:
            return text
    raise AssertionError


def approved(database: Database, text: str, key: str, near: tuple[int, ...] = ()) -> Pair:
    with database.write() as session:
        new = NewPair(text, "Hei! Like this.", "U1", "import", key)
        return pairs.approve(session, pairs.propose(session, new, SHARE, near).id, "U9")


def train_on(database: Database, *ids: int) -> None:
    with database.write() as session:
        snapshots.register(
            session, "a" * 64, prompt_version="1", seed=7, train=ids, held_out=(), replay_rows=0
        )


def usable(database: Database) -> set[int]:
    with database.read() as session:
        return {pair.id for pair in pairs.for_snapshot(session)}


def read(database: Database, pair_id: int) -> Pair:
    with database.read() as session:
        return pairs.get(session, pair_id)


def test_two_questions_on_one_side_become_one_group(database: Database) -> None:
    one = approved(database, question_on("train", "heating"), "1")
    other = approved(database, question_on("train", "alarm"), "2")
    with database.write() as session:
        merged = pair_groups.merge(session, one.id, other.id, "U9")
    assert (merged.split, merged.set_aside) == ("train", ())
    assert read(database, one.id).group_key == read(database, other.id).group_key
    assert usable(database) == {one.id, other.id}


def test_what_was_not_learned_yet_gives_way_to_what_is_kept_for_measuring(
    database: Database,
) -> None:
    learned = approved(database, question_on("train", "heating"), "1")
    measured = approved(database, question_on("held_out", "alarm"), "2")
    with database.write() as session:
        merged = pair_groups.merge(session, learned.id, measured.id, "U9")
    assert (merged.split, merged.set_aside) == ("held_out", (learned.id,))
    assert "kept for measuring" in (read(database, learned.id).set_aside or "")
    assert usable(database) == {measured.id}


def test_a_question_that_was_learned_no_longer_measures(database: Database) -> None:
    learned = approved(database, question_on("train", "heating"), "1")
    measured = approved(database, question_on("held_out", "alarm"), "2")
    train_on(database, learned.id)
    with database.write() as session:
        merged = pair_groups.merge(session, learned.id, measured.id, "U9")
    assert (merged.split, merged.set_aside) == ("train", (measured.id,))
    assert "proves nothing" in (read(database, measured.id).set_aside or "")
    assert usable(database) == {learned.id}
    again = approved(database, question_on("held_out", "alarm"), "3")
    assert again.split == "train"


def test_merged_groups_stay_together_when_merged_again(database: Database) -> None:
    ids = [
        approved(database, question_on("train", word), word).id
        for word in ("heating", "alarm", "gate", "lift")
    ]
    with database.write() as session:
        pair_groups.merge(session, ids[2], ids[3], "U9")
        pair_groups.merge(session, ids[1], ids[2], "U9")
        pair_groups.merge(session, ids[3], ids[0], "U9")
    assert len({read(database, pair_id).group_key for pair_id in ids}) == 1


def test_a_question_between_the_sides_is_on_neither(database: Database) -> None:
    learned = approved(database, question_on("train", "heating"), "1")
    measured = approved(database, question_on("held_out", "alarm"), "2")
    between = approved(database, "Heating or alarm?", "3", near=(learned.id, measured.id))
    assert "would leak" in (between.set_aside or "")
    assert usable(database) == {learned.id, measured.id}


def test_a_question_near_to_two_groups_of_one_side_joins_them(database: Database) -> None:
    one = approved(database, question_on("train", "heating"), "1")
    other = approved(database, question_on("train", "alarm"), "2")
    approved(database, "Heating or alarm?", "3", near=(one.id, other.id))
    assert len({read(database, n).group_key for n in (1, 2, 3)}) == 1


def test_a_pair_that_is_not_there_cannot_be_merged(database: Database) -> None:
    one = approved(database, question_on("train", "heating"), "1")
    with pytest.raises(PairChangeRefused, match="no pair 99"), database.write() as session:
        pair_groups.merge(session, one.id, 99, "U9")


def test_the_key_of_a_group_holds_no_word_of_its_question(database: Database) -> None:
    pair = approved(database, "Does Kari Nordmann have a dog?", "1")
    assert not {"kari", "nordmann", "dog"} & set(pair.group_key.split())
    assert "kari" not in pair.group_key


def test_reworded_questions_are_found_by_their_words_among_many(database: Database) -> None:
    for number in range(60):
        approved(database, f"What does the w{number} of the v{number} cost in shop x{number}?",
                 f"noise {number}", near=())  # fmt: skip
    asked = approved(database, "How many days of parental leave do I get?", "1")
    with database.read() as session:
        assert near_by_words(session, "Parental leave: how many days do we get?") == (asked.id,)
        assert near_by_words(session, "Where do I park my bike?") == ()


def test_another_year_is_another_question() -> None:
    assert not share_their_words(
        "What is the budget for training courses in 2024?",
        "What is the budget for training courses in 2025?",
    )


def test_bands_are_the_same_on_every_machine() -> None:
    found = bands("Where do I park?")
    assert len(found) == 20
    assert found[:2] == (-2284578647924481128, -149175080295854233)
    assert bands("where do I PARK") == found
