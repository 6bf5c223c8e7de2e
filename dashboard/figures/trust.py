"""Deletion and insertion: how the output follows an explanation, beside how it follows random orders."""

import numpy as np
import plotly.graph_objects as go

from core.results.trust import Trust
from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND, plain
from dashboard.text import _

HEIGHT = 320


def trust_curves(found: Trust, *, dark: bool = False) -> go.Figure:
    """Output over the share that is hidden (deletion) and shown (insertion); grey bands hold all random orders."""
    deleted, inserted = theme.categorical(dark)[:2]
    figure = go.Figure()
    for name, curves, dash in (
        (_("hidden at random"), found.random_deletion, "dot"),
        (_("shown at random"), found.random_insertion, "dash"),
    ):
        low, high = curves.min(0), curves.max(0)
        figure.add_scatter(
            x=np.concatenate([found.shares, found.shares[::-1]]),
            y=np.concatenate([high, low[::-1]]),
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=theme.OTHERS,
            opacity=0.22,
            showlegend=False,
            hoverinfo="skip",
            name=name,
        )
        figure.add_scatter(x=found.shares, y=curves.mean(0), name=name, **_line(theme.OTHERS, dash, 1.5))
    figure.add_scatter(x=found.shares, y=found.deletion, name=_("hidden in this order"), **_line(deleted, "solid", 2.5))
    figure.add_scatter(x=found.shares, y=found.insertion, name=_("shown in this order"), **_line(inserted, "dash", 2.5))
    return figure.update_layout(
        template=theme.template(dark),
        height=HEIGHT,
        margin={"t": 56},
        legend=LEGEND,
        xaxis={"title_text": _("share that is hidden, or shown"), "range": [0, 1], "tickformat": ".0%"},
        yaxis={"title_text": _("output for {target}, {unit}").format(target=plain(found.target_name), unit=plain(found.unit))},
    )


def alt_curves(found: Trust) -> str:
    """The figure in a sentence: the mean output of each curve."""
    words = _(
        "Mean output while hidden in the order of {method}: {deletion:.3g} {unit}, at random {random_deletion:.3g}; "
        "while shown in this order: {insertion:.3g}, at random {random_insertion:.3g}."
    )
    return words.format(
        method=found.label,
        unit=found.unit,
        deletion=float(np.trapezoid(found.deletion, found.shares)),
        insertion=float(np.trapezoid(found.insertion, found.shares)),
        random_deletion=float(np.trapezoid(found.random_deletion, found.shares, axis=1).mean()),
        random_insertion=float(np.trapezoid(found.random_insertion, found.shares, axis=1).mean()),
    )


def _line(colour: str, dash: str, width: float) -> dict[str, object]:
    hover = _("share") + " %{x:.0%}<br><b>%{y:.4g}</b><extra>%{fullData.name}</extra>"
    return {"mode": "lines", "line": {"color": colour, "dash": dash, "width": width}, "hovertemplate": hover}
