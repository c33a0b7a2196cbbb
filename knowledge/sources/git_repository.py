"""A git repository as a source: its documents as they are on one branch now.

What a repository brings along is never run: no hooks, no filters, no submodules.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from knowledge.folder import list_files
from knowledge.listing import FileUnreadable, FoundDocument, Listing, SourceMissing

log = logging.getLogger(__name__)

PROTOCOLS = ("https", "ssh", "file")

#: How a file begins whose content lies with Git LFS instead.
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"

_SCP = re.compile(r"(?P<user>[\w.-]+)@(?P<host>[\w.-]+):(?!//)(?P<path>[^\s]+)")
_BRANCH = re.compile(r"(?!-)[\w./@+=-]+", re.ASCII)
_USER_OF_URL = re.compile(r"(?<=://)[^/\s@]+@")
_CREDENTIALS = (
    "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' "
    '"$SKREDDER_GIT_USER" "$SKREDDER_GIT_PASSWORD"; }; f'
)

#: Nothing that lies in a repository, or in this machine's templates, may run or rewrite files.
_SETTINGS = {
    "advice.detachedHead": "false",
    "core.autocrlf": "false",
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.symlinks": "true",
    "fetch.recurseSubmodules": "false",
    "filter.lfs.process": "",
    "filter.lfs.required": "false",
    "filter.lfs.smudge": "",
    "gc.autoDetach": "false",
    "http.lowSpeedLimit": "1000",  # bytes a second, over the seconds of the next line
    "http.lowSpeedTime": "60",
    "init.defaultBranch": "skredder",
    "submodule.recurse": "false",
}


@dataclass(frozen=True)
class Repository:
    """Where a repository is and which part of it is meant.

    Attributes:
        url: Without a name or password.
        branch: A branch or tag; the host's default branch if empty.
        subfolder: Below which the documents lie; all of the repository if empty.
    """

    url: str
    branch: str = ""
    subfolder: str = ""
    user: str = ""
    password: str = ""

    @property
    def location(self) -> str:
        """Return the address without what is secret."""
        if self.subfolder:
            return f"{self.url}#{self.branch}:{self.subfolder}"
        return f"{self.url}#{self.branch}" if self.branch else self.url

    def __repr__(self) -> str:
        return f"Repository({self.location!r})"


def parse_repository(text: str) -> Repository:
    """Read `url`, `url#branch` or `url#branch:subfolder`; a `git+` before the URL is dropped.

    Raises:
        SourceMissing: this is no address of a repository that may be read.
    """
    url, _, part = text.strip().removeprefix("git+").partition("#")
    branch, _, subfolder = part.partition(":")
    shown = _USER_OF_URL.sub("", url)
    subfolder = subfolder.strip("/")
    if (branch and not _BRANCH.fullmatch(branch)) or ".." in subfolder.split("/"):
        raise SourceMissing(
            f"{f'{shown}#{part}'!r} names no branch and folder. Write URL#branch:folder."
        )
    repository = Repository(url, branch, subfolder)
    if _SCP.fullmatch(url):
        return repository
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise SourceMissing(f"{shown!r} is not the address of a git repository.") from error
    is_file = parts.scheme == "file"
    if parts.scheme not in PROTOCOLS or not parts.path.strip("/") or bool(parts.netloc) == is_file:
        raise SourceMissing(
            f"{shown!r} is not the address of a git repository that may be read: it has to "
            f"begin with {', '.join(f'{each}://' for each in PROTOCOLS)} or look like "
            "git@host:path."
        )
    if parts.scheme == "https" and parts.username is not None:
        return replace(
            repository,
            url=shown,
            user=unquote(parts.username),
            password=unquote(parts.password or ""),
        )
    if parts.password is not None:
        raise SourceMissing(f"{shown!r} is given with a password, and ssh takes keys only.")
    return repository


def list_repository(
    url: str, checkout_folder: Path, suffixes: frozenset[str], *, seconds: float = 600.0
) -> Listing:
    """Bring a checkout up to date and list the documents in it.

    Of the history only the newest commit is fetched. A name and password in an `https` URL are
    handed to git through its credential protocol: they are neither kept nor shown.

    Args:
        url: `url`, `url#branch` or `url#branch:subfolder`; over https, ssh or from this machine
            (`file://`).
        checkout_folder: Where the files are kept between syncs; this function's own, and used
            for one repository.
        suffixes: The suffixes that can be read, in lower case (`.md`).
        seconds: How long each step of git may take.

    Raises:
        SourceMissing: the repository, its branch or its folder cannot be read; the message holds
            git's reason. The checkout may be older then, and nothing is concluded from it.
    """
    repository = parse_repository(url)
    with _locked(checkout_folder):
        _update(repository, checkout_folder, seconds)
    root = _below(checkout_folder, repository)
    listing = list_files(root, suffixes)
    log.info("repository listed url=%r documents=%d", repository.url, len(listing.documents))
    return replace(
        listing,
        location=repository.location,
        documents=tuple(
            FoundDocument(
                document.uri, partial(_without_pointers, document), _link(repository, document.uri)
            )
            for document in listing.documents
        ),
    )


def _update(repository: Repository, folder: Path, seconds: float) -> None:
    """Make the folder hold exactly what the branch tracks now."""
    git = partial(_git, repository=repository, folder=folder, seconds=seconds)
    mark = folder / ".git" / "skredder-repository"
    if any(folder.iterdir()) and not (folder / ".git").is_dir():
        raise SourceMissing(
            f"The folder {folder} is meant for a checkout of {repository.url}, and other files "
            "are in it. Name another folder."
        )
    git("init", "--quiet", "--template=")
    if mark.exists() and mark.read_text(encoding="utf-8") != repository.url:
        raise SourceMissing(
            f"The folder {folder} holds a checkout of another repository. Name another folder."
        )
    mark.write_text(repository.url, encoding="utf-8")
    for left_over in (folder / ".git").glob("*.lock"):
        left_over.unlink()  # of a sync that was killed: this one holds the lock of all syncs
    git(
        "fetch", "--quiet", "--depth=1", "--force", "--no-tags", "--no-recurse-submodules",
        "--", repository.url, repository.branch or "HEAD",
    )  # fmt: skip
    git("reset", "--quiet", "--hard", "FETCH_HEAD")
    git("clean", "--quiet", "-ffdx")


def _git(*arguments: str, repository: Repository, folder: Path, seconds: float) -> None:
    """Run git and raise `SourceMissing` with its reason if it fails."""
    program = shutil.which("git")
    if program is None:
        raise SourceMissing(f"{repository.url} needs the program git, which is not installed.")
    settings = [each for item in _SETTINGS.items() for each in ("-c", "=".join(item))]
    if repository.user:
        host = "/".join(repository.url.split("/")[:3])
        settings += ["-c", "credential.helper=", "-c", f"credential.{host}.helper={_CREDENTIALS}"]
    with tempfile.TemporaryFile() as said:
        # A session of its own, so that the helpers git starts end with it.
        process = subprocess.Popen(
            [program, *settings, *arguments],
            cwd=folder,
            env=_environment(repository),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise SourceMissing(
                f"{repository.url} could not be read: git {arguments[0]} took longer than "
                f"{seconds:g} seconds."
            ) from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if code != 0:
            said.seek(0)
            reason = _reason(said.read(10_000).decode("utf-8", "replace"), repository)
            raise SourceMissing(f"{repository.location} could not be read: {reason}")


def _environment(repository: Repository) -> Mapping[str, str]:
    """Return this process's environment without git's own variables, and with what git may do."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
        "GIT_ASKPASS": "true",  # a program that answers nothing
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "SKREDDER_GIT_PASSWORD": repository.password,
        "SKREDDER_GIT_USER": repository.user,
    }


