"""How an experiment is trained, besides its lanes: batch size, epochs, seed; folded away what a beginner may leave alone."""

from collections.abc import Callable

import streamlit as st

from core.experiment.experiment import Experiment
from dashboard.text import _

MAX_EPOCHS, MAX_SEED, MAX_BATCH = 100_000, 2**31 - 1, 8192
MAX_PATIENCE, MAX_PARTS = 10_000, 64
DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("float32", "bfloat16")
OF_BUDGET = ("epochs", "patience", "target_accuracy")
OPTIONAL = ("patience", "target_accuracy")
Change = Callable[..., None]


def training_form(experiment: Experiment, *, key: str, on_change: Change) -> None:
    """The fields; `on_change` gets the changed fields of the experiment by name."""

    def change(name: str) -> None:
        value = st.session_state[f"{key}.{name}"]
        if value is None and name not in OPTIONAL:
            return  # emptied: it goes back to the present value
        if name in OF_BUDGET:
            on_change(budget=experiment.budget.but(**{name: value}))
        elif name == "full":
            on_change(batch_size="full" if value else 32)
        else:
            on_change(**{name: value})

    _first(experiment, key, change)
    with st.expander(_("More about training"), key=f"{key}.more", icon=":material/tune:"):
        _advanced(experiment, key, change)


def _first(experiment: Experiment, key: str, change: Change) -> None:
    """What everybody looks for."""
    is_full = experiment.batch_size == "full"
    _show(key, batch_size=experiment.batch(experiment.data.profile().n_train), full=is_full)
    _show(key, epochs=experiment.budget.epochs, seed=experiment.seed)
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


def _advanced(experiment: Experiment, key: str, change: Change) -> None:
    """Early ends, and how the arithmetic is done."""
    budget, of = experiment.budget, experiment
    _show(key, patience=budget.patience, target_accuracy=budget.target_accuracy)
    _show(key, accumulation=of.accumulation, precision=of.precision, device=of.device)
    is_number = experiment.loss.task == "regression"
    left, right = st.columns(2)
    with left:
        st.number_input(
            _("Early stopping: patience"), 1, MAX_PATIENCE, None, key=f"{key}.patience", on_change=change, args=("patience",),
            placeholder=_("never"),
            help=_("Ends the run when no lane has improved its validation loss for so many epochs. Empty for never."),
        )  # fmt: skip
        st.number_input(
            _("Target R²") if is_number else _("Target accuracy"), 0.01, 1.0, None, 0.01, key=f"{key}.target_accuracy",
            on_change=change, args=("target_accuracy",), placeholder=_("none"), format="%g",
            help=_("Ends the run once every lane has reached it on the validation split. Empty for none."),
        )  # fmt: skip
        st.number_input(
            _("Gradient accumulation"), 1, MAX_PARTS, None, key=f"{key}.accumulation", on_change=change, args=("accumulation",),
            help=_("Parts in which the examples of a step go through the model, to save memory. The step stays the same."),
        )  # fmt: skip
    with right:
        st.selectbox(
            _("Device"), DEVICES, key=f"{key}.device", on_change=change, args=("device",),
            help=_("auto takes the graphics card where there is one."),
        )  # fmt: skip
        st.selectbox(
            _("Precision"), PRECISIONS, key=f"{key}.precision", on_change=change, args=("precision",),
            help=_("Number format of the forward pass; weights and updates stay float32."),
        )  # fmt: skip


def _show(key: str, **values: object) -> None:
    """The widgets show the present values, whatever they were left at."""
    for name, value in values.items():
        st.session_state[f"{key}.{name}"] = value
