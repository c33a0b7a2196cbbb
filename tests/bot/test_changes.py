from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.changes import WhatChanged
from bot.cli import app
from bot.home import find_home
from bot.retraining import RetrainRefused
from storage import pairs, runs, versions
from storage.database import Database
from storage.pairs import NewPair
from storage.versions import PromotionRefused
from training.evaluation.changes import Change, to_json


def learned(database: Database) -> None:
    """Let version v1 have learned three corrections of U1 and one of U2."""
    with database.write() as session:
        versions.ensure_base(session)
        made = [
            pairs.propose(
                session,
                NewPair(
                    input=f"How much is {what}?",
                    output=f"{what} is 103 kroner.",
                    author=author,
                    origin="slack",
                    origin_key=what,
                ),
            ).id
            for what, author in (("tea", "U1"), ("soup", "U1"), ("bread", "U1"), ("wine", "U2"))
        ]
        run = runs.propose(session, "1", "U9")
        run = runs.claim(session, run.id, "test", timedelta(seconds=60))
        version = versions.register(
            session, "v1", run_id=run.id, folder="/v1", manifest_sha256="0" * 64
        )
        changes = [
            Change(pair_id, "7 kroner.", "103 kroner.", False, place != 1)
            for place, pair_id in enumerate(made)
        ]
        runs.finish(
            session,
            run.id,
            run.attempt,
            "passed",
            message="",
            version_id=version.id,
            report={
                "changes": to_json(changes),
                "report": {"champion": {"version": "base"}},
            },
        )


@pytest.fixture
def changed(database: Database) -> WhatChanged:
    learned(database)
    return WhatChanged(database)


def test_an_expert_is_told_how_many_of_their_corrections_a_version_answers(
    changed: WhatChanged,
) -> None:
    assert changed.sentence("v1", "U1") == (
        "Your 3 corrections are in version 1; it now answers 2 of them as you would."
    )
    assert changed.sentence("v1", "U2") == (
        "Your correction is in version 1; it now answers it as you would."
    )
    assert changed.sentence("v1", "U7") is None


def test_each_correction_is_shown_with_what_was_said_before_and_is_said_now(
    changed: WhatChanged,
) -> None:
    mine = changed.corrections("v1", "U1")
    assert [each.question for each in mine] == [
        "How much is bread?",
        "How much is soup?",
        "How much is tea?",
    ]
    assert (mine[0].before, mine[0].after) == ("7 kroner.", "103 kroner.")
    assert (mine[1].agreed_before, mine[1].agrees_now) == (False, False)
    assert len(changed.corrections("v1")) == 4


def test_the_base_learned_from_nobody(changed: WhatChanged) -> None:
    assert changed.sums("base") == {}
    with pytest.raises(PromotionRefused, match="no version 'v9'"):
        changed.sums("v9")


def test_admins_see_the_sums_of_each_expert_and_each_correction(changed: WhatChanged) -> None:
    found = changed.of("v1")
    assert found == changed.of(None)
    assert (found["version"], found["against"]) == ("v1", "base")
    assert found["experts"] == [
        {"author": "U1", "corrections": 3, "before": 0, "now": 2},
        {"author": "U2", "corrections": 1, "before": 0, "now": 1},
    ]
    assert len(found["corrections"]) == 4
    assert found["corrections"][0]["question"] == "How much is wine?"
    for name, why in (("base", "learned from no corrections"), ("v9", "no version 'v9'")):
        with pytest.raises(RetrainRefused, match=why):
            changed.of(name)


@pytest.mark.usefixtures("installation")
def test_a_command_shows_what_a_version_changed(tmp_path: Path) -> None:
    assert find_home().root == tmp_path / "home"
    database = Database(f"sqlite:///{find_home().database}")
    database.migrate()
    learned(database)
    database.close()
    shown = CliRunner().invoke(app, ["train", "changes"])
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0].split()[:4] == ["expert", "corrections", "base", "v1"]
    assert lines[1].split() == ["U1", "3", "0", "2"]
    assert "    expert  bread is 103 kroner." in lines
    assert "  ✗ base    7 kroner." in lines
    assert "  ✓ v1      103 kroner." in lines
    found = json.loads(CliRunner().invoke(app, ["train", "changes", "v1", "--json"]).stdout)
    assert found["experts"][0] == {"author": "U1", "corrections": 3, "before": 0, "now": 2}
    wrong = CliRunner().invoke(app, ["train", "changes", "base"])
    assert wrong.exit_code == 1
    assert "base has learned from no corrections" in wrong.output
