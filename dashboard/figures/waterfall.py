"""From the base value to the output, one contribution after the other."""

from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go

from core.results.attribution import Attribution
from dashboard.figures import theme
from dashboard.figures.bars import contributions, is_text, number_beside, player_texts
from dashboard.figures.stacks import plain
from dashboard.text import _, counted

ROUNDING = 1e-3
"""A sum that misses the output by less than this share of the change is called exact, and the bundle takes up the rest."""


@dataclass(frozen=True, slots=True)
class Step:
    """One bar: from where to where it leads. `stderr` is None where there is none."""

    name: str
    begin: float
    end: float
    colour: str
    stderr: float | None = None

    @property
    def size(self) -> float:
        return self.end - self.begin


def has_waterfall(found: Attribution) -> bool:
    """Whether the contributions lead from a base value to the output: those of LIME lead to its own prediction, and pixels are
    too many."""
    if found.base is None or found.residual is None or not found.signed:
        return False
    return found.pixels is None or found.players is not None


def waterfall_steps(found: Attribution, top: int) -> list[Step]:
    """The `top` largest contributions, the others as one, and what the method's sum misses where that is more than rounding.

    The first begins at the base value, and the last ends at the output.
    """
    values = contributions(found)
    order = np.argsort(-np.abs(values), kind="stable")
    if is_text(found):
        order = order[np.ravel(found.input)[order] != 0]  # padding is no word
    shown, rest = order[:top], order[top:]
    begin, output = float(found.base or 0.0), float(found.output)
    missed = output - begin - float(values.sum())
    is_rounding = abs(missed) <= ROUNDING * max(abs(output - begin), float(np.abs(values).max(initial=0.0)))
    steps = []
    for i, name in zip(shown, player_texts(found, shown), strict=True):
        colour = theme.POSITIVE if values[i] >= 0 else theme.NEGATIVE
        stderr = None if found.stderr is None else float(found.stderr[i])
        steps.append(Step(name, begin, begin + float(values[i]), colour, stderr))
        begin = steps[-1].end
    if len(rest):
        end = output if is_rounding else begin + float(values[rest].sum())
        steps.append(Step(counted("{n} other", "{n} others", len(rest)), begin, end, theme.OTHERS))
        begin = end
    elif steps and is_rounding:
        steps[-1] = replace(steps[-1], end=output)
    if not is_rounding:
        steps.append(Step(_("missed by the method"), begin, output, theme.OTHERS))
    return steps


def waterfall_figure(found: Attribution, *, top: int = 10, dark: bool = False) -> go.Figure:
    """The largest contribution on top, each beginning where the one above it ends; lines mark the base value and the output."""
    steps = waterfall_steps(found, top)
    ends = ([step.begin for step in steps] or [float(found.base or 0.0)])[0], float(found.output)
    figure = go.Figure([_bars(steps, found, dark), _connectors(steps, dark)])
    names = [step.name for step in steps]
    return figure.update_layout(
        template=theme.template(dark),
        title_text="",
        height=150 + 26 * len(steps),
        bargap=0.25,
        margin={"r": 64, "t": 36},
        showlegend=False,
        shapes=[_end_line(x, dark) for x in ends],
        annotations=[
            *(number_beside(i, step.size, dark) for i, step in enumerate(steps)),
            _end_label(_("base {base:.4g}").format(base=ends[0]), ends, 0, dark),
            _end_label(_("output {output:.4g}").format(output=ends[1]), ends, 1, dark),
        ],
        xaxis={"title_text": plain(f"{found.target_name}, {_(found.unit)}"), "zeroline": False},
        yaxis={
            "title_text": _("word") if is_text(found) else _("patch") if found.segments is not None else _("feature"),
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
        },
    )


def alt_text(found: Attribution, top: int = 3) -> str:
    """The figure in a sentence: from where to where, and by what most of all."""
    largest = [f"{step.name} {step.size:+.3g}" for step in waterfall_steps(found, top)[:top]]
    return _("{method} for “{target}”: from the base value {base:.4g} to the output {output:.4g} {unit}, by {steps}.").format(
        method=_(found.label),
        target=found.target_name,
        base=found.base or 0.0,
        output=found.output,
        unit=_(found.unit),
        steps=", ".join(largest),
    )


def _bars(steps: list[Step], found: Attribution, dark: bool) -> go.Bar:
    words = [[step.name, f"{step.size:+.4g}", f"{step.begin:.4g}", f"{step.end:.4g}"] for step in steps]
    spread = [step.stderr for step in steps]
    return go.Bar(
        # Two features may read alike, so places are numbers and names their labels.
        y=list(range(len(steps))),
        x=[step.size for step in steps],
        base=[step.begin for step in steps],
        orientation="h",
        marker={"color": [step.colour for step in steps]},
        error_x={"type": "data", "array": spread, "color": theme.ink(dark), "thickness": 1} if any(spread) else None,
        customdata=words,
        hovertemplate="%{customdata[0]}<br><b>%{customdata[1]}</b> "
        + plain(_(found.unit))
        + "<br>"
        + _("from {begin} to {end}").format(begin="%{customdata[2]}", end="%{customdata[3]}")
        + "<extra></extra>",
        name=_(found.label),
    )


def _connectors(steps: list[Step], dark: bool) -> go.Scatter:
    """Thin lines from the end of each bar to the beginning of the next."""
    x: list[float | None] = []
    y: list[float | None] = []
    for i, step in enumerate(steps[:-1]):
        x += [step.end, step.end, None]
        y += [i - 0.38, i + 1.38, None]
    line = {"color": theme.quiet_ink(dark), "width": 1}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", name=_("connection"))


def _end_line(x: float, dark: bool) -> dict[str, object]:
    line = {"color": theme.quiet_ink(dark), "width": 1, "dash": "dot"}
    return {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": line, "layer": "below"}


def _end_label(text: str, ends: tuple[float, float], which: int, dark: bool) -> dict[str, object]:
    """Above the line of one end, leaning away from the other end."""
    is_right = ends[which] > ends[1 - which] or (ends[which] == ends[1 - which] and which == 1)
    font = {"size": 12, "color": theme.ink(dark)}
    anchor = "left" if is_right else "right"
    at = {"x": ends[which], "y": 1.0, "yref": "paper", "xanchor": anchor, "yanchor": "bottom", "showarrow": False}
    return {"text": text, "font": font, **at}
