"""ROC and precision-recall curves of some classes, each against the rest."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.results.evaluation import Evaluation
from dashboard.figures import theme
from dashboard.figures.stacks import empty_figure, plain, short
from dashboard.text import _

MOST = len(theme.CATEGORICAL)
"""Classes that are told apart in one chart."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
BELOW = {"orientation": "h", "y": -0.22, "yanchor": "top", "x": 0.0, "xanchor": "left", "traceorder": "normal"}
"""Names of classes may be long and many: they stand below the chart."""
SHARE = {"range": [-0.02, 1.02], "dtick": 0.2, "tickformat": ".1~f", "constrain": "domain"}


def roc_figure(found: Evaluation, classes: Sequence[int], *, macro: bool = True, dark: bool = False) -> go.Figure:
    """True over false positive rate of each class, their mean over all classes, and the diagonal of pure chance."""
    if not found.macro_roc.shape[1]:
        return empty_figure(_("No class has both examples of its own and others: there is no curve."), dark=dark)
    hover = _("false positive rate") + " %{x:.3f}<br>" + _("true positive rate") + " <b>%{y:.3f}</b>"
    figure = go.Figure(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", name=_("chance"), hoverinfo="skip",
            line={"color": theme.quiet_ink(dark), "width": 1, "dash": "dot"},
        )
    )  # fmt: skip
    for place, k in enumerate(_drawable(found, classes)):
        x, y = found.roc_of(k)
        figure.add_scatter(
            x=x, y=y, **_line(place, dark), name=_("{name}: area {area:.3f}").format(**_named(found, k, 3)), **_hover(hover)
        )
    if macro:
        words = _("mean of all classes: area {area:.3f}").format(area=found.value("auc"))
        look = {"color": theme.ink(dark), "width": 3.5}
        x, y = found.macro_roc
        figure.add_scatter(x=x, y=y, mode="lines", line=look, name=words, **_hover(hover))
    return _framed(figure, _("false positive rate (share of the others)"), _("true positive rate (recall)"), dark)


def alt_roc(found: Evaluation, classes: Sequence[int]) -> str:
    """The chart in a sentence: the area of each class."""
    return _alt(_("ROC curves. Area under the curve: {areas}."), found, classes, 3)


def pr_figure(found: Evaluation, classes: Sequence[int], *, dark: bool = False) -> go.Figure:
    """Precision over recall of each class; the dotted line of a class is its share, which is what chance gives."""
    shown = _drawable(found, classes)
    if not shown:
        return empty_figure(_("None of the chosen classes has both examples of its own and others."), dark=dark)
    hover = _("recall") + " %{x:.3f}<br>" + _("precision") + " <b>%{y:.3f}</b>"
    figure = go.Figure()
    for place, k in enumerate(shown):
        share, line = found.support[k] / found.n, _line(place, dark)
        figure.add_scatter(
            x=[0, 1], y=[share, share], mode="lines", hoverinfo="skip", showlegend=False, opacity=0.6,
            name=_("chance, {name}").format(name=plain(found.class_names[k])),
            line={"color": line["line"]["color"], "width": 1, "dash": "dot"},
        )  # fmt: skip
        x, y = found.pr_of(k)
        words = _("{name}: mean precision {area:.3f}").format(**_named(found, k, 4))
        # Between two thresholds precision keeps no straight line: steps are what average precision adds up.
        figure.add_scatter(x=x, y=y, **(line | {"line": line["line"] | {"shape": "vh"}}), name=words, **_hover(hover))
    return _framed(figure, _("recall (share of the class that is found)"), _("precision (share that is right)"), dark)


def alt_pr(found: Evaluation, classes: Sequence[int]) -> str:
    """The chart in a sentence: the average precision of each class."""
    return _alt(_("Precision-recall curves. Average precision: {areas}."), found, classes, 4)


def _drawable(found: Evaluation, classes: Sequence[int]) -> list[int]:
    return [k for k in classes if not np.isnan(found.by_class[k, 3])][:MOST]


def _named(found: Evaluation, k: int, column: int) -> dict[str, Any]:
    return {"name": short(found.class_names[k]), "area": found.by_class[k, column]}


def _line(place: int, dark: bool) -> dict[str, Any]:
    return {"mode": "lines", "line": {"color": theme.categorical(dark)[place], "width": 2, "dash": DASHES[place]}}


def _hover(words: str) -> dict[str, str]:
    return {"hovertemplate": "%{fullData.name}<br>" + words + "<extra></extra>"}


def _framed(figure: go.Figure, x: str, y: str, dark: bool) -> go.Figure:
    return figure.update_layout(
        template=theme.template(dark),
        height=460,
        margin={"t": 12},
        legend=BELOW,
        xaxis={"title_text": x, **SHARE},
        yaxis={"title_text": y, **SHARE},
    )


def _alt(words: str, found: Evaluation, classes: Sequence[int], column: int) -> str:
    shown = _drawable(found, classes)
    areas = ", ".join(f"{found.class_names[k]} {found.by_class[k, column]:.3f}" for k in shown)
    return words.format(areas=areas) if shown else _("No curves.")
