"""Spec, Choice and Menu: what may be asked, as frozen and checked data.

A Menu is a discriminated union of Choices, written by hand: `AnyLayer = Annotated[Linear | ReLU, on_menu()]`. Form,
factory, docs and tests iterate it with `choices(AnyLayer)`, so the list exists once.
"""

from typing import Any, ClassVar, Self, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from core.errors import SpecError, nearest

MAX_TEXT_BYTES = 64 * 1024
"""No experiment needs more; a longer text is refused before it is parsed."""


class Spec(BaseModel):
    """Frozen data that was checked when it was made. Strict: no text for a number, no bool for an int, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True)

    def but(self, **changes: Any) -> Self:
        """A copy with some fields changed, checked like a new one (`model_copy` would not check).

        Raises:
            SpecError: a changed value is out of its bounds.
        """
        values = {name: getattr(self, name) for name in type(self).model_fields} | changes
        try:
            return type(self)(**values)
        except ValidationError as error:
            raise spec_error(error) from None

    @classmethod
    def knobs(cls) -> dict[str, FieldInfo]:
        """The fields a user can set in a form, in order, with their bounds and help."""
        return {name: info for name, info in cls.model_fields.items() if name != "kind"}


class Choice(Spec):
    """One thing a user can pick from a Menu. Subclasses narrow `kind` to a Literal with a default."""

    kind: str
    label: ClassVar[str]
    """The name on the screen, in the field's own words."""
    source: ClassVar[str] = ""
    """The paper, where there is one."""
    is_ready_made: ClassVar[bool] = True
    """False where it needs something of the user's first (a file), so that no form can offer it with its defaults."""

    @classmethod
    def kind_name(cls) -> str:
        """The value of `kind` that selects this class."""
        return str(cls.model_fields["kind"].default)


def on_menu() -> Any:
    """The mark that makes a union of Choices a Menu."""
    return Field(discriminator="kind")


def choices(menu: Any) -> tuple[type[Any], ...]:
    """The Choice classes on a Menu, in the order in which it lists them."""
    union = get_args(menu)[0] if get_origin(menu) is not Union and hasattr(menu, "__metadata__") else menu
    return tuple(get_args(union)) or (union,)


def choice_class(menu: Any, kind: str) -> type[Any]:
    """The class on `menu` whose kind this is.

    Raises:
        SpecError: there is none; the hint names the nearest.
    """
    by_kind = {cls.kind_name(): cls for cls in choices(menu)}
    if kind not in by_kind:
        raise SpecError(f"There is no {str(kind)[:80]!r} here.", hint=nearest(kind, by_kind))
    return by_kind[kind]


T = TypeVar("T")


_adapters: dict[int, tuple[Any, TypeAdapter[Any]]] = {}


def _adapter(wanted: type[T]) -> TypeAdapter[T]:
    """What reads a `wanted`. One for a Menu takes some milliseconds to make, and a Menu cannot be hashed."""
    known = _adapters.get(id(wanted))
    if known is None or known[0] is not wanted:
        known = _adapters[id(wanted)] = (wanted, TypeAdapter(wanted))
    return known[1]


def parse_json(wanted: type[T], text: str | bytes) -> T:
    """`text` as a checked `wanted` (a Spec, or a Menu).

    Raises:
        SpecError: too long, not JSON, an unknown key or name, or a value out of bounds; the message names the field.
    """
    if len(text) > MAX_TEXT_BYTES:
        raise SpecError(
            f"This text has {len(text):,} characters, the limit is {MAX_TEXT_BYTES:,}.",
            hint="An experiment is far shorter: check that you have the right file.",
        )
    try:
        return _adapter(wanted).validate_json(text)
    except ValidationError as error:
        raise spec_error(error) from None


def spec_error(error: ValidationError) -> SpecError:
    """The first finding of pydantic, as a sentence that names the field."""
    finding = error.errors(include_url=False, include_context=True)[0]
    where = ".".join(str(part) for part in finding["loc"]) or "the text"
    kind, context = finding["type"], finding.get("ctx", {})
    hint = f"Change {where}."
    if kind == "union_tag_invalid":
        expected = [tag.strip(" '") for tag in str(context.get("expected_tags", "")).split(",")]
        return SpecError(
            f"{where}: there is no {str(context.get('tag'))[:80]!r}.", hint=nearest(str(context.get("tag")), expected)
        )
    if kind == "extra_forbidden":
        return SpecError(f"{where}: this name is not known here.", hint="Remove it, or check its spelling.", where=where)
    if kind == "json_invalid":
        return SpecError(
            f"This is not valid JSON: {context.get('error', finding['msg'])}.", hint="Check brackets, quotes and commas."
        )
    if kind == "literal_error" and finding["loc"][-1] == "version":
        return SpecError(
            f"{where}: this is of version {str(finding['input'])[:20]}, and version {context.get('expected')} is read here.",
            hint="It is from another Layerwise: update the older of the two.",
            where=where,
        )
    given = "" if kind == "missing" else f", but it is {str(finding['input'])[:60]!r}"
    return SpecError(f"{where}: {finding['msg']}{given}.", hint=hint, where=where)
