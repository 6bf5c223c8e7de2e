"""Confusion matrices that stand still, and what becomes of one cell over the moments of a run."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.results.confusion import ConfusionOverTime, Normalised, normalised
from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND, plain
from dashboard.text import _

HEIGHT = 340
FEW_MOMENTS, DECADES = 5, 30
"""Moments, and how far apart the first and the last one are, from which on their axis is logarithmic."""
WRITTEN_TO = 20
"""Classes up to which every cell has its number."""


def ramp(dark: bool) -> tuple[str, ...]:
    """From the page's own colour to blue: nothing to much."""
    middle_to_blue = [colour for _at, colour in theme.diverging(dark)][3::-1]
    return tuple(middle_to_blue)


def signed_ramp(dark: bool) -> tuple[str, ...]:
    """From blue (fewer) over the page's own colour to red (more)."""
    return tuple(colour for _at, colour in theme.diverging(dark))


def confusion_figure(counts: np.ndarray, names: tuple[str, ...], by: Normalised, *, dark: bool = False) -> go.Figure:
    """The matrix as a picture to keep: true classes from top to bottom, predicted ones from left to right."""
    shares, known = normalised(counts, by), [plain(name) for name in names]
    places = list(range(len(names)))
    is_share = by != "counts"
    colours = ramp(dark)
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=places,
            y=places,
            zmin=0,
            zmax=1 if is_share else None,
            colorscale=[(i / (len(colours) - 1), colour) for i, colour in enumerate(colours)],
            colorbar=theme.colour_bar(_("share") if is_share else _("examples"), dark)
            | ({"tickformat": ".0%"} if is_share else {}),
            customdata=counts,
            texttemplate=("%{z:.0%}" if is_share else "%{z}") if len(names) <= WRITTEN_TO else None,
            hovertemplate=_("predicted")
            + " %{x}, "
            + _("true")
            + " %{y}<br>%{customdata:,} "
            + _("examples")
            + "<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    axis: dict[str, Any] = {"tickvals": places, "ticktext": known, "showgrid": False, "zeroline": False}
    side = max(HEIGHT, min(900, 150 + 28 * len(names)))
    return figure.update_layout(
        template=theme.template(dark),
        height=side,
        xaxis=axis | {"title_text": _("predicted class")},
        yaxis=axis | {"title_text": _("true class"), "autorange": "reversed"},
    )


def alt_confusion(counts: np.ndarray, names: tuple[str, ...]) -> str:
    """The matrix in a sentence."""
    right, n = int(np.trace(counts)), int(counts.sum())
    return _("Confusion matrix of {k} classes: {right:,} of {n:,} examples on the diagonal.").format(
        k=len(names), right=right, n=n
    )


def cell_curve(found: ConfusionOverTime, cell: tuple[int, int], *, dark: bool = False) -> go.Figure:
    """Share of a true class that is in one cell, over the steps; beside it the share that is right."""
    true, predicted = cell
    shares = normalised(found.counts, "true")[:, true]  # (M, K)
    names = [plain(name) for name in found.class_names]
    colours = theme.categorical(dark)
    figure = go.Figure()
    if predicted != true:
        name = _("taken for {name}").format(name=names[predicted])
        figure.add_scatter(x=found.steps, y=shares[:, predicted], name=name, **_line(colours[1], "solid"))
    figure.add_scatter(x=found.steps, y=shares[:, true], name=_("right"), **_line(colours[0], "dash"))
    return figure.update_layout(
        template=theme.template(dark),
        height=HEIGHT,
        margin={"t": 48},
        legend=LEGEND,
        showlegend=True,
        xaxis=_steps(found.steps),
        yaxis={
            "title_text": _("share of the examples of {name}").format(name=names[true]),
            "range": [0, 1.02],
            "tickformat": ".0%",
        },
    )


def _steps(steps: np.ndarray) -> dict[str, Any]:
    """The axis of the moments: they are kept ever more rarely, so many of them lie on a logarithmic one, which has no 0."""
    later = steps[steps > 0]
    if len(later) < FEW_MOMENTS or later.max() < DECADES * later.min():
        return {"title_text": _("step")}
    return {
        "title_text": _("step, on a logarithmic axis (step 0 is told below)"),
        "type": "log",
        "tickformat": ",d",
        "dtick": 1,
    }


def alt_cell(found: ConfusionOverTime, cell: tuple[int, int]) -> str:
    """The curve in a sentence."""
    true, predicted = cell
    shares = normalised(found.counts, "true")[:, true, predicted]
    if true == predicted:
        words = _("{true}, rightly predicted: {first:.1%} of the examples at step {a:,}, {last:.1%} at step {b:,}.")
    else:
        words = _("{true} taken for {predicted}: {first:.1%} of the examples at step {a:,}, {last:.1%} at step {b:,}.")
    return words.format(
        true=found.class_names[true],
        predicted=found.class_names[predicted],
        first=float(shares[0]),
        a=int(found.steps[0]),
        last=float(shares[-1]),
        b=int(found.steps[-1]),
    )


def _line(colour: str, dash: str) -> dict[str, Any]:
    return {
        "mode": "lines+markers",
        "line": {"color": colour, "dash": dash, "width": 2.4},
        "marker": {"size": 5},
        "hovertemplate": _("step") + " %{x:,}<br><b>%{y:.1%}</b><extra>%{fullData.name}</extra>",
    }
