"""Figures of regression: errors in the target's own unit with intervals, and what the residuals look like."""

import numpy as np
import streamlit as st

from core.results.evaluation import NumberEvaluation
from dashboard.figures.evaluate_residuals import (
    alt_predicted,
    alt_residuals,
    drawn,
    predicted_figure,
    residual_figure,
    residual_histogram,
)
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.evaluate_metrics_classes import NARROWEST, figures_table, headline
from dashboard.widgets.evaluate_metrics_words import few, resampling_words
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.table_file import download_table


def show_numbers(found: NumberEvaluation, *, key: str) -> None:
    """All figures of a split."""
    headline(found, found.names, key=key)
    unit = _("All but R² are in the unit of {target}.").format(target=found.target_name or _("the target"))
    st.caption(plain(f"{unit} {resampling_words(found)}"))
    for words in number_notes(found):
        st.info(plain(words), icon=":material/info:")
    dark = is_dark()
    with st.grid(min_column_width=NARROWEST, gap="small", key=f"{key}.charts"):
        with st.container(border=True, key=f"{key}.card.predicted"):
            st.markdown(f"**{_('Predicted beside true')}**")
            figure(predicted_figure(found, dark=dark), key=f"{key}.predicted", alt=alt_predicted(found))
        with st.container(border=True, key=f"{key}.card.residuals"):
            st.markdown(f"**{_('What is left over')}**")
            figure(residual_figure(found, dark=dark), key=f"{key}.residuals", alt=alt_residuals(found))
        with st.container(border=True, key=f"{key}.card.histogram"):
            st.markdown(f"**{_('How it is spread')}**")
            figure(residual_histogram(found, dark=dark), key=f"{key}.histogram", alt=alt_residuals(found))
    st.caption(
        _(
            "A bend in the residuals is a form that the model has not learnt; a funnel says that its errors grow with the "
            "number. A cloud around 0 is what is left when nothing more is to be learnt."
        )
    )
    with st.container(horizontal=True, key=f"{key}.files"):
        download_arrays(found, "metrics.npz", key=f"{key}.download")
        download_table(figures_table(found), "metrics.csv", key=f"{key}.csv")


def number_notes(found: NumberEvaluation) -> list[str]:
    """What is special about these figures, in sentences."""
    said = few(found.n)
    if np.isnan(found.value("r2")):
        said.append(_("All true numbers of this split are equal: there is no variance to explain, and R² is undefined."))
    shown = len(drawn(found))
    if shown < found.n:
        said.append(_("The scatters draw {shown:,} of the {n:,} examples.").format(shown=shown, n=found.n))
    return said
