"""Files of Word, PowerPoint and Excel: is it one, may it be opened, what does it say of itself."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from xml.etree import ElementTree

from knowledge.archive_limits import check_archive, check_markup
from knowledge.listing import FileUnreadable

Program = Literal["Word", "PowerPoint", "Excel"]

#: What the list of content types of each program's files has in it (ECMA-376 part 1).
_CONTENT_TYPES: dict[Program, re.Pattern[bytes]] = {
    "Word": re.compile(rb"(wordprocessingml\.(document|template)|ms-word\.\S+?)\.main\+xml"),
    "PowerPoint": re.compile(
        rb"(presentationml\.(presentation|template|slideshow)|ms-powerpoint\.\S+?)\.main\+xml"
    ),
    "Excel": re.compile(rb"(spreadsheetml\.(sheet|template)|ms-excel\.\S+?)\.main\+xml"),
}
_KINDS: dict[Program, str] = {
    "Word": "a Word document",
    "PowerPoint": "a PowerPoint presentation",
    "Excel": "an Excel workbook",
}

OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_STRICT = b"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument"

_CORE = "docProps/core.xml"
_NAMES = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "author": "{http://purl.org/dc/elements/1.1/}creator",
    "last_modified_by": (
        "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}lastModifiedBy"
    ),
    "updated": "{http://purl.org/dc/terms/}modified",
}

#: Titles and names that programs fill in by themselves, in lower case.
_NOT_TITLES = frozenset(
    {
        *("powerpoint presentation", "powerpoint-presentasjon", "presentation", "word document"),
        *("book1", "untitled", "untitled document", "untitled presentation", "slide 1"),
        "document1",
    }
)
_NOT_PEOPLE = frozenset(
    {
        *("microsoft office user", "windows user", "user", "author", "admin", "administrator"),
        *("bruker", "python-docx", "openpyxl", "microsoft", "office", "unknown", "apache poi"),
        "pptxgenjs",
    }
)


def check_office_file(data: bytes, program: Program) -> dict[str, object]:
    """Make sure that a file is one of a program's, and safe to open; return its fields.

    Raises:
        FileUnreadable: it is something else, damaged, protected by a password, or a bomb.
    """
    if data.startswith(OLE_MARK):
        raise FileUnreadable(_why_not(data))
    if not data.startswith(b"PK"):
        raise FileUnreadable(f"it is not {_KINDS[program]}, whatever its name says")
    with damage_told("the file"), zipfile.ZipFile(io.BytesIO(data)) as archive:
        check_archive(archive, len(data))
        names = set(archive.namelist())
        if "[Content_Types].xml" not in names:
            raise FileUnreadable(f"it is not {_KINDS[program]}, whatever its name says")
        check_markup(archive)
        if not _CONTENT_TYPES[program].search(archive.read("[Content_Types].xml")):
            raise FileUnreadable(f"it is not {_KINDS[program]}, whatever its name says")
        if "_rels/.rels" in names and _STRICT in archive.read("_rels/.rels"):
            raise FileUnreadable(
                "it is saved in the form called Strict Open XML; save it in the usual one"
            )
        return _fields(archive.read(_CORE)) if _CORE in names else {}


@contextmanager
def damage_told(what: str) -> Iterator[None]:
    """Turn whatever a parser trips over into `FileUnreadable`; want of memory stays what it is."""
    try:
        yield
    except (FileUnreadable, MemoryError):
        raise
    except RecursionError as error:
        raise FileUnreadable("it is nested too deeply") from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise FileUnreadable(f"{what} is damaged ({short(error)})") from error
    except Exception as error:  # a damaged file breaks a parser in more ways than it has names for
        raise FileUnreadable(f"{what} is damaged ({short(error)})") from error


def short(error: Exception) -> str:
    """Return an error's kind and the beginning of what it says."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message[:80]}" if message else type(error).__name__


def real_title(title: object) -> str | None:
    """Return a title that somebody wrote; None for one that a program filled in."""
    text = " ".join(str(title or "").split()).removeprefix("Microsoft Word - ")
    text = text.removeprefix("Microsoft PowerPoint - ")
    return None if text.casefold() in _NOT_TITLES else text or None


def real_name(name: object) -> str | None:
    """Return somebody's name; None for one that a program filled in."""
    text = " ".join(str(name or "").split())
    return None if text.casefold() in _NOT_PEOPLE else text or None


def _fields(core: bytes) -> dict[str, object]:
    try:
        root = ElementTree.fromstring(core)  # noqa: S314 - it was made sure that it has no entities
    except ElementTree.ParseError:
        return {}
    found = {field: root.findtext(name) for field, name in _NAMES.items()}
    return {
        "title": real_title(found["title"]),
        "author": real_name(found["author"]) or real_name(found["last_modified_by"]),
        "updated": found["updated"],
    }


def _why_not(data: bytes) -> str:
    """Say what a file is that begins like those of Office before 2007."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as opened:
            streams = {"/".join(path).casefold() for path in opened.listdir()}
    except Exception:  # it could not even be listed
        return "it is damaged"
    if "encryptedpackage" in streams:
        return "it is protected by a password"
    if any(name.startswith("__properties_version1.0") for name in streams):
        return "it is an Outlook message, whatever its name says"
    return "it is in a format of Office before 2007; save it anew in today's format"
