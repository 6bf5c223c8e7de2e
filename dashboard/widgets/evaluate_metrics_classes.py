"""Figures of classification: the headline with intervals, curves, every class, calibration and, for two, the threshold."""

from typing import Any, Literal

import numpy as np
import streamlit as st

from core.results.evaluation import Evaluation, NumberEvaluation
from dashboard.figures.evaluate_curves import MOST, alt_pr, alt_roc, pr_figure, roc_figure
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.evaluate_metrics_calibration import calibration
from dashboard.widgets.evaluate_metrics_threshold import threshold
from dashboard.widgets.evaluate_metrics_words import (
    interval_text,
    label,
    meaning,
    notes,
    number_text,
    resampling_words,
    value_text,
)
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.table_file import download_table

CARDS = (
    "accuracy",
    "top_3",
    "top_5",
    "balanced_accuracy",
    "f1_macro",
    "mcc",
    "auc",
    "average_precision",
    "log_loss",
    "brier",
    "ece",
)
NARROWEST_CARD, NARROWEST = 190, 430
LONGEST = 12
WORST = 3
"""Classes whose curves are drawn at first."""


def show_classes(found: Evaluation, *, key: str) -> None:
    """All figures of a split."""
    headline(found, CARDS, key=key)
    k, share = found.most_frequent
    baseline = _("Always saying “{name}”, the most frequent class here, would be right in {share:.1%}.")
    st.caption(plain(resampling_words(found) + " " + baseline.format(name=found.class_names[k], share=share)))
    for words in notes(found):
        st.info(plain(words), icon=":material/info:")
    st.fragment(lambda: _curves(found, key), key=f"{key}.curves.again")()
    if found.cuts:
        with st.container(border=True, key=f"{key}.card.threshold"):
            st.fragment(lambda: threshold(found, key=f"{key}.threshold"), key=f"{key}.threshold.again")()
    with st.grid(2, min_column_width=NARROWEST, gap="small", key=f"{key}.lower"):
        with st.container(border=True, key=f"{key}.card.calibration"):
            calibration(found, key=f"{key}.calibration")
        with st.container(border=True, key=f"{key}.card.tables"):
            _tables(found, key)
    with st.container(horizontal=True, key=f"{key}.files"):
        download_arrays(found, "metrics.npz", key=f"{key}.download")
        download_table(figures_table(found), "metrics.csv", key=f"{key}.csv")


def headline(found: Evaluation | NumberEvaluation, names: tuple[str, ...], *, key: str) -> None:
    """The most important figures, large, with their intervals."""
    text = value_text if isinstance(found, Evaluation) else number_text
    with st.grid(min_column_width=NARROWEST_CARD, gap="small", key=f"{key}.headline"):
        for name in names:
            if name in found.names:
                st.metric(
                    label(name),
                    text(name, found.value(name)),
                    interval_text(found, name),
                    delta_color="off",
                    delta_arrow="off",
                    border=True,
                    help=meaning(name) or None,
                )


def _curves(found: Evaluation, key: str) -> None:
    """ROC and precision-recall curves of chosen classes."""
    classes = _chosen_classes(found, key)
    with st.grid(2, min_column_width=NARROWEST, gap="small", key=f"{key}.curves"):
        with st.container(border=True, key=f"{key}.card.roc"):
            st.markdown(f"**{_('ROC: share found over share falsely called')}**")
            drawing = roc_figure(found, classes, macro=len(found.class_names) > 2, dark=is_dark())
            figure(drawing, key=f"{key}.roc", alt=alt_roc(found, classes))
        with st.container(border=True, key=f"{key}.card.pr"):
            st.markdown(f"**{_('Precision over recall')}**")
            figure(pr_figure(found, classes, dark=is_dark()), key=f"{key}.pr", alt=alt_pr(found, classes))


def _chosen_classes(found: Evaluation, key: str) -> list[int]:
    """Which classes are drawn: at first the last of two, else those that are told worst from the rest."""
    names = found.class_names
    widget = f"{key}.chosen.{len(names)}"
    by_hand = f"{widget}.by_hand"
    if not st.session_state.get(by_hand):  # the worst of these weights, and not of those that were looked at before
        st.session_state[widget] = [1] if len(names) == 2 else sorted(found.worst(WORST))

    def choose() -> None:
        st.session_state[by_hand] = True

    chosen = st.multiselect(
        _("Curves of"),
        range(len(names)),
        key=widget,
        persist_state="session",
        on_change=choose,
        max_selections=MOST,
        format_func=names.__getitem__,
        help=_("Each class against all others, at most six. At first those with the smallest area under the ROC curve."),
    )
    return [k for k in chosen if k < len(names)]


def _tables(found: Evaluation, key: str) -> None:
    """Every class, and every figure."""
    by_class, every = st.tabs([_("By class"), _("All figures")])
    number = st.column_config.NumberColumn(format="%.3f")
    with by_class:
        table = class_table(found)
        config = dict.fromkeys(list(table)[3:], number)
        st.dataframe(
            table,
            hide_index=True,
            column_config=config,
            key=f"{key}.by_class",
            height=_height(len(found.class_names)),
            placeholder="–",
        )
        st.caption(_("–: not defined. The file also has the 95 % interval of precision, recall and F1 of each class."))
        download_table(table | _class_ends(found), "metrics-by-class.csv", key=f"{key}.by_class.csv")
    with every:
        rows = {
            _("Figure"): [label(name) for name in found.names],
            _("Value"): [value_text(name, found.value(name)) for name in found.names],
            _("95 %"): [interval_text(found, name) for name in found.names],
            _("Resamples"): found.resamples.tolist(),
        }
        st.dataframe(rows, hide_index=True, key=f"{key}.every", height=400)
        st.caption(_("With one class per example, the micro averages are the accuracy. Weighted: by examples of the class."))


def _height(n_rows: int) -> int | Literal["content"]:
    """Of a table: long ones scroll."""
    return "content" if n_rows <= LONGEST else 400


def class_table(found: Evaluation) -> dict[str, list[Any]]:
    """Counts and figures of each class; None where a figure is not defined."""
    columns = (_("Precision"), _("Recall"), _("F1"), _("ROC AUC"), _("Average precision"))
    table: dict[str, list[Any]] = {
        _("Class"): list(found.class_names),
        _("Examples"): found.support.tolist(),
        _("Predicted"): found.n_predicted.tolist(),
    }
    return table | {name: _listed(found.by_class[:, i]) for i, name in enumerate(columns)}


def figures_table(found: Evaluation | NumberEvaluation) -> dict[str, list[Any]]:
    """All figures with their intervals, in full precision."""
    return {
        "figure": list(found.names),
        "value": _listed(found.values),
        "low": _listed(found.low),
        "high": _listed(found.high),
        "resamples": found.resamples.tolist(),
    }


def _class_ends(found: Evaluation) -> dict[str, list[Any]]:
    ends: dict[str, list[Any]] = {}
    for i, name in enumerate((_("Precision"), _("Recall"), _("F1"))):
        ends[_("{name}, low").format(name=name)] = _listed(found.by_class_low[:, i])
        ends[_("{name}, high").format(name=name)] = _listed(found.by_class_high[:, i])
    return ends


def _listed(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]
