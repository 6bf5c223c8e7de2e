"""What the layers of a net answer to one example: all maps of a layer in one picture, units as a strip, words as columns."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from core.results.activations import ActivationMaps
from core.types import shape_text
from dashboard.figures import theme
from dashboard.text import _, counted

ColourScope = Literal["map", "layer", "net"]
BAR_UNITS = 32
"""A flat layer of up to so many units is shown as bars, a wider one as a strip."""
MAX_TOKEN_LABELS = 48
"""More words than these on one axis run into each other."""


def activation_figure(
    maps: ActivationMaps, layer: int, *, scale: ColourScope = "layer", dark: bool = False, max_maps: int = 64
) -> go.Figure:
    """All channels of one layer as one mosaic, a flat layer as bars or a strip of cells, a sequence as one column per step.

    Colours reach over each map alone ("map", whose colour bar says a share of that map's range), over the layer, or over
    the whole net. Where there are negative values, layer and net scales are symmetric about 0.
    """
    values = np.asarray(maps.maps[layer], np.float32)
    if values.ndim == 2:
        figure = _sequence_figure(values, maps.tokens, limits(maps, layer, scale), dark)
    elif values.ndim == 1 and len(values) <= BAR_UNITS:
        figure = _unit_bars(values, limits(maps, layer, scale), dark)
    else:
        figure = _mosaic_figure(_mosaic(values, max_maps), limits(maps, layer, scale), dark)
    figure.update_layout(template=theme.template(dark), title_text=_title(maps, layer, max_maps))
    return figure


def alt_text(maps: ActivationMaps, layer: int) -> str:
    """The figure in a sentence: which layer, how many maps, its range and how much of it is exactly zero."""
    values = np.asarray(maps.maps[layer])
    return _("Layer {name}: {what}, values from {low:.3g} to {high:.3g}, {zeros:.0%} exactly zero.").format(
        name=maps.layer_names[layer],
        what=_what(values),
        low=float(values.min()),
        high=float(values.max()),
        zeros=maps.zero_share[layer],
    )


@dataclass(frozen=True, slots=True)
class _Mosaic:
    """Maps side by side. `cells` holds NaN in the gaps; `details` per cell: map, row, column, lowest and highest of its map."""

    cells: np.ndarray
    details: np.ndarray
    is_flat: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """The range of the colours; None: each map has its own."""

    low: float
    high: float
    scope: ColourScope


def _mosaic(values: np.ndarray, max_maps: int) -> _Mosaic:
    """(C, H, W) as a square of maps with gaps of one cell; (F,) as a strip of cells without gaps, wrapped to about 4 : 1."""
    is_flat = values.ndim == 1
    maps = values.reshape(-1, 1, 1) if is_flat else values[:max_maps]
    n, height, width = maps.shape
    columns, gap = (min(n, int(np.ceil(np.sqrt(4 * n)))), 0) if is_flat else (int(np.ceil(np.sqrt(n))), 1)
    rows = -(-n // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap)
    cells, details = np.full(shape, np.nan, np.float32), np.zeros((*shape, 5), np.float32)
    row_of, column_of = np.mgrid[:height, :width]
    for i, one in enumerate(maps):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        place = (slice(top, top + height), slice(left, left + width))
        low, high = (values.min(), values.max()) if is_flat else (one.min(), one.max())
        cells[place] = one
        constants = [np.full((height, width), number) for number in (i, low, high)]
        details[place] = np.stack([constants[0], row_of, column_of, constants[1], constants[2]], -1)
    return _Mosaic(cells, details, is_flat)


def limits(maps: ActivationMaps, layer: int, scope: ColourScope) -> Limits:
    """Zero to the highest value, or symmetric about zero where some value is negative."""
    if scope == "map":
        return Limits(0.0, 1.0, scope)
    arrays = [maps.maps[layer]] if scope == "layer" else list(maps.maps)
    low = min(float(np.min(values)) for values in arrays)
    high = max(float(np.max(values)) for values in arrays)
    size = max(abs(low), abs(high)) or 1.0
    return Limits(-size if low < 0 else 0.0, size, scope)


def _mosaic_figure(mosaic: _Mosaic, limits: Limits, dark: bool) -> go.Figure:
    own = limits.scope == "map"
    figure = go.Figure(
        go.Heatmap(
            z=_share_of_range(mosaic) if own else mosaic.cells,
            zmin=limits.low,
            zmax=limits.high,
            colorscale=theme.diverging(dark) if limits.low < 0 else theme.sequential(),
            colorbar=theme.colour_bar(_legend(limits, is_one_map=mosaic.is_flat), dark),
            hoverongaps=False,
            customdata=np.dstack([mosaic.details, mosaic.cells]),
            hovertemplate=_mosaic_hover(mosaic.is_flat),
            name=_("activation"),
        )
    )
    height, width = mosaic.cells.shape
    hidden = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "constrain": "domain"}
    across, down = (
        (_("unit, left to right"), _("unit, top to bottom")) if mosaic.is_flat else (_("pixel column"), _("pixel row"))
    )
    return figure.update_layout(
        height=int(np.clip(90 + 520 * height / width, 160, 560)),
        xaxis={"title_text": across, "range": [-0.5, width - 0.5], **hidden},
        yaxis={"title_text": down, "range": [height - 0.5, -0.5], "scaleanchor": "x", **hidden},
    )


def _share_of_range(mosaic: _Mosaic) -> np.ndarray:
    """Each map from its own lowest (0) to its own highest value (1); a constant map is 0."""
    low, high = mosaic.details[..., 3], mosaic.details[..., 4]
    return ((mosaic.cells - low) / np.where(high > low, high - low, 1)).astype(np.float32)


def _mosaic_hover(is_flat: bool) -> str:
    value = "<br><b>%{customdata[5]:.4g}</b>"
    if is_flat:
        return _("unit") + " %{customdata[0]:d}" + value + "<extra></extra>"
    place = _("map") + " %{customdata[0]:d}, " + _("row") + " %{customdata[1]:d}, " + _("column") + " %{customdata[2]:d}"
    return place + value + "<br>" + _("this map:") + " %{customdata[3]:.3g} … %{customdata[4]:.3g}<extra></extra>"


def _legend(limits: Limits, *, is_one_map: bool) -> str:
    if limits.scope == "map":
        return _("share of the layer's range") if is_one_map else _("share of each map's own range")
    return _("activation, scale of this layer") if limits.scope == "layer" else _("activation, scale of the whole net")


def _sequence_figure(values: np.ndarray, tokens: tuple[str, ...], limits: Limits, dark: bool) -> go.Figure:
    """(L, D): one column per step, from left to right as one reads, with its token while the layer keeps the length."""
    length, n_features = values.shape
    low, high = float(values.min()), float(values.max())
    shown = (values - low) / ((high - low) or 1.0) if limits.scope == "map" else values
    has_tokens = len(tokens) == length
    names = tokens if has_tokens else tuple(str(step) for step in range(length))
    figure = go.Figure(
        go.Heatmap(
            z=shown.T,
            zmin=limits.low,
            zmax=limits.high,
            colorscale=theme.diverging(dark) if limits.low < 0 else theme.sequential(),
            colorbar=theme.colour_bar(_legend(limits, is_one_map=True), dark),
            customdata=np.dstack([values.T, np.broadcast_to(np.array(names, object), (n_features, length))]),
            hovertemplate="%{customdata[1]}<br>" + _("feature") + " %{y}<br><b>%{customdata[0]:.4g}</b><extra></extra>",
            name=_("activation"),
        )
    )
    # Words repeat, so that places are numbers and words their labels; of many steps only some are named.
    every = -(-length // MAX_TOKEN_LABELS)
    places = list(range(0, length, every))
    ticks = {"tickvals": places, "ticktext": [names[place] for place in places]}
    return figure.update_layout(
        height=int(np.clip(150 + 6 * n_features, 220, 520)),
        xaxis={"title_text": _("token") if has_tokens else _("step"), "showgrid": False, **ticks},
        yaxis={"title_text": _("feature"), "showgrid": False, "range": [n_features - 0.5, -0.5]},
    )


def _unit_bars(values: np.ndarray, limits: Limits, dark: bool) -> go.Figure:
    """One bar per unit: length is better read than colour. The net's scale sets the axis; the two others fit it."""
    colours = [theme.POSITIVE if value >= 0 else theme.NEGATIVE for value in values]
    figure = go.Figure(
        go.Bar(
            x=list(range(len(values))),
            y=values,
            marker={"color": colours},
            hovertemplate=_("unit") + " %{x}<br><b>%{y:.4g}</b><extra></extra>",
            name=_("activation"),
        )
    )
    reach = {"range": [limits.low * 1.05, limits.high * 1.05]} if limits.scope == "net" else {}
    return figure.update_layout(
        height=260,
        bargap=0.2,
        xaxis={"title_text": _("unit"), "showgrid": False},
        yaxis={"title_text": _("activation"), "zeroline": True, **reach},
    )


def _title(maps: ActivationMaps, layer: int, max_maps: int) -> str:
    values = maps.maps[layer]
    title = _("{name}: {what}, {zeros:.0%} zeros").format(
        name=maps.layer_names[layer], what=_what(values), zeros=maps.zero_share[layer]
    )
    if values.ndim == 3 and len(values) > max_maps:
        title += " " + _("(the first {n} shown)").format(n=max_maps)
    return title


def _what(values: np.ndarray) -> str:
    """`32 maps of 28 × 28`, `14 steps with 32 features`, or `64 units`."""
    if values.ndim == 1:
        return counted("{n} unit", "{n} units", len(values))
    if values.ndim == 2:
        steps = counted("{n} step", "{n} steps", len(values))
        return _("{steps} with {features}").format(
            steps=steps, features=counted("{n} feature", "{n} features", values.shape[1])
        )
    return _("{maps} of {size}").format(maps=counted("{n} map", "{n} maps", len(values)), size=shape_text(values.shape[1:]))
