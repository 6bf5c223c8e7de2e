"""How long answers take, of a model and of a smaller one; and how many weights of each layer are zero."""

import numpy as np
import plotly.graph_objects as go

from core.results.compression import CompressionReport
from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND, empty_figure, plain, short
from dashboard.text import _, counted

MS = 1e3
FENCE = 4.0
"""What lies so many quartile ranges above the upper quartile is outside the picture: the machine did something else."""


def latency_boxes(report: CompressionReport, batch: int, *, dark: bool = False) -> go.Figure:
    """Times of single answers to `batch` examples: a box from quartile to quartile with the median, and every answer."""
    found = report.latencies[report.batches.index(batch)] * MS
    figure = go.Figure()
    for row, (name, colour) in enumerate(zip(_names(), theme.categorical(dark), strict=False)):
        figure.add_box(
            x=found[row],
            name=name,
            orientation="h",
            boxpoints="all",
            jitter=0.5,
            pointpos=0,
            marker={"color": colour, "size": 3, "opacity": 0.45},
            line={"color": colour, "width": 2},
            fillcolor=theme.CLEAR,
            hoveron="points",
            hovertemplate=f"{name}<br><b>%{{x:.3g}} ms</b><extra></extra>",
        )
    return figure.update_layout(
        template=theme.template(dark),
        title={"text": counted("{n} example at once", "{n} examples at once", batch)},
        height=230,
        showlegend=False,
        xaxis={"title_text": _("time of one answer (ms)"), "range": [0, _end(found, *(report.quartiles_s(batch)[::2] * MS))]},
        yaxis={"autorange": "reversed", "showgrid": False, "title_text": _("model")},
    )


def alt_latency(report: CompressionReport, batch: int) -> str:
    """The medians in a sentence."""
    before, after = report.median_s(batch)
    words = _("Median time of an answer to {examples}: original {before:.3g} ms, compressed {after:.3g} ms.")
    examples = counted("{n} example", "{n} examples", batch)
    return words.format(examples=examples, before=before * MS, after=after * MS)


def zero_bars(report: CompressionReport, *, dark: bool = False) -> go.Figure:
    """The share of the weights of each layer that is zero, as a bar for each layer, the first on top."""
    if not report.layers:
        return empty_figure(_("No layer has weights that could be pruned."), dark=dark)
    n, zeros = report.weights.T
    shares = zeros / np.maximum(1, n)
    places = list(range(len(n)))
    bars = go.Bar(
        y=places,
        x=100 * shares,
        orientation="h",
        marker={"color": theme.categorical(dark)[1], "line": {"width": 0}},
        text=[f"{share:.0%}" for share in shares],
        textposition="outside",
        customdata=np.stack([zeros, n], 1),
        hovertemplate=_("{zeros} of {n} weights are zero").format(zeros="<b>%{customdata[0]:,}</b>", n="%{customdata[1]:,}")
        + "<extra></extra>",
        name=_("zero"),
    )
    return go.Figure(bars).update_layout(
        template=theme.template(dark),
        height=130 + 26 * len(n),
        bargap=0.3,
        xaxis={"title_text": _("weights that are zero (%)"), "range": [0, 112], "tickvals": [0, 25, 50, 75, 100]},
        yaxis={
            "title_text": _("layer of the compressed model"),
            "tickvals": places,
            "ticktext": [short(name) for name in report.layers],
            "range": [len(n) - 0.5, -0.5],
            "showgrid": False,
        },
    )


def alt_zeros(report: CompressionReport) -> str:
    """Every layer with its share, in a sentence."""
    n, zeros = report.weights.T if len(report.weights) else (np.zeros(0), np.zeros(0))
    shares = (f"{name} {zero / max(1, of):.0%}" for name, zero, of in zip(report.layers, zeros, n, strict=True))
    return _("Share of zero weights by layer: {shares}.").format(shares=", ".join(shares) or _("no layer"))


def loss_line(report: CompressionReport, *, dark: bool = False) -> go.Figure:
    """The mean training loss of each epoch of further training, or of the student's training."""
    epochs = np.arange(1, len(report.losses) + 1)
    line = go.Scatter(
        x=epochs,
        y=report.losses,
        mode="lines+markers",
        line={"color": theme.categorical(dark)[1], "width": 2.5},
        hovertemplate=_("epoch") + " %{x}<br><b>%{y:.4g}</b><extra></extra>",
        name=_("training loss"),
    )
    is_student = report.kind == "distillation"
    unit = _("distillation loss") if is_student else _("loss ({unit})").format(unit=_(report.loss_unit))
    epoch = _("epoch of the smaller model") if is_student else _("epoch after the pruning")
    return go.Figure(line).update_layout(
        template=theme.template(dark),
        height=240,
        legend=LEGEND,
        margin={"t": 16},
        xaxis={"title_text": epoch, "tickformat": ",d"},
        yaxis={"title_text": plain(unit)},
    )


def alt_losses(report: CompressionReport) -> str:
    """Both ends of the line."""
    first, last = report.losses[0], report.losses[-1]
    words = _("Training loss over {epochs}: from {first:.3g} to {last:.3g}.")
    return words.format(epochs=counted("{n} epoch", "{n} epochs", len(report.losses)), first=first, last=last)


def _names() -> tuple[str, str]:
    return _("original"), _("compressed")


def _end(found: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    """Where the axis ends: all that is not far out from the quartiles."""
    fence = float((high + FENCE * np.maximum(high - low, 0.05 * high)).max())
    return 1.05 * min(fence, float(found.max()))
