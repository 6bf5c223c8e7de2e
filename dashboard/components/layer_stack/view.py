"""A model, what is known of it and what was found, as the rows that the builder shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.diagnostics import Diagnostic
from core.models.cost import FLOAT32_BYTES, activation_bytes, parameter_bytes
from core.models.layer import LayerChoice
from core.models.model import ModelSpec, stack_error
from core.models.stack import Inference, LayerInfo, Path, Reach
from core.types import shape_text
from dashboard.text import _, counted

SEVERITIES = ("info", "warning", "error")


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer as the builder shows it. `problem` and `hint` stand below the layer; `fix` labels the button that mends it.

    `facts` are short texts on what the layer costs and sees; `branches` are the rows inside a container.
    """

    layer: LayerChoice
    shape: str = ""
    n_parameters: int = 0
    facts: tuple[str, ...] = ()
    problem: str = ""
    hint: str = ""
    severity: str = "error"
    fix: str = ""
    code: str = ""
    branches: tuple[tuple["LayerRow", ...], ...] = ()


@dataclass(frozen=True, slots=True)
class StackView:
    """The whole stack as the builder shows it.

    `totals` are labels with their values, below the stack; `notes` are findings about the stack and not about one layer.
    """

    rows: tuple[LayerRow, ...]
    input: str
    output: str
    totals: tuple[tuple[str, str], ...] = ()
    notes: tuple[Diagnostic, ...] = ()


def stack_view(model: ModelSpec, inference: Inference, findings: Sequence[Diagnostic] = ()) -> StackView:
    """A model, its inferred shapes and its findings, made ready for the builder. One finding per layer: the worst."""
    rows = _rows(model.layers, inference, len(inference.input_shape))
    error = stack_error(model, inference)
    if error is not None and inference.error_path is not None:
        there = _row_at(rows, inference.error_path)
        if there is not None:
            rows = _put(rows, inference.error_path, replace(there, problem=error.message, hint=error.hint))
    notes = []
    for finding in sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)):
        path = path_of(finding)
        row = _row_at(rows, path) if path else None
        if row is None:
            notes.append(finding)
        else:
            rows = _put(rows, path, _found(row, finding))
    output = shape_text(inference.out_shape) if inference.out_shape is not None else ""
    return StackView(rows, shape_text(inference.input_shape), output, _totals(inference), tuple(reversed(notes)))


def path_of(finding: Diagnostic) -> Path:
    """The place of the layer that a finding is about: (3, 0, 1) of ("layers", 3, 0, 1, "kernel_size"); () for all others."""
    if finding.where[:1] != ("layers",):
        return ()
    path: list[int] = []
    for part in finding.where[1:]:
        if not isinstance(part, int):
            break
        path.append(part)
    return tuple(path)


def _rows(layers: Sequence[LayerChoice], inference: Inference, n_axes: int) -> tuple[LayerRow, ...]:
    """Rows of a stack whose model gets examples with `n_axes` axes."""
    return tuple(_row(layer, info, n_axes) for layer, info in zip(layers, inference.layers, strict=True))


def _row(layer: LayerChoice, info: LayerInfo, n_axes: int) -> LayerRow:
    inside = zip(layer.inner(), info.branches, strict=True)
    return LayerRow(
        layer,
        shape_text(info.out_shape) if info.out_shape is not None else "",
        info.n_parameters,
        _facts(info, n_axes),
        branches=tuple(_rows(branch, inner, n_axes) for branch, inner in inside),
    )


def _facts(info: LayerInfo, n_axes: int) -> tuple[str, ...]:
    """Multiply-adds, what training keeps for the backward pass, and how much of the input one output sees."""
    if info.in_shape is None or info.out_shape is None:
        return ()
    facts = []
    if info.multiply_adds:
        facts.append(counted("{n} multiply-add", "{n} multiply-adds", info.multiply_adds))
    if info.n_activations:
        facts.append(_("keeps {memory}").format(memory=bytes_text(info.n_activations * FLOAT32_BYTES)))
    n_axes = max(n_axes, len(info.out_shape))
    if n_axes > 1:  # of plain numbers, everything sees all
        facts.append(_sees(info.reach, is_map=n_axes == 3))
    return tuple(facts)


def _sees(reach: Reach | None, *, is_map: bool) -> str:
    if reach is None:
        return _("sees all")
    size = math.ceil(reach.size)
    if is_map:
        return _("sees {size}").format(size=shape_text((size, size)))
    return counted("sees {n} step", "sees {n} steps", size)


def _totals(inference: Inference) -> tuple[tuple[str, str], ...]:
    return (
        (_("Parameters"), f"{inference.n_parameters:,}"),
        (_("Multiply-adds per example"), f"{inference.multiply_adds:,}"),
        (_("Activations per example"), bytes_text(activation_bytes(inference))),
        (_("Size on disk"), bytes_text(parameter_bytes(inference))),
    )


def bytes_text(n_bytes: int) -> str:
    """A size as a person reads it, 1 KB being 1,024 bytes: `3.9 KB`."""
    if n_bytes < 1024:
        return counted("{n} byte", "{n} bytes", n_bytes)
    size, unit = n_bytes / 1024, "KB"
    for larger in ("MB", "GB", "TB"):
        if round(size) < 1000:
            break
        size, unit = size / 1024, larger
    return f"{size:,.1f} {unit}" if size < 10 else f"{size:,.0f} {unit}"


def _row_at(rows: Sequence[LayerRow], path: Path) -> LayerRow | None:
    """The row at `path`; None where there is none."""
    if len(path) % 2 == 0 or not 0 <= path[0] < len(rows):
        return None
    row = rows[path[0]]
    if len(path) == 1:
        return row
    return _row_at(row.branches[path[1]], path[2:]) if 0 <= path[1] < len(row.branches) else None


def _put(rows: tuple[LayerRow, ...], path: Path, new: LayerRow) -> tuple[LayerRow, ...]:
    """The rows with another one at `path`, which exists."""
    index = path[0]
    if len(path) > 1:
        branches = list(rows[index].branches)
        branches[path[1]] = _put(branches[path[1]], path[2:], new)
        new = replace(rows[index], branches=tuple(branches))
    return (*rows[:index], new, *rows[index + 1 :])


def _found(row: LayerRow, finding: Diagnostic) -> LayerRow:
    return replace(
        row,
        problem=finding.message,
        hint=finding.hint,
        severity=finding.severity,
        fix=finding.fix.label if finding.fix else "",
        code=finding.code,
    )
