"""Measuring a challenger against the champion and the base, going on where it was broken off."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path

from storage.versions import BASE, Version
from training.evaluation.agreement import sayings_of
from training.evaluation.answers import AnswerBook, Generate
from training.evaluation.changes import Change, changes_of
from training.evaluation.compare import CountUnsupported, Likeness, VersionAnswers, compare
from training.evaluation.likelihood import Likelihoods
from training.evaluation.probes import Probe, read_probes
from training.evaluation.report import Report
from training.evaluation.voice import VoiceClassifier
from training.prompt import ChatMessage, Voice, render_general
from training.rows import Row
from training.snapshot import Snapshot

#: How long the answer to a probe may be, in tokens: right answers are short, and a model that
#: lost itself is not followed for long.
PROBE_TOKENS = 48
#: How many of the questions learned from the base answers too, to show how it writes.
VOICE_SAMPLE = 40


@dataclass(frozen=True)
class Measured:
    """A version that is measured.

    Attributes:
        name: Its name.
        folder: Where its files are; None for a base model.
        manifest: SHA-256 of its manifest; None for the base in use, of whose name its answers are.
        lesson: What its system message ends with, for one that is asked with the voice taught.
        kept_as: Whose answers its answers are kept with, if not by its own name.
    """

    name: str
    folder: Path | None
    manifest: str | None
    lesson: str = ""
    kept_as: str = ""


@dataclass(frozen=True)
class _Asked:
    """What one version is asked, and where its answers are kept."""

    version: Measured
    kept: Path
    #: Questions, general ones, and questions whose answers show how it writes by itself.
    chats: tuple[tuple[tuple[ChatMessage, ...], ...], ...]


class Measuring:
    """Has versions answer and compares them. Answers are kept, so nobody is asked twice."""

    def __init__(
        self,
        *,
        folder: Path,
        base_name: str,
        voice: Voice,
        open_generator: Callable[[str, Path | None], AbstractContextManager[Generate]],
        answer_tokens: int,
        probes: Sequence[Probe] | None = None,
        count_unsupported: CountUnsupported | None = None,
        likeness: Likeness | None = None,
        likelihoods: Likelihoods | None = None,
    ) -> None:
        """Collect what measuring needs.

        Args:
            folder: Where answers are kept, in `answers/`.
            base_name: The base model's name; its answers are no other base's.
            voice: The voice's written rules.
            open_generator: Opens a version by name and folder (None for the base).
            answer_tokens: How long an answer to a question may be.
            probes: General probes; those that come with the program by default.
            count_unsupported: Checks the sentences of answers; without it that is not measured.
            likeness: Compares the meaning of answers; without it that is not measured.
            likelihoods: Says how likely versions find the references; without it likewise.
        """
        self._count_unsupported = count_unsupported
        self._likeness = likeness
        self._likelihoods = likelihoods
        self._folder = folder
        self._base_name = base_name
        self._voice = voice
        self._open_generator = open_generator
        self.answer_tokens = answer_tokens
        self._probes = probes

    def with_models(
        self,
        open_generator: Callable[[str, Path | None], AbstractContextManager[Generate]],
        base_name: str | None = None,
    ) -> Measuring:
        """Return what measures likewise with other models.

        How likely they find the references is not measured: the base's likelihoods are another's.

        Args:
            open_generator: Opens them.
            base_name: What the base model is called among them; as here by default.
        """
        other = copy(self)
        other._open_generator = open_generator
        other._base_name = base_name or self._base_name
        other._likelihoods = None
        return other

    def book(self, name: str, manifest: str | None) -> Path:
        """Return the file with a version's answers; other weights have another file."""
        made_of = self._base_name if manifest is None else manifest[:12]
        return self._folder / "answers" / f"{name}-{made_of}.jsonl"

    def measure(
        self,
        snapshot: Snapshot,
        *,
        champion: Measured,
        challenger: tuple[str, Path, str],
        loss: Sequence[float],
        writers: Sequence[Measured] = (),
        on_step: Callable[[int, int | None, str | None], None],
        should_stop: Callable[[], bool],
    ) -> Report:
        """Measure a challenger on the held-out rows and the probes.

        Args:
            snapshot: What it learned from, and the rows kept for measuring.
            champion: The version that answers now.
            challenger: The new version's name, its folder and its manifest's SHA-256.
            loss: The loss of each training step.
            writers: Other base models among them, as `compare` takes them.
            on_step: Told how many answers have come, how many there will be, and of whom.
            should_stop: Asked before each batch.

        Raises:
            EvaluationStopped: `should_stop` said so; answers that came are kept.
            VoiceUnclear: there are too few training answers to learn the voice from.
        """
        name, folder, manifest = challenger
        return self.compare(
            snapshot.held_out,
            pair_rows(snapshot.rows),
            unanswerable=snapshot.unanswerable,
            seed=snapshot.seed,
            champion=champion,
            challenger=Measured(name, folder, manifest),
            loss=loss,
            writers=writers,
            on_step=on_step,
            should_stop=should_stop,
        )

    def compare(
        self,
        held_out: Sequence[Row],
        learned: Sequence[Row],
        *,
        unanswerable: Sequence[Row] = (),
        seed: int,
        champion: Measured,
        challenger: Measured,
        loss: Sequence[float] = (),
        writers: Sequence[Measured] = (),
        on_step: Callable[[int, int | None, str | None], None],
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Report:
        """Measure any version beside any other, and beside the base, which is always asked too.

        All are asked the same questions with the same passages.

        Args:
            held_out: The rows to measure on.
            learned: Rows of training pairs: they show what the voice is.
            unanswerable: Held-out questions without the passages that answer them.
            seed: Draws which of the learned questions the base answers, to show how it writes.
            champion: What the challenger is compared with; may be the base or itself.
            challenger: What is measured.
            loss: The loss of each training step, if it is to be drawn.
            writers: Base models beside `base` that champion or challenger belong to. How they
                write by themselves is no voice either: a classifier that had never read them
                would take their answers for whatever they happen to be more like.
            on_step: Told how many answers have come, how many there will be, and of whom.
            should_stop: Asked before each batch.

        Raises:
            EvaluationStopped: `should_stop` said so; answers that came are kept.
            VoiceUnclear: there are too few training answers to learn the voice from.
        """
        probes = read_probes() if self._probes is None else tuple(self._probes)
        asked_rows = (*held_out, *unanswerable)
        general = tuple(render_general(probe.prompt) for probe in probes)
        sample = tuple(row.messages for row in _sample(learned, seed))
        base = Measured(BASE, None, None)
        versions = {version.name: version for version in (base, champion, challenger)}
        untaught = {writer.name for writer in (base, *writers)}
        asked = [
            self._asked(
                version,
                taught(asked_rows, version.lesson),
                general,
                sample if version.name in untaught else (),
            )
            for version in versions.values()
        ]
        asked += [
            self._asked(writer, (), (), sample) for writer in writers if writer.name not in versions
        ]
        on_step(0, sum(self._missing(one) for one in asked), None)
        said = self._ask_each(asked, on_step, should_stop)
        answers = {
            name: VersionAnswers(
                name,
                tuple(parts[0][: len(held_out)]),
                tuple(parts[1]),
                tuple(parts[0][len(held_out) :]),
            )
            for name, parts in said.items()
            if name in versions
        }
        folders = {name: version.folder for name, version in versions.items()}
        likelihoods = self._likelihoods and self._likelihoods(folders, held_out, should_stop)
        return compare(
            held_out,
            probes,
            base=answers[BASE],
            champion=answers[champion.name],
            challenger=answers[challenger.name],
            train_references=[row.answer for row in learned],
            base_train_answers=[text for name in sorted(untaught) for text in said[name][2]],
            unanswerable=unanswerable,
            voice=self._voice,
            loss=loss,
            count_unsupported=self._count_unsupported,
            likeness=self._likeness,
            likelihoods=likelihoods,
        )

    def changes(
        self,
        snapshot: Snapshot,
        rows: Sequence[Row],
        *,
        champion: Measured,
        challenger: tuple[str, Path, str],
        on_step: Callable[[int, int | None, str | None], None],
        should_stop: Callable[[], bool],
    ) -> tuple[Change, ...]:
        """Say of corrections what the champion and the challenger answer to them.

        Args:
            snapshot: What the challenger learned from.
            rows: The corrections among it, as they would be asked.
            champion: The version that answers now.
            challenger: The new version's name, its folder and its manifest's SHA-256.
            on_step: Told how many answers have come, how many there will be, and of whom.
            should_stop: Asked before each batch.

        Raises:
            EvaluationStopped: `should_stop` said so; answers that came are kept.
        """
        learned = pair_rows(snapshot.rows)
        asked = [
            self._asked(version, taught(rows, version.lesson))
            for version in (champion, Measured(*challenger))
        ]
        on_step(0, sum(self._missing(one) for one in asked), None)
        said = self._ask_each(asked, on_step, should_stop)
        before, after = (said[one.version.name][0] for one in asked)
        return changes_of(rows, before, after, sayings_of([row.answer for row in learned]))

    def voice_classifier(
        self,
        learned: Sequence[Row],
        seed: int,
        on_step: Callable[[int, int | None, str | None], None],
        should_stop: Callable[[], bool] = lambda: False,
    ) -> VoiceClassifier:
        """Return a classifier of the voice, the base's answers made where they are missing.

        Raises:
            EvaluationStopped: `should_stop` said so; answers that came are kept.
            VoiceUnclear: there are too few training answers.
        """
        sample = tuple(row.messages for row in _sample(learned, seed))
        base = Measured(BASE, None, None)
        asked = self._asked(base, (), (), sample)
        on_step(0, self._missing(asked), None)
        said = self._ask_each([asked], on_step, should_stop)[BASE][2]
        return VoiceClassifier([row.answer for row in learned], said)

    def voice_of(self, snapshot: Snapshot) -> VoiceClassifier:
        """Return the classifier of the voice that a measured snapshot was judged by.

        Raises:
            VoiceUnclear: there are too few answers, or the snapshot was not measured here.
        """
        learned = pair_rows(snapshot.rows)
        sample = [row.messages for row in _sample(learned, snapshot.seed)]
        book = AnswerBook(self.book(BASE, None))
        if book.missing(sample, self.answer_tokens):
            return VoiceClassifier([row.answer for row in learned], [])
        said = book.answer(sample, self.answer_tokens, _nobody)
        return VoiceClassifier([row.answer for row in learned], said)

    def _asked(self, version: Measured, *chats: tuple[tuple[ChatMessage, ...], ...]) -> _Asked:
        path = self.book(version.kept_as or version.name, version.manifest)
        return _Asked(version, path, chats)

    def _missing(self, asked: _Asked) -> int:
        book = AnswerBook(asked.kept)
        return sum(
            book.missing(chats, limit)
            for chats, limit in zip(asked.chats, self._limits(), strict=False)
        )

    def _ask_each(
        self,
        asked: Sequence[_Asked],
        on_step: Callable[[int, int | None, str | None], None],
        should_stop: Callable[[], bool],
    ) -> dict[str, list[list[str]]]:
        """Return the answers by name; a model that is asked in two ways is opened once."""
        together: dict[Path, list[_Asked]] = {}
        for one in asked:
            together.setdefault(one.kept, []).append(one)
        said: dict[str, list[list[str]]] = {}
        for group in together.values():
            with ExitStack() as opened:
                generate: Generate = _nobody
                if any(map(self._missing, group)):
                    model = self._open_generator(group[0].version.name, group[0].version.folder)
                    generate = opened.enter_context(model)
                for one in group:
                    said[one.version.name] = self._ask(one, generate, on_step, should_stop)
        return said

    def _ask(
        self,
        asked: _Asked,
        generate: Generate,
        on_step: Callable[[int, int | None, str | None], None],
        should_stop: Callable[[], bool],
    ) -> list[list[str]]:
        def answered(count: int) -> None:
            on_step(count, None, f"{asked.version.name} answers questions it has never seen")

        # Opened only now: a base that is also asked with the voice taught shares its book.
        book = AnswerBook(asked.kept)
        return [
            book.answer(chats, limit, generate, answered, should_stop)
            for chats, limit in zip(asked.chats, self._limits(), strict=False)
        ]

    def _limits(self) -> tuple[int, int, int]:
        return (self.answer_tokens, PROBE_TOKENS, self.answer_tokens)


def measured(version: Version) -> Measured:
    """Return what is measured of a version that SQL knows."""
    folder = None if version.folder is None else Path(version.folder)
    return Measured(version.name, folder, version.manifest_sha256)


def taught(rows: Sequence[Row], lesson: str) -> tuple[tuple[ChatMessage, ...], ...]:
    """Return the questions of rows as chats, with a lesson at the end of the system message."""
    return tuple(
        (replace(system, content=system.content + lesson), *turns)
        for system, *turns in (row.messages for row in rows)
    )


def pair_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that show what the voice is: those of the pairs that were learned from."""
    return [row for row in rows if row.split == "train" and row.kind == "pair"]


def _sample(rows: Sequence[Row], seed: int) -> list[Row]:
    count = min(VOICE_SAMPLE, len(rows))
    return random.Random(seed).sample(list(rows), count)  # noqa: S311 - repeatable, no secret


def _nobody(_chats: Sequence[tuple[ChatMessage, ...]], _max_tokens: int) -> list[str]:
    raise AssertionError("Everything was answered; nobody should be asked.")
