"""From a location to its listing: what kind of source it is shows in how it is written."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from knowledge.folder import list_files
from knowledge.listing import Listing, SourceMissing
from knowledge.readers import SUFFIXES
from knowledge.sources.export_files import open_export
from knowledge.sources.git_repository import list_repository, parse_repository
from knowledge.sources.slack_export import is_slack_export, list_slack_export

if TYPE_CHECKING:
    from knowledge.sources.crawl_limits import CrawlLimits
    from knowledge.sources.web_address import AllowedHost

#: `https://host/team/docs.git#branch:folder`, `ssh://…`, `git@host:team/docs`, `git+https://…`.
_REPOSITORY = re.compile(
    r"git\+.+|ssh://.+|git@[\w.-]+:.+|(?:https|file)://[^#]+\.git/?(?:#.*)?", re.IGNORECASE
)


@dataclass(frozen=True)
class ListingOptions:
    """What an admin allows and says of sources beside where they are.

    Attributes:
        suffixes: The suffixes that can be read, in lower case (`.md`).
        allowed_hosts: The hosts that websites may be fetched from; none may if it is empty.
        limits: How far websites are crawled, if not as far as `CrawlLimits` says.
        git_credentials: `name:password` for repositories, by host; secret.
        slack_workspace_url: `https://acme.slack.com`, for links to the messages of an export.
    """

    suffixes: frozenset[str] = SUFFIXES
    allowed_hosts: tuple[AllowedHost, ...] = ()
    limits: CrawlLimits | None = None
    git_credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    slack_workspace_url: str = ""


class SourceLister:
    """Lists whatever can be a source."""

    def __init__(self, checkouts: Path, options: ListingOptions | None = None) -> None:
        """Take the folder in which repositories and websites are kept between syncs."""
        self._checkouts = checkouts
        self._options = options or ListingOptions()

    def __call__(self, location: str) -> Listing:
        """List the documents at a location.

        It is the address of a git repository or of a website, the path of an export of Slack,
        Notion or Confluence, or that of a folder or file. `#channel,channel` behind the path of
        a Slack export lists just these channels, private ones too.

        Raises:
            SourceMissing: there is nothing there, or it is of no kind that can be read.
        """
        if is_repository(location):
            return self._repository(location)
        if location.lower().startswith(("http://", "https://")):
            return self._website(location)
        if "://" in location:
            raise SourceMissing(
                f"{location.partition('://')[0]!r} addresses cannot be read. A git repository's "
                "address ends in .git; other sources are websites, folders and files."
            )
        return self._path(location)

    def _repository(self, location: str) -> Listing:
        repository = parse_repository(location)
        if repository.user:
            raise SourceMissing(
                f"The address of {repository.url} is given with a name or password. A source's "
                "address is kept and shown: give it without, and the password to git's own "
                "credential helper."
            )
        url = location.strip().removeprefix("git+")
        host = urlsplit(repository.url).netloc
        credentials = self._options.git_credentials.get(host, "")
        if credentials and url.startswith("https://"):
            user, _, password = credentials.partition(":")
            named = f"{quote(user, safe='')}:{quote(password, safe='')}"
            url = f"https://{named}@{url.removeprefix('https://')}"
        folder = self._checkouts / _digest(repository.location)
        listing = list_repository(url, folder, self._options.suffixes)
        # So written that the next sync takes it for a repository again.
        is_known = is_repository(listing.location)
        return listing if is_known else replace(listing, location=f"git+{listing.location}")

    def _website(self, location: str) -> Listing:
        if not self._options.allowed_hosts:
            raise SourceMissing(
                "No website may be read yet: name its host in the settings, under [knowledge] as "
                "`website_hosts`. (A git repository's address ends in .git.)"
            )
        from knowledge.sources.website import list_website

        return list_website(
            location,
            self._options.allowed_hosts,
            self._options.suffixes,
            self._checkouts / f"website-{_digest(location)}",
            limits=self._options.limits,
        )

    def _path(self, location: str) -> Listing:
        path, channels = Path(location), ""
        if "#" in location and not path.exists():
            named, _, channels = location.rpartition("#")
            path = Path(named)
        if path.is_dir() or path.suffix.lower() == ".zip":
            from knowledge.sources.wiki_export import is_wiki_export, list_wiki_export

            export = open_export(path)
            if is_slack_export(export):
                return list_slack_export(
                    export,
                    channels=[each.strip() for each in channels.split(",") if each.strip()],
                    workspace_url=self._options.slack_workspace_url,
                )
            if not channels and is_wiki_export(export):
                return list_wiki_export(export, self._options.suffixes)
            if path.is_file():
                raise SourceMissing(
                    f"{path} is no export of Slack (JSON), Notion (Markdown & CSV, or HTML) or a "
                    "Confluence space (HTML). Unpack it and name the folder."
                )
        return list_files(Path(location), self._options.suffixes)


def is_repository(location: str) -> bool:
    """Whether a location is written like a git repository's address."""
    return _REPOSITORY.fullmatch(location) is not None


def _digest(location: str) -> str:
    return hashlib.sha256(location.encode()).hexdigest()[:16]
