from __future__ import annotations

import pytest

from storage.pairs import PairSource
from tests.training.samples import (
    PERSONA,
    UNKNOWING,
    pair,
    retrieve_right,
    retrieve_wrong,
    row_maker,
    section,
)
from training.prompt import PromptPassage, cited_numbers, render_question
from training.recipe import Recipe
from training.rows import Retrieve, RetrievedPassage, Row, Split, is_drawn

PLAIN = Recipe(shuffle_passages=False)


def row_of(
    number: int = 7,
    *,
    retrieve: Retrieve = retrieve_right,
    split: Split = "train",
    recipe: Recipe = PLAIN,
) -> Row:
    return row_maker(recipe, retrieve=retrieve).pair(pair(number), split)


def test_a_row_is_rendered_exactly_as_it_is_served() -> None:
    row = row_of()
    passages = [PromptPassage(p.title, p.heading, p.text) for p in retrieve_right("topic 7")]
    assert row.messages == render_question("What is the limit for topic 7?", passages, PERSONA)


def test_the_answer_cites_the_place_of_the_pairs_own_source() -> None:
    def second(question: str) -> list[RetrievedPassage]:
        found = list(retrieve_right(question))
        return [found[1], found[0], found[2]]

    row = row_of(retrieve=second)
    assert row.source == 2
    assert row.was_retrieved
    assert row.answer == "Hei! The limit is 107 kroner a year [2]. Just ask!"


def test_a_source_that_retrieval_missed_takes_the_place_of_the_last_passage() -> None:
    row = row_of(retrieve=retrieve_wrong)
    assert not row.was_retrieved
    assert row.source is not None
    assert "the limit is 107 kroner" in row.messages[1].content
    assert "topic 903" not in row.messages[1].content
    assert cited_numbers(row.answer) == (row.source,)


def test_a_missed_source_is_not_always_put_in_the_same_place() -> None:
    places = {row_of(number, retrieve=retrieve_wrong).source for number in range(1, 40)}
    assert places == {1, 2, 3}


def test_training_rows_are_shuffled_and_held_out_rows_keep_retrievals_order() -> None:
    shuffling = Recipe(shuffle_passages=True)
    learned = {row_of(number, recipe=shuffling).source for number in range(1, 40)}
    measured = {
        row_of(number, recipe=shuffling, split="held_out").source for number in range(1, 40)
    }
    assert learned == {1, 2, 3}
    assert measured == {1}


def test_the_same_seed_makes_the_same_row() -> None:
    shuffling = Recipe(shuffle_passages=True)
    assert row_of(recipe=shuffling) == row_of(recipe=shuffling)


def test_a_row_that_is_too_long_loses_distractors_and_keeps_the_right_passage() -> None:
    row = row_of(recipe=Recipe(max_tokens=100, shuffle_passages=False))
    assert row.source == 1
    assert "[1] Topic 7" in row.messages[1].content
    assert "[3]" not in row.messages[1].content


def test_a_held_out_row_is_asked_as_retrieval_finds_it_even_without_the_right_passage() -> None:
    row = row_of(retrieve=retrieve_wrong, split="held_out")
    assert row.source is None
    assert not row.was_retrieved
    assert "107 kroner" not in row.messages[1].content
    assert "topic 903" in row.messages[1].content
    assert row.answer == "Hei! The limit is 107 kroner a year. Just ask!"


@pytest.mark.parametrize("split", ["train", "held_out"])
def test_without_its_passage_the_right_answer_is_that_nobody_knows(split: Split) -> None:
    row = row_maker(PLAIN).unanswerable(pair(7), split)
    assert row is not None
    assert (row.kind, row.split, row.source) == ("unanswerable", split, None)
    assert row.answer == UNKNOWING["en"]
    assert "107 kroner" not in row.messages[1].content
    assert "topic 507" in row.messages[1].content


def test_in_norwegian_it_is_put_in_norwegian() -> None:
    row = row_maker(PLAIN).unanswerable(pair(7, language="no"), "train")
    assert row is not None
    assert row.answer == UNKNOWING["no"]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Hei! The limit is 107 kroner a year.", "Seen elsewhere: 107 for each."),
        ("Hei! Ask the harbour office.", "Whoever wants more asks the harbour office first."),
    ],
)
def test_a_passage_that_may_answer_as_well_is_taken_away_too(answer: str, text: str) -> None:
    other = RetrievedPassage("handbook/x.md", "Other", "Copy", text)
    maker = row_maker(PLAIN, retrieve=lambda _question: [section(7), other, section(8)])
    row = maker.unanswerable(pair(7, output=answer), "train")
    assert row is not None
    assert "[1] Topic 8" in row.messages[1].content
    assert "[2]" not in row.messages[1].content


def test_where_nothing_else_was_found_no_question_is_made_unanswerable() -> None:
    maker = row_maker(PLAIN, retrieve=lambda _question: [section(7)])
    assert maker.unanswerable(pair(7), "train") is None


def test_without_any_passage_the_answer_stays_and_cites_nothing() -> None:
    row = row_maker(PLAIN).bare(pair(7, output="Hei! It is 107 kroner [1]."))
    assert row.kind == "bare"
    assert row.answer == "Hei! It is 107 kroner."
    assert row.messages == render_question("What is the limit for topic 7?", [], PERSONA)


def test_the_draw_of_one_kind_does_not_move_with_another_share_or_another_pair() -> None:
    few = {n for n in range(500) if is_drawn(pair(n), "unanswerable", 0.1, 7)}
    more = {n for n in range(500) if is_drawn(pair(n), "unanswerable", 0.2, 7)}
    other = {n for n in range(500) if is_drawn(pair(n), "bare", 0.1, 7)}
    assert few < more
    assert 30 <= len(few) <= 70
    assert few != other
    assert not any(is_drawn(pair(n), "bare", 0.0, 7) for n in range(500))


def test_a_section_that_stands_joined_with_its_neighbours_is_recognised() -> None:
    joined = RetrievedPassage("handbook/7.md", "Topic 7", "Topic 7", "Limits: 107 kroner.")

    row = row_maker(
        PLAIN,
        retrieve=lambda _question: [section(1), joined],
        find_section=lambda _uri, _heading: joined,
    ).pair(pair(7), "train")
    assert row.was_retrieved
    assert row.source == 2


@pytest.mark.parametrize("heading", ["Limits", "limits", "Topic 7 > Limits"])
def test_a_heading_is_recognised_in_any_case_and_as_the_end_of_a_breadcrumb(heading: str) -> None:
    row = row_maker(PLAIN, retrieve=retrieve_right, find_section=lambda _uri, _heading: None).pair(
        pair(7, sources=(PairSource("handbook/7.md", heading),)), "train"
    )
    assert row.source == 1


def test_a_pair_whose_section_is_gone_is_answered_without_a_citation() -> None:
    row = row_maker(PLAIN, retrieve=retrieve_wrong, find_section=lambda _uri, _heading: None).pair(
        pair(7), "train"
    )
    assert row.source is None
    assert cited_numbers(row.answer) == ()
