"""What answering relies on, whichever engine serves: the same contract, on all, for real."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from bot.inference import language_model
from bot.inference.language_model import (
    GenerationOptions,
    InferenceBusy,
    InferenceFailed,
    LanguageModel,
    PromptTooLong,
)
from bot.inference.openvino_engine import OpenVinoEngine
from bot.inference.remote_engine import RemoteEngine
from bot.inference.remote_server import RemoteServer
from bot.inference.transformers_engine import TransformersEngine
from tests.bot.inference.real_server import transformers_serve
from tests.plain_model import greedy, load_plain
from training.base_model import BaseModel
from training.merge import load_merged
from training.prompt import render_general

QUESTIONS = [
    "What is the capital of Norway?",
    "Name three colours.",
    "Write one sentence about the sea.",
    "What is 15 + 7?",
]
SHORT = GenerationOptions(max_new_tokens=20)
LONG = GenerationOptions(max_new_tokens=400)
ENDLESS = render_general("Count from one to five hundred, one number a line, in words.")


KINDS = ["openvino", "transformers", "remote"]


@pytest.fixture(scope="module")
def server(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server of another program's, with the same model."""
    with transformers_serve(base_model.folder, tmp_path_factory.mktemp("server")) as url:
        yield url


def open_engine(kind: str, base: BaseModel, request: pytest.FixtureRequest) -> LanguageModel:
    if kind == "remote":
        found = RemoteServer(request.getfixturevalue("server"), str(base.folder))
        return RemoteEngine(found, "base", tokenizer_folder=base.folder)
    if kind == "openvino":
        assert base.gguf is not None
        return OpenVinoEngine(base.gguf, base.folder, "base")
    return TransformersEngine(base, None, "base")


@pytest.fixture(scope="module", params=KINDS)
def engine(request: pytest.FixtureRequest, base_model: BaseModel) -> Iterator[LanguageModel]:
    opened = open_engine(request.param, base_model, request)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def expected(base_model: BaseModel) -> list[str]:
    """What the model says when it is run in the plainest way there is."""
    model = load_plain(base_model)
    return [greedy(model, base_model, question, 20) for question in QUESTIONS]


def test_an_engine_says_what_the_plain_model_says(
    engine: LanguageModel, expected: list[str]
) -> None:
    said = [engine.start(render_general(q), SHORT).text().strip() for q in QUESTIONS]
    # Eight bits may tip a close call late in a text, so the beginnings are compared.
    begins = [s.split()[:5] == e.split()[:5] for s, e in zip(said, expected, strict=True)]
    assert sum(begins) >= len(QUESTIONS) - 1, (said, expected)


def test_many_answers_at_once_are_each_answers_to_their_own_question(
    engine: LanguageModel, expected: list[str]
) -> None:
    done: list[int] = []
    said = engine.generate_many([render_general(q) for q in QUESTIONS], SHORT, done.append)
    begins = [s.split()[:3] == e.split()[:3] for s, e in zip(said, expected, strict=True)]
    assert sum(begins) >= len(QUESTIONS) - 1, (said, expected)
    assert done == [1, 2, 3, 4]


def test_an_answer_streams_in_pieces_that_make_up_the_whole(engine: LanguageModel) -> None:
    pieces = list(engine.start(render_general(QUESTIONS[2]), SHORT))
    assert len(pieces) > 5
    assert "".join(pieces) == engine.start(render_general(QUESTIONS[2]), SHORT).text()
    assert not any("<|im_" in piece for piece in pieces)


def test_an_answer_never_exceeds_the_tokens_it_may_have(engine: LanguageModel) -> None:
    text = engine.start(ENDLESS, SHORT).text()
    # Decoding and encoding again may merge a token or two at the edges.
    assert 0 < engine.count_tokens(text) <= SHORT.max_new_tokens + 2


def test_a_cancelled_answer_stops_and_the_next_one_comes(engine: LanguageModel) -> None:
    generation = engine.start(ENDLESS, LONG)
    pieces = []
    for piece in generation:
        pieces.append(piece)
        if len(pieces) == 5:
            generation.cancel()
    assert 5 <= len(pieces) < 60, "it went on after it was cancelled"
    assert engine.start(render_general(QUESTIONS[0]), SHORT).text()


def test_a_prompt_that_leaves_no_room_is_refused_with_numbers(engine: LanguageModel) -> None:
    long = render_general("word " * engine.context_tokens)
    with pytest.raises(PromptTooLong, match=r"has \d+ tokens; \d+ fit"):
        engine.start(long, SHORT)


