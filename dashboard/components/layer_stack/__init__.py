"""The builder: a stack of layers to drag, move by keyboard, and set in place."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.diagnostics import Diagnostic
from core.errors import SpecError
from core.models.layer import LayerChoice
from core.models.model import MAX_LAYERS, ModelSpec, stack_error
from core.models.stack import Inference
from core.spec import choices
from core.types import shape_text
from dashboard.components.fields import FieldView, fields_of
from dashboard.components.shared import acknowledge, acknowledged, declare, payload
from dashboard.text import _

log = logging.getLogger(__name__)

_component = declare("layer_stack")

LayerData = dict[str, Any]
"""A layer as JSON: its kind and its fields, as `model_dump` gives it."""


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer as the builder shows it. `problem` and `hint` stand below the layer; `fix` labels the button that mends it."""

    layer: LayerChoice
    shape: str = ""
    n_parameters: int = 0
    problem: str = ""
    hint: str = ""
    severity: str = "error"
    fix: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class StackView:
    """The whole stack as the builder shows it; `notes` are findings about the stack and not about one layer."""

    rows: tuple[LayerRow, ...]
    input: str
    output: str
    n_parameters: int
    notes: tuple[Diagnostic, ...] = ()


def stack_view(model: ModelSpec, inference: Inference, findings: Sequence[Diagnostic] = ()) -> StackView:
    """A model, its inferred shapes and its findings, made ready for the builder. One finding per layer: the worst."""
    rows = [
        LayerRow(layer, shape_text(info.out_shape) if info.out_shape is not None else "", info.n_parameters)
        for layer, info in zip(model.layers, inference.layers, strict=True)
    ]
    error = stack_error(model, inference)
    if error is not None and inference.error_index is not None:
        index = inference.error_index
        rows[index] = replace(rows[index], problem=error.message, hint=error.hint)
    notes = []
    for finding in sorted(findings, key=lambda finding: ("info", "warning", "error").index(finding.severity)):
        match finding.where:
            case ("layers", int(index), *_) if 0 <= index < len(rows):
                rows[index] = _found(rows[index], finding)
            case _:
                notes.append(finding)
    output = shape_text(inference.out_shape) if inference.out_shape is not None else ""
    return StackView(tuple(rows), shape_text(inference.input_shape), output, inference.n_parameters, tuple(reversed(notes)))


def _found(row: LayerRow, finding: Diagnostic) -> LayerRow:
    return replace(
        row,
        problem=finding.message,
        hint=finding.hint,
        severity=finding.severity,
        fix=finding.fix.label if finding.fix else "",
        code=finding.code,
    )


def layer_stack(
    view: StackView,
    menu: Any,
    *,
    key: str,
    parse: Callable[[list[LayerData]], ModelSpec],
    on_edit: Callable[[ModelSpec], None],
    on_fix: Callable[[int, str], None],
) -> None:
    """Show the builder.

    Args:
        menu: the Menu of layers.
        parse: makes a checked model from what the browser sent, with known kinds and clamped numbers; may raise SpecError.
        on_edit: gets the changed model, before the page runs again.
        on_fix: gets the index of the layer (-1: the stack as a whole) and the code of the finding whose fix was pressed.
    """
    fields = {cls.kind_name(): fields_of(cls) for cls in choices(menu)}

    def edited() -> None:
        sent = payload(key, "edit")
        if not isinstance(sent, dict):
            return
        acknowledge(key, sent.get("seq"))
        layers = layers_sent(sent.get("layers"), fields)
        if layers is None:
            log.warning("The builder sent something that is not a stack of layers; it was ignored.")
            return
        try:
            model = parse(layers)
        except SpecError as error:
            log.warning("The builder sent a stack that cannot be: %s", error)
            return
        on_edit(model)

    def fixed() -> None:
        sent = payload(key, "fix")
        if not isinstance(sent, dict):
            return
        acknowledge(key, sent.get("seq"))
        index, code = sent.get("index"), sent.get("code")
        if isinstance(index, int) and not isinstance(index, bool) and -1 <= index < MAX_LAYERS and isinstance(code, str):
            on_fix(index, code[:80])

    data = {
        "rows": [_row_data(row) for row in view.rows],
        "notes": [_note_data(note) for note in view.notes],
        "input": view.input,
        "output": view.output,
        "n_parameters": view.n_parameters,
        "menu": _menu_data(menu),
        "max_layers": MAX_LAYERS,
        "ack": acknowledged(key),
        "texts": _texts(),
    }
    _component(key=key, data=data, on_edit_change=edited, on_fix_change=fixed)


def layers_sent(sent: object, fields: dict[str, tuple[FieldView, ...]]) -> list[LayerData] | None:
    """What the browser sent as layers of known kinds, numbers clamped to their bounds; None when it is no such thing."""
    if not isinstance(sent, list) or len(sent) > MAX_LAYERS:
        return None
    layers = []
    for item in sent:
        kind = item.get("kind") if isinstance(item, dict) else None
        if not isinstance(kind, str) or kind not in fields:
            return None
        params = item.get("params")
        params = params if isinstance(params, dict) else {}
        layers.append(
            {"kind": kind} | {field.name: field.clamp(params.get(field.name, field.default)) for field in fields[kind]}
        )
    return layers


def _row_data(row: LayerRow) -> dict[str, Any]:
    params = row.layer.model_dump(exclude={"kind"})
    data = {name: getattr(row, name) for name in ("shape", "n_parameters", "problem", "hint", "severity", "fix", "code")}
    return data | {"kind": row.layer.kind, "params": params}


def _note_data(note: Diagnostic) -> dict[str, str]:
    fix = note.fix.label if note.fix else ""
    return {"problem": note.message, "hint": note.hint, "severity": note.severity, "fix": fix, "code": note.code}


def _menu_data(menu: Any) -> list[dict[str, Any]]:
    """Every kind with its label, help, family (the name of the file it is in) and fields."""
    return [
        {
            "kind": cls.kind_name(),
            "label": cls.label,
            "help": (cls.__doc__ or "").strip().split("\n")[0],
            "family": _(cls.__module__.rpartition(".")[2].replace("_", " ").capitalize()),
            "fields": [field.as_json() for field in fields_of(cls)],
        }
        for cls in choices(menu)
    ]


def _texts() -> dict[str, str]:
    return {
        "list": _("Layers, from input to output"),
        "input": _("Input"),
        "output": _("Output"),
        "parameters": _("parameters"),
        "handle": _("Move {kind}, layer {i} of {n}. Arrow keys move it, Delete removes it"),
        "up": _("Move {kind} (layer {i}) up"),
        "down": _("Move {kind} (layer {i}) down"),
        "duplicate": _("Duplicate {kind} (layer {i})"),
        "remove": _("Remove {kind} (layer {i})"),
        "moved": _("{kind} moved to place {i} of {n}"),
        "removed": _("{kind} removed"),
        "duplicated": _("{kind} duplicated"),
        "added": _("{kind} added as layer {i}"),
        "set": _("{kind}: {name} is {value}"),
        "kinds": _("Kind of layer to add"),
        "add": _("Add layer"),
        "full": _("A stack has at most {n} layers."),
        "none": _("none"),
        "empty": _("No layers yet. Add the first one below."),
        "blocked": _("unknown until the problem above is solved"),
        "fix": _("Fix: {label}"),
        "bounds": _("{name}: from {min} to {max}"),
    }
