"""What a disturbance of the input does to the accuracy."""

import streamlit as st

from core.data.disturbance import AnyDisturbance
from core.data.gallery import SplitName
from core.jobs.error_lenses import RobustnessJob
from core.jobs.lenses import ExampleRef
from core.results.robustness import Robustness
from core.spec import choices
from dashboard.components.fields import fields_of, option_of, translated
from dashboard.figures.robustness import alt_robustness, robustness_figure
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.choice_form import tenth
from dashboard.widgets.evaluate_robustness_example import strip
from dashboard.widgets.evaluate_state import tell_of_failure
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.split_choice import split_choice
from dashboard.widgets.subject import Subject

SPLITS: tuple[SplitName, ...] = ("test", "validation", "train")
SIZES = (200, 500, 1000, 2000, 5000)
"""Examples that are disturbed."""


def panel(subject: Subject, *, key: str) -> None:
    """Choose what is done; then the score against its strength, and one example under all strengths."""
    tell_of_failure(subject)
    data = subject.experiment.data
    original, prepared = data.original_profile(), data.profile()
    kinds = [cls() for cls in choices(AnyDisturbance)]
    fitting = [one for one in kinds if one.reason_against(original, prepared) is None]
    form, result = st.columns([2, 5], gap="medium")
    with form:
        chosen = _chosen(fitting, key)
        split, n, luck = _counted_on(key)
        _others([one for one in kinds if one not in fitting], subject, key)
    asked = subject.asked() | {"example": ExampleRef()}
    job = RobustnessJob(**asked, disturbance=chosen, split=split, n_examples=n, luck=luck)
    with result:
        look(job, Robustness, lambda found: _shown(found, key), key=f"{key}.look")
    st.divider()
    strip(subject, chosen, split, luck, key=f"{key}.one")


def _chosen(fitting: list[AnyDisturbance], key: str) -> AnyDisturbance:
    """What is done to the inputs, and how strongly at most."""
    kinds = {one.kind: one for one in fitting}
    kind = st.selectbox(
        _("Disturbance"),
        list(kinds),
        key=f"{key}.kind",
        persist_state="session",
        format_func=lambda kind: translated(kinds[kind].label) if kind in kinds else "",
    )
    picked = kinds[kind] if kind in kinds else fitting[0]
    (view,) = fields_of(type(picked))
    st.caption(translated(option_of(type(picked)).help))
    strongest = st.number_input(
        f"{_('Strongest')} ({_(picked.unit)})",
        view.min,
        view.max,
        picked.strongest,
        key=f"{key}.strongest.{picked.kind}",
        step=tenth(picked.strongest),
        format="%g",
        help=translated(view.help),
    )
    return picked.but(strongest=float(strongest))


def _counted_on(key: str) -> tuple[SplitName, int, int]:
    """The split, how many of its examples, and the seed of what is random."""
    split = split_choice(_("Examples from"), SPLITS, key=f"{key}.split", width="stretch")
    n = st.selectbox(_("At most so many examples"), SIZES, index=1, key=f"{key}.n", persist_state="session")
    luck = st.number_input(_("Seed of the disturbance"), 0, 9_999, 0, key=f"{key}.luck")
    return split, int(n or SIZES[1]), int(luck)


def _others(unfit: list[AnyDisturbance], subject: Subject, key: str) -> None:
    """What cannot be done to these data, and why."""
    if not unfit:
        return
    data = subject.experiment.data
    with st.expander(_("What does not fit these data"), key=f"{key}.unfit"):
        for one in unfit:
            st.text(one.reason_against(data.original_profile(), data.profile()) or "")


def _shown(found: Robustness, key: str) -> None:
    figure(robustness_figure(found, dark=is_dark()), key=f"{key}.figure", alt=alt_robustness(found))
    st.text(in_words(found))
    download_arrays(found, "robustness.npz", key=f"{key}.download")


def in_words(found: Robustness) -> str:
    """What is lost, on how many examples, and how sure that is."""
    numbers = {
        "a": found.score[0],
        "b": found.score[-1],
        "low": found.low[-1],
        "high": found.high[-1],
        "strength": found.strengths[-1],
        "unit": _(found.unit),
    }
    if found.is_regression:
        words = _(
            "Mean absolute error {a:.4g} undisturbed, {b:.4g} (95 % interval {low:.4g} to {high:.4g}) at {strength:.4g} "
            "({unit})."
        )
    else:
        words = _("Accuracy {a:.1%} undisturbed, {b:.1%} (95 % interval {low:.1%} to {high:.1%}) at {strength:.4g} ({unit}).")
    said = (
        words.format(**numbers)
        + " "
        + _("Counted on {n:,} examples, the same ones at every strength.").format(n=found.n_examples)
    )
    if found.n_examples < found.n_in_split:
        said += " " + _("The split has {n:,}.").format(n=found.n_in_split)
    return said
