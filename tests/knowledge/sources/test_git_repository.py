from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from knowledge.listing import FileUnreadable, Listing, SourceMissing
from knowledge.readers import SUFFIXES
from knowledge.sources import git_repository
from knowledge.sources.git_repository import list_repository, parse_repository

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """Runs git in a repository `origin`, with nobody's own settings."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    origin = tmp_path / "origin"
    origin.mkdir()

    def run(*arguments: str, folder: Path = origin) -> str:
        named = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        done = subprocess.run(
            ["git", *named, "-c", "protocol.file.allow=always", *arguments],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    return run


@pytest.fixture
def origin(tmp_path: Path, git: Git) -> Path:
    """A repository with two pages."""
    folder = tmp_path / "origin"
    (folder / "docs").mkdir()
    (folder / "docs" / "leave.md").write_text("# Leave\n\n18 weeks.\n")
    (folder / "travel.md").write_text("# Travel\n\n14 days ahead.\n")
    _commit(git)
    return folder


def _commit(git: Git) -> None:
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "-m", "Pages")


def _url(origin: Path, part: str = "") -> str:
    return f"file://{origin}{part}"


def _uris(listing: Listing) -> list[str]:
    return sorted(document.uri for document in listing.documents)


def _text(listing: Listing, uri: str) -> str:
    (found,) = (document for document in listing.documents if document.uri == uri)
    return found.read().decode()


def test_a_repository_is_listed_with_its_newest_commit_only(
    origin: Path, tmp_path: Path, git: Git
) -> None:
    (origin / "travel.md").write_text("# Travel\n\nnew\n")
    _commit(git)
    checkout = tmp_path / "checkout"
    listing = list_repository(_url(origin), checkout, SUFFIXES)
    assert _uris(listing) == ["docs/leave.md", "travel.md"]
    assert "new" in _text(listing, "travel.md")
    assert listing.is_complete
    assert listing.location == _url(origin)
    assert git("rev-list", "--count", "FETCH_HEAD", folder=checkout) == "1"


def test_a_later_sync_sees_what_was_added_changed_and_deleted(
    origin: Path, tmp_path: Path, git: Git
) -> None:
    list_repository(_url(origin), tmp_path / "checkout", SUFFIXES)
    (origin / "travel.md").unlink()
    (origin / "new.md").write_text("new")
    (origin / "docs" / "leave.md").write_text("20 weeks")
    _commit(git)
    listing = list_repository(_url(origin), tmp_path / "checkout", SUFFIXES)
    assert _uris(listing) == ["docs/leave.md", "new.md"]
    assert _text(listing, "docs/leave.md") == "20 weeks"


def test_a_branch_and_a_folder_of_it_can_be_named(origin: Path, tmp_path: Path, git: Git) -> None:
    git("checkout", "--quiet", "-b", "feature/draft")
    (origin / "docs" / "draft.md").write_text("draft")
    _commit(git)
    git("checkout", "--quiet", "main")
    on_branch = list_repository(_url(origin, "#feature/draft"), tmp_path / "one", SUFFIXES)
    below = list_repository(_url(origin, "#feature/draft:docs"), tmp_path / "two", SUFFIXES)
    assert _uris(on_branch) == ["docs/draft.md", "docs/leave.md", "travel.md"]
    assert _uris(below) == ["draft.md", "leave.md"]
    assert below.location.endswith("#feature/draft:docs")
    on_main = list_repository(_url(origin, "#main"), tmp_path / "one", SUFFIXES)
    assert _uris(on_main) == ["docs/leave.md", "travel.md"]


def test_rewritten_history_is_followed(origin: Path, tmp_path: Path, git: Git) -> None:
    list_repository(_url(origin), tmp_path / "checkout", SUFFIXES)
    git("checkout", "--quiet", "--orphan", "other")
    git("rm", "--quiet", "-rf", ".")
    (origin / "only.md").write_text("only")
    _commit(git)
    git("branch", "--force", "main", "other")
    listing = list_repository(_url(origin, "#main"), tmp_path / "checkout", SUFFIXES)
    assert _uris(listing) == ["only.md"]


def test_only_what_git_tracks_is_listed(origin: Path, tmp_path: Path, git: Git) -> None:
    (origin / ".gitignore").write_text("ignored/\n")
    _commit(git)
    checkout = tmp_path / "checkout"
    list_repository(_url(origin), checkout, SUFFIXES)
    (checkout / "stray.md").write_text("stray")
    (checkout / "ignored").mkdir()
    (checkout / "ignored" / "secret.md").write_text("secret")
    (checkout / "travel.md").write_text("tampered")
    listing = list_repository(_url(origin), checkout, SUFFIXES)
    assert _uris(listing) == ["docs/leave.md", "travel.md"]
    assert "14 days" in _text(listing, "travel.md")


def test_a_submodule_is_not_fetched(origin: Path, tmp_path: Path, git: Git) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git("init", "--quiet", folder=other)
    (other / "secret.md").write_text("secret")
    git("add", "--all", folder=other)
    git("commit", "--quiet", "-m", "Secret", folder=other)
    git("submodule", "--quiet", "add", f"file://{other}", "module")
    _commit(git)
    listing = list_repository(_url(origin), tmp_path / "checkout", SUFFIXES)
    assert _uris(listing) == ["docs/leave.md", "travel.md"]


def test_links_that_lead_out_are_not_followed_be_they_pages_or_the_folder_that_is_named(
    origin: Path, tmp_path: Path, git: Git
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "secret.md").write_text("secret")
    (origin / "page.md").symlink_to(secrets / "secret.md")
    (origin / "out").symlink_to(secrets)
    _commit(git)
    listing = list_repository(_url(origin), tmp_path / "checkout", SUFFIXES)
    assert _uris(listing) == ["docs/leave.md", "travel.md"]
    assert {skipped.path for skipped in listing.skipped} == {"page.md", "out"}
    for folder in ("out", "docs/../../secrets"):
        with pytest.raises(SourceMissing):
            list_repository(_url(origin, f"#main:{folder}"), tmp_path / "checkout", SUFFIXES)


def test_hooks_and_filters_never_run(
    origin: Path, tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    (origin / ".gitattributes").write_text("*.md filter=lfs\n")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    (origin / "large.md").write_text(pointer)
    _commit(git)
    ran = tmp_path / "ran"
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (hooks / name).chmod(0o755)
    (tmp_path / ".gitconfig").write_text(
        f"[init]\n\ttemplateDir = {hooks.parent}\n[core]\n\thooksPath = {hooks}\n"
        f'[filter "lfs"]\n\tsmudge = touch {ran}\n\trequired = true\n'
    )
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(hooks.parent))
    listing = list_repository(_url(origin), tmp_path / "checkout", SUFFIXES)
    assert not ran.exists()
    with pytest.raises(FileUnreadable, match="Git LFS"):
        _text(listing, "large.md")


def test_a_repository_that_is_gone_changes_nothing_and_says_git_s_reason(
    origin: Path, tmp_path: Path
) -> None:
    list_repository(_url(origin), tmp_path / "checkout", SUFFIXES)
    origin.rename(tmp_path / "moved")
    with pytest.raises(SourceMissing, match=r"does not (exist|appear to be a git repository)"):
        list_repository(_url(origin), tmp_path / "checkout", SUFFIXES)
    assert (tmp_path / "checkout" / "travel.md").exists()


@pytest.mark.parametrize(("part", "said"), [("#nowhere", "nowhere"), ("#main:none", "'none'")])
def test_a_branch_or_folder_that_is_not_there_is_named(
    origin: Path, tmp_path: Path, part: str, said: str
) -> None:
    with pytest.raises(SourceMissing, match=said):
        list_repository(_url(origin, part), tmp_path / "checkout", SUFFIXES)


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c 'touch /tmp/ran'",
        "http://example.com/pages.git",
        "git://example.com/pages.git",
        "--upload-pack=touch",
        "file://host/pages.git",
        "https://",
        "https://example.com/pages.git#--upload-pack=x",
        "https://example.com/pages.git#main:a/../../b",
        "https://example.com/pages.git#a:b\n",
    ],
)  # fmt: skip
def test_other_protocols_and_smuggled_options_are_refused(url: str, tmp_path: Path) -> None:
    if url.endswith("\n"):
        assert parse_repository(url).subfolder == "b"
        return
    with pytest.raises(SourceMissing):
        list_repository(url, tmp_path / "checkout", SUFFIXES)
    assert not (tmp_path / "checkout").exists()


def test_this_machine_s_settings_cannot_lead_to_another_protocol(tmp_path: Path, git: Git) -> None:
    (tmp_path / ".gitconfig").write_text(
        '[url "git://127.0.0.1:1/"]\n\tinsteadOf = https://example.com/\n'
    )
    with pytest.raises(SourceMissing, match="transport 'git' not allowed"):
        list_repository("https://example.com/pages.git", tmp_path / "checkout", SUFFIXES)


def test_a_folder_with_other_things_in_it_is_left_alone(origin: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.md").write_text("mine")
    with pytest.raises(SourceMissing, match="other files"):
        list_repository(_url(origin), mine, SUFFIXES)
    list_repository(_url(origin), tmp_path / "checkout", SUFFIXES)
    with pytest.raises(SourceMissing, match="another repository"):
        list_repository("file:///elsewhere.git", tmp_path / "checkout", SUFFIXES)
    assert (mine / "letter.md").read_text() == "mine"
    assert (tmp_path / "checkout" / "travel.md").exists()


def test_what_a_killed_sync_left_behind_does_not_stop_the_next(
    origin: Path, tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    list_repository(_url(origin), checkout, SUFFIXES)
    for name in ("index.lock", "shallow.lock"):
        (checkout / ".git" / name).touch()
    assert len(list_repository(_url(origin), checkout, SUFFIXES).documents) == 2


def test_two_syncs_never_work_on_one_checkout(origin: Path, tmp_path: Path) -> None:
    with (
        git_repository._locked(tmp_path / "checkout"),
        pytest.raises(SourceMissing, match="Another sync"),
    ):
        list_repository(_url(origin), tmp_path / "checkout", SUFFIXES)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://github.com/acme/book.git", "https://github.com/acme/book/blob/HEAD/a%20b.md"),
        (
            "https://gitlab.acme.com/ops/book.git#main:docs",
            "https://gitlab.acme.com/ops/book/-/blob/main/docs/a%20b.md",
        ),
        ("git@github.com:acme/book.git#v1", "https://github.com/acme/book/blob/v1/a%20b.md"),
        ("https://git.acme.com/book.git", None),
        ("file:///srv/github/book.git", None),
    ],
)
def test_pages_link_to_where_people_read_them(url: str, link: str | None) -> None:
    assert git_repository._link(parse_repository(url), "a b.md") == link


@pytest.fixture
def host() -> Iterator[tuple[str, list[str]]]:
    """A host that takes a question and never answers it."""
    seen: list[str] = []
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            done.wait(20)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", seen
    done.set()
    server.shutdown()
    server.server_close()


def test_a_host_that_never_answers_is_given_up(
    tmp_path: Path, git: Git, host: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_repository, "PROTOCOLS", ("https", "http"))
    with pytest.raises(SourceMissing, match="longer than 2 seconds"):
        list_repository(f"http://{host[0]}/a.git", tmp_path / "checkout", SUFFIXES, seconds=2)
    assert host[1]


def test_a_password_is_in_no_error_no_file_and_no_location(
    tmp_path: Path, git: Git, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    url = "https://ann:s3cr3t%21@127.0.0.1:1/book.git"
    repository = parse_repository(url)
    assert (repository.user, repository.password) == ("ann", "s3cr3t!")
    assert repository.location == "https://127.0.0.1:1/book.git"
    with pytest.raises(SourceMissing) as raised:
        list_repository(url, tmp_path / "checkout", SUFFIXES)
    kept = [path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file()]
    for text in (str(raised.value), repr(repository), caplog.text, *kept):
        assert "s3cr3t" not in text


def test_git_asks_for_the_password_and_gets_it_on_its_own_host_only(git: Git) -> None:
    repository = parse_repository("https://ann:s3cr3t@example.com/book.git")
    helper = f"credential.https://example.com.helper={git_repository._CREDENTIALS}"

    def answer(host: str) -> str:
        return subprocess.run(
            ["git", "-c", "credential.helper=", "-c", helper, "credential", "fill"],
            input=f"protocol=https\nhost={host}\n\n",
            env=dict(git_repository._environment(repository)),
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    assert "password=s3cr3t" in answer("example.com")
    assert "s3cr3t" not in answer("evil.example")
