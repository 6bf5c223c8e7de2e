"""Learning rates: the curve of a range test, the map of a sweep, and how a schedule changes the rate over a run."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.results.range_test import RangeTest
from core.results.sweep import Sweep
from dashboard.figures import theme
from dashboard.figures.stacks import LEGEND, empty_figure, plain, short
from dashboard.text import _

WRITTEN = 60
"""A map of up to so many cells has its numbers written in."""
SMALLEST = 1e-12
"""What a loss of zero counts as on a logarithmic scale."""
WHITE, BLACK = "rgb(255,255,255)", "rgb(0,0,0)"


def range_test_curve(found: RangeTest, *, dark: bool = False) -> go.Figure:
    """Batch loss over the growing learning rate, smoothed and raw; upright lines at the rates that the test names."""
    if not len(found.rates):
        return empty_figure(_("The first loss was infinite or not a number already."), dark=dark)
    colours, unit = theme.categorical(dark), _("loss ({unit})").format(unit=_(found.loss_unit))
    hover = _("learning rate") + " %{x:.3g}<br><b>%{y:.4g}</b><extra>%{fullData.name}</extra>"
    low, high = _window(found)
    figure = go.Figure(
        [
            go.Scatter(
                x=found.rates, y=found.losses, name=_("batch"), opacity=0.45, mode="lines",
                line={"color": theme.OTHERS, "width": 1}, hovertemplate=hover,
            ),
            go.Scatter(
                x=found.rates, y=found.smoothed, name=_("smoothed"), mode="lines",
                line={"color": colours[0], "width": 2.5}, hovertemplate=hover,
            ),
        ]
    )  # fmt: skip
    for (name, rate), colour, dash in zip(_named_rates(found), colours[1:], ("solid", "dash", "dot"), strict=False):
        if math.isfinite(rate):
            figure.add_scatter(
                x=[rate, rate], y=[low, high], name=f"{name}: {rate:.2g}", mode="lines",
                line={"color": colour, "width": 2, "dash": dash}, hovertemplate=f"{name}<br><b>{rate:.3g}</b><extra></extra>",
            )  # fmt: skip
    return figure.update_layout(
        template=theme.template(dark),
        height=380,
        title={"text": plain(found.lane), "y": 0.97, "yanchor": "top"},
        margin={"t": 84},  # the title, and below it a legend that takes two lines where there is little room
        legend=LEGEND,
        xaxis={
            "title_text": _("learning rate"),
            "type": "log",
            "exponentformat": "power",
            "dtick": 1,
            "range": np.log10([found.rates[0], 1.1 * _last_rate(found)]).tolist(),
        },
        yaxis={"title_text": unit, "range": [low, high]},
    )


def alt_range_test(found: RangeTest) -> str:
    """The figure in a sentence: over which rates, and what they did."""
    if not len(found.rates):
        return _("No finite loss.")
    named = [f"{name} {rate:.2g}" for name, rate in _named_rates(found) if math.isfinite(rate)]
    words = _("Loss of {lane} while the learning rate grows from {first:.0e} to {last:.2g}: from {start:.3g} to {least:.3g}.")
    return " ".join(
        [
            words.format(
                lane=found.lane,
                first=found.rates[0],
                last=found.rates[-1],
                start=found.losses[0],
                least=found.smoothed.min(),
            ),
            "; ".join(named) + "." if named else _("No rate stands out."),
        ]
    )


def sweep_map(found: Sweep, *, dark: bool = False) -> go.Figure:
    """Final validation loss by optimizer and learning rate, colours by powers of ten; a star at each row's best rate."""
    means = found.mean_losses()
    if np.isnan(means).all():
        return empty_figure(_("Training diverged with every rate."), dark=dark)
    heights = _heights(means)
    figure = go.Figure(
        go.Heatmap(
            z=heights,
            colorscale=theme.sequential(),
            colorbar=theme.colour_bar(_("validation loss ({unit})").format(unit=_(found.loss_unit)), dark) | _ticks(heights),
            text=[[_cell(found, row, place) for place in range(len(found.rates))] for row in range(len(means))],
            hovertemplate="%{text}<extra></extra>",
            hoverongaps=False,
            xgap=2,
            ygap=2,
            name=_("validation loss"),
        )
    )
    figure.add_scatter(**_lost(found), name=_("diverged"), marker={"symbol": "x-thin", "size": 8, "line": _thin(dark)})
    figure.add_scatter(**_stars(found), name=_("best rate"))
    return figure.update_layout(
        template=theme.template(dark),
        height=150 + 36 * len(means),
        legend=LEGEND,
        annotations=_numbers(means, heights) if means.size <= WRITTEN else (),
        xaxis={
            "title_text": _("learning rate"),
            "tickvals": list(range(len(found.rates))),
            "ticktext": [f"{rate:g}" for rate in found.rates],
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={
            "title_text": _("optimizer"),
            "tickvals": list(range(len(means))),
            "ticktext": [short(name) for name in found.names],
            "range": [len(means) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
    )


def alt_sweep(found: Sweep) -> str:
    """The map in sentences: the best rate of every optimizer."""
    words = []
    for row, name in enumerate(found.names):
        place = found.best(row)
        if place is None:
            words.append(_("{name} diverged with every rate.").format(name=name))
        else:
            loss = found.mean_losses()[row, place]
            words.append(
                _("{name}: best rate {rate:g}, loss {loss:.3g}.").format(name=name, rate=found.rates[place], loss=loss)
            )
    return " ".join(words)


def schedule_curve(steps: np.ndarray, rates: np.ndarray, steps_per_epoch: int, *, dark: bool = False) -> go.Figure:
    """The learning rate at each step of a run, (n,) each; the hover says in which epoch."""
    epochs = (np.asarray(steps) - 1) // steps_per_epoch + 1
    figure = go.Figure(
        go.Scatter(
            x=steps,
            y=rates,
            mode="lines",
            line={"color": theme.categorical(dark)[0], "width": 2.5},
            customdata=epochs,
            hovertemplate=_("step {step}, epoch {epoch}").format(step="%{x:,}", epoch="%{customdata:,}")
            + "<br><b>%{y:.4g}</b><extra></extra>",
            name=_("learning rate"),
        )
    )
    return figure.update_layout(
        template=theme.template(dark),
        height=220,
        margin={"t": 12},
        xaxis={"title_text": _("optimizer step"), "showgrid": False},
        yaxis={"title_text": _("learning rate"), "rangemode": "tozero", "exponentformat": "power"},
    )


def alt_schedule(steps: np.ndarray, rates: np.ndarray) -> str:
    """The figure in a sentence: first, largest and last rate."""
    return _("Learning rate over {n:,} steps: it begins at {first:.2g}, is at most {most:.2g}, and ends at {last:.2g}.").format(
        n=int(steps[-1]), first=rates[0], most=rates.max(), last=rates[-1]
    )


def _named_rates(found: RangeTest) -> Sequence[tuple[str, float]]:
    return (
        (_("suggestion"), found.suggestion),
        (_("stability limit"), found.limit),
        (_("training broke"), found.diverged_at),
    )


def _last_rate(found: RangeTest) -> float:
    return float(np.nanmax([found.rates[-1], found.diverged_at]))


def _window(found: RangeTest) -> tuple[float, float]:
    """What is shown of the loss: losses that run away are cut off above the start."""
    start = float(found.smoothed[: max(1, len(found.smoothed) // 2)].max())
    low, high = float(found.smoothed.min()), min(float(found.losses.max()), start + 0.5 * abs(start))
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _heights(means: np.ndarray) -> np.ndarray:
    """Losses as powers of ten, cut off above what the smallest rate leaves, which is about the start: worse is just bad."""
    begun = means[:, 0][np.isfinite(means[:, 0])]
    most = 1.5 * (begun.max() if len(begun) else np.nanmin(means))
    return np.log10(np.clip(means, SMALLEST, max(most, 1.5 * float(np.nanmin(means)), SMALLEST)))


def _ticks(heights: np.ndarray) -> dict[str, object]:
    """Numbers beside the colours: losses, where the colours are spaced by powers of ten."""
    places = np.linspace(np.nanmin(heights), np.nanmax(heights), 5)
    return {"tickvals": places.tolist(), "ticktext": [f"{10**place:.2g}" for place in places]}


def _cell(found: Sweep, row: int, place: int) -> str:
    """What the hover says of one cell."""
    loss, spread, score = (values[row, place] for values in (found.mean_losses(), found.spreads(), found.mean_scores()))
    head = f"{plain(found.names[row])}<br>" + _("learning rate") + f" {found.rates[place]:g}<br>"
    if math.isnan(loss):
        return head + _("diverged")
    around = f" ± {spread:.2g}" if math.isfinite(spread) else ""
    scored = _("accuracy {share:.1%}").format(share=score) if found.is_accuracy else f"R² {score:.3f}"
    return head + _("loss") + f" <b>{loss:.4g}</b>{around}<br>{scored}"


def _lost(found: Sweep) -> dict[str, object]:
    """A cross where training diverged."""
    rows, places = np.nonzero(np.isnan(found.mean_losses()))
    words = [_cell(found, row, place) for row, place in zip(rows.tolist(), places.tolist(), strict=True)]
    return {"x": places.tolist(), "y": rows.tolist(), "mode": "markers", "hovertext": words, "hoverinfo": "text"}


def _thin(dark: bool) -> dict[str, object]:
    return {"width": 1.5, "color": theme.quiet_ink(dark)}


def _stars(found: Sweep) -> dict[str, object]:
    """A star in the corner of each row's best cell."""
    best = [(row, found.best(row)) for row in range(len(found.names))]
    shown = [(row, place) for row, place in best if place is not None]
    marker = {"symbol": "star", "size": 12, "color": WHITE, "line": {"color": BLACK, "width": 1}}
    at = {"x": [place + 0.36 for _row, place in shown], "y": [row - 0.28 for row, _place in shown]}
    return {**at, "mode": "markers", "marker": marker, "hoverinfo": "skip"}


def _numbers(means: np.ndarray, heights: np.ndarray) -> list[dict[str, object]]:
    """The loss in each cell, dark on light and light on dark."""
    middle = (np.nanmin(heights) + np.nanmax(heights)) / 2
    return [
        {
            "x": place,
            "y": row,
            "text": f"{means[row, place]:.3g}",
            "showarrow": False,
            "font": {"size": 11, "color": BLACK if heights[row, place] > middle else WHITE},
        }
        for row, place in zip(*(axis.tolist() for axis in np.nonzero(np.isfinite(means))), strict=True)
    ]
