"""What each token of a text adds to a prediction, as bars."""

import numpy as np
import plotly.graph_objects as go

from core.results.attribution import Attribution
from dashboard.figures import theme
from dashboard.figures.stacks import plain
from dashboard.text import _, counted

TOP = 10


def token_bars(found: Attribution, top: int = TOP, dark: bool = False) -> go.Figure:
    """The `top` largest contributions, largest on top, the rest summed as one grey bar; whiskers are one standard error.

    Padding is left out; a word that stands there twice has two bars, told apart by their places.
    """
    order = ordered(found)
    shown, rest = order[:top], order[top:]
    values = np.asarray(found.values, float)
    names = [plain(name) for name in token_names(found, shown)]
    sizes = values[shown].tolist()
    spread: list[float | None] = [] if found.stderr is None else found.stderr[shown].tolist()
    colours = [theme.POSITIVE if size >= 0 else theme.NEGATIVE for size in sizes]
    if len(rest):
        names.append(counted("{n} other", "{n} others", len(rest)))
        sizes.append(float(values[rest].sum()))
        colours.append(theme.OTHERS)
        spread += [None] if spread else []
    bars = go.Bar(
        y=list(range(len(names))),
        x=sizes,
        orientation="h",
        marker={"color": colours},
        error_x={"type": "data", "array": spread, "color": theme.ink(dark), "thickness": 1} if spread else None,
        customdata=names,
        hovertemplate="%{customdata}<br><b>%{x:+.4g}</b> " + plain(_(found.unit)) + "<extra></extra>",
        name=found.label,
    )
    return go.Figure(bars).update_layout(
        template=theme.template(dark),
        title_text=found.label,
        height=100 + 24 * len(names),
        bargap=0.25,
        xaxis={"title_text": _("contribution, {unit}").format(unit=plain(_(found.unit))), "zeroline": True},
        yaxis={
            "title_text": _("token"),
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
        },
    )


def alt_text(found: Attribution, top: int = 3) -> str:
    """The figure in a sentence: the largest contributions by name."""
    shown = ordered(found)[:top]
    parts = [f"{name} {found.values[i]:+.3g}" for name, i in zip(token_names(found, shown), shown, strict=True)]
    return _("{method} for “{target}”: {contributions} {unit}.").format(
        method=found.label, target=found.target_name, contributions=", ".join(parts), unit=_(found.unit)
    )


def ordered(found: Attribution) -> np.ndarray:
    """Places of the tokens without padding, the largest contribution first."""
    places = np.flatnonzero(found.input != 0)
    by_size: np.ndarray = places[np.argsort(-np.abs(found.values[places]), kind="stable")]
    return by_size


def token_names(found: Attribution, places: np.ndarray) -> list[str]:
    """Tokens, with their number in the text where one occurs twice."""
    tokens = np.flatnonzero(found.input != 0).tolist()
    names = [found.feature_names[place] for place in tokens]
    number = {place: i + 1 for i, place in enumerate(tokens)}
    return [
        f"{found.feature_names[i]} ({number[i]})" if names.count(found.feature_names[i]) > 1 else found.feature_names[i]
        for i in places.tolist()
    ]
