from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.keyword_index import (
    KeywordEntry,
    KeywordIndex,
    KeywordIndexUnusable,
    match_expression,
)

ENTRIES = [
    KeywordEntry("meals", "Travel > Meals", "Meals are refunded up to 55 euros a day."),
    KeywordEntry("flights", "Travel > Flights", "Book flights through the travel desk."),
    KeywordEntry("ferie", "Ferie > Overføring", "Du kan overføre inntil fem feriedager."),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeywordIndex]:
    opened = KeywordIndex(tmp_path_factory.mktemp("keywords") / "keywords.db")
    opened.add("everyone", ENTRIES)
    opened.add("channel:hr", [KeywordEntry("secret", "Pay", "Meals of the board: 9000 euros.")])
    yield opened
    opened.close()


def _ids(index: KeywordIndex, query: str, language: str = "en", who: str = "everyone") -> list[str]:
    return [hit.id for hit in index.search(who, query, language, 10)]


@pytest.mark.parametrize(
    ("query", "language", "first"),
    [
        ("refunding a meal", "en", "meals"),
        ("booked flight", "en", "flights"),
        ("overføringer av feriedag", "no", "ferie"),
        ("overforing", "no", "ferie"),
        ("FERIEDAGER", "no", "ferie"),
        ("feriedager", "en", "ferie"),
    ],
)
def test_any_form_of_a_word_is_found(
    index: KeywordIndex, query: str, language: str, first: str
) -> None:
    assert _ids(index, query, language)[0] == first


def test_an_audience_is_searched_alone(index: KeywordIndex) -> None:
    assert _ids(index, "meals") == ["meals"]
    assert _ids(index, "meals", who="channel:hr") == ["secret"]
    assert _ids(index, "meals", who="nobody") == []
    assert index.audiences() == {"everyone", "channel:hr"}


def test_a_word_in_the_heading_counts_more_and_scores_are_positive(tmp_path: Path) -> None:
    index = KeywordIndex(tmp_path / "k.db")
    index.add(
        "a",
        [
            KeywordEntry("text", "Other", "about parking here and now"),
            KeywordEntry("heading", "Parking", "about other here and now"),
            *(KeywordEntry(f"x{n}", "Filler", f"nothing to see {n}") for n in range(9)),
        ],
    )
    hits = index.search("a", "parking", "en", 10)
    assert [hit.id for hit in hits] == ["heading", "text"]
    assert hits[0].score > hits[1].score > 0
    index.close()


def test_adding_again_replaces_and_deleting_forgets(tmp_path: Path) -> None:
    index = KeywordIndex(tmp_path / "k.db")
    index.add("a", ENTRIES)
    index.add("a", [KeywordEntry("meals", "Travel", "Taxis are refunded.")])
    assert _ids(index, "euros", who="a") == []
    assert _ids(index, "taxi", who="a") == ["meals"]
    index.delete("a", ["meals", "never there"])
    index.delete("nobody", ["meals"])
    assert index.ids("a") == {"flights", "ferie"}
    assert _ids(index, "taxi", who="a") == []
    index.drop()
    assert index.audiences() == frozenset()
    index.add("a", ENTRIES[:1])
    index.close()
    again = KeywordIndex(tmp_path / "k.db")
    assert again.ids("a") == {"meals"}
    again.close()


AWKWARD = [
    '"',
    "a AND",
    "NOT NEAR(",
    "text_en:x",
    "*",
    "{heading_en} : a",
    "🎉🎉",
    "\x00\x1b[31m",
    "a\ud800b",
    "שלום עולם",
    "' OR 1=1 --",
    "^a + b",
    "",
    "   ",
    "ﬁnance Ⅷ ½",
]


@pytest.mark.parametrize("query", AWKWARD, ids=repr)
@pytest.mark.parametrize("language", ["en", "no", "other"])
def test_an_awkward_query_is_only_words(index: KeywordIndex, query: str, language: str) -> None:
    index.search("everyone", query, language, 10)
    assert "meals" in _ids(index, f"{query} meals", "en")


@settings(deadline=None)
@given(query=st.text(max_size=200))
def test_no_query_whatever_raises(index: KeywordIndex, query: str) -> None:
    assert set(_ids(index, query)) <= {"meals", "flights", "ferie"}


def test_a_query_of_a_hundred_kilobytes_is_read_from_its_beginning(index: KeywordIndex) -> None:
    query = "meals " + " ".join(f"word{n}" for n in range(12_000))
    assert len(query) > 100_000
    assert _ids(index, query) == ["meals"]
    assert match_expression(query, "en").count(" OR ") < 60


