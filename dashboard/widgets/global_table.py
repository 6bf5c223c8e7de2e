"""A table or points: mean contributions, every contribution, what shuffling costs, and what happens along one column."""

from typing import Any

import numpy as np
import streamlit as st

from core.explanation.shap_tabular import ShapTabular
from core.jobs.global_lenses import GlobalViewJob
from core.results.global_view import GlobalView
from dashboard.components.chart_files import chart_files
from dashboard.figures.beeswarm import alt_text, beeswarm_figure, value_text
from dashboard.figures.global_bars import alt_bars, importance_axis, importance_bars, mean_size_bars
from dashboard.session import selection
from dashboard.text import _, counted
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.explain_question import Question
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import CONFIG, figure, is_dark, sized
from dashboard.widgets.global_ask import asked_for, cost_words, many_job
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject

METHOD = ShapTabular(n_background=30)
"""Thirty rows to hide a feature by: the mean over many examples needs no finer background."""
NARROWEST = 430
LISTED = 50
"""Examples in the list, those whose answer is furthest from the base value."""
LISTED_COLUMNS = 4


def global_table(subject: Subject, question: Question, n: int, *, key: str) -> None:
    """Contributions and importance of all columns."""
    job = many_job(GlobalViewJob, subject, question, METHOD, n=n)
    if asked_for(job, key=f"{key}.view"):
        look(job, GlobalView, lambda view: _shown(view, subject, key), key=f"{key}.view.look")


def _shown(view: GlobalView, subject: Subject, key: str) -> None:
    dark = is_dark()
    with st.grid(min_column_width=NARROWEST, gap="small", key=f"{key}.charts"):
        with st.container(border=True, key=f"{key}.card.swarm"):
            _swarm(view, subject, dark, key)
        with st.container(border=True, key=f"{key}.card.sizes"):
            st.markdown(f"**{_('Which columns matter')}**")
            words = _("Mean size of the contribution over {examples}.")
            st.caption(words.format(examples=counted("{n} example", "{n} examples", len(view.indices))))
            alt = alt_bars(_("Mean size of the contribution"), view.columns, view.mean_sizes)
            figure(mean_size_bars(view, dark=dark), key=f"{key}.sizes", alt=alt)
        with st.container(border=True, key=f"{key}.card.importance"):
            _importance(view, dark, key)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(cost_words(view.n_evaluations, view.seconds) + _sampled(view)))
        download_arrays(view, "all-examples.npz", key=f"{key}.view.download")
    with st.expander(_("Examples as a list"), key=f"{key}.list"):
        _listed(view, key)


def _sampled(view: GlobalView) -> str:
    if view.stderr == 0:
        return " " + _("All contributions are exact.")
    return " " + _("Sampled: the standard error of a contribution is at most {stderr:.2g} {unit}.").format(
        stderr=view.stderr, unit=_(view.unit)
    )


def _swarm(view: GlobalView, subject: Subject, dark: bool, key: str) -> None:
    """All contributions; a click on a dot chooses its example."""
    st.markdown(f"**{_('How they matter')}**")
    st.caption(_("Each dot is one example. Click one, and every lens looks at it; the ring marks the chosen one."))
    widget = f"{key}.swarm"

    def pick() -> None:
        points = st.session_state[widget].selection.points
        if points and points[0].get("customdata"):
            selection.choose_example(view.split, int(points[0]["customdata"][0]))

    is_of_split = not subject.example.file and subject.example.split == view.split
    st.plotly_chart(
        sized(beeswarm_figure(view, marked=subject.example.index if is_of_split else None, dark=dark)),
        key=widget,
        theme=None,
        config=CONFIG,
        alt=alt_text(view),
        on_select=pick,
        selection_mode="points",
    )
    chart_files(widget, key=f"{widget}.files")


def _importance(view: GlobalView, dark: bool, key: str) -> None:
    """What shuffling each column costs."""
    st.markdown(f"**{_('What the model loses without a column')}**")
    names = {"score": importance_axis(view, by_loss=False), "loss": importance_axis(view, by_loss=True)}
    by = st.segmented_control(
        _("Measured by"),
        list(names),
        default="loss",
        key=f"{key}.by",
        persist_state="session",
        required=True,
        format_func=lambda name: plain(names[name]),
        label_visibility="collapsed",
    )
    by_loss = by != "score"
    alt = alt_bars(names["loss" if by_loss else "score"], view.columns, (view.losses if by_loss else view.scores).mean(0))
    figure(importance_bars(view, by_loss=by_loss, dark=dark), key=f"{key}.importance", alt=alt)
    st.caption(importance_words(view))


def importance_words(view: GlobalView) -> str:
    """How it was measured, and what it cannot say."""
    return _(
        "Each column was shuffled {n} times among {examples}; whiskers are one standard deviation. As it is, the model has "
        "{score} {value:.3g}. Columns that say the same can stand in for each other, and then none of them seems to matter."
    ).format(
        n=len(view.losses),
        examples=counted("{n} example", "{n} examples", view.n_shuffled),
        score=_(view.score_name),
        value=view.score,
    )


def _listed(view: GlobalView, key: str) -> None:
    """The examples with the most unusual answers, to choose one by keyboard too."""
    order = np.argsort(-np.abs(view.outputs - view.base), kind="stable")[:LISTED]
    widget = f"{key}.rows"

    def pick() -> None:
        rows = st.session_state[widget].selection.rows
        if rows and rows[0] < len(order):
            selection.choose_example(view.split, int(view.indices[order[rows[0]]]))

    st.caption(_("Those whose answer is furthest from the base value {base:.4g}.").format(base=view.base))
    table = rows_of(view, order)
    st.dataframe(table, hide_index=True, key=widget, on_select=pick, selection_mode="single-row")


def rows_of(view: GlobalView, order: np.ndarray) -> dict[str, list[Any]]:
    """Number, class, answer, and value and contribution in the columns that matter most."""
    table: dict[str, list[Any]] = {_("Example"): view.indices[order].tolist()}
    if view.class_names:
        table[_("Class")] = [view.class_names[label] for label in view.labels[order]]
    table[_("Answer, {unit}").format(unit=_(view.unit))] = [round(float(one), 4) for one in view.outputs[order]]
    for column in np.argsort(-view.mean_sizes, kind="stable")[:LISTED_COLUMNS]:
        categories = view.categories[column]
        table[view.columns[column]] = [
            f"{value_text(float(view.values[i, column]), categories)} ({view.contributions[i, column]:+.3g})" for i in order
        ]
    return table
