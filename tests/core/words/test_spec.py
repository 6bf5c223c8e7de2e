"""Specs, choices and menus: strict, frozen, and clear about what is wrong."""

from typing import Annotated, Literal

import pytest
from pydantic import Field

from core.errors import SpecError
from core.spec import MAX_TEXT_BYTES, Choice, choice_class, choices, on_menu, parse_json


class Apple(Choice):
    """A fruit."""

    kind: Literal["apple"] = "apple"
    label = "Apple"
    n: Annotated[int, Field(ge=1, le=9)] = 3
    share: Annotated[float, Field(ge=0, le=1)] = 0.5
    is_ripe: bool = True


class Pear(Choice):
    """Another fruit."""

    kind: Literal["pear"] = "pear"
    label = "Pear"


AnyFruit = Annotated[Apple | Pear, on_menu()]


def test_a_menu_lists_its_choices_in_order():
    assert choices(AnyFruit) == (Apple, Pear)
    assert choice_class(AnyFruit, "pear") is Pear
    assert list(Apple.knobs()) == ["n", "share", "is_ripe"]


def test_but_changes_and_checks():
    apple = Apple().but(n=4)
    assert (apple.n, apple.share) == (4, 0.5)
    with pytest.raises(SpecError, match=r"n: .*less than or equal to 9"):
        apple.but(n=10)


def test_a_spec_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Apple().n = 4


@pytest.mark.fault(12)
@pytest.mark.fault(14)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"kind":"apple","n":0}', "n: .*greater than or equal to 1"),
        ('{"kind":"apple","n":true}', "n: .*integer"),
        ('{"kind":"apple","n":"3"}', "n: .*integer"),
        ('{"kind":"apple","n":1e999}', "n: "),
        ('{"kind":"apple","n":' + "9" * 5000 + "}", "number out of range|n: "),
        ('{"kind":"apple","share":NaN}', "share: .*finite"),
        ('{"kind":"apple","share":-Infinity}', "share: "),
        ('{"kind":"apple","colour":1}', "colour: this name is not known"),
        ('{"kind":"aple"}', "Did you mean 'apple'"),
        ('{"kind":', "not valid JSON"),
        ("[" * 60_000, "not valid JSON|recursion"),
        ("1", "the text"),
        ("x" * (MAX_TEXT_BYTES + 1), "the limit is 65,536"),
    ],
)
def test_bad_text_is_refused_with_a_sentence_that_names_the_field(text, words):
    with pytest.raises(SpecError, match=words):
        parse_json(AnyFruit, text)


def test_a_wrong_name_gets_the_nearest_right_one():
    with pytest.raises(SpecError, match="Did you mean 'pear'"):
        choice_class(AnyFruit, "pair")
