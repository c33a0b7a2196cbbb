"""Drives the running demo in a real browser and takes the screenshots of the documentation.

    python -m tests.bot.demo.photograph loop FOLDER    ask, correct, retrain, by hand
    python -m tests.bot.demo.photograph report FOLDER  what a finished run says to the admins

The home folder is `SKREDDER_HOME`, as for `skredder demo`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from bot.demo.company_files import read_script
from bot.demo.stage import ADMIN, ASK_CHANNEL, COLLEAGUE, EXPERT, Stage
from bot.home import find_home
from bot.logs import configure_logging
from tests.bot.workspace.chromium import Chromium


def main() -> None:
    """Take the pictures that the command line asks for."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    home = find_home()
    configure_logging(home.make().logs, to_terminal=False)
    stage = Stage(home)
    stage.start()
    with tempfile.TemporaryDirectory() as profile:
        tab = Chromium(Path(profile), stage.server.page_url)
        try:
            tab.wait("!!document.querySelector('.composer')", 20)
            if what == "loop":
                _loop(stage, tab, folder)
            else:
                _report(stage, tab, folder)
        finally:
            tab.close()
            stage.stop()


def _loop(stage: Stage, tab: Chromium, folder: Path) -> None:
    script = read_script()
    _become(tab, COLLEAGUE)
    _go(tab, stage.workspace.channel(ASK_CHANNEL).id)
    _say(tab, f"@Skredder {script.wrong}")
    tab.wait("!!document.querySelector('#thread .feedback')", 120)
    _photograph(tab, folder / "ask.png")

    _become(tab, EXPERT)
    _go(tab, stage.workspace.channel(ASK_CHANNEL).id)
    tab.click(".summary")
    tab.click("#thread .feedback button:nth-child(2)")
    tab.wait("!!document.querySelector('dialog textarea')")
    tab.evaluate("document.querySelector('dialog textarea').select()")
    tab.write(script.better)
    _photograph(tab, folder / "correct.png")
    tab.click("dialog .primary")
    tab.wait("!document.querySelector('dialog')", 20)
    tab.wait("document.querySelectorAll('#thread .message').length >= 3", 60)
    _photograph(tab, folder / "corrected.png")

    _become(tab, ADMIN)
    stage.workspace.wait_for(stage.skredder.retrainings.current_run, 60, "a run")
    tab.click("#composer-main")
    tab.write("/retrain status")
    tab.press("Enter")
    tab.wait("!!document.querySelector('.message.ephemeral')", 20)
    _go(tab, stage.workspace.person(ADMIN).dm_channel)
    tab.wait("document.body.innerText.includes('step ')", 900)
    _photograph(tab, folder / "retraining.png")
    tab.evaluate("location.hash = '#/home'")
    tab.wait("document.body.innerText.includes('Answering now')", 30)
    _photograph(tab, folder / "home.png")


def _report(stage: Stage, tab: Chromium, folder: Path) -> None:
    _become(tab, ADMIN)
    _go(tab, stage.workspace.person(ADMIN).dm_channel)
    tab.wait("document.body.innerText.includes('The gate')", 30)
    _photograph(tab, folder / "report.png")


def _become(tab: Chromium, name: str) -> None:
    tab.evaluate(
        f"""(() => {{
            const who = document.querySelector('.who select');
            who.value = [...who.options].find((one) => one.text.startsWith('{name}')).value;
            who.dispatchEvent(new Event('change'));
        }})()"""
    )
    tab.wait(f"document.querySelector('.who .avatar')?.innerText === '{name[0]}'")


def _go(tab: Chromium, channel: str) -> None:
    tab.evaluate(f"location.hash = '#/{channel}'")
    tab.wait("!!document.querySelector('#composer-main')")


def _say(tab: Chromium, text: str) -> None:
    tab.click("#composer-main")
    tab.write(text)
    tab.press("Escape")
    tab.press("Enter")


def _photograph(tab: Chromium, path: Path) -> None:
    time.sleep(1.0)  # let animations and fonts settle
    tab.photograph(path)


if __name__ == "__main__":
    main()
