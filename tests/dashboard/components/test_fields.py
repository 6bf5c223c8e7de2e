import math
from typing import Annotated, ClassVar, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from core.data.menu import AnyDataset
from core.data.preparation import Preparation
from core.models.init import AnyInit, HeInit, TorchDefault
from core.models.layers.linear import Linear
from core.models.layers.menu import AnyLayer
from core.optim.optimizers import SGD, AnyOptimizer
from core.spec import Choice, Spec, choices
from dashboard.components.fields import FieldView, fields_of


class Sample(Choice):
    """A choice with one field of each sort."""

    kind: Literal["sample"] = "sample"
    label: ClassVar[str] = "Sample"
    width: int = Field(8, ge=1, lt=64, title="Width of it")
    """How wide."""
    rate: float = Field(0.1, gt=0, le=1, json_schema_extra={"scale": "log"})
    share: float = Field(0.5, ge=0, le=1, multiple_of=0.05)
    stride: int | None = Field(None, ge=1, le=9)
    size: Annotated[int, Field(ge=2, le=5)] | None = 3
    mode: Literal["a", "b"] = "a"
    on: bool = True
    parts: Annotated[tuple[Literal["p", "q", "r"], ...], Field(min_length=1)] = ("q",)
    init: AnyInit | None = None
    start: AnyInit = HeInit()
    digest: str = Field("", pattern="^[0-9a-f]*$", max_length=8)
    inner: Preparation = Preparation()

    choice_labels: ClassVar[dict[str, str]] = {"p": "Part P", "a": "Way A"}


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
        ("parts", "flags", None, None, None, False, ("q",)),
        ("init", "menu", None, None, None, True, None),
        ("start", "menu", None, None, None, False, {"kind": "he", "distribution": "normal"}),
        ("digest", "text", None, None, None, False, ""),
    ]
    assert view("mode").choices == ("a", "b")
    assert (view("width").label, view("width").help) == ("Width of it", "How wide.")
    assert (view("parts").choices, view("parts").min_length) == (("p", "q", "r"), 1)
    assert [view("parts").said(one) for one in "pq"] == ["Part P", "q"]
    assert view("mode").said("a") == "Way A"


def test_a_field_says_whether_its_order_of_magnitude_is_chosen() -> None:
    assert [field.name for field in fields_of(Sample) if field.scale == "log"] == ["rate"]
    assert view("rate").as_json()["scale"] == "log"
    assert "scale" not in view("share").as_json()
    assert {field.name: field.scale for field in fields_of(SGD)} == {
        "lr": "log",
        "momentum": "linear",
        "dampening": "linear",
        "nesterov": "linear",
        "weight_decay": "log",
    }


def test_a_menu_inside_lists_what_can_be_picked_with_its_own_fields() -> None:
    options = view("init").options
    assert [option.kind for option in options] == [cls.kind_name() for cls in choices(AnyInit)]
    assert options == view("start").options
    he = view("init").option("he")
    assert he is not None
    assert (he.label, [field.name for field in he.fields]) == ("He (Kaiming)", ["distribution"])
    assert view("init").as_json()["options"][0]["label"] == TorchDefault.label


def test_a_layer_says_last_how_its_weights_start() -> None:
    assert [field.name for field in fields_of(Linear)] == ["out_features", "bias", "init", "bias_init"]


def test_a_plain_spec_has_fields_too() -> None:
    assert "scaling" in [field.name for field in fields_of(Preparation)]


def test_what_goes_to_the_browser_says_nothing_twice() -> None:
    data = view("on").as_json()
    assert data == {"name": "on", "label": "on", "help": "", "kind": "bool", "default": True}
    assert view("parts").as_json()["choice_labels"] == ["Part P", "q", "r"]


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


ALL = [
    Sample,
    Preparation,
    *(cls for menu in (AnyLayer, AnyDataset, AnyOptimizer) for cls in choices(menu) if cls.is_ready_made),
]


@pytest.mark.fault(113)
@pytest.mark.parametrize("cls", ALL)
@given(value=ANYTHING)
@settings(max_examples=20, deadline=None)
def test_whatever_comes_a_clamped_value_is_one_that_the_spec_takes(cls: type[Spec], value: object) -> None:
    for field in fields_of(cls):
        if field.name not in TOGETHER:
            cls(**{field.name: field.clamp(value)})


TOGETHER = {"train_share", "validation_share"}
"""Fields that are checked against each other, by the spec."""


@pytest.mark.parametrize("value", [{"kind": "normal", "std": 99}, {"kind": "normal", "std": 10.0, "stranger": [1]}])
def test_inside_a_menu_numbers_are_clamped_and_strangers_left_out(value: dict) -> None:
    assert view("init").clamp(value) == {"kind": "normal", "std": 10.0}


@pytest.mark.parametrize("value", ["he", ["he"], {}, {"kind": "os.system"}, {"kind": ["he"]}, {"kind": None}, 7, True])
def test_what_is_on_no_menu_is_the_default(value: object) -> None:
    assert view("init").clamp(value) is None
    assert view("start").clamp(value) == {"kind": "he", "distribution": "normal"}


def test_a_choice_is_clamped_as_its_json() -> None:
    assert view("start").clamp(HeInit(distribution="uniform")) == {"kind": "he", "distribution": "uniform"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [(["r", "p"], ("p", "r")), (("p", "p"), ("p",)), (["p", 7, None], ("p",)), ([], ("q",)), ("p", ("q",)), ([["p"]], ("q",))],
)
def test_flags_are_kept_in_order_once_and_at_least_so_many(value: object, kept: tuple) -> None:
    assert view("parts").clamp(value) == kept


@pytest.mark.parametrize(("text", "kept"), [("abc", "abc"), ("xyz", ""), ("a" * 9, ""), ("a\n", "")])
def test_a_text_fits_its_pattern_and_length(text: str, kept: str) -> None:
    assert view("digest").clamp(text) == kept


@pytest.mark.parametrize(("share", "kept"), [(0.1499, 0.15), (0.52, 0.5), (7, 1.0), (-1.0, 0.0)])
def test_a_number_snaps_to_its_steps(share: float, kept: float) -> None:
    assert view("share").clamp(share) == kept


@pytest.mark.fault(113)
@pytest.mark.parametrize(
    ("given_value", "kept"), [(999, 63), (-5, 1), (7.6, 8), (math.inf, 63), (math.nan, 8), (True, 8), ("9", 8), (None, 8)]
)
def test_numbers_are_clamped_and_everything_else_is_the_default(given_value: object, kept: int) -> None:
    assert view("width").clamp(given_value) == kept
