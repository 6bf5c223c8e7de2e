"""Predicted numbers beside true ones, what is left over, and how that is spread."""

import numpy as np
import plotly.graph_objects as go

from core.results.evaluation import NumberEvaluation
from dashboard.figures import theme
from dashboard.figures.stacks import Group, plain, range_bars
from dashboard.text import _, counted

DRAWN = 2000
"""Points of a scatter, at most: the first of the split and then every n-th."""


def predicted_figure(found: NumberEvaluation, *, dark: bool = False) -> go.Figure:
    """Predicted over true numbers, with the line on which both are equal."""
    shown = drawn(found)
    both = np.concatenate([found.targets, found.predicted])
    ends = [float(both.min()), float(both.max())]
    hover = _("true") + " %{x:.4g}<br>" + _("predicted") + " <b>%{y:.4g}</b><br>" + _("example {n}").format(n="%{customdata}")
    figure = go.Figure(_dots(found.targets[shown], found.predicted[shown], shown, hover, dark))
    figure.add_scatter(x=ends, y=ends, **_line(_("predicted = true"), dark))
    unit = plain(found.target_name)
    return _framed(figure, _("true {target}").format(target=unit), _("predicted {target}").format(target=unit), dark)


def residual_figure(found: NumberEvaluation, *, dark: bool = False) -> go.Figure:
    """True - predicted over predicted: above the line the model says too little."""
    shown = drawn(found)
    hover = (
        _("predicted") + " %{x:.4g}<br>" + _("residual") + " <b>%{y:+.4g}</b><br>" + _("example {n}").format(n="%{customdata}")
    )
    figure = go.Figure(_dots(found.predicted[shown], found.residuals[shown], shown, hover, dark))
    ends = [float(found.predicted.min()), float(found.predicted.max())]
    figure.add_scatter(x=ends, y=[0, 0], **_line(_("predicted = true"), dark))
    unit = plain(found.target_name)
    return _framed(figure, _("predicted {target}").format(target=unit), _("residual (true − predicted)"), dark)


def residual_histogram(found: NumberEvaluation, *, dark: bool = False) -> go.Figure:
    """How many examples have which residual."""
    words = _("residual (true − predicted), {target}").format(target=found.target_name)
    figure = range_bars([Group("", found.counts)], found.edges, of=words, unit=_("examples"), dark=dark)
    return figure.update_layout(height=380, margin={"t": 12})


def alt_predicted(found: NumberEvaluation) -> str:
    """The scatter in a sentence."""
    words = _("Predicted over true {target} of {examples}: mean absolute error {mae:.4g}, median {median:.4g}.")
    examples = counted("{n} example", "{n} examples", found.n)
    mae, median = found.value("mae"), found.value("median_error")
    return words.format(target=found.target_name, examples=examples, mae=mae, median=median)


def alt_residuals(found: NumberEvaluation) -> str:
    """Scatter and histogram of the residuals in a sentence."""
    left = found.residuals
    return _("Residuals (true − predicted) from {low:.4g} to {high:.4g}, their median {median:.4g}.").format(
        low=left.min(), high=left.max(), median=float(np.median(left))
    )


def drawn(found: NumberEvaluation) -> np.ndarray:
    """Which examples are drawn."""
    return np.arange(0, found.n, max(1, -(-found.n // DRAWN)))


def _dots(x: np.ndarray, y: np.ndarray, numbers: np.ndarray, hover: str, dark: bool) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, mode="markers", customdata=numbers, name=_("examples"), hovertemplate=hover + "<extra></extra>",
        marker={"color": theme.categorical(dark)[0], "size": 6, "opacity": 0.55},
    )  # fmt: skip


def _line(name: str, dark: bool) -> dict[str, object]:
    look = {"color": theme.ink(dark), "width": 1.5, "dash": "dash"}
    return {"mode": "lines", "name": name, "line": look, "hoverinfo": "skip"}


def _framed(figure: go.Figure, x: str, y: str, dark: bool) -> go.Figure:
    return figure.update_layout(
        template=theme.template(dark),
        height=380,
        margin={"t": 12},
        showlegend=False,
        xaxis={"title_text": x},
        yaxis={"title_text": y},
    )
