from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.traces import RUN, TAKEN_OUT, Traces

TEXT = "My knee hurts since Åse's skiing trip: who do I tell about sick leave?"


@pytest.mark.parametrize(
    "copied",
    [
        TEXT,
        f"> {TEXT}\nasked yesterday",
        TEXT[:40] + "…",
        "…" + TEXT[30:],
        json.dumps({"text": TEXT}),
        json.dumps({"text": TEXT}, ensure_ascii=False),
        "said twice: " + TEXT + " and " + TEXT,
    ],
)
def test_copies_are_found_whole_cut_off_or_escaped(copied: str) -> None:
    traces = Traces([TEXT])
    assert traces.holds(copied)
    cleaned = traces.taken_out_of(copied)
    assert TAKEN_OUT in cleaned
    assert not traces.holds(cleaned)
    assert "knee" not in cleaned
    assert "sick leave" not in cleaned


def test_what_others_wrote_too_stays() -> None:
    ending = "Just shout if you need us, we are here."
    traces = Traces([f"Hei! You get 12 cloudberries a week. {ending}"], others=[f"Hi. {ending}"])
    assert not traces.holds(f"Hei! No. {ending}")
    left = traces.taken_out_of(f"Hei! You get 12 cloudberries a week. {ending}")
    assert "cloudberries" not in left


def test_a_short_text_is_found_as_a_whole_only() -> None:
    traces = Traces(["Knee pain?"])
    assert traces.taken_out_of("asked: Knee pain? today") == f"asked: {TAKEN_OUT} today"
    assert not traces.holds("Knee pains?!")
    assert Traces(["hei"]).is_empty


def test_ids_get_another_name_as_whole_words() -> None:
    traces = Traces([], names=["U1"], stands_for="erased-7")
    assert traces.taken_out_of("by U1, not U12 <@U1>") == "by erased-7, not U12 <@erased-7>"
    assert traces.holds("by=U1")
    assert not traces.holds_text("by=U1")


def test_json_is_searched_in_depth() -> None:
    traces = Traces([TEXT], names=["U1"], stands_for="erased-7")
    value = {"user": "U1", "blocks": [{"text": TEXT}, 3, None], "U1": True}
    assert traces.taken_out_of_json(value) == {
        "user": "erased-7", "blocks": [{"text": TAKEN_OUT}, 3, None], "erased-7": True,
    }  # fmt: skip


@given(st.text(min_size=RUN, max_size=200), st.text(max_size=80), st.text(max_size=80))
def test_no_run_of_the_text_is_left_whatever_stands_around_it(
    text: str, before: str, after: str
) -> None:
    traces = Traces([text])
    left = traces.taken_out_of(f"{before}{text}{after}")
    assert not traces.holds_text(left)
