"""Bytes to text, in whatever encoding somebody saved them."""

from __future__ import annotations

import unicodedata

from knowledge.listing import FileUnreadable


def decode(data: bytes) -> str:
    """Return the text that bytes hold: UTF-8, UTF-16 with its mark, or the likeliest other.

    Raises:
        FileUnreadable: they hold no text.
    """
    has_mark = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\x00" in data[:65_536] and not has_mark:
        raise FileUnreadable("it is not text, whatever its name says")
    try:
        text: str | None = data.decode("utf-16" if has_mark else "utf-8-sig")
    except UnicodeDecodeError:
        from bs4 import UnicodeDammit

        text = UnicodeDammit(data).unicode_markup
    sample = text[:20_000] if text is not None else "\ufffd"
    if text is None or sum(map(_is_odd, sample)) > 0.02 * len(sample):
        raise FileUnreadable("it is not text, or in an unknown encoding")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def _is_odd(letter: str) -> bool:
    is_control = unicodedata.category(letter) == "Cc" and letter not in "\t\n\r\f"
    return is_control or letter == "\ufffd"
