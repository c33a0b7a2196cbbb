"""Champion and challenger, measured on the same questions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from training.evaluation import metrics
from training.evaluation.agreement import sayings_of, without_sayings
from training.evaluation.intervals import (
    Interval,
    better_by_chance,
    difference_interval,
    mean_interval,
)
from training.evaluation.probes import Probe, is_right
from training.evaluation.report import GOALS, Example, ProbeCount, Report, VersionScores
from training.evaluation.voice import StrictVoice, VoiceClassifier, VoiceRules
from training.prompt import Voice
from training.rows import Row

#: How many held-out questions are shown in the report with what was said.
_EXAMPLES = 5


#: Counts, for each answer to a row, its sentences that claim something and, of those, the ones that
#: the passages of the row do not support.
CountUnsupported = Callable[[Sequence[Row], Sequence[str]], Sequence[tuple[int, int]]]


#: Returns for each answer how alike its meaning and the reference's are, from 0 to 1.
Likeness = Callable[[Sequence[str], Sequence[str]], Sequence[float]]


@dataclass(frozen=True)
class VersionAnswers:
    """What one version said to the held-out questions and the probes, in their order.

    `unanswerable` is what it said to held-out questions without the passages that answer them.
    """

    version: str
    held_out: tuple[str, ...]
    probes: tuple[str, ...]
    unanswerable: tuple[str, ...] = ()


def compare(
    rows: Sequence[Row],
    probes: Sequence[Probe],
    *,
    base: VersionAnswers,
    champion: VersionAnswers,
    challenger: VersionAnswers,
    train_references: Sequence[str],
    base_train_answers: Sequence[str],
    voice: Voice,
    unanswerable: Sequence[Row] = (),
    loss: Sequence[float] = (),
    count_unsupported: CountUnsupported | None = None,
    likeness: Likeness | None = None,
    likelihoods: Mapping[str, Sequence[float]] | None = None,
) -> Report:
    """Measure three versions by their answers.

    Args:
        rows: The held-out rows.
        probes: The general probes.
        base: What the base said.
        champion: What the version that answers now said; the base's answers if it is the base.
        challenger: What the new version said.
        train_references: The answers that were learned from.
        base_train_answers: What the base says to a sample of the questions learned from; with
            `train_references` they teach the classifier of the voice.
        voice: The voice's written rules.
        unanswerable: The held-out questions that were asked without what answers them.
        loss: The loss of each step.
        count_unsupported: Checks sentences against passages; without it that is not measured.
        likeness: Compares meanings; without it that is not measured.
        likelihoods: Each version's likelihood of each row's answer, from 0 to 1, by its name.

    Raises:
        VoiceUnclear: there are too few training answers to learn the voice from.
    """
    references = [row.answer for row in rows]
    classifier = VoiceClassifier(train_references, base_train_answers)
    rules = VoiceRules(voice, train_references)
    sayings = sayings_of(train_references)
    values = {
        answers.version: _values(
            rows,
            probes,
            answers,
            classifier=classifier,
            rules=rules,
            count_unsupported=count_unsupported,
            likeness=likeness,
            likelihoods=(likelihoods or {}).get(answers.version, ()),
            sayings=sayings,
        )
        for answers in (base, champion, challenger)
    }

    def scores(answers: VersionAnswers) -> VersionScores:
        return _scores(values[answers.version], probes, answers, rules)

    new, old = values[challenger.version], values[champion.version]
    agreement = None
    if rules.count:
        said = [*references, *base.held_out, *challenger.held_out]
        by_rules = [rules.kept(answer) for answer in said]
        same = sum(a == b for a, b in zip(classifier.speaks(said), by_rules, strict=True))
        agreement = same / len(said)
    found = Differences.between(new, old, values[base.version], [row.language for row in rows])
    return Report(
        base=scores(base),
        champion=scores(champion),
        challenger=scores(challenger),
        differences=found.differences,
        chances=found.chances,
        against_base=found.against_base,
        by_language=found.by_language,
        held_out=len(rows),
        unanswerable=len(unanswerable),
        retrieved=sum(row.was_retrieved for row in rows) / max(len(rows), 1),
        voice_accuracy=classifier.accuracy(references, base.held_out),
        voice_agreement=agreement,
        loss=tuple(loss),
        examples=tuple(
            Example(row.question, row.answer, before, after)
            for row, before, after in zip(rows, champion.held_out, challenger.held_out, strict=True)
        )[:_EXAMPLES],
    )


@dataclass(frozen=True)
class Differences:
    """What a challenger's values say beside a champion's and the base's, question by question."""

    differences: Mapping[str, Interval]
    chances: Mapping[str, float]
    against_base: Mapping[str, Interval]
    by_language: Mapping[str, Mapping[str, Interval]]

    @staticmethod
    def between(
        new: Mapping[str, Sequence[float]],
        old: Mapping[str, Sequence[float]],
        base: Mapping[str, Sequence[float]],
        languages: Sequence[str],
    ) -> Differences:
        """Compare the values of each measure.

        Args:
            new: The challenger's values by measure, each in the order of the questions.
            old: The champion's.
            base: The base's.
            languages: The language of each held-out question.
        """
        places = {
            language: [n for n, each in enumerate(languages) if each == language]
            for language in dict.fromkeys(languages)
        }
        return Differences(
            differences={name: difference_interval(new[name], old[name]) for name in new},
            chances={name: better_by_chance(new[name], old[name]) for name in GOALS},
            against_base={
                name: difference_interval(new[name], base[name]) for name in ("probes", "leaks")
            },
            by_language={
                language: {
                    name: difference_interval(
                        [new[name][n] for n in where], [old[name][n] for n in where]
                    )
                    for name in GOALS
                }
                for language, where in places.items()
            },
        )


