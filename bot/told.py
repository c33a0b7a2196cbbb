"""Errors whose message is written for the person who caused them, and can be translated."""

from __future__ import annotations


class Told(Exception):
    """Something was not done, and the message says why, to the person who asked for it.

    The message is a template with named values, so that whoever shows it can translate it first.
    """

    def __init__(self, message: str, **values: object) -> None:
        """Take the English message and what stands in its braces."""
        super().__init__(message.format(**values) if values else message)
        self.message = message
        self.values = values
