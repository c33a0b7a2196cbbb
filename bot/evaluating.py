"""`skredder evaluate`: versions on questions they have never seen, and ways of answering."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bot.asking_in_ways import AskingInWays, EvaluationRefused, ProgressBar, all_ways
from bot.evaluation_questions import read_questions
from knowledge.language import detect_language
from storage import pairs, runs, snapshots, versions
from storage.database import Database
from storage.pairs import Pair
from storage.versions import BASE, PromotionRefused, Version
from training.base_model import BaseModel
from training.challenge_questions import VOICE_PAIRS
from training.evaluation.agreement import sayings_of
from training.evaluation.model_card import (
    CardFacts,
    SnapshotFacts,
    language_names,
    model_card,
)
from training.evaluation.verdict import EvaluationQuestion, Said
from training.evaluation.voice import StrictVoice, VoiceRules, VoiceUnclear
from training.evaluation.ways import Way, summed_up
from training.manifest import ManifestBroken
from training.measuring import Measuring, measured
from training.rows import Row, RowMaker
from training.snapshot import unanswerable_rows

Progress = Callable[[dict[str, Any]], None]

Item = TypeVar("Item")


class Evaluating:
    """Measures versions and ways of answering. Nobody's champion is changed by it."""

    def __init__(
        self,
        *,
        database: Database,
        asking: AskingInWays,
        measuring: Measuring,
        make: RowMaker,
        base: BaseModel,
    ) -> None:
        """Take the collaborators.

        Args:
            database: Where pairs, runs and versions are.
            asking: Asks versions questions as people do.
            measuring: Has versions answer the held-out rows, and keeps their answers.
            make: Makes rows of pairs.
            base: The base model in use.
        """
        self._database = database
        self._asking = asking
        self._measuring = measuring
        self._make = make
        self._base = base

    def version(
        self, version: str | None, against: str | None, limit: int | None, on_progress: Progress
    ) -> dict[str, Any]:
        """Measure a version on the held-out pairs, beside another and beside the base.

        Args:
            version: Its name; the champion if None.
            against: What it is compared with, paired by question; the base if None.
            limit: The most held-out pairs to ask.
            on_progress: Called with `name`, `done` and `total`.

        Raises:
            EvaluationRefused: a version or the pairs to measure with are missing.
        """
        chosen, other = self._named(version), self._named(against or BASE)
        for each in (chosen, other):
            self._refuse_of_another_base(each)
        with self._database.read() as session:
            approved = pairs.for_snapshot(session)
        held_out = _drawn([pair for pair in approved if pair.is_held_out], limit, self._seed)
        if not held_out:
            raise EvaluationRefused(_NO_PAIRS)
        on_progress({"name": "Finding the passages of each pair", "done": 0, "total": None})
        learned = self._learned(approved)
        bar, make = ProgressBar(on_progress), self._make.looking_up_once()
        try:
            report = self._measuring.compare(
                make.rows(held_out),
                learned,
                unanswerable=unanswerable_rows(held_out, make),
                seed=self._seed,
                champion=measured(other),
                challenger=measured(chosen),
                on_step=bar.step,
            )
        except (VoiceUnclear, ManifestBroken) as error:
            raise EvaluationRefused(str(error)) from error
        facts = self._facts(chosen, {pair.language for pair in held_out})
        title = f"On held-out questions, {chosen.name} beside {other.name}"
        return {
            "kind": "version",
            "report": report.to_json(),
            "card": model_card(facts, [(title, report.markdown())], [PLOT]),
        }

    def ways(
        self,
        version: str | None,
        against: str | None,
        *,
        ablation: bool,
        questions: Path | None,
        limit: int | None,
        on_progress: Progress,
    ) -> dict[str, Any]:
        """Ask questions in several ways of answering, each as people would get it.

        Args:
            version: The version that is measured; without a name the champion, and for the
                ablation the newest tuned version that passed the gate if the champion is the base.
            against: A second version to ask, without the ablation.
            ablation: Whether to ask base and tuned, with and without retrieval, and the base
                with examples; otherwise the versions are asked through the product alone.
            questions: A file of questions; the held-out pairs if None.
            limit: The most questions to ask.
            on_progress: Called with `name`, `done` and `total`.

        Raises:
            EvaluationRefused: a version is missing, or there is nothing to ask.
            QuestionFileInvalid: the file cannot be used.
        """
        with self._database.read() as session:
            approved = pairs.listed(session, "approved", limit=1_000_000)
        learned = self._learned(approved)
        asked = _drawn(self._questions(approved, questions), limit, self._seed)
        notes: list[str] = []
        if ablation:
            tuned = self._tuned(version)
            ways = all_ways(tuned, has_examples=bool(learned))
            if tuned is None:
                notes.append("No tuned version has passed the gate, so only the base is measured.")
        else:
            names = dict.fromkeys(self._named(name).name for name in (version, against or version))
            ways = tuple(Way(f"{name} + retrieval", name, True) for name in names)
        voice = self._voice(learned, notes, on_progress)
        said = self._said(ways, asked, approved, on_progress)
        where = f"questions of {questions.name}" if questions else "held-out pairs"
        chosen = self._named(ways[-1].version)
        report = summed_up(
            ways,
            said,
            goal=self._make.persona.goal,
            base=self._base.name,
            snapshot=self._snapshot(chosen),
            asked=f"{len(asked)} {where}",
            sayings=sayings_of([pair.output for pair in approved if not pair.is_held_out]),
            speaks=None if voice is None else voice.speaks,
            notes=notes,
        )
        facts = self._facts(chosen, {detect_language(question.text) for question in asked})
        return {
            "kind": "ways",
            "report": report.to_json(),
            "card": model_card(facts, [(report.asked, report.markdown())], [PLOT]),
        }

    def _said(
        self,
        ways: Sequence[Way],
        asked: Sequence[EvaluationQuestion],
        approved: Sequence[Pair],
        on_progress: Progress,
    ) -> dict[str, dict[EvaluationQuestion, Said]]:
        """Ask each version in all of its ways before the next one is opened."""
        alone = [question for question in asked if question.can_be_judged_alone]
        bar = ProgressBar(on_progress)
        bar.step(0, sum(len(asked if way.retrieval else alone) for way in ways), None)
        said: dict[str, dict[EvaluationQuestion, Said]] = {}
        for name in dict.fromkeys(way.version for way in ways):
            said |= self._asking.ask(
                self._named(name),
                [way for way in ways if way.version == name],
                asked=asked,
                alone=alone,
                approved=approved,
                on_asked=lambda who: bar.step(1, None, f"{who} answers"),
            )
        return said

    def _questions(
        self, approved: Sequence[Pair], file: Path | None
    ) -> Sequence[EvaluationQuestion]:
        if file is not None:
            found = read_questions(file)
        else:
            found = tuple(
                EvaluationQuestion(
                    pair.input,
                    reference=pair.output,
                    pages=tuple(source.uri for source in pair.sources) or None,
                    audience=pair.audience,
                )
                for pair in sorted(approved, key=lambda pair: pair.id)
                if pair.is_held_out
            )
        if not found:
            raise EvaluationRefused(_NO_PAIRS if file is None else f"{file.name} is empty.")
        return tuple(dict.fromkeys(found))

    def _voice(
        self, learned: Sequence[Row], notes: list[str], on_progress: Progress
    ) -> StrictVoice | None:
        show = ProgressBar(on_progress).step
        try:
            classifier = self._measuring.voice_classifier(learned, self._seed, show)
        except VoiceUnclear as unclear:
            notes.append(f"The voice is not measured. {unclear}")
            return None
        rules = VoiceRules(self._make.persona.voice, [row.answer for row in learned])
        notes.append(
            "In the voice is what a classifier takes for the experts' writing"
            + (
                f" and what keeps the {rules.count} written rules that they keep."
                if rules.count
                else "."
            )
        )
        return StrictVoice(classifier, rules)

    def _learned(self, approved: Sequence[Pair]) -> list[Row]:
        """Return rows of training pairs that everyone may see, to tell the voice by."""
        train = [p for p in approved if not p.is_held_out and p.audience == "everyone"]
        return self._make.rows(_drawn(train, VOICE_PAIRS, self._seed))

    def _named(self, name: str | None) -> Version:
        try:
            with self._database.write() as session:
                champion = versions.ensure_base(session).version
                return champion if name is None else versions.kept_by_name(session, name)
        except PromotionRefused as error:
            raise EvaluationRefused(str(error)) from error

    def _refuse_of_another_base(self, version: Version) -> None:
        """Raise `EvaluationRefused` if the base in use would be measured in its stead."""
        if version.base_sha256 not in (None, self._base.sha256):
            raise EvaluationRefused(
                f"{version.name} belongs to the base model {version.base_name}, and here is "
                f"{self._base.name}. `skredder train challenge --base {version.base_ref}` measures "
                "that one beside the version that answers."
            )

    def _tuned(self, name: str | None) -> Version | None:
        """Return what stands for "tuned": the one named, the champion, or the newest passed."""
        chosen = self._named(name)
        if name is not None or not chosen.is_base:
            return None if chosen.is_base else chosen
        with self._database.read() as session:
            known = versions.listed(session)
        return next((each for each in known if each.may_answer and not each.is_base), None)

    def _facts(self, version: Version, languages: set[str]) -> CardFacts:
        return CardFacts(
            version=version.name,
            company=self._make.persona.company,
            goal=self._make.persona.goal,
            base=self._base.name,
            made_at=version.created_at.date().isoformat(),
            gate=version.standing,
            snapshot=self._snapshot_facts(version),
            languages=language_names(languages),
        )

    def _snapshot(self, version: Version) -> str | None:
        facts = self._snapshot_facts(version)
        return None if facts is None else facts.digest

    def _snapshot_facts(self, version: Version) -> SnapshotFacts | None:
        if version.run_id is None:
            return None
        with self._database.read() as session:
            run = runs.get(session, version.run_id)
            if run.snapshot_id is None:
                return None
            found = snapshots.get(session, run.snapshot_id)
        return SnapshotFacts(
            found.digest, found.train_pairs, found.held_out_pairs, found.replay_rows
        )

    @property
    def _seed(self) -> int:
        return self._make.recipe.seed


#: What the plot beside a model card is called.
PLOT = "evaluation.png"

_NO_PAIRS = (
    "There are no held-out pairs to measure with. Pairs are kept for measuring as they are "
    "approved, about one in six; or name a file with --questions."
)


def _drawn(items: Sequence[Item], limit: int | None, seed: int) -> list[Item]:
    """Return at most `limit` items, drawn by the seed, in their order."""
    if limit is None or limit >= len(items):
        return list(items)
    places = random.Random(seed).sample(range(len(items)), limit)  # noqa: S311 - repeatable
    return [items[place] for place in sorted(places)]
