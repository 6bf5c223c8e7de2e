"""The score against the strength of a disturbance."""

import numpy as np
import plotly.graph_objects as go

from core.results.robustness import Robustness
from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND, plain
from dashboard.text import _

HEIGHT = 340


def robustness_figure(found: Robustness, *, dark: bool = False) -> go.Figure:
    """The score in a band that is its 95 % interval; for classes also how many predictions stay as they were."""
    blue, orange = theme.categorical(dark)[:2]
    name = _("mean absolute error") if found.is_regression else _("accuracy")
    figure = go.Figure()
    if np.isfinite(found.low).all():
        figure.add_scatter(
            x=np.concatenate([found.strengths, found.strengths[::-1]]),
            y=np.concatenate([found.high, found.low[::-1]]),
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=blue,
            opacity=0.2,
            showlegend=False,
            hoverinfo="skip",
            name=_("95 % interval"),
        )
    number = "%{y:.4g}" if found.is_regression else "%{y:.1%}"
    hover = _("strength") + f" %{{x:.4g}}<br><b>{number}</b><extra>%{{fullData.name}}</extra>"
    line = {"color": blue, "width": 2.4}
    figure.add_scatter(x=found.strengths, y=found.score, name=name, mode="lines+markers", line=line, hovertemplate=hover)
    if not found.is_regression:
        line = {"color": orange, "width": 1.6, "dash": "dash"}
        words = _("predictions that stay as they were")
        figure.add_scatter(x=found.strengths, y=found.kept, name=words, mode="lines+markers", line=line, hovertemplate=hover)
    unit = plain(found.target_name or _("target"))
    return figure.update_layout(
        template=theme.template(dark),
        height=HEIGHT,
        margin={"t": 48},
        legend=LEGEND,
        showlegend=True,
        xaxis={"title_text": f"{_(found.disturbance)} ({_(found.unit)})"},
        yaxis={"title_text": f"{name}<br>({unit})"} if found.is_regression else {
            "title_text": _("share of the examples"), "range": [0, 1.02], "tickformat": ".0%",
        },
    )  # fmt: skip


def alt_robustness(found: Robustness) -> str:
    """The figure in a sentence."""
    return _("{disturbance}: the score goes from {first:.3g} undisturbed to {last:.3g} at {strength:.4g} {unit}.").format(
        disturbance=_(found.disturbance),
        first=float(found.score[0]),
        last=float(found.score[-1]),
        strength=float(found.strengths[-1]),
        unit=_(found.unit),
    )
