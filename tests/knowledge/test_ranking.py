from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from knowledge import ranking
from knowledge.ranking import Candidates, Languages


def unit(*numbers: float) -> Any:
    vector = np.array(numbers, dtype=np.float32)
    return vector / np.linalg.norm(vector)


QUERY = unit(1, 0, 0, 0)
ENGLISH = Languages(frozenset({"en"}), "en", "en")
FOREIGN = Languages(frozenset({"en"}), "no", "no")


class Candidate(NamedTuple):
    id: str
    vector: Any
    keyword_score: float
    languages: Languages = ENGLISH


def rank(query: Any, found: list[Candidate]) -> dict[str, float]:
    return ranking.rank(
        query,
        Candidates(
            [each.id for each in found],
            np.array([each.vector for each in found]),
            np.array([each.keyword_score for each in found]),
            [each.languages for each in found],
        ),
    )


def candidate(
    name: str, similarity: float, keywords: float = 0.0, foreign: bool = False
) -> Candidate:
    vector = unit(similarity, (1 - similarity**2) ** 0.5, 0, 0)
    return Candidate(name, vector, keywords, FOREIGN if foreign else ENGLISH)


def test_what_both_searches_find_comes_before_what_one_finds() -> None:
    found = [candidate("dense", 0.9), candidate("words", 0.1, 9.0), candidate("both", 0.8, 8.0)]
    assert next(iter(rank(QUERY, found))) == "both"


def test_far_ahead_stays_ahead() -> None:
    """Ranks alone would tie these two."""
    found = [candidate("close", 0.50, 12.0), candidate("other", 0.51, 2.0), candidate("third", 0.1)]
    assert next(iter(rank(QUERY, found))) == "close"


def test_keywords_decide_where_the_embedder_knows_nothing_of_the_language() -> None:
    found = [
        candidate("near", 0.9, 1.0, foreign=True),
        candidate("words", 0.5, 6.0, foreign=True),
        candidate("neither", 0.1, 0.0, foreign=True),
    ]
    assert next(iter(rank(QUERY, found))) == "words"


def test_a_passage_among_relevant_ones_is_lifted() -> None:
    """Of two passages that fit equally well, the one in relevant company comes first."""
    generator = np.random.default_rng(5)
    noise = [Candidate(f"n{i}", unit(0.05, *generator.normal(size=3)), 0.0) for i in range(60)]
    topic = unit(0.5, 0, 1, 0)
    company = [Candidate(f"c{i}", unit(0.6, 0.01 * i, 1, 0), 5.0) for i in range(3)]
    inside = Candidate("inside", topic, 1.0)
    outside = Candidate("outside", unit(0.5, -1, 0, 0), 1.0)
    order = list(rank(QUERY, [outside, *noise, inside, *company]))
    assert order.index("inside") < order.index("outside")


def test_nothing_found_is_nothing_ranked() -> None:
    assert rank(QUERY, []) == {}


def test_an_embedder_is_foreign_to_languages_that_it_was_not_made_for() -> None:
    english = frozenset({"en"})
    assert not Languages(english, "en", "en").are_foreign
    foreign = [Languages(english, *pair) for pair in (("no", "en"), ("en", "no"), ("no", "no"))]
    assert all(languages.are_foreign for languages in foreign)
    assert not Languages(None, "no", "en").are_foreign


def test_words_count_little_for_a_passage_in_another_language() -> None:
    same, across = (Languages(None, "no", said) for said in ("no", "en"))
    assert across.dense_share > same.dense_share


@given(
    st.lists(
        st.tuples(
            st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4),
            st.floats(0, 50, width=32),
            st.sampled_from([ENGLISH, FOREIGN, Languages(None, "no", "en")]),
        ),
        max_size=150,
    )
)
def test_every_candidate_is_ranked_once_whatever_the_numbers(
    drawn: list[tuple[list[float], float, Languages]],
) -> None:
    found = [
        Candidate(str(n), unit(*(x + 1e-3 for x in vector)), score, languages)
        for n, (vector, score, languages) in enumerate(drawn)
        if any(abs(x + 1e-3) > 1e-4 for x in vector)
    ]
    scores = rank(QUERY, found)
    assert sorted(scores) == sorted(each.id for each in found)
    assert all(np.isfinite(list(scores.values())))
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
