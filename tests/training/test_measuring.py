"""Who is asked what when another base model is measured beside the one in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from storage.versions import BASE
from tests.training.samples import PERSONA, pair, row_maker
from training.evaluation.answers import Generate
from training.evaluation.probes import Probe
from training.evaluation.report import Report
from training.measuring import Measured, Measuring
from training.prompt import ChatMessage, Voice, VoiceExample, lesson

VOICED = replace(
    PERSONA, voice=Voice("Warm.", always=("Hei!",), examples=(VoiceExample("When?", "Hei! Now."),))
)
LESSON = lesson(VOICED)
PROBES = [Probe(str(n), "knowledge", f"Name city {n}.", ("oslo",), "Oslo") for n in range(6)]

Chats = Sequence[tuple[ChatMessage, ...]]


class Models:
    """Two bases with a manner of their own; the newer one answers in the voice if it is taught."""

    def __init__(self) -> None:
        self.asked: dict[str, list[tuple[ChatMessage, ...]]] = {}

    @contextmanager
    def opened(self, name: str, _folder: Path | None) -> Iterator[Generate]:
        def generate(chats: Chats, _most: int) -> list[str]:
            self.asked.setdefault(name, []).extend(chats)
            return [self._answer(name, chat) for chat in chats]

        yield generate

    def _answer(self, name: str, chat: tuple[ChatMessage, ...]) -> str:
        text = chat[-1].content.rpartition("Question: ")[2]
        number = "".join(letter for letter in text if letter.isdigit())
        if name != "base-new":
            return f"ACCORDING TO PASSAGE {number}, OSLO APPLIES."
        if LESSON in chat[0].content:
            return f"Hei! The limit is {100 + int(number)} kroner a year. Just ask!"
        return f"The short reply is Oslo, as the limit shows for {number}."


def measure(models: Models, folder: Path, champion: Measured) -> Report:
    make = row_maker()
    challenger = Measured("base-new", None, "f" * 64, LESSON)
    return Measuring(
        folder=folder,
        base_name="old",
        voice=Voice(),  # no written rule helps the classifier
        open_generator=models.opened,
        answer_tokens=16,
        probes=PROBES,
    ).compare(
        make.rows([pair(n, split="held_out") for n in range(1, 11)]),
        make.rows([pair(n) for n in range(20, 40)]),
        seed=1,
        champion=champion,
        challenger=challenger,
        writers=(challenger,),
        on_step=lambda _count, _total, _name: None,
    )


def test_untuned_models_are_taught_the_voice_and_asked_the_same(tmp_path: Path) -> None:
    models = Models()
    measure(models, tmp_path, Measured("base taught", None, None, LESSON, BASE))
    old, new = (
        [chat for chat in models.asked[name] if len(chat) == 2] for name in ("base", "base-new")
    )
    taught = [chat for chat in new if LESSON in chat[0].content]
    assert len(taught) == 10
    assert [chat for chat in old if LESSON in chat[0].content] == taught
    # By themselves both bases show how they write, to the same questions; the old one is also
    # asked the held-out ones so, as in every report.
    plain = [chat for chat in new if LESSON not in chat[0].content]
    assert len(plain) == 20
    assert [chat for chat in old if LESSON not in chat[0].content][10:] == plain


def test_a_base_that_is_asked_in_two_ways_answers_general_questions_once(tmp_path: Path) -> None:
    models = Models()
    measure(models, tmp_path, Measured("base taught", None, None, LESSON, BASE))
    assert sum(len(chat) == 1 for chat in models.asked["base"]) == len(PROBES)
    assert set(models.asked) == {"base", "base-new"}  # and is opened once


def test_how_another_base_writes_by_itself_is_not_taken_for_the_voice(tmp_path: Path) -> None:
    report = measure(Models(), tmp_path, Measured("base taught", None, None, LESSON, BASE))
    assert report.challenger.measures["voice"].mean == 1.0
    assert report.challenger.measures["leaks"].mean == 0.0


def test_what_was_answered_is_not_asked_again_but_of_other_weights(tmp_path: Path) -> None:
    champion = Measured("base taught", None, None, LESSON, BASE)
    first = measure(Models(), tmp_path, champion)
    again = Models()
    assert measure(again, tmp_path, champion) == first
    assert again.asked == {}
    changed = next((tmp_path / "answers").glob("base-new-*"))
    assert changed.name == "base-new-ffffffffffff.jsonl"
