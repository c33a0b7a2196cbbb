"""An answer that only the asker sees: sent to the address that came with the command."""

from __future__ import annotations

from typing import Any

from bot.slack.calls import SlackCalls, SlackRefused


class PrivateReply:
    """Takes the place of `Reply`: nothing is shown until the answer is whole."""

    def __init__(self, calls: SlackCalls, response_url: str, channel: str, user_id: str) -> None:
        """Take Slack, the address, and where to go when the address is used up."""
        self._calls = calls
        self._response_url = response_url
        self._channel = channel
        self._user_id = user_id
        self.text = ""

    def open(self, placeholder: str | None) -> None:
        """Do nothing: the command has been answered with a placeholder."""

    def append(self, text: str) -> None:
        """Gather what is written."""
        self.text += text

    def finish(
        self, text: str, blocks: list[dict[str, Any]], _details: dict[str, Any] | None = None
    ) -> None:
        """Show the whole answer to the asker.

        Raises:
            SlackBusy, SlackRefused, SlackUncertain: nothing is lost, try again.
        """
        if self._response_url:
            try:
                self._calls.respond(
                    self._response_url,
                    text=text,
                    blocks=blocks,
                    response_type="ephemeral",
                    replace_original=False,
                )
                return
            except SlackRefused:
                # The address is half an hour old, or used up; the answer is not lost for that.
                pass
        opened = self._calls.call("conversations_open", users=self._user_id)
        self._calls.call(
            "chat_postMessage", channel=opened["channel"]["id"], text=text, blocks=blocks
        )
