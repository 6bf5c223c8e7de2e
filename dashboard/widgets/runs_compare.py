"""Chosen runs side by side: what differs in their settings, what each costs, and what each says of one example."""

from collections.abc import Callable

import streamlit as st

from core.errors import LayerwiseError
from core.experiment.difference import settings_that_differ
from core.experiment.experiment import Experiment
from core.store.protocol import RunRecord
from dashboard.session import chosen_runs, resources, run_now, state
from dashboard.text import _, counted
from dashboard.widgets.evaluate_folds_paired import paired_test
from dashboard.widgets.runs_compare_cost import cost_and_quality
from dashboard.widgets.runs_compare_example import same_example
from dashboard.widgets.runs_compare_names import run_name, training_runs
from dashboard.widgets.table_file import download_table

RECENT = 60
MOST = 12
"""More than these are not side by side any more."""
Chosen = list[tuple[RunRecord, Experiment]]
PARTS = ("settings", "cost", "example", "test")


def panel(*, key: str) -> None:
    """Chosen runs side by side: what differs in their settings, what each costs, and what each says of one example."""
    chosen = _chosen(key)
    if len(chosen) < 2:
        st.info(
            _("Choose two or more training runs here, or in the table of runs, to see them side by side."),
            icon=":material/info:",
        )
        return
    words = {
        "settings": _("What differs"),
        "cost": _("Cost and quality"),
        "example": _("Same example"),
        "test": _("Is the difference real?"),
    }
    part = st.segmented_control(
        _("Part"),
        PARTS,
        default=PARTS[0],
        required=True,
        key=f"{key}.part",
        format_func=words.__getitem__,
        persist_state="session",
        label_visibility="collapsed",
    )
    shown: dict[str, Callable[[Chosen, str], None]] = {
        "settings": _settings,
        "cost": lambda runs, name: cost_and_quality(runs, key=name),
        "example": lambda runs, name: same_example(runs, key=name),
        "test": lambda runs, name: paired_test(key=name, runs=[record for record, _experiment in runs]),
    }
    shown[part or PARTS[0]](chosen, f"{key}.{part}")


def _chosen(key: str) -> Chosen:
    """The runs that are compared, in the order in which they were chosen; they can be changed here."""
    picked = [record for run in chosen_runs.chosen() if (record := resources.reader().run(run)) is not None]
    known = training_runs(picked)
    if left := len(picked) - len(known):
        st.caption(
            counted(
                "{n} chosen run trained nothing and is left out.", "{n} chosen runs trained nothing and are left out.", left
            )
        )
    names = {record.id: run_name(record, experiment) for record, experiment in (*known, *training_runs(limit=RECENT))}
    widget = f"{key}.runs"
    st.session_state[widget] = [record.id for record, _experiment in known[:MOST]]

    def choose() -> None:
        chosen_runs.choose(st.session_state[widget])

    st.multiselect(
        _("Runs to compare"),
        list(names),
        key=widget,
        on_change=choose,
        format_func=lambda run: names.get(run, run),
        max_selections=MOST,
        placeholder=_("Choose runs"),
    )
    if len(known) > MOST:
        st.caption(_("The first {n} of {all} chosen runs are shown.").format(n=MOST, all=len(known)))
    return known[:MOST]


def _settings(runs: Chosen, key: str) -> None:
    """What differs between two of them."""
    names = [run_name(*run) for run in runs]
    places = [0, 1]
    if len(runs) > 2:
        columns = st.columns(2)
        for side, (column, label) in enumerate(zip(columns, (_("First"), _("Second")), strict=True)):
            with column:
                place = st.selectbox(
                    label, range(len(runs)), side, key=f"{key}.side.{side}", format_func=lambda one: names[one]
                )  # fmt: skip
                places[side] = min(place, len(runs) - 1)
    first, second = (_asked(runs[place][0]) for place in places)
    rows = settings_that_differ(first, second)
    if not rows:
        st.text(_("These two experiments are equal in every setting."))
        return
    heads = [names[place] for place in places]
    if heads[0] == heads[1]:
        heads[1] += " "
    columns_of = {
        _("setting"): [row.path for row in rows],
        heads[0]: [row.first for row in rows],
        heads[1]: [row.second for row in rows],
    }
    st.text(counted("{n} setting differs; all others are equal.", "{n} settings differ; all others are equal.", len(rows)))
    st.dataframe(columns_of, hide_index=True, key=f"{key}.table")
    download_table(columns_of, "settings.csv", key=f"{key}.csv")


def _asked(record: RunRecord) -> Experiment:
    """What was trained, with what was changed by hand as changes."""
    try:
        return run_now.repeatable(record)
    except LayerwiseError:  # more changes than an experiment holds
        return state.experiment_of(record.job)
