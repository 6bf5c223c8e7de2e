"""Accuracy against sparsity."""

from typing import Any

import numpy as np
import streamlit as st

from core.errors import LayerwiseError
from core.jobs.compress import PruningSweepJob
from core.jobs.lenses import ExampleRef
from core.results.codec import result_bytes
from core.results.pruning_sweep import PruningSweep
from dashboard.figures.compress_sweep import METHODS, alt_sweep, method_name, sweep_lines
from dashboard.session import resources
from dashboard.text import _, counted, duration
from dashboard.widgets.compress_one import split_chosen
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import is_wanted, look, want
from dashboard.widgets.subject import Subject
from dashboard.widgets.table_file import download_table


def panel(subject: Subject, *, key: str) -> None:
    """What is swept, what that costs, and the lines."""
    st.caption(
        _(
            "The model is pruned further and further, each time from its trained weights and without training again. Where the "
            "line of random pruning falls first, the others know what the model can spare."
        )
    )
    job = _asked(subject, key)
    if job is None:
        st.info(_("Choose at least one method."), icon=":material/info:")
        return
    try:
        job.check(resources.settings())
    except LayerwiseError as error:
        st.info(plain(str(error)), icon=":material/block:")
        return
    is_asked = is_wanted(job, key=key)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Run the sweep"),
            key=f"{key}.start",
            on_click=want,
            args=(job, key),
            disabled=is_asked,
            type="primary",
            icon=":material/show_chart:",
        )
        words = counted("{n} pruned model", "{n} pruned models", job.n_points)
        st.caption(_("{models}, about {time}").format(models=words, time=duration(max(0.1, job.seconds))))
    if is_asked:
        look(job, PruningSweep, lambda sweep: _found(sweep, key), key=key)


def _asked(subject: Subject, key: str) -> PruningSweepJob | None:
    """What the visitor wants to see; None without a method."""
    methods = st.pills(
        _("What goes first"),
        METHODS,
        selection_mode="multi",
        default=METHODS,
        key=f"{key}.methods",
        persist_state="session",
        format_func=method_name,
    )
    scopes = {"whole model": _("the whole model"), "each layer": _("each layer")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        scope = st.selectbox(
            _("Single weights compete in"),
            list(scopes),
            key=f"{key}.scope",
            persist_state="session",
            format_func=scopes.__getitem__,
            width=220,
            help=_("Units always compete in their layer: so the smaller stack is known beforehand."),
        )
        draws = st.number_input(
            _("Random lots"), min_value=1, max_value=20, value=5, key=f"{key}.draws", persist_state="session", width=140
        )  # fmt: skip
        split = split_chosen(key)
    chosen = tuple(name for name in METHODS if name in methods)
    if not chosen:
        return None
    looked_at = subject.asked() | {"example": ExampleRef()}
    return _fitting(PruningSweepJob(**looked_at, methods=chosen, scope=scope, draws=int(draws), split=split))


def _fitting(job: PruningSweepJob) -> PruningSweepJob:
    """The sweep without the methods that do not apply, which is said; as it is where none does."""
    against = {name: reason for name in job.methods if (reason := job.reason_against(name))}
    if not against or len(against) == len(job.methods):
        return job
    for name, reason in against.items():
        words = _("Without {method} pruning: {reason}").format(method=method_name(name), reason=_(reason))
        st.caption(plain(words))
    return job.but(methods=tuple(name for name in job.methods if name not in against))


def _found(sweep: PruningSweep, key: str) -> None:
    """The lines, up to where each holds, and the numbers to take home."""
    figure(sweep_lines(sweep, dark=is_dark()), key=f"{key}.lines", alt=alt_sweep(sweep))
    for words in sweep_words(sweep):
        st.text(words)
    st.caption(
        _(
            "Bands: 95 % intervals over the {n:,} examples; for random lots of the mean over the lots. Grey: that of the "
            "original. Zeros alone make no model faster; taking out units does."
        ).format(n=sweep.n_examples)
    )
    with st.container(horizontal=True):
        st.download_button(
            _("Download the numbers (NPZ)"),
            lambda: result_bytes(sweep),
            "pruning-sweep.npz",
            key=f"{key}.npz",
            icon=":material/download:",
            on_click="ignore",
        )
        download_table(sweep_table(sweep), "pruning-sweep.csv", key=f"{key}.csv")


def sweep_words(sweep: PruningSweep) -> list[str]:
    """Up to where each method stays within the original's interval."""
    said = []
    for row, kind in enumerate(sweep.methods):
        words = _("{method}: up to {share:.0%} can go before the score leaves the original's interval.")
        said.append(words.format(method=method_name(kind).capitalize(), share=sweep.last_good(row)))
    return said


def sweep_table(sweep: PruningSweep) -> dict[str, list[Any]]:
    """One row for each method, sparsity and draw."""
    rows = [tuple(place) for place in np.argwhere(~np.isnan(sweep.scores)).tolist()]
    return {
        "method": [sweep.methods[row] for row, _column, _draw in rows],
        "sparsity": [float(sweep.sparsities[column]) for _row, column, _draw in rows],
        "draw": [int(draw) for _row, _column, draw in rows],
        "accuracy" if sweep.is_accuracy else "r2": [float(sweep.scores[place]) for place in rows],
        "low": [float(sweep.low[row, column]) for row, column, _draw in rows],
        "high": [float(sweep.high[row, column]) for row, column, _draw in rows],
        "weights_gone": [float(sweep.zeros[row, column]) for row, column, _draw in rows],
        "parameters": [int(sweep.parameters[row, column]) for row, column, _draw in rows],
    }
