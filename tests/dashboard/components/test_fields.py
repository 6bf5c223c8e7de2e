import math
from typing import Annotated, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from core.models.layers.menu import AnyLayer
from core.spec import Choice, choices
from dashboard.components.fields import FieldView, fields_of


class Sample(Choice):
    """A choice with one field of each sort."""

    kind: Literal["sample"] = "sample"
    label: ClassVar[str] = "Sample"
    width: int = Field(8, ge=1, lt=64, title="Width of it")
    """How wide."""
    rate: float = Field(0.1, gt=0, le=1)
    share: float = Field(0.5, ge=0, le=1, multiple_of=0.05)
    stride: int | None = Field(None, ge=1, le=9)
    size: Annotated[int, Field(ge=2, le=5)] | None = 3
    mode: Literal["a", "b"] = "a"
    on: bool = True


def view(name: str) -> FieldView:
    return next(field for field in fields_of(Sample) if field.name == name)


def test_each_sort_of_field_is_described() -> None:
    assert [(f.name, f.kind, f.min, f.max, f.step, f.is_optional, f.default) for f in fields_of(Sample)] == [
        ("width", "int", 1, 63, 1, False, 8),
        ("rate", "float", math.nextafter(0, 1), 1, None, False, 0.1),
        ("share", "float", 0, 1, 0.05, False, 0.5),
        ("stride", "int", 1, 9, 1, True, None),
        ("size", "int", 2, 5, 1, True, 3),
        ("mode", "choice", None, None, None, False, "a"),
        ("on", "bool", None, None, None, False, True),
    ]
    assert view("mode").choices == ("a", "b")
    assert (view("width").label, view("width").help) == ("Width of it", "How wide.")


def test_a_type_that_no_form_can_show_is_a_bug() -> None:
    class Strange(Choice):
        kind: Literal["strange"] = "strange"
        label: ClassVar[str] = ""
        things: tuple[int, ...] = ()

    with pytest.raises(TypeError, match="things"):
        fields_of(Strange)


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(),
    st.lists(st.integers()),
    st.dictionaries(st.text(), st.none()),
)


@pytest.mark.parametrize("cls", [Sample, *choices(AnyLayer)])
@given(value=ANYTHING)
def test_whatever_comes_a_clamped_value_is_one_that_the_spec_takes(cls: type[Choice], value: object) -> None:
    for field in fields_of(cls):
        if field.step is None or field.step >= 1:  # multiples of 0.05 are for the spec to check
            cls(**{field.name: field.clamp(value)})


@pytest.mark.parametrize(
    ("given_value", "kept"), [(999, 63), (-5, 1), (7.6, 8), (math.inf, 63), (math.nan, 8), (True, 8), ("9", 8), (None, 8)]
)
def test_numbers_are_clamped_and_everything_else_is_the_default(given_value: object, kept: int) -> None:
    assert view("width").clamp(given_value) == kept
