from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from training.personal_data import Found, find_personal_data, in_words, masked

LINES = Path(__file__).with_name("personal_data.jsonl")


def _lines() -> list[dict[str, object]]:
    """Read the labelled lines; `¤` keeps made-up keys from looking like leaked ones in the file."""
    text = LINES.read_text(encoding="utf-8").replace("¤", "")
    return [json.loads(line) for line in text.splitlines()]


def _kinds(text: str) -> list[str]:
    return [found.kind for found in find_personal_data(text)]


def test_nearly_all_personal_data_in_300_lines_is_found_and_false_alarms_are_told() -> None:
    wanted: Counter[str] = Counter()
    got: Counter[str] = Counter()
    false_alarms, without = [], 0
    lines = _lines()
    assert len(lines) == 300
    assert Counter(str(line["language"]) for line in lines)["no"] > 100
    for line in lines:
        found = find_personal_data(str(line["text"]))
        labels = list(line["found"])  # type: ignore[call-overload]
        without += not labels
        for label in labels:
            wanted[label["kind"]] += 1
            got[label["kind"]] += any(
                each.kind == label["kind"] and label["text"].strip() in each.text for each in found
            )
        false_alarms += [
            f"{each.text!r} as {each.kind}: {line['text']}"
            for each in found
            if not any(each.text in label["text"] or label["text"] in each.text for label in labels)
        ]
    for kind, count in sorted(wanted.items()):
        print(f"{kind}: {got[kind]} of {count} found")
    print(f"{len(false_alarms)} false alarms in 300 lines, {without} of them without any data:")
    print("\n".join(false_alarms))
    assert all(got[kind] / count >= 0.98 for kind, count in wanted.items())
    assert len(false_alarms) <= 0.05 * without


def test_a_text_is_masked_where_something_is_found_and_nowhere_else() -> None:
    text = "Ring Kari på 912 34 068 eller skriv til kari@fjellro.example, rom 302."
    assert (
        masked(text, "no")
        == "Ring Kari på [telefonnummer] eller skriv til [e-postadresse], rom 302."
    )
    assert masked(text) == "Ring Kari på [phone number] eller skriv til [email address], rom 302."
    assert find_personal_data(masked(text)) == ()
    assert masked("Order 48291234 ships in May.") == "Order 48291234 ships in May."


def test_every_line_is_clean_once_it_is_masked() -> None:
    for line in _lines():
        language = str(line["language"])
        assert find_personal_data(masked(str(line["text"]), language)) == (), line["text"]


@pytest.mark.parametrize(
    "text",
    [
        "Ring 912\u00a034\u00a0068",  # spaces that do not break
        "Ring 912\u200b34\u200b068",  # nothing to be seen between the digits
        "Ring ９１２ ３４ ０６８",  # wide digits
        "Ring +47\u2011918\u201122\u2011406",  # hyphens that do not break
    ],
)
def test_unusual_letters_hide_nothing(text: str) -> None:
    (found,) = find_personal_data(text)
    assert found.kind == "phone number"
    assert text[found.start : found.end] == found.text
    assert masked(text, "no") == "Ring [telefonnummer]"


def test_a_number_is_what_the_nearest_word_calls_it() -> None:
    assert _kinds("Ring 92834710") == ["phone number"]
    assert _kinds("Ordre 92834710") == []
    assert _kinds("Ordre 92834710, ring 92834711") == ["phone number"]
    assert _kinds("Telefonnummeret står på ordre 92834710") == []


def test_numbers_that_follow_each_other_are_all_found() -> None:
    assert masked("Kari 912 34 068 934 77 120 og 22 33 44 55") == (
        "Kari [phone number] [phone number] og [phone number]"
    )


def test_what_is_said_of_a_password_is_not_one() -> None:
    assert _kinds("Passordet er Vinter2025") == ["token or key"]
    assert _kinds("Passordet er personlig") == []
    assert _kinds("The password is reset every 90 days") == []
    assert _kinds("password: ${FROM_VAULT1}") == []


def test_an_expert_is_shown_an_address_but_not_a_whole_secret() -> None:
    address, secret = find_personal_data("people@fjellro.example, passord: Vinter2025x")
    assert in_words(address) == "email address (people@fjellro.example)"
    assert "Vinter2025x" not in in_words(secret)
    assert isinstance(secret, Found)


def test_a_private_key_is_masked_to_its_end() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQ\nabc\n-----END PRIVATE KEY-----"
    assert masked(f"Here:\n{key}\nThat is all.") == "Here:\n[secret]\nThat is all."


def test_looking_is_quick_even_in_a_long_text_without_words() -> None:
    import time

    started = time.perf_counter()
    for text in (
        "a" * 20_000,
        "1 " * 10_000,
        "a.b-" * 5_000,
        "@" * 20_000,
        "9" * 20_000,
        "password " * 2_000,
    ):
        find_personal_data(text)
    assert time.perf_counter() - started < 5
