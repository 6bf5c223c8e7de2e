"""The learning-rate range test of one lane: asked for by a button, its curve, and what it suggests, to be used by another."""

import math

import streamlit as st

from core.errors import LayerwiseError, SpecError
from core.experiment.experiment import Experiment
from core.jobs.tuning import RangeTestJob
from core.results.range_test import RangeTest
from dashboard.figures.rates import alt_range_test, range_test_curve
from dashboard.text import _
from dashboard.widgets.changes import use
from dashboard.widgets.failure import failure, toast
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.table_file import download_table


def range_test(experiment: Experiment, lane: int = 0, *, key: str) -> None:
    """The test of the lane of this number, with its present optimizer. The result stays while that stays what it is."""
    st.caption(
        _(
            "Training starts with a tiny learning rate, which grows from step to step until training breaks. A good rate lies "
            "where the loss falls steeply, well below where it rises again."
        )
    )
    try:
        job = RangeTestJob.of(experiment, lane)
    except SpecError as error:
        failure(error)
        return
    wanted = f"{key}.wanted"
    if st.session_state.get(wanted) != job.key():
        st.button(
            _("Test the range"), key=f"{key}.start", on_click=_want, args=(wanted, job.key()), icon=":material/trending_up:"
        )
        return

    def show(found: RangeTest) -> None:
        _found(found, experiment, lane, key)

    look(job, RangeTest, show, key=key)


def _want(wanted: str, job_key: str) -> None:
    st.session_state[wanted] = job_key


def _found(found: RangeTest, experiment: Experiment, lane: int, key: str) -> None:
    """The curve, what it says in sentences, and what can be done with it."""
    figure(range_test_curve(found, dark=is_dark()), key=f"{key}.curve", alt=alt_range_test(found))
    for sentence in _sentences(found):
        st.text(sentence)
    with st.container(horizontal=True):
        for name, rate in _offered(found):
            st.button(
                _("Use this rate: {rate:g}").format(rate=rate),
                key=f"{key}.{name}",
                on_click=_use,
                args=(experiment, lane, rate),
                disabled=experiment.lanes[lane].optimizer.lr == rate,
                icon=":material/check:",
            )
        columns = {"learning_rate": found.rates, "loss": found.losses, "smoothed_loss": found.smoothed}
        download_table({name: values.tolist() for name, values in columns.items()}, "range_test.csv", key=f"{key}.download")


def _offered(found: RangeTest) -> list[tuple[str, float]]:
    """The rates to choose from: the steepest fall, and where it is bolder a tenth of the lowest loss's; none without a fall."""
    if not math.isfinite(found.suggestion):
        return []
    careful, bold = two_digits(found.suggestion), two_digits(found.lowest / 10)
    return [("use", careful), *([("use_bold", bold)] if bold > careful else [])]


def two_digits(rate: float) -> float:
    """A rate as a person would write it."""
    return float(f"{rate:.2g}")


def _use(experiment: Experiment, lane: int, rate: float) -> None:
    try:
        use(experiment, lanes=experiment.with_hyper(lane, "lr", rate).lanes)
    except LayerwiseError as error:
        toast(error)


def _sentences(found: RangeTest) -> list[str]:
    """What the curve says, and how far the stability limit holds."""
    said = []
    if math.isfinite(found.suggestion):
        words = _("The loss falls most steeply at a learning rate of {rate:.2g}, and is lowest at {lowest:.2g}.")
        said.append(words.format(rate=found.suggestion, lowest=found.lowest))
        if len(_offered(found)) > 1:
            said.append(_("The first is a careful choice; a tenth of the second is the other usual one, and a bolder one."))
    else:
        said.append(
            _("At no rate the loss falls by more than its noise, so none is suggested. Larger batches make less noise.")
        )
    if math.isfinite(found.diverged_at):
        said.append(_("Training broke at {rate:.2g}.").format(rate=found.diverged_at))
    return [*said, *_limit(found)]


def _limit(found: RangeTest) -> list[str]:
    """The stability limit, or why there is none."""
    if not found.sharpness > 0:
        return []
    curvature = _(
        "Measured on {n:,} training examples, the loss curves at the initial weights with up to λ = {value:.3g} "
        "(the largest eigenvalue of its Hessian)."
    ).format(n=found.n_examples, value=found.sharpness)
    if math.isfinite(found.limit):
        words = _(
            "At such a curvature {lane} is stable up to a rate of {rate:.2g}, and plain gradient descent up to "
            "2 / λ = {plain:.2g}. The curvature changes as training goes on."
        )
    else:
        words = _(
            "Plain gradient descent would be stable up to 2 / λ = {plain:.2g}. For {lane} that limit does not hold: it adapts "
            "its steps to the size of the gradient."
        )
    return [curvature + " " + words.format(lane=found.lane, rate=found.limit, plain=2 / found.sharpness)]
