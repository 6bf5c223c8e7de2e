"""What is looked at: the weights of a run at one moment, and one example. Shared by Inspect and Explain."""

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

SPLITS: tuple[SplitName, ...] = ("validation", "train", "test")
EXAMPLE, SPLIT, MOMENT = "subject.example", "subject.split", "subject.moment"


@dataclass(frozen=True, slots=True)
class Subject:
    """An experiment, the weights to look at (None: the initial ones), and the example."""

    experiment: Experiment
    weights: ArtifactRef | None
    example: ExampleRef


def choose_subject(*, screen: str) -> Subject | None:
    """Controls for moment and example; what they say. None while the examples are still loading."""
    record = state.run()
    experiment = state.experiment_of(record.job) if record else state.experiment()
    with st.container(key=f"{screen}.subject", horizontal=True, vertical_alignment="bottom"):
        weights = _moment(record.id, screen) if record else None
        split = _split(screen)
    if record is None:
        st.info(
            _("No run yet: this shows the initial, untrained weights. Press Train, then come back."), icon=":material/info:"
        )
    chosen: list[ExampleRef] = []

    def show(gallery: ExampleGallery) -> None:
        chosen.append(ExampleRef(split=split, index=_example(gallery, screen)))

    look(GalleryJob(data=experiment.data, seed=experiment.seed, split=split), ExampleGallery, show, key=f"{screen}.gallery")
    return Subject(experiment, weights, chosen[0]) if chosen else None


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


def _split(screen: str) -> SplitName:
    """Which split the examples come from."""
    labels = {"validation": _("Validation"), "train": _("Training"), "test": _("Test")}
    key = f"{screen}.split"
    present: SplitName = st.session_state.get(SPLIT, SPLITS[0])

    def choose() -> None:
        st.session_state[SPLIT], st.session_state[EXAMPLE] = st.session_state[key], None

    st.session_state[key] = present
    st.selectbox(_("Examples from"), SPLITS, key=key, on_change=choose, format_func=labels.__getitem__, width=160)
    return present


def _example(gallery: ExampleGallery, screen: str) -> int:
    """The chosen example, as its index in the split."""
    indices = gallery.indices.tolist()
    present = st.session_state.get(EXAMPLE)
    place = indices.index(present) if present in indices else 0
    names = [gallery.class_names[label] for label in gallery.labels]

    def pick(to: int) -> None:
        st.session_state[EXAMPLE] = indices[to]

    if gallery.pixels is not None:
        image_picker(gallery.pixels, names, place, key=f"{screen}.image", label=_("Choose an example"), on_pick=pick)
        return int(indices[place])
    key = f"{screen}.row"
    st.session_state[key] = place
    st.selectbox(
        _("Example"),
        range(len(indices)),
        format_func=lambda at: _("number {i}: {name}").format(i=indices[at], name=names[at]),
        key=key,
        on_change=lambda: pick(st.session_state[key]),
        width=320,
    )
    return int(indices[place])
