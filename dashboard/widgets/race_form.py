"""How a race is run, besides its lanes: how often, by which learning rates, for how long."""

from collections.abc import Callable

import streamlit as st

from core.errors import LayerwiseError, SpecError
from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.experiment.races import SIX_RATES, rate_ladder, shared_rate, with_one_rate
from dashboard.text import _
from dashboard.widgets.choice_form import tenth
from dashboard.widgets.failure import toast

MODES = ("own", "shared", "swept", "tuned")
MAX_SEEDS = 16
Lanes = tuple[Lane, ...]


def mode(key: str) -> str:
    """How the learning rates are chosen."""
    return st.session_state.get(f"{key}.mode") or MODES[0]


def edited(experiment: Experiment, lanes: Lanes, *, key: str) -> Lanes:
    """The lanes after an edit; with one rate for all they keep sharing it.

    Raises:
        SpecError: a rate is out of an optimizer's bounds.
    """
    return with_one_rate(experiment.lanes, lanes) if mode(key) == "shared" else lanes


def seeds(experiment: Experiment, *, key: str, on_change: Callable[..., None]) -> None:
    """How often each lane is run, each time with other initial weights and another order of batches."""

    def change() -> None:
        if st.session_state[key] is not None:
            on_change(repeats=st.session_state[key])

    st.session_state[key] = experiment.repeats
    st.number_input(
        _("Seeds per lane"), 1, MAX_SEEDS, None, key=key, on_change=change,
        help=_("Runs of each lane with other initial weights and batches. One run is an anecdote; several give bands."),
    )  # fmt: skip


def rates(experiment: Experiment, *, key: str, on_change: Callable[[Lanes], None]) -> None:
    """How the learning rates are chosen; `on_change` gets the lanes with other rates."""
    words = {"own": _("each its own"), "shared": _("one for all"), "swept": _("a list"), "tuned": _("tuned")}
    st.segmented_control(
        _("Learning rates"),
        MODES,
        default=MODES[0],
        required=True,
        key=f"{key}.mode",
        format_func=words.__getitem__,
        persist_state="session",
        on_change=lambda: _picked(experiment, key, on_change),
        help=_("A race is only as fair as its learning rates: each optimizer has its own best one."),
    )
    match mode(key):
        case "shared":
            _shared(experiment, key, on_change)
        case "swept":
            _swept(experiment, key, on_change)
        case "tuned":
            st.caption(_("Each optimizer gets equally many trials: start them on the tab Sweep, then take the best rates."))


def _picked(experiment: Experiment, key: str, on_change: Callable[[Lanes], None]) -> None:
    if mode(key) == "shared":
        _use(lambda: shared_rate(experiment.lanes, experiment.lanes[0].optimizer.lr), on_change)


def _shared(experiment: Experiment, key: str, on_change: Callable[[Lanes], None]) -> None:
    field, present = f"{key}.shared", experiment.lanes[0].optimizer.lr

    def change() -> None:
        rate = st.session_state[field]
        if rate is not None:
            _use(lambda: shared_rate(experiment.lanes, rate), on_change)

    st.session_state[field] = present
    st.number_input(
        _("Learning rate of all lanes"), 1e-7, 10.0, None, tenth(present), "%g", key=field, on_change=change, width=220
    )


def _swept(experiment: Experiment, key: str, on_change: Callable[[Lanes], None]) -> None:
    """One lane per rate of a list, all else as in the first lane."""
    field = f"{key}.list"
    st.session_state.setdefault(field, ", ".join(f"{rate:g}" for rate in SIX_RATES))

    def take() -> None:
        _use(lambda: rate_ladder(experiment.lanes[0].optimizer, _numbers(st.session_state[field])), on_change)

    with st.container(key=f"{key}.list_row", horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            _("Rates, with commas between them"), key=field, max_chars=300, persist_state="session",
            help=_("The optimizer of the first lane races against itself, once with each rate."),
        )  # fmt: skip
        label = _("Make a lane of {name} for each").format(name=experiment.lanes[0].optimizer.label)
        st.button(label, key=f"{key}.take", on_click=take)


def _numbers(text: str) -> list[float]:
    """The numbers of a list.

    Raises:
        SpecError: something in it is none, or nothing is in it.
    """
    words = text.replace(";", ",").split(",")
    try:
        found = [float(word) for word in words if word.strip()]
    except ValueError:
        raise SpecError("These are not all numbers.", hint="Write them like 0.1, 0.03, 0.01.") from None
    if not found:
        raise SpecError("There is no learning rate in this list.", hint="Write them like 0.1, 0.03, 0.01.")
    return found


def _use(make: Callable[[], Lanes], on_change: Callable[[Lanes], None]) -> None:
    try:
        on_change(make())
    except LayerwiseError as error:
        toast(error)
