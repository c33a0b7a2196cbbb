from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.chunking import HEADING_TOKENS, PASSAGE_TOKENS, cut, room_for_text
from knowledge.embedder import MiniLmEmbedder
from knowledge.readers import Page
from storage.documents import PassageText


def _cut(text: str, title: str = "Leave") -> tuple[PassageText, ...]:
    """Cut with one token a word, so that a test can count."""
    return cut(Page(title, text), lambda texts: [len(text.split()) for text in texts])


def _crumbs(text: str, title: str = "Leave") -> list[str]:
    return [passage.breadcrumb for passage in _cut(text, title)]


WORDS = "every parent gets eighteen weeks of paid leave before the child turns two and must tell "
LONG = (WORDS * 3).strip().capitalize() + "."


def test_passages_follow_headings_and_carry_their_breadcrumb() -> None:
    headings = ("# Leave", "## Parental leave", "### Fathers", "## Sick")
    text = "\n\n".join(f"{heading}\n\n{LONG}" for heading in headings)
    assert _crumbs(text) == [
        "Leave",
        "Leave > Parental leave",
        "Leave > Parental leave > Fathers",
        "Leave > Sick",
    ]


def test_the_title_leads_the_breadcrumb_when_no_heading_repeats_it() -> None:
    assert _crumbs(f"Intro {LONG}\n\n## Sick\n\n{LONG}") == ["Leave", "Leave > Sick"]
    assert _crumbs(f"# Being away\n\n{LONG}") == ["Leave > Being away"]
    assert _crumbs(f"# A > B\n\n{LONG}", title="A > B") == ["A › B"]


def test_underlined_headings_count_and_those_in_code_do_not() -> None:
    text = f"Leave\n=====\n\n{LONG}\n\nSick\n----\n\n```\n# no heading\n---\n```\n\n{LONG}"
    passages = _cut(text)
    assert [p.breadcrumb for p in passages] == ["Leave", "Leave > Sick"]
    assert "```\n# no heading\n---\n```" in passages[1].text


def test_a_tilde_fence_with_backticks_in_it_is_one_piece_of_code() -> None:
    (passage,) = _cut(f"{LONG}\n\n~~~\n```\n# no heading\n~~~")
    assert "~~~\n```\n# no heading\n~~~" in passage.text


def test_a_rule_is_neither_heading_nor_text() -> None:
    (passage,) = _cut(f"{LONG}\n\n---\n\n- item\n---\n\n{LONG}")
    assert "---" not in passage.text
    assert passage.breadcrumb == "Leave"


def test_a_section_that_is_too_long_is_cut_between_paragraphs_with_a_sentence_repeated() -> None:
    paragraphs = [f"{LONG} This was rule number {n}, so ask." for n in range(7)]
    passages = _cut("## Rules\n\n" + "\n\n".join(paragraphs))
    assert len(passages) > 1
    for passage in passages:
        assert passage.breadcrumb == "Leave > Rules"
        assert len(passage.text.split()) <= PASSAGE_TOKENS
    for n in range(7):
        assert any(f"rule number {n}" in passage.text for passage in passages)
    assert passages[1].text.startswith("This was rule number 3, so ask.\n\nEvery parent")


def test_a_paragraph_that_is_too_long_is_cut_between_sentences() -> None:
    text = " ".join(f"Sentence {n} has a few words in it, e.g. these." for n in range(100))
    passages = _cut(text)
    assert len(passages) > 4
    for passage in passages:
        assert passage.text.startswith("Sentence")
        assert passage.text.endswith("these.")


def test_nothing_is_repeated_in_a_section_that_fits() -> None:
    passages = _cut(f"## One\n\n{LONG}\n\n## Two\n\n{LONG}")
    assert [p.text for p in passages] == [LONG, LONG]


def test_a_long_table_keeps_its_head_on_each_part() -> None:
    rows = "\n".join(f"| Grade {n} | {n}000 euros a month before tax |" for n in range(60))
    passages = _cut(f"## Pay\n\n| Grade | Pay |\n| --- | --- |\n{rows}")
    assert len(passages) > 1
    for passage in passages:
        assert passage.text.startswith("| Grade | Pay |\n| --- | --- |\n| Grade ")
    assert sum(passage.text.count("euros") for passage in passages) == 60


def test_a_list_is_cut_between_its_items() -> None:
    items = "\n".join(f"- item {n}: {WORDS}" for n in range(30))
    passages = _cut(f"## Rules\n\n{items}")
    assert len(passages) > 1
    for passage in passages:
        assert all(line.startswith("- item") for line in passage.text.splitlines())


def test_a_nested_list_and_wrapped_lines_stay_readable() -> None:
    text = (
        "Meals are refunded up to fifty-five euros a day when you hand in\nthe receipts.\n\n"
        "- first\n  - inner\n- second, which an editor has wrapped at the end of its line\n"
        "  and goes on here"
    )
    (passage,) = _cut(text)
    assert passage.text == (
        "Meals are refunded up to fifty-five euros a day when you hand in the receipts.\n\n"
        "- first\n  - inner\n- second, which an editor has wrapped at the end of its line and "
        "goes on here"
    )


def test_tiny_neighbouring_sections_become_one_passage_under_their_parent() -> None:
    text = f"## Office\n\n### Wifi\n\nAsk Ola.\n\n### Keys\n\nAsk Kari.\n\n## Sick\n\n{LONG}"
    passages = _cut(text)
    assert [p.breadcrumb for p in passages] == ["Leave > Office", "Leave > Sick"]
    assert passages[0].text == "Wifi: Ask Ola.\nKeys: Ask Kari."


def test_a_tiny_section_alone_stays_as_it_is() -> None:
    text = f"## Office\n\n### Wifi\n\nAsk Ola.\n\n## Sick\n\n{LONG}"
    assert _crumbs(text) == ["Leave > Office > Wifi", "Leave > Sick"]


def test_headings_without_text_make_no_passage() -> None:
    assert _cut("# Leave\n\n## Sick\n\n### Notes\n") == ()


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab .!?\n#-|`~*=_<>[]()1é🎉\t"), max_size=1500))
def test_any_text_whatever_is_cut_into_pieces_that_fit(text: str) -> None:
    for passage in _cut(text):
        assert passage.text.strip()
        assert len(passage.text.split()) <= PASSAGE_TOKENS + 1


def test_real_tokens_fit_even_without_a_space_to_cut_at(embedder: MiniLmEmbedder) -> None:
    texts = ["x" * 3_000, "https://example.com/" + "a/b" * 500, "ord " * 1_000, "🎉" * 900]
    for text in texts:
        passages = cut(Page("Title", text), embedder.count_tokens)
        counts = embedder.count_tokens([p.text for p in passages])
        assert counts
        assert max(counts) <= PASSAGE_TOKENS


def test_passages_are_shorter_for_an_embedder_that_reads_less_and_no_longer_for_more() -> None:
    assert room_for_text(254) == room_for_text(508) == PASSAGE_TOKENS
    room = room_for_text(126)
    assert room + HEADING_TOKENS == 126
    page = Page("Leave", f"{LONG} {LONG} {LONG}\n\n| a | b |\n|--|--|\n" + "| x y | z |\n" * 90)
    passages = cut(page, lambda texts: [len(text.split()) for text in texts], room)
    assert max(len(passage.text.split()) for passage in passages) <= room
    assert len(passages) > len(_cut(page.text))
