"""How a challenger did: for a program, for people, and as files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.clock import utc_now
from storage.versions import BaseIdentity
from training.evaluation.model_card import CardFacts, model_card
from training.evaluation.report import Report
from training.gate import GateDecision
from training.prompt import Persona

#: What the plot beside a card is called.
PLOT = "report.png"


@dataclass(frozen=True)
class Challenge:
    """How a challenger did.

    Attributes:
        version: What it is called as a version.
        base: The base model that was entered.
        used: The one in use.
        report: What was measured.
        decision: The gate's.
        folder: Where the report is kept, with its plot.
    """

    version: str
    base: BaseIdentity
    used: BaseIdentity
    report: Report
    decision: GateDecision
    folder: Path

    def to_json(self) -> dict[str, Any]:
        """Return it for a program and for the terminal."""
        return {
            "version": self.version,
            "base": {"ref": self.base.ref, "name": self.base.name, "sha256": self.base.sha256},
            "beside": self.report.champion.version,
            "passed": self.decision.passed,
            "reasons": list(self.decision.reasons),
            "table": self.report.table(),
            "report": self.report.to_json(),
            "folder": str(self.folder),
            "advice": self.advice(),
        }

    def advice(self) -> str:
        """Say what to do now, in some sentences."""
        name, used = self.version, self.used
        if not self.decision.passed:
            return (
                f"{name} is not advised: what is said above would be lost with it. The version "
                "that answers goes on answering. An admin who lets it answer all the same writes "
                f"down why: `skredder train promote {name} --reason why`."
            )
        return (
            f"`skredder train promote {name}` lets it answer, and `skredder train rollback` takes "
            "that back. From the next start of the bot on, trainings begin from its base model; "
            f"write `base = {json.dumps(self.base.ref)}` under [model] in the settings, so that "
            f"they say so, too. What was tuned on {used.name} is kept and is opened on no other "
            "base; a rollback and a start of the bot bring it back with its base "
            f"(`base = {json.dumps(used.ref)}`)."
        )

    def write(self, persona: Persona, languages: tuple[str, ...]) -> None:
        """Write numbers, plot and card into the folder.

        Args:
            persona: Who speaks.
            languages: Those of the questions, as people call them.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        found = {name: value for name, value in self.to_json().items() if name != "folder"}
        facts = CardFacts(
            version=self.version,
            company=persona.company,
            goal=persona.goal,
            base=f"{self.base.name} ({self.base.sha256[:12]})",
            made_at=utc_now().date().isoformat(),
            gate="passed" if self.decision.passed else "refused",
            snapshot=None,
            languages=languages,
        )
        title = f"On held-out questions, {self.version} beside {self.report.champion.version}"
        reasons = "\n".join(f"- {reason}" for reason in self.decision.reasons)
        tables = [(title, self.report.markdown()), ("What the gate said", reasons)]
        self.report.plot(self.folder / PLOT)
        self._put("model-card.md", model_card(facts, tables, [PLOT]))
        self._put("report.json", json.dumps(found, ensure_ascii=False, indent=1) + "\n")

    def _put(self, name: str, text: str) -> None:
        temporary = self.folder / f".tmp-{name}"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self.folder / name)
