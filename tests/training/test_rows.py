from __future__ import annotations

from dataclasses import replace

import pytest

from storage.pairs import PairSource
from tests.training.samples import (
    PERSONA,
    count_words,
    find_section,
    pair,
    retrieve_right,
    retrieve_wrong,
    section,
)
from training.prompt import PromptPassage, cited_numbers, render_question
from training.recipe import Recipe
from training.rows import Retrieve, RetrievedPassage, Row, Split, pair_row

PLAIN = Recipe(shuffle_passages=False)


def row_of(
    number: int = 7,
    *,
    retrieve: Retrieve = retrieve_right,
    split: Split = "train",
    recipe: Recipe = PLAIN,
    unknown_answer: str | None = None,
) -> Row:
    return pair_row(
        pair(number),
        split=split,
        persona=PERSONA,
        recipe=recipe,
        retrieve=retrieve,
        find_section=find_section,
        count_tokens=count_words,
        unknown_answer=unknown_answer,
    )


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


def test_without_its_passage_the_right_answer_is_that_nobody_knows() -> None:
    unsure = replace(PLAIN, unanswerable_share=0.99)
    row = row_of(recipe=unsure, unknown_answer="Hei! I don't know that one.")
    assert row.source is None
    assert row.answer == "Hei! I don't know that one."
    assert "107 kroner" not in row.messages[1].content


def test_held_out_rows_are_never_made_unanswerable() -> None:
    unsure = replace(PLAIN, unanswerable_share=0.99)
    row = row_of(recipe=unsure, split="held_out", unknown_answer="I don't know.")
    assert row.source == 1


def test_a_section_that_stands_joined_with_its_neighbours_is_recognised() -> None:
    joined = RetrievedPassage("handbook/7.md", "Topic 7", "Topic 7", "Limits: 107 kroner.")

    row = pair_row(
        pair(7),
        split="train",
        persona=PERSONA,
        recipe=PLAIN,
        retrieve=lambda _question: [section(1), joined],
        find_section=lambda _uri, _heading: joined,
        count_tokens=count_words,
    )
    assert row.was_retrieved
    assert row.source == 2


@pytest.mark.parametrize("heading", ["Limits", "limits", "Topic 7 > Limits"])
def test_a_heading_is_recognised_in_any_case_and_as_the_end_of_a_breadcrumb(heading: str) -> None:
    row = pair_row(
        pair(7, sources=(PairSource("handbook/7.md", heading),)),
        split="train",
        persona=PERSONA,
        recipe=PLAIN,
        retrieve=retrieve_right,
        find_section=lambda _uri, _heading: None,
        count_tokens=count_words,
    )
    assert row.source == 1


def test_a_pair_whose_section_is_gone_is_answered_without_a_citation() -> None:
    row = pair_row(
        pair(7),
        split="train",
        persona=PERSONA,
        recipe=PLAIN,
        retrieve=retrieve_wrong,
        find_section=lambda _uri, _heading: None,
        count_tokens=count_words,
    )
    assert row.source is None
    assert cited_numbers(row.answer) == ()
