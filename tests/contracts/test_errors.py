"""Errors are for a person: one tree, and a hint wherever one is raised."""

import ast
from pathlib import Path

import pytest

from core import errors

ROOT = Path(__file__).resolve().parents[2]
TREE = {name: cls for name, cls in vars(errors).items() if isinstance(cls, type) and issubclass(cls, errors.LayerwiseError)}
RAISES = [
    pytest.param(node.exc, id=f"{path.relative_to(ROOT)}:{node.lineno}")
    for top in ("core", "dashboard")
    for path in sorted((ROOT / top).rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and getattr(node.exc.func, "id", "") in TREE
]


def test_the_tree_has_one_root():
    assert all(cls is errors.LayerwiseError or errors.LayerwiseError in cls.__mro__ for cls in TREE.values())
    assert all(name in errors.__doc__ for name in TREE)


def test_an_error_reads_as_message_then_hint():
    error = errors.SpecError("There are 3 lanes.", hint="Choose one of them.", n=3)
    assert str(error) == "There are 3 lanes. Choose one of them."
    assert error.params == {"n": 3}


@pytest.mark.parametrize("call", RAISES)
def test_wherever_one_is_raised_it_says_what_to_do(call):
    assert len(call.args) > 1 or any(keyword.arg in ("hint", None) for keyword in call.keywords)


@pytest.mark.parametrize(("wrong", "right"), [("Conv2D", "Conv2d"), ("relu", "ReLU"), ("MaxPool", "MaxPool2d")])
def test_the_nearest_name_is_found(wrong, right):
    assert errors.nearest(wrong, ["Conv2d", "ReLU", "MaxPool2d", "Linear"]) == f"Did you mean {right!r}?"


def test_nothing_near_gives_the_list():
    assert errors.nearest("zzz", ["a", "b"]) == "Choose one of: a, b."
