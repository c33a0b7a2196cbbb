"""The sample company keeps its own promises: pages, pairs, voice, tour, probes."""

from __future__ import annotations

import itertools
import json
import re
import tomllib
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest

from bot.demo.company_files import FOLDER, HANDBOOK, PAIRS, read_script
from bot.grounding import has_supported_numbers, says_it_does_not_know
from bot.settings import load
from knowledge.language import detect_language
from knowledge.markdown_text import split_front_matter
from knowledge.verified import asks_the_same
from storage.pair_groups import SAME_QUESTION_OVERLAP, content_words, question_key
from training.evaluation.metrics import is_abstention
from training.evaluation.probes import is_right, read_probes
from training.evaluation.voice import VoiceRules
from training.pair_files import PairDraft, read_pairs
from training.prompt import with_citation, without_citations
from training.replay import read_prompts

SIGN_OFFS = {
    "en": ("God tur!", "We've got you.", "Just shout if you need us."),
    "no": ("God tur!", "Vi har deg.", "Bare rop om du trenger oss."),
}
NEVER = ("please be advised", "kindly", "as per", "utilize", "leverage", "as an ai")
WE_OR_YOU = re.compile(
    r"\b(we|us|our|ours|you|your|yours|yourself|vi|oss|vår|vårt|våre|du|deg|din|di|ditt|dine|dere)\b",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"[.!?](?=\s|$)")
PROBES_OF_A_KIND = {"arithmetic": 20, "knowledge": 24, "instruction": 14, "chat": 14}


def _lines(name: str) -> list[dict[str, Any]]:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _tour() -> dict[str, dict[str, Any]]:
    tour: dict[str, dict[str, Any]] = json.loads((FOLDER / "tour.json").read_text("utf-8"))
    return tour


def _pages() -> dict[str, str]:
    return {
        path.relative_to(HANDBOOK).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(HANDBOOK.rglob("*.md"))
    }


def _sections() -> dict[str, str]:
    """The text of every section, by `folder/page.md#Heading`."""
    found = {}
    for uri, text in _pages().items():
        _, *parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
        for heading, body in zip(parts[::2], parts[1::2], strict=True):
            found[f"{uri}#{heading.strip()}"] = body.strip()
    return found


def _pairs() -> list[PairDraft]:
    drafts, skipped = read_pairs(PAIRS)
    assert not skipped
    return drafts


def _overlap(one: str, other: str) -> float:
    mine, theirs = content_words(one), content_words(other)
    return len(mine & theirs) / len(mine | theirs)


def test_every_page_says_whose_it_is_and_how_long_it_holds() -> None:
    pages = _pages()
    assert len(pages) >= 44
    assert 4 <= sum(uri.startswith("norsk/") for uri in pages) <= 5
    for uri, text in pages.items():
        fields, body = split_front_matter(text)
        updated, until = fields["updated"], fields["reviewed_until"]
        assert isinstance(updated, date), uri
        assert isinstance(until, date), uri
        assert updated.year == 2026, uri
        assert updated < until, uri
        assert len(str(fields["owner"]).split()) >= 2, uri
        assert re.findall(r"^# (.+)$", body, re.MULTILINE) == [fields["title"]], uri
        headings = re.findall(r"^## (.+)$", body, re.MULTILINE)
        assert 3 <= len(headings) <= 5, uri
        assert len(set(headings)) == len(headings), uri


def test_a_section_is_as_short_as_a_passage_should_be() -> None:
    lengths = {context: len(text.split()) for context, text in _sections().items()}
    assert {c: n for c, n in lengths.items() if not 40 <= n <= 85} == {}


def test_sections_do_not_repeat_each_other() -> None:
    sentences = Counter(
        sentence.strip()
        for text in _sections().values()
        for sentence in re.split(r"(?<=[.!?])\s+", text)
    )
    assert [s for s, count in sentences.items() if count > 1 and len(s.split()) > 2] == []


def test_a_page_is_in_the_language_of_its_folder() -> None:
    for context, text in _sections().items():
        assert detect_language(text) == ("no" if context.startswith("norsk/") else "en"), context


def test_there_are_as_many_pairs_as_promised_spread_over_all_pages() -> None:
    drafts = _pairs()
    assert len(drafts) >= 400
    assert sum(draft.language == "no" for draft in drafts) >= len(drafts) * 0.1
    assert {draft.language for draft in drafts} == {"en", "no"}
    assert {draft.audience for draft in drafts} == {"everyone"}
    a_page = Counter(str(draft.context).partition("#")[0] for draft in drafts)
    assert set(a_page) == set(_pages())
    assert min(a_page.values()) >= 8
    assert max(a_page.values()) <= 12


def test_a_pair_is_written_by_the_owner_of_its_page_after_the_page() -> None:
    fields = {uri: split_front_matter(text)[0] for uri, text in _pages().items()}
    assert len({draft.author for draft in _pairs()}) == 5
    for draft in _pairs():
        page = fields[str(draft.context).partition("#")[0]]
        assert draft.author == page["owner"], draft.input
        assert draft.created_at is not None
        assert draft.created_at.year == 2026
        assert draft.created_at.date() > page["updated"], draft.input  # type: ignore[operator]
        assert draft.created_at < datetime(2026, 11, 23, tzinfo=UTC)


