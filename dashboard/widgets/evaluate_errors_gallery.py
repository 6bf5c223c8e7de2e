"""Some examples of a split as cards: what they are, what the model says of them, and a way to the explanation."""

import zlib

import numpy as np
import streamlit as st

from core.data.gallery import SplitName
from core.jobs.error_lenses import ExamplesJob
from core.results.error_gallery import absolute_errors, top_classes
from core.results.examples import ExampleGallery
from core.results.predictions import Predictions
from dashboard.components.example_cards import Bar, Card, example_cards
from dashboard.components.shared import picture_url
from dashboard.session import selection
from dashboard.text import _, counted
from dashboard.widgets.lens import look
from dashboard.widgets.links import open_screen
from dashboard.widgets.subject import Subject, example_place, take_example

PER_PAGE, MOST = 24, 192
TOP = 3
COLUMNS = 6
"""Numbers of a row that a card shows."""


def gallery(subject: Subject, found: Predictions, places: np.ndarray, *, key: str, label: str) -> None:
    """The examples at these places of the split that `found` is of, in this order: some, and more on demand."""
    if st.session_state.pop(f"{key}.go", False):
        open_screen("explain")
    if not len(places):
        return
    n = _how_many(places, key)
    shown = tuple(int(place) for place in places[:n])
    data, seed = subject.experiment.data, subject.experiment.seed
    job = ExamplesJob(data=data, seed=seed, split=_split(found), places=shown)
    look(job, ExampleGallery, lambda examples: _cards(examples, found, key, label), key=f"{key}.examples")
    if n < min(MOST, len(places)):
        more = min(PER_PAGE, len(places) - n)
        st.button(
            counted("Show {n} more", "Show {n} more", more),
            key=f"{key}.more",
            on_click=_show_more,
            args=(places, key),
            icon=":material/expand_more:",
        )


def _split(found: Predictions) -> SplitName:
    names: dict[str, SplitName] = {"train": "train", "validation": "validation", "test": "test"}
    return names[found.split]


def _how_many(places: np.ndarray, key: str) -> int:
    """How many are shown; other examples begin with one page."""
    known = st.session_state.get(f"{key}.shown")
    return int(known[1]) if known and known[0] == _mark(places) else PER_PAGE


def _show_more(places: np.ndarray, key: str) -> None:
    st.session_state[f"{key}.shown"] = (_mark(places), min(MOST, _how_many(places, key) + PER_PAGE))


def _mark(places: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(places, np.int64).tobytes())


def _cards(examples: ExampleGallery, found: Predictions, key: str, label: str) -> None:
    places, split = examples.indices.tolist(), _split(found)

    def explain(at: int) -> None:
        take_example(split, places[at])
        selection.choose_target(None)
        st.session_state["explain.section"] = "one"  # the explanation of this example, whatever was looked at there before
        st.session_state[f"{key}.go"] = True

    example_cards(
        [card(examples, found, at) for at in range(len(places))],
        chosen=example_place(split, places),
        key=f"{key}.cards",
        label=label,
        on_pick=lambda at: take_example(split, places[at]),
        on_explain=explain,
    )


def card(examples: ExampleGallery, found: Predictions, at: int) -> Card:
    """The card of one of the examples."""
    place = int(examples.indices[at])
    picture = "" if examples.pixels is None else picture_url(examples.pixels[at])
    text = "" if picture else described(examples, at)
    if found.values is not None and found.targets is not None:
        words = _("{predicted:.4g} instead of {target:.4g} (off by {error:.3g})")
        error = float(absolute_errors(found)[place])
        return Card(words.format(predicted=found.values[place], target=found.targets[place], error=error), picture, text)
    names, label, guess = found.class_names, int(found.labels[place]), int(found.predicted[place])
    title = _("{true}, right") if label == guess else _("{true} taken for {guess}")
    return Card(title.format(true=names[label], guess=names[guess]), picture, text, bars(found, place, TOP))


def bars(found: Predictions, place: int, k: int) -> tuple[Bar, ...]:
    """The most probable classes of one example, and the right one where it is not among them."""
    label, names = int(found.labels[place]), found.class_names
    top = dict(top_classes(found, place, k))
    if label >= 0 and label not in top:
        top[label] = float(found.probabilities[place, label])
    return tuple(Bar(names[one], p, f"{p:.1%}", one == label) for one, p in top.items())


def described(examples: ExampleGallery, at: int) -> str:
    """An example that is no picture, in a line: the text, or the first numbers of the row."""
    if examples.texts is not None:
        return examples.texts[at]
    has_raw = examples.raw is not None
    names = examples.raw_names if has_raw else examples.feature_names
    values, categories = (examples.values if examples.raw is None else examples.raw)[at], examples.raw_categories
    parts = []
    for column, (name, value) in enumerate(zip(names[:COLUMNS], values, strict=False)):
        known = categories[column] if categories else ()
        parts.append(f"{name} {known[int(value)] if known and 0 <= value < len(known) else f'{value:.4g}'}")
    rest = len(names) - COLUMNS
    return " · ".join(parts) + (" " + _("and {n} more").format(n=rest) if rest > 0 else "")
