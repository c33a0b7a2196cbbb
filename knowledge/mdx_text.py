"""MDX to Markdown: the program in it goes, the words in it stay.

Imports, exports and tags go. Of a component's attributes stay those that are words for people: in
`<Tab title="Sick leave">` it is the only place where the name of the tab is written. Where many
braces and tags have no end the page is no MDX, and the rest of it is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.markdown_text import split_fences

#: No tag, expression or statement in a page is longer, in characters.
_LONGEST = 20_000

#: So many braces and tags without an end are taken for typing errors.
_MOST_UNCLOSED = 20

_STATEMENT = re.compile(
    r"^(?:import\s*(?:['\"{*]|[\w$]+\s*(?:,|from\b))"
    r"|export\s+(?:const|let|var|default|async|function|class|type|interface)\b"
    r"|export\s*[{*])",
    re.M,
)
_TAG = re.compile(r"</?(?:(?P<name>[A-Za-z][\w.-]*)(?=[\s/>])|(?=>))")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")
_BREAKS = re.compile(r"[`<{\\]")
_TICKS = re.compile(r"`+")
_MARKS = re.compile(r"['\"`{}>]")
_QUOTED = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|`(?:[^`\\]|\\.)*`")
_LITERAL = re.compile(
    r"\s*(?P<quote>['\"`])(?P<text>(?:(?!(?P=quote))[^\\$]|\\.|\$(?!\{))*)(?P=quote)\s*", re.S
)
_INNER = re.compile(r"</?[A-Za-z>].*>", re.S)
_ATTRIBUTE = re.compile(
    r"(?P<name>[\w:-]+)\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'"
    r"|\{\s*(?P<list>\[[^\[\]{}]*\]|['\"`][^'\"`{}]*['\"`])\s*\})"
)

#: Attributes that are for the browser or the program, whatever their value looks like.
_TECHNICAL = frozenset(
    """
    as class classname color component figurename form height href icon id image img key kind lang
    language layout level name path ref rel role size slug src style tabindex target theme to tone
    type url value variant width
    """.split()
)

#: These are kept by the Markdown reader, or dropped by it with all that is in them.
_FOR_MARKDOWN = frozenset(("br", "script", "style", "svg"))


def without_components(text: str) -> str:
    """Return MDX as Markdown; fenced code is left alone."""
    return "\n".join(
        part if is_code else _markdown(_without_statements(part))
        for is_code, part in split_fences(text)
    )


def _without_statements(text: str) -> str:
    """Leave out imports and exports: from their first line to where all brackets are closed."""
    kept, end = [], 0
    while found := _STATEMENT.search(text, end):
        kept.append(text[end : found.start()])
        end = _end_of_statement(text, found.start())
    return "".join([*kept, text[end:]])


def _end_of_statement(text: str, start: int) -> int:
    depth, place, most = 0, start, min(len(text), start + _LONGEST)
    while place < most:
        letter = text[place]
        if letter in "'\"`" and (quoted := _QUOTED.match(text, place, most)):
            place = quoted.end()
            continue
        depth += (letter in "{([") - (letter in "})]")
        following = text[place + 1 : place + 2]
        if letter == "\n" and depth <= 0 and following not in (" ", "\t"):
            return place
        place += 1
    if most == len(text) and depth <= 0:
        return most
    blank = text.find("\n\n", start)  # it has no end: its paragraph goes
    return len(text) if blank < 0 else blank


def _markdown(text: str) -> str:
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    """Yield what is kept of a text without statements."""
    end = unclosed = 0
    while unclosed < _MOST_UNCLOSED and (found := _BREAKS.search(text, end)):
        start = found.start()
        yield text[end:start]
        piece = _piece(text, start)
        unclosed += piece is None
        kept, end = piece or (text[start], start + 1)
        yield kept
    yield text[end:]


def _piece(text: str, start: int) -> tuple[str, int] | None:
    """Return what is kept of what begins at `start` and where it ends; None if it has no end."""
    letter = text[start]
    if letter == "\\":
        return text[start : start + 2], start + 2
    if letter == "`":
        span = _CODE_SPAN.match(text, start) or _TICKS.match(text, start)
        return (span.group(), span.end()) if span else None
    if letter == "{":
        end = _closing(text, start + 1, "}")
        return (_of_expression(text[start + 1 : end]), end + 1) if end else None
    tag = _TAG.match(text, start)
    if tag is None:
        return "<", start + 1
    end = _closing(text, tag.end(), ">")
    if not end:
        return None
    name = tag["name"] or ""
    is_kept = name.lower() in _FOR_MARKDOWN
    return text[start : end + 1] if is_kept else _of_tag(name, text[tag.end() : end]), end + 1


def _closing(text: str, start: int, mark: str) -> int:
    """Return where a tag or expression ends; 0 if it does not."""
    depth, place, most = 0, start, min(len(text), start + _LONGEST)
    while found := _MARKS.search(text, place, most):
        letter, place = found.group(), found.end()
        if letter == mark and depth == 0:
            return found.start()
        if letter in "{}":
            depth += 1 if letter == "{" else -1
        elif letter != ">" and (quoted := _QUOTED.match(text, found.start(), most)):
            place = quoted.end()
        if depth < 0:
            return 0
    return 0


def _of_expression(program: str) -> str:
    """Return the words in an expression: a text, or what stands between tags."""
    if literal := _LITERAL.fullmatch(program):
        return literal["text"]
    inner = _INNER.search(program)
    return _markdown(inner.group()) if inner and not program.lstrip().startswith("/*") else ""


def _of_tag(name: str, attributes: str) -> str:
    if not name[:1].isupper():
        return ""
    words = []
    for found in _ATTRIBUTE.finditer(attributes):
        value = found["double"] or found["single"] or found["list"] or ""
        if value[:1] in "['\"`" and found["list"]:
            value = ", ".join(each.group()[1:-1] for each in _QUOTED.finditer(value))
        if found["name"].lower() not in _TECHNICAL and _is_words(value):
            words.append(" ".join(value.split()))
    said = ""
    for each in words:
        joint = ". " if each[:1].isupper() and said[-1:].isalnum() else " "
        said = f"{said}{joint}{each}" if said else each
    return f"{said}: " if said and not attributes.rstrip().endswith("/") else said


def _is_words(value: str) -> bool:
    """Whether people read a value: it begins like a name or a sentence, and is no path or code."""
    has_code = re.search(r"[{}<>=;]|://|^[./#@]|\w/\w*\.\w", value) is not None
    return not has_code and (value[:1].isupper() or (" " in value.strip() and "--" not in value))
