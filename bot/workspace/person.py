"""Acting as somebody in the workspace: saying, pressing, filling in, reacting, opening."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from bot.workspace import interacting, posting
from bot.workspace.delivery import Acknowledgement
from bot.workspace.elements import NoSuchElement, targets_of, used_element
from bot.workspace.errors import SlackError
from bot.workspace.inputs import filled, missing
from bot.workspace.modals import apply_answer, close_views
from bot.workspace.objects import view_json
from bot.workspace.records import Channel, File, Json, Message, User, View
from bot.workspace.site import Site


@dataclass(frozen=True)
class Submission:
    """What became of a form.

    Attributes:
        is_accepted: Whether the app took it (its answer may be a further view).
        errors: What the form says, by block id.
        trouble: What a person reads when the app did not answer as it should.
    """

    is_accepted: bool
    errors: dict[str, str] = field(default_factory=dict)
    trouble: str = ""


class Person:
    """Somebody in the workspace. Each method is what one gesture in Slack does.

    Interactions wait for the app's acknowledgement, as Slack does, and so must not be called from
    the server's own event loop.
    """

    def __init__(self, site: Site, user: User) -> None:
        """Take where they are, and who."""
        self._site = site
        self._user = user

    @property
    def id(self) -> str:
        """The user id."""
        return self._user.id

    @property
    def name(self) -> str:
        """The name that others see."""
        return self._user.name

    def post(self, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Say something in a channel or a thread; returns its `ts`.

        `@Name` and `#channel` become mentions, links become links.

        Raises:
            KeyError: there is no such channel.
            PermissionError: this person is not in it.
        """
        return posting.say(self._site, self.id, self._place(channel), text, thread_ts).ts

    def attach(
        self, channel: str, text: str, files: Mapping[str, bytes], thread_ts: str | None = None
    ) -> str:
        """Say something with files, each a name and its content; returns the `ts`."""
        place = self._place(channel)
        with self._site.lock:
            ids = []
            for name, content in files.items():
                file = File(
                    id=self._site.state.new_id("F"),
                    name=name,
                    title=name,
                    mimetype=mimetypes.guess_type(name)[0] or "application/octet-stream",
                    size=len(content),
                    user=self.id,
                    created=int(self._site.timing.clock()),
                    content=content,
                    channels=[place.id],
                    is_complete=True,
                )
                self._site.state.files[file.id] = file
                ids.append(file.id)
            return posting.say(self._site, self.id, place, text, thread_ts, files=ids).ts

    def mention(self, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Say something to the app in a channel, with its name in front; returns the `ts`."""
        return self.post(channel, f"<@{self._site.bot_user_id}> {text}", thread_ts)

    def dm(self, text: str, thread_ts: str | None = None) -> str:
        """Write to the app directly; returns the `ts`."""
        return self.post(self.dm_channel, text, thread_ts)

    @property
    def dm_channel(self) -> str:
        """The id of the direct message with the app."""
        return self._site.direct_message(self.id).id

    def press(
        self, source: str | Json, action_id: str, value: Any = None, *, block_id: str | None = None
    ) -> Acknowledgement:
        """Use a button, a menu or another element of a message, a modal or the App Home.

        Args:
            source: A message's `ts`, or a view or its id.
            action_id: Which element.
            value: What is chosen: an option's value or text; for feedback buttons `positive`,
                `negative` or the value; for several elements with one action id, their value.
            block_id: Which block, if the action id stands in several.

        Raises:
            NoSuchElement: it is not there.
        """
        return self._press(source, action_id, value, block_id).result(self._patience)

    def submit(
        self, view: str | Json | None = None, values: Mapping[str, Any] | None = None
    ) -> Submission:
        """Fill in the topmost modal, or the one given, and submit it.

        Args:
            view: The view or its id; the topmost one if None.
            values: What to fill in, by block id or action id. Inputs that are not named keep
                what they hold.

        Raises:
            NoSuchElement: there is no such view or input.
            ValueError: a menu has no such option.
        """
        with self._site.lock:
            found = self._modal(view)
            self.fill(found.id, values or {})
            problems = missing(found.body["blocks"], found.values)
            if problems:
                return Submission(False, problems)
            future = interacting.submit(self._site, self._user, found)
        answer = future.result(self._patience)
        if not answer.is_ok:
            self._site.complain(f"the form {found.body.get('callback_id')!r}: {answer.error}")
            return Submission(False, trouble="We had some trouble connecting. Try again?")
        try:
            errors = apply_answer(self._site, found, answer.payload)
        except SlackError as error:
            self._site.complain(f"the answer to {found.body.get('callback_id')!r}: {error}")
            return Submission(False, trouble="We had some trouble connecting. Try again?")
        return Submission(not errors, errors)

    def fill(self, view: str | Json | None, values: Mapping[str, Any]) -> None:
        """Fill in inputs of a view without submitting it."""
        with self._site.lock:
            found = self._view(view) if view is not None else self._modal(None)
            for name, value in values.items():
                for block_id, action_id, element, one in targets_of(
                    found.body["blocks"], name, value
                ):
                    found.values.setdefault(block_id, {})[action_id] = filled(element, one)

    def close(self, view: str | Json | None = None, *, is_all: bool = False) -> None:
        """Close the topmost modal, or all of them; the app is told if it asked for that."""
        with self._site.lock:
            if view is not None:
                self._modal(view)
            gone = close_views(self._site, self.id, is_all=is_all)
        for one in gone:
            if one.body.get("notify_on_close"):
                interacting.closed(self._site, self._user, one, is_all=is_all)

    def shortcut(self, message_ts: str, callback_id: str) -> Acknowledgement:
        """Use a shortcut from a message's menu.

        Raises:
            NoSuchElement: there is no such message.
        """
        with self._site.lock:
            message = self._message(message_ts)
            future = interacting.message_shortcut(self._site, self._user, message, callback_id)
        return future.result(self._patience)

    def global_shortcut(self, callback_id: str) -> Acknowledgement:
        """Use a shortcut that stands alone."""
        return interacting.global_shortcut(self._site, self._user, callback_id).result(
            self._patience
        )

    def slash(self, line: str, channel: str = "general") -> Acknowledgement:
        """Type a slash command, such as `/retrain status`; the reply's text is in `.text`.

        Raises:
            ValueError: the line is no command.
        """
        command, _, text = line.strip().partition(" ")
        if not command.startswith("/"):
            raise ValueError(f"{line!r} is not a slash command")
        place = self._place(channel)
        answer = interacting.command(self._site, self._user, place, command, text.strip()).result(
            self._patience
        )
        interacting.show_reply(self._site, self._user, place, command, answer)
        return answer

    def open_home(self, timeout: float | None = 5.0) -> Json:
        """Open the App Home and wait until the app has published it anew.

        Args:
            timeout: Seconds to wait; None returns what is there at once.

        Raises:
            TimeoutError: the app published nothing.
        """
        before = len(self._site.ledger)
        interacting.open_home(self._site, self._user, "home")
        if timeout is not None:
            with self._site.changed:
                published = self._site.changed.wait_for(
                    lambda: any(
                        call.is_ok and call.arguments.get("user_id") == self.id
                        for call in self._site.ledger.calls("views.publish", since=before)
                    ),
                    timeout,
                )
                if not published:
                    raise TimeoutError(f"no App Home was published for {self.name}")
        with self._site.lock:
            view = self._site.state.homes.get(self.id)
            return view_json(self._site.state, view) if view is not None else {}

    def open_messages(self) -> None:
        """Open the direct message with the app, which is told so."""
        interacting.open_home(self._site, self._user, "messages")

    def react(self, message_ts: str, name: str) -> bool:
        """Add a reaction; returns False if it was there."""
        with self._site.lock:
            message = self._message(message_ts)
            return posting.react(self._site, self.id, message, name, is_added=True)

    def unreact(self, message_ts: str, name: str) -> bool:
        """Take a reaction away; returns False if there was none."""
        with self._site.lock:
            message = self._message(message_ts)
            return posting.react(self._site, self.id, message, name, is_added=False)

    def stop_session(self, channel: str, thread_ts: str) -> None:
        """Press the Stop button of an agent session."""
        interacting.stop_session(self._site, self._user, self._place(channel), thread_ts)

    def join(self, channel: str) -> None:
        """Join a channel that is not private; the app is told."""
        interacting.join(self._site, self._user, self._site.channel(channel))

    @property
    def _patience(self) -> float:
        """How long to wait for an acknowledgement: what Slack waits, and the machine's time."""
        return self._site.timing.ack + 10.0

    def _place(self, channel: str) -> Channel:
        place = self._site.channel(channel)
        if self.id not in place.members:
            raise PermissionError(f"{self.name} is not in {place.name or place.id}")
        return place

    def _message(self, ts: str) -> Message:
        message = self._site.state.messages.get(ts)
        if message is None or message.ephemeral_for not in (None, self.id):
            raise NoSuchElement(f"{self.name} sees no message {ts}")
        return message

    def _view(self, view: str | Json) -> View:
        view_id = view if isinstance(view, str) else str(view["id"])
        found = self._site.state.view(view_id)
        if found is None or found.user != self.id:
            raise NoSuchElement(f"{self.name} sees no view {view_id}")
        return found

    def _modal(self, view: str | Json | None) -> View:
        stack = self._site.state.modals.get(self.id, [])
        if not stack:
            raise NoSuchElement(f"{self.name} has no modal open")
        if view is not None and self._view(view) is not stack[-1]:
            raise NoSuchElement(f"another modal is on top on {self.name}'s screen")
        return stack[-1]

    def _press(
        self, source: str | Json, action_id: str, value: Any, block_id: str | None
    ) -> Future[Acknowledgement]:
        with self._site.lock:
            if isinstance(source, str) and source in self._site.state.messages:
                message = self._message(source)
                used = used_element(message.blocks, action_id, value, block_id)
                return interacting.press_in_message(self._site, self._user, message, used)
            view = self._view(source)
            used = used_element(view.body["blocks"], action_id, value, block_id)
            return interacting.press_in_view(self._site, self._user, view, used)
