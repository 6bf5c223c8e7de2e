"""What several models say of the same example, one beside the other."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.results.prediction import Prediction
from dashboard.figures import theme
from dashboard.figures.stacks import plain
from dashboard.figures.what_if import in_words
from dashboard.text import _

MOST_CLASSES = 10
LONGEST, MOST_COLUMNS = 22, 6
"""Letters of a title where there are so many columns; fewer columns are wider."""


def side_by_side(found: Sequence[Prediction], names: Sequence[str], *, dark: bool = False) -> go.Figure:
    """One column for each model, with the probability of each class; or one bar for each model's number."""
    return _numbers(found, names, dark) if found[0].value is not None else _shares(found, names, dark)


def alt_side_by_side(found: Sequence[Prediction], names: Sequence[str]) -> str:
    """The figure in a sentence."""
    return "; ".join(f"{name}: {in_words(one)}" for name, one in zip(names, found, strict=True)) + "."


def leading(found: Sequence[Prediction]) -> list[int]:
    """The classes that some model finds likely, and the right one, in their own order."""
    most = np.max([one.probabilities for one in found], axis=0)
    if found[0].label >= 0:
        most[found[0].label] = 2.0
    return sorted(np.argsort(-most, kind="stable")[:MOST_CLASSES].tolist())


def _shares(found: Sequence[Prediction], names: Sequence[str], dark: bool) -> go.Figure:
    shown, label, colours = leading(found), found[0].label, theme.categorical(dark)
    ticks = [plain(found[0].class_names[k]) + (" ✓" if k == label else "") for k in shown]
    longest = LONGEST * MOST_COLUMNS // max(1, len(names))
    titles = [plain(name if len(name) <= longest else name[: longest - 1] + "…") for name in names]
    figure = make_subplots(rows=1, cols=len(found), shared_yaxes=True, subplot_titles=titles, horizontal_spacing=0.025)
    widths = [2 if k == label else 0 for k in shown]
    for column, (one, name) in enumerate(zip(found, names, strict=True)):
        shares = [float(one.probabilities[k]) for k in shown]
        figure.add_bar(
            y=list(range(len(shown))), x=shares, orientation="h", name=plain(name), showlegend=False,
            marker={"color": colours[column % len(colours)], "line": {"color": theme.ink(dark), "width": widths}},
            text=[f"{share:.0%}" for share in shares], textposition="auto",
            customdata=ticks, hovertemplate="%{customdata}: %{x:.2%}<extra>%{fullData.name}</extra>",
            row=1, col=column + 1,
        )  # fmt: skip
    figure.update_layout(template=theme.template(dark), height=130 + 26 * len(shown), margin={"t": 40, "b": 44})
    figure.update_annotations(font={"size": 12, "color": theme.ink(dark)})
    figure.update_xaxes(range=[0, 1.04], tickvals=[0, 0.5, 1], tickformat=".0%", title_text=_("probability"))
    figure.update_yaxes(ticks="outside", ticklen=4, tickcolor=theme.CLEAR)
    figure.update_yaxes(showgrid=False, range=[len(shown) - 0.5, -0.5], tickvals=list(range(len(shown))), ticktext=ticks)
    return figure.update_layout(yaxis_title_text=_("class"))


def _numbers(found: Sequence[Prediction], names: Sequence[str], dark: bool) -> go.Figure:
    colours = theme.categorical(dark)
    values = [float(one.value or 0.0) for one in found]
    return go.Figure(
        go.Bar(
            y=list(range(len(found))), x=values, orientation="h", text=[f"{value:.4g}" for value in values],
            marker={"color": [colours[i % len(colours)] for i in range(len(found))]}, hovertemplate="%{x:.6g}<extra></extra>",
        )
    ).update_layout(
        template=theme.template(dark),
        height=110 + 32 * len(found),
        xaxis={"title_text": plain(found[0].target_name) or _("value")},
        yaxis={
            "title_text": _("model"),
            "showgrid": False,
            "range": [len(found) - 0.5, -0.5],
            "tickvals": list(range(len(found))),
            "ticktext": [plain(name) for name in names],
        },
    )  # fmt: skip
