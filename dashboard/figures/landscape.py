"""The loss around the weights of a moment: curves along a line, contours and a 3-D surface over a plane."""

from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.results.landscape import LossLine, LossSurface
from dashboard.figures import theme
from dashboard.text import _

Scale = Literal["log", "clipped"]
SCALES: tuple[Scale, ...] = ("log", "clipped")
LEAST = 1e-9
"""A loss below this, in shares of the highest in view, is drawn as this: there is no logarithm of 0."""
HEIGHT = 560
PIN = 0.1
"""How far the pin at the weights stands out above all, in shares of the heights in view."""


def log_heights(loss: np.ndarray) -> np.ndarray:
    """log10 of losses; NaN where there is none."""
    finite = np.where(np.isfinite(loss), loss, np.nan)
    return np.log10(np.maximum(finite, LEAST * max(float(np.nanmax(finite, initial=0.0)), 1e-300)))


def clip_at(loss: np.ndarray) -> float:
    """Where a clipped scale ends: as far above the median as that is above the least loss, or at the highest loss in view."""
    finite = loss[np.isfinite(loss)]
    if not finite.size:
        return 1.0
    low, middle, high = finite.min(), np.median(finite), finite.max()
    return float(min(high, 2 * middle - low) if middle > low else high)


def heights(loss: np.ndarray, scale: Scale, over: np.ndarray | None = None) -> np.ndarray:
    """How high losses are drawn: their logarithm, or themselves up to where the losses in view (`over`) are clipped."""
    if scale == "log":
        return log_heights(loss)
    return np.minimum(np.where(np.isfinite(loss), loss, np.nan), clip_at(loss if over is None else over))


def ticks(loss: np.ndarray, scale: Scale) -> dict[str, Any]:
    """Six ticks between the ends of the heights, written as losses."""
    known = heights(loss, scale)
    known = known[np.isfinite(known)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 1.0)
    places = np.linspace(low, high, 6)
    losses = 10**places if scale == "log" else places
    words = [f"{value:.3g}" for value in losses]
    if scale == "clipped" and np.nanmax(np.where(np.isfinite(loss), loss, np.inf), initial=0.0) > high:
        words[-1] = f"≥ {words[-1]}"
    return {"tickmode": "array", "tickvals": places, "ticktext": words, "tickformat": None}


def contours(x: np.ndarray, y: np.ndarray, loss: np.ndarray, *, unit: str, scale: Scale, dark: bool) -> go.Contour:
    """Loss over a plane as colours with lines of equal loss; `customdata` holds the losses themselves."""
    return go.Contour(
        x=x,
        y=y,
        z=heights(loss, scale),
        customdata=loss,
        ncontours=24,
        colorscale=theme.sequential(),
        opacity=0.75,
        line={"width": 0.6, "color": theme.grid_line(dark)},
        colorbar=theme.colour_bar(_("loss, {unit}").format(unit=_(unit)), dark) | ticks(loss, scale),
        hovertemplate=_("loss") + " %{customdata:.4g}<extra></extra>",
        name=_("loss"),
        showlegend=False,
    )


def solid(x: np.ndarray, y: np.ndarray, loss: np.ndarray, *, unit: str, scale: Scale, dark: bool) -> go.Surface:
    """Loss over a plane as a surface that can be turned."""
    return go.Surface(
        x=x,
        y=y,
        z=heights(loss, scale),
        customdata=loss,
        colorscale=theme.sequential(),
        colorbar=theme.colour_bar(_("loss, {unit}").format(unit=_(unit)), dark) | ticks(loss, scale) | {"len": 0.75},
        hovertemplate=_("loss") + " %{customdata:.4g}<extra></extra>",
        name=_("loss"),
        showlegend=False,
    )


def scene(x_title: str, y_title: str, loss: np.ndarray, *, unit: str, scale: Scale, dark: bool) -> dict[str, Any]:
    """The frame of a 3-D chart: named axes in the colours of the page."""
    axis = {
        "backgroundcolor": theme.CLEAR,
        "gridcolor": theme.quiet_ink(dark),
        "zerolinecolor": theme.grid_line(dark),
        "tickfont": {"color": theme.quiet_ink(dark), "size": 10},
    }

    def titled(text: str) -> dict[str, Any]:
        return axis | {"title": {"text": text, "font": {"color": theme.quiet_ink(dark), "size": 11}}}

    return {
        "xaxis": titled(x_title),
        "yaxis": titled(y_title),
        "zaxis": titled(_("loss, {unit}").format(unit=_(unit))) | ticks(loss, scale),
        "aspectmode": "manual",
        "aspectratio": {"x": 1, "y": 1, "z": 0.65},
        "camera": {"eye": {"x": 0.95, "y": -1.35, "z": 1.3}, "center": {"x": -0.03, "y": 0, "z": -0.1}},
    }


