"""What every test may need: a database of each kind, and the bundled model prepared once."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text

from bot.workspace.ledger import Call, Ledger
from storage.database import Database
from tests.bot.slack import reference
from training.base_model import BaseModel, prepare_bundled, stay_offline
from training.merge import merge_to_gguf

# No property is about time, and a busy machine is no reason to fail.
settings.register_profile("skredder", deadline=None)
settings.load_profile("skredder")


@pytest.fixture(scope="session")
def _calls_that_took_effect() -> Iterator[list[Call]]:
    """Watch every local workspace of the session for what the bot makes it do."""
    seen: list[Call] = []
    note = Ledger.note

    def watched(self: Ledger, *arguments: Any, **named: Any) -> Call:
        call = note(self, *arguments, **named)
        if call.has_taken_effect:
            seen.append(call)
        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, "note", watched)
        yield seen


@pytest.fixture(autouse=True)
def _every_call_fits_slacks_types(_calls_that_took_effect: list[Call]) -> Iterator[None]:
    """Fail the test in which a call took effect that Slack's own types do not allow.

    Without those types beside the project this looks at nothing; the workspace still holds every
    call to its own copy of them, to Slack's limits and to the scopes in the manifest.
    """
    _calls_that_took_effect.clear()
    yield
    assert reference.violations(_calls_that_took_effect) == []


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """Start a PostgreSQL server of this session's own; skip where none is installed.

    Its folder is none of pytest's: each session that begins closes those to other users, and the
    server, which may not be root, would be cut off from its data.
    """
    programs = _postgresql_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed here (Debian's package: postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="skredder-postgresql-"))
    as_user: list[str] = []
    if getpass.getuser() == "root":  # the server refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"
    subprocess.run(
        [*as_user, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres"],
        check=True,
        capture_output=True,
        cwd="/",
    )
    control = [*as_user, str(programs / "pg_ctl"), "-D", str(data), "-w"]
    port = _start_postgresql(control, folder)
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            [*control, "-m", "immediate", "stop"], check=False, cwd="/", capture_output=True
        )
        shutil.rmtree(folder, ignore_errors=True)


def _start_postgresql(control: list[str], folder: Path) -> int:
    """Start the server on a port that is free, and return it; another may take the port first."""
    for _ in range(3):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        command = [*control, "-o", options, "-l", str(folder / "log"), "start"]
        started = subprocess.run(command, check=False, cwd="/", stdout=subprocess.DEVNULL)
        if started.returncode == 0:
            return port
    said = (folder / "log").read_text(errors="replace")
    raise RuntimeError(f"PostgreSQL does not start: {said[-2_000:]}")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated database; each test runs on both kinds."""
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'skredder.db'}")
    else:
        url = request.getfixturevalue("postgresql_url")
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
        opened = Database(url)
    opened.migrate()
    yield opened
    opened.close()


def _postgresql_programs() -> Path | None:
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return installed[-1].parent if installed else None


@pytest.fixture(scope="session")
def base_model() -> BaseModel:
    """The bundled model, converted once on this machine and kept between test runs."""
    stay_offline()
    kept = os.environ.get("SKREDDER_TEST_CACHE")
    cache = Path(kept) if kept else Path(platformdirs.user_cache_dir("skredder-tests"))
    return prepare_bundled(cache)


@pytest.fixture(scope="session")
def tiny_base(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a Llama of two thin layers with random weights and the bundled model's tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    folder = tmp_path_factory.mktemp("models") / "tiny-base"
    config: Any = AutoConfig.from_pretrained(base_model.folder)
    config.hidden_size, config.intermediate_size, config.head_dim = 64, 128, 16
    config.num_hidden_layers, config.num_attention_heads, config.num_key_value_heads = 2, 4, 2
    torch.manual_seed(1)
    automatic: Any = AutoModelForCausalLM
    automatic.from_config(config).save_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(base_model.folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def random_adapter(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an adapter of random weights, large enough to change what the model says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(1)
    automatic: Any = AutoModelForCausalLM
    model = automatic.from_pretrained(base_model.folder, dtype=torch.float32)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config)
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    adapted.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def merged_gguf(
    base_model: BaseModel, random_adapter: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The bundled model and that adapter in one file, as a version is served."""
    target = tmp_path_factory.mktemp("merged") / "version.gguf"
    merge_to_gguf(base_model, random_adapter, target)
    return target
