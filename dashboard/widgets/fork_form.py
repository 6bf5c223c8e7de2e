"""A new run from a checkpoint of another one: from which moment, with what taken over, and what is changed."""

import streamlit as st

from core.diagnostics import Diagnostic
from core.errors import LayerwiseError
from core.experiment.check import findings
from core.experiment.check_frozen import trained_inference
from core.experiment.check_origin import origin_findings, taken_layers
from core.experiment.experiment import Experiment
from core.experiment.fork import forked
from core.experiment.origin import Origin
from core.jobs.training import TrainJob
from core.models.model import layer_name
from core.optim.optimizers import AnyOptimizer
from core.spec import choices
from core.store.protocol import RunRecord
from dashboard.components.fields import translated
from dashboard.session import resources, run_now, selection, state
from dashboard.session.moments import Moment, moments
from dashboard.text import _
from dashboard.widgets.failure import failure, problem, toast
from dashboard.widgets.fork_compare import compare_buttons, fork_comparison
from dashboard.widgets.fork_origin import frozen_choice
from dashboard.widgets.links import open_screen
from dashboard.widgets.subject import series_names

MAX_EPOCHS = 100_000


def fork_form(record: RunRecord, *, key: str) -> None:
    """The form for one run. All its keys begin with `key`, so that it can stand on several screens."""
    try:
        source = run_now.experiment_now(record)
    except LayerwiseError as error:
        failure(error)
        return
    kept = moments(record)
    if not kept:
        st.info(_("This run has kept no checkpoint: there is nothing to fork from."), icon=":material/info:")
        return
    st.caption(
        _(
            "Pre-train on one data set, fork, choose other data on the Data screen, and train on: that is fine-tuning. "
            "Layers that fit keep their weights; a head for another number of classes starts fresh."
        )
    )
    moment, series = _start(record, kept, source, key)
    wanted = _wanted(source, _origin(moment, series), key)
    if wanted is None:
        return
    found = _findings(wanted, source)
    _say(wanted, source, found)
    _buttons(wanted, key, is_off=any(one.severity == "error" for one in found))
    fork_comparison(record.id, key=key)


def _start(record: RunRecord, kept: tuple[Moment, ...], source: Experiment, key: str) -> tuple[Moment, int]:
    """Which moment, the one that all screens look at, and of a race which lane."""
    by_step = {one.step: one for one in kept}
    chosen = selection.moment(record.id)
    newest = next(one for one in kept if one.is_newest)
    asked = f"{key}.moment"
    st.session_state[asked] = newest.step if chosen is None else min(by_step, key=lambda step: abs(step - chosen))

    def choose() -> None:
        selection.choose_moment(record.id, st.session_state[asked])

    left, right = st.columns(2)
    with left:
        st.selectbox(
            _("Checkpoint"),
            sorted(by_step, reverse=True),
            key=asked,
            on_change=choose,
            format_func=lambda step: moment_words(by_step[step]),
        )
    with right:
        series = _series(series_names(source), key)
    return by_step[st.session_state[asked]], series


def _series(names: list[str], key: str) -> int:
    if len(names) == 1:
        return 0
    asked = f"{key}.series"
    st.session_state[asked] = selection.series(len(names))
    st.selectbox(
        _("Lane"),
        range(len(names)),
        key=asked,
        on_change=lambda: selection.choose_series(st.session_state[asked]),
        format_func=names.__getitem__,
    )
    return int(st.session_state[asked])


def moment_words(moment: Moment) -> str:
    """`Step 300 · epoch 2.5 · validation loss 0.31 · best epoch ★`."""
    parts = [_("Step {step:,}").format(step=moment.step)]
    if moment.epoch is not None:
        parts.append(_("epoch {epoch:.3g}").format(epoch=moment.epoch))
    if moment.validation_loss is not None:
        parts.append(_("validation loss {loss:.3g}").format(loss=moment.validation_loss))
    if moment.is_best:
        parts.append(_("best epoch ★"))
    if moment.is_newest:
        parts.append(_("newest"))
    return " · ".join(parts)


def _origin(moment: Moment, series: int) -> Origin:
    ref = moment.ref
    return Origin(run=ref.run, name=ref.name, sha256=ref.sha256, series=series, step=moment.step)


