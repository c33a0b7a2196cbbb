"""Reasons that are written down in English are read in Norwegian: every one of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import bot
from bot.slack import retold
from bot.slack.audit_words import actions
from bot.slack.words import words
from knowledge.contradictions import disagreement
from storage.pair_records import PairChangeRefused
from tests.training.test_gate import report
from training.evaluation.probes import read_probes
from training.evaluation.report import LABELS
from training.gate import decide
from training.pair_quality import Examined, quality_faults, rudeness
from training.readiness import due
from training.recipe import GateRules
from training.replay import told_repeats

ROOT = Path(bot.__file__).parents[1]
NORWEGIAN = words("nb")

#: Files in which every sentence is a reason that is written down.
REASONS = (
    "training/gate.py",
    "training/readiness.py",
    "training/replay.py",
    "training/pair_quality.py",
    "training/pair_poisoning.py",
    "training/personal_data.py",
    "bot/pair_checks.py",
    "bot/pair_audience.py",
    "knowledge/contradictions.py",
)

#: What is called with a sentence that is written down, or raised with one, and where.
CALLED = ("enter", "begin", "finish", "RunImpossible")
RAISED = ("PairChangeRefused", "PromotionRefused", "RetireRefused", "RunRefused")
RAISING = (*sorted((ROOT / "storage").glob("*.py")), ROOT / "bot" / "pair_masking.py")

_A_SENTENCE = re.compile(r"[^\W\d_]{2,}.* .*[^\W\d_]{2,}|\{\} [^\W\d_]{2,}")


def _skeleton(template: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", template)


def _template_of(node: ast.expr) -> str | None:
    """Return a text in the code with braces for what is put into it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
    )


def _sentences(file: Path, wanted: Callable[[ast.AST], bool]) -> Iterator[str]:
    """Yield the sentences of a file: all, or those that are given to what is called."""
    tree = ast.parse(file.read_text("utf-8"))
    skipped = {
        id(part)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Call) and _name(node) in ("compile", "startswith", "warning"))
        for part in ast.walk(node)
    } | {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node and not isinstance(part, ast.JoinedStr)
    }
    for outer in ast.walk(tree):
        if not wanted(outer):
            continue
        for node in ast.walk(outer):
            if id(node) in skipped or not isinstance(node, ast.Constant | ast.JoinedStr):
                continue
            text = _template_of(node)
            if text and _A_SENTENCE.search(text) and text[0] != "[" and "\n" not in text:
                yield text