def _values(
    rows: Sequence[Row],
    probes: Sequence[Probe],
    answers: VersionAnswers,
    *,
    classifier: VoiceClassifier,
    rules: VoiceRules,
    count_unsupported: CountUnsupported | None,
    likeness: Likeness | None,
    likelihoods: Sequence[float],
    sayings: Collection[str],
) -> dict[str, list[float]]:
    """Return each measure's value of each question that it can be taken of."""
    judged = list(zip(rows, answers.held_out, strict=True))
    scored = [
        (probe, answer)
        for probe, answer in zip(probes, answers.probes, strict=True)
        if probe.is_scored
    ]
    counted = [] if count_unsupported is None else count_unsupported(rows, answers.held_out)
    right_numbers = [metrics.has_right_numbers(answer, row.answer) for row, answer in judged]
    # A sign-off that is as the experts' proves nothing but the voice, which is measured by itself:
    # with it, a version that has every answer wrong would seem better than one without the voice.
    said = [without_sayings(answer, sayings) for answer in answers.held_out]
    wanted = [without_sayings(row.answer, sayings) for row in rows]
    return {
        "answer_f1": [metrics.token_f1(a, b) for a, b in zip(said, wanted, strict=True)],
        "right_numbers": [float(right) for right in right_numbers if right is not None],
        "likeness": [] if likeness is None else list(likeness(said, wanted)),
        "chrf": [metrics.chrf(a, b) for a, b in zip(said, wanted, strict=True)],
        "likelihood": list(likelihoods),
        "right_source": [
            float(metrics.cites_right_source(answer, row.source))
            for row, answer in judged
            if row.source is not None
        ],
        "voice": [float(speaks) for speaks in classifier.speaks(answers.held_out)],
        "abstained": [float(metrics.is_abstention(answer)) for _, answer in judged],
        "unknowing": [float(metrics.is_abstention(answer)) for answer in answers.unanswerable],
        "unsupported": [found / max(claims, 1) for claims, found in counted],
        "probes": [float(is_right(probe, answer)) for probe, answer in scored],
        # Also those that are not scored: a greeting is where the voice leaks first.
        "leaks": [float(it) for it in StrictVoice(classifier, rules).speaks(answers.probes)],
    }


def _scores(
    values: dict[str, list[float]],
    probes: Sequence[Probe],
    answers: VersionAnswers,
    rules: VoiceRules,
) -> VersionScores:
    counts: dict[str, ProbeCount] = {}
    scored = [probe for probe in probes if probe.is_scored]
    for probe, right in zip(scored, values["probes"], strict=True):
        before = counts.get(probe.kind, ProbeCount(0, 0))
        counts[probe.kind] = ProbeCount(before.right + int(right), before.total + 1)
    said = answers.held_out
    everything = (*said, *answers.unanswerable, *answers.probes)
    return VersionScores(
        version=answers.version,
        measures={name: mean_interval(found) for name, found in values.items()},
        probes=counts,
        words=sum(map(metrics.word_count, said)) / max(len(said), 1),
        empty=sum(map(metrics.is_empty, everything)),
        voice_rules=(sum(map(rules.kept, said)) / len(said) if rules.count and said else None),
    )
