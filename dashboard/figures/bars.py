"""What each feature of a table adds to a prediction, as bars."""

import numpy as np
import plotly.graph_objects as go

from core.results.attribution import Attribution
from dashboard.figures import theme
from dashboard.figures.stacks import plain
from dashboard.text import _, counted


def contribution_bars(attribution: Attribution, top: int = 12, dark: bool = False) -> go.Figure:
    """The `top` largest contributions, largest on top, the rest summed as one grey bar; whiskers are one standard error."""
    values = contributions(attribution)
    order = np.argsort(-np.abs(values), kind="stable")
    shown, rest = order[:top], order[top:]
    names = player_texts(attribution, shown)
    sizes = [float(values[i]) for i in shown]
    colours = [theme.POSITIVE if size >= 0 else theme.NEGATIVE for size in sizes]
    spread: list[float | None] = [float(attribution.stderr[i]) for i in shown] if attribution.stderr is not None else []
    if len(rest):
        names.append(counted("{n} other", "{n} others", len(rest)))
        sizes.append(float(values[rest].sum()))
        colours.append(theme.OTHERS)
        spread += [None] if spread else []
    figure = go.Figure(
        go.Bar(
            # Two features may read alike, so places are numbers and names their labels.
            y=list(range(len(names))),
            x=sizes,
            orientation="h",
            marker={"color": colours},
            error_x={"type": "data", "array": spread, "color": theme.ink(dark), "thickness": 1} if spread else None,
            text=[f"{size:+.3g}" for size in sizes],
            # Beside the bars and not on them, where whiskers would cross the numbers.
            textposition="none",
            customdata=names,
            hovertemplate="%{customdata}<br><b>%{x:+.4g}</b> " + plain(_(attribution.unit)) + "<extra></extra>",
            name=attribution.label,
        )
    )
    return figure.update_layout(
        template=theme.template(dark),
        title_text=_title(attribution),
        height=120 + 26 * len(names),
        bargap=0.25,
        margin={"r": 64},
        annotations=[number_beside(i, size, dark) for i, size in enumerate(sizes)],
        xaxis={"title_text": _("contribution, {unit}").format(unit=plain(_(attribution.unit))), "zeroline": True},
        yaxis={
            "title_text": _("feature"),
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
        },
    )


def alt_text(attribution: Attribution, top: int = 3) -> str:
    """The figure in a sentence: the largest contributions by name."""
    values = contributions(attribution)
    shown = np.argsort(-np.abs(values), kind="stable")[:top]
    parts = [f"{name} {values[i]:+.3g}" for name, i in zip(player_texts(attribution, shown), shown, strict=True)]
    return _("{method} for “{target}”: {contributions} {unit}.").format(
        method=attribution.label, target=attribution.target_name, contributions=", ".join(parts), unit=attribution.unit
    )


def number_beside(place: int, size: float, dark: bool) -> dict[str, object]:
    """The number of one bar, in a column at the right edge."""
    at = {"x": 1.0, "xref": "paper", "xanchor": "left", "y": place, "showarrow": False}
    return {"text": f"{size:+.3g}", "font": {"size": 12, "color": theme.ink(dark)}, **at}


def contributions(attribution: Attribution) -> np.ndarray:
    """(F,) float64."""
    found = attribution.values if attribution.players is None else attribution.players
    return np.asarray(found, float)


def player_texts(attribution: Attribution, indices: np.ndarray) -> list[str]:
    """Tables: `name = value`, with the values as they were before scaling where these are known. Texts: the word. Images: the
    number of the patch."""
    names = attribution.feature_names
    if attribution.segments is not None:
        return [_("patch {i}").format(i=int(i)) for i in indices]
    if is_text(attribution):
        return [plain(names[i]) for i in indices]
    values = attribution.input if attribution.feature_values is None else attribution.feature_values
    values = np.ravel(values)
    return [f"{plain(names[i]) if i < len(names) else _('feature') + f' {i}'} = {float(values[i]):.4g}" for i in indices]


def is_text(attribution: Attribution) -> bool:
    """Whether the input are the numbers of tokens."""
    return np.issubdtype(attribution.input.dtype, np.integer)


def _title(attribution: Attribution) -> str:
    """From where to where the bars lead. LIME's bars start at its own intercept and need not end at the model's output."""
    if attribution.base is None:
        return _("{method}: output {output:.3g} {unit}").format(
            method=attribution.label, output=attribution.output, unit=attribution.unit
        )
    words = (
        _("{method}: base {base:.3g} → output {output:.3g} {unit}")
        if attribution.fit_r2 is None
        else _("{method}: intercept {base:.3g}, output {output:.3g} {unit}")
    )
    return words.format(method=attribution.label, base=attribution.base, output=attribution.output, unit=attribution.unit)
