"""Somebody in front of the workspace's page: where they go, what they type, press and see."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.demo.stage import ASK_CHANNEL, Stage
from tests.bot.workspace.chromium import Chromium
from tests.browser.sayings import Sayings

#: How long anything may take on a very busy machine, in seconds. Every wait ends when what is
#: waited for is to be seen.
PATIENCE = 900.0

#: How wide the window is, and how high, in pixels.
WINDOW = (1180, 760)


@dataclass
class Day:
    """A stage with a browser before it. Pictures go into `folder`; without one they are only taken.

    Attributes:
        stage: The workspace with the bot.
        tab: The browser.
        sayings: What people say, in their language.
        folder: Where pictures go.
        taken: The names of the pictures so far.
    """

    stage: Stage
    tab: Chromium
    sayings: Sayings
    folder: Path
    taken: list[str] = field(default_factory=list)

    def become(self, name: str) -> None:
        """Be somebody else."""
        self.tab.evaluate(
            f"""(() => {{
                const who = document.querySelector('.who select');
                who.value = [...who.options].find((one) => one.text.startsWith('{name}')).value;
                who.dispatchEvent(new Event('change'));
            }})()"""
        )
        self.tab.wait(f"document.querySelector('.who .avatar')?.innerText === '{name[0]}'")

    def go(self, channel: str) -> None:
        """Open a channel by name, or the direct message with the bot by the id."""
        place = channel if channel.startswith("D") else self.stage.workspace.channel(channel).id
        self.tab.evaluate(f"location.hash = '#/{place}'")
        self.tab.wait("!!document.querySelector('#composer-main')")
        self.tab.wait("document.getElementById('thread').hidden")

    def open_direct_message(self, who: str) -> None:
        """Open the direct message with the bot."""
        self.go(self.stage.workspace.person(who).dm_channel)

    def open_home(self, seen: str) -> None:
        """Open App Home, and wait for something in it."""
        self.tab.evaluate("location.hash = '#/home'")
        self.see(seen, within="#home")

    def say(self, text: str, box: str = "#composer-main") -> None:
        """Type something and send it."""
        self.tab.click(box)
        self.tab.write(text)
        self.tab.press("Enter")

    def ask(self, text: str, channel: str = ASK_CHANNEL) -> None:
        """Mention the bot in a channel, and wait until the answer stands in the thread."""
        self.go(channel)
        self.say(f"@Skredder {text}")
        self.wait_for_answers(1)

    def open_thread(self, text: str) -> None:
        """Open the thread below the newest message that says something."""
        self.tab.hold(
            "[...document.querySelectorAll('#messages .message')]"
            f".findLast((one) => one.innerText.includes({json.dumps(text)}))"
            "?.querySelector('.summary')"
        )()

    def wait_for_answers(self, count: int) -> None:
        """Wait until so many finished answers stand in the open thread."""
        self.tab.wait(
            f"document.querySelectorAll('#thread .feedback').length >= {count}"
            " && !document.querySelector('.caret')"
        )

    def command(self, line: str, seen: str) -> None:
        """Type a slash command, and wait for something in what only this person sees.

        When Slack says that the app was too slow, it is typed once more.
        """
        for _ in range(6):
            before = self.tab.evaluate("document.querySelectorAll('.message.ephemeral').length")
            self.say(line)
            last = "[...document.querySelectorAll('.message.ephemeral')].at(-1).innerText"
            self.tab.wait(
                f"document.querySelectorAll('.message.ephemeral').length > {before} && "
                f"[{json.dumps(seen)}, 'operation_timeout'].some((one) => {last}.includes(one))",
            )
            if seen in self.tab.evaluate(last):
                return
        raise AssertionError(f"{line} is answered too late: {self.tab.text('#messages')}")

    def see(self, text: str, within: str = "body", seconds: float | None = None) -> None:
        """Wait until a text is to be seen."""
        self.tab.wait(
            f"document.querySelector({json.dumps(within)})?.innerText.includes({json.dumps(text)})",
            seconds,
        )

    def press(self, label: str, within: str = "body", which: int = -1) -> None:
        """Press the last button of this name (or another), wherever it stands within a part."""
        let_go = self.tab.hold(
            f"""[...document.querySelectorAll(`${{{json.dumps(within)}}} button`)]
                .filter((one) => one.innerText.trim() === {json.dumps(label)}
                    || one.getAttribute('aria-label') === {json.dumps(label)}).at({which})"""
        )
        let_go()

    def until(self, done: str, act: Callable[[], None]) -> None:
        """Do something until it has come true on the page.

        Where the page says that it did not work, as Slack does when an app is slow on a busy
        machine, it is done once more, as a person would.
        """
        for _ in range(6):
            act()
            trouble = "!!document.querySelector('.toast, dialog .alert:not([hidden])')"
            self.tab.wait(f"{done} || {trouble}")
            self.tab.wait(f"{done} || !document.querySelector('.toast')")
            if self.tab.evaluate(done):
                return
        raise AssertionError(f"it does not come true: {done}; {self.tab.text('body')}")

    def decide(self, label: str) -> None:
        """Press the first button of this name in App Home until it has been decided there."""
        buttons = (
            "[...document.querySelectorAll('#home button')]"
            f".filter((one) => one.innerText.trim() === {json.dumps(label)}).length"
        )
        before = self.tab.evaluate(buttons)
        self.until(f"{buttons} < {before}", lambda: self.press(label, "#home", 0))

    def save(self, label: str) -> None:
        """Submit the form."""
        self.until("!document.querySelector('dialog')", lambda: self.press(label, "dialog"))

    def write_over(self, text: str, selector: str) -> None:
        """Replace what a field holds."""
        self.tab.wait(f"!!document.querySelector({json.dumps(selector)})")
        self.tab.evaluate(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)});"
            " box.focus(); box.select(); })()"
        )
        self.tab.write(text)

    def photograph(self, name: str, selector: str = "", *, is_quick: bool = False) -> None:
        """Take a picture, once nothing moves any more, or at once of what is soon gone."""
        if not is_quick:
            if not self.tab.evaluate("!!document.querySelector('.menu')"):
                self.tab.hover(".team")  # what follows the mouse would hide what is beneath it
            time.sleep(0.8)
        self.tab.photograph(self.folder / f"{name}.{self.sayings.language}.png", selector)
        self.taken.append(name)

    def photograph_home(self, name: str, height: int = 2_600) -> None:
        """Take a picture of App Home as a whole, as far as `height` goes."""
        self.tab.resize(WINDOW[0], height)
        self.photograph(name, ".home-inside")
        self.tab.resize(*WINDOW)
