"""How often each value occurs in a picture, and among what a layer answers to it."""

import numpy as np
import plotly.graph_objects as go

from core.results.activation_histograms import ActivationHistograms
from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND, Group, empty_figure, range_bars
from dashboard.text import _

BINS = 32
"""Of the 256 levels of brightness."""
COLOURS = ((1, "dash"), (2, "solid"), (0, "dot"))
"""Red, green and blue: place in the palette, and a dash that tells them apart without it."""


def picture_histogram(found: ActivationHistograms, *, dark: bool = False) -> go.Figure:
    """How many pixels of the picture have each brightness. Black ones, which would dwarf all others, are told in the title."""
    levels = np.asarray(found.pixel_counts)
    lit = levels.copy()
    lit[:, 0] = 0
    counts = lit.reshape(len(lit), BINS, -1).sum(2)
    edges = np.linspace(0, 256, BINS + 1)
    if len(counts) == 1:
        figure = range_bars([Group("", counts[0])], edges, of=_("brightness"), unit=_("pixels"), dark=dark)
    else:
        figure = go.Figure()
        for (place, dash), row, name in zip(COLOURS, counts, (_("red"), _("green"), _("blue")), strict=True):
            line = {"color": theme.categorical(dark)[place], "dash": dash, "shape": "hvh"}
            hover = _("brightness") + " %{x:.0f}<br><b>%{y:,}</b> " + _("pixels") + ", " + name + "<extra></extra>"
            figure.add_scatter(x=(edges[:-1] + edges[1:]) / 2, y=row, name=name, mode="lines", line=line, hovertemplate=hover)
        figure.update_layout(template=theme.template(dark), legend=LEGEND, margin_t=64)
    return figure.update_layout(
        title_text=_picture_title(levels),
        height=230,
        bargap=0.05,
        xaxis={"title_text": _("brightness, 0 black to 255 white"), "range": [-4, 260], "showgrid": False},
        yaxis={"title_text": _("pixels"), "rangemode": "tozero"},
    )


def alt_picture_histogram(found: ActivationHistograms) -> str:
    """The figure in a sentence: how many pixels are quite black, and how bright they are on average."""
    levels = np.asarray(found.pixel_counts)
    mean = float((levels.sum(0) * np.arange(256)).sum() / levels.sum())
    return _("{title}; mean brightness {mean:.0f} of 255.").format(title=_picture_title(levels), mean=mean)


def activation_histogram(found: ActivationHistograms, layer: int, *, dark: bool = False) -> go.Figure:
    """One column for each range of values of a layer. Exact zeros, which would dwarf all others, are told in the title."""
    counts, edges = np.asarray(found.counts[layer]), np.asarray(found.edges[layer])
    if not counts.sum():
        return empty_figure(_("All values are exactly 0."), dark=dark).update_layout(title_text=found.layer_names[layer])
    figure = range_bars([Group("", counts)], edges, of=_("activation"), unit=_("values"), dark=dark)
    return figure.update_layout(title_text=_title(found, layer), height=230, bargap=0.05)


def alt_activation_histogram(found: ActivationHistograms, layer: int) -> str:
    """The figure in a sentence: how many values, from where to where, and where most are."""
    counts, edges = np.asarray(found.counts[layer]), np.asarray(found.edges[layer])
    if not counts.sum():
        return _("{name}: all values are exactly 0.").format(name=found.layer_names[layer])
    present = np.flatnonzero(counts)
    most = int(counts.argmax())
    return _("{title}; from {low:.3g} to {high:.3g}, most of the others between {a:.3g} and {b:.3g}.").format(
        title=_title(found, layer),
        low=edges[present[0]],
        high=edges[present[-1] + 1],
        a=edges[most],
        b=edges[most + 1],
    )


def _title(found: ActivationHistograms, layer: int) -> str:
    n = int(np.asarray(found.counts[layer]).sum()) + found.n_zero[layer]
    if not found.n_zero[layer]:
        return _("{name}: {n:,} values").format(name=found.layer_names[layer], n=n)
    return _("{name}: {n:,} values, {zeros:.0%} exactly 0 (not drawn)").format(
        name=found.layer_names[layer], n=n, zeros=found.n_zero[layer] / n
    )


def _picture_title(levels: np.ndarray) -> str:
    words = (
        _("The picture: {n:,} pixels, {share:.0%} black (not drawn)") if levels[:, 0].any() else _("The picture: {n:,} pixels")
    )
    return words.format(n=int(levels[0].sum()), share=levels[:, 0].sum() / levels.sum())
