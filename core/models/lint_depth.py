"""Rules about what a stack can learn at all: bends between layers, gradients that arrive, weights that differ."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from core.diagnostics import Diagnostic, Fix
from core.models.init import ConstantInit, TorchDefault, XavierInit, ZerosInit
from core.models.layer import LayerChoice, WeightedLayer
from core.models.layers.activation import ReLU
from core.models.look import CONNECTED, Look, warning
from core.models.repair import inserted, swap, without
from core.models.stack import Path

STRAIGHT = (
    *("Flatten", "Reshape", "Dropout", "Dropout2d", "BatchNorm1d", "BatchNorm2d", "Upsample"),
    *("AvgPool2d", "AdaptiveAvgPool2d", "GlobalAvgPool"),
)
"""Kinds that, once trained, are linear themselves. MaxPool2d is not: it bends; LayerNorm neither: it divides."""
SQUEEZING = {"Sigmoid": 3, "Tanh": 5}
"""So many in a row leave little of a gradient, unless weights start large enough."""


def no_nonlinearity(look: Look) -> Iterator[Diagnostic]:
    for at, row in look.rows():
        first: int | None = None
        for index, layer in enumerate(row):
            if layer.kind in CONNECTED:
                if first is not None:
                    yield _collapse(look, at, row, first, index)
                first = index
            elif layer.kind not in STRAIGHT:
                first = None


def _collapse(look: Look, at: Path, row: tuple[LayerChoice, ...], first: int, second: int) -> Diagnostic:
    bend = first + 1
    while row[bend].kind in ("BatchNorm1d", "BatchNorm2d"):  # the usual order: layer, normalisation, activation
        bend += 1
    before, path = look.name((*at, first)), (*at, second)
    return Diagnostic(
        "no-nonlinearity",
        "warning",
        ("layers", *path),
        f"{look.name(path)} follows {before.replace('Layer', 'layer', 1)} with no activation between them: "
        "together they can learn no more than one such layer.",
        hint="Insert an activation such as ReLU between them.",
        params={"first": first, "second": second},
        fix=look.fix(f"Insert ReLU after {_number(look, (*at, bend - 1))}", path, lambda row, i: inserted(row, bend, ReLU())),
    )


def _number(look: Look, path: Path) -> str:
    """`layer 4`."""
    return "layer " + look.name(path).split()[1]


def redundant_bias(look: Look) -> Iterator[Diagnostic]:
    for at, row in look.rows():
        for index, (layer, after) in enumerate(pairwise(row)):
            if layer.kind in CONNECTED and getattr(layer, "bias", False) and after.kind in ("BatchNorm1d", "BatchNorm2d"):
                plain = layer.but(bias=False)
                yield Diagnostic(
                    "redundant-bias",
                    "info",
                    ("layers", *at, index),
                    f"{look.name((*at, index))} has a bias, which the {after.kind} after it subtracts again.",
                    hint="Switch the bias off: the model is the same with fewer parameters.",
                    fix=look.fix("Switch the bias off", (*at, index), swap(plain)),
                )


def vanishing_gradients(look: Look) -> Iterator[Diagnostic]:
    """Many squeezing activations in one row, between layers that start small, and no skip or normalisation on the way."""
    for at, row in look.rows():
        run: list[int] = []
        for index, layer in enumerate(row):
            if layer.kind in SQUEEZING and (not run or row[run[0]].kind == layer.kind):
                run.append(index)
            elif (
                layer.kind in ("ReLU", "GELU", "SiLU", "Mish", "ELU", "LeakyReLU", "PReLU", "Residual") or "Norm" in layer.kind
            ):
                run = []
        if run and len(run) >= SQUEEZING[row[run[0]].kind] and isinstance(look.model.init, TorchDefault):
            yield _vanishing(look, at, row, run)


def _vanishing(look: Look, at: Path, row: tuple[LayerChoice, ...], run: list[int]) -> Diagnostic:
    kind = row[run[0]].kind

    def bent(layers: tuple[Any, ...], _: int) -> tuple[Any, ...]:
        return tuple(ReLU() if index in run else layer for index, layer in enumerate(layers))

    path = (*at, run[0])
    slope, fix = "1/4", look.fix(f"Use ReLU in place of each {kind}", path, bent)
    if kind == "Tanh":  # Xavier's initialisation was made for it; Sigmoid vanishes with it too
        slope, fix = "1", Fix("Start with Xavier's initialisation", look.model.but(init=XavierInit(gain=1.67)))
    return warning(
        "vanishing-gradients",
        path,
        f"{len(run)} {kind} layers in a row: the slope of {kind} is at most {slope}, weights start small, and so the first "
        "layers get hardly any gradient.",
        "Use ReLU, or start with Xavier's initialisation, or add a normalisation or skip connections.",
        fix,
    )


def equal_weights(look: Look) -> Iterator[Diagnostic]:
    """Weights that start equal get equal gradients: they never learn to differ."""
    for path, layer, info in look.walk():
        if not isinstance(layer, WeightedLayer) or info.n_parameters == 0:
            continue
        start = layer.init or look.model.init
        if isinstance(start, ZerosInit | ConstantInit) and path != (len(look.model.layers) - 1,):
            own = layer.but(init=TorchDefault())
            yield warning(
                "equal-weights",
                path,
                f"All weights of {look.name(path)} start equal: its units get equal gradients, and never learn to differ.",
                "Start with random numbers.",
                look.fix("Start it as torch does", path, swap(own)),
            )


def empty_branch(look: Look) -> Iterator[Diagnostic]:
    """A skip around nothing, or the same input twice."""
    for path, layer, info in look.walk():
        n_empty = sum(not branch for branch in layer.inner())
        if info.error is not None or not n_empty or (layer.kind == "Parallel" and n_empty < 2):
            continue
        what = "a skip around nothing: it doubles its input" if layer.kind == "Residual" else "its input more than once"
        yield warning(
            "empty-branch",
            path,
            f"{look.name(path)} gives {what}.",
            "Put layers into it, or remove it.",
            look.fix(f"Remove {layer.kind}", path, without) if layer.kind == "Residual" else None,
        )


def cut_off_border(look: Look) -> Iterator[Diagnostic]:
    """A window whose steps do not come out even leaves the last rows and columns unseen."""
    for path, layer, info in look.walk():
        shape, stride = info.in_shape, _stride(layer)
        if info.error is not None or shape is None or len(shape) != 3 or stride < 2 or layer.kind == "ConvTranspose2d":
            continue
        reach = getattr(layer, "dilation", 1) * (layer.kernel_size - 1) + 1  # type: ignore[attr-defined]
        padding: int = layer.padding  # type: ignore[attr-defined]
        left = max((size + 2 * padding - reach) % stride - padding for size in shape[1:])
        if left > 0:
            yield Diagnostic(
                "cut-off-border",
                "info",
                ("layers", *path),
                f"{look.name(path)} moves by {stride} pixels over {shape[1]} × {shape[2]}, which does not come out even: "
                f"the last {left} rows or columns are never looked at.",
                hint="Change its stride, kernel_size or padding where that matters.",
                params={"left": left},
            )


def _stride(layer: LayerChoice) -> int:
    """Pixels between two places of a window; 1 where there is none."""
    if not hasattr(layer, "kernel_size"):
        return 1
    return int(getattr(layer, "stride", 1) or layer.kernel_size)
