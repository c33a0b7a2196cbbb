"""`skredder versions export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.commands.asking import JsonOption, SettingsOption
from bot.commands.installation import explained, fail, find_installation, print_json, results
from bot.commands.progress import bar

versions_app = typer.Typer(help="Versions: the models that can answer.", no_args_is_help=True)


@versions_app.callback()
def _versions() -> None:
    """Keep `export` a command of its own."""


@versions_app.command("export")
def export(
    version: Annotated[str, typer.Argument(help="Its name, as `skredder train list` shows it.")],
    out: Annotated[Path, typer.Option(help="The folder to write; it must not be there yet.")],
    form: Annotated[
        Literal["adapter", "merged", "gguf"],
        typer.Option(
            "--as",
            help="`adapter` for peft and vLLM, `merged` for transformers, `gguf` for llama.cpp "
            "and Ollama.",
        ),
    ] = "adapter",
    as_json: JsonOption = False,
    settings: SettingsOption = None,
) -> None:
    """Write a version with its model card and checksums. It goes on answering meanwhile."""
    from bot.exporting import Exporting
    from bot.operations import COMMAND_LINE
    from storage.database import Database
    from storage.versions import PromotionRefused
    from training.base_model import prepare, stay_offline
    from training.exporting import ExportRefused
    from training.manifest import ManifestBroken
    from training.merge import MergeFailed

    stay_offline()
    installation = find_installation(settings)
    chosen, home = installation.settings(), installation.home.make()
    with explained(), bar("Exporting") as advance:
        database = Database(chosen.storage.database_url or f"sqlite:///{home.database}")
        try:
            database.migrate()
            base = prepare(chosen.model.base, home.models)
            made = Exporting(database, chosen, base).export(
                version,
                form,
                out.expanduser().resolve(),
                COMMAND_LINE,
                lambda share: advance(
                    {"name": f"Writing {version}", "done": round(share * 100), "total": 100}
                ),
            )
        except (ExportRefused, PromotionRefused, ManifestBroken, MergeFailed) as error:
            fail(str(error), code=1)
        finally:
            database.close()
    if as_json:
        print_json({"version": version, "form": form, "folder": str(made)})
    else:
        results.print(f"{version} is in {made}.", markup=False, highlight=False)
