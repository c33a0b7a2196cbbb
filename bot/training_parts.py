"""Handing training what it needs from beside and above: retrieval, and engines to measure with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import fields, replace
from pathlib import Path

from bot.answering import unknowing_answers
from bot.engines import EngineOpener
from bot.home import Home
from bot.inference.language_model import GenerationOptions, LanguageModel
from bot.inference.memory import GIB, available_gib
from bot.row_support import RowSupport
from bot.settings import Settings, TrainingSettings
from knowledge.embedder import Embedder, likeness
from knowledge.grounding.checker import GroundingCheck
from knowledge.packing import LOOKED_FOR, pack
from knowledge.retrieval import Passage, Retrieval
from storage.database import Database
from training.base_model import BaseModel
from training.evaluation.answers import Generate
from training.evaluation.likelihood import ReferenceLikelihood
from training.prompt import ChatMessage, without_citations
from training.recipe import ALPHA_BY_RANK, GateRules, Recipe
from training.retrain import Retraining
from training.rows import CountTokens, RetrievedPassage
from training.untrusted_text import as_data

#: The settings that stand in the recipe under the same name.
_OVERRIDES = tuple(
    each.name
    for each in fields(Recipe)
    if each.name in TrainingSettings.model_fields and each.name != "seed"
)

#: What a model that everyone uses may be trained on.
AUDIENCE = "everyone"


def build_training(
    *,
    settings: Settings,
    home: Home,
    base: BaseModel,
    database: Database,
    retrieval: Retrieval,
    opener: EngineOpener,
) -> Retraining:
    """Wire a `Retraining` for this installation."""

    count_tokens = token_counter(base)

    def retrieve(question: str) -> tuple[RetrievedPassage, ...]:
        most = settings.knowledge.passages
        hits = retrieval.search(as_data(question), {AUDIENCE}, limit=most * LOOKED_FOR)
        packed = pack(
            hits,
            most=most,
            tokens=settings.knowledge.context_tokens,
            count_tokens=count_tokens,
        )
        return tuple(_retrieved(passage) for passage in packed)

    def find_section(uri: str, heading: str) -> RetrievedPassage | None:
        found = retrieval.section(uri, heading, {AUDIENCE})
        return None if found is None else _retrieved(found)

    return Retraining(
        database=database,
        folder=home.runs,
        base=base,
        recipe=recipe_of(settings.training),
        rules=GateRules(
            held_out_pairs=settings.training.gate.held_out_pairs,
            probe_drop=settings.training.gate.probe_drop,
            leaks=settings.training.gate.leaks,
            unsupported_rise=settings.training.gate.unsupported_rise,
            abstention_drop=settings.training.gate.abstention_drop,
        ),
        persona=settings.persona(),
        retrieve=retrieve,
        find_section=find_section,
        count_tokens=count_tokens,
        unknowing_answers=unknowing_answers(settings.company.contact),
        open_generator=generators(opener),
        answer_tokens=settings.model.max_new_tokens,
        free_memory=lambda: available_gib() * GIB,
        count_unsupported=RowSupport(
            lambda: GroundingCheck(retrieval._serving.current.embedder, settings.answers.caught),
            settings.persona().voice.sayings,
        ),
        likeness=lambda said, wanted: _likeness(retrieval._serving.current.embedder, said, wanted),
        likelihoods=ReferenceLikelihood(
            base.folder, home.runs / "answers", recipe_of(settings.training).threads
        ),
    )


def _likeness(embedder: Embedder, said: Sequence[str], wanted: Sequence[str]) -> list[float]:
    """Return how alike each answer and its reference are in meaning, on all embedders' scale."""
    told, references = (
        embedder.embed_passages([without_citations(text) for text in texts])
        for texts in (said, wanted)
    )
    return [
        min(max(likeness(float(a @ b), embedder), 0.0), 1.0)
        for a, b in zip(told, references, strict=True)
    ]


def recipe_of(settings: TrainingSettings) -> Recipe:
    """Return the measured recipe with what the settings override."""
    given = {name: value for name in _OVERRIDES if (value := getattr(settings, name)) is not None}
    if settings.rank is not None:
        given.setdefault("alpha", ALPHA_BY_RANK * settings.rank)
    if settings.time_limit_hours is not None:
        given["time_limit"] = settings.time_limit_hours * 3600
    return replace(Recipe(), seed=settings.seed, **given)


def generators(
    opener: EngineOpener,
) -> Callable[[str, Path | None], AbstractContextManager[Generate]]:
    """Open versions beside the one that serves; each is closed when it has been measured."""

    @contextmanager
    def open_generator(name: str, folder: Path | None) -> Iterator[Generate]:
        model = opener.open_files(name, folder)
        try:
            yield _generate_with(model)
        finally:
            model.close()

    return open_generator


def _generate_with(model: LanguageModel) -> Generate:
    def generate(batch: Sequence[Sequence[ChatMessage]], max_tokens: int) -> list[str]:
        return model.generate_many(batch, GenerationOptions(max_new_tokens=max_tokens))

    return generate


def token_counter(base: BaseModel) -> CountTokens:
    """Count tokens as the base model does; its tokenizer is loaded at the first question."""
    loaded: list[Callable[[str], int]] = []

    def count(text: str) -> int:
        if not loaded:
            from transformers import AutoTokenizer

            tokenizer = AutoTokenizer.from_pretrained(base.folder)
            loaded.append(lambda t: len(tokenizer.encode(t, add_special_tokens=False)))
        return loaded[0](text)

    return count


def _retrieved(passage: Passage) -> RetrievedPassage:
    return RetrievedPassage(passage.uri, passage.title, passage.heading, passage.text)
