"""How often each value occurs among what a layer answers to one example."""

import numpy as np
import plotly.graph_objects as go

from core.results.activation_histograms import ActivationHistograms
from dashboard.figures.stacks import Group, empty_figure, range_bars
from dashboard.text import _


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
