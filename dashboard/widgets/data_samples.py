"""Examples of a data set to leaf through: pictures, rows of a table, or lines of text; all, or those of one class."""

from typing import Any

import numpy as np
import streamlit as st

from core.data.dataset import DataProfile
from core.data.gallery import SplitName
from core.experiment.experiment import Experiment
from core.jobs.lenses import GalleryJob
from core.results.examples import ExampleGallery
from dashboard.components.image_picker import image_picker
from dashboard.text import _
from dashboard.widgets import subject
from dashboard.widgets.lens import look
from dashboard.widgets.split_choice import split_titles

PER_PAGE = 48


def data_samples(experiment: Experiment, *, key: str) -> None:
    """The browser with its controls."""
    profile = experiment.data.profile()
    names, sizes = split_titles(), {split: profile.n_in(split) for split in subject.SPLITS}
    with st.container(key=f"{key}.controls", horizontal=True, vertical_alignment="bottom"):
        split: SplitName = st.selectbox(
            _("Split"),
            ("train", "validation", "test"),
            key=f"{key}.split",
            persist_state="session",
            format_func=lambda name: f"{names[name]} ({sizes[name]:,})",
            width=200,
        )
        label = _label(profile, key)
        last = max(1, -(-sizes[split] // PER_PAGE))
        page = st.number_input(
            _("Page"), 1, last, 1, key=f"{key}.page.{split}.{label}", width=140, help=_("48 examples a page.")
        )
    start = (int(page) - 1) * PER_PAGE
    job = GalleryJob(data=experiment.data, seed=experiment.seed, split=split, n=PER_PAGE, only=label, start=start)

    def show(gallery: ExampleGallery) -> None:
        _page(gallery, split, key)

    look(job, ExampleGallery, show, key=key)


def _label(profile: DataProfile, key: str) -> int | None:
    """The class to show; None for all."""
    if not profile.class_names:
        return None
    return st.selectbox(
        _("Class"),
        [None, *range(profile.n_classes)],
        key=f"{key}.class",
        persist_state="session",
        format_func=lambda label: _("all") if label is None else profile.class_names[label],
        width=200,
    )


def _page(gallery: ExampleGallery, split: SplitName, key: str) -> None:
    if not len(gallery.indices):
        st.info(_("No more examples here. Go back a page, or choose all classes."), icon=":material/info:")
        return
    labels = _labels(gallery)
    if gallery.pixels is None:
        st.dataframe(_table(gallery, labels), hide_index=True, height=420, key=f"{key}.table")
        return

    def pick(place: int) -> None:
        subject.take_example(split, int(gallery.indices[place]))

    chosen = subject.example_place(split, gallery.indices.tolist())
    image_picker(gallery.pixels, labels, chosen, key=f"{key}.pictures", label=_("Examples of this page"), on_pick=pick)
    st.caption(_("The chosen example is also the one that Inspect and Explain look at."))


def _labels(gallery: ExampleGallery) -> list[str]:
    """What each example is: its class, or its number."""
    if gallery.targets is not None:
        return [f"{target:.4g}" for target in gallery.targets]
    return [gallery.class_names[label] for label in gallery.labels]


def _table(gallery: ExampleGallery, labels: list[str]) -> dict[str, Any]:
    """Columns of a table: the number of each example, its class or target, and its values or its text."""
    table: dict[str, Any] = {_("number"): gallery.indices, _("class") if gallery.targets is None else _("target"): labels}
    if gallery.texts is not None:
        return table | {_("text"): list(gallery.texts)}
    rows, names = (gallery.values, gallery.feature_names) if gallery.raw is None else (gallery.raw, gallery.raw_names)
    categories = gallery.raw_categories or ((),) * len(names)
    return table | {str(name): _cells(rows[:, i], categories[i]) for i, name in enumerate(names)}


def _cells(column: np.ndarray, categories: tuple[str, ...]) -> Any:
    """Numbers as they are; the number of a category as its name, a gap as nothing."""
    if not categories:
        return column
    return ["" if number != number else categories[int(number)] for number in column]
