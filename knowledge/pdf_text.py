"""PDF to text, page by page."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from itertools import islice

from knowledge.listing import FileUnreadable
from knowledge.written_text import MOST_CHARACTERS

#: A file with more pages is no document that anyone asks questions about.
MOST_PAGES = 2_000

_BROKEN_WORD = re.compile(r"(?<=[a-zæøå])-\n(?=[a-zæøå])")
_BROKEN_LINE = re.compile(r"(?<![.:;!?\n])\n(?=[a-zæøå(])")


@dataclass(frozen=True)
class PdfText:
    """The text of each page in order, and what the file says of itself."""

    pages: tuple[str, ...]
    fields: dict[str, object]


def read_pdf(data: bytes) -> PdfText:
    """Return the text of a PDF.

    Raises:
        FileUnreadable: it is no PDF, is damaged, needs a password, has too many pages, or has
            no text in it.
    """
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, PyPdfError

    if b"%PDF-" not in data[:1024]:
        raise FileUnreadable("it is not a PDF, whatever its name says")
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise FileUnreadable("it is protected by a password")
        if len(reader.pages) > MOST_PAGES:
            raise FileUnreadable(f"it has more than {MOST_PAGES:,} pages")
        pages: list[str] = []
        characters = 0
        for page in islice(reader.pages, MOST_PAGES):
            pages.append(_flowing(page.extract_text() or ""))
            characters += len(pages[-1])
            if characters > MOST_CHARACTERS:
                raise FileUnreadable("it has more text than any document has")
        described = reader.metadata
        fields: dict[str, object] = {}
        if described is not None:
            fields = {"title": described.title, "owner": described.author}
            fields["updated"] = described.modification_date
    except (FileUnreadable, MemoryError):
        raise
    except DependencyError as error:
        raise FileUnreadable("it is encrypted in a way that cannot be read here") from error
    except (PyPdfError, RecursionError) as error:
        raise FileUnreadable(f"the PDF is damaged ({_short(error)})") from error
    except Exception as error:  # a damaged file breaks a parser in more ways than it has names for
        raise FileUnreadable(f"the PDF is damaged ({_short(error)})") from error
    if not pages:
        raise FileUnreadable("it is a PDF without pages")
    if not any(page.strip() for page in pages):
        raise FileUnreadable(
            "there is no text in it; a scan has to go through text recognition (OCR) first"
        )
    return PdfText(tuple(pages), fields)


def _flowing(text: str) -> str:
    """Join the lines of a paragraph, and words that were divided at a line's end."""
    text = text.replace("\r", "\n").replace("\x00", "")
    return _BROKEN_LINE.sub(" ", _BROKEN_WORD.sub("", text)).strip()


def _short(error: Exception) -> str:
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message[:80]}" if message else type(error).__name__
