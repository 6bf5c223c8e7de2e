"""Where a visitor is and what is in hand, as one text: what a presenter shows, and a follower takes over.

What comes from another's browser is parsed and checked again; what is not known here is left out.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Annotated, Any

import streamlit as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import LayerwiseError
from core.experiment.codec import from_file_text
from core.jobs.embedding_lenses import AnyProjection
from core.spec import MAX_TEXT_BYTES, parse_json
from dashboard.session import lesson, resources, selection, state

DIGEST = re.compile(r"[0-9a-f]{64}")
MAX_WIDGETS = 200
MAX_WORD = 120


class Place(BaseModel):
    """What is shown. Fields that this version does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)

    screen: Annotated[str, Field(pattern=r"^[a-z]{1,20}$")]
    experiment: Annotated[str, Field(max_length=MAX_TEXT_BYTES)] = ""
    """As in a file; empty for the one that everybody begins with."""
    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    selection: dict[str, Any] = {}
    widgets: Annotated[dict[str, Any], Field(max_length=MAX_WIDGETS)] = {}
    """What is chosen in widgets that say where one is, by key."""
    hide: Annotated[str, Field(max_length=2000)] = ""
    """What the presenter's lesson hides."""


class _Embedding(BaseModel):
    """How embeddings are drawn; as dashboard/widgets/inspect_embedding.py keeps it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    projection: Annotated[str, Field(max_length=2000)]
    split: Annotated[str, Field(max_length=20)]
    n: Annotated[int, Field(ge=10, le=5000)]
    dimensions: Annotated[int, Field(ge=2, le=3)]
    over_time: bool


def _word(value: object) -> bool:
    """A choice out of a few. Streamlit takes any other one for the first of them."""
    return (isinstance(value, str) and len(value) <= MAX_WORD) or _number(value)


def _number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _switch(value: object) -> bool:
    return isinstance(value, bool)


def _words(value: object) -> bool:
    return isinstance(value, list) and len(value) <= 50 and all(isinstance(one, str) and len(one) <= MAX_WORD for one in value)


def _text(value: object) -> bool:
    """A method's settings: read with a check where they are used."""
    return isinstance(value, str) and len(value) <= 4000


def _digest(value: object) -> bool:
    return isinstance(value, str) and DIGEST.fullmatch(value) is not None


def _embedding(value: object) -> bool:
    try:
        parse_json(AnyProjection, _Embedding.model_validate(value).projection)  # type: ignore[arg-type]
    except (ValidationError, LayerwiseError):
        return False
    return True


KINDS: Mapping[str, Callable[[object], bool]] = {
    # sections and tabs
    r"(inspect\.lens|(explain|evaluate|compress|export|runs)\.section|(race|data)\.tabs|build\.as)": _word,
    # views within them
    r"inspect\.activations\.scale|inspect\.weights\.(filters\.scale|[a-z]+\.axis)|subject\.weights_view": _word,
    r"inspect\.landscape\.(cut|[a-z]+\.(examples|scale|side|split|view))": _word,
    r"inspect\.sequence\.[a-z]+\.(what|order)": _word,
    r"explain\.(unit|baseline\.[a-z]+|all\.(n|method\.[a-z]+)|if\.method|differ\.(method|other|split))": _word,
    r"explain\.one\.view\.[a-z]+": _word,
    r"evaluate\.(metrics\.split|errors\.(split|order|view\.[a-z]+|matrices\.by))": _word,
    r"evaluate\.(robustness\.(kind|n|split|one\.source)|folds\.paired\.way)": _word,
    r"race\.(verdict\.(at|by))|data\.samples\.split|compress\.(one|sweep)\.(split|scope)": _word,
    # boxes that are open, and switches
    r"inspect\.activations\.(histograms|still|unit\.(conv|field|top))": _switch,
    r"explain\.one\.same_scale|evaluate\.errors\.matrices\.errors|(train|race)\.by_hand|race\.setup|train\.fork_box": _switch,
    # what is drawn at random
    r"explain\.seed|inspect\.landscape\.[a-z]+\.seed": _number,
    # no widgets, but kept like them
    r"methods\.shown\.[a-z]+": _words,
    r"methods\.settings\.[a-z_]+": _text,
    r"subject\.(file|drawing)": _digest,
    r"subject\.embedding": _embedding,
}
"""What says where one is on a screen: patterns of keys, and what their values must be."""
_KINDS = [(re.compile(pattern), is_right) for pattern, is_right in KINDS.items()]


def place_text(screen: str) -> str:
    """What this visitor has in hand and looks at, on this screen."""
    place = {
        "screen": screen,
        "experiment": _compact(state.experiment_text()),
        "run": state.run_id(),
        "selection": selection.all_chosen(),
        "widgets": _widgets(),
        "hide": lesson.to_share(),
    }
    return json.dumps(place, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@lru_cache(maxsize=64)
def parsed_place(text: str) -> Place | None:
    """What is shown by this text; None where it cannot be understood."""
    try:
        return Place.model_validate_json(text)
    except ValidationError:
        return None


def take(place: Place) -> bool:
    """Take this in hand and look at it, but for the screen. Whether it was possible: else nothing has changed."""
    try:
        state.take_in_hand(place.experiment, _known_run(place.run))
    except LayerwiseError:
        return False
    selection.take(place.selection)
    for key, value in place.widgets.items():
        if _is_right(key, value):
            st.session_state[key] = value
    lesson.take(place.hide)
    return True


def is_aside(place: Place, screen: str) -> bool:
    """Whether this visitor, with the same in hand, looks at something else."""
    present = parsed_place(place_text(screen))
    if present is None or screen != place.screen:
        return True
    others = (key for key, value in place.widgets.items() if present.widgets.get(key, value) != value)
    return present.selection != place.selection or any(True for _key in others)


def _widgets() -> dict[str, Any]:
    found = {str(key): value for key, value in st.session_state.items()}
    return {key: value for key, value in sorted(found.items()) if _is_right(key, value)}


def _is_right(key: str, value: object) -> bool:
    is_right = _kind(key)
    return is_right is not None and is_right(value)


@lru_cache(maxsize=4096)
def _kind(key: str) -> Callable[[object], bool] | None:
    return next((is_right for pattern, is_right in _KINDS if pattern.fullmatch(key)), None)


def _known_run(run: str | None) -> str | None:
    """The run, where it is there and has an experiment."""
    record = resources.reader().run(run) if run else None
    if record is None:
        return None
    try:
        state.experiment_of(record.job)
    except LayerwiseError:
        return None
    return record.id


@lru_cache(maxsize=64)
def _compact(text: str) -> str:
    return from_file_text(text).model_dump_json() if text else ""
