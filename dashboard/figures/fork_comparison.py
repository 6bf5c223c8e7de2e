"""Validation loss of a fork and of the same experiment from scratch, over the steps of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard.figures import theme
from dashboard.text import _

DASHES = ("solid", "dash")


@dataclass(frozen=True, slots=True)
class Line:
    """A run's validation losses by step."""

    name: str
    steps: tuple[int, ...]
    losses: tuple[float, ...]
    is_live: bool = False


def fork_curves(lines: Sequence[Line], unit: str, *, dark: bool = False) -> go.Figure:
    """A line for each; a run of one epoch is a dot."""
    colours = theme.categorical(dark)
    drawn = go.Figure(
        [
            go.Scatter(
                x=line.steps,
                y=line.losses,
                name=line.name,
                mode="lines+markers" if len(line.steps) < 3 else "lines",
                line={"color": colours[place], "dash": DASHES[place % len(DASHES)], "width": 2},
                hovertemplate=f"{line.name}<br>{_('step')} %{{x:,}}<br>%{{y:.4g}}<extra></extra>",
            )
            for place, line in enumerate(lines)
        ]
    )
    y_title = _("validation loss ({unit})").format(unit=unit) if unit else _("validation loss")
    return drawn.update_layout(
        template=theme.template(dark),
        height=300,
        xaxis={"title_text": _("step of each run, from 0"), "rangemode": "tozero"},
        yaxis={"title_text": y_title},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0.0},
        margin={"t": 24},
    )


def alt_text(lines: Sequence[Line]) -> str:
    """The figure in a sentence."""
    names = _(" and ").join(line.name for line in lines)
    return _("Validation loss by step: {names}.").format(names=names)
