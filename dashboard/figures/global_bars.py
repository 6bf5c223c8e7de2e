"""One bar per column or word, largest on top: mean contributions, and what shuffling costs."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.results.global_view import GlobalView, GlobalWords
from dashboard.figures import theme
from dashboard.figures.stacks import plain, short
from dashboard.text import _, counted

MOST = 15
"""Bars; the others are left out, and their number is said."""


def mean_size_bars(view: GlobalView, *, dark: bool = False) -> go.Figure:
    """The mean absolute contribution of each column."""
    order = np.argsort(-view.mean_sizes, kind="stable")[:MOST]
    figure = _bars([view.columns[i] for i in order], view.mean_sizes[order], None, dark)
    return _named(figure, _("mean size of the contribution, {unit}").format(unit=_(view.unit)), _("column"))


def importance_bars(view: GlobalView, *, by_loss: bool, dark: bool = False) -> go.Figure:
    """By how much the loss rises, or the score falls, when a column is shuffled; whiskers are one standard deviation over
    the repeats."""
    drops = view.losses if by_loss else view.scores
    means, spreads = drops.mean(0), drops.std(0, ddof=1)
    order = np.argsort(-means, kind="stable")[:MOST]
    figure = _bars([view.columns[i] for i in order], means[order], spreads[order], dark)
    return _named(figure, importance_axis(view, by_loss=by_loss), _("column"))


def importance_axis(view: GlobalView, *, by_loss: bool) -> str:
    """What the bars of importance measure, with its unit."""
    if by_loss:
        return _("rise of the loss, {unit}").format(unit=_(view.loss_unit))
    return _("fall of {score}").format(score=_(view.score_name))


def word_bars(words: GlobalWords, *, dark: bool = False) -> go.Figure:
    """The mean contribution of words, those that occur at least twice where there are any; whiskers are standard errors."""
    shown = repeated(words)[:MOST]
    names = [f"{words.words[i]} ({words.counts[i]})" for i in shown]
    figure = _bars(names, words.means[shown], words.spreads[shown], dark)
    return _named(
        figure,
        _("mean contribution to {target}, {unit}").format(target=words.target_name, unit=_(words.unit)),
        _("word (occurrences)"),
    )


def repeated(words: GlobalWords) -> np.ndarray:
    """Places of the words that occur at least twice; of all where none does."""
    places = np.flatnonzero(words.counts > 1)
    return places if len(places) else np.arange(len(words.words))


def alt_bars(what: str, names: Sequence[str], values: np.ndarray, top: int = 3) -> str:
    """Any of these figures in a sentence."""
    order = np.argsort(-np.abs(values), kind="stable")[:top]
    largest = ", ".join(f"{names[i]} {values[i]:.3g}" for i in order)
    return _("{what}: largest for {largest}, of {n}.").format(
        what=what, largest=largest, n=counted("{n} name", "{n} names", len(names))
    )


def _bars(names: Sequence[str], values: np.ndarray, spreads: np.ndarray | None, dark: bool) -> go.Figure:
    places = list(range(len(names)))
    whiskers = None
    if spreads is not None:
        known = [None if np.isnan(spread) else float(spread) for spread in spreads]
        whiskers = {"type": "data", "array": known, "color": theme.ink(dark), "thickness": 1}
    is_signed = bool((values < 0).any()) and bool((values > 0).any())
    one = theme.categorical(dark)[0]
    colours = [
        (theme.POSITIVE if value >= 0 else theme.NEGATIVE) if is_signed and spreads is not None else one for value in values
    ]
    figure = go.Figure(
        go.Bar(
            y=places,
            x=values,
            orientation="h",
            marker={"color": colours},
            error_x=whiskers,
            customdata=[plain(name) for name in names],
            hovertemplate="%{customdata}<br><b>%{x:.4g}</b><extra></extra>",
        )
    )
    return figure.update_layout(
        template=theme.template(dark),
        height=90 + 24 * len(names),
        bargap=0.25,
        margin={"t": 8, "r": 16},
        yaxis={
            "tickvals": places,
            "ticktext": [short(name) for name in names],
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
        },
    )


def _named(figure: go.Figure, x: str, y: str) -> go.Figure:
    return figure.update_layout(xaxis_title_text=plain(x), yaxis_title_text=y)
