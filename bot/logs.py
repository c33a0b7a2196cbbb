"""Logging: one event a line, to a file and the terminal, with every secret taken out."""

from __future__ import annotations

import logging
import re
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

_SECRETS = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|Bearer\s+[\w.~+/-]+=*|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class RedactingFormatter(logging.Formatter):
    """Replaces tokens and passwords in the finished line, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line with secrets replaced."""
        return _SECRETS.sub("[secret]", super().format(record))


def configure_logging(folder: Path, *, to_terminal: bool, level: int = logging.INFO) -> None:
    """Send all logging to `folder/skredder.log` (5 files of 10 MB) and, if wished, to stderr."""
    handlers: list[logging.Handler] = [
        RotatingFileHandler(
            folder / "skredder.log", maxBytes=10_000_000, backupCount=4, encoding="utf-8"
        )
    ]
    if to_terminal:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(RedactingFormatter(_FORMAT))
    logging.basicConfig(level=level, handlers=handlers, force=True)
    # Slack's libraries log whole bodies, with what people wrote in them.
    for chatty in ("slack_sdk", "slack_bolt", "httpx", "chromadb", "sentence_transformers"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
