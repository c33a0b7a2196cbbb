from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.pair_care import limits_of
from bot.settings import Settings, SettingsInvalid, load
from bot.training_parts import recipe_of
from training.pair_poisoning import Limits
from training.recipe import GateRules, Recipe

GOAL = 'goal = "Answer colleagues from the handbook, in our own voice."\n'


def _load(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    file = tmp_path / "skredder.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, environment or {})


def test_a_goal_is_all_that_is_required(tmp_path: Path) -> None:
    settings = _load(tmp_path, GOAL)
    assert settings.training.enough_pairs == 5000
    assert settings.training.retrain_every == 500


def test_without_a_goal_the_settings_are_refused_and_told_why(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"`goal` is required.*what the model is for"):
        _load(tmp_path, "")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gaol = 'x'", "goal"),
        ("[training]\nenough_pair = 3", "training.enough_pairs"),
        ("[trainng]\nseed = 3", "training"),
        ("[company]\nnmae = 'x'", "company.name"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(
    tmp_path: Path, written: str, meant: str
) -> None:
    with pytest.raises(SettingsInvalid, match=f"Did you mean `{meant}`"):
        _load(tmp_path, GOAL + written)


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    settings = _load(
        tmp_path,
        GOAL + "[training]\nenough_pairs = 100\n",
        {"SKREDDER_TRAINING__ENOUGH_PAIRS": "40", "SKREDDER_COMPANY__NAME": "Fjellro"},
    )
    assert settings.training.enough_pairs == 40
    assert settings.company.name == "Fjellro"


def test_an_unknown_variable_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"Did you mean `training.enough_pairs`"):
        _load(tmp_path, GOAL, {"SKREDDER_TRAINING__ENOUGH_PIARS": "40"})


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        _load(tmp_path, "[training]\nschedule = 'soon'\nenough_pairs = -1\n")
    for expected in ("goal", "training.schedule", "training.enough_pairs"):
        assert expected in str(caught.value)


def test_a_missing_file_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="Write one with at least a goal"):
        load(tmp_path / "none.toml", {})


def test_a_file_that_is_not_toml_says_where(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="line 1"):
        _load(tmp_path, "goal = = 3")


def test_what_is_chosen_on_a_validation_part_needs_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="need a validation_share above 0"):
        _load(tmp_path, GOAL + "[training]\npatience = 3\n")
    settings = _load(tmp_path, GOAL + "[training]\npatience = 3\nvalidation_share = 0.1\n")
    assert settings.training.patience == 3


def _recipe(folder: Path, lines: str) -> Recipe:
    return recipe_of(_load(folder, f"{GOAL}[training]\n{lines}").training)


def test_a_setting_that_is_left_out_keeps_the_measured_default(tmp_path: Path) -> None:
    assert recipe_of(_load(tmp_path, GOAL).training) == Recipe()


def test_alpha_follows_the_rank_unless_it_is_set(tmp_path: Path) -> None:
    assert _recipe(tmp_path, "rank = 64\n").alpha == 128
    assert _recipe(tmp_path, "rank = 64\nalpha = 16\n").alpha == 16
    assert _recipe(tmp_path, "alpha = 16\n").alpha == 16


def test_what_is_set_for_training_stands_in_the_recipe(tmp_path: Path) -> None:
    lines = (
        "adapter_scale = 0.8\nwarmup_steps = 9\nclip = 0.5\nweight_decay = 0.1\ndropout = 0.05\n"
        "threads = 3\ntime_limit_hours = 1.5\nunanswerable_share = 0.3\nbare_share = 0.0\n"
        "seed = 11\n"
    )
    assert _recipe(tmp_path, lines) == replace(
        Recipe(),
        adapter_scale=0.8,
        warmup_steps=9,
        clip=0.5,
        weight_decay=0.1,
        dropout=0.05,
        threads=3,
        time_limit=5400.0,
        unanswerable_share=0.3,
        bare_share=0.0,
        seed=11,
    )


def test_a_scale_is_set_or_chosen_not_both(tmp_path: Path) -> None:
    both = "[training]\nvalidation_share = 0.1\nchooses_scale = true\nadapter_scale = 0.5\n"
    with pytest.raises(SettingsInvalid, match="leave one of them out"):
        _load(tmp_path, GOAL + both)


@pytest.mark.parametrize(
    "line", ["adapter_scale = 0", "adapter_scale = 1.1", "clip = -1", "dropout = 1", "threads = -1"]
)
def test_a_number_that_cannot_train_is_refused_with_its_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsInvalid, match=line.partition(" ")[0]):
        _load(tmp_path, f"{GOAL}[training]\n{line}\n")


def test_a_gate_needs_fifty_held_out_pairs_and_no_setting_makes_it_fewer(tmp_path: Path) -> None:
    assert _load(tmp_path, GOAL).training.gate.held_out_pairs == 50
    assert GateRules().held_out_pairs == 50
    gate = GOAL + "[training.gate]\nheld_out_pairs = "
    assert _load(tmp_path, f"{gate}80\n").training.gate.held_out_pairs == 80
    with pytest.raises(SettingsInvalid, match=r"held_out_pairs.*50"):
        _load(tmp_path, f"{gate}49\n")
    with pytest.raises(SettingsInvalid, match=r"held_out_pairs.*50"):
        _load(tmp_path, GOAL, {"SKREDDER_TRAINING__GATE__HELD_OUT_PAIRS": "5"})


def test_the_day_s_limits_of_pairs_are_settings(tmp_path: Path) -> None:
    assert limits_of(_load(tmp_path, GOAL).pairs) == Limits()
    text = f"{GOAL}\n[pairs]\ndaily_by_one = 2\ndaily_on_one_topic = 3\n"
    text += "daily_on_one_topic_by_all = 4\ndaily_replacing = 1\n"
    assert limits_of(_load(tmp_path, text).pairs) == Limits(2, 3, 4, 1)
