"""How many questions were answered, not known and voted against, day by day, as a picture."""

from __future__ import annotations

import io

from bot.slack.words import Words
from storage.overview import Day


def draw_days(days: tuple[Day, ...], say: Words) -> bytes:
    """Return the picture as PNG."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 3), dpi=110, layout="constrained")
    axes = figure.subplots()
    places = range(len(days))
    answered = [day.answered for day in days]
    abstained = [day.abstained for day in days]
    axes.bar(places, answered, color="#2a6f97", label=say("answered"))
    axes.bar(places, abstained, bottom=answered, color="#c9ada7", label=say("not known"))
    axes.plot(
        places,
        [day.down for day in days],
        color="#9b2226",
        marker="o",
        markersize=3,
        label=say("voted against"),
    )
    step = max(1, len(days) // 7)
    axes.set_xticks(list(places)[::step], [f"{d.day.day}.{d.day.month}." for d in days][::step])
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", ncols=3)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    return drawn.getvalue()
