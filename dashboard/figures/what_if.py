"""What a model says before and after a change of its input."""

import plotly.graph_objects as go

from core.results.prediction import Prediction
from dashboard.figures import theme
from dashboard.figures.stacks import plain
from dashboard.text import _

MOST_BARS = 10
HEIGHT = 360


def before_and_after(before: Prediction, after: Prediction, *, dark: bool = False) -> go.Figure:
    """Two bars for each class: its probability as it was and as it is now. The ten classes that matter most."""
    shown = leading_classes(before, after)
    names = [plain(before.class_names[place]) for place in shown]
    colours = theme.categorical(dark=dark)
    figure = go.Figure()
    for found, name, colour, pattern in ((before, _("as it is"), theme.OTHERS, ""), (after, _("changed"), colours[0], "/")):
        figure.add_trace(
            go.Bar(
                y=names,
                x=[float(found.probabilities[place]) for place in shown],
                name=name,
                orientation="h",
                marker={"color": colour, "pattern": {"shape": pattern}},
                hovertemplate="%{y}: %{x:.1%}<extra>" + name + "</extra>",
            )
        )
    return figure.update_layout(
        template=theme.template(dark),
        height=HEIGHT,
        margin_t=28,
        barmode="group",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"title_text": _("probability"), "range": [0, 1.04], "tickformat": ".0%"},
        yaxis={"title_text": _("class"), "autorange": "reversed", "type": "category"},
    )


def leading_classes(before: Prediction, after: Prediction) -> list[int]:
    """The classes with the greatest probability before or after, in their own order."""
    most = [max(float(a), float(b)) for a, b in zip(before.probabilities, after.probabilities, strict=True)]
    return sorted(sorted(range(len(most)), key=lambda place: -most[place])[:MOST_BARS])


def alt_text(before: Prediction, after: Prediction) -> str:
    """The figure in a sentence."""
    return _("Before: {before}. After the change: {after}.").format(before=in_words(before), after=in_words(after))


def in_words(found: Prediction) -> str:
    """What the model says: a class with its probability, or a number."""
    if found.value is not None:
        return f"{found.target_name or _('value')} {found.value:.4g}"
    guess = int(found.probabilities.argmax())
    return f"{found.class_names[guess]} ({float(found.probabilities[guess]):.1%})"
