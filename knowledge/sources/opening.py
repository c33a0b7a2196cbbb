"""From a location to its listing: what kind of source it is shows in how it is written."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from knowledge.folder import list_files
from knowledge.listing import Listing, SourceMissing
from knowledge.readers import SUFFIXES
from knowledge.sources.git_repository import list_repository

#: `https://host/team/docs.git#branch:folder`, `ssh://…`, `git@host:team/docs`, `git+https://…`.
_REPOSITORY = re.compile(
    r"git\+.+|ssh://.+|git@[\w.-]+:.+|(?:https|file)://[^#]+\.git/?(?:#.*)?", re.IGNORECASE
)


class SourceLister:
    """Lists whatever can be a source."""

    def __init__(self, checkouts: Path) -> None:
        """Take the folder in which repositories are kept between syncs."""
        self._checkouts = checkouts

    def __call__(self, location: str) -> Listing:
        """List the documents at a location.

        Raises:
            SourceMissing: there is nothing there, or it is of no kind that can be read.
        """
        if is_repository(location):
            digest = hashlib.sha256(location.encode()).hexdigest()[:16]
            return list_repository(
                location.removeprefix("git+"), self._checkouts / digest, SUFFIXES
            )
        if "://" in location:
            raise SourceMissing(
                f"{location!r} cannot be read. A git repository's address ends in .git; "
                "other sources are folders and files."
            )
        return list_files(Path(location), SUFFIXES)


def is_repository(location: str) -> bool:
    """Whether a location is written like a git repository's address."""
    return _REPOSITORY.fullmatch(location) is not None
