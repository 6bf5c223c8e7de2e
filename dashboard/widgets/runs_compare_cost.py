"""Big model against small: parameters, multiply-adds, time, energy and accuracy of the chosen runs."""

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from core.experiment.difference import has_same_examples
from core.experiment.experiment import Experiment
from core.experiment.run_cost import WATTS, RunCost
from core.store.protocol import RunRecord
from dashboard.figures.run_cost import alt_cost, cost_scatter
from dashboard.text import _
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.runs_compare_names import cost_of
from dashboard.widgets.table_file import download_table

AXES = ("n_parameters", "multiply_adds", "seconds", "energy")
SCORES = ("validation_score", "test_score")


def cost_and_quality(runs: Sequence[tuple[RunRecord, Experiment]], *, key: str) -> None:
    """A table and a scatter, with the assumption behind the energy where it can be changed."""
    costs = [cost_of(record, experiment) for record, experiment in runs]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        watts = st.number_input(
            _("Assumed power (watts)"),
            1.0,
            100_000.0,
            WATTS,
            5.0,
            format="%g",
            key=f"{key}.watts",
            persist_state="session",
            width=200,
        )
        st.caption(
            _(
                "Energy is not measured: it is training time × this power, as if the machine drew it all the time and did "
                "nothing else. Take your machine's figure, for example from a power meter."
            ),
            width="stretch",
        )
    st.dataframe(cost_table(costs, watts), hide_index=True, key=f"{key}.table", placeholder="–")
    download_table(cost_table(costs, watts), "costs.csv", key=f"{key}.csv")
    _scatter(costs, watts, key)
    if any(not has_same_examples(runs[0][1], experiment) for _record, experiment in runs[1:]):
        st.info(_("Not all of these runs have the same examples: their scores do not compare."), icon=":material/info:")


def cost_table(costs: Sequence[RunCost], watts: float) -> dict[str, list[Any]]:
    """A row for each run."""
    score = _("accuracy") if all(one.is_accuracy for one in costs) else _("accuracy or R²")
    return {
        _("run"): [one.name for one in costs],
        _("parameters, frozen ones too"): [one.n_parameters for one in costs],
        _("multiply-adds (one example)"): [one.multiply_adds for one in costs],
        _("training time (s)"): [_given(one.seconds) for one in costs],
        _("energy (Wh, at {w:g} W)").format(w=watts): [_given(one.watt_hours(watts)) for one in costs],
        _("validation {score}").format(score=score): [_given(one.validation_score) for one in costs],
        _("test {score}").format(score=score): [_given(one.test_score) for one in costs],
        _("best lane"): [None if math.isnan(one.validation_score) else one.lane for one in costs],
        _("models trained"): [one.n_series for one in costs],
    }


def _given(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.4g}")


def _scatter(costs: Sequence[RunCost], watts: float, key: str) -> None:
    what = {
        "n_parameters": _("parameters, frozen ones too"),
        "multiply_adds": _("multiply-adds of one example"),
        "seconds": _("training time (s)"),
        "energy": _("energy (Wh, at {w:g} W)").format(w=watts),
    }
    scores = {"validation_score": _("validation"), "test_score": _("test")}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        x = st.selectbox(
            _("Across"), AXES, key=f"{key}.x", format_func=what.__getitem__, persist_state="session", width=280
        )  # fmt: skip
        y = st.selectbox(
            _("Score of the"), SCORES, key=f"{key}.y", format_func=scores.__getitem__, persist_state="session", width=180
        )  # fmt: skip
    names = [one.name for one in costs]
    across = [one.watt_hours(watts) if x == "energy" else float(getattr(one, x)) for one in costs]
    up = [getattr(one, y) for one in costs]
    axis = f"{scores[y]}: " + (_("accuracy") if all(one.is_accuracy for one in costs) else _("accuracy or R²"))
    drawing = cost_scatter(names, across, up, what=what[x], score=axis, dark=is_dark())
    figure(drawing, key=f"{key}.scatter", alt=alt_cost(names, across, up, what=what[x], score=axis))
    if missing := [name for name, value in zip(names, up, strict=True) if math.isnan(value)]:
        st.caption(plain(_("Not drawn, since they have no such score: {names}.").format(names="; ".join(missing))))
    if len({one.n_series for one in costs}) > 1:
        st.caption(_("The runs trained unequally many models (lanes × seeds): their times and energies are of all of them."))
