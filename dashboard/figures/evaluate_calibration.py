"""The reliability diagram: how often the model is right, over how sure it is, and how many examples say so."""

import numpy as np
import plotly.graph_objects as go

from core.results.evaluation import Evaluation
from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND
from dashboard.text import _

SMALLEST, LARGER = 5, 11
"""Size of a marker, and how much larger it is where all examples are in one bin."""


def reliability_figure(found: Evaluation, *, dark: bool = False) -> go.Figure:
    """Above: accuracy over confidence, as the model is and with its temperature scaled. Below: examples per bin."""
    colours = theme.categorical(dark)
    figure = go.Figure(
        go.Scatter(
            x=[0, 1], y=[0, 1], mode="lines", name=_("as sure as right"), hoverinfo="skip",
            line={"color": theme.quiet_ink(dark), "width": 1, "dash": "dot"},
        )
    )  # fmt: skip
    looks = ((_("as it is"), "circle", "solid"), (_("temperature scaled"), "diamond-open", "dash"))
    for place, (name, symbol, dash) in enumerate(looks):
        there = found.bin_counts[place] > 0
        counts = found.bin_counts[place][there]
        figure.add_scatter(
            x=found.bin_confidence[place][there], y=found.bin_accuracy[place][there], mode="lines+markers", name=name,
            customdata=counts, line={"color": colours[place], "width": 1.5, "dash": dash},
            marker={"symbol": symbol, "size": SMALLEST + LARGER * np.sqrt(counts / found.n)},
            hovertemplate=_("confidence") + " %{x:.3f}<br>" + _("accuracy") + " <b>%{y:.3f}</b><br>%{customdata:,} "
            + _("examples") + "<extra>%{fullData.name}</extra>",
        )  # fmt: skip
        edges = found.bin_edges
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2, y=found.bin_counts[place], width=np.diff(edges), yaxis="y2", name=name,
            customdata=np.stack([edges[:-1], edges[1:]], 1), showlegend=False,
            marker=_bar_look(colours[place], place == 0),
            hovertemplate="%{customdata[0]:.3f} … %{customdata[1]:.3f}<br><b>%{y:,}</b> " + _("examples")
            + "<extra>%{fullData.name}</extra>",
        )  # fmt: skip
    return figure.update_layout(
        template=theme.template(dark),
        height=460,
        margin={"t": 44},
        barmode="overlay",
        legend=LEGEND,
        xaxis={"title_text": _("confidence (probability of the predicted class)"), "range": [-0.02, 1.02], "anchor": "y2"},
        yaxis={"title_text": _("accuracy"), "domain": [0.36, 1.0], "range": [-0.03, 1.03], "dtick": 0.2},
        yaxis2={"title_text": _("examples"), "domain": [0.0, 0.28], "rangemode": "tozero", "nticks": 4},
    )


def alt_reliability(found: Evaluation) -> str:
    """The diagram in sentences: the calibration error, and in which direction it goes."""
    before, after = found.value("ece"), float(found.scaled[2])
    return _(
        "Reliability diagram: accuracy over confidence, with examples per bin below. Mean distance from the diagonal "
        "{before:.1%}, with the temperature scaled {after:.1%}."
    ).format(before=before, after=after)


def _bar_look(colour: str, filled: bool) -> dict[str, object]:
    """Bars of the model as it is are filled, the others are outlines over them."""
    return {"color": colour if filled else theme.CLEAR, "line": {"color": colour, "width": 0 if filled else 1.5}}