def _reason(said: str, repository: Repository) -> str:
    for secret in (repository.password, repository.user):
        for form in {secret, quote(secret, safe="")}:
            said = said.replace(form, "***") if form else said
    lines = [line.strip() for line in _USER_OF_URL.sub("", said).splitlines()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))]
    return " ".join((fatal or lines)[:3])[:500] or "git gave no reason."


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process at a time work on a checkout."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(f"{folder}.lock", "w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SourceMissing(f"Another sync is at work in {folder}.") from None
            yield
    except OSError as error:
        raise SourceMissing(f"The folder {folder} cannot be written ({error.strerror}).") from error


def _below(folder: Path, repository: Repository) -> Path:
    """Return the folder that is meant; a link in its path could lead out of the repository."""
    root = folder.resolve()
    below = root / repository.subfolder
    if not below.exists() or below.resolve() != below or not below.is_relative_to(root):
        raise SourceMissing(
            f"There is no folder {repository.subfolder!r} in {repository.url}"
            f"{f' on {repository.branch}' if repository.branch else ''}."
        )
    return below


def _without_pointers(document: FoundDocument) -> bytes:
    data = document.read()
    if data.startswith(_LFS_POINTER):
        raise FileUnreadable("its content lies in Git LFS, which is not fetched")
    return data


def _link(repository: Repository, uri: str) -> str | None:
    """Return the page on GitHub or GitLab where people can read a file."""
    found = _SCP.fullmatch(repository.url)
    if found is not None:
        host, path = found["host"], found["path"]
    elif repository.url.startswith("https://"):
        parts = urlsplit(repository.url)
        host, path = parts.netloc, parts.path
    else:
        return None
    labels = host.partition(":")[0].lower().split(".")
    folder = {"github": "blob", "gitlab": "-/blob"}
    view = next((folder[label] for label in labels if label in folder), None)
    if view is None:
        return None
    project = path.strip("/").removesuffix(".git")
    file = "/".join(part for part in (repository.subfolder, uri) if part)
    return f"https://{host}/{project}/{view}/{quote(repository.branch or 'HEAD')}/{quote(file)}"
