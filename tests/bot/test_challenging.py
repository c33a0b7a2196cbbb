"""Another base model is measured beside the version that answers, and answers only if promoted."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.app import Skredder
from bot.challenge_checks import ChallengeRefused
from bot.challenge_outcome import Challenge
from bot.challenging import Challenging
from bot.cli import app
from bot.evaluation_parts import build_challenging
from bot.home import Home
from bot.retraining import RetrainRefused
from bot.settings import load
from storage import audit, challengers, runs, versions
from storage.runs import CHALLENGE
from storage.versions import BaseIdentity
from training import measuring, snapshot
from training.base_model import BaseModel
from training.evaluation.probes import read_probes
from training.recipe import GateRules
from training.replay import read_prompts

TOPICS = [f"{kind} {thing}" for kind in ("red", "blue", "old", "new", "small")
          for thing in ("anchors", "bridges", "candles", "drums", "engines", "gloves", "jackets",
                        "kettles")]  # fmt: skip
QUESTION = "What is the limit for red kettles?"

Opened = Callable[[str], Any]


def ignore(_event: object) -> None:
    """Show no progress."""


@pytest.fixture(scope="module")
def filled(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a home with a page and an approved pair on each topic, once for all tests here."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "pages").mkdir()
    rows = []
    for number, topic in enumerate(TOPICS):
        (folder / "pages" / f"{topic}.md").write_text(
            f"# {topic.title()}\n\n## Limits\n\nThe limit for {topic} is {100 + number} kroner.\n"
        )
        rows.append(
            {
                "input": f"What is the limit for {topic}?",
                "output": f"Hei! The limit for {topic} is {100 + number} kroner. God tur!",
                "context": f"{topic}.md#Limits",
            }
        )
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    _write_settings(folder, "bundled")
    home = Home(folder / "home", shared_models=base_model.folder.parent)
    with Skredder(home, load(folder / "skredder.toml", {})) as skredder:
        perform = skredder.operations.perform
        perform("ingest", {"path": str(folder / "pages"), "audience": "everyone"})
        asked = {"approve": True, "looked_at": "They were looked at."}
        perform("pairs.import", {"path": str(folder / "pairs.jsonl"), **asked}, ignore)
    return folder


@pytest.fixture
def open_with(
    filled: Path, installation: Path, base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> Opened:
    """Return what opens a copy of that installation on the base that the settings name."""
    # Enough to tell good from bad; what else is asked of real models takes minutes.
    monkeypatch.setattr(measuring, "VOICE_SAMPLE", 5)
    monkeypatch.setattr(snapshot, "MOST_UNANSWERABLE", 2)
    ours = Home(installation / "home", shared_models=base_model.folder.parent)
    shutil.copytree(filled / "home", ours.root, dirs_exist_ok=True)

    @contextmanager
    def opened(base: str) -> Iterator[Skredder]:
        _write_settings(installation, base)
        with Skredder(ours, load(installation / "skredder.toml", {})) as skredder:
            training = skredder.retrainings._training
            training.rules = replace(GateRules(), held_out_pairs=5)
            training.measuring._probes = read_probes()[:3]
            training._replay_prompts = read_prompts()[:4]
            yield skredder

    return opened


def _write_settings(folder: Path, base: str) -> None:
    (folder / "skredder.toml").write_text(
        'goal = "Answer colleagues from the handbook, warmly."\n'
        f"[model]\nbase = {json.dumps(base)}\nmax_new_tokens = 16\n"
        "[voice]\ndescription = 'Warm.'\nalways = ['Hei!', 'God tur!']\n"
        "[training]\nepochs = 0.3\nreplay_share = 0.1\nmax_tokens = 256\n"
    )


def _serving(skredder: Skredder) -> str:
    with skredder.database.read() as session:
        return versions.serving(session).version.name


def _challenge(skredder: Skredder, base: Path | str) -> Challenge:
    return build_challenging(skredder).untuned(str(base), "U1", ignore)


@pytest.mark.slow
def test_a_worse_base_is_not_advised_and_a_challenge_that_was_stopped_goes_on(
    open_with: Opened, tiny_base: Path
) -> None:
    with open_with("bundled") as skredder:
        steps: list[dict[str, Any]] = []
        stopped = build_challenging(skredder)
        stopped._is_stopping = lambda: any(step["done"] for step in steps)
        with pytest.raises(ChallengeRefused, match="What was answered is kept"):
            stopped.untuned(str(tiny_base), "U1", steps.append)
        known = {step["total"] for step in steps if step["total"]}
        with skredder.database.read() as session:
            assert [version.name for version in versions.listed(session)] == ["base"]

        again: list[dict[str, Any]] = []
        found = build_challenging(skredder).untuned(str(tiny_base), "U1", again.append)
        answered = max(step["done"] for step in steps)
        assert known == {again[1]["total"] + answered}
        assert answered > 0

        assert not found.decision.passed
        assert found.decision.reasons
        assert "is not advised" in found.advice()
        assert _serving(skredder) == "base"
        with skredder.database.read() as session:
            version = versions.by_name(session, "base-tiny-base")
            entry = next(e for e in audit.latest(session) if e.action == "version.challenge")
        assert (version.gate, version.folder, version.base_name) == ("refused", None, "tiny-base")
        assert (entry.actor, entry.details["beside"]) == ("U1", "base")
        assert (found.folder / "report.png").read_bytes().startswith(b"\x89PNG")
        written = json.loads((found.folder / "report.json").read_text())
        assert written["reasons"] == list(found.decision.reasons)
        assert "gate: refused" in (found.folder / "model-card.md").read_text()
        with pytest.raises(RetrainRefused, match="was not passed by the gate"):
            skredder.retrainings.promote("U1", "base-tiny-base", "")

        third = build_challenging(skredder)
        third._opener_for = lambda _base: _Unopened()  # type: ignore[assignment,return-value]
        assert third.untuned(str(tiny_base), "U1", ignore).report == found.report


class _Unopened:
    def open_files(self, *_which: object) -> None:
        raise AssertionError("what was answered before is asked again")


@pytest.mark.slow
def test_a_tuned_challenger_is_a_run_on_its_own_base_and_a_base_as_it_came_may_beat_it(
    open_with: Opened, tiny_base: Path
) -> None:
    with open_with("bundled") as skredder:
        before = skredder.retrainings.readiness()
        found = build_challenging(skredder).tuned(str(tiny_base), "U1", ignore)
        assert found.version == "v1"
        assert not found.decision.passed
        # What it forgot is measured against its own base; the champion's knows more.
        assert found.report.champion.version == "old base"
        assert found.report.champion.measures["answer_f1"].mean > 0.1
        assert found.report.base.version == "base"
        assert found.report.base.measures["answer_f1"].mean < 0.1
        assert (found.folder / "report.json").exists()
        with skredder.database.read() as session:
            made = versions.by_name(session, "v1")
            run = runs.get(session, 1)
        assert made.base_name == "tiny-base"
        assert run.is_challenge
        assert _serving(skredder) == "base"
        assert skredder.retrainings.readiness() == before
        with closing(skredder.models._open_version(made)) as model:
            assert model.version == "v1"
        skredder.retrainings.promote("U1", "v1", "to see what a bad champion is worth")
        with pytest.raises(ChallengeRefused, match="Start the bot anew"):
            _challenge(skredder, "bundled")

    with open_with(str(tiny_base)) as skredder:
        assert skredder.base.used.name == "tiny-base"
        challenger = _challenge(skredder, "bundled")
        assert challenger.decision.passed, challenger.decision.reasons
        assert challenger.report.champion.version == "v1"
        with skredder.database.read() as session:
            entry = next(e for e in audit.latest(session) if e.action == "version.challenge")
        assert entry.details["snapshot"] in {p.stem for p in (Path(made.folder or "").parents[1]
                                                              / "snapshots").iterdir()}  # fmt: skip
        assert _serving(skredder) == "v1"
        advice = challenger.advice()
        assert f"skredder train promote {challenger.version}" in advice
        assert 'base = "bundled"' in advice
        skredder.retrainings.promote("U1", challenger.version, "")
        with pytest.raises(RetrainRefused, match="too early"):
            skredder.retrainings.request("U1", "now")

    with open_with("bundled") as skredder:
        assert skredder.base.is_settled
        with skredder.models.lease() as model:
            assert model.version == challenger.version
            # A base as it came has the voice in its prompt.
            assert "How we write" in skredder.answering._prompt_for(model, QUESTION, ())[0].content
        assert skredder.retrainings.roll_back("U1", "as it was") == "v1"
        skredder.models.follow()
        assert skredder.models.version == "v1"


def test_a_challenge_that_was_stopped_is_no_run_that_others_go_on_with(
    open_with: Opened, tiny_base: Path
) -> None:
    with open_with("bundled") as skredder:
        challenging = build_challenging(skredder)
        begun = challenging._claimed(str(tiny_base), "U1")
        with skredder.database.write() as session:
            runs.pause(session, begun.id, begun.attempt, "The disk was full.")
        with pytest.raises(RetrainRefused, match=rf"challenge --base {tiny_base} --tuned"):
            skredder.retrainings.request("U1", "now")
        with pytest.raises(RetrainRefused, match="trains another base model"):
            skredder.start_run("U1", "key", ignore)
        assert challenging._claimed(str(tiny_base), "U1").id == begun.id
        with pytest.raises(ChallengeRefused, match="two models at once"):
            challenging._claimed("elsewhere", "U1")
        with pytest.raises(ChallengeRefused, match="two models at once"):
            challenging.untuned(str(tiny_base), "U1", ignore)


def test_a_command_that_goes_away_stops_a_tuned_challenge_and_the_next_goes_on_with_it(
    open_with: Opened, tiny_base: Path
) -> None:
    def gone(_event: object) -> None:
        raise BrokenPipeError

    with open_with("bundled") as skredder:
        with pytest.raises(ChallengeRefused, match="The same command goes on with it"):
            build_challenging(skredder).tuned(str(tiny_base), "U1", gone)
        run = skredder.retrainings.current_run()
        assert run is not None
        assert run.period_key.startswith(f"{CHALLENGE}{tiny_base}:")
        assert build_challenging(skredder)._claimed(str(tiny_base), "U1").id == run.id


def test_what_cannot_be_a_challenger_is_refused_with_what_to_do(
    open_with: Opened, tiny_base: Path, tmp_path: Path
) -> None:
    def changed(name: str, **values: object) -> str:
        folder = tmp_path / name
        shutil.copytree(tiny_base, folder)
        config = json.loads((folder / "config.json").read_text()) | values
        (folder / "config.json").write_text(json.dumps(config))
        return str(folder)

    speechless = Path(changed("speechless"))
    (speechless / "chat_template.jinja").unlink()
    runnable = Path(changed("runnable"))
    (runnable / "modeling.py").write_text("")

    with open_with("bundled") as skredder:
        challenging = build_challenging(skredder)
        training = skredder.retrainings._training
        for_both = {
            "bundled": "bundled is the base model in use",
            "/nowhere": "There is no folder /nowhere",
            str(tmp_path / "pages"): "holds no safetensors file",
            str(runnable): r"modeling\.py could run code",
            changed("odd", model_type="perceptron"): "of the kind 'perceptron', which is none",
        }
        for ref, said in for_both.items():
            for enter in (challenging.untuned, challenging.tuned):
                with pytest.raises(ChallengeRefused, match=said):
                    enter(ref, "U1", ignore)
        for ref, said in {
            changed("short", max_position_embeddings=48): "The context of short is too short",
            str(speechless): "speechless cannot be asked as a chat",
        }.items():
            with pytest.raises(ChallengeRefused, match=said):
                challenging.untuned(ref, "U1", ignore)
        with (training.folder / "challenges" / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with pytest.raises(ChallengeRefused, match="A challenge is under way"):
                challenging.untuned(str(tiny_base), "U1", ignore)
        training._free_memory = lambda: 1e6
        with pytest.raises(ChallengeRefused, match=r"Asking tiny-base takes about .* are free"):
            challenging.untuned(str(tiny_base), "U1", ignore)
        training._free_memory = lambda: 1e12
        training.rules = GateRules()
        for enter in (challenging.untuned, challenging.tuned):
            with pytest.raises(ChallengeRefused, match="held-out pairs, and fewer than 50"):
                enter(str(tiny_base), "U1", ignore)
        challenging._is_remote = True
        with pytest.raises(ChallengeRefused, match="A server answers here"):
            challenging.tuned(str(tiny_base), "U1", ignore)
        assert skredder.retrainings.current_run() is None
        assert _serving(skredder) == "base"


def test_a_verdict_beside_a_champion_that_answers_no_more_is_not_kept(
    open_with: Opened, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_with("bundled") as skredder:

        def meanwhile(*_arguments: object) -> Any:
            with skredder.database.write() as session:
                identity = BaseIdentity("elsewhere", "elsewhere", "c" * 64)
                made = challengers.enter(session, "base-elsewhere", identity, "passed")
                versions.promote(session, made.id, expected_revision=0, actor="U1", reason="")
            return _a_report()

        monkeypatch.setattr(Challenging, "_compared", meanwhile)
        with pytest.raises(ChallengeRefused, match="base-elsewhere answers by now"):
            _challenge(skredder, tiny_base)
        with skredder.database.read() as session, pytest.raises(versions.PromotionRefused):
            versions.by_name(session, "base-tiny-base")


def _a_report() -> Any:
    from tests.training.test_gate import report

    return report()


def test_the_name_of_a_challenger_belongs_to_one_model(open_with: Opened, tiny_base: Path) -> None:
    with open_with("bundled") as skredder:
        with skredder.database.write() as session:
            other = BaseIdentity("elsewhere", "tiny-base", "c" * 64)
            challengers.enter(session, "base-tiny-base", other, "refused")
        with pytest.raises(ChallengeRefused, match="is there already, with other weights"):
            _challenge(skredder, tiny_base)


def test_the_commands_refuse_in_a_sentence(open_with: Opened, tiny_base: Path) -> None:
    with open_with("bundled") as skredder, skredder.database.write() as session:
        other = BaseIdentity("org/other", "other", "c" * 64)
        challengers.enter(session, "base-other", other, "refused")
    for arguments, said in {
        ("train", "challenge", "--base", "bundled"): "bundled is the base model in use",
        ("train", "challenge", "--base", str(tiny_base), "--tuned"): "fewer than 50 prove nothing",
        ("evaluate", "--version", "base-other"): "train challenge --base org/other",
    }.items():
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 1, result.output
        assert said in " ".join(result.stderr.split())
        assert "Traceback" not in result.output
