"""Metrics of a split with their intervals, and the curves behind them."""

import streamlit as st

from core.data.dataset import DataProfile
from core.data.gallery import SplitName
from core.jobs.evaluation_lenses import EvaluateJob
from core.jobs.lenses import ExampleRef
from core.results.evaluation import Evaluation, NumberEvaluation
from dashboard.text import _
from dashboard.widgets.evaluate_metrics_classes import show_classes
from dashboard.widgets.evaluate_metrics_numbers import show_numbers
from dashboard.widgets.evaluate_state import tell_of_failure
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject

SPLITS: tuple[SplitName, ...] = ("test", "validation", "train")


def panel(subject: Subject, *, key: str) -> None:
    """Metrics of a split with their intervals, and the curves behind them."""
    tell_of_failure(subject)
    profile = subject.experiment.data.profile()
    split = _split(profile, key)
    job = EvaluateJob(**(subject.asked() | {"example": ExampleRef()}), split=split)
    if profile.task == "regression":
        look(job, NumberEvaluation, lambda found: show_numbers(found, key=f"{key}.numbers"), key=f"{key}.look")
    else:
        look(job, Evaluation, lambda found: show_classes(found, key=f"{key}.classes"), key=f"{key}.look")


def _split(profile: DataProfile, key: str) -> SplitName:
    """Which examples are counted, and what that means for the figures."""
    labels = {
        "test": _("Test, {n:,}").format(n=profile.n_test),
        "validation": _("Validation, {n:,}").format(n=profile.n_validation),
        "train": _("Training, {n:,}").format(n=profile.n_train),
    }
    chosen = st.segmented_control(
        _("Examples"),
        SPLITS,
        default="test",
        key=f"{key}.split",
        persist_state="session",
        required=True,
        format_func=labels.__getitem__,
        help=_("Which split the figures are of, and how many examples it has."),
    )
    split: SplitName = chosen
    if split == "train":
        st.warning(
            _("The model has learnt from these very examples, so these figures flatter it. Judge it by the test split."),
            icon=":material/warning:",
        )
    elif split == "validation":
        st.warning(
            _("The best epoch, and maybe your settings, were chosen by these examples, so these figures flatter it a little."),
            icon=":material/warning:",
        )
    else:
        st.caption(_("Nothing was learnt from these examples. The more you choose by them, the less their figures promise."))
    return split