def direction_title(number: int, *, short: bool = False) -> str:
    """The name of an axis along a random direction."""
    if short:
        return _("direction {n} (filter norms)").format(n=number)
    return _("distance along random direction {n}, in filter norms").format(n=number)


def surface_figure(surface: LossSurface, *, scale: Scale = "log", dark: bool = False) -> go.Figure:
    """Contours of the loss, with a cross at the weights of the moment."""
    figure = go.Figure(contours(surface.axis, surface.axis, surface.loss, unit=surface.unit, scale=scale, dark=dark))
    figure.update_traces(customdata=_hovered(surface), hovertemplate=_hover(surface))
    for width, colour in ((5, theme.ink(not dark)), (2, theme.ink(dark))):  # seen on the darkest and on the lightest colour
        figure.add_scatter(
            x=[0],
            y=[0],
            mode="markers",
            marker={"symbol": "cross-thin", "size": 16, "line": {"width": width, "color": colour}},
            name=_moment(surface.step),
            hoverinfo="skip",
            showlegend=width == 2,
        )
    span = float(surface.axis[-1])
    box = {"range": [-span, span], "showgrid": False, "zeroline": False}
    return figure.update_layout(
        template=theme.template(dark),
        height=HEIGHT,
        xaxis=box | {"title_text": direction_title(1), "constrain": "domain"},
        yaxis=box | {"title_text": direction_title(2), "scaleanchor": "x", "constrain": "domain"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )


def surface_solid(surface: LossSurface, *, scale: Scale = "log", dark: bool = False) -> go.Figure:
    """The loss as a surface that can be turned, with a point at the weights of the moment."""
    figure = go.Figure(solid(surface.axis, surface.axis, surface.loss, unit=surface.unit, scale=scale, dark=dark))
    figure.update_traces(customdata=_hovered(surface), hovertemplate=_hover(surface))
    seen = np.asarray(figure.data[0].z)
    foot = heights(np.array([surface.centre_loss]), scale, surface.loss)[0]
    figure.add_scatter3d(  # a pin: a point on the surface would be half hidden by it
        x=[0, 0],
        y=[0, 0],
        z=[foot, np.nanmax(seen) + PIN * (np.nanmax(seen) - np.nanmin(seen))],
        mode="lines+markers",
        line={"color": theme.categorical(dark)[1], "width": 4},
        marker={"symbol": "diamond", "size": [3, 6], "color": theme.categorical(dark)[1]},
        name=_moment(surface.step),
        hoverinfo="skip",
        showlegend=True,
    )
    names = (direction_title(1, short=True), direction_title(2, short=True))
    return figure.update_layout(
        template=theme.template(dark),
        height=HEIGHT,
        scene=scene(*names, surface.loss, unit=surface.unit, scale=scale, dark=dark),
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        margin={"l": 0, "r": 0, "t": 40, "b": 0},
    )


def _moment(step: int) -> str:
    return _("the weights after step {n:,}").format(n=step) if step else _("the initial weights")


def _hovered(surface: LossSurface) -> np.ndarray:
    return np.stack([surface.loss, surface.score], -1)  # (side, side, 2)


def _hover(surface: LossSurface) -> str:
    """Both places with their unit, loss and score."""
    places = [
        _("{place} filter norms along direction {n}").format(place=f"%{{{axis}:.3g}}", n=n) for n, axis in ((1, "x"), (2, "y"))
    ]
    loss = _("loss {value} {unit}").format(value="%{customdata[0]:.4g}", unit=_(surface.unit))
    return "<br>".join([*places, loss, _score_words(surface.is_classification, "customdata[1]")]) + "<extra></extra>"


def _score_words(is_classification: bool, value: str) -> str:
    return f"{_('accuracy')} %{{{value}:.1%}}" if is_classification else f"R² %{{{value}:.3g}}"


def surface_alt(surface: LossSurface) -> str:
    """The figure in a sentence."""
    finite = surface.loss[np.isfinite(surface.loss)]
    return _(
        "Loss over a plane of two random directions around {moment}, from {span} filter norms to one side to {span} to the "
        "other: {centre:.3g} {unit} in the middle, from {low:.3g} to {high:.3g} in view."
    ).format(
        moment=_moment(surface.step), span=f"{surface.axis[-1]:g}", centre=surface.centre_loss, unit=_(surface.unit),
        low=float(finite.min(initial=np.inf)), high=float(finite.max(initial=-np.inf)),
    )  # fmt: skip


def line_title(line: LossLine) -> str:
    """The name of the axis along the line."""
    if line.kind == "random":
        return direction_title(1)
    return _("share of the way from the initial weights (0) to those after step {n:,} (1)").format(n=line.step)


def line_figure(line: LossLine, *, scale: Scale = "log", dark: bool = False) -> go.Figure:
    """Loss above, score below, of training and validation examples, with marks at the weights that are known."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.06)
    colours = theme.categorical(dark)
    splits = (
        (_("training"), line.train_loss, line.train_score, "solid"),
        (_("validation"), line.validation_loss, line.validation_score, "dash"),
    )
    where = _("{place} filter norms along direction 1") if line.kind == "random" else _("{place} of the way")
    hover = where.format(place="%{x:.3g}") + "<br>"
    for index, (name, loss, score, dash) in enumerate(splits):
        style = {"color": colours[index], "dash": dash, "width": 2.2}
        shared: dict[str, Any] = {"x": line.at, "mode": "lines", "line": style, "name": name, "legendgroup": name}
        words = f"{hover}{_('loss')} %{{customdata:.4g}} {_(line.unit)}<extra>{name}</extra>"
        drawn = 10 ** log_heights(loss) if scale == "log" else np.where(np.isfinite(loss), loss, np.nan)
        figure.add_trace(go.Scatter(**shared, y=drawn, customdata=loss, hovertemplate=words), row=1, col=1)
        words = f"{hover}{_score_words(line.is_classification, 'y')}<extra>{name}</extra>"
        figure.add_trace(go.Scatter(**shared, y=score, hovertemplate=words, showlegend=False), row=2, col=1)
    for at, text in _marks(line):
        figure.add_vline(x=at, line={"color": theme.quiet_ink(dark), "width": 1, "dash": "dot"})
        figure.add_annotation(
            x=at, y=1, yref="y domain", text=text, showarrow=False, xanchor="left", yanchor="top", xshift=4, row=1, col=1,
            font={"size": 11, "color": theme.quiet_ink(dark)},
        )  # fmt: skip
    axis: dict[str, Any] = {"title_text": _("loss, {unit}").format(unit=_(line.unit))}
    axis |= {"type": "log"} if scale == "log" else {"range": _clipped_range(line)}
    figure.update_yaxes(axis, row=1, col=1)
    score_axis = {"title_text": _("accuracy"), "tickformat": ".0%"} if line.is_classification else _r2_axis(line)
    figure.update_yaxes(score_axis, row=2, col=1)
    figure.update_xaxes(title_text=line_title(line), row=2, col=1)
    return figure.update_layout(
        template=theme.template(dark), height=HEIGHT, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    )


def _clipped_range(line: LossLine) -> list[float]:
    both = np.concatenate([line.train_loss, line.validation_loss])
    low, high = float(np.nanmin(both)), clip_at(both)
    return [low - 0.05 * (high - low), high + 0.05 * (high - low)]


def _r2_axis(line: LossLine) -> dict[str, Any]:
    """R² has no lower end: what is below -1 is out of view."""
    scores = np.concatenate([line.train_score, line.validation_score])
    low = float(np.nanmin(scores, initial=0.0))
    return {"title_text": "R²", "range": [max(-1.0, low) - 0.05, 1.05]}


def _marks(line: LossLine) -> list[tuple[float, str]]:
    """The places whose weights were there in training."""
    if line.kind == "random":
        return [(0.0, _moment(line.step))]
    return [(0.0, _("initial weights")), (1.0, _("step {n:,}").format(n=line.step))]


def line_alt(line: LossLine) -> str:
    """The figure in a sentence."""
    present = int(np.argmin(np.abs(line.at - (0.0 if line.kind == "random" else 1.0))))
    return _(
        "Loss and score along a line through the weights after step {n:,}; {axis}. There the loss is {train:.3g} on training "
        "and {validation:.3g} on validation examples; on the line it goes from {low:.3g} to {high:.3g} on training examples."
    ).format(
        n=line.step, axis=line_title(line), train=line.train_loss[present], validation=line.validation_loss[present],
        low=float(np.nanmin(line.train_loss)), high=float(np.nanmax(line.train_loss)),
    )  # fmt: skip
