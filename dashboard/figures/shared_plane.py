"""The ways of the lanes of a race over the loss of their model."""

import numpy as np
import plotly.graph_objects as go

from core.results.shared_plane import SharedPlane
from dashboard.figures import theme
from dashboard.text import _

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
"""As the live curves have them (components/shared/lane_view.js)."""
LEAST = 1e-9
"""A loss below this, in shares of the highest in view, is drawn as this: there is no logarithm of 0."""


def lane_style(lane: int, *, dark: bool) -> dict[str, str]:
    """Colour and dash of a lane: the same in every panel; neighbours differ in both."""
    palette = theme.categorical(dark)
    return {"color": palette[lane % len(palette)], "dash": DASHES[(lane + lane // len(palette)) % len(DASHES)]}


def shared_plane_figure(plane: SharedPlane, *, dark: bool = False) -> go.Figure:
    """Contours of the logarithm of the loss, and a line per lane from a ring to a star."""
    figure = go.Figure(_contours(plane, dark))
    for index in range(len(plane.labels)):
        figure.add_traces(_way(plane, index, dark))
    return figure.update_layout(
        template=theme.template(dark),
        height=560,
        xaxis={"title_text": _axis(plane, 0), "range": [plane.x[0], plane.x[-1]], "showgrid": False, "zeroline": False},
        yaxis={"title_text": _axis(plane, 1), "range": [plane.y[0], plane.y[-1]], "showgrid": False, "zeroline": False},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )


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
    finite = np.where(np.isfinite(plane.loss), plane.loss, np.nan)
    return np.log10(np.maximum(finite, LEAST * max(float(np.nanmax(finite, initial=0.0)), 1e-300)))


def _contours(plane: SharedPlane, dark: bool) -> go.Contour:
    heights = log_loss(plane)
    low, high = np.nanmin(heights), np.nanmax(heights)
    ticks = np.linspace(low, high, 6)
    return go.Contour(
        x=plane.x,
        y=plane.y,
        z=heights,
        customdata=plane.loss,
        ncontours=24,
        colorscale=theme.sequential(),
        opacity=0.75,
        line={"width": 0.6, "color": theme.grid_line(dark)},
        colorbar=theme.colour_bar(_("loss, {unit}").format(unit=_(plane.unit)), dark)
        | {"tickvals": ticks, "ticktext": [f"{10**tick:.2g}" for tick in ticks], "tickformat": None},
        hovertemplate=_("loss") + " %{customdata:.4g}<extra></extra>",
        name=_("loss"),
        showlegend=False,
    )


def _way(plane: SharedPlane, index: int, dark: bool) -> list[go.Scatter]:
    """A lane: a line in the colour of the page, so that it stands out; its own line on it; a ring and a star at its ends."""
    path = plane.paths[index]
    style = lane_style(plane.lanes[index], dark=dark)
    words = np.stack([plane.steps[index], plane.path_losses[index], plane.distances[index]], 1)
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
    hover = _("step") + " %{customdata[0]:,}<br>" + _("loss there") + " %{customdata[1]:.4g}<br>"
    line = go.Scatter(
        **shared,
        mode="lines+markers",
        line=style | {"width": 2.6},
        marker={"symbol": symbols, "size": sizes, "color": style["color"], "line": {"color": style["color"], "width": 2}},
        customdata=words,
        name=plane.labels[index],
        hovertemplate=f"{hover}{_('off the plane by')} %{{customdata[2]:.3g}}<extra>%{{fullData.name}}</extra>",
    )
    return [under, line]
