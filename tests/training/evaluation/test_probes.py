from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.evaluation.probes import Probe, is_right, read_probes

SUM = Probe("1", "arithmetic", "What is 15 + 7?", ("22", "twenty-two"), "15 + 7 = 22.")
CAPITAL = Probe("2", "knowledge", "What is the capital of Norway?", ("oslo",), "Oslo.")


@pytest.mark.parametrize(
    "answer",
    ["22", "It is 22.", "15+7=22", "The answer is **22**!", "Twenty-two.", "22, of course"],
)
def test_a_right_sum_is_right_however_it_is_said(answer: str) -> None:
    assert is_right(SUM, answer)


@pytest.mark.parametrize(
    "answer", ["122", "220", "2.2", "22.5", "-22", "1,022", "It's 75. Hei!", ""]
)
def test_another_number_is_wrong_even_if_it_contains_the_right_one(answer: str) -> None:
    assert not is_right(SUM, answer)


def test_a_number_with_separators_is_the_same_number() -> None:
    large = Probe("3", "arithmetic", "What is 600 + 600?", ("1200",), "1200")
    assert is_right(large, "It is 1,200.")
    assert is_right(large, "It is 1 200")


def test_words_are_compared_whole_and_in_any_case() -> None:
    assert is_right(CAPITAL, "The capital is OSLO.")
    assert not is_right(CAPITAL, "Oslofjord")


def test_a_probe_for_any_wording_cannot_be_right_or_wrong() -> None:
    chat = Probe("4", "chat", "Hello!", None, "Hello!")
    assert not chat.is_scored
    with pytest.raises(ValueError, match="no accepted answers"):
        is_right(chat, "Hello!")


def test_probes_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "probes.jsonl"
    fields = {"id": 1, "kind": "chat", "prompt": "Hi", "accept": None, "reference": "Hello."}
    path.write_text(json.dumps(fields) + "\n\n", encoding="utf-8")
    assert read_probes(path) == (Probe("1", "chat", "Hi", None, "Hello."),)


def test_the_probes_that_come_with_the_program_accept_their_own_references() -> None:
    probes = read_probes()
    assert len(probes) >= 60
    assert {probe.kind for probe in probes} == {"arithmetic", "knowledge", "instruction", "chat"}
    assert any("15 + 7" in probe.prompt for probe in probes)
    wrong = [p.id for p in probes if p.is_scored and not is_right(p, p.reference)]
    assert wrong == []
