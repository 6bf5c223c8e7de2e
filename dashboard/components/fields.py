"""What a form must know about each field of a Spec: read from the spec, so that bounds exist once."""

import math
import re
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen, MultipleOf
from pydantic.fields import FieldInfo

from core.spec import Choice, Spec, choices
from dashboard.text import _

Kind = Literal["int", "float", "bool", "choice", "text", "flags", "menu"]
Scale = Literal["linear", "log"]
MAX_EXACT = 2**53
MAX_TEXT = 200
"""Characters in a text that does not say its own limit."""
PLAIN: dict[type, Kind] = {bool: "bool", int: "int", float: "float", str: "text"}


@dataclass(frozen=True, slots=True)
class OptionView:
    """One Choice of a Menu that is a field: its name, what it is, and its own fields."""

    kind: str
    label: str
    help: str
    fields: tuple["FieldView", ...] = ()
    is_ready_made: bool = True

    def as_json(self) -> dict[str, Any]:
        fields = [field.as_json() for field in self.fields]
        return {"kind": self.kind, "label": translated(self.label), "help": translated(self.help), "fields": fields}

    def clamp(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """`value` as JSON of this Choice, each field as it can hold it."""
        return {"kind": self.kind} | {field.name: field.clamp(value.get(field.name, field.default)) for field in self.fields}


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field as a form shows it. `step` is None where any number between the bounds will do.

    Values are JSON: a Choice of a Menu stands as a dict with its `kind`, flags as a tuple of some of `choices`.
    """

    name: str
    label: str
    help: str
    kind: Kind
    default: Any
    min: float | None = None
    max: float | None = None
    step: float | None = None
    choices: tuple[str | int, ...] = ()
    choice_labels: tuple[str, ...] = ()
    """What each of `choices` is called; empty where they speak for themselves."""
    options: tuple[OptionView, ...] = ()
    """Menus: what there is to pick."""
    min_length: int = 0
    """Flags: how many must be on. Texts: how many characters."""
    max_length: int = MAX_TEXT
    pattern: str = ""
    is_optional: bool = False
    """None is allowed, and means what `help` says."""
    scale: Scale = "linear"
    """Numbers: log where the order of magnitude is what is chosen. The lowest value may still be 0."""

    def as_json(self) -> dict[str, Any]:
        """What the browser must know, in the reader's language; what says nothing is left out."""
        data = {
            "min": self.min,
            "max": self.max,
            "step": self.step,
            "choices": self.choices or None,
            "choice_labels": [translated(label) for label in self.choice_labels] or None,
            "options": [option.as_json() for option in self.options if option.is_ready_made] or None,
            "min_length": self.min_length or None,
            "is_optional": self.is_optional or None,
            "scale": None if self.scale == "linear" else self.scale,
        }
        words = {"name": self.name, "label": translated(self.label), "help": translated(self.help)}
        known = {name: value for name, value in data.items() if value is not None}
        return words | {"kind": self.kind, "default": self.default} | known

    def said(self, choice: object) -> str:
        """One of `choices` as the reader knows it."""
        if choice in self.choices and self.choice_labels:
            return translated(self.choice_labels[self.choices.index(choice)])  # type: ignore[arg-type]
        return str(choice)

    def option(self, kind: object) -> OptionView | None:
        """What is picked by this kind; None where there is no such thing."""
        return next((option for option in self.options if option.kind == kind), None)

    def clamp(self, value: object) -> Any:
        """`value` as this field can hold it: of its type and within its bounds; the default where nothing can be made of it."""
        if value is None:
            return None if self.is_optional else self.default
        match self.kind:
            case "bool":
                return value if isinstance(value, bool) else self.default
            case "choice":
                return next((one for one in self.choices if _is_same(one, value)), self.default)
            case "text":
                return value if isinstance(value, str) and self._takes_text(value) else self.default
            case "flags":
                return self._clamp_flags(value)
            case "menu":
                return self._clamp_menu(value)
            case _:
                return self._clamp_number(value)

    def _takes_text(self, text: str) -> bool:
        fits = text.isprintable() and re.search(self.pattern, text) is not None
        return fits and self.min_length <= len(text) <= self.max_length

    def _clamp_flags(self, value: object) -> Any:
        if not isinstance(value, list | tuple):
            return self.default
        on = tuple(one for one in self.choices if any(_is_same(one, other) for other in value[: 2 * len(self.choices)]))
        return on if len(on) >= self.min_length else self.default

    def _clamp_menu(self, value: object) -> Any:
        data = value.model_dump() if isinstance(value, Choice) else value
        option = self.option(data.get("kind")) if isinstance(data, Mapping) else None
        return option.clamp(data) if option is not None and isinstance(data, Mapping) else self.default

    def _clamp_number(self, value: object) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            return self.default
        lowest = -math.inf if self.min is None else self.min
        highest = math.inf if self.max is None else self.max
        number = min(highest, max(lowest, value))
        if abs(number) > MAX_EXACT:  # no bound on that side, so infinity or an integer that no float holds
            return self.default
        if self.step is not None:  # 3 * 0.05 is 0.15000000000000002
            number = min(highest, max(lowest, round(round(number / self.step) * self.step, 12)))
        return round(number) if self.kind == "int" else float(number)


def translated(text: str) -> str:
    """`text` in the reader's language; gettext would answer an empty one with the head of its catalog."""
    return _(text) if text else ""


def _is_same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


@cache
def fields_of(cls: type[Spec]) -> tuple[FieldView, ...]:
    """The fields of a Spec that a user can set, in order. A Spec inside it has a form of its own and is left out.

    Raises:
        TypeError: a field has a type that no form can show.
    """
    return tuple(_view(cls, name, info) for name, info in cls.knobs().items() if not _is_plain_spec(info.annotation))


def option_of(cls: type[Choice]) -> OptionView:
    """A Choice as something to pick."""
    about = (cls.__doc__ or "").strip().split("\n\n")[0]
    return OptionView(cls.kind_name(), cls.label, " ".join(about.split()), fields_of(cls), cls.is_ready_made)


def _is_plain_spec(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Spec) and not issubclass(annotation, Choice)


def _view(cls: type[Spec], name: str, info: FieldInfo) -> FieldView:
    annotation, bounds, is_optional = _unwrapped(info.annotation)
    bounds = [*info.metadata, *bounds]
    kind, allowed = _kind(annotation)
    if kind is None:
        raise TypeError(f"{cls.__name__}.{name}: a form cannot show {annotation!r}")
    multiple = _bound(bounds, MultipleOf, "multiple_of")
    step = 1 if multiple is None and kind == "int" else multiple
    labels: dict[Any, str] = getattr(cls, "choice_labels", {})
    default = info.get_default(call_default_factory=True)
    return FieldView(
        name=name,
        label=info.title or name.replace("_", " "),
        help=" ".join((info.description or "").split()),
        kind=kind,
        default=default.model_dump() if isinstance(default, Choice) else default,
        min=_lowest(bounds, step),
        max=_highest(bounds, step),
        step=step,
        choices=allowed if kind != "menu" else (),
        choice_labels=tuple(labels.get(one, str(one)) for one in allowed) if labels and kind in ("choice", "flags") else (),
        options=tuple(option_of(choice) for choice in allowed) if kind == "menu" else (),
        min_length=int(_bound(bounds, MinLen, "min_length") or 0),
        max_length=int(_bound(bounds, MaxLen, "max_length") or MAX_TEXT),
        pattern=next((mark.pattern for mark in bounds if getattr(mark, "pattern", None)), ""),
        is_optional=is_optional,
        scale="log" if isinstance(info.json_schema_extra, dict) and info.json_schema_extra.get("scale") == "log" else "linear",
    )


def _kind(annotation: Any) -> tuple[Kind | None, tuple[Any, ...]]:
    """How a bare type is shown, and what can be picked; None where it cannot be."""
    if get_origin(annotation) is Literal:
        return "choice", get_args(annotation)
    if get_origin(annotation) is tuple:
        inner = _unwrapped(get_args(annotation)[0])[0]
        return ("flags", get_args(inner)) if get_origin(inner) is Literal else (None, ())
    members = choices(annotation)
    if all(isinstance(member, type) and issubclass(member, Choice) for member in members):
        return "menu", members
    return PLAIN.get(annotation), ()


def _unwrapped(annotation: Any) -> tuple[Any, list[Any], bool]:
    """The bare type inside `X | None` and `Annotated[X, ...]`, its bounds, and whether None is allowed."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        bare, bounds, is_optional = _unwrapped(inner)
        return bare, [*bounds, *_flat(marks)], is_optional
    if get_origin(annotation) in (Union, types.UnionType):
        members = get_args(annotation)
        others = [member for member in members if member is not type(None)]
        if len(others) == 1:
            bare, bounds, _inner_optional = _unwrapped(others[0])
            return bare, bounds, True
        return Union[tuple(others)], [], len(others) < len(members)  # noqa: UP007
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
