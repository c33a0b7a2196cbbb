"""What colleagues get when nothing can be written: the page's own words, and that this is why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answering import Outcome, unknowing_answers
from bot.app import Skredder
from bot.grounding import says_it_does_not_know
from bot.home import Home
from bot.inference.language_model import LanguageModel, ModelUnavailable, PromptTooLong
from bot.settings import load
from training.base_model import BaseModel
from training.evaluation.metrics import is_abstention

PAGE = "# The boat\n\n## Keys\n\nThe key to the boat hangs in the workshop behind the blue door.\n"
QUESTION = "Where does the key to the boat hang?"


@pytest.fixture(scope="module")
def skredder(tmp_path_factory: pytest.TempPathFactory, base_model: BaseModel) -> Iterator[Skredder]:
    folder = tmp_path_factory.mktemp("answering")
    (folder / "pages").mkdir()
    (folder / "pages" / "boat.md").write_text(PAGE, encoding="utf-8")
    (folder / "skredder.toml").write_text('goal = "Answer colleagues from the handbook, warmly."\n')
    home = Home(folder / "home", shared_models=Path(base_model.folder).parent)
    with Skredder(home, load(folder / "skredder.toml", {})) as opened:
        opened.operations.perform("ingest", {"path": str(folder / "pages"), "audience": "everyone"})
        yield opened


def _asked(skredder: Skredder) -> Outcome:
    shown: list[str] = []
    outcome = skredder.answering.answer(QUESTION, {"everyone"}, on_text=shown.append)
    assert "behind the blue door" in "".join(shown)
    return outcome


def test_a_server_that_is_down_before_the_first_question_does_not_keep_the_page_from_anybody(
    skredder: Skredder, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def lease(_thread: str | None = None) -> Iterator[LanguageModel]:
        raise ModelUnavailable("http://x cannot be reached")
        yield

    monkeypatch.setattr(skredder.models, "lease", lease)
    outcome = _asked(skredder)
    assert outcome.status == "grounded"
    assert outcome.text.startswith("I can't write an answer right now")
    assert "behind the blue door.” [1]" in outcome.text
    assert outcome.model_version is None


@pytest.mark.parametrize(
    "fault", [lambda: ModelUnavailable("it broke off"), lambda: PromptTooLong(9_000, 2_000)]
)
def test_so_does_none_that_ends_later_and_no_prompt_that_does_not_fit(
    skredder: Skredder, monkeypatch: pytest.MonkeyPatch, fault: Callable[[], Exception]
) -> None:
    assert _asked(skredder).model_version == "base"

    def refuse(*_args: object, **_options: object) -> None:
        raise fault()

    with skredder.models.lease() as model:
        monkeypatch.setattr(type(model), "start", refuse)
    outcome = _asked(skredder)
    assert "behind the blue door" in outcome.text
    assert outcome.text.startswith("I can't write an answer right now")


def test_a_page_in_another_language_is_quoted_with_a_word_of_warning(
    skredder: Skredder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise ModelUnavailable("it broke off")

    with skredder.models.lease() as model:
        monkeypatch.setattr(type(model), "start", refuse)
    outcome = skredder.answering.answer("Hvor henger nøkkelen til båten (boat key)?", {"everyone"})
    assert "her er det siden sier: (siden er på engelsk) “The key to the boat" in outcome.text
    assert "(the page is" not in _asked(skredder).text


def test_fewer_passages_are_given_to_a_model_with_little_context(
    skredder: Skredder, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering = skredder.answering
    with skredder.models.lease() as model:
        found = answering.passages_for(QUESTION, {"everyone"})[0]
        hits = [replace(found, id=f"{n}", first=9 * n, last=9 * n) for n in range(3)]
        assert len(answering.pack(model, hits, QUESTION)) == 3
        frame = answering.prompt(QUESTION, (), teaches_voice=True)
        used = sum(model.count_tokens(message.content) + 8 for message in frame) + 128
        one = model.count_tokens(f"{hits[0].title} > {hits[0].heading}\n{hits[0].text}")
        monkeypatch.setattr(type(model), "context_tokens", used + 2 * one)
        assert len(answering.pack(model, hits, QUESTION)) == 2


def test_a_version_is_trained_on_the_very_passages_that_an_answer_is_written_from(
    skredder: Skredder,
) -> None:
    hits = skredder.retrieval.search(QUESTION, {"everyone"}, limit=6)
    with skredder.models.lease() as model:
        given = skredder.answering.pack(model, hits, QUESTION)
    trained = skredder.retrainings._training.make.retrieve(QUESTION)
    assert given
    assert [(p.title, p.heading, p.text) for p in trained] == [
        (p.title, p.heading, p.text) for p in given
    ]


def test_what_a_version_learns_to_say_where_it_does_not_know_is_taken_for_that() -> None:
    for text in unknowing_answers("#ask-people").values():
        assert "#ask-people" in text
        assert is_abstention(text)
        assert says_it_does_not_know(text)
