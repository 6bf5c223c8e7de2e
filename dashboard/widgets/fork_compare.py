"""A fork beside the same experiment from scratch: both are started at one click, and their curves drawn over each other."""

from functools import partial

import streamlit as st

from core.errors import LayerwiseError
from core.experiment.experiment import Experiment
from core.experiment.fork import from_scratch
from core.history import History
from core.jobs.training import TrainJob
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.figures.fork_comparison import Line, alt_text, fork_curves
from dashboard.session import chosen_runs, pace, resources, run_history, state
from dashboard.text import _
from dashboard.widgets.compare import SHORT_RUN
from dashboard.widgets.failure import failure, toast
from dashboard.widgets.figure import figure, is_dark

POLL_S = 1.0
PAIR = "pair"


def compare_buttons(wanted: Experiment, *, key: str, is_off: bool) -> None:
    """One click starts two runs."""
    st.button(
        _("Compare with from scratch"),
        key=f"{key}.compare",
        icon=":material/compare_arrows:",
        disabled=is_off,
        on_click=partial(_start, wanted, key),
        help=_(
            "Starts the fork and, beside it, the same experiment from fresh weights: same data, seed, optimizer and budget."
        ),
    )


def _start(wanted: Experiment, key: str) -> None:
    client = resources.client()
    try:
        fork = client.submit(TrainJob(experiment=wanted))
        scratch = client.submit(TrainJob(experiment=from_scratch(wanted)), name=f"run {fork[:SHORT_RUN]} from scratch")
    except LayerwiseError as error:
        toast(error)
        return
    source = wanted.origin.run if wanted.origin else ""
    st.session_state[f"{key}.{PAIR}"] = (source, fork, scratch)
    chosen_runs.choose([fork, scratch])


def fork_comparison(run: str, *, key: str) -> None:
    """The curves of the pair that was started last, where this run is their source or one of them; else nothing."""
    started = st.session_state.get(f"{key}.{PAIR}", ())
    if run not in started:
        return
    pair = started[1:]
    records = [resources.reader().run(run) for run in pair]
    if any(record is None for record in records):
        return
    live = any(record is not None and record.state in UNFINISHED for record in records)
    with st.container(border=True, key=f"{key}.comparison"):
        st.markdown(f"**{_('From the checkpoint, and from scratch')}**")
        st.fragment(partial(_curves, pair, key), run_every=pace.every(POLL_S) if live else None)()
        st.caption(
            _(
                "The steps that the source has trained before do not count here: the fork has them for free. "
                "Both runs are chosen in the table of runs: its curves and comparisons show them too."
            )
        )


def _curves(pair: tuple[str, str], key: str) -> None:
    try:
        records = [resources.reader().run(run) for run in pair]
        names = (_("fork"), _("from scratch"))
        lines = [_line(record, name) for record, name in zip(records, names, strict=True) if record is not None]
    except LayerwiseError as error:
        failure(error)
        return
    unit = state.experiment_of(records[0].job).loss.unit if records[0] else ""
    words = summary(lines)
    st.text(words)
    if not any(line.steps for line in lines):
        return
    figure(fork_curves(lines, unit, dark=is_dark()), key=f"{key}.curves", alt=f"{alt_text(lines)} {words}")


def _line(record: RunRecord, name: str) -> Line:
    steps, losses = run_history.asked(record, _validation)
    return Line(name, steps, losses, record.state in UNFINISHED)


def _validation(history: History) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """Mean validation loss over lanes and seeds, by step."""
    rows = [row for row in history.epochs if row.validation_loss]
    return tuple(row.step for row in rows), tuple(sum(row.validation_loss) / len(row.validation_loss) for row in rows)


def summary(lines: list[Line]) -> str:
    """Which of both came lowest, with the caution that two runs allow."""
    known = [line for line in lines if line.losses]
    if len(known) < 2:
        return _("The first validation losses come at the ends of the first epochs.")
    lowest = "; ".join(
        _("{name} {loss:.4g} after step {step:,}").format(
            name=line.name, loss=min(line.losses), step=line.steps[line.losses.index(min(line.losses))]
        )
        for line in known
    )
    words = _("Lowest validation loss: {lowest}.").format(lowest=lowest)
    if any(line.is_live for line in lines):
        return words
    return f"{words} {_('One run each: more seeds would say how much of the difference is chance.')}"
