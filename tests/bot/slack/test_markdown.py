"""Markdown made to fit: sizes, tables, code, links, mentions; whatever a model writes."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.markdown import EXPANDED_BLOCKS, MESSAGE_LIMIT, expanded_blocks, fitting_markdown
from bot.slack.wording_diff import marked_changes

TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n"
PIECES = st.sampled_from(
    ["# Heading\n", TABLE, "```\ncode\n```\n", "- item\n", "text ", "[x](https://a.example) ", "\n"]
)


@given(st.lists(PIECES, max_size=300).map("".join), st.integers(0, 9_000))
def test_a_message_always_fits(text: str, others: int) -> None:
    shown = fitting_markdown(text, others=others)
    assert len(shown) <= min(12_000, MESSAGE_LIMIT - others)
    assert expanded_blocks(shown.split("\n")) <= EXPANDED_BLOCKS + 1
    assert shown.count("```") % 2 == 0


def test_a_code_block_that_is_cut_is_closed() -> None:
    shown = fitting_markdown("```\n" + "line\n" * 5_000 + "```")
    assert shown.rstrip("…").rstrip().endswith("```")


def test_many_tables_become_rows_and_few_stay_tables() -> None:
    assert "|---|" in fitting_markdown(TABLE)
    many = fitting_markdown("\n".join(TABLE for _ in range(60)))
    assert "|---|" not in many
    assert "- 1 · 2" in many


def test_only_links_to_the_sources_stay() -> None:
    text = "[ours](https://wiki.example/a) and [theirs](https://evil.example)"
    shown = fitting_markdown(text, links={"https://wiki.example/a"})
    assert shown == "[ours](https://wiki.example/a) and theirs"
    assert "evil" in fitting_markdown(text, links=None)


def test_an_expert_may_link_but_not_with_a_script() -> None:
    assert fitting_markdown("[x](javascript:alert)", links=None) == "x"


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_diff_mentions_nobody_and_links_nothing(before: str, after: str) -> None:
    shown = marked_changes(before + " <!channel>", after + " <@U1> @here")
    assert not re.search(r"<[!@#h]", shown)
    assert not re.search(r"@(here|channel|everyone)\b", shown, re.IGNORECASE)
