"""From where each step takes what it takes: the attention weights of one head."""

import numpy as np
import plotly.graph_objects as go

from core.results.attention import AttentionMaps
from dashboard.figures import theme
from dashboard.figures.stacks import plain
from dashboard.figures.token_axis import short, token_axis
from dashboard.text import _

MAX_NAMED = 64
"""Steps up to which each cell tells both of its names under the pointer."""


def attention_heatmap(maps: AttentionMaps, head: int | None, query: int | None = None, dark: bool = False) -> go.Figure:
    """One row for each step that looks, one column for each that is looked at; padding is one column. Rows sum to 1.

    Args:
        head: None for the mean of all heads.
        query: the step whose row is framed.
    """
    weights, rows, columns = maps.readable(head)
    names = [plain(short(name)) for name in rows], [plain(short(name)) for name in columns]
    is_named = len(rows) <= MAX_NAMED
    details, where = None, "%{y} → %{x}"
    if is_named:
        details = np.empty((*weights.shape, 2), object)
        details[..., 0], details[..., 1] = np.array(names[0], object)[:, None], np.array(names[1], object)[None, :]
        where = "%{customdata[0]} → %{customdata[1]}"
    figure = go.Figure(
        go.Heatmap(
            z=weights.astype(np.float32),
            zmin=0,
            zmax=float(weights.max()),
            colorscale=theme.sequential(),
            colorbar=theme.colour_bar(_("weight"), dark),
            customdata=details,
            hovertemplate=where + "<br><b>%{z:.3f}</b><extra></extra>",
            name=_("attention"),
        )
    )
    framed = maps.shown().index(query) if query in maps.shown() else None
    if framed is not None:
        ends = {"x0": -0.5, "x1": len(columns) - 0.5, "y0": framed - 0.5, "y1": framed + 0.5}
        figure.add_shape(type="rect", line={"color": theme.CATEGORICAL[1], "width": 2}, **ends)
    kind = _("token") if maps.is_text else _("patch (row, column)") if maps.rows else _("step")
    return figure.update_layout(
        template=theme.template(dark),
        height=int(np.clip(140 + 20 * len(rows), 260, 560)),
        margin_t=8,
        xaxis=token_axis(_on_axis(maps, columns), _("looked at: {kind}").format(kind=kind)),
        yaxis=token_axis(_on_axis(maps, rows), _("looking: {kind}").format(kind=kind)) | {"range": [len(rows) - 0.5, -0.5]},
    )


def _on_axis(maps: AttentionMaps, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names as they fit an axis: of a patch its row and column."""
    if not maps.rows:
        return names
    places = [f"{i // maps.columns + 1}, {i % maps.columns + 1}" for i in range(maps.rows * maps.columns)]
    return (*names[: maps.n_before], *places)


def alt_text(maps: AttentionMaps, head: int | None, query: int | None) -> str:
    """The figure in a sentence: where the chosen step, or all of them on average, looks most."""
    weights = maps.from_step(head, query)
    strongest = int(weights.argmax())
    who = _("All steps, on average,") if query is None else "“" + short(maps.steps[query]) + "”"
    return _("{layer}, {head}: {who} looks most at “{what}” ({share:.0%}).").format(
        layer=maps.name,
        head=_("mean of all heads") if head is None else _("head {n}").format(n=head + 1),
        who=who,
        what=short(maps.steps[strongest]),
        share=float(weights[strongest]),
    )
