"""What the settings say of sources reaches the part that lists them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app import _listing_options
from bot.settings import KnowledgeSettings, SettingsInvalid, load

GOAL = 'goal = "Answer colleagues from the handbook, in our own voice."\n'


def _load(tmp_path: Path, knowledge: str) -> KnowledgeSettings:
    file = tmp_path / "skredder.toml"
    file.write_text(f"{GOAL}[knowledge]\n{knowledge}\n", encoding="utf-8")
    return load(file, {}).knowledge


def test_no_website_may_be_read_unless_its_host_is_named(tmp_path: Path) -> None:
    assert _listing_options(_load(tmp_path, "")).allowed_hosts == ()


def test_the_hosts_and_the_page_limit_of_the_settings_are_those_of_the_crawl(
    tmp_path: Path,
) -> None:
    settings = _load(
        tmp_path,
        'website_hosts = ["Docs.example.com", "private 10.0.0.7:8080"]\nwebsite_pages = 40\n'
        'slack_workspace_url = "https://acme.slack.com"',
    )
    options = _listing_options(settings)
    public, private = options.allowed_hosts
    assert (public.host, public.port, public.is_private) == ("docs.example.com", None, False)
    assert (private.host, private.port, private.is_private) == ("10.0.0.7", 8080, True)
    assert options.limits is not None
    assert options.limits.pages == 40
    assert options.slack_workspace_url == "https://acme.slack.com"


@pytest.mark.parametrize(
    "line",
    [
        'website_hosts = ["https://docs.example.com/"]',
        'website_hosts = ["*.example.com"]',
        'website_hosts = ["private intranet"]',
        "website_pages = 0",
        'slack_workspace_url = "javascript:alert(1)"',
    ],
)
def test_a_host_that_is_none_is_refused_when_the_settings_are_read(
    tmp_path: Path, line: str
) -> None:
    with pytest.raises(SettingsInvalid, match=line.partition(" ")[0]):
        _load(tmp_path, line)
