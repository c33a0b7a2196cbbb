"""Markdown and MDX to plain, structured text: headings, lists, tables and code stay as they are.

What only a browser needs goes: link targets, emphasis marks, HTML tags, comments, imports. The
model, the embedder and the people who read a quotation are better off without them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

import yaml

#: Front matter longer than this, in characters, is none.
LONGEST_FRONT_MATTER = 16_384

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*$\r?\n?", re.M | re.S)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)\1(?!`)", re.S)

# What may be long has a bound: a page full of beginnings without an end must not take for ever.
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|\{/\*.{0,5000}?\*/\}", re.S)
_HIDDEN = re.compile(r"<(script|style|svg)\b[^>]*>.*?</\1\s*>", re.S | re.I)
_IMPORT = re.compile(r"^import\s[^;]{0,2000}?from\s+['\"][^'\"\n]*['\"];?[ \t]*$", re.M)
_EXPORT = re.compile(
    r"^export\s+(?:const|default|function)\b.*?(?:;[ \t]*$|^\}[ \t]*$)", re.M | re.S
)
_SHORTCODE = re.compile(
    r"\{\{[<%].*?[>%]\}\}|^\{:.*?\}[ \t]*$|^\[\[?_?TOC_?\]?\][ \t]*$", re.M | re.S
)
_ADMONITION = re.compile(r"^:::+[ \t]*\w*[ \t]*", re.M)
_QUOTE = re.compile(r"^ {0,3}(?:> ?)+", re.M)
_CALLOUT = re.compile(r"^[ \t]*\[!(\w+)\][ \t]*\n?", re.M)
_HEADING_ID = re.compile(r"^( {0,3}#{1,6} .*?)[ \t]*\{#[^}\n]*\}[ \t]*$", re.M)
_AUTO_LINK = re.compile(r"<((?:https?://|mailto:)[^<>\s]+|[^<>\s@]+@[^<>\s@]+)>")
_BREAK = re.compile(r"<br\s*/?>", re.I)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_IMAGE = re.compile(r"!\[([^\]\n]{0,1000})\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)|\[[^\]\n]*\])")
_LINK = re.compile(r"\[([^\[\]]+)\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)|\[[^\]\n]*\])")
_LINK_TARGET = re.compile(r"^ {0,3}\[[^\]\n^]+\]:[ \t]+\S+.*$\n?", re.M)
_STRONG = re.compile(r"(\*\*|__)(?=\S)((?:(?!\n\s*\n).){1,1000}?)(?<=\S)\1", re.S)
_EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])((?:(?!\n\s*\n)[^*])+?)(?<=[^\s*])\*(?![\w*])")
_UNDERSCORE = re.compile(r"(?<![\w_])_(?=[^\s_])((?:(?!\n\s*\n)[^_])+?)(?<=[^\s_])_(?![\w_])")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|<>~])")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")


def split_front_matter(text: str) -> tuple[Mapping[str, object], str]:
    """Return the fields of a YAML front matter, by name in lower case, and the text behind it.

    Front matter that is not a YAML mapping is dropped like a comment: the page still counts.
    """
    found = _FRONT_MATTER.match(text)
    if found is None or len(found.group(1)) > LONGEST_FRONT_MATTER:
        return {}, text.removeprefix("\ufeff")
    try:
        fields = yaml.safe_load(found.group(1))
    except (yaml.YAMLError, ValueError, RecursionError):
        fields = None
    named = fields if isinstance(fields, dict) else {}
    return {str(name).lower(): value for name, value in named.items()}, text[found.end() :]


def plain_markdown(text: str) -> str:
    """Return Markdown or MDX without what only a browser needs; fenced code is left alone."""
    cleaned = "\n".join(part if is_code else _plain(part) for is_code, part in split_fences(text))
    return _BLANK_LINES.sub("\n\n", cleaned).strip()


def split_fences(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the runs of lines inside fenced code (True) and outside of it (False), in order."""
    fence = ""
    run: list[str] = []
    for line in text.splitlines():
        found = _FENCE.match(line)
        if not fence and found:
            if run:
                yield False, "\n".join(run)
            fence, run = found.group(1), [line]
        elif fence and found and _closes(line, fence):
            yield True, "\n".join([*run, line])
            fence, run = "", []
        else:
            run.append(line)
    if run:
        yield bool(fence), "\n".join(run)


def _closes(line: str, fence: str) -> bool:
    mark = line.strip()
    return set(mark) == {fence[0]} and len(mark) >= len(fence)


def _plain(text: str) -> str:
    for pattern in (_COMMENT, _HIDDEN, _IMPORT, _EXPORT, _SHORTCODE):
        text = pattern.sub("", text)
    text = _ADMONITION.sub("", _HEADING_ID.sub(r"\1", text))
    text = _CALLOUT.sub(lambda found: f"{found.group(1).capitalize()}: ", _QUOTE.sub("", text))
    text = _LINK_TARGET.sub("", text)
    pieces, end = [], 0
    for span in _CODE_SPAN.finditer(text):
        pieces += [_inline(text[end : span.start()]), span.group()]
        end = span.end()
    return "".join([*pieces, _inline(text[end:])])


def _inline(text: str) -> str:
    text = _AUTO_LINK.sub(r"\1", text)
    text = _TAG.sub("", _BREAK.sub("\n" if "|" not in text else " ", text))
    text = _LINK.sub(r"\1", _IMAGE.sub(r"\1", text))
    text = _STRONG.sub(r"\2", text)
    text = _UNDERSCORE.sub(r"\1", _EMPHASIS.sub(r"\1", text))
    return html.unescape(_ESCAPED.sub(r"\1", text))
