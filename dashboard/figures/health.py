"""The last minutes of a server: how much it did, and how much memory that took."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND, empty_figure, plain
from dashboard.text import _

MOST_TICKS = 6
"""Up to so many, each whole number has its line."""
DASHES = ("solid", "dash", "dot", "dashdot")


def last_minutes(
    minutes: Sequence[float], series: Mapping[str, Sequence[float | None]], *, unit: str, most: float | None = None, dark: bool
) -> go.Figure:
    """One line per series over the minutes before now (negative numbers). What is None leaves a gap.

    Args:
        unit: names the axis on end, with its unit.
        most: a line that cannot be crossed, such as the memory of the machine.
    """
    if len(minutes) < 2:
        return empty_figure(_("The first points come within some seconds."), dark=dark)
    colours = theme.categorical(dark)
    highest = most or max((value for values in series.values() for value in values if value is not None), default=0)
    drawing = go.Figure()
    for n, (name, values) in enumerate(series.items()):
        drawing.add_scatter(
            x=list(minutes), y=list(values), name=plain(name), mode="lines",
            line={"color": colours[n % len(colours)], "dash": DASHES[n % len(DASHES)], "width": 2},
            hovertemplate="<b>%{y:,.3~f}</b> " + plain(unit) + "<extra>" + plain(name) + "</extra>",
        )  # fmt: skip
    if most is not None:
        drawing.add_hline(y=most, line={"color": theme.quiet_ink(dark), "width": 1, "dash": "dot"})
    return drawing.update_layout(
        template=theme.template(dark),
        height=240,
        margin={"t": 40},
        legend=LEGEND,
        hovermode="x unified",
        xaxis={"title_text": _("minutes before now"), "range": [min(-1.0, minutes[0]), 0]},
        yaxis={"title_text": unit, "rangemode": "tozero"} | ({"dtick": 1} if 0 < highest <= MOST_TICKS else {}),
    )


def alt_last_minutes(series: Mapping[str, Sequence[float | None]], *, unit: str) -> str:
    """The figure in a sentence: what each line says now, and its most."""
    parts = []
    for name, values in series.items():
        known = [value for value in values if value is not None]
        if known:
            parts.append(_("{name}: now {now:,.4g}, at most {most:,.4g}").format(name=name, now=known[-1], most=max(known)))
    return _("{unit} in the last minutes. {parts}.").format(unit=unit, parts="; ".join(parts))
