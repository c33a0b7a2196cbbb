"""A version answers on the base model that it was measured with, whatever the settings name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.base_choice import choose_base
from bot.engines import BaseDiffers, EngineOpener
from storage import runs, versions
from storage.database import Database
from storage.versions import Version
from training.base_model import BaseModel, BaseModelCorrupt, BaseModelMissing
from training.manifest import write_manifest

OLD = BaseModel("smol", Path("/smol"), None, "bundled", "a" * 64)
NEW = BaseModel("qwen", Path("/qwen"), None, "org/qwen", "b" * 64)


def preparing(*there: BaseModel) -> Callable[[str], BaseModel]:
    def prepare(named: str) -> BaseModel:
        for base in there:
            if base.ref == named:
                return base
        raise BaseModelMissing(f"There is no folder {named}.")

    return prepare


def version(database: Database, name: str, base: BaseModel | None, folder: str = "/v") -> Version:
    with database.write() as session:
        versions.ensure_base(session)
        run = runs.propose(session, name, "U1")
        runs.abandon(session, run.id, "")
        made = versions.register(
            session,
            name,
            run_id=run.id,
            folder=folder,
            manifest_sha256="0" * 64,
            base=None if base is None else base.identity,
        )
        return versions.judge(session, made.id, "passed")


def promote(database: Database, made: Version) -> None:
    with database.write() as session:
        now = versions.serving(session)
        versions.promote(
            session, made.id, expected_revision=now.revision, actor="U1", reason="better"
        )


def base_of(database: Database, name: str) -> str | None:
    with database.read() as session:
        return versions.by_name(session, name).base_sha256


def test_the_base_that_an_installation_begins_with_is_written_down(database: Database) -> None:
    chosen = choose_base(database, "bundled", preparing(OLD))
    assert chosen.is_settled
    assert chosen.line() == "Base model: smol (aaaaaaaaaaaa)"
    assert base_of(database, "base") == OLD.sha256


def test_another_base_in_the_settings_is_noticed_and_answers_nobody(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    choose_base(database, "bundled", preparing(OLD, NEW))
    chosen = choose_base(database, "org/qwen", preparing(OLD, NEW))
    assert (chosen.used, chosen.named, chosen.is_settled) == (OLD, NEW, False)
    assert "The settings name qwen (bbbbbbbbbbbb), which answers nobody" in chosen.line()
    assert "the settings name another base model" in caplog.text
    assert base_of(database, "base") == OLD.sha256


def test_the_base_in_use_is_that_of_the_version_that_answers(database: Database) -> None:
    choose_base(database, "bundled", preparing(OLD, NEW))
    promote(database, version(database, "v1", NEW))
    assert choose_base(database, "bundled", preparing(OLD, NEW)).used == NEW
    assert choose_base(database, "org/qwen", preparing(OLD, NEW)).is_settled


def test_weights_that_changed_where_they_lie_are_refused(database: Database) -> None:
    choose_base(database, "bundled", preparing(OLD))
    other = BaseModel("smol", Path("/smol"), None, "bundled", "c" * 64)
    with pytest.raises(BaseModelCorrupt, match="The weights of bundled have changed since base"):
        choose_base(database, "bundled", preparing(other))
    with pytest.raises(BaseModelCorrupt, match="other weights of bundled than lie there now"):
        choose_base(database, "org/qwen", preparing(other, NEW))


def test_a_base_that_is_gone_is_named_with_the_version_that_needs_it(database: Database) -> None:
    choose_base(database, "bundled", preparing(OLD))
    with pytest.raises(BaseModelMissing, match="base belongs to the base model bundled, which is"):
        choose_base(database, "org/qwen", preparing(NEW))


def test_the_same_weights_in_another_place_are_the_same_base(database: Database) -> None:
    choose_base(database, "bundled", preparing(OLD))
    moved = BaseModel("smol", Path("/disk2/smol"), None, "/disk2/smol", OLD.sha256)
    assert choose_base(database, "/disk2/smol", preparing(moved)).is_settled
    with database.read() as session:
        assert versions.by_name(session, "base").base_ref == "/disk2/smol"


def test_the_base_of_older_versions_is_filled_in_as_far_as_it_is_known(
    database: Database, tmp_path: Path
) -> None:
    for name, trained_on in (("v1", "smol"), ("v2", "another")):
        (tmp_path / name).mkdir()
        write_manifest(tmp_path / name, {"base": trained_on})
        version(database, name, None, str(tmp_path / name))
    version(database, "v3", None, str(tmp_path / "gone"))
    choose_base(database, "bundled", preparing(OLD))
    found = [base_of(database, name) for name in ("base", "v1", "v2", "v3")]
    assert found == [OLD.sha256, OLD.sha256, None, None]


def test_a_version_is_opened_on_its_own_base_or_not_at_all(database: Database) -> None:
    made = version(database, "v1", NEW)
    both = EngineOpener(OLD, "auto", prepare_other=preparing(OLD, NEW))
    assert both.base_of(made) == NEW
    alone = EngineOpener(OLD, "auto")
    with pytest.raises(BaseDiffers, match=r"v1 belongs to the base model qwen .*, not to smol"):
        alone.open(made)
    gone = EngineOpener(OLD, "auto", prepare_other=preparing(OLD))
    with pytest.raises(BaseDiffers, match="v1 belongs to the base model org/qwen, which is not"):
        gone.open(made)
    served = EngineOpener(OLD, "remote", prepare_other=preparing(OLD, NEW))
    with pytest.raises(BaseDiffers, match="not to smol"):
        served.open(made)


@pytest.mark.parametrize("lineage", [{"base": "qwen"}, {"base": "smol", "base_sha256": NEW.sha256}])
def test_files_of_a_version_of_another_base_are_not_opened(
    tmp_path: Path, lineage: dict[str, str]
) -> None:
    write_manifest(tmp_path, lineage)
    with pytest.raises(BaseDiffers, match="v1 was made on the base model"):
        EngineOpener(OLD, "auto").open_files("v1", tmp_path)
