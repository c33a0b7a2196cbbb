"""Ways of answering side by side: base or tuned, with retrieval or without, with examples."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.evaluation.intervals import Interval, mean_interval, ratio_interval
from training.evaluation.verdict import (
    EvaluationQuestion,
    Said,
    Verdict,
    cites_right_page,
    judge,
)

#: The measures in the order they are shown, with what they are called.
LABELS = {
    "right": "right",
    "abstained": "abstained",
    "wrong": "wrong",
    "unsupported": "unsupported sentences",
    "voice": "in the voice",
    "right_source": "right source cited",
    "seconds": "seconds an answer",
}

#: Measures that are shares; the others are seconds.
SHARES = tuple(name for name in LABELS if name != "seconds")

_COLOURS = ("#b9bec7", "#8d949f", "#c99a3b", "#4a7bb7", "#2f9e6e")


@dataclass(frozen=True)
class Way:
    """One way of answering.

    Attributes:
        name: What it is called in the table: `base + retrieval`.
        version: The version that answers.
        retrieval: Whether it answers through the whole product: passages, the check of every
            sentence, abstaining. Without, the model is asked alone and nothing is checked.
        examples: How many verified answers it is shown with each question.
    """

    name: str
    version: str
    retrieval: bool
    examples: int = 0


@dataclass(frozen=True)
class WayScores:
    """What a way of answering reached. A measure that cannot be taken has a count of 0."""

    way: Way
    measures: Mapping[str, Interval]
    questions: int


@dataclass(frozen=True)
class AskedOfAll:
    """A question with what each way said and how it was judged, for people to read."""

    question: str
    wanted: str
    said: Mapping[str, str]
    verdicts: Mapping[str, Verdict]


@dataclass(frozen=True)
class WaysReport:
    """All ways on the same questions.

    Attributes:
        goal: What the model is for.
        base: The base model's name.
        snapshot: The snapshot that the tuned version learned from; None without one.
        asked: What was asked: `48 held-out pairs`.
        unanswerable: How many of the questions have no answer in the documents.
        scores: One for each way.
        notes: What one must know to read the numbers.
        answers: Every question with every answer.
    """

    goal: str
    base: str
    snapshot: str | None
    asked: str
    unanswerable: int
    scores: tuple[WayScores, ...]
    notes: tuple[str, ...] = ()
    answers: tuple[AskedOfAll, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(fields: Mapping[str, Any]) -> WaysReport:
        """Read a report back."""
        scores = tuple(
            WayScores(
                Way(**each["way"]),
                {name: Interval(**found) for name, found in each["measures"].items()},
                each["questions"],
            )
            for each in fields["scores"]
        )
        return WaysReport(
            **{
                **fields,
                "scores": scores,
                "notes": tuple(fields["notes"]),
                "answers": tuple(AskedOfAll(**each) for each in fields["answers"]),
            }
        )

    @property
    def shown(self) -> tuple[str, ...]:
        """The measures that at least one way has."""
        return tuple(
            name for name in LABELS if any(scores.measures[name].count for scores in self.scores)
        )

    def cells(self) -> list[list[str]]:
        """Return the table: the head first, then a row for each way."""
        head = ["", *(LABELS[name] for name in self.shown)]
        rows = [
            [scores.way.name, *(_cell(name, scores.measures[name]) for name in self.shown)]
            for scores in self.scores
        ]
        return [head, *rows]

    def markdown(self) -> str:
        """Return the table as Markdown, with what one must know to read it below."""
        head, *rows = map(_line, self.cells())
        rule = _line(["---", *("---:" for _ in self.shown)])
        asked, *notes = self.remarks()
        return "\n".join([head, rule, *rows, "", asked, "", *(f"- {note}" for note in notes)])

    def remarks(self) -> list[str]:
        """Say what was asked, and what one must know to read the numbers."""
        unanswerable = (
            f", {self.unanswerable} of them without an answer in the documents"
            if self.unanswerable
            else ""
        )
        return [
            f"{self.asked}{unanswerable}. In brackets: the 95 % interval (bootstrap).",
            *self.notes,
        ]

    def plot(self, path: Path) -> Path:
        """Draw a bar for each way and measure, with its interval, as a PNG file at `path`."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(12, 4.4), layout="constrained")
        FigureCanvasAgg(figure)
        shares, seconds = figure.subplots(1, 2, width_ratios=(4, 1))
        shown = [name for name in self.shown if name in SHARES]
        width = 0.8 / max(len(self.scores), 1)
        for place, scores in enumerate(self.scores):
            colour = _COLOURS[place % len(_COLOURS)]
            there = [
                (x + (place - (len(self.scores) - 1) / 2) * width, scores.measures[name])
                for x, name in enumerate(shown)
                if scores.measures[name].count
            ]
            _bars(shares, there, width=width, scale=100, colour=colour, label=scores.way.name)
            at = [(place, scores.measures["seconds"])]
            _bars(seconds, at, width=0.8, scale=1, colour=colour, label=None)
        shares.set_xticks(range(len(shown)), [LABELS[n].replace(" ", "\n", 1) for n in shown])
        shares.set_ylim(0, 109)
        shares.set_ylabel("%, with 95 % interval")
        shares.set_title(self.asked)
        figure.legend(loc="outside lower center", ncols=len(self.scores), frameon=False)
        seconds.set_xticks([])
        seconds.set_ylim(bottom=0)
        seconds.set_title(LABELS["seconds"])
        for axes in (shares, seconds):
            axes.spines[["top", "right"]].set_visible(False)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".tmp-{path.name}")
        figure.savefig(temporary, dpi=130, format="png")
        temporary.rename(path)
        return path