def _name(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


KNOWN = {
    _skeleton(template)
    for template in (
        *retold.SENTENCES,
        *retold.NAMES,
        *(piece for pieces in retold.PIECES.values() for piece in pieces),
    )
}


@pytest.mark.parametrize("name", REASONS)
def test_every_reason_that_is_written_down_can_be_told_in_another_language(name: str) -> None:
    found = set(_sentences(ROOT / name, lambda node: isinstance(node, ast.Module)))
    assert found, f"no sentence is found in {name}"
    assert {text for text in found if _skeleton(text) not in KNOWN} == set()


def test_every_refusal_of_storage_can_be_told_in_another_language() -> None:
    found = {
        text
        for file in RAISING
        for text in _sentences(file, lambda n: isinstance(n, ast.Call) and _name(n) in RAISED)
    }
    assert len(found) > 15
    assert {text for text in found if _skeleton(text) not in KNOWN} == set()


def test_every_stage_of_a_run_can_be_told_in_another_language() -> None:
    found = set(
        _sentences(
            ROOT / "training" / "retrain.py",
            lambda node: isinstance(node, ast.Call) and _name(node) in CALLED,
        )
    )
    assert len(found) > 5
    assert {text for text in found if _skeleton(text) not in KNOWN} == set()


def test_every_measure_and_kind_of_probe_has_a_name_in_norwegian() -> None:
    names = {*LABELS.values(), *(probe.kind for probe in read_probes())}
    assert names <= set(retold.NAMES)
    assert {name for name in names if NORWEGIAN.retold_name(name) == name} == set()


def test_every_action_of_the_audit_has_words() -> None:
    known, found = actions(NORWEGIAN), set()
    for file in (*(ROOT / "storage").glob("*.py"), *(ROOT / "bot").glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "audit.record":
                action = _template_of(node.args[2])
                if action is not None:
                    found.add(action)
    missing = {a for a in found if "{}" not in a and a not in known}
    assert missing == set()
    prefixes = {a.partition("{")[0] for a in found if "{}" in a}
    assert all(any(name.startswith(prefix) for name in known) for prefix in prefixes)


def test_the_gates_reasons_are_read_in_norwegian_with_norwegian_numbers() -> None:
    better = decide(report(answer_f1=0.3), GateRules(held_out_pairs=30))
    told = [NORWEGIAN.retold(reason) for reason in better.reasons]
    assert told[0].startswith("svar-F1 er bedre med +30,0 prosentpoeng (")
    refused = decide(report(held_out=29), GateRules(held_out_pairs=30))
    assert "29 par er satt av til måling, og færre enn 30 beviser ingenting" in [
        NORWEGIAN.retold(reason) for reason in refused.reasons
    ]
    joined = "; ".join(better.reasons)
    assert NORWEGIAN.retold(joined) == "; ".join(told)
    assert words("en").retold(joined) == joined


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (due(3, 0, has_trained=False, enough_pairs=5_000, retrain_every=9).message,
         "3 av 5\xa0000 par til den første treningen; det trengs 4\xa0997 til."),
        ("Pair 7 is revoked and cannot be approved: only a pair that is proposed can.",
         "Par 7 er trukket tilbake og kan ikke bli godkjent: det kan bare et par som er "
         "foreslått."),
        ("It contradicts pair 4: the month: May or June",
         "Det motsier par 4: måneden: May eller June"),
        (told_repeats(0, 140), "Ingen allmenne eksempler øves på."),
        (told_repeats(60, 140), "Det øves på 60 allmenne eksempler, én gang på hvert."),
        (told_repeats(280, 140),
         "Det øves på 280 allmenne eksempler: 140 ulike, 2 ganger på hvert."),
        (told_repeats(1_400, 135),
         "Det øves på 1\xa0400 allmenne eksempler: 135 ulike, 10 eller 11 ganger på hvert. Det er "
         "ofte: de samme få svarene kan bli lært utenat i stedet for at grunnmodellen beholder "
         "det den kan. Senk training.replay_share hvis allmenne spørsmål besvares dårligere."),
        ("loss 1.25, 180 tokens a second", "tap 1,25, 180 tokener i sekundet"),
        ("A sentence that nobody knows.", "A sentence that nobody knows."),
    ],
)  # fmt: skip
def test_what_is_written_down_is_read_in_norwegian(written: str, read: str) -> None:
    assert NORWEGIAN.retold(written) == read


def test_what_speaks_against_a_pair_is_read_in_norwegian() -> None:
    faults = [
        *quality_faults("Why?", "Yes.", Examined("en", "no", ("It is so.",))),
        *rudeness("What the hell is it?", "Do it, you idiot."),
    ]
    assert len(faults) > 3
    told = [NORWEGIAN.retold(fault) for fault in faults]
    assert not [one for one in told if one in faults]
    assert any(one.startswith("Svaret er for kort: 1 ord") for one in told)


def test_on_what_two_answers_disagree_is_read_in_norwegian() -> None:
    said = disagreement("How many days?", "You get 25 days.", "You get 27 days.")
    assert said is not None
    assert NORWEGIAN.disagreement(said) == "25 eller 27"


def test_a_refusal_of_storage_is_told_in_norwegian() -> None:
    refused = PairChangeRefused("Pair 3 does not wait for a review.")
    assert NORWEGIAN.told(refused) == "Par 3 venter ikke på å bli sett på."
