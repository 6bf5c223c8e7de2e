"""What the builder's script gets: rows, the Menu, and every word it says, in the reader's language."""

from typing import Any

from core.diagnostics import Diagnostic
from core.models.model import MAX_LAYERS
from core.spec import choices
from dashboard.components.fields import FieldView, fields_of, translated
from dashboard.components.layer_stack.sent import MAX_DEPTH, holding, not_params
from dashboard.components.layer_stack.view import LayerRow, StackView
from dashboard.text import _

SHOWN = ("shape", "n_parameters", "facts", "problem", "hint", "severity", "fix", "code")


def stack_data(view: StackView, menu: Any, ack: int) -> dict[str, Any]:
    """Everything that the script needs to draw the builder."""
    kinds, menus = _menu_data(menu)
    return {
        "rows": [_row_data(row) for row in view.rows],
        "notes": [_note_data(note) for note in view.notes],
        "input": view.input,
        "output": view.output,
        "totals": view.totals,
        "menu": kinds,
        "menus": menus,
        "max_layers": MAX_LAYERS,
        "max_depth": MAX_DEPTH,
        "ack": ack,
        "texts": _texts(),
    }


def _row_data(row: LayerRow) -> dict[str, Any]:
    data = {name: getattr(row, name) for name in SHOWN if getattr(row, name)}
    data |= {"kind": row.layer.kind, "params": row.layer.model_dump(mode="json", exclude=not_params(type(row.layer)))}
    if row.layer.inner():
        data["branches"] = [[_row_data(inner) for inner in branch] for branch in row.branches]
    return data


def _note_data(note: Diagnostic) -> dict[str, str]:
    fix = note.fix.label if note.fix else ""
    return {"problem": note.message, "hint": note.hint, "severity": note.severity, "fix": fix, "code": note.code}


def _menu_data(menu: Any) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
    """Every kind with its label, help, family (the name of the file it is in) and fields.

    Fields that are Menus themselves name theirs by its place in the second list: many layers share the same.
    """
    shared: list[FieldView] = []
    kinds = [
        {
            "kind": cls.kind_name(),
            "label": translated(cls.label),
            "help": translated((cls.__doc__ or "").strip().split("\n")[0]),
            "family": _(cls.__module__.rpartition(".")[2].replace("_", " ").capitalize()),
            "fields": [_field_data(field, shared) for field in fields_of(cls)],
            "is_ready_made": cls.is_ready_made,
            "holds": _holding_data(cls),
        }
        for cls in choices(menu)
    ]
    return kinds, [field.as_json()["options"] for field in shared]


def _field_data(field: FieldView, shared: list[FieldView]) -> dict[str, Any]:
    if field.kind != "menu":
        return field.as_json()
    place = next((i for i, other in enumerate(shared) if other.options == field.options), len(shared))
    if place == len(shared):
        shared.append(field)
    return {name: value for name, value in field.as_json().items() if name != "options"} | {"menu": place}


def _holding_data(cls: type[Any]) -> dict[str, int] | None:
    holds = holding(cls)
    return holds and {name: getattr(holds, name) for name in ("start", "least", "most", "longest")}


def _texts() -> dict[str, str]:
    return _words() | _actions() | _sayings()


def _words() -> dict[str, str]:
    return {
        "list": _("Layers, from input to output"),
        "inside": _("Layers in {kind} {i}"),
        "branch": _("Branch {letter}"),
        "input": _("Input"),
        "output": _("Output"),
        "parameters": _("parameters"),
        "none": _("none"),
        "as_model": _("as the model"),
        "on": _("on"),
        "off": _("off"),
        "empty": _("No layers yet. Add the first one below."),
        "empty_branch": _("No layers here: the input goes straight through."),
        "blocked": _("unknown until the problem above is solved"),
        "bounds": _("{name}: from {min} to {max}"),
        "keeps": _("What training keeps of one example for the backward pass, and how much of the input one output depends on"),
        "n_inside": _("{n} layers inside"),
        "one_inside": _("1 layer inside"),
        "problems_inside": _("{n} to look at inside"),
    }


def _actions() -> dict[str, str]:
    return {
        "handle": _("Move {kind}, layer {i} of {n}. Arrow keys move it, Delete removes it, Plus adds a layer after it"),
        "handle_in": _(
            "Move {kind}, layer {i}, {k} of {n} in {parent}. Arrow keys move it, Delete removes it, Plus adds a layer after it"
        ),
        "opens": _("Enter shows more or less of it"),
        "up": _("Move {kind} (layer {i}) up"),
        "down": _("Move {kind} (layer {i}) down"),
        "duplicate": _("Duplicate {kind} (layer {i})"),
        "remove": _("Remove {kind} (layer {i})"),
        "after": _("Add a layer after {kind} (layer {i})"),
        "fold": _("Layers inside {kind} (layer {i})"),
        "more": _("More"),
        "more_of": _("More settings of {kind} (layer {i})"),
        "fold_all": _("Collapse all"),
        "unfold_all": _("Expand all"),
        "add": _("Add layer"),
        "add_here": _("Add layer here"),
        "add_to": _("Add layer to {kind} {i}"),
        "add_to_branch": _("Add layer to branch {letter} of {kind} {i}"),
        "add_branch": _("Add branch"),
        "add_branch_to": _("Add a branch to {kind} {i}"),
        "remove_branch": _("Remove branch {letter} of {kind} {i}"),
        "search": _("Type to find it"),
        "kinds": _("Kind of layer to add"),
        "close": _("Cancel"),
        "fix": _("Fix: {label}"),
    }


def _sayings() -> dict[str, str]:
    return {
        "moved": _("{kind} moved to place {i} of {n}"),
        "moved_in": _("{kind} moved into {parent}, place {i} of {n}"),
        "moved_out": _("{kind} moved out of {parent}, to place {i} of {n}"),
        "removed": _("{kind} removed"),
        "duplicated": _("{kind} duplicated"),
        "added": _("{kind} added as layer {i}"),
        "set": _("{kind}: {name} is {value}"),
        "folded": _("{kind} collapsed"),
        "unfolded": _("{kind} expanded"),
        "branch_added": _("Branch {letter} added to {kind}"),
        "branch_removed": _("Branch {letter} removed from {kind}"),
        "found": _("{n} kinds of layers"),
        "not_found": _("No layer of this name."),
        "full": _("A stack has at most {n} layers, those inside others counted."),
        "long": _("{kind} holds at most {n} layers in a branch."),
        "deep": _("Layers stand in each other at most {n} deep."),
        "itself": _("A layer cannot be put into itself."),
        "few": _("{name}: keep at least {n}."),
    }
