"""Giving a version out, with a card of what it is, what it was made of and what it reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from bot.settings import Settings
from storage import audit, pairs, runs, snapshots, versions
from storage.database import Database
from storage.versions import Version
from training.base_model import BaseModel
from training.evaluation.model_card import CardFacts, SnapshotFacts, model_card
from training.evaluation.report import Report
from training.exporting import ExportRefused, Form, export_version

_LANGUAGES = {"en": "English", "no": "Norwegian"}


@dataclass(frozen=True)
class Exporting:
    """Exports versions of one installation."""

    database: Database
    settings: Settings
    base: BaseModel

    def export(
        self,
        name: str,
        form: Form,
        target: Path,
        actor: str,
        progress: Callable[[float], None] = lambda _share: None,
    ) -> Path:
        """Write a version to a new folder, and keep in the audit that it was given out.

        Raises:
            PromotionRefused: there is no such version, or it was retired.
            ExportRefused: it is the base, or cannot be given out in this form.
            ManifestBroken: its files are not what they were.
        """
        with self.database.read() as session:
            version = versions.kept_by_name(session, name)
            if version.folder is None:
                raise ExportRefused(
                    f"{name} is the base model as it came ({self.base.name}); there is nothing of "
                    "yours to export."
                )
            wanted = version.base
            if wanted is not None and self.base.sha256 not in ("", wanted.sha256):
                raise ExportRefused(
                    f"{name} belongs to the base model {wanted.name}, and the settings name "
                    f"{self.base.name}. Name {wanted.ref} as `base` to export it."
                )
            card = self._card(session, version)
        made = export_version(
            self.base,
            Path(version.folder),
            form,
            target,
            card=card,
            manifest=version.manifest_sha256,
            progress=progress,
        )
        with self.database.write() as session:
            audit.record(session, actor, "version.export", f"version {name}", {"form": form})
        return made

    def _card(self, session: Session, version: Version) -> str:
        snapshot: SnapshotFacts | None = None
        languages: tuple[str, ...] = ()
        tables: list[tuple[str, str]] = []
        if version.run_id is not None:
            run = runs.get(session, version.run_id)
            if run.snapshot_id is not None:
                record = snapshots.get(session, run.snapshot_id)
                snapshot = SnapshotFacts(
                    record.digest, record.train_pairs, record.held_out_pairs, record.replay_rows
                )
                measured = pairs.by_ids(session, snapshots.pair_ids(session, record.id, "held_out"))
                languages = tuple(
                    sorted({_LANGUAGES.get(p.language, p.language) for p in measured})
                )
            if run.report is not None:
                report = Report.from_json(run.report["report"])
                heading = f"On held-out questions, beside {report.champion.version}"
                tables = [(heading, report.markdown())]
                tables.append(
                    ("The gate", "\n".join(f"- {each}" for each in run.report["gate"]["reasons"]))
                )
        persona = self.settings.persona()
        facts = CardFacts(
            version=version.name,
            company=persona.company,
            goal=persona.goal,
            base=self.base.name,
            made_at=version.created_at.date().isoformat(),
            gate=version.gate,
            snapshot=snapshot,
            languages=languages,
        )
        return model_card(facts, tables)
