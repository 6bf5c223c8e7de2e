"""What a net says of one example, beside what is right."""

import numpy as np
import plotly.graph_objects as go

from core.results.activations import ActivationMaps
from dashboard.figures import theme
from dashboard.text import _


def prediction_figure(maps: ActivationMaps, *, dark: bool = False) -> go.Figure:
    """The probability of each class, or for regression the predicted number and the right one."""
    return probability_bars(maps, dark=dark) if maps.value is None else number_bars(maps, dark=dark)


def probability_bars(maps: ActivationMaps, *, dark: bool = False) -> go.Figure:
    """The probability of each class; the right class, where it is known, has a thick border and says so."""
    names = [_("{name} (right)").format(name=name) if i == maps.label else name for i, name in enumerate(maps.class_names)]
    widths = [3 if i == maps.label else 0 for i in range(len(names))]
    figure = go.Figure(
        go.Bar(
            y=list(range(len(names))),
            x=np.asarray(maps.probabilities, float),
            orientation="h",
            marker={"color": theme.CATEGORICAL[0], "line": {"color": theme.ink(dark), "width": widths}},
            text=[f"{share:.1%}" for share in maps.probabilities],
            textposition="auto",
            customdata=_outputs(maps),
            hovertemplate="%{x:.2%}%{customdata}<extra></extra>",
            name=_("probability"),
        )
    )
    return _rows(figure, names, dark).update_layout(
        xaxis={"title_text": _("probability"), "range": [0, 1.02], "dtick": 0.2, "tickformat": ".0%"},
        yaxis={"title_text": _("class")},
    )


def number_bars(maps: ActivationMaps, *, dark: bool = False) -> go.Figure:
    """The predicted number and, where it is known, the right one, in the unit of the target."""
    numbers = [(_("predicted"), maps.value, theme.CATEGORICAL[0])]
    if maps.truth is not None:
        numbers.append((_("right"), maps.truth, theme.OTHERS))
    names, values, colours = ([row[column] for row in numbers] for column in range(3))
    figure = go.Figure(
        go.Bar(
            y=list(range(len(names))),
            x=values,
            orientation="h",
            marker={"color": colours},
            text=[f"{value:.4g}" for value in values],
            textposition="auto",
            hovertemplate="<b>%{x:.6g}</b><extra></extra>",
            name=maps.target_name,
        )
    )
    return _rows(figure, names, dark).update_layout(xaxis={"title_text": maps.target_name or _("value"), "zeroline": True})


def _outputs(maps: ActivationMaps) -> list[str]:
    """The number behind each probability, for its hover; one output for two classes belongs to the second."""
    outputs = np.asarray(maps.logits, float)
    missing = len(maps.class_names) - len(outputs)
    return [""] * missing + ["<br>" + _("output") + f" {output:.4g}" for output in outputs]


def _rows(figure: go.Figure, names: list[str], dark: bool) -> go.Figure:
    """Places are numbers and names their labels: two classes may read alike."""
    return figure.update_layout(
        template=theme.template(dark),
        title_text=_("Prediction"),
        height=100 + 24 * len(names),
        yaxis={
            "showgrid": False,
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [len(names) - 0.5, -0.5],
        },
    )
