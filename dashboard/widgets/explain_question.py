"""What is asked of every method: which class, held against which, in which unit, and what stands for nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.data.dataset import DataProfile
from core.explanation.evaluations import Baseline
from core.explanation.explainer import ExplainerChoice, Unit
from dashboard.session import selection
from dashboard.text import _

FILLS: tuple[Baseline, ...] = ("mean", "blur", "black", "noise")
TABLE_FILLS: tuple[Baseline, ...] = ("mean", "black")
MAX_SEED = 2**31 - 1
OPEN = -1
"""No class is chosen."""


@dataclass(frozen=True, slots=True)
class Question:
    """`target` None asks for the predicted class, `contrast` None for no comparison."""

    target: int | None = None
    contrast: int | None = None
    unit: Unit = "logit"
    baseline: Baseline = "mean"
    seed: int = 0

    def asked(self) -> dict[str, Any]:
        """The fields of an `ExplainJob` that say what is asked."""
        return {"target": self.target, "contrast": self.contrast, "unit": self.unit, "seed": self.seed}

    def of(self, method: ExplainerChoice) -> ExplainerChoice:
        """The method with the chosen baseline, where it has one."""
        return method.but(baseline=self.baseline) if "baseline" in type(method).model_fields else method


def question(profile: DataProfile, *, key: str) -> Question:
    """The controls in a row, and a sentence on what the chosen baseline means."""
    is_regression = profile.task == "regression"
    with st.container(key=f"{key}.question", horizontal=True, vertical_alignment="bottom"):
        target = None if is_regression else _target(profile, key)
        contrast = None if is_regression else _contrast(profile, target, key)
        unit: Unit = "logit" if is_regression else _unit(key)
        baseline = _baseline(profile, key)
        seed = st.number_input(
            _("Seed"), 0, MAX_SEED, 0, key=f"{key}.seed", persist_state="session", width=110, help=_("Of all that is drawn.")
        )
    st.caption(baseline_words(baseline, profile))
    return Question(target, contrast, unit, baseline, seed)


def _target(profile: DataProfile, key: str) -> int | None:
    """The class to explain; None for the predicted one."""
    names, present = profile.class_names, selection.target(len(profile.class_names))
    words = {OPEN: _("the predicted class")} | dict(enumerate(names))
    return _class(_("Why"), words, present, selection.choose_target, key=f"{key}.target")


def _contrast(profile: DataProfile, target: int | None, key: str) -> int | None:
    """The class that the explained one is held against."""
    names, present = profile.class_names, selection.contrast(len(profile.class_names))
    words = {OPEN: _("(no other class)")} | {one: name for one, name in enumerate(names) if one != target}
    known = None if present == target else present
    help_text = _("Explains the difference between the answers for two classes: why this one and not that one.")
    return _class(_("and not"), words, known, selection.choose_contrast, key=f"{key}.contrast", help_text=help_text)


def _class(
    label: str,
    words: dict[int, str],
    present: int | None,
    choose: Callable[[int | None], None],
    *,
    key: str,
    help_text: str | None = None,
) -> int | None:
    """A class, or none: what was chosen on any screen is chosen here."""
    st.session_state[key] = OPEN if present is None else present

    def chosen() -> None:
        choose(None if st.session_state[key] == OPEN else st.session_state[key])

    st.selectbox(label, list(words), key=key, on_change=chosen, format_func=words.__getitem__, width=200, help=help_text)
    return None if st.session_state[key] == OPEN else int(st.session_state[key])


def _unit(key: str) -> Unit:
    labels = {"logit": _("logit"), "probability": _("probability")}
    chosen: Unit | None = st.segmented_control(
        _("Explain the"),
        list(labels),
        default="logit",
        key=f"{key}.unit",
        persist_state="session",
        format_func=labels.__getitem__,
        required=True,
        help=_("Evidence adds up in the logit. The probability depends on all classes, and hardly moves near 0 and 1."),
    )
    return chosen or "logit"


def _baseline(profile: DataProfile, key: str) -> Baseline:
    """What stands for "nothing there". Words are hidden as the settings of each method say."""
    if profile.modality == "sequence":
        return "mean"
    is_image = profile.modality == "image"
    labels = {"mean": _("mean colour") if is_image else _("mean row"), "blur": _("blurred"), "noise": _("noise")}
    labels["black"] = _("black") if is_image else _("zeros")
    fills = FILLS if is_image else TABLE_FILLS
    widget = f"{key}.baseline.{profile.modality}"
    chosen = st.selectbox(
        _("Nothing is"), fills, key=widget, persist_state="session", format_func=labels.__getitem__, width=150
    )
    return chosen or "mean"


def baseline_words(baseline: Baseline, profile: DataProfile) -> str:
    """What the choice of a baseline means for what is seen."""
    if profile.modality == "sequence":
        return _("A hidden word is left out and the others move together, unless a method's settings say otherwise.")
    if profile.modality != "image":
        if baseline == "mean":
            return _("A hidden feature takes the values of training examples: contributions are measured from the average row.")
        return _("A hidden feature is 0, as the model receives it: what is 0 itself can get no contribution.")
    return {
        "mean": _("Hidden parts take the mean colour of the training images: what has this colour itself contributes nothing."),
        "blur": _("Hidden parts are blurred: shapes and edges count, an even colour counts for nothing."),
        "black": _("Hidden parts are black: what is black itself can get no contribution, however much it matters."),
        "noise": _("Hidden parts are noise: the model has seen nothing like it, so that its answers there say less."),
    }[baseline]
