"""Where a method points in the images of each class, on the mean: one small picture per class."""

import math

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.results.global_view import GlobalMaps
from dashboard.figures import theme
from dashboard.figures.stacks import plain
from dashboard.text import _

MOST = 20
"""Classes that are drawn."""
COLUMNS = 5


def global_maps_figure(found: GlobalMaps, *, dark: bool = False) -> go.Figure:
    """The mean map over the mean picture, grey, for each class that has examples; all with the same colours."""
    shown = np.flatnonzero(found.counts)[:MOST]
    n_columns = min(COLUMNS, len(shown))
    n_rows = math.ceil(len(shown) / n_columns)
    titles = [f"{plain(found.class_names[c])} ({found.counts[c]})" for c in shown]
    figure = make_subplots(n_rows, n_columns, subplot_titles=titles, horizontal_spacing=0.02, vertical_spacing=0.26 / n_rows)
    limit = float(np.percentile(found.maps[shown], 99.5)) or 1.0
    for i, c in enumerate(shown):
        place = {"row": i // n_columns + 1, "col": i % n_columns + 1}
        figure.add_trace(_picture(found.pictures[c]), **place)
        figure.add_trace(_map(found, int(c), limit, dark, is_first=i == 0), **place)
    height, width = found.maps.shape[1:]
    figure.update_layout(template=theme.template(dark), height=60 + 150 * n_rows, margin={"t": 28})
    figure.update_annotations(font={"size": 12, "color": theme.ink(dark)})
    hidden = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "constrain": "domain"}
    figure.update_xaxes(range=[-0.5, width - 0.5], **hidden)
    figure.update_yaxes(range=[height - 0.5, -0.5], **hidden)
    for i in range(len(shown)):
        name = "" if i == 0 else str(i + 1)
        figure.layout[f"yaxis{name}"].scaleanchor = f"x{name}"
    return figure


def alt_text(found: GlobalMaps) -> str:
    """The figure in a sentence: where the mean map of each class is strongest."""
    parts = []
    for c in np.flatnonzero(found.counts)[:MOST]:
        row, column = np.unravel_index(int(found.maps[c].argmax()), found.maps[c].shape)
        parts.append(_("{name}: row {row}, column {column}").format(name=found.class_names[c], row=row, column=column))
    return _("{method}, mean over {n} examples; strongest for {places}.").format(
        method=_(found.label), n=int(found.counts.sum()), places="; ".join(parts)
    )


def _picture(picture: np.ndarray) -> go.Heatmap:
    # The weights of red, green and blue in perceived brightness (ITU-R BT.601).
    grey = picture.astype(float) @ np.array([0.299, 0.587, 0.114]) if picture.ndim == 3 else picture.astype(float)
    scale = theme.pale_grey()
    return go.Heatmap(z=grey.astype(np.float32), zmin=0, zmax=255, colorscale=scale, showscale=False, hoverinfo="skip")


def _map(found: GlobalMaps, c: int, limit: float, dark: bool, *, is_first: bool) -> go.Heatmap:
    return go.Heatmap(
        z=found.maps[c],
        zmin=0,
        zmax=limit,
        colorscale=theme.unsigned_veil(),
        showscale=is_first,
        colorbar=theme.colour_bar(_("mean size, {unit}").format(unit=_(found.unit)), dark) if is_first else None,
        hovertemplate=_("row") + " %{y}, " + _("column") + " %{x}<br><b>%{z:.3g}</b> " + found.unit + "<extra></extra>",
        name=plain(found.class_names[c]),
    )
