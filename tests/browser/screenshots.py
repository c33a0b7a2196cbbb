"""Takes the pictures of the documentation: three days, in two languages.

    python -m tests.browser.screenshots HOME docs/images [en nb] [employee expert admin]

HOME is the home of a demo; a tour's has a version that was trained and passed the gate, so that
the pictures of a finished run and of versions can be taken, too. It is copied and stays as it is.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from bot.demo.stage import ADMIN, EXPERT, Stage
from bot.home import Home
from bot.logs import configure_logging
from tests.bot.workspace.chromium import Chromium
from tests.browser import admin, employee, expert
from tests.browser.day import PATIENCE, WINDOW, Day
from tests.browser.sayings import LANGUAGES, Sayings

DAYS = {"employee": employee.play, "expert": expert.play, "admin": admin.play}

#: How wide a picture in the documentation is at most, in pixels.
WIDTH = 900


def main() -> None:
    """Take what the command line asks for."""
    home, folder, *wanted = sys.argv[1:]
    languages = [name for name in LANGUAGES if name in wanted] or list(LANGUAGES)
    days = [name for name in DAYS if name in wanted] or list(DAYS)
    for language in languages:
        with tempfile.TemporaryDirectory() as copy, tempfile.TemporaryDirectory() as pictures:
            home_now = copied(Path(home), Path(copy) / "home")
            with opened(home_now, LANGUAGES[language], Path(pictures)) as day:
                for name in days:
                    play(day, name)
                shrink(Path(pictures), Path(folder))
            print(f"{language}: {len(day.taken)} pictures")


def play(day: Day, name: str) -> None:
    """Play one person's day; one that fails is told with its picture, and the next goes on."""
    try:
        DAYS[name](day)
    except AssertionError as error:
        day.photograph(f"failed-{name}", is_quick=True)
        print(f"the day of the {name} failed behind {day.taken[-2:]}: {error}", file=sys.stderr)


def copied(source: Path, target: Path) -> Home:
    """Return a copy of a home in which a training is due."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("workspace.json", ".owner"))
    settings = target / "skredder.toml"
    text = settings.read_text(encoding="utf-8")
    text = re.sub(r"enough_pairs = \d+", "enough_pairs = 100", text)
    text = re.sub(r"retrain_every = \d+", "retrain_every = 1", text)
    text = re.sub(r"schedule = .*\n", "", text)
    settings.write_text(text, encoding="utf-8")
    with sqlite3.connect(target / "skredder.db") as database:
        database.execute("DELETE FROM jobs")  # what is still owed there is owed to others
    return Home(target)


@contextmanager
def opened(home: Home, sayings: Sayings, folder: Path) -> Iterator[Day]:
    """Raise the stage, open a browser before it, and take both down again."""
    configure_logging(home.make().logs, to_terminal=False)
    stage = Stage(home, locale=sayings.locale)
    if home.settings.is_file():  # what is there has been seeded
        stage._seed = lambda _on_progress: None  # type: ignore[method-assign]
        text = home.settings.read_text("utf-8")
        for name, who in (("admins", ADMIN), ("experts", EXPERT)):
            text = re.sub(rf"(?m)^{name} = .*$", f'{name} = ["{stage.person_id(who)}"]', text)
        home.settings.write_text(text, encoding="utf-8")
    stage.start()
    # A training begins when the admin says so, not with a pair on the expert's day.
    stage.skredder.retrainings.look = lambda _period: False  # type: ignore[method-assign]
    try:
        with tempfile.TemporaryDirectory() as profile:
            tab = Chromium(Path(profile), stage.server.page_url, PATIENCE)
            try:
                tab.resize(*WINDOW)
                tab.wait("!!document.querySelector('.composer')")
                yield Day(stage, tab, sayings, folder)
                assert tab.complaints == []
            finally:
                tab.close()
    finally:
        stage.stop()


def shrink(pictures: Path, folder: Path) -> None:
    """Make the pictures small enough for a repository."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(pictures.glob("*.png")):
        with Image.open(file) as picture:
            small = picture.convert("RGB")
            if small.width > WIDTH:
                height = round(small.height * WIDTH / small.width)
                small = small.resize((WIDTH, height), Image.Resampling.LANCZOS)
            few = small.quantize(200, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
            few.save(folder / file.name, optimize=True)


if __name__ == "__main__":
    main()
