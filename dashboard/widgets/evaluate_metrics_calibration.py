"""Whether probabilities mean what they say, and the temperature that mends them."""

import streamlit as st

from core.results.evaluation import Evaluation
from dashboard.figures.evaluate_calibration import alt_reliability, reliability_figure
from dashboard.text import _
from dashboard.widgets.evaluate_metrics_words import label, temperature_words, value_text
from dashboard.widgets.figure import figure, is_dark

SCALED = ("log_loss", "brier", "ece")


def calibration(found: Evaluation, *, key: str) -> None:
    """The reliability diagram, and the figures before and after temperature scaling."""
    st.markdown(f"**{_('Is it as sure as it is right?')}**")
    figure(reliability_figure(found, dark=is_dark()), key=f"{key}.reliability", alt=alt_reliability(found))
    st.caption(
        _(
            "Examples in {n} bins by the probability of the predicted class. Below the dotted line the model is surer than it "
            "is right. Bins with few examples jump by chance: their bars say how many there are."
        ).format(n=len(found.bin_edges) - 1)
    )
    st.text(temperature_words(found))
    st.table(
        {
            "": [label(name) for name in SCALED],
            _("as it is"): [value_text(name, found.value(name)) for name in SCALED],
            _("scaled"): [value_text(name, float(value)) for name, value in zip(SCALED, found.scaled, strict=True)],
        },
        hide_index=True,
    )
    words = _(
        "Temperature scaling divides the logits by T, which has the least log loss on the validation split. It changes how "
        "sure the model is, and not what it answers."
    )
    if found.split == "validation":
        words += " " + _("These are the examples that T was fitted on: look at the test split to see whether it helps.")
    st.caption(words)
