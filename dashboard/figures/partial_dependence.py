"""What the model says along the values of one column: a line per example, their mean, and the example that is looked at."""

import numpy as np
import plotly.graph_objects as go

from core.results.partial_dependence import PartialDependence
from dashboard.figures import theme
from dashboard.figures.stacks import plain, short
from dashboard.text import _


def partial_dependence_figure(found: PartialDependence, *, centred: bool = False, dark: bool = False) -> go.Figure:
    """Lines for a column of numbers, with a tick for each example's own value; bars for a column of categories.

    `centred`: every line begins at 0, so that what differs is the way and not the height.
    """
    answers, mean, own = (_from_zero(one, centred) for one in (found.answers, found.mean, found.own))
    figure = go.Figure()
    if found.categories:
        _draw_categories(figure, found, (answers, mean, own), dark)
    else:
        _draw_lines(figure, found, (answers, mean, own), dark)
    change = _("change of the answer for {target}, {unit}") if centred else _("answer for {target}, {unit}")
    return figure.update_layout(
        template=theme.template(dark),
        height=380,
        margin={"t": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        yaxis={
            "title_text": plain(change.format(target=found.target_name, unit=_(found.unit))),
            "domain": [0.0 if found.categories else 0.09, 1.0],
        },
    )


def alt_text(found: PartialDependence) -> str:
    """The figure in a sentence: where the mean is lowest and highest, and what the example itself gets."""
    low, high = int(found.mean.argmin()), int(found.mean.argmax())
    return _(
        "Answer for “{target}” along {name}: on the mean {low:.3g} at {at_low} and {high:.3g} at {at_high} {unit}; the example "
        "that is looked at has {own} and gets {answer:.3g}."
    ).format(
        target=found.target_name,
        name=found.name,
        low=float(found.mean[low]),
        at_low=_place(found, low),
        high=float(found.mean[high]),
        at_high=_place(found, high),
        unit=_(found.unit),
        own=found.categories[int(found.own_value)] if found.categories else f"{found.own_value:.4g}",
        answer=found.own_answer,
    )


def _from_zero(values: np.ndarray, centred: bool) -> np.ndarray:
    """Lines (..., G), less what they begin with where they are centred."""
    return values - values[..., :1] if centred else values


def _place(found: PartialDependence, i: int) -> str:
    return found.categories[i] if found.categories else f"{found.grid[i]:.4g}"


def _draw_lines(figure: go.Figure, found: PartialDependence, lines: tuple[np.ndarray, ...], dark: bool) -> None:
    answers, mean, own = lines
    first, second = theme.categorical(dark)[:2]
    gaps = np.full((len(answers), 1), np.nan)
    figure.add_trace(
        go.Scatter(
            x=np.tile(np.append(found.grid, np.nan), len(answers)),
            y=np.hstack([answers, gaps]).ravel(),
            mode="lines",
            line={"color": theme.OTHERS, "width": 1},
            opacity=0.35,
            hoverinfo="skip",
            name=_("single examples"),
        )
    )
    hover = plain(found.name) + " %{x:.4g}<br><b>%{y:.4g}</b><extra>%{fullData.name}</extra>"
    named = (
        (mean, {"color": first, "width": 4}, _("mean")),
        (own, {"color": second, "width": 2.5, "dash": "dash"}, _("the example that is looked at")),
    )
    for line, style, name in named:
        figure.add_trace(go.Scatter(x=found.grid, y=line, mode="lines", line=style, name=name, hovertemplate=hover))
    at = float(np.interp(found.own_value, found.grid, own))
    marker = {"size": 11, "color": second, "line": {"width": 1.5, "color": theme.ink(dark)}}
    figure.add_trace(
        go.Scatter(x=[found.own_value], y=[at], mode="markers", marker=marker, hovertemplate=hover, name=_("as it is"))
    )
    ticks = {"symbol": "line-ns-open", "size": 12, "color": theme.quiet_ink(dark), "line": {"width": 1}}
    figure.add_trace(
        go.Scatter(
            x=found.values,
            y=np.zeros(len(found.values)),
            yaxis="y2",
            mode="markers",
            marker=ticks,
            hovertemplate=_("an example has") + " %{x:.4g}<extra></extra>",
            showlegend=False,
            name=_("values"),
        )
    )
    hidden = {"domain": [0.0, 0.06], "visible": False, "range": [-1, 1], "fixedrange": True}
    figure.update_layout(xaxis={"title_text": plain(found.name), "anchor": "y2"}, yaxis2=hidden)


def _draw_categories(figure: go.Figure, found: PartialDependence, heights: tuple[np.ndarray, ...], dark: bool) -> None:
    answers, mean, own = heights
    first, second = theme.categorical(dark)[:2]
    n, k = answers.shape
    spread = np.linspace(-0.28, 0.28, n) if n > 1 else np.zeros(1)
    counts = np.bincount(found.values.astype(int), minlength=k)
    figure.add_trace(
        go.Bar(
            x=list(range(k)),
            y=mean,
            marker={"color": first, "opacity": 0.7},
            name=_("mean"),
            customdata=[[plain(name), int(count)] for name, count in zip(found.categories, counts, strict=True)],
            hovertemplate="%{customdata[0]}<br><b>%{y:.4g}</b><br>"
            + _("{n} examples have it").format(n="%{customdata[1]}")
            + "<extra></extra>",
        )
    )
    dots = {"size": 4, "color": theme.quiet_ink(dark), "opacity": 0.6}
    figure.add_trace(
        go.Scatter(
            x=(np.arange(k)[None] + spread[:, None]).ravel(),
            y=answers.ravel(),
            mode="markers",
            marker=dots,
            hoverinfo="skip",
            name=_("single examples"),
        )
    )
    symbols = ["diamond" if i == int(found.own_value) else "diamond-open" for i in range(k)]
    marker = {"size": 12, "symbol": symbols, "color": second, "line": {"width": 2, "color": second}}
    figure.add_trace(
        go.Scatter(
            x=list(range(k)),
            y=own,
            mode="markers",
            marker=marker,
            hovertemplate="<b>%{y:.4g}</b><extra>%{fullData.name}</extra>",
            name=_("the example that is looked at (filled: as it is)"),
        )
    )
    names = [short(f"{name} ({count})") for name, count in zip(found.categories, counts, strict=True)]
    axis = {"title_text": plain(found.name) + _(" (examples)"), "tickvals": list(range(k)), "ticktext": names}
    figure.update_layout(xaxis=axis, bargap=0.35)
