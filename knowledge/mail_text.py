"""Email as Markdown: what was written first, then what it answers; attachments are only named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from itertools import islice

from knowledge.decoding import decode
from knowledge.html_text import html_text, parse_html
from knowledge.listing import FileUnreadable
from knowledge.office_file import OLE_MARK, damage_told
from knowledge.written_text import WrittenText, heading, joined, one_line, without_marks

_MOST_NAMED = 5

#: A file without any of these headers is no email.
_USUAL = ("from", "to", "subject", "date", "received", "message-id")

#: Where programs begin what they quote: "On … wrote:", or Outlook's rule and head.
_HISTORY = re.compile(
    r"^(?:(?!>)(?=[^\n]*\d)[^\n]{4,200}?(?:\n(?!>)[^\n]{0,100}?)?"
    r"\b(?:wrote|skrev|schrieb|a écrit)\b[^\n]*:"
    r"|-{2,} ?(?:original message|forwarded message|opprinnelig melding|videresendt melding)\b.*"
    r"|(?=\*?(?:From|Fra):[^\n]+\n+\*?(?:Sent|Date|Sendt|Dato):).*)[ \t]*$",
    re.M | re.I,
)
_QUOTE = re.compile(r"^(?:>[ \t]?)+")
_RULE = re.compile(r"^[ \t]*(?:[-=_*][ \t]*){2,}$", re.M)
_OUTLOOK_LINK = re.compile(r"(?<=\S)<((?:https?://|mailto:)[^<>\s]+)>")
_PICTURE = re.compile(r"\[cid:[^\]\s]+\]")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")

#: Holds a message's text where it was saved neither as plain text nor as HTML (MS-OXPROPS).
_RICH_TEXT = 0x1009


def read_email(data: bytes) -> WrittenText:
    """Read an email in the form in which it was sent (RFC 5322, `.eml`).

    Raises:
        FileUnreadable: it is none, or damaged.
    """
    with damage_told("the message"):
        message = BytesParser(policy=policy.default).parsebytes(data)
        if not any(name in message for name in _USUAL):
            raise FileUnreadable("it is not an email, whatever its name says")
        attached = [
            one_line(str(part.get_filename() or part.get_content_type()))
            for part in message.iter_attachments()
        ]
        return _written(
            subject=_header(message, "subject"),
            sender=_people([_header(message, "from")]),
            receivers=_people([_header(message, "to"), _header(message, "cc")]),
            sent=_moment(_header(message, "date")),
            body=_body(message),
            attached=attached,
        )


def read_outlook(data: bytes) -> WrittenText:
    """Read a message that Outlook saved (`.msg`).

    Raises:
        FileUnreadable: it is none, damaged, or holds its text only in a form that is not read.
    """
    import oxmsg

    if not data.startswith(OLE_MARK):
        raise FileUnreadable("it is not an Outlook message, whatever its name says")
    with damage_told("the message"):
        message = oxmsg.Message.load(data)
        body = _plain(message.body or "")
        if not body and message.html_body:
            body = html_text(parse_html(message.html_body))
        if not body and message.properties.binary_prop_value(_RICH_TEXT):
            raise FileUnreadable("its text is only kept as RTF; save the message anew as .eml")
        receivers = [each.name.strip() or each.email_address for each in message.recipients]
        return _written(
            subject=message.subject,
            sender=_people([message.sender or ""]),
            receivers=list(dict.fromkeys(receivers)),
            sent=message.sent_date,
            body=body,
            attached=[each.file_name or "" for each in message.attachments],
        )


def _written(
    *,
    subject: str,
    sender: Sequence[str],
    receivers: Sequence[str],
    sent: datetime | None,
    body: str,
    attached: Iterable[str],
) -> WrittenText:
    said, history = _apart(body.strip())
    names = [one_line(name) for name in attached if name]
    if not said and not names:
        return WrittenText(())
    who = " ".join(
        [
            f"From {', '.join(sender)}" if sender else "An email",
            *([f"to {_listed(receivers)}"] if receivers else []),
            *([f"on {sent:%Y-%m-%d}"] if sent else []),
        ]
    )
    blocks = [f"{who}.", said, f"Attached: {', '.join(names)}." if names else ""]
    if history:
        blocks += [heading(2, "Earlier messages"), history]
    fields: dict[str, object] = {"title": one_line(subject) or None, "updated": sent}
    fields["author"] = sender[0] if sender else None
    return WrittenText((joined(blocks),), fields)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    shown = ", ".join(map(one_line, names[:_MOST_NAMED]))
    return f"{shown} and {more} others" if more > 1 else ", ".join(map(one_line, names))


def _apart(text: str) -> tuple[str, str]:
    """Part what was written from the messages below it.

    A quotation that is answered piece by piece stays where it is.
    """
    found = _HISTORY.search(text)
    if found is None or not text[: found.start()].strip():
        return _readable(text), ""
    below = [line for line in text[found.end() :].split("\n") if line.strip()]
    quoted = sum(line.startswith(">") for line in below)
    if 0 < quoted < len(below):
        return _readable(text), ""
    return _readable(text[: found.start()]), _readable(text[found.start() :])


def _readable(text: str) -> str:
    """Return text without marks of quotation; what they told apart are paragraphs."""
    lines: list[str] = []
    depth = 0
    for line in text.split("\n"):
        mark = _QUOTE.match(line)
        deep = mark.group().count(">") if mark else 0
        if deep != depth:
            lines.append("")
        lines.append(without_marks(line[mark.end() :]) if mark else line)
        depth = deep
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _body(message: EmailMessage) -> str:
    """Return the text of a message: the plain one, or that of the HTML where there is no other."""
    plain = message.get_body(preferencelist=("plain",))
    text = _plain(_decoded(plain)) if plain is not None else ""
    if text:
        return text
    page = message.get_body(preferencelist=("html",))
    return html_text(parse_html(_decoded(page))) if page is not None else ""


def _decoded(part: MIMEPart) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(part.get_content_charset("utf-8"))
    except (LookupError, UnicodeDecodeError):  # it is not what it says it is
        return decode(data)


def _plain(text: str) -> str:
    """Return a plain text without pictures' places and rules; links stand behind their words."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    text = _OUTLOOK_LINK.sub(r" (\1)", _PICTURE.sub("", text))
    return without_marks(_RULE.sub("", text)).strip()


def _header(message: EmailMessage, name: str) -> str:
    """Return a header in letters, also where it was sent in plain bytes."""
    value = message.get(name)
    if value is None:
        return ""
    raw = next(text for each, text in message.raw_items() if each.lower() == name)
    raw = str(raw)
    if any("\udc80" <= letter <= "\udcff" for letter in raw):
        return one_line(raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return one_line(str(value))


def _people(headers: Sequence[str]) -> list[str]:
    """Return the names in address headers, or the addresses of those without one."""
    found = islice(getaddresses(headers), 1_000)
    return list(dict.fromkeys(one_line(name) or address for name, address in found if address))


def _moment(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
