"""Random settings, layers, shapes and stacks, derived from the Menu: a new layer is drawn without a word here."""

import types
from typing import Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from core.models.layers.menu import AnyLayer
from core.models.model import ModelSpec
from core.spec import choices

LAYERS = choices(AnyLayer)
SIZES = st.integers(1, 40)
MAPS = st.tuples(SIZES, SIZES, SIZES)
SHAPES = st.one_of(st.tuples(SIZES), MAPS, MAPS)


def bounds(info: FieldInfo) -> tuple[Any, Any]:
    """The least and the largest allowed value of a field; None where it has no such bound."""
    low = next((mark.ge for mark in info.metadata if hasattr(mark, "ge")), None)
    high = next((mark.le for mark in info.metadata if hasattr(mark, "le")), None)
    return low, high


def field_values(info: FieldInfo, annotation: Any = None) -> st.SearchStrategy[Any]:
    """Values the field allows: often the default, often a small one, as the interesting limits lie there, or any."""
    if annotation is None:
        return st.one_of(st.just(info.default), field_values(info, info.annotation))
    low, high = bounds(info)
    if get_origin(annotation) in (Union, types.UnionType):
        return st.one_of(st.none() if part is type(None) else field_values(info, part) for part in get_args(annotation))
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        return st.one_of(st.integers(low, min(high, low + 5)), st.integers(low, high))
    if annotation is float:
        return st.floats(low, high)
    raise TypeError(f"no strategy for a field of type {annotation}: teach it here")


def layers_of(layer_class: type[Any]) -> st.SearchStrategy[Any]:
    """Layers of one class with any settings their fields allow, those that fit no shape among them."""
    return st.builds(layer_class, **{name: field_values(info) for name, info in layer_class.knobs().items()})


ANY_LAYER = st.one_of(layers_of(layer_class) for layer_class in LAYERS)
STACKS = st.lists(ANY_LAYER, max_size=9).map(lambda layers: ModelSpec(layers=tuple(layers)))
