"""A sweep over learning rates and optimizers: what is tried, the map of what came out, and the best rates to be used."""

import math
from typing import Any

import streamlit as st

from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.experiment.rates import Grid, best_lanes, default_lanes, rows, tuned
from core.jobs.tuning import SweepJob
from core.models.estimate import epoch_seconds
from core.models.model import infer
from core.optim.optimizers import AnyOptimizer
from core.results.sweep import Sweep
from core.spec import choices, parse_json
from dashboard.components.fields import translated
from dashboard.figures.rates import alt_sweep, sweep_map
from dashboard.text import _, counted, duration
from dashboard.widgets.changes import use
from dashboard.widgets.choice_form import fields
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.table_file import download_table

USUAL = ("sgd", "rmsprop", "adam", "adagrad")
SOURCES = ("lanes", "kinds")


def sweep(experiment: Experiment, *, key: str) -> None:
    """The choices, a button, and the result, which stays while the choices stay what they are."""
    st.caption(
        _(
            "Every optimizer gets the same tries: each learning rate of the grid, from equal initial weights, on equal "
            "batches, for equally many steps. The validation loss at the end is compared."
        )
    )
    grid = _grid(key)
    lanes = _lanes(experiment, key)
    if not lanes:
        st.info(_("Choose at least one optimizer."), icon=":material/info:")
        return
    job = SweepJob.of(experiment, lanes, grid)
    st.caption(_cost(job))
    wanted = f"{key}.wanted"
    if st.session_state.get(wanted) != job.key():
        st.button(_("Run the sweep"), key=f"{key}.start", on_click=_want, args=(wanted, job.key()), icon=":material/grid_on:")
        return

    def show(found: Sweep) -> None:
        _found(found, experiment, key)

    look(job, Sweep, show, key=key)


def _want(wanted: str, job_key: str) -> None:
    st.session_state[wanted] = job_key


def _grid(key: str) -> Grid:
    """The rates and steps that the visitor has chosen."""
    kept = f"{key}.grid"
    present = parse_json(Grid, st.session_state[kept]) if kept in st.session_state else Grid()

    def change(grid: Grid) -> None:
        st.session_state[kept] = grid.model_dump_json()

    fields(present, key=f"{key}.fields", on_change=change)
    return present


def _lanes(experiment: Experiment, key: str) -> tuple[Lane, ...]:
    """What is tried: the lanes in hand, or optimizers as they usually are."""
    words = {"lanes": _("the lanes here"), "kinds": _("optimizers as they usually are")}
    source = st.segmented_control(
        _("What is tried"),
        SOURCES,
        default=SOURCES[0],
        required=True,
        key=f"{key}.source",
        format_func=words.__getitem__,
        persist_state="session",
    )
    if source == "lanes":
        return experiment.lanes
    menu = {cls.kind_name(): cls for cls in choices(AnyOptimizer)}
    kinds = st.multiselect(
        _("Optimizers"),
        list(menu),
        [kind for kind in USUAL if kind in menu],
        key=f"{key}.kinds",
        format_func=lambda kind: translated(menu[kind].label),
        persist_state="session",
    )
    return default_lanes(kinds)


def _cost(job: SweepJob) -> str:
    """How much is trained, and about how long that takes at most."""
    experiment, grid = job.experiment, job.grid
    n_cells = len(rows(experiment.lanes)) * len(grid.rates()) * grid.seeds
    profile = experiment.data.profile()
    batch = experiment.batch(profile.n_train)
    inference = infer(experiment.model, profile.input_shape)
    words = _("{runs} of {steps}").format(
        runs=counted("{n} run", "{n} runs", n_cells), steps=counted("{n} step", "{n} steps", grid.steps)
    )
    seconds = n_cells * epoch_seconds(inference, grid.steps * batch, batch, profile.n_validation)
    return words + (", " + _("at most about {time}").format(time=duration(seconds)) if seconds else "")


def _found(found: Sweep, experiment: Experiment, key: str) -> None:
    """The map, the best rates in a table, and what can be done with them."""
    figure(sweep_map(found, dark=is_dark()), key=f"{key}.map", alt=alt_sweep(found))
    st.dataframe(_best(found), hide_index=True, key=f"{key}.best", placeholder="–")
    edges = [found.names[row] for row in range(len(found.names)) if found.is_at_edge(row)]
    if edges:
        st.info(
            _("The best rate lies at the edge of the grid, so a better one may lie beyond: {names}.").format(
                names="; ".join(edges)
            ),
            icon=":material/open_in_full:",
        )
    best = best_lanes(found)
    with st.container(horizontal=True):
        if best:
            _use_button(found, experiment, best, key)
        download_table(_table(found), "sweep.csv", key=f"{key}.download")


def _use_button(found: Sweep, experiment: Experiment, best: tuple[Lane, ...], key: str) -> None:
    """The lanes in hand get their best rates; or, of optimizers that were tried from a list, lanes are made."""
    if st.session_state.get(f"{key}.source") == "kinds":
        label, lanes, icon = _("Make lanes of them, each with its best rate"), best, ":material/group_add:"
    else:
        label, lanes, icon = _("Use the best rates"), tuned(experiment, found).lanes, ":material/check:"

    def take() -> None:
        use(experiment, lanes=lanes)

    st.button(label, key=f"{key}.use", on_click=take, disabled=lanes == experiment.lanes, icon=icon)


def _best(found: Sweep) -> dict[str, Any]:
    """Columns of a table with one row for each optimizer."""
    places = [found.best(row) for row in range(len(found.names))]
    score = _("accuracy") if found.is_accuracy else "R²"
    columns: dict[str, list[Any]] = {
        name: [] for name in (_("optimizer"), _("best learning rate"), _("validation loss"), _("spread over seeds"), score)
    }
    for row, place in enumerate(places):
        figures = (
            (None,) * 4
            if place is None
            else (
                f"{found.rates[place]:g}",
                *(_number(values[row, place]) for values in (found.mean_losses(), found.spreads(), found.mean_scores())),
            )
        )
        for column, value in zip(columns.values(), (found.names[row], *figures), strict=True):
            column.append(value)
    return columns


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.4g}")


def _table(found: Sweep) -> dict[str, list[Any]]:
    """Every run: its optimizer, rate and seed, and its figures; empty where it diverged."""
    n_rows, n_rates, n_seeds = found.losses.shape
    cells = [(row, place, seed) for row in range(n_rows) for place in range(n_rates) for seed in range(n_seeds)]
    return {
        "optimizer": [found.names[row] for row, _place, _seed in cells],
        "learning_rate": [float(found.rates[place]) for _row, place, _seed in cells],
        "seed": [seed + 1 for _row, _place, seed in cells],
        "validation_loss": [_given(found.losses[cell]) for cell in cells],
        "accuracy" if found.is_accuracy else "r2": [_given(found.scores[cell]) for cell in cells],
    }


def _given(value: float) -> float | str:
    return "" if math.isnan(value) else float(value)
