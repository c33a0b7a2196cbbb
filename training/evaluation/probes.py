"""General probes: what a model could do before it was tuned, it should still be able to do."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

_PROBES = Path(__file__).with_name("probes.jsonl")
_NUMBER = re.compile(r"(?<=\d)[,\u00a0\u202f ](?=\d{3}\b)")


@dataclass(frozen=True)
class Probe:
    """A general question. `accept` holds the right answers; None if any wording may be right."""

    id: str
    kind: str
    prompt: str
    accept: tuple[str, ...] | None
    reference: str

    @property
    def is_scored(self) -> bool:
        """Whether right and wrong can be told by exact words."""
        return self.accept is not None


def read_probes(path: Path = _PROBES) -> tuple[Probe, ...]:
    """Read the probes: arithmetic, knowledge, instructions, chat."""
    probes = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        fields = json.loads(line)
        accept = fields["accept"]
        probes.append(
            Probe(
                id=str(fields["id"]),
                kind=fields["kind"],
                prompt=fields["prompt"],
                accept=None if accept is None else tuple(accept),
                reference=fields["reference"],
            )
        )
    return tuple(probes)


def is_right(probe: Probe, answer: str) -> bool:
    """Whether one of the accepted answers occurs in `answer` as whole words.

    A longer number is another number: "22" is not in "122", "220" or "2.2", but it is in
    "22." and "= 22". Raises `ValueError` for a probe that is not scored.
    """
    if probe.accept is None:
        raise ValueError(f"Probe {probe.id} has no accepted answers.")
    said = _NUMBER.sub("", " ".join(answer.lower().split()))
    return any(
        re.search(
            rf"(?<![\w.,-]){re.escape(accepted.lower())}(?![\w-])(?![.,]\d)"
            if accepted[:1].isdigit()
            else rf"(?<!\w){re.escape(accepted.lower())}(?!\w)",
            said,
        )
        for accepted in probe.accept
    )
