"""How an experiment is trained, besides its optimizer: batch size, epochs, seed."""

from collections.abc import Callable

import streamlit as st

from core.experiment.experiment import Experiment
from dashboard.text import _

MAX_EPOCHS, MAX_SEED, MAX_BATCH = 100_000, 2**31 - 1, 8192


def training_form(experiment: Experiment, *, key: str, on_change: Callable[..., None]) -> None:
    """The fields; `on_change` gets the changed fields of the experiment by name."""

    def change(name: str) -> None:
        value = st.session_state[f"{key}.{name}"]
        if value is None:
            return  # emptied: it goes back to the present value
        if name == "epochs":
            on_change(budget=experiment.budget.but(epochs=value))
        elif name == "full":
            on_change(batch_size="full" if value else 32)
        else:
            on_change(**{name: value})

    is_full = experiment.batch_size == "full"
    n_train = experiment.data.profile().n_train
    st.session_state[f"{key}.batch_size"] = experiment.batch(n_train)
    st.session_state[f"{key}.full"] = is_full
    st.session_state[f"{key}.epochs"] = experiment.budget.epochs
    st.session_state[f"{key}.seed"] = experiment.seed
    left, right = st.columns(2)
    with left:
        st.number_input(
            _("Batch size"), 1, MAX_BATCH, None, key=f"{key}.batch_size", on_change=change, args=("batch_size",),
            disabled=is_full, help=_("Examples per optimizer step."),
        )  # fmt: skip
        st.number_input(
            _("Epochs"), 1, MAX_EPOCHS, None, key=f"{key}.epochs", on_change=change, args=("epochs",),
            help=_("Passes over the training split."),
        )  # fmt: skip
    with right:
        st.number_input(
            _("Seed"), 0, MAX_SEED, None, key=f"{key}.seed", on_change=change, args=("seed",),
            help=_("Start of all random numbers: data, split, initial weights, batch order."),
        )  # fmt: skip
        st.checkbox(
            _("Full batch"), key=f"{key}.full", on_change=change, args=("full",),
            help=_("Each step uses the whole training split: gradient descent without noise."),
        )  # fmt: skip
