"""An installation that the commands work on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from training.base_model import BaseModel


@pytest.fixture
def installation(
    tmp_path: Path, base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Make a home, its settings and an empty folder for pages, and let commands find them."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "models").symlink_to(base_model.folder.parent)
    settings = tmp_path / "skredder.toml"
    settings.write_text('goal = "Answer colleagues from the handbook, warmly."\n')
    monkeypatch.setenv("SKREDDER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SKREDDER_SETTINGS", str(settings))
    (tmp_path / "pages").mkdir()
    yield tmp_path
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, logging.FileHandler):
            root.removeHandler(handler)
            handler.close()
