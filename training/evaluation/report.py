"""The report of an evaluation: numbers with their intervals, as a table, as JSON, as a plot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from training.evaluation.intervals import Interval

#: The measures in the order they are shown, with what they are called.
LABELS = {
    "answer_f1": "answer F1",
    "right_numbers": "right numbers",
    "likeness": "likeness of meaning",
    "chrf": "chrF",
    "likelihood": "reference's likelihood",
    "right_source": "right source cited",
    "voice": "in the voice",
    "abstained": "says it does not know",
    "unknowing": "… where nobody can",
    "unsupported": "unsupported sentences",
    "probes": "general probes right",
    "leaks": "voice in general answers",
}
#: What a version is trained for.
GOALS = ("answer_f1", "voice")

_PLOTTED = ("answer_f1", "right_numbers", "right_source", "voice", "probes")


@dataclass(frozen=True)
class ProbeCount:
    """How many probes of a kind were answered right, of how many."""

    right: int
    total: int


@dataclass(frozen=True)
class VersionScores:
    """What one version reached. Each measure is a share between 0 and 1 with its interval."""

    version: str
    measures: Mapping[str, Interval]
    probes: Mapping[str, ProbeCount]
    #: Mean length of an answer, in words.
    words: float
    #: How many answers, to held-out questions and probes, say nothing.
    empty: int
    #: Share of answers that keep the voice's written rules; None if there are none to check by.
    voice_rules: float | None

    @property
    def probes_right(self) -> int:
        """How many scored probes were answered right."""
        return sum(count.right for count in self.probes.values())

    @property
    def probes_total(self) -> int:
        """How many probes are scored."""
        return sum(count.total for count in self.probes.values())


@dataclass(frozen=True)
class Example:
    """A held-out question with what each version said."""

    question: str
    reference: str
    champion: str
    challenger: str


@dataclass(frozen=True)
class Report:
    """A challenger beside the champion and the base, on the same questions."""

    base: VersionScores
    champion: VersionScores
    challenger: VersionScores
    #: Challenger less champion, paired by question.
    differences: Mapping[str, Interval]
    held_out: int
    #: How many held-out questions were also asked without the passages that answer them.
    unanswerable: int = field(default=0, kw_only=True)
    #: Share of held-out questions whose right passage retrieval found itself.
    retrieved: float
    #: How well the classifier of the voice tells held-out references from the base's answers.
    voice_accuracy: float
    #: Answers that were compared by the classifier's and the rules' verdict, share that agree.
    voice_agreement: float | None
    loss: tuple[float, ...] = ()
    examples: tuple[Example, ...] = ()
    #: Of each goal, how often chance alone makes the challenger look so much better (p-value).
    chances: Mapping[str, float] = field(default_factory=dict)
    #: Challenger less base, paired by probe: what was forgotten, and where the voice leaks.
    against_base: Mapping[str, Interval] = field(default_factory=dict)
    #: Challenger less champion on the held-out questions of each language.
    by_language: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(fields: Mapping[str, Any]) -> Report:
        """Read a report back."""
        return Report(
            **{
                **fields,
                **{who: _scores(fields[who]) for who in ("base", "champion", "challenger")},
                "differences": _intervals(fields["differences"]),
                "loss": tuple(fields["loss"]),
                "examples": tuple(Example(**example) for example in fields["examples"]),
                "against_base": _intervals(fields.get("against_base", {}), ()),
                "by_language": {
                    language: _intervals(found, ())
                    for language, found in fields.get("by_language", {}).items()
                },
            }
        )

    def table(self) -> str:
        """Return the numbers as a table of plain text, 78 characters wide.

        It is wider only where a version has a long name.
        """
        versions = self._versions()
        wide = max(12, *(len(scores.version) + 1 for scores in versions))
        head = f"{'':<23}" + "".join(f"{scores.version:>{wide}}" for scores in versions)
        lines = [f"{head}   change (95 % interval)"]
        for name, label in LABELS.items():
            if self.challenger.measures[name].count == 0:
                continue
            cells = "".join(f"{scores.measures[name].mean:>{wide}.0%}" for scores in versions)
            change = self.differences[name]
            lines.append(
                f"{label:<23}{cells}   {change.mean * 100:+.0f} "
                f"({change.low * 100:+.0f} to {change.high * 100:+.0f})"
            )
        words = "".join(f"{scores.words:>{wide}.0f}" for scores in versions)
        lines.append(f"{'words an answer':<23}{words}")
        for kind in self.challenger.probes:
            counts = "".join(
                f"{scores.probes[kind].right:>{wide - 3}}/{scores.probes[kind].total:<2}"
                for scores in versions
            )
            lines.append(f"{'  ' + kind:<23}{counts}")
        if self.unanswerable:
            lines.append(
                f"{self.unanswerable} of the questions were also asked without the passages that "
                "answer them."
            )
        lines.append(
            f"{self.held_out} held-out questions; retrieval found the right passage for "
            f"{self.retrieved:.0%};"
        )
        rules = (
            ""
            if self.voice_agreement is None
            else f", agrees with its rules on {self.voice_agreement:.0%}"
        )
        lines.append(f"the voice's classifier is right on {self.voice_accuracy:.0%}{rules}.")
        return "\n".join(lines)

    def cells(self) -> list[list[str]]:
        """Return the numbers as a table: the head first, then a row for each measure."""
        versions = self._versions()
        is_paired = self.champion.version != self.challenger.version
        head = ["", *(scores.version for scores in versions)]
        rows = [[*head, f"change from {self.champion.version}"] if is_paired else head]
        for name, label in LABELS.items():
            if self.challenger.measures[name].count == 0:
                continue
            row = [label, *(_share(scores.measures[name]) for scores in versions)]
            change = self.differences[name]
            points = (
                f"{change.mean * 100:+.0f} ({change.low * 100:+.0f} to {change.high * 100:+.0f})"
            )
            rows.append([*row, points] if is_paired else row)
        rest = [
            ["words an answer", *(f"{scores.words:.0f}" for scores in versions)],
            *(
                [
                    f"probes: {kind}",
                    *(f"{s.probes[kind].right} of {s.probes[kind].total}" for s in versions),
                ]
                for kind in self.challenger.probes
            ),
        ]
        rows += [[*row, ""] if is_paired else row for row in rest]
        return rows

    def markdown(self) -> str:
        """Return the table as Markdown, with how it was measured below it."""
        head, *rows = (f"| {' | '.join(row)} |" for row in self.cells())
        rule = f"| --- |{' ---: |' * (len(self.cells()[0]) - 1)}"
        return "\n".join([head, rule, *rows, "", *self.remarks()])

    def remarks(self) -> list[str]:
        """Say on what the numbers rest."""
        return [
            f"{self.held_out} held-out questions; retrieval found the right passage for "
            f"{self.retrieved:.0%}. The voice's classifier tells the company's answers from the "
            f"base's in {self.voice_accuracy:.0%}. In brackets: the 95 % interval (bootstrap)."
        ]

    def _versions(self) -> list[VersionScores]:
        """Return each version once, base first."""
        shown = {each.version: each for each in (self.base, self.champion, self.challenger)}
        return list(shown.values())

    def plot(self, path: Path, word: Callable[[str], str] = str) -> Path:
        """Draw the measures with their intervals, and the loss, as a PNG file at `path`.

        Args:
            path: Where.
            word: Returns a message in the reader's language; English by default.
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11, 4.2), layout="constrained")
        FigureCanvasAgg(figure)
        bars, curve = figure.subplots(1, 2, width_ratios=(2, 1))
        curve.set_visible(bool(self.loss))
        versions = [(word("base"), self.base, "#b9bec7")]
        if self.champion.version != self.base.version:
            versions.append((word("champion"), self.champion, "#4a7bb7"))
        if self.challenger.version not in (self.base.version, self.champion.version):
            versions.append((word("challenger"), self.challenger, "#2f9e6e"))
        shown = [name for name in _PLOTTED if self.challenger.measures[name].count]
        width = 0.8 / len(versions)
        for place, (role, scores, colour) in enumerate(versions):
            found = [scores.measures[name] for name in shown]
            title = role if scores is self.base else f"{role}: {scores.version}"
            bars.bar(
                [at + (place - (len(versions) - 1) / 2) * width for at in range(len(shown))],
                [100 * measure.mean for measure in found],
                width,
                label=title,
                color=colour,
                yerr=[
                    [100 * (measure.mean - measure.low) for measure in found],
                    [100 * (measure.high - measure.mean) for measure in found],
                ],
                capsize=3,
                error_kw={"lw": 1, "ecolor": "#444444"},
            )
        names = [word(LABELS[name]).replace(" ", "\n", 1) for name in shown]
        bars.set_xticks(range(len(shown)), names)
        bars.set_ylim(0, 109)
        bars.set_ylabel(word("%, with 95 % interval"))
        title = word("{held_out} held-out questions and {probes} probes")
        bars.set_title(title.format(held_out=self.held_out, probes=self.base.probes_total))
        bars.legend(loc="upper right", ncols=3, fontsize="small", frameon=False)
        bars.spines[["top", "right"]].set_visible(False)
        curve.plot(range(1, len(self.loss) + 1), self.loss, color="#b9bec7", lw=1)
        curve.plot(range(1, len(self.loss) + 1), _smoothed(self.loss), color="#2f9e6e", lw=2)
        curve.set_xlabel(word("step"))
        curve.set_ylabel(word("loss, nats a token"))
        curve.set_title(word("Training"))
        curve.set_ylim(bottom=0)
        curve.spines[["top", "right"]].set_visible(False)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".tmp-{path.name}")
        figure.savefig(temporary, dpi=130, format="png")
        temporary.rename(path)
        return path


def _share(found: Interval) -> str:
    return f"{found.mean:.0%} ({found.low * 100:.0f} to {found.high * 100:.0f})"


def _smoothed(values: Sequence[float], share: float = 0.2) -> list[float]:
    """Return an exponential moving average, corrected for its beginning."""
    smooth, weight, result = 0.0, 0.0, []
    for value in values:
        smooth = (1 - share) * smooth + share * value
        weight = (1 - share) * weight + share
        result.append(smooth / weight)
    return result


def _scores(fields: Mapping[str, Any]) -> VersionScores:
    probes = {kind: ProbeCount(**count) for kind, count in fields["probes"].items()}
    return VersionScores(**{**fields, "measures": _intervals(fields["measures"]), "probes": probes})


def _intervals(
    fields: Mapping[str, Any], wanted: Sequence[str] = tuple(LABELS)
) -> dict[str, Interval]:
    """Read intervals back; a measure that an older report did not have was not taken."""
    missing = {name: Interval(0.0, 0.0, 0.0, 0) for name in wanted}
    return missing | {name: Interval(**interval) for name, interval in fields.items()}
