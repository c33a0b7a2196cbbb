"""A Slack workspace on this machine: it speaks Slack's protocol to an unmodified Bolt app."""

from __future__ import annotations

from bot.workspace.delivery import Acknowledgement
from bot.workspace.elements import NoSuchElement
from bot.workspace.ledger import Call
from bot.workspace.people import ChannelPlan, PersonPlan
from bot.workspace.person import Person, Submission
from bot.workspace.server import WorkspaceServer
from bot.workspace.timing import Timing
from bot.workspace.workspace import Workspace

__all__ = [
    "Acknowledgement",
    "Call",
    "ChannelPlan",
    "NoSuchElement",
    "Person",
    "PersonPlan",
    "Submission",
    "Timing",
    "Workspace",
    "WorkspaceServer",
]
