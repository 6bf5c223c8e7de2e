"""What a form must know about each field of a Choice: read from the spec, so that bounds exist once."""

import math
import types
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic.fields import FieldInfo

from core.spec import Choice

Kind = Literal["int", "float", "bool", "choice", "text"]
MAX_EXACT = 2**53
NUMBERS: dict[type, Kind] = {bool: "bool", int: "int", float: "float", str: "text"}


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field as a form shows it. `step` is None where any number between the bounds will do."""

    name: str
    label: str
    help: str
    kind: Kind
    default: Any
    min: float | None = None
    max: float | None = None
    step: float | None = None
    choices: tuple[str | int, ...] = ()
    is_optional: bool = False
    """None is allowed, and means what `help` says."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def clamp(self, value: object) -> Any:
        """`value` as this field can hold it: of its type and within its bounds; the default where nothing can be made of it."""
        if value is None:
            return None if self.is_optional else self.default
        if self.kind == "bool":
            return value if isinstance(value, bool) else self.default
        if self.kind == "choice":
            return value if value in self.choices else self.default
        if self.kind == "text":
            return value if isinstance(value, str) else self.default
        return self._clamp_number(value)

    def _clamp_number(self, value: object) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            return self.default
        lowest = -math.inf if self.min is None else self.min
        highest = math.inf if self.max is None else self.max
        number = min(highest, max(lowest, value))
        if abs(number) > MAX_EXACT:  # no bound on that side, so infinity or an integer that no float holds
            return self.default
        return round(number) if self.kind == "int" else float(number)


@cache
def fields_of(cls: type[Choice]) -> tuple[FieldView, ...]:
    """The fields of a Choice that a user can set, in order.

    Raises:
        TypeError: a field has a type that no form can show.
    """
    return tuple(_view(cls, name, info) for name, info in cls.knobs().items())


def _view(cls: type[Choice], name: str, info: FieldInfo) -> FieldView:
    annotation, bounds, is_optional = _unwrapped(info.annotation)
    bounds = [*info.metadata, *bounds]
    choices: tuple[str | int, ...] = ()
    if get_origin(annotation) is Literal:
        kind: Kind = "choice"
        choices = get_args(annotation)
    elif annotation in NUMBERS:
        kind = NUMBERS[annotation]
    else:
        raise TypeError(f"{cls.__name__}.{name}: a form cannot show {annotation!r}")
    step = _bound(bounds, MultipleOf, "multiple_of")
    step = 1 if step is None and kind == "int" else step
    return FieldView(
        name=name,
        label=info.title or name.replace("_", " "),
        help=info.description or "",
        kind=kind,
        default=info.get_default(call_default_factory=True),
        min=_lowest(bounds, step),
        max=_highest(bounds, step),
        step=step,
        choices=choices,
        is_optional=is_optional,
    )


def _unwrapped(annotation: Any) -> tuple[Any, list[Any], bool]:
    """The bare type inside `X | None` and `Annotated[X, ...]`, its bounds, and whether None is allowed."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        bare, bounds, is_optional = _unwrapped(inner)
        return bare, [*bounds, *_flat(marks)], is_optional
    if get_origin(annotation) in (Union, types.UnionType):
        others = [member for member in get_args(annotation) if member is not type(None)]
        if len(others) == 1:
            bare, bounds, _ = _unwrapped(others[0])
            return bare, bounds, True
    return annotation, [], False


def _flat(marks: list[Any]) -> Iterator[Any]:
    """Bounds given as pydantic Fields stand in their metadata."""
    for mark in marks:
        if isinstance(mark, FieldInfo):
            yield from mark.metadata
        else:
            yield mark


def _bound(bounds: list[Any], cls: type, name: str) -> float | None:
    found: float | None = next((getattr(bound, name) for bound in bounds if isinstance(bound, cls)), None)
    return found


def _lowest(bounds: list[Any], step: float | None) -> float | None:
    """The least value allowed; above an excluded bound by one step, or by the smallest float."""
    above = _bound(bounds, Gt, "gt")
    if above is None:
        return _bound(bounds, Ge, "ge")
    return above + step if step else math.nextafter(above, math.inf)


def _highest(bounds: list[Any], step: float | None) -> float | None:
    below = _bound(bounds, Lt, "lt")
    if below is None:
        return _bound(bounds, Le, "le")
    return below - step if step else math.nextafter(below, -math.inf)