def test_every_pair_rests_on_a_section_that_is_there() -> None:
    sections = _sections()
    assert [draft.context for draft in _pairs() if draft.context not in sections] == []


def test_every_number_of_an_answer_stands_in_its_section() -> None:
    sections = _sections()
    wrong = [
        draft.output
        for draft in _pairs()
        if not has_supported_numbers(draft.output, [sections[str(draft.context)]], "")
    ]
    assert wrong == []


def _voice_faults(text: str, language: str) -> list[str]:
    """What of the voice's rules an answer breaks."""
    faults = []
    sign_off = next((s for s in SIGN_OFFS[language] if text.endswith(s)), None)
    if not text.startswith("Hei! "):
        faults.append("does not open with Hei!")
    if sign_off is None:
        faults.append("has no sign-off")
    body = text.removeprefix("Hei! ").removesuffix(sign_off or "")
    if not WE_OR_YOU.search(body):
        faults.append("speaks neither as we nor to you")
    if len(SENTENCE_END.findall(body)) > 2:
        faults.append("is longer than three sentences with its sign-off")
    if not 15 <= len(text.split()) <= 45:
        faults.append(f"has {len(text.split())} words")
    if any(phrase in text.lower() for phrase in NEVER):
        faults.append("uses a word that the voice never uses")
    if re.search(r"\[\d+\]", text):
        faults.append("cites")
    if text.count("Hei!") > 1 or sum(text.count(s) for s in set(SIGN_OFFS[language])) > 1:
        faults.append("greets or signs off twice")
    return faults


@pytest.mark.parametrize(
    "text",
    [
        "You have 25 days of holiday a year with us, counted from Monday to Friday. God tur!",
        "Hei! You have 25 days of holiday a year with us, counted from Monday to Friday.",
        "Hei! Staff have 25 days of holiday a year, counted from Monday to Friday, no more. "
        "God tur!",
        "Hei! You have 25 days. Ask us. Public holidays come on top of that, as a present. "
        "God tur!",
        "Hei! Kindly note that you have 25 days of holiday a year, Monday to Friday. God tur!",
        "Hei! You have 25 days [1]. We are happy to explain how these are counted. God tur!",
        "Hei! You have 25 days. God tur!",
    ],
)
def test_an_answer_out_of_the_voice_is_noticed(text: str) -> None:
    assert len(_voice_faults(text, "en")) == 1


def test_every_answer_is_in_the_voice() -> None:
    faults = {draft.output: _voice_faults(draft.output, str(draft.language)) for draft in _pairs()}
    assert {output: found for output, found in faults.items() if found} == {}


def test_every_sign_off_is_used_often() -> None:
    for language, sign_offs in SIGN_OFFS.items():
        outputs = [draft.output for draft in _pairs() if draft.language == language]
        for sign_off in sign_offs:
            used = sum(output.endswith(sign_off) for output in outputs)
            assert used >= len(outputs) * 0.15, sign_off


def test_answers_do_not_all_begin_alike() -> None:
    openings = Counter(" ".join(draft.output.split()[1:3]) for draft in _pairs())
    _, most = openings.most_common(1)[0]
    assert most <= openings.total() * 0.1


def test_no_answer_can_be_taken_for_not_knowing() -> None:
    outputs = [draft.output for draft in _pairs()]
    assert [o for o in outputs if is_abstention(o) or says_it_does_not_know(o)] == []


def test_an_answer_loses_no_word_when_it_is_given_its_citation() -> None:
    sections = _sections()
    for draft in _pairs():
        cited = with_citation(draft.output, 1, sections[str(draft.context)])
        assert "[1]" in cited
        assert without_citations(cited) == draft.output


def test_question_and_answer_are_in_the_language_of_the_pair() -> None:
    for draft in _pairs():
        assert detect_language(draft.input) == draft.language, draft.input
        assert detect_language(draft.output) == draft.language, draft.output


def test_every_pair_asks_something_else() -> None:
    asked = [draft.input for draft in _pairs()]
    assert len({question_key(question) for question in asked}) == len(asked)
    assert len({draft.output for draft in _pairs()}) == len(asked)
    alike = {
        question
        for one, other in itertools.combinations(asked, 2)
        if _overlap(one, other) >= SAME_QUESTION_OVERLAP
        for question in (one, other)
    }
    assert len(alike) <= 8


def test_a_question_is_not_its_heading() -> None:
    for draft in _pairs():
        heading = str(draft.context).partition("#")[2]
        assert _overlap(draft.input, heading) < SAME_QUESTION_OVERLAP, draft.input


def test_questions_to_try_are_new_and_can_be_checked() -> None:
    sections, questions = _sections(), _lines("questions.jsonl")
    answerable = [question for question in questions if question["expected"] is not None]
    assert (len(questions), len(answerable)) == (24, 18)
    assert len({question_key(q["question"]) for q in questions}) == 24
    for question in answerable:
        text = sections[question["context"]].lower()
        assert question["expected"] == [e.lower() for e in question["expected"]]
        assert all(len(expected) >= 3 for expected in question["expected"]), question
        assert any(expected in text for expected in question["expected"]), question
        assert not any(e in question["question"].lower() for e in question["expected"]), question
    for question, draft in itertools.product(questions, _pairs()):
        assert _overlap(question["question"], draft.input) < SAME_QUESTION_OVERLAP


