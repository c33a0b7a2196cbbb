"""A server that answers for us: what it may do wrong, and what colleagues then get."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.engines import EngineOpener, remote_server
from bot.inference import remote_engine
from bot.inference.language_model import (
    GenerationOptions,
    InferenceFailed,
    ModelUnavailable,
    PromptTooLong,
)
from bot.inference.remote_engine import RemoteEngine
from bot.inference.remote_server import RemoteServer
from bot.settings import ModelSettings
from tests.bot.inference import faulty_server
from tests.bot.inference.faulty_server import MODEL, WORDS, FaultyServer, status
from training.base_model import BaseModel
from training.prompt import render_general

ANSWER = "".join(WORDS)
PROMPT = render_general("What is the capital of Norway?")
SHORT = GenerationOptions(max_new_tokens=20)
KEY = "key-0123456789-secret"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer().running() as started:
        yield started


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_engine, "FIRST_PAUSE_SECONDS", 0.01)


def settings_of(server: FaultyServer, **changes: Any) -> RemoteServer:
    wanted = {"silence_seconds": 1.0, "answer_seconds": 4.0} | changes
    return RemoteServer(server.url, MODEL, **wanted)


@pytest.fixture
def engine(server: FaultyServer) -> Iterator[RemoteEngine]:
    opened = RemoteEngine(settings_of(server), "base", rest_seconds=0.3)
    yield opened
    server.is_ending.set()
    opened.close()


def test_an_answer_streams_word_by_word_and_greedy(
    engine: RemoteEngine, server: FaultyServer
) -> None:
    assert list(engine.start(PROMPT, SHORT)) == WORDS
    _, _, body = server.requests[-1]
    assert body["temperature"] == 0
    assert body["max_tokens"] == 20
    assert body["messages"] == [{"role": "user", "content": PROMPT[0].content}]


def test_the_context_is_what_the_server_says(engine: RemoteEngine) -> None:
    assert engine.context_tokens == 600
    with pytest.raises(PromptTooLong, match=r"has \d+ tokens; 580 fit"):
        engine.start(render_general("word " * 400), SHORT)


def test_without_a_tokenizer_tokens_are_counted_on_the_safe_side(
    engine: RemoteEngine, base_model: BaseModel
) -> None:
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base_model.folder)
    for text in ("Feriedager overføres til neste år.", "Expenses are paid within 14 days.", "æøå"):
        assert engine.count_tokens(text) >= len(tokenizer.encode(text))


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_fault_that_passes_is_tried_again_unseen(
    code: int, engine: RemoteEngine, server: FaultyServer
) -> None:
    server.fault = status(code, times=2, retry_after="0.01")
    assert engine.start(PROMPT, SHORT).text() == ANSWER
    assert server.chats() == 3


def test_a_server_that_asks_for_a_pause_gets_it(engine: RemoteEngine, server: FaultyServer) -> None:
    server.fault = status(429, times=1, retry_after="0.4")
    began = time.monotonic()
    assert engine.start(PROMPT, SHORT).text() == ANSWER
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize(
    ("fault", "reason", "tries"),
    [
        (status(500), "answered 500: not now", 3),
        (status(401), "refuses the key in SKREDDER_MODEL_API_KEY", 1),
        (status(404), "does not know what it was asked for", 1),
        (faulty_server.hang, "not done after|said nothing for", None),
        (faulty_server.drip_for_ever, "not done after", 1),
        (faulty_server.hang_up, r"cannot be reached: \w+Error\.", 3),
        (faulty_server.no_json, "sent what is no answer", 3),
        (faulty_server.another_form, "sent what is no answer", 3),
        (faulty_server.a_page, "broke off|sent what is no answer", 3),
        (faulty_server.one_endless_line, "more than 8388608 bytes", 3),
        (faulty_server.elsewhere, "sends us elsewhere", 1),
    ],
)
def test_a_fault_that_stays_ends_with_the_reason(
    fault: Callable[[Any], None],
    reason: str,
    tries: int | None,
    engine: RemoteEngine,
    server: FaultyServer,
) -> None:
    server.fault = fault
    with pytest.raises(ModelUnavailable, match=reason):
        engine.start(PROMPT, SHORT).text()
    if tries is not None:
        assert server.chats() == tries
    assert not any(path == "/v1/elsewhere" for path, _, _ in server.requests)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faulty_server.cut_off, "broke off in the middle"),
        (faulty_server.hang_in_the_middle, "said nothing for"),
        (faulty_server.fault_in_the_stream, "sent what is no answer"),
    ],
)
def test_what_was_said_before_a_fault_is_kept_and_never_said_twice(
    fault: Callable[[Any], None], reason: str, engine: RemoteEngine, server: FaultyServer
) -> None:
    server.fault = fault
    pieces = iter(engine.start(PROMPT, SHORT))
    assert next(pieces) == "Oslo"
    with pytest.raises(ModelUnavailable, match=reason):
        next(pieces)
    assert server.chats() == 1


def test_a_server_that_never_ends_an_answer_is_cut_off(
    engine: RemoteEngine, server: FaultyServer
) -> None:
    server.fault = faulty_server.never_end
    said: list[str] = []
    with pytest.raises(ModelUnavailable, match="more than was asked for"):
        said.extend(engine.start(PROMPT, SHORT))
    assert len(said) <= 2 * SHORT.max_new_tokens + 32
    assert server.disconnected.wait(5)


def test_a_cancelled_answer_closes_the_connection(
    engine: RemoteEngine, server: FaultyServer
) -> None:
    server.fault = faulty_server.drip_for_ever
    generation = engine.start(PROMPT, SHORT)
    while not server.chats():
        time.sleep(0.01)
    generation.cancel()
    assert generation.text() == ""
    assert server.disconnected.wait(5)
    server.fault = None
    assert engine.start(PROMPT, SHORT).text() == ANSWER


def test_a_prompt_that_the_server_refuses_says_nothing_about_its_health(
    engine: RemoteEngine, server: FaultyServer
) -> None:
    server.fault = status(400)
    for _ in range(5):
        with pytest.raises(InferenceFailed, match=r"refused what it was asked \(400\)") as refused:
            engine.start(PROMPT, SHORT).text()
        assert not isinstance(refused.value, ModelUnavailable)
    server.fault = None
    assert engine.start(PROMPT, SHORT).text() == ANSWER


def test_a_server_that_keeps_failing_is_left_alone_and_tried_again_after_a_while(
    engine: RemoteEngine, server: FaultyServer
) -> None:
    server.fault = status(500)
    for _ in range(3):
        with pytest.raises(ModelUnavailable, match="answered 500"):
            engine.start(PROMPT, SHORT).text()
    asked = server.chats()
    began = time.monotonic()
    with pytest.raises(ModelUnavailable, match="left alone for a while"):
        engine.start(PROMPT, SHORT)
    assert time.monotonic() - began < 0.1, "nobody waits for a server that is known to be down"
    assert server.chats() == asked
    server.fault = None
    time.sleep(0.35)
    assert engine.start(PROMPT, SHORT).text() == ANSWER
    assert engine.start(PROMPT, SHORT).text() == ANSWER


def test_many_at_once_get_their_answers(server: FaultyServer) -> None:
    server.pause = 0.02
    patient = RemoteEngine(RemoteServer(server.url, MODEL), "base")
    assert patient.generate_many([PROMPT] * 100, SHORT) == [ANSWER] * 100
    patient.close()


def test_closing_finishes_what_runs(server: FaultyServer) -> None:
    server.pause = 0.05
    opened = RemoteEngine(settings_of(server), "base")
    generation = opened.start(PROMPT, SHORT)
    closing = threading.Thread(target=opened.close)
    closing.start()
    assert generation.text() == ANSWER
    closing.join(5)
    assert not closing.is_alive()
    with pytest.raises(InferenceFailed, match="closed"):
        opened.start(PROMPT, SHORT)
    opened.close()


def test_a_server_that_is_down_is_said_to_be_unreachable() -> None:
    server = FaultyServer()
    server._http.server_close()
    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:\d+/v1 cannot be reached"):
        RemoteEngine(settings_of(server), "base")


def test_a_wrong_name_is_refused_with_the_names_there_are(server: FaultyServer) -> None:
    wanted = RemoteServer(server.url, "mistral")
    with pytest.raises(InferenceFailed, match=r"does not serve 'mistral' \(it lists served\)"):
        RemoteEngine(wanted, "base")


def test_a_server_that_lists_nothing_is_asked_for_one_word_instead(server: FaultyServer) -> None:
    server.list_fault = lambda handler: handler.say(500, {"error": {"message": "no list"}})
    opened = RemoteEngine(settings_of(server), "base")
    assert server.requests[-1][2]["max_tokens"] == 1
    assert opened.start(PROMPT, SHORT).text() == ANSWER
    opened.close()


def test_the_health_check_says_what_there_is(engine: RemoteEngine, server: FaultyServer) -> None:
    assert [model.name for model in engine.check()] == [MODEL]
    server.list_fault = lambda handler: handler.say(503, "")
    with pytest.raises(ModelUnavailable, match="answered 503"):
        engine.check()


def test_a_version_is_loaded_by_name_and_forgotten_when_it_closes(
    server: FaultyServer, random_adapter: Path
) -> None:
    opened = RemoteEngine(settings_of(server, loads_adapters=True), "v3", adapter=random_adapter)
    (name,) = set(server.models) - {MODEL}
    assert name.startswith("skredder-v3-")
    assert opened.start(PROMPT, SHORT).text() == ANSWER
    assert server.requests[-1][2]["model"] == name
    assert server.requests[1][2]["lora_path"] == str(random_adapter.resolve())
    opened.close()
    assert set(server.models) == {MODEL}


def test_two_engines_of_one_version_do_not_unload_each_others_adapter(
    server: FaultyServer, random_adapter: Path
) -> None:
    wanted = settings_of(server, loads_adapters=True)
    serving = RemoteEngine(wanted, "v3", adapter=random_adapter)
    measuring = RemoteEngine(wanted, "v3", adapter=random_adapter)
    measuring.close()
    assert serving.start(PROMPT, SHORT).text() == ANSWER
    serving.close()


def test_a_server_that_was_restarted_is_given_the_adapter_again(
    server: FaultyServer, random_adapter: Path
) -> None:
    wanted = settings_of(server, loads_adapters=True)
    opened = RemoteEngine(wanted, "v3", adapter=random_adapter)
    forgotten = next(name for name in server.models if name != MODEL)
    del server.models[forgotten]
    answers = [opened.start(PROMPT, SHORT) for _ in range(5)]
    assert [answer.text() for answer in answers] == [ANSWER] * 5
    loads = [body for path, _, body in server.requests if path == "/v1/load_lora_adapter"]
    assert [body["lora_name"] for body in loads] == [forgotten] * 2
    opened.close()


def test_a_server_that_forgets_every_adapter_is_not_asked_for_ever(
    server: FaultyServer, random_adapter: Path
) -> None:
    opened = RemoteEngine(settings_of(server, loads_adapters=True), "v3", adapter=random_adapter)
    server.models = {MODEL: server.models[MODEL]}
    server.loads_adapters = False
    with pytest.raises(InferenceFailed, match="does not load adapters"):
        opened.start(PROMPT, SHORT).text()
    assert server.chats() == 1
    opened.close()


def test_the_doctor_asks_the_server_how_it_is(server: FaultyServer, base_model: BaseModel) -> None:
    opener = EngineOpener(base_model, "remote", server=settings_of(server))
    assert opener.ask_server() == f"{server.url} answers, and lists served"
    server.list_fault = status(401)
    with pytest.raises(InferenceFailed, match=r"refuses the key in SKREDDER_MODEL_API_KEY"):
        opener.ask_server()
    assert EngineOpener(base_model, "openvino").ask_server() is None


def test_a_server_that_cannot_load_adapters_is_a_plain_reason(
    server: FaultyServer, random_adapter: Path, base_model: BaseModel
) -> None:
    server.loads_adapters = False
    with pytest.raises(InferenceFailed, match=r"does not load adapters: .*--enable-lora"):
        RemoteEngine(settings_of(server, loads_adapters=True), "v3", adapter=random_adapter)
    opener = EngineOpener(base_model, "remote", server=settings_of(server))
    with pytest.raises(InferenceFailed, match=r"v3 cannot be served: .*`server_adapters = true`"):
        opener.open_files("v3", random_adapter.parent)


def test_an_adapter_that_is_not_listed_afterwards_does_not_answer(
    server: FaultyServer, random_adapter: Path
) -> None:
    listed = {"object": "list", "data": [{"id": MODEL}]}
    server.list_fault = lambda handler: handler.say(200, listed)
    with pytest.raises(InferenceFailed, match="but does not list it"):
        RemoteEngine(settings_of(server, loads_adapters=True), "v3", adapter=random_adapter)


def test_the_key_reaches_the_server_and_nothing_else(
    server: FaultyServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "another-program's")
    monkeypatch.setenv("OPENAI_ORG_ID", "another-program's")
    caplog.set_level(logging.DEBUG)
    settings = ModelSettings(engine="remote", server=server.url, served_model=MODEL)
    wanted = remote_server(settings, {"SKREDDER_MODEL_API_KEY": KEY})
    opened = RemoteEngine(wanted, "base")
    assert opened.start(PROMPT, SHORT).text() == ANSWER
    server.fault = status(401)
    with pytest.raises(ModelUnavailable) as refused:
        opened.start(PROMPT, SHORT).text()
    opened.close()
    sent = {name.lower(): value for name, value in server.requests[-1][1].items()}
    assert sent["authorization"] == f"Bearer {KEY}"
    assert "another-program's" not in str(sent)
    assert KEY not in caplog.text + repr(wanted) + str(refused.value)


def test_the_settings_must_say_what_the_server_calls_the_model(base_model: BaseModel) -> None:
    server = remote_server(ModelSettings(engine="remote"), {})
    with pytest.raises(InferenceFailed, match="needs `served_model`"):
        EngineOpener(base_model, "remote", server=server).open_files("base", None)
