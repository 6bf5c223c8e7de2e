"""Two classes: from which probability on the model says yes, and what its errors cost then."""

import streamlit as st

from core.results.decisions import Outcome, ideal_threshold
from core.results.evaluation import Evaluation
from dashboard.figures.evaluate_thresholds import alt_costs, cost_figure, threshold_text
from dashboard.figures.stacks import short
from dashboard.text import _
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark

MOST = 1e9


def threshold(found: Evaluation, *, key: str) -> None:
    """Slider, costs, what they give, and the cheapest threshold here and on the validation split."""
    st.markdown(f"**{_('Where to draw the line')}**")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        positive, false_positive, false_negative, at = _asked(found, key)
    decisions = found.decisions(positive)
    chosen, cheapest = decisions.at(at), decisions.cheapest(false_positive, false_negative)
    reference = found.decisions(positive, on_validation=True).cheapest(false_positive, false_negative)
    carried = decisions.at(reference.threshold)
    costs = (false_positive, false_negative)
    with right:
        drawing = cost_figure(
            decisions.curve(*costs),
            (at, chosen.cost(*costs)),
            (cheapest.threshold, cheapest.cost(*costs)),
            positive=short(found.class_names[positive]),
            dark=is_dark(),
        )
        figure(drawing, key=f"{key}.costs", alt=alt_costs(chosen, cheapest, *costs))
    columns = {_("chosen"): chosen, _("cheapest here"): cheapest}
    if found.split != "validation":
        columns[_("cheapest on validation")] = carried
    st.table(outcome_table(found, positive, columns, costs), hide_index=True)
    st.caption(_ideal_words(*costs) + " " + _honest_words(found.split))


def _asked(found: Evaluation, key: str) -> tuple[int, float, float, float]:
    """Positive class, cost of a false positive, of a false negative, and the threshold."""
    say = found.class_names.__getitem__
    positive = st.selectbox(
        _("Positive class"), (0, 1), index=1, key=f"{key}.positive", persist_state="session", format_func=say
    )
    positive = 1 if positive is None else positive
    yes, no = (plain(say(k)) for k in (positive, 1 - positive))
    one, other = st.columns(2, vertical_alignment="bottom")
    with one:
        words = _("Cost when “{no}” is called “{yes}”").format(no=no, yes=yes)
        false_positive = _cost(words, _("A false positive, in any unit that you like."), f"{key}.false_positive")
    with other:
        words = _("Cost when “{yes}” is called “{no}”").format(no=no, yes=yes)
        false_negative = _cost(words, _("A false negative, in the same unit."), f"{key}.false_negative")
    at = st.slider(
        _("Say “{yes}” from this probability on").format(yes=yes), 0.0, 1.0, 0.5, 0.01,
        key=f"{key}.at", persist_state="session",
    )  # fmt: skip
    return positive, false_positive, false_negative, float(at)


def _cost(words: str, more: str, key: str) -> float:
    return float(st.number_input(words, 0.0, MOST, 1.0, 1.0, key=key, persist_state="session", format="%g", help=more) or 0.0)


def outcome_table(
    found: Evaluation, positive: int, columns: dict[str, Outcome], costs: tuple[float, float]
) -> dict[str, list[str]]:
    """One column per threshold: counts, rates and mean cost."""
    names = [plain(name) for name in found.class_names]
    yes, no = names[positive], names[1 - positive]
    called = _("“{is_one}” called “{called}”")
    rows = (
        _("threshold"),
        _("true positives: ") + called.format(is_one=yes, called=yes),
        _("false positives: ") + called.format(is_one=no, called=yes),
        _("false negatives: ") + called.format(is_one=yes, called=no),
        _("true negatives: ") + called.format(is_one=no, called=no),
        _("precision"),
        _("recall (true positive rate)"),
        _("false positive rate"),
        _("accuracy"),
        _("mean cost per example"),
    )
    table = {" ": list(rows)}
    for title, outcome in columns.items():
        table[title] = [
            threshold_text(outcome.threshold),
            f"{outcome.true_positives:,}",
            f"{outcome.false_positives:,}",
            f"{outcome.false_negatives:,}",
            f"{outcome.true_negatives:,}",
            *(_rate(rate) for rate in (outcome.precision, outcome.recall, outcome.false_positive_rate, outcome.accuracy)),
            f"{outcome.cost(*costs):.4g}",
        ]
    return table


def _rate(rate: float | None) -> str:
    return _("undefined") if rate is None else f"{rate:.3f}"


def _ideal_words(false_positive: float, false_negative: float) -> str:
    ideal = ideal_threshold(false_positive, false_negative)
    if ideal is None:
        return _("No error costs anything: every threshold is as cheap as any other.")
    return _("If the probabilities were right, the cheapest threshold for these costs would be {ideal:.3g}.").format(
        ideal=ideal
    )


def _honest_words(split: str) -> str:
    if split == "validation":
        return _("A threshold that is chosen here is to be judged on the test split.")
    return _(
        "“Cheapest here” is chosen by the very examples that it is counted on, so it flatters; the one from the validation "
        "split is what you could have known before."
    )
