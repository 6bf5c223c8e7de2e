"""Weights, gradients and updates over all kept moments of a run: histograms of a layer, and lines of all layers."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from core.jobs.weight_lenses import WeightsOverTimeJob
from core.results.weight_statistics import KINDS, WeightStatistics
from core.types import UNFINISHED
from dashboard.figures import gradients as lines
from dashboard.figures import weight_histograms as heat
from dashboard.session import resources, selection
from dashboard.session.moments import moments
from dashboard.text import _, counted
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject


def histograms(subject: Subject, *, key: str) -> None:
    """Histograms of one layer over time."""
    _over_time(subject, lambda found: _histograms(found, subject, key), key)


def gradients(subject: Subject, *, key: str) -> None:
    """Gradient norms and sizes of updates of all layers over time."""
    _over_time(subject, lambda found: _gradients(found, subject, key), key)


def _over_time(subject: Subject, show: Callable[[WeightStatistics], None], key: str) -> None:
    """Ask for all kept moments, while a run goes on for those up to the step at which this visitor came."""
    record = resources.reader().run(subject.run) if subject.run else None
    kept = moments(record) if record else ()
    if record is None or not kept:
        st.info(
            _("There is nothing over time yet: press Train. The run keeps its weights at moments, which are looked at here."),
            icon=":material/info:",
        )
        return
    newest = max(one.step for one in kept)
    end, seen = f"{key}.up_to", newest
    if record.state in UNFINISHED:
        known = st.session_state.get(end)
        seen = known[1] if known and known[0] == record.id else newest
        label = _("Up to step {n:,}").format(n=newest)
        if newest > seen and st.button(label, key=f"{key}.more", icon=":material/update:"):
            seen = newest
        st.session_state[end] = (record.id, seen)
    refs = tuple(one.ref for one in kept if one.step <= seen)
    job = WeightsOverTimeJob(experiment=subject.experiment, checkpoints=refs, series=subject.series)
    look(job, WeightStatistics, show, key=f"{key}.look")


def _histograms(found: WeightStatistics, subject: Subject, key: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = _layer(found, subject, key)
        axis = _axis(key)
    for kind in KINDS:
        if found.counts[found.number(kind, layer)].any():
            drawing = heat.histogram_figure(found, kind, layer, step=subject.step, axis=axis, dark=is_dark())
            figure(drawing, key=f"{key}.{kind}", alt=heat.alt_text(found, kind, layer))
    if not found.counts[found.number("weights", layer)].any():
        st.caption(_("This layer has no trained weights, and so no gradients of them."))
    _below(found, [about_examples(found), _("The dotted line is the moment of the time slider.")], key)


def _layer(found: WeightStatistics, subject: Subject, key: str) -> int:
    """The layer that is looked at: the selected one."""
    name, numbers = f"{key}.layer", list(range(len(found.layers)))
    chosen = selection.layer(len(subject.experiment.model.layers))
    kept = st.session_state.get(name)
    is_kept = kept in numbers and (chosen is None or found.paths[kept][0] == chosen)
    fitting = [number for number in numbers if found.paths[number][0] == chosen]
    st.session_state[name] = kept if is_kept else (fitting or numbers)[0]

    def choose() -> None:
        selection.choose_unit(found.paths[st.session_state[name]][0])

    st.selectbox(_("Layer"), numbers, key=name, on_change=choose, format_func=found.layers.__getitem__, width=240)
    return int(st.session_state[name])


def _axis(key: str) -> heat.Axis:
    labels = {"even": _("even"), "logarithmic": _("symmetric logarithmic")}
    chosen = st.segmented_control(
        _("Scale of values"),
        list(labels),
        default="even",
        key=f"{key}.axis",
        persist_state="session",
        format_func=labels.__getitem__,
        help=_("A logarithmic scale tells tiny values apart, on both sides of 0; what is tiniest is one row around 0."),
    )
    return "logarithmic" if chosen == "logarithmic" else "even"


def _gradients(found: WeightStatistics, subject: Subject, key: str) -> None:
    dark = is_dark()
    drawing = lines.gradient_figure(found, step=subject.step, dark=dark)
    figure(drawing, key=f"{key}.norms", alt=lines.alt_text(found, is_ratio=False))
    figure(
        lines.ratio_figure(found, step=subject.step, dark=dark),
        key=f"{key}.ratios",
        alt=lines.alt_text(found, is_ratio=True),
    )
    _below(found, [about_examples(found), about_updates(found)], key)


def about_examples(found: WeightStatistics) -> str:
    """What gradients and activations are of."""
    return _(
        "Gradients are those of the mean loss over the same {n} training examples at every moment, in evaluation mode: without "
        "dropout, penalties and clipping, batch normalisation with its running statistics."
    ).format(n=found.n_examples)


def about_updates(found: WeightStatistics) -> str:
    """What an update is, and whether it is about as large as it should be."""
    words = _(
        "The update is the step that {optimizer} makes next from each moment, on the run's own next batch, repeated on a copy; "
        "its size is held against that of all weights of the layer, biases too. About 1e-3 is a rule of thumb and no law: with "
        "much less a layer hardly learns, with much more it may jump about."
    ).format(optimizer=found.optimizer)
    last = found.ratios[:, -1]
    known = np.flatnonzero(np.isfinite(last))
    if not known.size:
        return words + " " + _("At the last moment there is no next step: the lane had ended.")
    high, low = known[last[known].argmax()], known[last[known].argmin()]
    verdict = _("At the last moment it is largest in {a} ({x:.1e}) and smallest in {b} ({y:.1e}).").format(
        a=found.layers[high], x=last[high], b=found.layers[low], y=last[low]
    )
    return f"{words} {verdict}"


def _below(found: WeightStatistics, words: list[str], key: str) -> None:
    """What is to be known of the charts, and their numbers."""
    if found.n_left_out:
        words.append(
            counted(
                "{n} more kept moment is not looked at.",
                "{n} more kept moments are not looked at; those that are lie evenly spread among them.",
                found.n_left_out,
            )
        )
    if found.is_sampled:
        words.append(_("Of large layers the histograms count evenly spread values."))
    if found.is_averaged:
        words.append(_("This lane also keeps an average of its weights; these are the trained weights themselves."))
    st.caption(" ".join(words))
    download_arrays(found, "weights-over-time.npz", key=f"{key}.download", label=_("Download all numbers (NPZ)"))
