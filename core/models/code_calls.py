"""Calls as lines of source: `nn.Conv2d(1, 16, 3, padding=1),  # (1, 8, 8) -> (16, 8, 8)`."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.models.code_classes import OURS, class_defaults
from core.models.layer import Call
from core.models.stack import Inference, LayerInfo
from core.types import Shape

WIDTH = 100
"""Characters per line."""
SEQUENTIAL = "torch.nn:Sequential"

_BATCH_NORM = {"eps": 1e-5, "momentum": 0.1}
_CONVOLUTION = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}
_POOL = {"stride": None, "padding": 0}
_RECURRENT = {"num_layers": 1, "dropout": 0.0, "bidirectional": False}
DEFAULTS: dict[str, Mapping[str, Any]] = {
    "Linear": {"bias": True},
    "Conv1d": _CONVOLUTION,
    "Conv2d": _CONVOLUTION,
    "ConvTranspose2d": _CONVOLUTION | {"output_padding": 0},
    "MaxPool1d": _POOL,
    "MaxPool2d": _POOL,
    "AvgPool2d": _POOL,
    "PReLU": {"init": 0.25},
    "GELU": {"approximate": "none"},
    "BatchNorm1d": _BATCH_NORM,
    "BatchNorm2d": _BATCH_NORM,
    "LayerNorm": {"eps": 1e-5},
    "GroupNorm": {"eps": 1e-5},
    "Upsample": {"mode": "nearest"},
    "RNN": _RECURRENT | {"nonlinearity": "tanh"},
    "LSTM": _RECURRENT,
    "GRU": _RECURRENT,
    "TransformerEncoderLayer": {"dim_feedforward": 2048, "dropout": 0.1, "norm_first": False},
}
"""What torch takes for an argument that is left out, by class; a test holds each equal to torch's signature."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call: `text` where it is plain, else another call."""

    text: str = ""
    name: str = ""
    call: Call | None = None


def class_name(target: str) -> str:
    """The name under which exported code knows a class: `nn.Linear`, or the bare name of one of ours."""
    module, _, name = target.partition(":")
    if module == "torch.nn":
        return f"nn.{name}"
    if module.startswith(OURS):
        return name
    raise TypeError(f"exported code has no name for {target}")


def targets(call: Call) -> Iterator[str]:
    """The targets of a call and of all calls in it."""
    yield call.target
    for argument in arguments(call):
        if argument.call is not None:
            yield from targets(argument.call)


def arguments(call: Call) -> list[Argument]:
    """The arguments, without those that are taken anyway."""
    defaults = class_defaults(call.target) if call.target.startswith(OURS) else DEFAULTS.get(call.target.partition(":")[2], {})
    values = [("", value) for value in call.args]
    while values and values[-1][1] is None:
        values.pop()
    values += [pair for pair in call.kwargs.items() if pair[0] not in defaults or not _same(pair[1], defaults[pair[0]])]
    return [
        Argument(name=name, call=value) if isinstance(value, Call) else Argument(plain(value), name) for name, value in values
    ]


def plain(value: Any) -> str:
    """A number, bool, None, tuple of these, or a word as source. Words are those of our Literals: nothing that a user wrote."""
    if isinstance(value, tuple):
        inner = ", ".join(map(plain, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, str):
        if not re.fullmatch(r"[\w.-]*", value, re.ASCII):
            raise TypeError(f"no text of a user's may get into exported code: {value[:40]!r}")
        return json.dumps(value)
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    raise TypeError(f"exported code cannot say {type(value).__name__}")


def call_lines(call: Call, indent: str, end: str, info: LayerInfo | None = None) -> list[str]:
    """The call in lines, followed by `end` and by the shapes that it turns into each other."""
    parts = arguments(call)
    comment = shapes_comment(info)
    name = class_name(call.target)
    if not any(_is_stack(part.call) for part in parts):
        text = f"{indent}{name}({', '.join(map(_inline, parts))}){end}"
        if len(text) + len(comment) <= WIDTH:
            return [text + comment]
        if len(text) <= WIDTH:
            return [indent + comment.strip(), text]
    return [f"{indent}{name}(", *_inner_lines(call, parts, f"{indent}    ", info), f"{indent}){end}{comment}"]


def _inner_lines(call: Call, parts: Sequence[Argument], indent: str, info: LayerInfo | None) -> list[str]:
    """A line or more per argument. The stacks in a container's call are its branches, in order."""
    branches = iter(info.branches if info is not None else ())
    lines: list[str] = []
    for part in parts:
        if part.call is None:
            lines.append(f"{indent}{_inline(part)},")
            continue
        branch = next(branches, None) if part.call.target == SEQUENTIAL else None
        inner = _stack_lines(part.call, indent, branch) if branch is not None else call_lines(part.call, indent, ",")
        inner[0] = indent + (f"{part.name}=" if part.name else "") + inner[0].removeprefix(indent)
        lines += inner
    return lines


def _stack_lines(stack: Call, indent: str, inference: Inference) -> list[str]:
    """A branch: an nn.Sequential with the shapes of each of its layers."""
    if not stack.args:
        return [f"{indent}nn.Sequential(),"]
    lines = [f"{indent}nn.Sequential("]
    for call, info in zip(stack.args, inference.layers, strict=True):
        lines += call_lines(call, f"{indent}    ", ",", info)
    return [*lines, f"{indent}),"]


def shapes_comment(info: LayerInfo | None) -> str:
    """`  # (1, 8, 8) -> (16, 8, 8)`; empty where nothing is known."""
    if info is None or info.in_shape is None or info.out_shape is None:
        return ""
    return f"  # {shape_code(info.in_shape)} -> {shape_code(info.out_shape)}"


def shape_code(shape: Shape) -> str:
    """A shape as torch prints it, without the batch axis: `(1, 8, 8)`."""
    return f"({', '.join(map(str, shape))})"


def _inline(part: Argument) -> str:
    text = part.text
    if part.call is not None:
        text = f"{class_name(part.call.target)}({', '.join(map(_inline, arguments(part.call)))})"
    return f"{part.name}={text}" if part.name else text


def _is_stack(call: Call | None) -> bool:
    """Whether a line for itself is needed: a stack with layers, or something that holds one."""
    if call is None:
        return False
    return (call.target == SEQUENTIAL and bool(call.args)) or any(_is_stack(part.call) for part in arguments(call))


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
