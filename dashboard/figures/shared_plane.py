"""The ways of the lanes of a race over the loss of their model."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.results.shared_plane import SharedPlane
from dashboard.figures import landscape, theme
from dashboard.text import _

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
"""As the live curves have them (components/shared/lane_view.js)."""


def lane_style(lane: int, *, dark: bool) -> dict[str, str]:
    """Colour and dash of a lane: the same in every panel; neighbours differ in both."""
    palette = theme.categorical(dark)
    return {"color": palette[lane % len(palette)], "dash": DASHES[(lane + lane // len(palette)) % len(DASHES)]}


def shared_plane_figure(
    plane: SharedPlane, *, scale: landscape.Scale = "log", step: int | None = None, dark: bool = False
) -> go.Figure:
    """Contours of the loss, and a line per lane from a ring to a star; with `step`, a diamond where each lane was then."""
    figure = go.Figure(landscape.contours(plane.x, plane.y, plane.loss, unit=plane.unit, scale=scale, dark=dark))
    for index in range(len(plane.labels)):
        figure.add_traces(_way(plane, index, dark))
    if step is not None:
        figure.add_scatter(**_moment(plane, step, dark), marker=_diamond(dark, 15, 2.5))
    return figure.update_layout(
        template=theme.template(dark),
        height=landscape.HEIGHT,
        xaxis={"title_text": _axis(plane, 0), "range": [plane.x[0], plane.x[-1]], "showgrid": False, "zeroline": False},
        yaxis={"title_text": _axis(plane, 1), "range": [plane.y[0], plane.y[-1]], "showgrid": False, "zeroline": False},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )


def shared_plane_solid(
    plane: SharedPlane, *, scale: landscape.Scale = "log", step: int | None = None, dark: bool = False
) -> go.Figure:
    """The same in 3-D: the ways are as high as the loss at the checkpoints themselves, which lie a little off the plane."""
    figure = go.Figure(landscape.solid(plane.x, plane.y, plane.loss, unit=plane.unit, scale=scale, dark=dark))
    figure.update_traces(opacity=0.8)
    for index, path in enumerate(plane.paths):
        style = lane_style(plane.lanes[index], dark=dark)
        figure.add_scatter3d(
            x=path[:, 0],
            y=path[:, 1],
            z=landscape.heights(plane.path_losses[index], scale, plane.loss),
            mode="lines+markers",
            line=style | {"width": 6},
            marker={"size": 3, "color": style["color"]},
            customdata=_told(plane, index),
            name=plane.labels[index],
            hovertemplate=_hover(),
        )
    if step is not None:
        moment = _moment(plane, step, dark)
        losses = moment["customdata"][:, 1]
        figure.add_scatter3d(**moment, z=landscape.heights(losses, scale, plane.loss), marker=_diamond(dark, 7, 1))
    names = (_("first direction (L2)"), _("second direction (L2)"))
    return figure.update_layout(
        template=theme.template(dark),
        height=landscape.HEIGHT,
        scene=landscape.scene(*names, plane.loss, unit=plane.unit, scale=scale, dark=dark),
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        margin={"l": 0, "r": 0, "t": 40, "b": 0},
    )


def _moment(plane: SharedPlane, step: int, dark: bool) -> dict[str, Any]:
    """Where each lane was at its last checkpoint up to a step; lanes that began later are left out."""
    found = []
    for index, steps in enumerate(plane.steps):
        if (n := int(np.searchsorted(steps, step, side="right"))) > 0:
            found.append((*plane.paths[index][n - 1], *_told(plane, index)[n - 1]))
    rows = np.array(found, dtype=float).reshape(-1, 5)
    return {
        "x": rows[:, 0],
        "y": rows[:, 1],
        "customdata": rows[:, 2:],
        "mode": "markers",
        "name": _("at step {n:,}").format(n=step),
        "hovertemplate": _hover(),
    }


def _diamond(dark: bool, size: float, width: float) -> dict[str, Any]:
    """The mark of the moment that is looked at."""
    return {
        "symbol": "diamond",
        "size": size,
        "color": theme.ink(not dark),
        "line": {"color": theme.ink(dark), "width": width},
    }


def _told(plane: SharedPlane, index: int) -> np.ndarray:
    """What is said of each checkpoint of a lane, (K, 3): step, loss there, how far off the plane."""
    return np.stack([plane.steps[index], plane.path_losses[index], plane.distances[index]], 1)


def _hover() -> str:
    words = _("step") + " %{customdata[0]:,}<br>" + _("loss there") + " %{customdata[1]:.4g}<br>"
    return f"{words}{_('off the plane by')} %{{customdata[2]:.3g}}<extra>%{{fullData.name}}</extra>"


def alt_text(plane: SharedPlane) -> str:
    """The figure in sentences: where each lane ends, and at what loss."""
    ends = [f"{label}: {losses[-1]:.3g}" for label, losses in zip(plane.labels, plane.path_losses, strict=True)]
    return _(
        "The ways of {n} lanes over the loss of their model, in a plane that explains {share:.0%} of the variance of their "
        "weights. Loss at the end ({unit}): {ends}."
    ).format(n=len(plane.labels), share=float(plane.explained.sum()), unit=_(plane.unit), ends=", ".join(ends))


def _axis(plane: SharedPlane, index: int) -> str:
    names = (_("first direction"), _("second direction"))
    return _("distance of weights along the {name} ({share:.1%} of the variance)").format(
        name=names[index], share=float(plane.explained[index])
    )


def log_loss(plane: SharedPlane) -> np.ndarray:
    """log10 of the loss, (side, side); NaN where there is none."""
    return landscape.log_heights(plane.loss)


def _way(plane: SharedPlane, index: int, dark: bool) -> list[go.Scatter]:
    """A lane: a line in the colour of the page, so that it stands out; its own line on it; a ring and a star at its ends."""
    path = plane.paths[index]
    style = lane_style(plane.lanes[index], dark=dark)
    symbols = ["circle-open"] + ["circle"] * (len(path) - 2) + ["star"] * (len(path) > 1)
    sizes = [12] + [4] * (len(path) - 2) + [15] * (len(path) > 1)
    shared = {"x": path[:, 0], "y": path[:, 1], "legendgroup": str(index)}
    under = go.Scatter(
        **shared,
        mode="lines",
        line={"color": theme.ink(not dark), "width": 5.5},
        opacity=0.85,
        hoverinfo="skip",
        showlegend=False,
    )
    line = go.Scatter(
        **shared,
        mode="lines+markers",
        line=style | {"width": 2.6},
        marker={"symbol": symbols, "size": sizes, "color": style["color"], "line": {"color": style["color"], "width": 2}},
        customdata=_told(plane, index),
        name=plane.labels[index],
        hovertemplate=_hover(),
    )
    return [under, line]
