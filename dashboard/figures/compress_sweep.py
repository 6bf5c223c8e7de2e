"""Accuracy against sparsity: one line for each way of choosing what goes, with the original across."""

import numpy as np
import plotly.graph_objects as go

from core.results.pruning_sweep import PruningSweep
from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND
from dashboard.text import _

METHODS = ("magnitude", "structured", "random")
DASHES = ("solid", "dash", "dot")
SYMBOLS = ("circle", "square", "diamond")


def method_name(kind: str) -> str:
    """A method in the reader's words."""
    names = {"magnitude": _("magnitude"), "structured": _("structured"), "random": _("random")}
    return names.get(kind, kind)


def score_name(sweep: PruningSweep) -> str:
    """What is on the upright axis."""
    return _("accuracy (%)") if sweep.is_accuracy else _("R² (1 is perfect)")


def sweep_lines(sweep: PruningSweep, *, dark: bool = False) -> go.Figure:
    """Lines with bands; the original's score as a thin line with its interval behind all of them."""
    scale = 100 if sweep.is_accuracy else 1
    colours = theme.categorical(dark)
    value, low, high = scale * sweep.original
    figure = go.Figure()
    figure.add_hrect(y0=low, y1=high, fillcolor=theme.OTHERS, opacity=0.16, line_width=0)
    figure.add_scatter(
        x=[0, 100], y=[value, value], mode="lines", name=_("original"),
        line={"color": theme.quiet_ink(dark), "width": 1.5, "dash": "longdash"},
        hovertemplate=_("original") + "<br><b>%{y:.3g}</b><extra></extra>",
    )  # fmt: skip
    for row, kind in enumerate(sweep.methods):
        place = METHODS.index(kind)
        figure.add_traces(_traces(sweep, row, colours[place], place, scale))
    return figure.update_layout(
        template=theme.template(dark),
        height=440,
        legend=LEGEND,
        xaxis={"title_text": _("sparsity: share that is pruned (%)"), "range": [-1, 101]},
        yaxis={"title_text": score_name(sweep), **_window(sweep)},
    )


def _traces(sweep: PruningSweep, row: int, colour: str, place: int, scale: float) -> list[go.Scatter]:
    """The band of one method, and its line."""
    kind = sweep.methods[row]
    name, x = method_name(kind), 100 * sweep.sparsities
    low, high = scale * sweep.low[row], scale * sweep.high[row]
    gone = _("weights gone or zero: {share} %, parameters: {n}")
    hover = f"{name}, %{{x:.3g}} %<br><b>%{{y:.3g}}</b> (%{{customdata[2]:.3g}} … %{{customdata[3]:.3g}})<br>"
    hover += gone.format(share="%{customdata[0]:.3g}", n="%{customdata[1]:,}") + "<extra></extra>"
    band = go.Scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), mode="lines", line={"width": 0}, fill="toself",
        fillcolor=colour, opacity=0.16, showlegend=False, hoverinfo="skip", legendgroup=kind,
        name=_("{method}, 95 % interval").format(method=name),
    )  # fmt: skip
    line = go.Scatter(
        x=x, y=scale * sweep.means()[row], mode="lines+markers", name=name, legendgroup=kind, hovertemplate=hover,
        line={"color": colour, "width": 2.5, "dash": DASHES[place]}, marker={"symbol": SYMBOLS[place], "size": 7},
        customdata=np.stack([100 * sweep.zeros[row], sweep.parameters[row], low, high], 1),
    )  # fmt: skip
    return [band, line]


def alt_sweep(sweep: PruningSweep) -> str:
    """The lines in sentences: up to where each holds, and where it ends."""
    head = _("Score against sparsity; the original has {score}.").format(score=_said(sweep, sweep.original[0]))
    means = sweep.means()
    words = [
        _("{method}: within the original's interval up to {good:.0%} pruned, {last} at {most:.0%}.").format(
            method=method_name(kind),
            good=sweep.last_good(row),
            last=_said(sweep, means[row, -1]),
            most=sweep.sparsities[-1],
        )
        for row, kind in enumerate(sweep.methods)
    ]
    return " ".join([head, *words])


def _said(sweep: PruningSweep, score: float) -> str:
    return f"{score:.1%}" if sweep.is_accuracy else f"R² {score:.3f}"


def _window(sweep: PruningSweep) -> dict[str, object]:
    """Accuracies from 0 to 100; R² has no lower end, and far below 0 nobody looks."""
    if sweep.is_accuracy:
        return {"range": [0, 102]}
    return {"range": [max(-1.0, float(np.nanmin(sweep.low)) - 0.05), 1.02]}