def _wanted(source: Experiment, origin: Origin, key: str) -> Experiment | None:
    """The fork as the widgets say it; None, told in words, where a number is out of its bounds."""
    plain = forked(source, origin)
    lane, menu = plain.lanes[0], {cls.kind_name(): cls for cls in choices(AnyOptimizer)}
    with st.container(key=f"{key}.changes", horizontal=True, vertical_alignment="bottom"):
        kind = st.selectbox(
            _("Optimizer"),
            list(menu),
            index=list(menu).index(lane.optimizer.kind),
            key=f"{key}.optimizer.{origin.run}.{origin.series}",
            format_func=lambda one: translated(menu[one].label),
            width=220,
        )
        optimizer = lane.optimizer if kind == lane.optimizer.kind else menu[kind]()
        rate = st.number_input(
            _("Learning rate"), 0.0, None, optimizer.lr, optimizer.lr / 10, format="%g", width=180,
            key=f"{key}.rate.{origin.run}.{origin.series}.{kind}",
            help=_("Fine-tuning often takes a smaller one than training from scratch."),
        )  # fmt: skip
        epochs = st.number_input(
            _("Epochs"), 1, MAX_EPOCHS, plain.budget.epochs, key=f"{key}.epochs.{origin.run}", width=140,
            placeholder=_("as before"), help=_("Of this run itself: its steps are counted from 0."),
        )  # fmt: skip
        takes_state = st.checkbox(
            _("With optimizer state"), key=f"{key}.state",
            help=_("Takes over moments and momentum too. Only with the same optimizer and the same layers."),
        )  # fmt: skip
    asked = f"{key}.frozen.{origin.run}"
    st.session_state.setdefault(asked, sorted(set(plain.frozen)))
    frozen = frozen_choice(plain, asked)
    try:
        lane = lane.but(optimizer=optimizer.but(lr=rate), name=lane.name if kind == lane.optimizer.kind else "")
        budget = plain.budget if epochs is None else plain.budget.but(epochs=epochs)
        return plain.but(lanes=(lane,), budget=budget, frozen=frozen, origin=origin.but(optimizer_state=takes_state))
    except LayerwiseError as error:
        failure(error)
        return None


def _findings(wanted: Experiment, source: Experiment) -> list[Diagnostic]:
    """What keeps the fork from being trained, and what is worth a word."""
    found = [*findings(wanted, resources.settings()), *origin_findings(wanted, source)]
    return [one for one in found if one.severity == "error"]


def _say(wanted: Experiment, source: Experiment, found: list[Diagnostic]) -> None:
    """What would happen, before it does."""
    for one in found:
        problem(f"{one.message} {one.hint}")
    if found:
        return
    inference, layers = trained_inference(wanted), wanted.model.layers
    words = _("Trains {n} of {all} parameters.").format(
        n=f"{inference.n_parameters:,}", all=f"{inference.n_parameters + inference.n_frozen:,}"
    )
    fresh = ", ".join(layer_name(layers, (index,)) for index in taken_layers(wanted, source).fresh)
    st.text(f"{words} {_('Start fresh: {layers}.').format(layers=fresh)}" if fresh else words)


def _buttons(wanted: Experiment, key: str, *, is_off: bool) -> None:
    with st.container(key=f"{key}.buttons", horizontal=True):
        forks = st.button(
            _("Fork this run"), key=f"{key}.fork", type="primary", icon=":material/fork_right:", disabled=is_off,
            help=_("Starts the new run and shows its curves."),
        )  # fmt: skip
        edits = st.button(
            _("Edit the rest on Build"), key=f"{key}.edit", icon=":material/edit:",
            help=_("Takes the fork in hand: change layers on Build and data on Data, then press Train."),
        )  # fmt: skip
        compare_buttons(wanted, key=key, is_off=is_off)
    if forks and start(wanted) is not None:
        open_screen("train")
    if edits:
        state.set_experiment(wanted)
        open_screen("build")


def start(wanted: Experiment) -> str | None:
    """Train the fork, and look at it; None, told in a toast, where it is refused."""
    try:
        run = resources.client().submit(TrainJob(experiment=wanted))
    except LayerwiseError as error:
        toast(error)
        return None
    state.set_experiment(wanted)
    state.set_run(run)
    return run
