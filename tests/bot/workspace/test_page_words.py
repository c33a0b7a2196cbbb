"""What the page itself says is there in both languages."""

from __future__ import annotations

import re
from importlib.resources import files

PAGE = files("bot.workspace") / "page"

#: A sentence of the page: a template with what is put into it.
_SAID = re.compile(r"(?<![\w.])t`((?:[^`$]|\$\{[^}]*\})*)`")
#: What the page gets from the workspace: roles, and what a form says that was not taken.
_KNOWN = {
    *("employee", "expert", "admin", "guest", "app"),
    "We had some trouble connecting. Try again?",
}


def _entries() -> dict[str, str]:
    table = (PAGE / "words.js").read_text("utf-8").partition("const NORWEGIAN = {")[2]
    return dict(re.findall(r'"((?:[^"\\]|\\.)*)": "((?:[^"\\]|\\.)*)"', table.partition("};")[0]))


def _said() -> set[str]:
    found: set[str] = set()
    for file in PAGE.iterdir():
        if file.name.endswith(".js") and file.name != "words.js":
            text = file.read_text("utf-8")
            found |= {re.sub(r"\$\{[^}]*\}", "{}", one) for one in _SAID.findall(text)}
    return found


def test_every_sentence_of_the_page_is_there_in_norwegian_and_no_other() -> None:
    said = _said()
    assert len(said) > 40
    assert set(_entries()) == said | _KNOWN


def test_a_norwegian_sentence_has_as_many_values() -> None:
    for english, norwegian in _entries().items():
        assert english.count("{}") == norwegian.count("{}"), english