def test_a_full_queue_says_so_at_once(
    engine: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(language_model, "LONGEST_QUEUE", 1)
    first = engine.start(ENDLESS, LONG)
    with pytest.raises(InferenceBusy, match="1 answers are waiting"):
        engine.start(ENDLESS, SHORT)
    first.cancel()
    first.text()


@pytest.mark.parametrize("kind", KINDS)
def test_a_closed_engine_finishes_what_runs_and_takes_no_more(
    kind: str, base_model: BaseModel, request: pytest.FixtureRequest
) -> None:
    opened = open_engine(kind, base_model, request)
    running = opened.start(render_general(QUESTIONS[2]), SHORT)
    closing = threading.Thread(target=opened.close)
    closing.start()
    assert len(running.text()) > 20, "the running answer was cut off"
    closing.join(30)
    assert not closing.is_alive()
    with pytest.raises(InferenceFailed, match="closed"):
        opened.start(render_general(QUESTIONS[0]), SHORT)
    opened.close()


def test_a_reader_that_walks_away_holds_nobody_up(engine: LanguageModel) -> None:
    abandoned = engine.start(ENDLESS, GenerationOptions(max_new_tokens=60))
    del abandoned
    began = time.monotonic()
    assert engine.start(render_general(QUESTIONS[0]), SHORT).text()
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("kind", ["openvino", "transformers"])
def test_files_that_are_no_model_are_refused_by_name(
    kind: str, base_model: BaseModel, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 100)
    refused = pytest.raises(InferenceFailed, match="cannot be")
    if kind == "openvino":
        with refused:
            OpenVinoEngine(broken, base_model.folder, "v1")
    else:
        with refused:
            TransformersEngine(base_model, tmp_path, "v1")


def test_an_adapter_counts_in_the_transformers_engine_too(
    base_model: BaseModel, random_adapter: Path
) -> None:
    opened = TransformersEngine(base_model, random_adapter, "v1")
    prompts = [render_general(question) for question in QUESTIONS]
    said = opened.generate_many(prompts, GenerationOptions(max_new_tokens=8))
    opened.close()
    merged = load_merged(base_model, random_adapter)
    expected = [greedy(merged, base_model, question, 8) for question in QUESTIONS]
    assert [text.strip() for text in said] == expected


def test_in_four_bits_it_takes_far_less_memory_and_knows_what_it_knew(
    base_model: BaseModel,
) -> None:
    opened: Any = TransformersEngine(base_model, None, "base", four_bits=True)
    layers = [p for p in opened._model.parameters() if p.dim() > 1 and p.dtype is torch.uint8]
    plain = load_plain(base_model)
    linear = [m.weight for m in plain.model.layers.modules() if isinstance(m, torch.nn.Linear)]
    assert sum(map(_bytes, layers)) * 8 == sum(map(_bytes, linear))
    assert "Oslo" in opened.start(render_general(QUESTIONS[0]), SHORT).text()
    opened.close()


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()


class _Breaking:
    """What an engine works with, failing once in one method, with an error nobody expects."""

    def __init__(self, real: Any, method: str) -> None:
        self._real = real
        self._method = method
        self._is_due = True

    def __getattr__(self, name: str) -> Any:
        if name == self._method and self._is_due:
            self._is_due = False
            return self._fail
        return getattr(self._real, name)

    def _fail(self, *_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody expects this")


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        ("openvino", "add_request"),
        ("openvino", "step"),
        ("transformers", "add_request"),
        ("transformers", "get_result"),
    ],
)
def test_an_error_nobody_expects_ends_one_answer_and_the_next_one_comes(
    kind: str, method: str, base_model: BaseModel, request: pytest.FixtureRequest
) -> None:
    opened: Any = open_engine(kind, base_model, request)
    part = "_pipeline" if kind == "openvino" else "_manager"
    real = getattr(opened, part)
    running = opened.start(ENDLESS, LONG)
    next(iter(running))
    setattr(opened, part, _Breaking(real, method))
    if method == "add_request":
        running.cancel()
        running = opened.start(render_general(QUESTIONS[0]), SHORT)
    with pytest.raises(InferenceFailed, match="nobody expects this"):
        running.text()
    assert opened.start(render_general(QUESTIONS[0]), SHORT).text()
    opened.close()