def test_a_file_that_is_no_index_is_said_to_be_unusable(tmp_path: Path) -> None:
    (tmp_path / "k.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(KeywordIndexUnusable, match="move the file away"):
        KeywordIndex(tmp_path / "k.db")


def test_scores_of_a_small_audience_are_comparable_to_those_of_a_large_one(tmp_path: Path) -> None:
    """The same passage scores the same, however few others its audience has."""
    index = KeywordIndex(tmp_path / "keywords.db")
    text = "Parental leave of the board is 99 weeks."
    others = [KeywordEntry(f"o{n}", "Rope", f"Rope {n} hangs in the yard.") for n in range(200)]
    index.add("everyone", [*others, KeywordEntry("large", "Pay", text)])
    index.add("channel:board", [KeywordEntry("small", "Pay", text)])
    alone = index.search("channel:board", "parental leave of the board", "en", 5)[0].score
    for _ in range(2):  # from the file, then from memory
        found = index.search_all(
            ["everyone", "channel:board"], "parental leave of the board", "en", 10, 10
        )
        scores = {id: score for _audience, id, score in found.best}
        assert scores["small"] == pytest.approx(scores["large"], rel=0.35)
        index.warm()
    index.close()
    assert alone < 0.01


_WORDS = ["meal", "flights", "the", "rope", "ropes", "feriedager", "ferie", "å", "Ærlig", "5.5", ""]


@settings(max_examples=60, deadline=None)
@given(
    passages=st.lists(
        st.tuples(
            st.sampled_from(["everyone", "C1"]),
            st.lists(st.sampled_from(_WORDS), max_size=4),
            st.lists(st.sampled_from(_WORDS), max_size=12),
            st.sampled_from(["en", "no"]),
        ),
        max_size=12,
    ),
    query=st.lists(st.sampled_from(_WORDS), min_size=1, max_size=5),
    language=st.sampled_from(["en", "no"]),
)
def test_memory_scores_as_the_file_does(
    tmp_path_factory: pytest.TempPathFactory,
    passages: list[tuple[str, list[str], list[str], str]],
    query: list[str],
    language: str,
) -> None:
    index = KeywordIndex(tmp_path_factory.mktemp("keywords") / "keywords.db")
    for n, (audience, heading, text, spoken) in enumerate(passages):
        index.add(audience, [KeywordEntry(f"p{n}", " ".join(heading), " ".join(text), spoken)])
    ids = [f"p{n}" for n in range(len(passages))]
    seen = []
    for _ in range(2):
        for audiences in (["everyone"], ["everyone", "C1"]):
            found = index.search_all(audiences, " ".join(query), language, 50, 50)
            seen.append(
                (
                    {id: round(found.of(each, id), 6) for each in audiences for id in ids},
                    {id: round(score, 6) for _, id, score in found.best},
                    {each: index.languages(each, ids) for each in audiences},
                )
            )
        index.warm()
    index.close()
    assert seen[0] == seen[2]
    assert seen[1][2] == seen[3][2]
    assert seen[1][1].keys() == seen[3][1].keys()


def test_what_changed_is_found_at_once_also_when_its_audience_was_in_memory(
    tmp_path: Path,
) -> None:
    index = KeywordIndex(tmp_path / "keywords.db")
    index.add("everyone", ENTRIES)
    index.add("C1", ENTRIES[:1])
    assert index.warm() == 4
    index.delete("everyone", ["meals"])
    index.add("everyone", [KeywordEntry("new", "Lunch", "Meals are served at noon.")])
    found = index.search_all(["everyone", "C1"], "meals", "en", 10, 10)
    assert {(audience, id) for audience, id, _ in found.best} == {
        ("everyone", "new"),
        ("C1", "meals"),
    }
    assert found.of("everyone", "meals") == 0
    assert index.warm() == 4
    index.drop()
    assert index.search_all(["everyone", "C1"], "meals", "en", 10, 10).best == []
    index.close()


def test_a_file_of_an_older_form_is_emptied_to_be_filled_again(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "keywords.db") as old:
        old.execute("CREATE TABLE audiences (audience TEXT PRIMARY KEY, table_name TEXT)")
        old.execute("INSERT INTO audiences VALUES ('everyone', 'passages_old')")
        for name in ("passages_old", "passages_old_words", "passages_old_ids"):
            old.execute(f"CREATE TABLE {name} (number INTEGER PRIMARY KEY)")
    old.close()
    index = KeywordIndex(tmp_path / "keywords.db")
    assert index.audiences() == frozenset()
    index.add("everyone", ENTRIES)
    index.close()
    again = KeywordIndex(tmp_path / "keywords.db")
    assert again.ids("everyone") == {"meals", "flights", "ferie"}
    again.close()
