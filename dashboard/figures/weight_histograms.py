"""Histograms over the kept moments of a run as one picture: a column per moment, a row per range of values."""

from itertools import pairwise
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from core.results.weight_statistics import Kind, WeightStatistics
from dashboard.figures import theme
from dashboard.text import _

Axis = Literal["even", "logarithmic"]
MAX_TICKS = 12
MAX_TENS = 4
"""Powers of ten on each side of a logarithmic axis that are labelled."""


def kind_names() -> dict[str, str]:
    """What is counted."""
    return {"weights": _("Weights"), "gradients": _("Gradients"), "activations": _("Activations")}


def histogram_figure(
    found: WeightStatistics, kind: Kind, layer: int, *, step: int, axis: Axis = "even", dark: bool = False
) -> go.Figure:
    """The values of one layer at all moments. Colours are shares of the values of their moment, on a scale of square roots
    so that few values are seen beside many; what is empty is clear. A line marks the moment `step`."""
    edges, counts = _histogram(found, kind, layer, axis)
    shares = counts / np.maximum(1, counts.sum(1, keepdims=True))  # (K, B)
    roots = np.sqrt(np.where(shares > 0, shares, np.nan)).T
    places = edges if axis == "even" else log_places(edges)
    words = np.array([f"{low:.3g} … {high:.3g}" for low, high in pairwise(edges)], object)
    rows, n = len(words), len(found.steps)
    steps = np.broadcast_to(found.steps.astype(object), (rows, n))
    most = float(np.nanmax(roots, initial=0.0)) or 1.0
    ticks = np.array([0.001, 0.01, 0.05, 0.2, 0.5, 1.0])
    figure = go.Figure(
        go.Heatmap(
            x=np.arange(n + 1) - 0.5,
            y=places,
            z=roots,
            zmin=0,
            zmax=most,
            colorscale=theme.sequential(),
            customdata=np.dstack([steps, np.broadcast_to(words[:, None], (rows, n)), shares.T.astype(object)]),
            hovertemplate=_("step") + " %{customdata[0]:,}<br>%{customdata[1]}<br><b>%{customdata[2]:.2%}</b><extra></extra>",
            hoverongaps=False,
            colorbar=theme.colour_bar(_("share of the values"), dark)
            | {"tickvals": np.sqrt(ticks), "ticktext": [f"{tick:.1%}" if tick < 0.01 else f"{tick:.0%}" for tick in ticks]}
            | {"tickformat": None},
            name=kind_names()[kind],
        )
    )
    mark_moment(figure, found.steps, step, dark=dark)
    vertical = {} if axis == "even" else log_ticks(edges)
    return figure.update_layout(
        template=theme.template(dark),
        height=260,
        title_text=kind_names()[kind],
        xaxis=moments_axis(found.steps),
        yaxis={"title_text": _value(kind, found.unit), "zeroline": axis == "even", "showgrid": False, **vertical},
    )


def alt_text(found: WeightStatistics, kind: Kind, layer: int) -> str:
    """The figure in sentences: from where to where the values reach at the first and the last moment."""
    edges, counts = _histogram(found, kind, layer, "even")
    spans = []
    for row in (counts[0], counts[-1]):
        used = np.flatnonzero(row)
        spans.append(f"{edges[used[0]]:.3g} … {edges[used[-1] + 1]:.3g}" if used.size else _("nothing"))
    return _("{kind} of {layer}: values within {first} after step {a:,}, within {last} after step {b:,}.").format(
        kind=kind_names()[kind], layer=found.layers[layer], first=spans[0], last=spans[1], a=found.steps[0], b=found.steps[-1]
    )


def moments_axis(steps: np.ndarray) -> dict[str, object]:
    """An axis on which the kept moments lie side by side, whatever lies between them."""
    n = len(steps)
    shown = np.unique(np.linspace(0, n - 1, min(n, MAX_TICKS)).round().astype(int))
    return {
        "title_text": _("training step (kept moments, evenly spaced)"),
        "tickvals": shown,
        "ticktext": [f"{steps[i]:,}" for i in shown],
        "range": [-0.5, n - 0.5],
        "showgrid": False,
        "zeroline": False,
    }


def mark_moment(figure: go.Figure, steps: np.ndarray, step: int, *, dark: bool) -> None:
    """A line at the moment that is looked at, between two columns where it is none of them."""
    place = float(np.interp(step, steps, np.arange(len(steps))))
    figure.add_vline(x=place, line={"color": theme.ink(dark), "width": 1.5, "dash": "dot"})


def log_places(edges: np.ndarray) -> np.ndarray:
    """Edges on a symmetric-logarithmic axis: linear up to the smallest size among them, then a unit per octave."""
    least = _least(edges)
    sizes = np.abs(edges)
    far = 1 + np.log2(np.maximum(sizes, least) / least)
    return np.sign(edges) * np.where(sizes >= least, far, sizes / least)


def log_ticks(edges: np.ndarray) -> dict[str, object]:
    """Ticks of such an axis: 0 and some powers of ten."""
    least, largest = _least(edges), float(np.abs(edges).max())
    first, last = int(np.ceil(np.log10(least) - 1e-9)), int(np.floor(np.log10(largest) + 1e-9))
    every = max(1, -(-(last - first + 1) // MAX_TENS))
    tens = [10.0**power for power in range(last, first - 1, -every)]
    values = [value for value in [*(-ten for ten in tens), 0.0, *reversed(tens)] if edges[0] <= value <= edges[-1]]
    places = [float(np.sign(value)) * (1 + np.log2(abs(value) / least)) if value else 0.0 for value in values]
    return {"tickvals": places, "ticktext": [f"{value:.0e}" if 0 < abs(value) < 0.01 else f"{value:g}" for value in values]}


def _least(edges: np.ndarray) -> float:
    """The smallest size among some edges that is not 0."""
    sizes = np.abs(edges[edges != 0])
    return float(sizes.min()) if sizes.size else 1.0


def _histogram(found: WeightStatistics, kind: Kind, layer: int, axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    number = found.number(kind, layer)
    if axis == "even":
        return found.edges[number], found.counts[number]
    return found.log_edges[number], found.log_counts[number]


def _value(kind: Kind, unit: str) -> str:
    if kind == "gradients":
        return _("gradient ({unit} per unit of weight)").format(unit=_(unit))
    return _("weight") if kind == "weights" else _("activation")
