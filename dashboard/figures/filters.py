"""The weights of a layer as pictures: filters in colour, tiles over maps, or a table of outputs by inputs."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from core.results.filters import Filters
from core.types import shape_text
from dashboard.figures import theme
from dashboard.figures.stacks import plain, short
from dashboard.text import _

Scale = Literal["layer", "filter"]
ALONE = 64
"""Filters at once where each is one picture."""
ROWS, ACROSS = 8, 16
"""Filters, and inputs of them, at once where a filter has a tile for each input."""
TABLE_ROWS, TABLE_COLUMNS = 128, 512
MAX_NAMES = 40
"""More names than these on an axis run into each other."""


@dataclass(frozen=True, slots=True)
class View:
    """What of the weights is seen: some filters (outputs), and some of their inputs, from the given numbers on."""

    first_output: int = 0
    first_input: int = 0


def page_size(found: Filters) -> tuple[int, int]:
    """How many outputs and inputs are seen at once."""
    if found.form == "matrix":
        return TABLE_ROWS, TABLE_COLUMNS
    is_alone = found.form == "colour" or found.weights.shape[1] == 1
    return (ALONE, found.weights.shape[1]) if is_alone else (ROWS, ACROSS)


def is_of_neurons(found: Filters) -> bool:
    """Whether an output is one number (of a Linear), not a map (of a convolution)."""
    return len(found.shape) == 2


def in_view(found: Filters, view: View) -> np.ndarray:
    """The part of the weights that is seen."""
    n_outputs, n_inputs = page_size(found)
    return found.weights[view.first_output :, view.first_input :][:n_outputs, :n_inputs]


def filters_figure(found: Filters, view: View, *, scale: Scale = "layer", dark: bool = False) -> go.Figure:
    """The weights in view. Blue is negative, red positive; colours reach as far as the largest weight of the layer, or of
    each filter. In colour, grey is 0 and each filter has its own reach."""
    part = in_view(found, view)
    if found.form == "colour":
        figure = _colour_figure(part, view)
    else:
        reaches = _reaches(found.weights, part, view, scale)
        shares = part / reaches.reshape(-1, *[1] * (part.ndim - 1))
        figure = _table(found, part, shares, view) if found.form == "matrix" else _tiles(found, part, shares, view)
        largest = float(reaches.max())
        whole = scale == "layer"
        title = _("weight") if whole else _("share of the filter's largest weight")
        ticks = {"tickvals": [-1, -0.5, 0, 0.5, 1], "tickformat": None}
        ticks["ticktext"] = [f"{share * largest if whole else share:.2g}" for share in (-1, -0.5, 0, 0.5, 1)]
        bar = theme.colour_bar(title, dark) | ticks
        figure.update_traces(zmin=-1, zmax=1, colorscale=theme.diverging(dark), colorbar=bar, hoverongaps=False)
    return figure.update_layout(template=theme.template(dark), margin={"t": 16})


def alt_text(found: Filters, view: View) -> str:
    """The figure in a sentence: which layer, what is seen of it, and its range."""
    part = in_view(found, view)
    return _("{name}, {shape}: outputs {first} to {last} of {n}. Weights from {low:.3g} to {high:.3g}.").format(
        name=found.name,
        shape=shape_text(found.shape),
        first=view.first_output + 1,
        last=view.first_output + len(part),
        n=found.n_outputs,
        low=float(found.weights.min()),
        high=float(found.weights.max()),
    )


def _reaches(weights: np.ndarray, part: np.ndarray, view: View, scale: Scale) -> np.ndarray:
    """The largest size of a weight of each filter in view, (n,); of the whole layer for all of them alike."""
    sizes = np.abs(weights[view.first_output :][: len(part)]).reshape(len(part), -1).max(1)
    if scale == "layer":
        sizes = np.full(len(part), np.abs(weights).max())
    return np.where(sizes > 0, sizes, 1.0)


def _colour_figure(part: np.ndarray, view: View) -> go.Figure:
    """(n, 3, h, w) as pictures side by side: grey is 0, a channel at its lightest is the largest weight of the filter."""
    reach = np.abs(part).reshape(len(part), -1).max(1).clip(1e-30).reshape(-1, 1, 1, 1)
    shades = np.rint(127.5 + 127.5 * part / reach).astype(np.uint8).transpose(0, 2, 3, 1)  # (n, h, w, 3)
    opaque = np.concatenate([shades, np.full((*shades.shape[:3], 1), 255, np.uint8)], 3)
    columns = _columns(len(part))
    z = _mosaic(opaque, columns, 0)
    figure = go.Figure(
        go.Image(
            z=z,
            colormodel="rgba256",
            customdata=_mosaic(_places(part[:, :1], view), columns, -1),
            hovertemplate=_("filter") + " %{customdata[0]}, " + _("row") + " %{customdata[2]}, " + _("column")
            + " %{customdata[3]}<br>" + _("red, green, blue around 128 (a weight of 0):") + " %{z}<extra></extra>",
        )
    )  # fmt: skip
    return _bare(figure, z.shape[0], z.shape[1], _("filters, left to right"), _("filters, top to bottom"))


def _tiles(found: Filters, part: np.ndarray, shares: np.ndarray, view: View) -> go.Figure:
    """(n, I, h, w): a square of pictures where each filter has one input, else a row of tiles per filter."""
    n, n_inputs, height, width = part.shape
    columns = _columns(n) if n_inputs == 1 else n_inputs
    flat = [values.reshape(n * n_inputs, height, width) for values in (shares, part)]
    z, values = (_mosaic(one[..., None], columns, np.nan)[..., 0] for one in flat)
    places = _mosaic(_places(part, view), columns, -1)
    details = np.concatenate([places, values[..., None]], -1).astype(np.float32)
    kind = _("channel") if found.is_of_input else _("map")
    one, many, more = _outputs(found)
    words = one + " %{customdata[0]:d}, " + ("" if n_inputs == 1 else kind + " %{customdata[1]:d}, ")
    words += _("row") + " %{customdata[2]:d}, " + _("column") + " %{customdata[3]:d}<br><b>%{customdata[4]:.4g}</b>"
    figure = go.Figure(go.Heatmap(z=z, customdata=details, hovertemplate=words + "<extra></extra>", name=_("weight")))
    if n_inputs == 1:
        return _bare(figure, *z.shape, many, more)
    across = _("input channel") if found.is_of_input else _("map of the layer before")
    _bare(figure, *z.shape, across, one)
    middle_x = np.arange(n_inputs) * (width + 1) + (width - 1) / 2
    middle_y = np.arange(n) * (height + 1) + (height - 1) / 2
    shown = {"showticklabels": True}
    figure.update_xaxes(tickvals=middle_x, ticktext=[str(view.first_input + i) for i in range(n_inputs)], **shown)
    return figure.update_yaxes(tickvals=middle_y, ticktext=[str(view.first_output + i) for i in range(n)], **shown)


def _outputs(found: Filters) -> tuple[str, str, str]:
    """What one output is called, and axes along which outputs lie side by side."""
    if is_of_neurons(found):
        return _("output"), _("outputs, left to right"), _("outputs, top to bottom")
    return _("filter"), _("filters, left to right"), _("filters, top to bottom")


def _table(found: Filters, part: np.ndarray, shares: np.ndarray, view: View) -> go.Figure:
    """(O, I): a row per output, a column per input, with the names of the inputs where they have some."""
    n, n_inputs = part.shape
    names = found.input_names[view.first_input : view.first_input + n_inputs]
    words = [plain(name) for name in names] or [str(view.first_input + i) for i in range(n_inputs)]
    labels = np.broadcast_to(np.array(words, object), part.shape)
    hover = _("output") + " %{y}, " + _("input") + " %{customdata[0]}<br><b>%{customdata[1]:.4g}</b><extra></extra>"
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=view.first_input + np.arange(n_inputs),
            y=view.first_output + np.arange(n),
            customdata=np.dstack([labels, part.astype(object)]) if names else np.dstack([labels.astype(int), part]),
            hovertemplate=hover,
            name=_("weight"),
        )
    )
    is_named = 0 < len(names) <= MAX_NAMES
    ticks = {"tickvals": list(range(n_inputs)), "ticktext": [short(name) for name in names]} if is_named else {}
    return figure.update_layout(
        height=int(np.clip(150 + 16 * n, 240, 620)) + (90 if is_named else 0),
        xaxis={"title_text": _("input"), "showgrid": False, "zeroline": False, **ticks},
        yaxis={"title_text": _("output"), "showgrid": False, "zeroline": False, "autorange": "reversed"},
    )


def _columns(n: int) -> int:
    """Pictures in a row, so that a mosaic is wider than high."""
    return min(n, int(np.ceil(np.sqrt(2.5 * n))))


def _places(part: np.ndarray, view: View) -> np.ndarray:
    """(n · I, h, w, 4): number of the filter, of the input, row and column of every weight."""
    n, n_inputs, height, width = part.shape
    grid = np.stack(np.meshgrid(*map(np.arange, (n, n_inputs, height, width)), indexing="ij"), -1)
    grid += np.array([view.first_output, view.first_input, 0, 0])
    return grid.reshape(n * n_inputs, height, width, 4)


def _mosaic(tiles: np.ndarray, columns: int, gap: float) -> np.ndarray:
    """Tiles (n, h, w, c) side by side with gaps of one cell, (H, W, c)."""
    n, height, width, depth = tiles.shape
    rows = -(-n // columns)
    cells = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, depth), gap, tiles.dtype)
    for i, tile in enumerate(tiles):
        top, left = (i // columns) * (height + 1), (i % columns) * (width + 1)
        cells[top : top + height, left : left + width] = tile
    return cells


def _bare(figure: go.Figure, height: int, width: int, across: str, down: str) -> go.Figure:
    """Square cells without numbers on the axes."""
    hidden = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "constrain": "domain"}
    return figure.update_layout(
        height=int(np.clip(90 + 760 * height / width, 180, 620)),
        xaxis={"title_text": across, "range": [-0.5, width - 0.5], **hidden},
        yaxis={"title_text": down, "range": [height - 0.5, -0.5], "scaleanchor": "x", **hidden},
    )
