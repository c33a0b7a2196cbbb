"""An employee, an expert and an admin do their whole day in a real browser, in both languages."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.home import Home
from tests.bot.workspace.chromium import PROGRAM
from tests.browser import admin, employee, expert
from tests.browser.sayings import ENGLISH, NORWEGIAN, Sayings
from tests.browser.screenshots import opened
from training.base_model import BaseModel


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("SKREDDER_LONG"), reason="takes many minutes; SKREDDER_LONG=1 runs it"
)
@pytest.mark.timeout(3_600)
@pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed here")
@pytest.mark.parametrize("sayings", [NORWEGIAN, ENGLISH], ids=lambda one: one.language)
def test_everybody_does_their_whole_day(
    sayings: Sayings, tmp_path: Path, base_model: BaseModel
) -> None:
    """Every step waits for what the person must see; the browser complains of nothing."""
    home = Home(tmp_path / "home", shared_models=Path(base_model.folder).parent)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    with opened(home, sayings, pictures) as day:
        for play in (employee.play, expert.play, admin.play):
            play(day)
    assert len(day.taken) > 25
    assert all(
        (pictures / f"{name}.{sayings.language}.png").read_bytes().startswith(b"\x89PNG")
        for name in day.taken
    )
