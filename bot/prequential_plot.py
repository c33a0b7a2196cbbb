"""The prequential score as a picture: how well answers stood up to experts, over time."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.prequential import FEWEST, History

_DAY = 86_400.0
#: Over fewer days than this the ticks say the time of day, too.
_FEW_DAYS = 6.0
#: More points than these run into one another.
_FEW_POINTS = 200


class NoPlot(Exception):
    """There are too few scores to draw, or the file cannot be written; the message says which."""


def draw_scores(history: History, word: Callable[[str], str] = str) -> bytes:
    """Return the running score with its interval and the changes of version, as PNG.

    Args:
        history: What to draw.
        word: Returns a message in the reader's language; English by default.

    Raises:
        NoPlot: there are fewer scores than `FEWEST`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    points = history.points
    if not history.is_a_curve:
        raise NoPlot(
            f"{len(points)} of the {FEWEST} scores that a plot needs have gathered: each answer "
            "that an expert betters gives one."
        )
    figure = Figure(figsize=(8, 3.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    moments = [_days(point.at) for point in points]
    axes.fill_between(
        moments,
        [100 * point.low for point in points],
        [100 * point.high for point in points],
        color="#2a6f97",
        alpha=0.18,
        linewidth=0,
        label=word("95 % interval"),
    )
    axes.plot(
        moments,
        [100 * point.agreeing for point in points],
        color="#2a6f97",
        marker="o" if len(points) <= _FEW_POINTS else None,
        markersize=3,
        label=word("says what the expert says"),
    )
    axes.plot(
        moments,
        [100 * point.overlap for point in points],
        color="#c08a2b",
        lw=1,
        label=word("words in common with the expert's answer"),
    )
    for change in history.changes:
        axes.axvline(_days(change.at), color="#444444", lw=1, ls="--")
        axes.annotate(
            change.version,
            (_days(change.at), 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, -3),
            textcoords="offset points",
            rotation=90,
            va="top",
            fontsize="small",
        )
    axes.set_ylim(0, 105)
    axes.set_ylabel(word("%, the newest counting most"))
    axes.set_title(word("Answers that experts bettered, before they were learned"))
    form = "%d.%m.%y" if axes.get_xlim()[1] - axes.get_xlim()[0] > _FEW_DAYS else "%d.%m. %H:%M"
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda day, _: _moment(day).strftime(form)))
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=3, fontsize="small", frameon=False)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    return drawn.getvalue()


def _days(moment: datetime) -> float:
    return moment.timestamp() / _DAY


def _moment(days: float) -> datetime:
    return datetime.fromtimestamp(days * _DAY, UTC)


def write_scores(history: History, path: Path) -> Path:
    """Draw the scores into a file.

    Raises:
        NoPlot: there is too little to draw, or the file cannot be written.
    """
    drawn = draw_scores(history)
    try:
        path.write_bytes(drawn)
    except OSError as error:
        raise NoPlot(
            f"The plot cannot be written to {path}: {error.strerror}. Name a file in a folder "
            "that exists and may be written to."
        ) from error
    return path
