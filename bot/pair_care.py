"""The care for pairs, wired: what checks, imports, exports, withdraws and erases them.

Its operations are asked for by the command line, like those of `bot.operations`: plain values in
and out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.audiences import EVERYONE
from bot.corrections import Corrections
from bot.erasing import Erasing, NobodyToErase
from bot.home import Home
from bot.near_questions import NearQuestions
from bot.pair_checks import PairChecks
from bot.pair_export import PairExport
from bot.pair_masking import PairMasking
from bot.permissions import Permissions
from bot.settings import PairSettings, Settings
from bot.slack_import import NobodyTrusted, SlackImport, ThreadPair
from bot.withdrawing import NothingToWithdraw, Withdrawing
from knowledge.grounding.checker import forget_readings
from knowledge.grounding.reading import Ground
from knowledge.retrieval import Retrieval
from storage.database import Database
from storage.pairs import HELD_OUT_SHARE, PairSource
from training.pair_poisoning import Limits
from training.pair_quality import longest_answer

Progress = Callable[[dict[str, Any]], None]
Operation = Callable[..., Any]

#: Who acts when a command does.
COMMAND_LINE = "command line"

#: Errors whose message is written for the person who gave the command.
CARE_ERRORS: tuple[type[Exception], ...] = (NobodyToErase, NobodyTrusted, NothingToWithdraw)


class PairCare:
    """What keeps pairs fit to be learned from, and takes them out again."""

    def __init__(
        self,
        *,
        database: Database,
        home: Home,
        settings: Settings,
        retrieval: Retrieval,
        permissions: Permissions,
        near: NearQuestions,
        reconcile_verified: Callable[[], int],
        wake: Callable[[], None],
    ) -> None:
        """Wire it.

        Args:
            database: The truth.
            home: Where everything lies.
            settings: The settings.
            retrieval: Finds the sections that pairs rest on.
            permissions: Who is an expert.
            near: Finds the questions that a new one repeats.
            reconcile_verified: Brings the index of verified answers in step with SQL.
            wake: Lets new jobs be done.
        """

        def find_text(source: PairSource, audience: str) -> Ground | None:
            found = retrieval.section(source.uri, source.heading, {EVERYONE, audience})
            return None if found is None else Ground(f"{found.title} {found.heading}", found.text)

        persona = settings.persona()
        self.checks = PairChecks(
            database,
            voice=persona.voice,
            find_text=find_text,
            longest_answer=longest_answer(settings.model.max_new_tokens),
            limits=limits_of(settings.pairs),
            company_hosts=tuple(host.split()[-1] for host in settings.knowledge.website_hosts),
        )
        self.corrections = Corrections(
            database,
            permissions,
            HELD_OUT_SHARE,
            self.checks.examine,
            near=near,
            two_experts=settings.pairs.two_experts,
        )
        self._database = database
        self._near = near
        self._wake = wake
        self._slack_import = SlackImport(
            database,
            self.corrections,
            is_expert=permissions.is_expert,
            workspace_url=settings.knowledge.slack_workspace_url,
        )
        self._export = PairExport(database, persona)
        self._withdrawing = Withdrawing(database, wake)
        self._masking = PairMasking(database, self.checks, self.corrections, wake)
        self._erasing = Erasing(database, home, reconcile_verified)

    @property
    def quick(self) -> dict[str, Operation]:
        """The operations that are done at once, by name."""
        return {
            "pairs.mask": self.mask,
            "pairs.export": self.export,
            "pairs.withdraw": self.withdraw,
        }

    @property
    def long(self) -> dict[str, Operation]:
        """The operations that tell how far they are, by name."""
        return {
            "pairs.import_slack": self.import_slack,
            "pairs.check": self.check,
            "erase": self.erase,
        }

    def mask(self, pair_id: int) -> dict[str, Any]:
        """Put a masked pair in the place of one with something personal or secret in it."""
        pair = self._masking.mask(pair_id, COMMAND_LINE)
        return {
            "id": pair.id,
            "input": pair.input,
            "output": pair.output,
            "state": pair.state,
            "holds": list(pair.holds),
        }

    def check(self, *, on_progress: Progress) -> dict[str, Any]:
        """Look at all pairs in use again, and hold those that new ones would be held for."""
        return _plain(self._masking.check_again(on_progress))

    def export(
        self, path: str, form: str | None, state: str, snapshot: str | None
    ) -> dict[str, Any]:
        """Write pairs to a file, with a data card."""
        report = self._export.run(Path(path), form=form, state=state, snapshot=snapshot)
        return _plain(report)

    def withdraw(self, author: str, reason: str, dry_run: bool) -> dict[str, Any]:
        """Take everything that one author wrote out of use."""
        return _plain(self._withdrawing.run(author, COMMAND_LINE, reason, is_dry=dry_run))

    def import_slack(
        self,
        path: str,
        channels: list[str],
        trusted: list[str],
        dry_run: bool,
        *,
        on_progress: Progress,
    ) -> dict[str, Any]:
        """Propose the answered threads of a Slack export."""
        report = self._slack_import.run(
            Path(path),
            channels=channels,
            trusted=trusted,
            is_dry=dry_run,
            on_progress=on_progress,
        )
        return _plain(report) | {"shown": [_shown(each) for each in report.shown]}

    def erase(self, user: str, dry_run: bool, *, on_progress: Progress) -> dict[str, Any]:
        """Erase a person."""
        report = self._erasing.run(user, COMMAND_LINE, is_dry=dry_run, on_progress=on_progress)
        if not dry_run:  # what is kept in memory to be quick
            self._near.forget()
            forget_readings()
        file = None if dry_run else str(self._erasing.report_file(report.stands_for))
        return _plain(report) | {"is_gone": report.is_gone, "report_file": file}


def limits_of(settings: PairSettings) -> Limits:
    """Return how many pairs within a day are usual, as the settings say."""
    return Limits(
        by_one=settings.daily_by_one,
        on_one_topic=settings.daily_on_one_topic,
        on_one_topic_by_all=settings.daily_on_one_topic_by_all,
        replacing=settings.daily_replacing,
    )


def _plain(report: Any) -> dict[str, Any]:
    """Return a report as values that JSON has."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(report), default=str))
    return plain


def _shown(thread: ThreadPair) -> dict[str, Any]:
    return {
        "question": thread.pair.input,
        "answer": thread.pair.output,
        "asked_by": thread.asked_by,
        "answered_by": thread.answered_by,
        "channel": thread.where,
        "audience": thread.pair.audience,
        "link": thread.link,
        "is_confirmed": thread.is_confirmed,
    }
