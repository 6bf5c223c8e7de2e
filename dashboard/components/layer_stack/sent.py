"""What the browser sent as a stack, made harmless: known kinds, clamped numbers, bounded depth and count."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from annotated_types import MaxLen, MinLen

from core.models.layer import LayerChoice
from core.models.layers.containers import Container
from core.models.model import MAX_LAYERS
from core.models.stack import Path
from core.spec import choices
from dashboard.components.fields import fields_of

MAX_DEPTH = 3
"""Containers in each other."""

LayerData = dict[str, Any]
"""A layer as JSON: its kind and its fields, as `model_dump` gives it."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a container may hold: in which field, how many branches it starts with, has at least and at most, and how many
    layers each may have."""

    field: str
    start: int
    least: int
    most: int
    longest: int


@cache
def holding(cls: type[LayerChoice]) -> Holding | None:
    """How layers of this class hold others; None where they do not."""
    if not issubclass(cls, Container):
        return None
    field = "layers" if "layers" in cls.model_fields else "branches"
    info = cls.model_fields[field]
    longest = next((mark.max_length for mark in info.metadata if isinstance(mark, MaxLen)), MAX_LAYERS)
    if field == "layers":
        return Holding("layers", 1, 1, 1, longest)
    least = next((mark.min_length for mark in info.metadata if isinstance(mark, MinLen)), 0)
    return Holding("branches", len(info.default), least, longest, MAX_LAYERS)


def layers_sent(sent: object, menu: Any) -> list[LayerData] | None:
    """What the browser sent as layers of known kinds, numbers clamped to their bounds; None when it is no such thing."""
    try:
        return _Reader({cls.kind_name(): cls for cls in choices(menu)}).stack(sent, 0, MAX_LAYERS)
    except NotAStackError:
        return None


def path_sent(sent: object) -> Path | None:
    """The place of a layer that the browser sent, () for the stack as a whole; None when it is no such thing."""
    if not isinstance(sent, list) or len(sent) > 2 * MAX_DEPTH + 1 or (sent and len(sent) % 2 == 0):
        return None
    if not all(isinstance(part, int) and not isinstance(part, bool) and 0 <= part < MAX_LAYERS for part in sent):
        return None
    return tuple(sent)


class NotAStackError(ValueError):
    """What came is no stack of layers."""


class _Reader:
    """Reads one message; counts the layers as it goes, so that a hostile one is left early."""

    def __init__(self, classes: Mapping[str, type[LayerChoice]]) -> None:
        self.classes = classes
        self.n_layers = 0

    def stack(self, sent: object, depth: int, longest: int) -> list[LayerData]:
        if not isinstance(sent, list) or len(sent) > longest or depth > MAX_DEPTH:
            raise NotAStackError
        self.n_layers += len(sent)
        if self.n_layers > MAX_LAYERS:
            raise NotAStackError
        return [self.layer(item, depth) for item in sent]

    def layer(self, item: object, depth: int) -> LayerData:
        kind = item.get("kind") if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(kind, str) or kind not in self.classes:
            raise NotAStackError
        cls = self.classes[kind]
        params = item.get("params")
        params = params if isinstance(params, dict) else {}
        return {"kind": kind} | _params(cls, params) | self.inside(cls, item.get("branches"), depth)

    def inside(self, cls: type[LayerChoice], branches: object, depth: int) -> LayerData:
        """What a container holds, by the field that holds it."""
        holds = holding(cls)
        if holds is None:
            return {}
        if branches is None:
            branches = [[] for _branch in range(holds.start)]
        if not isinstance(branches, list) or not holds.least <= len(branches) <= holds.most:
            raise NotAStackError
        stacks = [self.stack(branch, depth + 1, holds.longest) for branch in branches]
        return {holds.field: stacks[0] if holds.field == "layers" else stacks}


def not_params(cls: type[LayerChoice]) -> set[str]:
    """The fields of a layer that say what it is and what it holds, beside its settings."""
    holds = holding(cls)
    return {"kind"} if holds is None else {"kind", holds.field}


def _params(cls: type[LayerChoice], params: Mapping[str, Any]) -> LayerData:
    """The fields of a layer: those of the form clamped, those that no form shows as they came, for the spec to check."""
    views = fields_of(cls)
    shown = {view.name: view.clamp(params.get(view.name, view.default)) for view in views}
    hidden = cls.model_fields.keys() - shown.keys() - not_params(cls)
    return shown | {name: params[name] for name in sorted(hidden) if name in params}
