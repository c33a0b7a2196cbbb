"""From a question to its outcome: verified, grounded, or an honest "I don't know"."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.champion import Champion
from bot.follow_up import Asked, in_thread
from bot.grounding import (
    GroundedWriter,
    quotation,
    says_it_does_not_know,
    says_something,
    settle_citations,
)
from bot.inference.language_model import (
    TOKENS_PER_MESSAGE,
    GenerationOptions,
    LanguageModel,
    ModelUnavailable,
    PromptTooLong,
)
from bot.writing import Cancelled, Written, write_down
from knowledge.answer_selection import AnswerSentence
from knowledge.grounding.checker import Checks
from knowledge.grounding.reading import Ground
from knowledge.language import detect_language
from knowledge.packing import LOOKED_FOR, pack
from knowledge.retrieval import Passage, Retrieval
from knowledge.verified import VerifiedAnswers
from storage import pairs
from storage.answers import AnswerSource
from storage.database import Database
from storage.pairs import Pair
from storage.versions import is_untuned
from training.prompt import (
    ChatMessage,
    Persona,
    PromptPassage,
    cited_numbers,
    render_question,
    with_citation,
)
from training.untrusted_text import as_data

__all__ = ["Answering", "Cancelled", "Outcome", "ReadsPassages"]

log = logging.getLogger(__name__)

_DOES_NOT_KNOW = {
    "en": "I don't know: I found nothing in our documents that answers this. Ask {contact}.",
    "no": "Det vet jeg ikke: jeg fant ikke noe i dokumentene våre som svarer på dette. "
    "Spør {contact}.",
}

_QUOTES = {
    "en": "I can't say it better than the page itself: {quote}",
    "no": "Jeg kan ikke si det bedre enn siden selv: {quote}",
}

_OUT_OF_REACH = {
    "en": "I can't write an answer right now, so here is what the page says: {quote}",
    "no": "Jeg får ikke skrevet et svar akkurat nå, så her er det siden sier: {quote}",
}

#: Stands before a quotation of a page that is not in the question's language, by both.
_OF_A_PAGE_IN = {
    ("en", "no"): "(the page is in Norwegian)",
    ("no", "en"): "(siden er på engelsk)",
}

_CUT_OFF = {
    "en": "I was cut off here; the page says more.",
    "no": "Her ble jeg avbrutt; siden sier mer.",
}


def unknowing_answers(contact: str) -> dict[str, str]:
    """Return "I don't know" in each language, with whom to ask.

    It is what people are told, and what a version learns to say where the passages do not answer.
    """
    return {language: text.format(contact=contact) for language, text in _DOES_NOT_KNOW.items()}


class ReadsPassages(Protocol):
    """A grounding check of either kind: by features, or by entailment."""

    def read(self, passages: Sequence[Ground], question: str = "") -> Checks:
        """Read the passages of an answer; its sentences are then checked one by one."""


@dataclass(frozen=True)
class Outcome:
    """What a question got. Timings are in seconds."""

    status: str
    text: str
    sources: tuple[AnswerSource, ...] = ()
    model_version: str | None = None
    pair_id: int | None = None
    timings: dict[str, float] = field(default_factory=dict)


class Answering:
    """Answers questions from verified answers and passages, in the company's voice."""

    def __init__(
        self,
        *,
        database: Database,
        retrieval: Retrieval,
        verified: VerifiedAnswers,
        models: Champion,
        grounding: ReadsPassages,
        persona: Persona,
        contact: str,
        passages: int,
        context_tokens: int,
        max_new_tokens: int,
        precision: float,
        keeps_near: bool = False,
    ) -> None:
        """Take the collaborators.

        Args:
            database: Where pairs are kept.
            retrieval: Finds passages.
            verified: Finds approved pairs by their question.
            models: Gives the version that answers now.
            grounding: Checks sentences against passages.
            persona: Who speaks.
            contact: Whom to name when the bot does not know.
            passages: How many passages the model is given.
            context_tokens: How many tokens of passages the model is given.
            max_new_tokens: How long an answer may be, in tokens.
            precision: The wished share, among questions that are tried, of those that the
                documents answer.
            keeps_near: Whether the model must keep near to the page's words; see `bot.wording`.
        """
        self._keeps_near = keeps_near
        self._database = database
        self._retrieval = retrieval
        self._verified = verified
        self._models = models
        self._grounding = grounding
        self._precision = precision
        self._persona = persona
        self._sayings = persona.voice.sayings
        self._contact = contact
        self._passages = passages
        self._context_tokens = context_tokens
        self._options = GenerationOptions(max_new_tokens=max_new_tokens)

    def answer(
        self,
        question: str,
        audiences: Collection[str],
        *,
        earlier: Sequence[str] = (),
        asker: str | None = None,
        thread: str | None = None,
        on_text: Callable[[str], None] = lambda _: None,
        on_place: Callable[[int], None] = lambda _: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Answer one question.

        Args:
            question: The cleaned question.
            audiences: What the asker may see in this place; nothing else is looked at.
            earlier: Questions asked before in the same thread, oldest first.
            asker: Who asks; when many wait, askers take turns.
            thread: Where it is asked, as `bot.canary.thread_key` names it; some threads get the
                version that is on trial.
            on_text: Called with each piece of the answer as it is ready to be shown.
            on_place: Called with the place in the queue, while the question waits in it.
            is_cancelled: Asked between pieces; when true the answer is abandoned.

        Raises:
            Cancelled: `is_cancelled` said so.
            InferenceBusy: the queue is full.
            InferenceFailed: the model is broken, or the question's turn did not come in time.
        """
        started = time.monotonic()
        pair = self._verified_pair(in_thread(question, earlier).kept, audiences)
        if pair is not None:
            outcome = self._from_pair(pair, audiences)
            on_text(outcome.text)
            return _timed(outcome, {}, started)

        asked = in_thread(as_data(question), [as_data(before) for before in earlier])
        hits = self._retrieval.search(
            asked.question, audiences, limit=self._passages * LOOKED_FOR, before=asked.before
        )
        timings = {"retrieve": time.monotonic() - started}
        evidence = self._retrieval.evidence(asked.alone, hits, self._precision)
        if not asked.question or not evidence.is_answerable:
            outcome = self._abstention(question, hits)
            on_text(outcome.text)
            return _timed(outcome, timings, started)
        try:
            with self._models.lease(thread) as model:
                outcome = self._grounded(
                    model,
                    asked,
                    self.pack(model, hits, asked.alone),
                    timings,
                    asker=asker,
                    on_text=on_text,
                    on_place=on_place,
                    is_cancelled=is_cancelled,
                )
        except (ModelUnavailable, PromptTooLong) as unavailable:
            log.warning("no answer could be written, a page is quoted: %s", unavailable)
            found = hits[: self._passages]
            ranked = self._ranked(asked, found)
            outcome = self._quoted(_OUT_OF_REACH, asked, found, ranked, version=None)
            on_text(outcome.text)
        return _timed(outcome, timings, started)

    def passages_for(self, question: str, audiences: Collection[str]) -> tuple[Passage, ...]:
        """Return the passages that `question` is answered from, as the model is given them."""
        return self._retrieval.search(question, audiences, limit=self._passages)

    def _verified_pair(self, question: str, audiences: Collection[str]) -> Pair | None:
        with self._database.read() as session:
            exact = pairs.approved_answer(session, question, audiences)
        if exact is not None:
            return exact
        match = self._verified.find(question, audiences)
        if match is None:
            return None
        with self._database.read() as session:
            found = pairs.by_ids(session, [match.pair_id])
        # The index is derived and may lag: SQL has the last word on what is approved, for whom.
        usable = [p for p in found if p.state == "approved" and p.audience in audiences]
        return usable[0] if usable else None

    def _from_pair(self, pair: Pair, audiences: Collection[str]) -> Outcome:
        passages = [
            passage
            for source in pair.sources
            if (passage := self._retrieval.section(source.uri, source.heading, audiences))
        ]
        text = pair.output
        for number, passage in enumerate(passages[:1], start=1):
            text = with_citation(text, number, passage.text)
        return Outcome(
            status="verified",
            text=text,
            sources=_sources(passages, cited=cited_numbers(text)),
            pair_id=pair.id,
        )

    def _abstention(self, question: str, hits: Sequence[Passage]) -> Outcome:
        sentence = unknowing_answers(self._contact)[_language(question)]
        return Outcome("abstained", sentence, _sources(hits[:2], cited=()))

    def _grounded(
        self,
        model: LanguageModel,
        asked: Asked,
        passages: Sequence[Passage],
        timings: dict[str, float],
        *,
        asker: str | None,
        on_text: Callable[[str], None],
        on_place: Callable[[int], None],
        is_cancelled: Callable[[], bool],
    ) -> Outcome:
        messages = self._prompt_for(model, asked.alone, passages)
        begun = time.monotonic()
        generation = model.start(messages, self._options, asker=asker)
        grounds = [_ground(passage) for passage in passages]  # read while the model begins
        texts = [f"{ground.heading} {ground.text}" for ground in grounds]
        ranked = self._ranked(asked, passages)
        writer = GroundedWriter(
            self._grounding.read(grounds, asked.alone),
            texts,
            asked.alone,
            sayings=self._sayings,
            headings=[heading for passage in passages for heading in _headings(passage)],
            ranked=ranked,
            keeps_near=self._keeps_near,
        )
        written = write_down(
            generation,
            writer,
            on_text=on_text,
            on_place=on_place,
            is_cancelled=is_cancelled,
        )
        timings["generate"] = time.monotonic() - begun
        timings["wait"] = written.waited
        if written.first_text is not None:
            timings["first_text"] = written.first_text
        log.info(
            "answer generated version=%s shown=%d replaced=%d dropped=%d",
            model.version,
            written.shown,
            written.replaced,
            written.dropped,
        )
        outcome = self._judged(model, asked, passages, texts, written, ranked=ranked)
        if not written.text:
            on_text(outcome.text)
        return outcome

    def _judged(
        self,
        model: LanguageModel,
        asked: Asked,
        passages: Sequence[Passage],
        texts: Sequence[str],
        written: Written,
        *,
        ranked: Sequence[AnswerSentence],
    ) -> Outcome:
        """Decide whether what was written is an answer; if not, quote or abstain."""
        if says_it_does_not_know(written.text):
            return self._abstention(asked.question, passages)
        text = settle_citations(written.text, texts)
        answers = cited_numbers(text) and says_something(text, texts, asked.question)
        if answers:
            if written.failure is not None:
                log.warning("answer cut off version=%s: %s", model.version, written.failure)
                text = f"{text} {_CUT_OFF[_language(asked.question)]}"
            return Outcome(
                "grounded",
                text,
                _sources(passages, cited=cited_numbers(text)),
                model_version=model.version,
            )
        # A model that found no words of its own to answer with may have greeted all the same.
        warm = " ".join(filter(None, (written.greeting, "{quote}", written.farewell)))
        forms = _QUOTES if warm == "{quote}" else dict.fromkeys(_QUOTES, warm)
        return self._quoted(forms, asked, passages, ranked, version=model.version)

    def _quoted(
        self,
        forms: dict[str, str],
        asked: Asked,
        passages: Sequence[Passage],
        ranked: Sequence[AnswerSentence],
        *,
        version: str | None,
    ) -> Outcome:
        quote = quotation(ranked)
        if not quote:
            return self._abstention(asked.question, passages)
        cited = cited_numbers(quote)
        language = _language(asked.question)
        page = detect_language(passages[cited[0] - 1].text) if cited else language
        quote = " ".join(filter(None, (_OF_A_PAGE_IN.get((language, page)), quote)))
        text = forms[language].replace("{quote}", quote)
        return Outcome("grounded", text, _sources(passages, cited=cited), model_version=version)

    def _ranked(self, asked: Asked, passages: Sequence[Passage]) -> tuple[AnswerSentence, ...]:
        """Return the sentences of passages, the one that answers best first."""
        return self._retrieval.answer_sentences(
            asked.alone,
            [_ground(passage) for passage in passages],
            [passage.similarity for passage in passages],
        )

    def pack(
        self, model: LanguageModel, hits: Sequence[Passage], question: str
    ) -> tuple[Passage, ...]:
        """Return the passages that the model is given; see `knowledge.packing.pack`.

        The budget is what the settings say, or what the model's context leaves beside everything
        else if that is less.
        """
        return pack(
            hits,
            most=self._passages,
            tokens=min(self._context_tokens, self._room(model, question)),
            count_tokens=model.count_tokens,
        )

    def _room(self, model: LanguageModel, question: str) -> int:
        """How many tokens of passages the model's context leaves, beside prompt and answer."""
        frame = self._prompt_for(model, question, ())
        taken = sum(model.count_tokens(message.content) + TOKENS_PER_MESSAGE for message in frame)
        return model.context_tokens - self._options.max_new_tokens - taken

    def _prompt_for(
        self, model: LanguageModel, question: str, passages: Sequence[Passage]
    ) -> tuple[ChatMessage, ...]:
        # A base has not learned the company's voice; what was tuned knows it.
        return self.prompt(question, passages, teaches_voice=is_untuned(model.version))

    def prompt(
        self, question: str, passages: Sequence[Passage], *, teaches_voice: bool = False
    ) -> tuple[ChatMessage, ...]:
        """Render the prompt that `question` is asked with."""
        return render_question(
            question,
            [PromptPassage(p.title, p.heading, p.text) for p in passages],
            self._persona,
            teaches_voice=teaches_voice,
        )


def _ground(passage: Passage) -> Ground:
    """A passage as evidence: what speaks to the model instead of to a reader is none."""
    return Ground(as_data(f"{passage.title} > {passage.heading}"), as_data(passage.text))


def _headings(passage: Passage) -> tuple[str, ...]:
    return (f"{passage.title} > {passage.heading}", passage.heading, passage.title)


def _sources(passages: Sequence[Passage], cited: Sequence[int]) -> tuple[AnswerSource, ...]:
    return tuple(
        AnswerSource(
            n=n,
            passage_id=passage.id,
            uri=passage.uri,
            title=passage.title,
            heading=passage.heading,
            text=passage.text,
            audience=passage.audience,
            updated_at=passage.updated_at,
            cited=n in cited,
            reviewed_until=passage.reviewed_until,
            link=passage.link,
        )
        for n, passage in enumerate(passages, start=1)
    )


def _language(question: str) -> str:
    return "no" if detect_language(question) == "no" else "en"


def _timed(outcome: Outcome, timings: dict[str, float], started: float) -> Outcome:
    total = timings | {"total": time.monotonic() - started}
    return Outcome(
        outcome.status,
        outcome.text,
        outcome.sources,
        outcome.model_version,
        outcome.pair_id,
        {name: round(seconds, 3) for name, seconds in total.items()},
    )
