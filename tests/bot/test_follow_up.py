from __future__ import annotations

from pathlib import Path

import pytest

from bot.follow_up import in_thread, leans_on_thread
from knowledge.embedder import MiniLmEmbedder
from tests.knowledge.house import house_in


@pytest.mark.parametrize(
    "question",
    ["and for part-timers?", "What about Bergen?", "How long does it take?", "Og for deltid?",
     "Gjelder det også i Voss?", "why?"],
)  # fmt: skip
def test_a_follow_up_leans_on_its_thread(question: str) -> None:
    assert leans_on_thread(question)


@pytest.mark.parametrize(
    "question",
    [
        "How many days of parental leave do I get with twins?",
        "Hvor mange feriedager kan jeg overføre til neste år?",
        "who repairs a broken laptop at the Bergen office",
    ],
)
def test_a_whole_question_stands_on_its_own_in_any_thread(question: str) -> None:
    assert in_thread(question, ["When does the canteen open on Fridays in winter?"]).before is None


def test_a_chain_of_follow_ups_leans_on_the_question_that_began_it() -> None:
    first = "How many weeks of parental leave do new parents get?"
    asked = in_thread("and when?", [first, "and for part-timers?", "How do they apply?"])
    assert asked.before is not None
    assert asked.before.text == first
    assert asked.alone == f"{first} and when?"
    assert in_thread("and when?", []).before is None


def test_a_follow_up_finds_the_page_that_its_thread_is_about(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    for title, subject in (
        ("Parental leave", "parental leave"),
        ("Overtime", "overtime"),
        ("Gear discount", "the gear discount"),
        ("Pension", "the pension"),
    ):
        (pages / f"{title}.md").write_text(
            f"# {title}\n\n## Full time\n\nFull-time colleagues have {subject} in full.\n\n"
            f"## Part time\n\nPart-timers have {subject} in proportion to their hours.\n"
        )
    house = house_in(tmp_path / "home", MiniLmEmbedder(pytestconfig.cache.mkdir("embedder")))
    house.ingest(pages)
    first = "How does overtime work for us?"
    asked = in_thread("and for part-timers?", [first])
    hits = house.retrieval.search(asked.question, {"everyone"}, 1, before=asked.before)
    house.close()
    assert (hits[0].title, hits[0].heading) == ("Overtime", "Part time")
