"""One example under a growing disturbance, and what the model says of it then: of the data, of a file, or drawn by hand."""

import numpy as np
import streamlit as st

from core.data.disturbance import AnyDisturbance
from core.data.gallery import SplitName
from core.jobs.compare_lenses import PredictionJob
from core.jobs.error_lenses import DisturbedExampleJob
from core.jobs.lenses import ExampleRef
from core.results.prediction import Prediction
from core.results.robustness import DisturbedExample
from dashboard.components.example_cards import Bar, Card, example_cards
from dashboard.components.shared import picture_url
from dashboard.session import selection
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.lens import look
from dashboard.widgets.own_image import OWN_SOURCES, own_image, source_labels
from dashboard.widgets.subject import SPLITS, Subject

OF_THE_DATA = "data"
TOP, TOP_OWN = 3, 5
COLUMNS = 6


def strip(subject: Subject, disturbance: AnyDisturbance, split: SplitName, luck: int, *, key: str) -> None:
    """Choose an example; then it at every strength."""
    source = _source(subject, key)
    if source == OF_THE_DATA:
        example: ExampleRef | None = (of_the_data := _of_the_data(subject, split))
        st.caption(
            _("Number {i:,} of the {split} split. Choose another one under Errors, or on Inspect or Explain.").format(
                i=of_the_data.index, split=split_names()[of_the_data.split]
            )
        )
    else:
        pad, answer = st.columns([1, 1], gap="medium")
        with pad:
            example = own_image(source, screen=key)
        with answer:
            if example is not None:
                _answer(subject, example, key)
    if example is None:
        return
    job = DisturbedExampleJob(**(subject.asked() | {"example": example}), disturbance=disturbance, luck=luck)
    look(job, DisturbedExample, lambda found: _shown(found, key), key=f"{key}.look")


def _source(subject: Subject, key: str) -> str:
    """An example of the data; of images also one of the visitor's own."""
    st.markdown(f"**{_('One example under growing strength')}**")
    if subject.experiment.data.original_profile().modality != "image":
        return OF_THE_DATA
    labels = {OF_THE_DATA: _("The chosen example")} | source_labels()
    chosen = st.segmented_control(
        _("Example"),
        [OF_THE_DATA, *OWN_SOURCES],
        default=OF_THE_DATA,
        key=f"{key}.source",
        persist_state="session",
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    return chosen or OF_THE_DATA


def _of_the_data(subject: Subject, split: SplitName) -> ExampleRef:
    """The example that is looked at on all screens where it is one of the data; else the first one of this split."""
    profile = subject.experiment.data.profile()
    for name in SPLITS:
        known = selection.example(profile.n_in(name)) if selection.is_split(name) else None
        if known is not None:
            return ExampleRef(split=name, index=known)
    return ExampleRef(split=split, index=0)


def split_names() -> dict[SplitName, str]:
    """The splits in a sentence."""
    return {"train": _("training"), "validation": _("validation"), "test": _("test")}


def _answer(subject: Subject, example: ExampleRef, key: str) -> None:
    """What the model says of the visitor's own picture, as it receives it."""

    def show(found: Prediction) -> None:
        picture = "" if found.pixels is None else picture_url(found.pixels)
        if found.value is not None:
            card = Card(f"{found.target_name} {found.value:.4g}", picture)
        else:
            guess = int(found.probabilities.argmax())
            rows = bars(found.probabilities, found.class_names, -1, TOP_OWN)
            card = Card(_("predicted {name}").format(name=found.class_names[guess]), picture, "", rows)
        example_cards([card], chosen=-1, key=f"{key}.answer", label=_("What the model says of your picture"))

    look(PredictionJob(**(subject.asked() | {"example": example})), Prediction, show, key=f"{key}.own")


def bars(shares: np.ndarray, names: tuple[str, ...], label: int, k: int) -> tuple[Bar, ...]:
    """The most probable classes."""
    top = np.argsort(-shares, kind="stable")[:k].tolist()
    return tuple(Bar(names[one], float(shares[one]), f"{shares[one]:.1%}", one == label) for one in top)


def _shown(found: DisturbedExample, key: str) -> None:
    st.text(in_words(found))
    example_cards(
        [card(found, at) for at in range(len(found.strengths))],
        chosen=-1,
        key=f"{key}.strip",
        label=_("The example under growing strength"),
    )
    download_arrays(found, "disturbed-example.npz", key=f"{key}.download")


def card(found: DisturbedExample, at: int) -> Card:
    """The example at one strength."""
    picture = "" if found.pixels is None else picture_url(found.pixels[at])
    text = found.texts[at] if found.texts else ""
    if found.raw is not None:
        pairs = zip(found.raw_names[:COLUMNS], found.raw[at], strict=False)
        text = " · ".join(f"{name} {value:.4g}" for name, value in pairs)
    strength = _("undisturbed") if at == 0 else _("strength {s:.4g}").format(s=found.strengths[at])
    if found.values is not None:
        return Card(f"{strength}: {found.values[at]:.4g}", picture, text)
    return Card(strength, picture, text, bars(found.probabilities[at], found.class_names, found.label, TOP))


def in_words(found: DisturbedExample) -> str:
    """Up to which strength the answer stays."""
    if found.values is not None:
        return _("The prediction goes from {a:.4g} to {b:.4g} at {s:.4g} ({unit}).").format(
            a=found.values[0], b=found.values[-1], s=found.strengths[-1], unit=_(found.unit)
        )
    guesses = found.probabilities.argmax(1)
    names = found.class_names
    others = np.flatnonzero(guesses != guesses[0])
    known = {"first": names[guesses[0]], "unit": _(found.unit)}
    if not len(others):
        words = _("The prediction stays {first} at every strength up to {s:.4g} ({unit}).").format(
            s=found.strengths[-1], **known
        )
    else:
        at = int(others[0])
        words = _("The prediction is {first} until it becomes {other} at {s:.4g} ({unit}).").format(
            other=names[guesses[at]], s=found.strengths[at], **known
        )
    if found.label >= 0:
        words += " " + _("Right is {name}.").format(name=names[found.label])
    return words
