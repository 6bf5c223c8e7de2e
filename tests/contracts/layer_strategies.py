"""Random settings, layers, shapes and stacks, derived from the Menu: a new layer is drawn without a word here."""

import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from core.models.layers.menu import AnyLayer
from core.models.model import ModelSpec
from core.models.stack import infer_stack
from core.spec import Choice, choices
from core.types import Shape

LAYERS = choices(AnyLayer)
SIZES = st.integers(1, 40)
FLAT = st.tuples(SIZES)
SEQUENCES = st.tuples(st.integers(1, 12), st.one_of(st.sampled_from((8, 12, 24)), SIZES))
MAPS = st.tuples(st.one_of(st.sampled_from((1, 3, 4, 8)), SIZES), SIZES, SIZES)
SHAPES = st.one_of(FLAT, SEQUENCES, MAPS, MAPS)
BY_EXAMPLE = {(6,): FLAT, (4, 6): SEQUENCES, (4, 8, 8): MAPS, (3, 8, 8): MAPS}
"""Shapes like this one."""
MAX_NESTED = 2
"""Containers inside each other that are drawn."""


def bounds(info: FieldInfo) -> tuple[Any, Any]:
    """The least and the largest allowed value of a field; None where it has no such bound."""
    low = next((mark.ge for mark in info.metadata if hasattr(mark, "ge")), None)
    high = next((mark.le for mark in info.metadata if hasattr(mark, "le")), None)
    return low, high


def field_values(info: FieldInfo, nested: int = 0) -> st.SearchStrategy[Any]:
    """Values the field allows: often the default, often a small one, as the interesting limits lie there, or any."""
    return st.one_of(st.just(info.default), _values(info.annotation, info.metadata, bounds(info), nested))


def _values(annotation: Any, marks: list[Any], limits: tuple[Any, Any], nested: int) -> st.SearchStrategy[Any]:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        more = [each for mark in parts[1:] for each in (mark.metadata if isinstance(mark, FieldInfo) else (mark,))]
        return _values(parts[0], [*marks, *more], limits, nested)
    if origin in (Union, types.UnionType):
        return st.one_of(_values(part, [], limits, nested) for part in parts)
    if origin is tuple:
        least, most = (
            next((getattr(m, n) for m in marks if hasattr(m, n)), d) for n, d in (("min_length", 0), ("max_length", 4))
        )
        each = any_layer(nested, inside=True) if parts[0] == AnyLayer else _values(parts[0], [], (None, None), nested)
        return st.lists(each, min_size=least, max_size=min(most, 4)).map(tuple)
    if origin is Literal:
        return st.sampled_from(parts)
    if isinstance(annotation, type) and issubclass(annotation, Choice):
        return layers_of(annotation, nested)
    return _plain_values(annotation, *limits)


def _plain_values(annotation: Any, low: Any, high: Any) -> st.SearchStrategy[Any]:
    plain = {
        types.NoneType: st.none,
        bool: st.booleans,
        str: lambda: st.just(""),  # digests of files, which have to be there
        int: lambda: st.one_of(st.integers(low, min(high, low + 5)), st.integers(low, high)),
        float: lambda: st.floats(low, high),
    }
    if annotation not in plain:
        raise TypeError(f"no strategy for a field of type {annotation}: teach it here")
    return plain[annotation]()


def layers_of(layer_class: type[Any], nested: int = MAX_NESTED) -> st.SearchStrategy[Any]:
    """Layers (or other Choices) of one class with any settings their fields allow, those that fit no shape among them.

    Half of them differ from the defaults in at most two fields: where all vary, few fit any shape.
    """
    values = {name: field_values(info, nested - 1) for name, info in layer_class.model_fields.items() if name != "kind"}
    if not values:
        return st.just(layer_class())
    few = st.lists(st.sampled_from(sorted(values)), max_size=2, unique=True)
    near = few.flatmap(lambda names: st.builds(layer_class, **{name: values[name] for name in names}))
    return st.one_of(near, st.builds(layer_class, **values))


def any_layer(nested: int = MAX_NESTED, inside: bool = False) -> st.SearchStrategy[Any]:
    """Layers of any class, with at most `nested` containers inside each other. Embedding takes the data's own numbers alone."""
    drawn = [cls for cls in LAYERS if (nested > 0 or not is_container(cls)) and not (inside and cls.kind_name() == "Embedding")]
    return st.sampled_from(drawn).flatmap(lambda cls: layers_of(cls, nested))


def is_container(layer_class: type[Any]) -> bool:
    return bool({"layers", "branches"} & layer_class.model_fields.keys())


def fitting(layers: Iterable[Any], shape: Shape, limit: int = 300_000) -> tuple[Any, ...]:
    """Those of `layers` that can follow each other from `shape` on, without ever growing beyond `limit` numbers."""
    kept: tuple[Any, ...] = ()
    for layer in layers:
        more = (*kept, mended(layer, shape))
        inference = infer_stack(more[-1:], shape)
        if inference.out_shape is not None and inference.n_activations <= limit:
            kept, shape = more, inference.out_shape
    return kept


def mended(layer: Any, shape: Shape) -> Any:
    """A container with those of its inner layers that fit `shape`; other layers as they are."""
    if "layers" in type(layer).model_fields:
        return layer.but(layers=fitting(layer.layers, shape))
    if "branches" in type(layer).model_fields:
        return layer.but(branches=tuple(fitting(branch, shape) for branch in layer.branches))
    return layer


def stacks(nested: int) -> st.SearchStrategy[ModelSpec]:
    """Stacks of any layers, that fit each other or not."""
    return st.lists(any_layer(nested), max_size=9).map(lambda layers: ModelSpec(layers=tuple(layers)))


STACKS, PLAIN_STACKS = stacks(1), stacks(0)


@st.composite
def shapes_with_layers(draw: Any, layer_class: type[Any]) -> tuple[Shape, Any]:
    """A shape, more often of the number of axes that such layers like, and a layer that may be able to take it."""
    liked = [sizes for example, sizes in BY_EXAMPLE.items() if infer_stack([layer_class()], example).out_shape is not None]
    shape = draw(st.one_of(*liked, SHAPES))
    layer = draw(layers_of(layer_class))
    return shape, mended(layer, shape) if draw(st.booleans()) else layer


@st.composite
def shapes_with_stacks(draw: Any, max_size: int = 12) -> tuple[Shape, ModelSpec]:
    """A shape, and a stack that can take it."""
    shape = draw(SHAPES)
    return shape, ModelSpec(layers=fitting(draw(st.lists(any_layer(inside=True), max_size=max_size)), shape))
