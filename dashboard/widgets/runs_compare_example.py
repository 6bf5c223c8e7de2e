"""The same example through the newest weights of several runs."""

from collections.abc import Sequence

import streamlit as st

from core.data.gallery import SplitName
from core.experiment.difference import has_same_examples
from core.experiment.experiment import Experiment
from core.jobs.compare_lenses import PredictionJob
from core.jobs.lenses import ExampleRef, GalleryJob
from core.results.examples import ExampleGallery
from core.results.prediction import Prediction
from core.store.protocol import RunRecord
from dashboard.components.image_picker import image_picker
from dashboard.figures.side_by_side import alt_side_by_side, side_by_side
from dashboard.figures.what_if import in_words
from dashboard.session import selection
from dashboard.session.moments import newest
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.runs_compare_names import cost_of, run_name
from dashboard.widgets.split_choice import split_titles
from dashboard.widgets.subject import example_names

MOST_MODELS = 6
SPLITS: tuple[SplitName, ...] = ("validation", "test", "train")
Run = tuple[RunRecord, Experiment]


def same_example(runs: Sequence[Run], *, key: str) -> None:
    """One example of the first run's data, and what every run that has the same data says of it."""
    first = runs[0][1]
    with_it = [run for run in runs if has_same_examples(first, run[1])]
    others = [run_name(*run) for run in runs if not has_same_examples(first, run[1])]
    if others:
        st.info(
            _(
                "These have other data or another seed than {first}, where this example is another one; they are left out: "
                "{others}."
            ).format(first=plain(run_name(*runs[0])), others=plain("; ".join(others))),
            icon=":material/info:",
        )
    if len(with_it) == 1:
        st.caption(_("So there is nothing to hold it against: choose a run with the same data, preparation and seed."))
    if len(with_it) > MOST_MODELS:
        st.caption(_("The first {n} runs with these data are shown.").format(n=MOST_MODELS))
    ref = _example(first, key)
    if ref is not None:
        _answers(with_it[:MOST_MODELS], ref, key)


def _example(experiment: Experiment, key: str) -> ExampleRef | None:
    """The selected example, which can be changed here; None while the examples are loading."""
    widget = f"{key}.split"
    st.session_state[widget] = selection.split(SPLITS)

    def choose() -> None:
        selection.choose_split(st.session_state[widget])

    split: SplitName = st.selectbox(
        _("Examples from"), SPLITS, key=widget, on_change=choose, format_func=split_titles().__getitem__, width=200
    )
    size = experiment.data.profile().n_in(split)
    found: list[ExampleRef] = []

    def show(gallery: ExampleGallery) -> None:
        found.append(ExampleRef(split=split, index=_index(gallery, size, key)))

    look(GalleryJob(data=experiment.data, seed=experiment.seed, split=split), ExampleGallery, show, key=f"{key}.gallery")
    return found[0] if found else None


def _index(gallery: ExampleGallery, size: int, key: str) -> int:
    """Which example of the split: by its picture, or by its number."""
    indices = gallery.indices.tolist()
    known = selection.example(size)
    present: int = indices[0] if known is None else known
    if gallery.pixels is not None:
        image_picker(
            gallery.pixels,
            example_names(gallery),
            indices.index(present) if present in indices else -1,
            key=f"{key}.picture",
            label=_("Choose an example"),
            on_pick=lambda place: selection.choose_example(gallery.split, indices[place]),
        )
        return present
    widget = f"{key}.number"
    st.session_state[widget] = present

    def pick() -> None:
        selection.choose_example(gallery.split, st.session_state[widget])

    st.number_input(_("Example number"), 0, size - 1, key=widget, on_change=pick, width=200)
    return present


def _answers(runs: Sequence[Run], ref: ExampleRef, key: str) -> None:
    """All predictions in one figure, as soon as all are there."""
    found: list[Prediction] = []
    names = []
    for place, (record, experiment) in enumerate(runs):
        kept = newest(record.id)
        if kept is None:
            st.caption(_("{run} has no weights yet.").format(run=plain(run_name(record, experiment))))
            continue
        cost = cost_of(record, experiment)
        series = min(cost.series, len(experiment.lanes) * experiment.repeats - 1)
        name = run_name(record, experiment)
        names.append(f"{name} ({cost.lane})" if len(experiment.lanes) > 1 else name)
        job = PredictionJob(experiment=experiment, weights=kept[0], series=series, example=ref)
        look(job, Prediction, found.append, key=f"{key}.model.{place}")
    if not found or len(found) < len(names):
        return
    _words(found, names)
    figure(side_by_side(found, names, dark=is_dark()), key=f"{key}.answers", alt=alt_side_by_side(found, names))
    st.caption(_("Each run with its newest weights; of several lanes the best one, first seed. ✓ marks the right class."))
    with st.container(horizontal=True):
        for one, name in zip(found, names, strict=True):
            download_arrays(
                one,
                "prediction.npz",
                key=f"{key}.download.{names.index(name)}",
                label=_("{name} (NPZ)").format(name=plain(name)),
            )


def _words(found: Sequence[Prediction], names: Sequence[str]) -> None:
    """Whether they agree, and who is right."""
    if found[0].value is not None:
        st.text("; ".join(f"{name}: {in_words(one)}" for name, one in zip(names, found, strict=True)))
        return
    guesses = [int(one.probabilities.argmax()) for one in found]
    label, classes = found[0].label, found[0].class_names
    right = [name for name, guess in zip(names, guesses, strict=True) if guess == label]
    if len(found) == 1:
        words = _("{run} says {name}").format(run=names[0], name=classes[guesses[0]])
    elif len(set(guesses)) == 1:
        words = _("All {n} say {name}").format(n=len(found), name=classes[guesses[0]])
        if label < 0:
            words += "."
        else:
            words += ", " + (_("which is right.") if right else _("but right is {name}.").format(name=classes[label]))
    else:
        words = _("They disagree.")
        if label >= 0:
            who = "; ".join(right) or _("none of them says so")
            words += " " + _("Right is {name}: {who}.").format(name=classes[label], who=who)
    st.text(words)
