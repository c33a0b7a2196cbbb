"""From a file of pairs to stored pairs, idempotently."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from bot.corrections import Corrections
from bot.pair_checks import kinds_of_personal_data, personal_data_reasons
from bot.pair_preview import Preview, preview
from knowledge.language import detect_language
from storage import jobs, pairs
from storage.database import Database
from storage.pair_vouching import say_not_personal, vouch
from storage.pairs import NewPair, Pair, PairSource
from training.pair_files import PairDraft, SkippedRow, read_pairs

#: `people/leave.md#Parental leave`: a document and the heading of a section in it.
_SECTION = re.compile(r"^(?P<uri>\S+\.\w{2,5})#(?P<heading>[^\n]+)$")

#: Pairs stored in one transaction: few enough to hold nobody up, many enough to be quick.
BATCH = 25


@dataclass(frozen=True)
class ImportReport:
    """What became of a file's rows.

    Attributes:
        added: Pairs that were stored.
        known: Pairs that had been stored before.
        skipped: Rows that could not be read, and why.
        held: How many of those added do not train before an expert looks.
        personal: The numbers of those that are held because of something personal or secret.
    """

    added: int
    known: int
    skipped: tuple[SkippedRow, ...]
    held: int = 0
    personal: tuple[int, ...] = ()


class PairImport:
    """Imports files of pairs; a file imported twice, or half, adds each pair once."""

    def __init__(self, database: Database, corrections: Corrections) -> None:
        """Take the collaborators."""
        self._database = database
        self._corrections = corrections

    def preview(
        self,
        path: Path,
        *,
        actor: str,
        looked_at: str | None = None,
        not_personal: str | None = None,
        on_progress: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> tuple[Preview, tuple[SkippedRow, ...]]:
        """Tell what `run` would do with a file, and which rows it would refuse; write nothing.

        Raises:
            PairFileInvalid: the file cannot be read.
        """
        drafts, skipped = read_pairs(path)
        found = preview(
            self._database,
            self._corrections,
            [new_pair(draft, actor) for draft in drafts],
            looked_at=looked_at,
            not_personal=not_personal,
            on_progress=lambda done: on_progress(
                {"done": done, "total": len(drafts), "name": path.name}
            ),
        )
        return found, tuple(skipped)

    def run(
        self,
        path: Path,
        *,
        actor: str,
        approve: bool,
        looked_at: str | None = None,
        not_personal: str | None = None,
        on_progress: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> ImportReport:
        """Import one file.

        Args:
            path: The file.
            actor: Who imports; the author of rows that name none.
            approve: Whether the pairs are approved at once, in the actor's name.
            looked_at: Who has looked at the pairs already, and how; then nothing holds them but
                what is personal or secret.
            not_personal: Why what is taken for that in this file is not.
            on_progress: Called with `done` and `total`.

        Raises:
            PairFileInvalid: nothing was imported, and why.
        """
        drafts, skipped = read_pairs(path)
        proposed = [new_pair(draft, actor) for draft in drafts]
        with self._database.read() as session:
            known = set(pairs.known_keys(session, [each.origin_key for each in proposed]))
        added = held = last_approved = 0
        personal: list[int] = []
        with ThreadPoolExecutor(1, "read-ahead") as beside:
            for start in range(0, len(proposed), BATCH):
                batch = proposed[start : start + BATCH]
                findings = self._corrections.look_at(batch)
                coming = proposed[start + BATCH : start + 2 * BATCH]
                ahead = [each.input for each in coming if each.origin_key not in known]
                reading = beside.submit(self._corrections.read_ahead, ahead)
                with self._database.write() as session:
                    stored = pairs.known_states(session, [each.origin_key for each in batch])
                    for wanted, found in zip(batch, findings, strict=True):
                        known.add(wanted.origin_key)
                        if wanted.origin_key in stored:
                            pair_id, state = stored[wanted.origin_key]
                            if approve and state == "proposed":
                                last_approved = pair_id
                                pair = self._corrections.approve_in(session, pair_id, actor)
                                stored[wanted.origin_key] = pair.id, pair.state
                            continue
                        pair = self._corrections.propose_in(session, wanted, found)
                        if pair.holds:
                            pair, is_personal = _released(
                                session, pair, actor, looked_at, not_personal
                            )
                            if is_personal:
                                personal.append(pair.id)
                        added, held = added + 1, held + bool(pair.holds)
                        if approve and pair.state == "proposed":  # laid beside the others just now
                            last_approved = pair.id
                            pair = self._corrections.approve_fresh(session, pair, actor)
                        stored[wanted.origin_key] = pair.id, pair.state
                reading.result()
                told = {"done": start + len(batch), "total": len(drafts), "name": path.name}
                on_progress(told)
        if last_approved:
            with self._database.write() as session:
                work = {"pair_id": last_approved}
                key = f"due:{last_approved}"
                jobs.enqueue(session, "consider_retraining", work, key=key)
        known_before = len(drafts) - added
        return ImportReport(added, known_before, tuple(skipped), held, tuple(personal))


def _released(
    session: Session, pair: Pair, actor: str, looked_at: str | None, not_personal: str | None
) -> tuple[Pair, bool]:
    """Let a held pair go as far as the importer vouches for it.

    Returns:
        The pair as it is then, and whether something personal or secret holds it still.
    """
    personal = personal_data_reasons(pair.input, pair.output, pair.context)
    if personal and not_personal:
        kinds = kinds_of_personal_data(pair.input, pair.output, pair.context)
        pair = say_not_personal(
            session, pair.id, personal, kinds=kinds, actor=actor, why=not_personal
        )
    if looked_at:
        rest = [reason for reason in pair.holds if reason not in personal]
        pair = vouch(session, pair.id, rest, actor, looked_at)
    return pair, any(reason in pair.holds for reason in personal)


def new_pair(draft: PairDraft, actor: str) -> NewPair:
    """Return a row of a file as a pair to be proposed."""
    section = _SECTION.match(draft.context or "")
    sources = (PairSource(section["uri"], section["heading"].strip()),) if section else ()
    identity = json.dumps([draft.input, draft.output, draft.audience], ensure_ascii=False)
    return NewPair(
        input=draft.input,
        output=draft.output,
        author=draft.author or actor,
        origin="import",
        origin_key=f"import:{hashlib.sha256(identity.encode()).hexdigest()}",
        language=draft.language or ("no" if detect_language(draft.input) == "no" else "en"),
        audience=draft.audience,
        context=None if section else draft.context,
        sources=sources,
        created_at=draft.created_at,
    )


def draft_of(pair: Pair) -> PairDraft:
    """Return a stored pair as a row of a file."""
    source = pair.sources[0] if pair.sources else None
    return PairDraft(
        input=pair.input,
        output=pair.output,
        context=f"{source.uri}#{source.heading}" if source else pair.context,
        author=pair.author,
        created_at=pair.created_at,
        audience=pair.audience,
        language=pair.language,
    )
