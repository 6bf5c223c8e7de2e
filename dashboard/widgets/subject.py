"""What is looked at: the weights of a run at one moment, and one example. Shared by Inspect and Explain."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.data.gallery import SplitName
from core.experiment.experiment import Experiment
from core.jobs.job import ArtifactRef
from core.jobs.lenses import ExampleRef, GalleryJob
from core.results.examples import ExampleGallery
from dashboard.components.image_picker import image_picker
from dashboard.session import resources, state
from dashboard.text import _
from dashboard.widgets.lens import look
from dashboard.widgets.own_image import OWN_SOURCES, own_image, source_labels

SPLITS: tuple[SplitName, ...] = ("validation", "train", "test")
EXAMPLE, SPLIT, MOMENT = "subject.example", "subject.split", "subject.moment"


@dataclass(frozen=True, slots=True)
class Subject:
    """An experiment, the weights to look at (None: the initial ones), and the example."""

    experiment: Experiment
    weights: ArtifactRef | None
    example: ExampleRef


def choose_subject(*, screen: str) -> Subject | None:
    """Controls for moment and example; what they say. None while the examples are still loading, or none is there yet."""
    record = state.run()
    experiment = state.experiment_of(record.job) if record else state.experiment()
    is_image = experiment.data.original_profile().modality == "image"
    with st.container(key=f"{screen}.subject", horizontal=True, vertical_alignment="bottom"):
        weights = _moment(record.id, screen) if record else None
        source = _source(screen, (*SPLITS, *OWN_SOURCES) if is_image else SPLITS)
    if record is None:
        st.info(
            _("No run yet: this shows the initial, untrained weights. Press Train, then come back."), icon=":material/info:"
        )
    example = own_image(source, screen=screen) if source in OWN_SOURCES else _of_the_data(experiment, source, screen)
    return Subject(experiment, weights, example) if example else None


def take_example(split: SplitName, index: int) -> None:
    """Look at this example on all screens."""
    st.session_state[SPLIT], st.session_state[EXAMPLE] = split, index


def example_place(split: SplitName, indices: Sequence[int]) -> int:
    """The place of the example that is looked at among these of a split; -1 when it is none of them."""
    present = st.session_state.get(EXAMPLE)
    return list(indices).index(present) if st.session_state.get(SPLIT) == split and present in indices else -1


def _of_the_data(experiment: Experiment, split: SplitName, screen: str) -> ExampleRef | None:
    """An example of a split; None while the examples are still loading."""
    chosen: list[ExampleRef] = []
    profile = experiment.data.profile()
    size = {"train": profile.n_train, "validation": profile.n_validation, "test": profile.n_test}[split]

    def show(gallery: ExampleGallery) -> None:
        chosen.append(ExampleRef(split=split, index=_example(gallery, size, screen)))

    look(GalleryJob(data=experiment.data, seed=experiment.seed, split=split), ExampleGallery, show, key=f"{screen}.gallery")
    return chosen[0] if chosen else None


def _moment(run: str, screen: str) -> ArtifactRef | None:
    """A slider over the kept checkpoints; the newest one as long as nobody moves it."""
    saved = resources.reader().artifacts(run, kind="checkpoint")
    kept = {artifact.step: artifact for artifact in saved}
    if not kept:
        st.text(_("The first checkpoint is not there yet; these are the initial weights."))
        return None
    steps, key = sorted(kept), f"{screen}.moment"
    newest = saved[-1].step  # in time: a run that diverged ends with its last good weights, which are of an earlier step
    chosen = st.session_state.get(MOMENT)
    step = chosen[1] if chosen and chosen[0] == run and chosen[1] in kept else newest

    def choose() -> None:
        moved = st.session_state[key]
        st.session_state[MOMENT] = (run, moved) if moved != newest else None  # the newest stays the newest

    if len(steps) > 1:
        st.session_state[key] = step
        st.select_slider(
            _("Weights after step"),
            steps,
            key=key,
            on_change=choose,
            format_func=lambda number: f"{number:,}",
            width=420,
            help=_("Kept checkpoints of this run, from the start to the newest."),
        )
    found = kept[step]
    return ArtifactRef(run=found.run, name=found.name, sha256=found.sha256)


def _source(screen: str, sources: tuple[str, ...]) -> str:
    """Where the example comes from: a split of the data, or the visitor."""
    labels = {"validation": _("Validation"), "train": _("Training"), "test": _("Test")} | source_labels()
    key = f"{screen}.split"
    present = st.session_state.get(SPLIT, SPLITS[0])

    def choose() -> None:
        st.session_state[SPLIT], st.session_state[EXAMPLE] = st.session_state[key], None

    st.session_state[key] = present if present in sources else sources[0]
    st.selectbox(_("Examples from"), sources, key=key, on_change=choose, format_func=labels.__getitem__, width=160)
    return st.session_state[key]


def _example(gallery: ExampleGallery, size: int, screen: str) -> int:
    """The chosen example, as its index in a split of this size; it may be one that is not in the gallery."""
    indices = gallery.indices.tolist()
    known: int | None = st.session_state.get(EXAMPLE)
    present = known if known is not None and known < size else indices[0]
    names = example_names(gallery)

    def pick(index: int) -> None:
        st.session_state[EXAMPLE] = index

    if gallery.pixels is not None:
        place = indices.index(present) if present in indices else -1
        words = _("Choose an example")
        image_picker(gallery.pixels, names, place, key=f"{screen}.image", label=words, on_pick=lambda to: pick(indices[to]))
        if place < 0:
            st.caption(_("Number {i}, chosen on the Data screen.").format(i=present))
        return present
    key = f"{screen}.row"
    texts = gallery.texts or [_("number {i}").format(i=index) for index in indices]
    labels = {index: f"{text}: {name}" for index, text, name in zip(indices, texts, names, strict=True)}
    labels.setdefault(present, _("number {i}, chosen on the Data screen").format(i=present))
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
