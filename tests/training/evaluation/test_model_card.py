from __future__ import annotations

from dataclasses import replace

from training.evaluation.model_card import CardFacts, SnapshotFacts, model_card

FACTS = CardFacts(
    version="v3",
    company="Havn",
    goal="Answer colleagues from the handbook.",
    base="SmolLM2-135M-Instruct",
    made_at="2026-11-24",
    gate="passed",
    snapshot=SnapshotFacts("ab" * 32, 216, 48, 38),
    languages=("English", "Norwegian"),
)


def test_the_card_says_what_the_version_is_for_and_made_of() -> None:
    card = model_card(FACTS, [("48 held-out pairs", "| | right |")], ["evaluation.png"])
    for part in (
        "# Model card: v3",
        "**Goal.** Answer colleagues from the handbook.",
        "Base model: SmolLM2-135M-Instruct",
        "the gate: passed",
        f"Snapshot: `{'ab' * 32}`",
        "216 pairs and 38 general examples; 48 pairs were kept",
        "### 48 held-out pairs\n\n| | right |",
        "(evaluation.png)",
        "English and Norwegian. Others were not measured",
    ):
        assert part in card


def test_the_base_s_card_does_not_claim_a_training() -> None:
    card = model_card(replace(FACTS, version="base", snapshot=None), [])
    assert "Trained on nothing of the company's" in card
    assert "Snapshot" not in card
    assert "![" not in card
