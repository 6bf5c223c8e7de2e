"""The embedding lens: examples as points in the space of a layer, at all kept moments in one frame."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import log1p, prod
from typing import Any

import numpy as np
import streamlit as st

from core.data.gallery import SplitName
from core.jobs.embedding_lenses import MAX_MOMENTS, EmbeddingJob, last_hidden
from core.jobs.job import ArtifactRef
from core.jobs.projections import AnyProjection, Pca, Projection, Umap
from core.models.model import infer
from core.results.embedding import Embedding
from core.spec import parse_json
from dashboard.components.embedding import MapView, embedding_map
from dashboard.figures.embedding import map_colours
from dashboard.session import resources, selection
from dashboard.session.moments import moments
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.choice_form import choice_form
from dashboard.widgets.embedding_words import axes, basis_words, chosen_words, trust_words
from dashboard.widgets.failure import plain
from dashboard.widgets.lens import look
from dashboard.widgets.split_choice import split_titles
from dashboard.widgets.subject import SPLITS, Subject

ASKED = "subject.embedding"
"""How this visitor wants to see embeddings: two panels side by side show the same."""
NUMBERS = (200, 500, 1000, 2000)
DIMENSIONS = (2, 3)
PLAIN = Pca()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is drawn. `split` "" follows the example that is looked at."""

    projection: Projection = PLAIN
    split: str = ""
    n: int = 500
    dimensions: int = 2
    over_time: bool = True


def panel(subject: Subject, *, key: str) -> None:
    """Controls, the points, and how far to trust them."""
    if not subject.experiment.model.layers:
        st.info(_("This model has no layers yet."), icon=":material/info:")
        return
    asked = _asked()
    layer = _controls(subject, asked, key)
    job = EmbeddingJob(
        experiment=subject.experiment,
        series=subject.series,
        layer=layer,
        split=_split(subject, asked),
        n=asked.n,
        projection=asked.projection,
        dimensions=asked.dimensions,
    )
    job = job.but(checkpoints=_checkpoints(subject, asked, job, key))
    shown: list[Embedding] = []

    def show(found: Embedding) -> None:
        shown.append(found)
        _map(found, subject, asked, key)

    look(job, Embedding, show, key=f"{key}.map")
    if not shown and isinstance(asked.projection, Umap):
        st.caption(
            _("The first UMAP on a computer takes about a minute longer, to be compiled; later ones begin after some seconds.")
        )


def _map(found: Embedding, subject: Subject, asked: Asked, key: str) -> None:
    """The points of the moment that is nearest to the chosen one."""
    moment = int(np.abs(found.steps - subject.step).argmin())
    example = subject.example
    is_here = not example.file and example.split == found.split
    places = np.flatnonzero(found.indices == example.index) if is_here else np.zeros(0, int)
    chosen = int(places[0]) if len(places) else -1
    st.caption(chosen_words(found, chosen))
    embedding_map(
        found,
        MapView(moment, chosen, axes(found, asked.projection.axis), map_colours()),
        key=f"{key}.points",
        on_pick=lambda place: selection.choose_example(found.split, int(found.indices[place])),
    )
    if int(found.steps[moment]) != subject.step:
        st.caption(
            _("Nearest of the moments drawn: step {there:,}; the slider is at step {here:,}.").format(
                there=int(found.steps[moment]), here=subject.step
            )
        )
    st.text(trust_words(found, moment))
    st.text(basis_words(found, moment))
    for note in found.notes:
        st.caption(plain(note))
    download_arrays(
        found,
        f"embedding-{found.method}-layer-{found.layer + 1}.npz",
        key=f"{key}.download",
        label=_("Download the numbers (NPZ)"),
    )


def _asked() -> Asked:
    """How this visitor wants to see embeddings, from plain data."""
    kept: dict[str, Any] = st.session_state.get(ASKED) or {}
    text = kept.get("projection")
    projection: Projection = parse_json(AnyProjection, text) if text else PLAIN  # type: ignore[arg-type]
    return replace(Asked(), **(kept | {"projection": projection}))


def _ask(asked: Asked, **changes: Any) -> None:
    now = replace(asked, **changes)
    st.session_state[ASKED] = {
        "projection": now.projection.model_dump_json(),
        "split": now.split,
        "n": now.n,
        "dimensions": now.dimensions,
        "over_time": now.over_time,
    }


def _split(subject: Subject, asked: Asked) -> SplitName:
    """Where the examples come from: where the visitor says, else where the example that is looked at does."""
    if asked.split in SPLITS:
        return asked.split
    return "validation" if subject.example.file else subject.example.split


