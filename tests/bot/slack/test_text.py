from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.markdown import fitting_markdown
from bot.slack.text import escape, safe_mrkdwn

TRICKS = st.sampled_from(
    [
        "<!channel>",
        "<@U123>",
        "<#C1>",
        "<!subteam^S1>",
        "@here",
        "@everyone",
        "<https://evil.example|bank>",
        "[bank](https://evil.example)",
        "![x](https://evil.example/a.png)",
        "&lt;!here&gt;",
        "plain text",
    ]
)
HOSTILE = st.lists(st.one_of(TRICKS, st.text(max_size=20)), max_size=6).map(" ".join)


@given(HOSTILE)
def test_no_text_of_others_can_mention_anybody_or_link(text: str) -> None:
    for shown in (fitting_markdown(text), safe_mrkdwn(text)):
        assert not re.search(r"<[!@#h]", shown)
        assert not re.search(r"@(here|channel|everyone)\b", shown, re.IGNORECASE)
    assert not re.search(r"\]\([^)]*\)", fitting_markdown(text))


@given(st.text())
def test_escaping_is_undone_by_reading(text: str) -> None:
    assert html.unescape(escape(text)).count("<") >= text.count("<")
    assert "<" not in escape(text)
    assert ">" not in escape(text)


@given(st.text(min_size=48, max_size=60))
def test_a_markdown_block_is_never_too_long(text: str) -> None:
    assert len(fitting_markdown(text * 250)) <= 12_000