def summed_up(
    ways: Sequence[Way],
    said: Mapping[str, Mapping[EvaluationQuestion, Said]],
    *,
    goal: str,
    base: str,
    snapshot: str | None,
    asked: str,
    sayings: Collection[str] = (),
    speaks: Callable[[Sequence[str]], Sequence[bool]] | None = None,
    notes: Sequence[str] = (),
) -> WaysReport:
    """Judge everything that was said, and sum it up.

    Args:
        ways: The ways, in the order they are shown.
        said: What each said to which question, by the way's name.
        goal: What the model is for.
        base: The base model's name.
        snapshot: What the tuned version learned from.
        asked: What was asked, in words.
        sayings: Recurring sentences of the experts' answers, which do not count when judging.
        speaks: Tells which texts are in the voice; None if nobody can tell.
        notes: What one must know besides what follows from the ways.
    """
    judged = {
        way.name: [(q, it, judge(q, it, sayings)) for q, it in said[way.name].items()]
        for way in ways
    }
    scores = tuple(
        score(
            way,
            judged[way.name],
            None if speaks is None else speaks([it.text for it in said[way.name].values()]),
        )
        for way in ways
    )
    questions = dict.fromkeys(question for way in ways for question in said[way.name])
    verdicts = {name: {q: verdict for q, _, verdict in found} for name, found in judged.items()}
    return WaysReport(
        goal=goal,
        base=base,
        snapshot=snapshot,
        asked=asked,
        unanswerable=sum(not question.has_answer for question in questions),
        scores=scores,
        notes=(*notes, *_notes(scores)),
        answers=tuple(
            AskedOfAll(
                question.text,
                _wanted(question),
                {name: it[question].text for name, it in said.items() if question in it},
                {name: it[question] for name, it in verdicts.items() if question in it},
            )
            for question in questions
        ),
    )


def score(
    way: Way,
    asked: Sequence[tuple[EvaluationQuestion, Said, Verdict]],
    in_voice: Sequence[bool] | None,
) -> WayScores:
    """Sum up what a way of answering said.

    The three verdicts are shares of all questions. Voice, sources and unsupported sentences are
    of the answers that were given: "I don't know" is not written by the model.

    Args:
        way: The way.
        asked: Each question with what was said and how it was judged.
        in_voice: Whether each answer is in the voice; None if nobody can tell.
    """
    given = [said for _, said, _ in asked if not said.abstained]
    spoken = [] if in_voice is None else list(zip(in_voice, asked, strict=True))
    voice = [float(speaks) for speaks, (_, said, _) in spoken if not said.abstained]
    sources = [cites_right_page(question, said) for question, said, _ in asked]
    measures = {
        verdict: mean_interval([float(found == verdict) for _, _, found in asked])
        for verdict in ("right", "abstained", "wrong")
    }
    measures["unsupported"] = ratio_interval(
        [said.unsupported for said in given], [said.sentences for said in given]
    )
    measures["doubted"] = ratio_interval(
        [said.doubted for said in given], [said.sentences for said in given]
    )
    measures["voice"] = mean_interval(voice)
    measures["right_source"] = mean_interval([float(it) for it in sources if it is not None])
    measures["seconds"] = mean_interval([said.seconds for _, said, _ in asked])
    return WayScores(way, measures, len(asked))


def _cell(name: str, found: Interval) -> str:
    if not found.count:
        return "–"
    if name == "seconds":
        return f"{found.mean:.1f} ({found.low:.1f} to {found.high:.1f})"
    return f"{found.mean:.0%} ({found.low * 100:.0f} to {found.high * 100:.0f})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _bars(
    axes: Any,
    there: Sequence[tuple[float, Interval]],
    *,
    width: float,
    scale: float,
    colour: str,
    label: str | None,
) -> None:
    axes.bar(
        [x for x, _ in there],
        [scale * found.mean for _, found in there],
        width,
        label=label,
        color=colour,
        yerr=[
            [scale * max(found.mean - found.low, 0) for _, found in there],
            [scale * max(found.high - found.mean, 0) for _, found in there],
        ],
        capsize=2,
        error_kw={"lw": 1, "ecolor": "#444444"},
    )


def _notes(scores: Sequence[WayScores]) -> list[str]:
    notes = ["Verified answers are switched off: each held-out pair would only find itself."]
    doubts = [
        f"{each.measures['doubted'].mean:.0%} of {each.way.name}"
        for each in scores
        if each.measures["doubted"].count
    ]
    if doubts:
        notes.append(
            "Unsupported sentences are counted by the check that all answers go through; a second "
            f"one, fitted without meaning, doubts {', '.join(doubts)}, some of it wrongly. What "
            "is false lies between."
        )
    alone = [each.questions for each in scores if not each.way.retrieval]
    if alone:
        notes.append(
            "Without retrieval nothing is checked before it is shown, and there is nothing to "
            "cite; what the model says is compared with what retrieval would have found."
        )
    if alone and min(alone) < max(each.questions for each in scores):
        notes.append(
            f"Without retrieval only the {min(alone)} questions are asked whose answers can be "
            "judged by what they say."
        )
    return notes


def _wanted(question: EvaluationQuestion) -> str:
    if question.reference is not None:
        return question.reference
    if not question.has_answer:
        return "(no answer in the documents)"
    if question.facts:
        return "; ".join(" | ".join(fact) for fact in question.facts)
    return ", ".join(question.pages or ())
