"""One explanation: its picture or bars, the figures to judge it by, and its arrays to take along."""

import math
from typing import Literal

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.results.attribution import Attribution
from dashboard.figures import attribution as attribution_figures
from dashboard.figures.attribution import View
from dashboard.figures.bars import alt_text as bars_alt_text
from dashboard.figures.bars import contribution_bars
from dashboard.figures.waterfall import alt_text as waterfall_alt_text
from dashboard.figures.waterfall import has_waterfall, waterfall_figure
from dashboard.text import _, counted
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.kept_drawing import kept_drawing
from dashboard.widgets.token_attribution import token_attribution

Shown = View | Literal["bars", "waterfall"]
"""How an explanation is drawn: the first three are for pictures, the others for tables."""
MAP_VIEWS: tuple[View, ...] = ("overlay", "map", "abs")
MAP_HEIGHT = 300


def attribution(
    found: Attribution, *, key: str, view: Shown = "overlay", limit: float | None = None, with_answer: bool = True
) -> None:
    """The picture, the words or the bars, and below them what there is to judge them by.

    Give several the same `limit` to compare them: it is the value of the strongest colour, or of the longest bar. Leave the
    answer of the network out where the page tells it once for all methods.
    """
    if np.issubdtype(found.input.dtype, np.integer):
        token_attribution(found, key=key)
    elif found.pixels is not None:
        _map(found, view if view in MAP_VIEWS else "overlay", limit, key)
    elif view == "waterfall" and has_waterfall(found):
        drawing = waterfall_figure(found, dark=is_dark())
        figure(drawing, key=f"{key}.figure", alt=waterfall_alt_text(found))
    else:
        drawing = contribution_bars(found, dark=is_dark())
        drawing.update_layout(title_text="", margin_t=8)
        if limit:
            drawing.update_xaxes(range=[-1.05 * limit, 1.05 * limit])
        figure(drawing, key=f"{key}.figure", alt=bars_alt_text(found))
    st.text("  ·  ".join([*([answer(found)] if with_answer else []), *_figures(found)]))
    for note in found.notes:
        st.caption(plain(note))
    download_arrays(found, f"{found.method}.npz", key=f"{key}.download")


def _map(found: Attribution, view: View, limit: float | None, key: str) -> None:
    drawing = kept_drawing(_map_figure, found, view=view, limit=limit, dark=is_dark())
    figure(drawing, key=f"{key}.figure", alt=attribution_figures.alt_text(found))


def _map_figure(found: Attribution, *, view: View, limit: float | None, dark: bool) -> go.Figure:
    drawing = attribution_figures.attribution_figure(found, view=view, limit=limit, dark=dark)
    return drawing.update_layout(title_text="", margin_t=8, height=MAP_HEIGHT)  # the panel has the title


def _figures(found: Attribution) -> list[str]:
    """The figures to judge an explanation by, in words."""
    words = []
    if found.base is not None:
        base = _("base value {base:.4g}") if found.fit_r2 is None else _("intercept {base:.4g}")
        words.append(base.format(base=found.base))
    if found.residual is not None:
        words.append(_("additivity residual {residual:.1e}").format(residual=found.residual))
    if found.fit_r2 is not None:
        words.append(_("R² of the fit {r2:.2f}").format(r2=found.fit_r2))
    if found.seed is not None:
        words.append(_("seed {seed}").format(seed=found.seed))
    evaluations = counted("{n} evaluation", "{n} evaluations", found.n_evaluations)
    words.append(_("{evaluations} in {s:.2f} s").format(evaluations=evaluations, s=found.seconds))
    return words


def answer(found: Attribution) -> str:
    """What the network says: a class with its probability, or a number. With a class held against it, their difference."""
    if math.isnan(found.probability):
        return _("{name}: predicted {output:.4g}").format(name=found.target_name, output=found.output)
    unit = _(found.output_unit or found.unit)
    sentence = _("{name}: {unit} {output:.3f}, probability {p:.1%}")
    if found.contrast:
        sentence = _("{name}: difference in {unit} {output:.3f}; probability of the first {p:.1%}")
    elif unit == _("probability"):
        sentence = _("{name}: probability {p:.1%}")
    return sentence.format(name=found.target_name, unit=unit, output=found.output, p=found.probability)
