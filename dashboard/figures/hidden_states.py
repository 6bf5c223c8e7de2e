"""What a recurrent layer remembers over the tokens, and what is said after each of them."""

import numpy as np
import plotly.graph_objects as go

from core.results.hidden_states import Reading
from dashboard.figures import theme
from dashboard.figures.stacks import plain
from dashboard.figures.token_axis import short, token_axis
from dashboard.text import _

MAX_CLASSES = 6
"""Lines that can be told apart: the classes that get the highest probability anywhere."""
MAX_NAMED = 8_000
"""Cells up to which each tells its step and its unit under the pointer."""
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def state_heatmap(values: np.ndarray, steps: tuple[str, ...], units: np.ndarray, axis: str, dark: bool = False) -> go.Figure:
    """`values` (L, H) as one row per unit and one column per step, with `units` (U,) from top to bottom.

    Args:
        axis: what a step is, for the axis.
    """
    shown = values[:, units].T
    size = float(np.abs(shown).max(initial=0.0)) or 1.0
    is_signed = bool((shown < 0).any())
    labels, where = None, "%{x}, %{y}"
    if shown.size <= MAX_NAMED:
        labels = np.empty((*shown.shape, 2), object)
        labels[..., 0], labels[..., 1] = np.array([plain(short(step)) for step in steps], object)[None, :], units[:, None]
        where = "%{customdata[0]}<br>" + _("unit") + " %{customdata[1]}"
    figure = go.Figure(
        go.Heatmap(
            z=shown.astype(np.float32),
            zmin=-size if is_signed else 0.0,
            zmax=size,
            colorscale=theme.diverging(dark) if is_signed else theme.sequential(),
            colorbar=theme.colour_bar(_("state"), dark),
            customdata=labels,
            hovertemplate=where + "<br><b>%{z:.3f}</b><extra></extra>",
            name=_("state"),
        )
    )
    every = -(-len(units) // 32)
    places = list(range(0, len(units), every))
    return figure.update_layout(
        template=theme.template(dark),
        height=int(np.clip(150 + 9 * len(units), 240, 560)),
        margin_t=8,
        xaxis=token_axis(steps, axis),
        yaxis={
            "title_text": _("unit"),
            "tickvals": places,
            "ticktext": [str(units[place]) for place in places],
            "range": [len(units) - 0.5, -0.5],
            "showgrid": False,
        },
    )


def norm_line(norms: np.ndarray, steps: tuple[str, ...], axis: str, dark: bool = False) -> go.Figure:
    """The length of the state after each step."""
    line = _line(norms, _("length of the state"), 0, dark)
    line.customdata = [plain(short(step)) for step in steps]
    line.hovertemplate = "%{customdata}<br><b>%{y:.3f}</b><extra></extra>"
    return go.Figure(line).update_layout(
        template=theme.template(dark),
        height=190,
        margin_t=8,
        xaxis=token_axis(steps, axis),
        yaxis={"title_text": _("length of the state"), "rangemode": "tozero"},
    )


def reading_figure(reading: Reading, dark: bool = False) -> go.Figure:
    """The probability of each class, or the predicted number, after none, one, two, ... tokens."""
    names = (_("(nothing)"), *(short(token) for token in reading.tokens))
    figure = go.Figure()
    is_number = len(reading.values) > 0
    for place, (name, values) in enumerate(_series(reading)):
        line = _line(values, plain(name), place, dark)
        line.customdata = [plain(said) for said in names]
        line.hovertemplate = "… %{customdata}<br>" + plain(name) + " <b>%{y:.4g}</b><extra></extra>"
        figure.add_trace(line)
    value = {"title_text": plain(reading.target_name or _("value"))}
    return figure.update_layout(
        template=theme.template(dark),
        height=260,
        margin_t=8,
        showlegend=not is_number,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis=token_axis(names, _("read so far, up to this token")),
        yaxis=value if is_number else {"title_text": _("probability"), "range": [-0.03, 1.03]},
    )


def reading_alt_text(reading: Reading) -> str:
    """The figure in a sentence: what is said of nothing, and of the whole text; and where it changes most."""
    if len(reading.values):
        return _("Predicted {name}: {first:.4g} before the first token, {last:.4g} after the last.").format(
            name=reading.target_name or _("value"), first=reading.values[0], last=reading.values[-1]
        )
    last = int(reading.probabilities[-1].argmax())
    moved = np.diff(reading.probabilities[:, last])
    turn = int(np.abs(moved).argmax())
    return _("{name}: {first:.0%} before the first token, {last:.0%} after the last; it changes most at “{token}”.").format(
        name=reading.class_names[last],
        first=reading.probabilities[0, last],
        last=reading.probabilities[-1, last],
        token=reading.tokens[turn],
    )


def _series(reading: Reading) -> list[tuple[str, np.ndarray]]:
    if len(reading.values):
        return [(reading.target_name or _("value"), reading.values)]
    strongest = np.argsort(-reading.probabilities.max(0), kind="stable")[:MAX_CLASSES]
    return [(reading.class_names[i], reading.probabilities[:, i]) for i in sorted(strongest.tolist())]


def _line(values: np.ndarray, name: str, place: int, dark: bool) -> go.Scatter:
    colour, dash = theme.categorical(dark)[place % 6], DASHES[place % 6]
    return go.Scatter(y=values, name=name, mode="lines+markers", line={"color": colour, "dash": dash}, marker={"size": 6})
