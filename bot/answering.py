"""From a question to its outcome: verified, grounded, or an honest "I don't know"."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from bot.champion import Champion
from bot.grounding import (
    SentenceStream,
    has_known_links,
    has_supported_numbers,
    quotation,
    says_it_does_not_know,
    says_something,
    settle_citations,
    without_headings,
)
from bot.inference.language_model import GenerationOptions, LanguageModel
from knowledge.language import detect_language
from knowledge.retrieval import Passage, Retrieval
from knowledge.verified import VerifiedAnswers
from storage import pairs
from storage.answers import AnswerSource
from storage.database import Database
from storage.pair_groups import content_words, question_key
from storage.pairs import Pair
from training.prompt import (
    ChatMessage,
    Persona,
    PromptPassage,
    cited_numbers,
    render_question,
    with_citation,
)

log = logging.getLogger(__name__)

#: A follow-up with fewer content words than this is searched together with the question before.
SHORT_FOLLOW_UP = 4

#: How many characters of a page are offered when the bot does not know.
_DOES_NOT_KNOW = {
    "en": "I don't know: I found nothing in our documents that answers this. Ask {contact}.",
    "no": "Det vet jeg ikke: jeg fant ikke noe i dokumentene våre som svarer på dette. "
    "Spør {contact}.",
}

_QUOTES = {
    "en": "I can't say it better than the page itself: “{quote}” [1]",
    "no": "Jeg kan ikke si det bedre enn siden selv: «{quote}» [1]",
}


class Cancelled(Exception):
    """The person pressed Stop."""


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
        persona: Persona,
        contact: str,
        passages: int,
        context_tokens: int,
        max_new_tokens: int,
    ) -> None:
        """Take the collaborators.

        Args:
            database: Where pairs are kept.
            retrieval: Finds passages.
            verified: Finds approved pairs by their question.
            models: Gives the version that answers now.
            persona: Who speaks.
            contact: Whom to name when the bot does not know.
            passages: How many passages the model is given.
            context_tokens: How many tokens of passages the model is given.
            max_new_tokens: How long an answer may be, in tokens.
        """
        self._database = database
        self._retrieval = retrieval
        self._verified = verified
        self._models = models
        self._persona = persona
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
        on_text: Callable[[str], None] = lambda _: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Answer one question.

        Args:
            question: The cleaned question.
            audiences: What the asker may see in this place; nothing else is looked at.
            earlier: Questions asked before in the same thread, oldest first.
            on_text: Called with each piece of the answer as it is ready to be shown.
            is_cancelled: Asked between pieces; when true the answer is abandoned.

        Raises:
            Cancelled: `is_cancelled` said so.
        """
        started = time.monotonic()
        pair = self._verified_pair(question, audiences)
        if pair is not None:
            outcome = self._from_pair(pair, audiences)
            on_text(outcome.text)
            return _timed(outcome, {}, started)

        alone = stand_alone(question, earlier)
        hits = self._retrieval.search(alone, audiences, limit=self._passages * 2)
        timings = {"retrieve": time.monotonic() - started}
        if not self._retrieval.evidence(alone, hits).is_answerable:
            outcome = self._abstention(question, hits)
            on_text(outcome.text)
            return _timed(outcome, timings, started)
        with self._models.lease() as model:
            outcome = self._grounded(
                model, alone, hits, timings, on_text=on_text, is_cancelled=is_cancelled
            )
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
        sentence = _DOES_NOT_KNOW[_language(question)].format(contact=self._contact)
        return Outcome("abstained", sentence, _sources(hits[:2], cited=()))

    def _grounded(
        self,
        model: LanguageModel,
        question: str,
        hits: Sequence[Passage],
        timings: dict[str, float],
        *,
        on_text: Callable[[str], None],
        is_cancelled: Callable[[], bool],
    ) -> Outcome:
        passages = self.pack(model, hits)
        texts = [f"{passage.heading} {passage.text}" for passage in passages]
        headings = [
            heading
            for passage in passages
            for heading in (
                f"{passage.title} > {passage.heading}",
                passage.heading,
                passage.title,
            )
        ]
        begun = time.monotonic()
        generation = model.start(self.prompt(question, passages), self._options)
        stream, kept, dropped = SentenceStream(), [], 0
        said: set[str] = set()
        goes_round = False

        def keep(sentence: str) -> None:
            nonlocal dropped, goes_round
            sentence = without_headings(sentence, headings)
            if not sentence.strip():
                return
            key = question_key(sentence)
            if goes_round or key in said:
                # Small models go round in circles: what follows is the same again.
                goes_round = True
                generation.cancel()
                return
            said.add(key)
            is_supported = has_supported_numbers(sentence, texts, question)
            if is_supported and has_known_links(sentence, texts):
                timings.setdefault("first_text", time.monotonic() - begun)
                kept.append(sentence)
                on_text(sentence)
            else:
                dropped += 1

        for piece in generation:
            if is_cancelled():
                generation.cancel()
                raise Cancelled
            for sentence in stream.feed(piece):
                keep(sentence)
        for sentence in stream.flush():
            keep(sentence)
        timings["generate"] = time.monotonic() - begun
        text = "".join(kept).strip()
        log.info(
            "answer generated version=%s kept=%d dropped=%d", model.version, len(kept), dropped
        )
        if says_it_does_not_know(text):
            return self._abstention(question, passages)
        text = settle_citations(text, texts)
        if not cited_numbers(text) or not says_something(text, texts, question):
            quote = quotation(question, passages[0].text)
            text = _QUOTES[_language(question)].format(quote=quote)
            if not kept:
                on_text(text)
        return Outcome(
            "grounded",
            text,
            _sources(passages, cited=cited_numbers(text)),
            model_version=model.version,
        )

    def pack(self, model: LanguageModel, hits: Sequence[Passage]) -> tuple[Passage, ...]:
        """Return the best passages that fit the budget, best first; always at least one."""
        packed: list[Passage] = []
        used = 0
        for passage in hits[: self._passages]:
            size = model.count_tokens(f"{passage.title} > {passage.heading}\n{passage.text}")
            if packed and used + size > self._context_tokens:
                continue
            packed.append(passage)
            used += size
        return tuple(packed)

    def prompt(self, question: str, passages: Sequence[Passage]) -> tuple[ChatMessage, ...]:
        """Render the prompt that `question` is asked with."""
        return render_question(
            question,
            [PromptPassage(p.title, p.heading, p.text) for p in passages],
            self._persona,
        )


def stand_alone(question: str, earlier: Sequence[str]) -> str:
    """Return `question` in a form that can be searched without its thread.

    A short follow-up ("and for part-timers?") carries too little by itself, so the question
    before it is put in front.
    """
    if not earlier or len(content_words(question)) >= SHORT_FOLLOW_UP:
        return question
    return f"{earlier[-1]} {question}"


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
