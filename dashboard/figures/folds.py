"""The curves of a cross-validation: each fold thin, their mean thick, their spread as a band."""

from typing import Literal

import numpy as np
import plotly.graph_objects as go

from core.results.cross_validation import CrossValidation, mean_and_spread
from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND, empty_figure, plain, short
from dashboard.text import _

Curve = Literal["validation_score", "validation_loss", "train_loss"]
DASHES = ("solid", "dash", "dot", "dashdot")
MOST_THIN = 60
"""With more curves than these, folds are not drawn one by one."""


def fold_bands(found: CrossValidation, by: Curve = "validation_score", *, dark: bool = False) -> go.Figure:
    """Held-out figures by epoch, one colour for each lane."""
    if not len(found.epochs):
        if np.isnan(found.last_loss).all():
            return empty_figure(_("Every fold diverged before its first epoch was over: there are no curves."), dark=dark)
        return empty_figure(
            _("No epoch was completed: the budget ends before. The table has the figures at the end."), dark=dark
        )
    curves, colours = getattr(found, by), theme.categorical(dark)
    figure = go.Figure()
    for lane, name in enumerate(found.lanes):
        colour, dash = colours[lane % len(colours)], DASHES[lane // len(colours) % len(DASHES)]
        mean, spread = mean_and_spread(curves[lane])
        _band(figure, found.epochs, mean, spread, colour)
        if len(found.lanes) * found.k <= MOST_THIN:
            _thin(figure, found.epochs, curves[lane], colour)
        figure.add_scatter(
            x=found.epochs, y=mean, name=short(name), mode="lines+markers" if len(found.epochs) == 1 else "lines",
            line={"color": colour, "width": 3, "dash": dash}, customdata=spread, meta=plain(name),
            hovertemplate=_("epoch") + " %{x}<br><b>%{y:.4g}</b> ± %{customdata:.2g}<extra>%{meta}</extra>",
        )  # fmt: skip
    return figure.update_layout(
        template=theme.template(dark),
        height=380,
        margin={"t": 64},
        legend=LEGEND,
        xaxis={"title_text": _("epoch"), "rangemode": "tozero"},
        yaxis={"title_text": axis_name(found, by)} | ({"tickformat": ".0%"} if _is_share(found, by) else {}),
    )


def axis_name(found: CrossValidation, by: Curve) -> str:
    """What is drawn, with its unit."""
    if by == "train_loss":
        return _("training loss ({unit})").format(unit=_(found.loss_unit))
    if by == "validation_loss":
        return _("held-out loss ({unit})").format(unit=_(found.loss_unit))
    return _("held-out accuracy") if found.is_accuracy else _("held-out R²")


def alt_folds(found: CrossValidation, by: Curve = "validation_score") -> str:
    """The figure in a sentence."""
    parts = []
    for lane, name in enumerate(found.lanes):
        mean, spread = mean_and_spread(getattr(found, by)[lane])
        known = np.flatnonzero(np.isfinite(mean))
        if len(known):
            first, last = known[0], known[-1]
            parts.append(
                _("{lane}: mean from {first:.3g} to {last:.3g}, spread at the end {spread:.2g}").format(
                    lane=name, first=mean[first], last=mean[last], spread=spread[last]
                )
            )
    words = _("{what} of {k} folds over {n} epochs.").format(what=axis_name(found, by), k=found.k, n=len(found.epochs))
    return f"{words} {'; '.join(parts) or _('No finite figure')}."


def _is_share(found: CrossValidation, by: Curve) -> bool:
    return by == "validation_score" and found.is_accuracy


def _band(figure: go.Figure, epochs: np.ndarray, mean: np.ndarray, spread: np.ndarray, colour: str) -> None:
    """One standard deviation to both sides."""
    known = np.isfinite(mean)
    x, low, high = epochs[known], (mean - spread)[known], (mean + spread)[known]
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", fillcolor=colour, opacity=0.18,
        mode="lines", line={"width": 0, "color": colour}, hoverinfo="skip", showlegend=False, name=_("spread"),
    )  # fmt: skip


def _thin(figure: go.Figure, epochs: np.ndarray, curves: np.ndarray, colour: str) -> None:
    for fold, curve in enumerate(curves):
        figure.add_scatter(
            x=epochs, y=curve, mode="lines", opacity=0.55, line={"color": colour, "width": 1}, showlegend=False,
            name=_("fold {n}").format(n=fold + 1),
            hovertemplate=_("epoch") + " %{x}<br>%{y:.4g}<extra>%{fullData.name}</extra>",
        )  # fmt: skip
