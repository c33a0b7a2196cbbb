"""What Slack says when it refuses something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class SlackError(Exception):
    """A call that is refused: Slack's error code, explanations, and the HTTP status it comes with.

    Raised by the code that serves a method; the Web API turns it into an answer.
    """

    def __init__(
        self,
        code: str,
        explanations: Sequence[str] = (),
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take the code, sentences for `response_metadata.messages`, and the HTTP answer."""
        super().__init__(f"{code}: {'; '.join(explanations)}" if explanations else code)
        self.code = code
        self.explanations = tuple(explanations)
        self.status = status
        self.headers = dict(headers or {})