def test_the_tour_plays_on_sections_that_no_pair_covers() -> None:
    tour, sections = _tour(), _sections()
    contexts = [tour[step]["context"] for step in ("ask", "correct", "unseen")]
    assert len(set(contexts)) == 3
    assert set(contexts) <= set(sections)
    elsewhere = {draft.context for draft in _pairs()}
    elsewhere |= {question["context"] for question in _lines("questions.jsonl")}
    assert elsewhere.isdisjoint(contexts)
    for step in ("ask", "unseen"):
        text = sections[tour[step]["context"]].lower()
        assert any(expected in text for expected in tour[step]["expected"])


def test_no_question_of_the_tour_is_answered_by_a_pair_already() -> None:
    script = read_script()
    asked = [script.ask, f"{script.ask} Asking for a friend.", script.wrong, script.unseen]
    for question, draft in itertools.product(asked, _pairs()):
        # The highest cosine there is: whatever the embedder says, the words tell them apart.
        assert not asks_the_same(question, draft.input, 1.0), (question, draft.input)


def test_the_correction_of_the_tour_says_what_the_handbook_does_not() -> None:
    correction = _tour()["correct"]
    assert correction["must_contain"] in correction["answer"]
    assert not any(correction["must_contain"].lower() in text.lower() for text in _pages().values())
    assert not any(correction["must_contain"].lower() in d.output.lower() for d in _pairs())
    assert correction["reason"] == "outdated"
    assert _voice_faults(correction["answer"], "en") == []


def test_the_settings_are_valid_and_their_examples_are_in_the_voice() -> None:
    settings = load(FOLDER / "skredder.toml", environment={})
    assert settings.company.name == "Fjellro"
    assert len(settings.voice.examples) == 2
    for example in settings.voice.examples:
        assert _voice_faults(example.answer, "en") == []
    assert set(NEVER) <= {entry.lower() for entry in settings.voice.never}


def test_the_written_rules_of_the_voice_are_kept_by_every_answer() -> None:
    outputs = [draft.output for draft in _pairs()]
    voice = load(FOLDER / "skredder.toml", environment={}).persona().voice
    rules = VoiceRules(voice, outputs)
    assert rules.count == 3 + len(voice.never)
    assert [output for output in outputs if not rules.kept(output)] == []
    assert not rules.kept("You have 25 days of holiday a year. Please be advised.")


def test_every_key_of_the_settings_is_explained() -> None:
    lines = (FOLDER / "skredder.toml").read_text(encoding="utf-8").splitlines()
    for before, line in itertools.pairwise(lines):
        if re.match(r"^\w+ = ", line):
            assert before.startswith("#"), line
    tomllib.loads("\n".join(lines))


def test_probes_check_every_kind_of_general_ability() -> None:
    probes = read_probes()
    assert Counter(probe.kind for probe in probes) == PROBES_OF_A_KIND
    assert len({probe.id for probe in probes}) == len(probes)
    assert len({question_key(probe.prompt) for probe in probes if probe.kind != "arithmetic"}) == 52
    assert len({probe.prompt for probe in probes}) == len(probes)
    first = next(probe for probe in probes if probe.kind == "arithmetic")
    assert first.prompt == "What is 15 + 7?"
    assert "22" in (first.accept or ())
    for probe in probes:
        assert probe.is_scored == (probe.kind != "chat"), probe.id
        assert probe.reference.strip(), probe.id
        if probe.accept is not None:
            assert list(probe.accept) == [accepted.lower() for accepted in probe.accept]
            assert is_right(probe, probe.reference), probe.id


def test_the_answer_of_an_arithmetic_probe_is_right() -> None:
    compute = {"+": int.__add__, "-": int.__sub__, "x": int.__mul__}
    checked = 0
    for probe in read_probes():
        found = re.search(r"(\d+) ([+x-]) (\d+)", probe.prompt)
        if probe.kind == "arithmetic" and found:
            result = compute[found[2]](int(found[1]), int(found[3]))
            assert (probe.accept or ())[0] == str(result), probe.id
            checked += 1
    assert checked >= 19


def test_what_is_rehearsed_is_not_what_is_measured() -> None:
    prompts = read_prompts()
    assert len(prompts) == 140
    assert len(set(prompts)) == 140
    for prompt, probe in itertools.product(prompts, read_probes()):
        assert prompt.lower() != probe.prompt.lower()
        assert _overlap(prompt, probe.prompt) < SAME_QUESTION_OVERLAP, (prompt, probe.prompt)


def test_probes_and_rehearsal_say_nothing_about_the_company() -> None:
    general = [*read_prompts(), *(f"{probe.prompt} {probe.reference}" for probe in read_probes())]
    assert not any("fjellro" in text.lower() or "hei!" in text.lower() for text in general)