def _controls(subject: Subject, asked: Asked, key: str) -> int:
    """Everything that can be chosen; the chosen layer."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = _layer(subject, key)
        names = split_titles()
        label = _("Points from")
        _select(
            label, SPLITS, _split(subject, asked), lambda to: _ask(asked, split=to), key=f"{key}.split", say=names.__getitem__
        )
        _select(_("At most"), NUMBERS, asked.n, lambda to: _ask(asked, n=to), key=f"{key}.n", say=_("{:,} points").format)
        _select(
            _("Drawn in"),
            DIMENSIONS,
            asked.dimensions,
            lambda to: _ask(asked, dimensions=to),
            key=f"{key}.dimensions",
            say="{}-D".format,
        )
        if subject.run:
            _over_time(asked, key)
    with st.container(width=560):
        choice_form(
            AnyProjection,
            asked.projection,
            key=f"{key}.projection",
            label=_("Method"),
            on_change=lambda to: _ask(asked, projection=to),
        )
    return layer


def _over_time(asked: Asked, key: str) -> None:
    st.session_state[f"{key}.over_time"] = asked.over_time
    st.toggle(
        _("All kept moments"),
        key=f"{key}.over_time",
        on_change=lambda: _ask(asked, over_time=st.session_state[f"{key}.over_time"]),
        help=_("In one frame, so that the points move when the slider does. Off: this moment alone, which is quicker."),
    )


def _select(label: str, options: tuple[Any, ...], present: Any, choose: Callable[[Any], None], *, key: str, say: Any) -> None:
    """A select box that shows what is asked."""
    st.session_state[key] = present
    st.selectbox(label, options, key=key, on_change=lambda: choose(st.session_state[key]), format_func=say, width=150)


def _layer(subject: Subject, key: str) -> int:
    """The layer that is looked at in all panels; the last hidden one where none is chosen yet."""
    layers = subject.experiment.model.layers
    inference = infer(subject.experiment.model, subject.experiment.data.profile().input_shape)
    chosen = selection.layer(len(layers))
    present = last_hidden(inference) if chosen is None else chosen
    names = [
        _("{n} {kind}: {f:,} numbers").format(n=place + 1, kind=layer.kind, f=prod(info.out_shape or (0,)))
        for place, (layer, info) in enumerate(zip(layers, inference.layers, strict=True))
    ]
    name = f"{key}.layer"
    st.session_state[name] = present
    st.selectbox(
        _("Output of layer"),
        range(len(layers)),
        key=name,
        on_change=lambda: selection.choose_unit(st.session_state[name]),
        format_func=names.__getitem__,
        width=240,
    )
    return present


def _checkpoints(subject: Subject, asked: Asked, job: EmbeddingJob, key: str) -> tuple[ArtifactRef, ...]:
    """The moments to draw. While a run goes on they stay the same until the visitor takes in the newer ones: each of them
    would change the common frame, and begin the work again."""
    record = resources.reader().run(subject.run) if subject.run else None
    if record is None or not asked.over_time:
        return (subject.weights,) if subject.weights else ()
    kept = moments(record)
    name, signature = f"{key}.moments", f"{record.id}\n{job.model_dump_json()}"
    known = st.session_state.get(name)
    if known is None or known["signature"] != signature:
        known = _frozen(signature, kept)
        st.session_state[name] = known

    def take_in() -> None:
        st.session_state.pop(name, None)

    if n_newer := sum(one.step > known["last"] for one in kept):
        st.button(
            _("Take in {n} newer moments").format(n=n_newer) if n_newer > 1 else _("Take in one newer moment"),
            key=f"{key}.newer",
            on_click=take_in,
            icon=":material/update:",
        )
    return tuple(ArtifactRef(**ref) for ref in known["refs"])


def _frozen(signature: str, kept: Any) -> dict[str, Any]:
    """The moments of now, as plain data."""
    chosen = evenly([one.step for one in kept], MAX_MOMENTS)
    refs = [one.ref.model_dump() for one in kept if one.step in chosen]
    return {"signature": signature, "last": max((one.step for one in kept), default=-1), "refs": refs}


def evenly(steps: list[int], n: int) -> list[int]:
    """At most `n` of some rising steps, about evenly on a logarithmic axis, the first and the last among them."""
    left = list(steps)
    while len(left) > n:
        gaps = [log1p(left[i + 1]) - log1p(left[i - 1]) for i in range(1, len(left) - 1)]
        del left[1 + gaps.index(min(gaps))]
    return left
