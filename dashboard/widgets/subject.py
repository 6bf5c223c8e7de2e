"""What is looked at: the weights of a run at one moment, and one example. Shared by Inspect and Explain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.data.gallery import SplitName
from core.experiment.experiment import Experiment
from core.jobs.job import ArtifactRef
from core.jobs.lenses import ExampleRef, GalleryJob
from core.results.examples import ExampleGallery
from dashboard.components.image_picker import image_picker
from dashboard.session import run_now, selection, state
from dashboard.text import _
from dashboard.widgets.lens import look
from dashboard.widgets.own_image import OWN_SOURCES, own_image, source_labels
from dashboard.widgets.split_choice import split_titles
from dashboard.widgets.time_slider import time_slider

SPLITS: tuple[SplitName, ...] = ("validation", "train", "test")
LANE_WIDTH = 360


@dataclass(frozen=True, slots=True)
class Subject:
    """What every lens looks at. `weights` None are the initial ones; `step` is the moment, `series` the lane and seed."""

    experiment: Experiment
    weights: ArtifactRef | None
    example: ExampleRef
    run: str | None = None
    step: int = 0
    series: int = 0

    def asked(self) -> dict[str, Any]:
        """The fields of a `WeightsJob` that say what is looked at."""
        return {"experiment": self.experiment, "weights": self.weights, "example": self.example, "series": self.series}


def choose_subject(*, screen: str) -> Subject | None:
    """Controls for moment and example; what they say. None while the examples are still loading, or none is there yet."""
    record = state.run()
    experiment = run_now.experiment_now(record) if record else state.experiment()
    is_image = experiment.data.original_profile().modality == "image"
    names = series_names(experiment) if record else [""]
    moment = time_slider(record, selection.series(len(names)), key=f"{screen}.moment") if record else None
    if record is None:
        st.info(
            _("No run yet: this shows the initial, untrained weights. Press Train, then come back."), icon=":material/info:"
        )
    narrow, wide = st.columns([1, 6], gap="small", vertical_alignment="top")
    with narrow:
        series = _series(names, screen)
        source = _source(screen, (*SPLITS, *OWN_SOURCES) if is_image else SPLITS)
    with wide:
        example = own_image(source, screen=screen) if source in OWN_SOURCES else _of_the_data(experiment, source, screen)
    if example is None:
        return None
    weights, step = (moment.ref, moment.step) if moment else (None, 0)
    return Subject(experiment, weights, example, record.id if record else None, step, series)


def choose_weights(*, screen: str) -> Subject:
    """As `choose_subject`, for what needs no example: lane and moment alone."""
    record = state.run()
    experiment = run_now.experiment_now(record) if record else state.experiment()
    if record is None:
        st.info(
            _("No run yet: this shows the initial, untrained weights. Press Train, then come back."), icon=":material/info:"
        )
        return Subject(experiment, None, ExampleRef())
    names = series_names(experiment)
    moment = time_slider(record, selection.series(len(names)), key=f"{screen}.moment")
    with st.container(width=LANE_WIDTH):
        series = _series(names, screen)
    return Subject(experiment, moment.ref if moment else None, ExampleRef(), record.id, moment.step if moment else 0, series)


def take_example(split: SplitName, index: int) -> None:
    """Look at this example on all screens."""
    selection.choose_example(split, index)


def example_place(split: SplitName, indices: Sequence[int]) -> int:
    """The place of the example that is looked at among these of a split; -1 when it is none of them."""
    present = selection.example(size=2**31) if selection.is_split(split) else None
    return list(indices).index(present) if present in indices else -1


def _of_the_data(experiment: Experiment, split: SplitName, screen: str) -> ExampleRef | None:
    """An example of a split; None while the examples are still loading."""
    chosen: list[ExampleRef] = []
    size = experiment.data.profile().n_in(split)

    def show(gallery: ExampleGallery) -> None:
        chosen.append(ExampleRef(split=split, index=_example(gallery, size, screen)))

    look(GalleryJob(data=experiment.data, seed=experiment.seed, split=split), ExampleGallery, show, key=f"{screen}.gallery")
    return chosen[0] if chosen else None


def _series(names: list[str], screen: str) -> int:
    """Which lane and seed of a race is looked at; a plain run has one."""
    present, key = selection.series(len(names)), f"{screen}.series"
    if len(names) == 1:
        return 0
    st.session_state[key] = present

    def choose() -> None:
        selection.choose_series(st.session_state[key])

    st.selectbox(_("Lane"), range(len(names)), key=key, on_change=choose, format_func=names.__getitem__)
    return int(st.session_state[key])


def series_names(experiment: Experiment) -> list[str]:
    """One name per lane and seed, in the order of their numbers."""
    lanes = experiment.lane_names()
    if experiment.repeats == 1:
        return list(lanes)
    return [_("{lane}, seed {n}").format(lane=lane, n=n + 1) for lane in lanes for n in range(experiment.repeats)]


def _source(screen: str, sources: tuple[str, ...]) -> str:
    """Where the example comes from: a split of the data, or the visitor."""
    labels = {**split_titles(), **source_labels()}
    key = f"{screen}.split"
    st.session_state[key] = selection.split(sources)

    def choose() -> None:
        selection.choose_split(st.session_state[key])

    st.selectbox(_("Examples from"), sources, key=key, on_change=choose, format_func=labels.__getitem__)
    return str(st.session_state[key])


def _example(gallery: ExampleGallery, size: int, screen: str) -> int:
    """The chosen example, as its index in a split of this size; it may be one that is not in the gallery."""
    indices = gallery.indices.tolist()
    known = selection.example(size)
    present: int = known if known is not None else indices[0]
    names = example_names(gallery)

    def pick(index: int) -> None:
        selection.choose_example(gallery.split, index)

    if gallery.pixels is not None:
        place = indices.index(present) if present in indices else -1
        words = _("Choose an example")
        image_picker(gallery.pixels, names, place, key=f"{screen}.image", label=words, on_pick=lambda to: pick(indices[to]))
        if place < 0:
            st.caption(_("Number {i} of this split.").format(i=present))
        return present
    key = f"{screen}.row"
    texts = gallery.texts or [_("number {i}").format(i=index) for index in indices]
    labels = {index: f"{text}: {name}" for index, text, name in zip(indices, texts, names, strict=True)}
    labels.setdefault(present, _("number {i} of this split").format(i=present))
    st.session_state[key] = present
    st.selectbox(
        _("Example"),
        list(labels),
        format_func=labels.__getitem__,
        key=key,
        on_change=lambda: pick(st.session_state[key]),
        width=320 if gallery.texts is None else "stretch",
    )
    return present


def example_names(gallery: ExampleGallery) -> list[str]:
    """What each example is: its class, or its number."""
    if gallery.targets is not None:
        return [f"{target:.4g}" for target in gallery.targets]
    return [gallery.class_names[label] for label in gallery.labels]
