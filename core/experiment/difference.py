"""What differs between two experiments, by paths that a person can read: "Lane 1 > optimizer > lr"."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.data.plane import Plane
from core.data.preparation import Preparation
from core.experiment.experiment import Experiment

LISTED = {"lanes": "Lane", "layers": "Layer", "branches": "Branch", "regularizers": "Regularizer", "augmentation": "Change"}
"""How an entry of a list is called; by default "number"."""
MISSING = "–"
LONGEST = 120


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting that differs. "–" stands where the other experiment has no such setting."""

    path: str
    first: str
    second: str


def settings_that_differ(first: Experiment, second: Experiment) -> tuple[Setting, ...]:
    """Every setting with another value, in the order of an experiment's fields; nothing where the two are equal."""
    pair = (first.model_dump(mode="json"), second.model_dump(mode="json"))
    return tuple(_differences(pair[0], pair[1], ()))


def has_same_examples(first: Experiment, second: Experiment) -> bool:
    """Whether example i of a split is the same one for both, however it is prepared."""
    return first.seed == second.seed and _bare(first) == _bare(second)


def _bare(experiment: Experiment) -> dict[str, Any]:
    """The data without what is made of its examples."""
    fields: dict[str, Any] = {"preparation": Preparation()}
    if isinstance(experiment.data, Plane):
        fields["features"] = ("x1", "x2")
    return experiment.data.but(**fields).model_dump()


def _differences(first: Any, second: Any, path: tuple[str, ...]) -> Iterator[Setting]:
    if first == second:
        return
    if isinstance(first, dict) and isinstance(second, dict) and first.get("kind") == second.get("kind"):
        for name in dict.fromkeys([*first, *second]):
            yield from _differences(first.get(name, MISSING), second.get(name, MISSING), (*path, name))
    elif isinstance(first, list) and isinstance(second, list) and any(isinstance(one, dict) for one in [*first, *second]):
        for place in range(max(len(first), len(second))):
            pair = [values[place] if place < len(values) else MISSING for values in (first, second)]
            yield from _differences(pair[0], pair[1], (*path[:-1], f"{LISTED.get(path[-1], 'number')} {place + 1}"))
    else:
        yield Setting(_readable(path), _text(first), _text(second))


def _readable(path: tuple[str, ...]) -> str:
    return " > ".join(name.replace("_", " ") for name in path)


def _text(value: Any) -> str:
    """A value in a cell: a Choice by its kind and what is set in it."""
    if isinstance(value, dict) and "kind" in value:
        inner = ", ".join(f"{name} {_text(each)}" for name, each in value.items() if name != "kind" and not _is_empty(each))
        found = f"{value['kind']} ({inner})" if inner else str(value["kind"])
    elif isinstance(value, dict):
        found = ", ".join(f"{name} {_text(each)}" for name, each in value.items() if not _is_empty(each)) or MISSING
    elif isinstance(value, list):
        found = ", ".join(_text(each) for each in value) or "none"
    elif isinstance(value, bool):
        found = "yes" if value else "no"
    elif value is None:
        found = "none"
    else:
        found = f"{value:g}" if isinstance(value, float) else str(value) or MISSING
    return found if len(found) <= LONGEST else found[: LONGEST - 1] + "…"


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
