"""`python -m bot.prepare`: make the bundled model ready, with a bar. Part of `make setup`."""

from __future__ import annotations

import sys

from bot.home import find_home


def main() -> int:
    """Convert the bundled model into the home's cache folder, once. Returns an exit code."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from training.base_model import (
        BaseModelCorrupt,
        BaseModelMissing,
        prepare_bundled,
        stay_offline,
    )

    stay_offline()
    console = Console(stderr=True)
    try:
        with Progress(TextColumn("{task.description}"), BarColumn(), console=console) as bar:
            task = bar.add_task("The bundled model", total=1.0)
            prepare_bundled(
                find_home().make().models,
                lambda step, share: bar.update(task, description=step, completed=share),
            )
    except (BaseModelMissing, BaseModelCorrupt) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
