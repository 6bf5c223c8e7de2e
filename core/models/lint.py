"""What may be wrong with a stack, found without torch; where possible with a changed stack that mends it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from core.diagnostics import Diagnostic
from core.models.layers.activation import Activation, ReLU, Softmax
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.pooling import AvgPool2d
from core.models.layers.regularization import BatchNorm1d, BatchNorm2d, Dropout
from core.models.layers.shape import Flatten
from core.models.model import ModelSpec, infer, stack_error
from core.models.repair import fixed, inserted, output_fix, replaced, shape_fix, smaller_fix, without
from core.models.stack import Inference
from core.settings import Settings
from core.types import Shape, shape_text

MAX_PARAMETERS = Settings().max_parameters


@dataclass(frozen=True, slots=True)
class Look:
    """What every rule looks at."""

    model: ModelSpec
    inference: Inference
    n_classes: int
    max_parameters: int

    @property
    def has_right_output(self) -> bool:
        return self.inference.out_shape == (self.n_classes,)

    @property
    def tail(self) -> range:
        """Indices of the layers after the last one that has connections: what happens to the logits."""
        connected = [i for i, layer in enumerate(self.model.layers) if isinstance(layer, Linear | Conv2d)]
        return range(connected[-1] + 1 if connected else 0, len(self.model.layers))


def lint(model: ModelSpec, input_shape: Shape, n_classes: int, max_parameters: int = MAX_PARAMETERS) -> tuple[Diagnostic, ...]:
    """All findings, errors first, then by place. Never raises, and allocates nothing.

    Args:
        input_shape: one example, (F,) or (C, H, W).
        n_classes: numbers the last layer must give; 1 for regression.
        max_parameters: more than this is an error.
    """
    look = Look(model, infer(model, input_shape), n_classes, max_parameters)
    findings = [finding for rule in RULES for finding in rule(look)]
    return tuple(sorted(findings, key=lambda finding: (_RANK[finding.severity], _place(finding))))


_RANK = {"error": 0, "warning": 1, "info": 2}


def _place(finding: Diagnostic) -> int:
    return next((part for part in finding.where if isinstance(part, int)), -1)


def _at(look: Look, index: int) -> str:
    """A layer as findings name it, numbered from 1."""
    return f"Layer {index + 1} {look.model.layers[index].kind}"


def empty_model(look: Look) -> Iterator[Diagnostic]:
    if not look.model.layers:
        yield Diagnostic(
            "empty-model",
            "error",
            ("layers",),
            f"The model has no layers, but needs {look.n_classes:,} outputs.",
            hint="Add a Linear layer, or start from a preset.",
            params={"n_classes": look.n_classes},
            fix=output_fix(look.model, look.inference.input_shape, look.n_classes),
        )


def shape_mismatch(look: Look) -> Iterator[Diagnostic]:
    error, index = stack_error(look.model, look.inference), look.inference.error_index
    if error is not None and index is not None:
        yield Diagnostic(
            "shape-mismatch",
            "error",
            ("layers", index),
            error.message,
            hint=error.hint,
            params=error.params,
            fix=shape_fix(look.model, look.inference, index),
        )


def wrong_output_size(look: Look) -> Iterator[Diagnostic]:
    shape = look.inference.out_shape
    if look.model.layers and shape is not None and not look.has_right_output:
        last = len(look.model.layers) - 1
        yield Diagnostic(
            "wrong-output-size",
            "error",
            ("layers", last),
            f"{_at(look, last)} gives {shape_text(shape)}, but the data needs {look.n_classes:,} outputs.",
            hint=f"End with a Linear layer with {look.n_classes:,} outputs.",
            params={"shape": shape, "n_classes": look.n_classes},
            fix=output_fix(look.model, look.inference.input_shape, look.n_classes),
        )


def nothing_to_train(look: Look) -> Iterator[Diagnostic]:
    if look.model.layers and look.has_right_output and look.inference.n_parameters == 0:
        yield Diagnostic(
            "nothing-to-train",
            "error",
            ("layers", len(look.model.layers) - 1),
            "No layer of this model has weights: there is nothing to train.",
            hint="Add a Linear layer.",
            fix=output_fix(look.model, look.inference.input_shape, look.n_classes),
        )


def too_many_parameters(look: Look) -> Iterator[Diagnostic]:
    n_parameters = look.inference.n_parameters
    if look.model.layers and n_parameters > look.max_parameters:
        each = [info.n_parameters for info in look.inference.layers]
        largest = each.index(max(each))
        yield Diagnostic(
            "too-many-parameters",
            "error",
            ("layers", largest),
            f"The model has {n_parameters:,} parameters, the limit is {look.max_parameters:,}; "
            f"{_at(look, largest)} alone has {each[largest]:,}.",
            hint="Make this layer or the one before it smaller, or add pooling.",
            params={"n_parameters": n_parameters, "max_parameters": look.max_parameters},
            fix=smaller_fix(look.model, look.inference, look.max_parameters),
        )


def softmax_before_loss(look: Look) -> Iterator[Diagnostic]:
    for index in look.tail:
        if isinstance(look.model.layers[index], Softmax):
            yield Diagnostic(
                "softmax-before-loss",
                "warning",
                ("layers", index),
                f"{_at(look, index)} turns the logits into probabilities, and the cross-entropy loss does so once more: "
                "the gradients become small and learning slow.",
                hint="Remove it: predictions are shown as probabilities anyway.",
                fix=fixed("Remove Softmax", without(look.model.layers, index)),
            )


def activation_at_output(look: Look) -> Iterator[Diagnostic]:
    for index in look.tail:
        layer = look.model.layers[index]
        if look.has_right_output and isinstance(layer, Activation) and not isinstance(layer, Softmax):
            yield Diagnostic(
                "activation-at-output",
                "warning",
                ("layers", index),
                f"{_at(look, index)} bends the logits, which should be free to take any value.",
                hint="Remove it, so that a linear layer gives the logits.",
                fix=fixed(f"Remove {layer.kind}", without(look.model.layers, index)),
            )


def dropout_at_output(look: Look) -> Iterator[Diagnostic]:
    for index in look.tail:
        layer = look.model.layers[index]
        if look.has_right_output and isinstance(layer, Dropout):
            yield Diagnostic(
                "dropout-at-output",
                "warning",
                ("layers", index),
                f"{_at(look, index)} sets {layer.p:.0%} of the logits to zero in training, the right class's among them.",
                hint="Put Dropout before the last Linear layer, or remove it.",
                params={"p": layer.p},
                fix=fixed("Remove Dropout", without(look.model.layers, index)),
            )


_STRAIGHT = Flatten | Dropout | BatchNorm1d | BatchNorm2d | AvgPool2d
"""Layers that, once trained, are linear themselves. MaxPool2d is not: it bends."""


def no_nonlinearity(look: Look) -> Iterator[Diagnostic]:
    layers = look.model.layers
    first: int | None = None
    for index, layer in enumerate(layers):
        if isinstance(layer, Linear | Conv2d):
            if first is not None:
                yield _collapse(look, first, index)
            first = index
        elif not isinstance(layer, _STRAIGHT):
            first = None


def _collapse(look: Look, first: int, second: int) -> Diagnostic:
    layers = look.model.layers
    bend = first + 1
    while isinstance(layers[bend], BatchNorm1d | BatchNorm2d):  # the usual order: layer, normalisation, activation
        bend += 1
    return Diagnostic(
        "no-nonlinearity",
        "warning",
        ("layers", second),
        f"{_at(look, second)} follows layer {first + 1} {layers[first].kind} with no activation between them: "
        "together they can learn no more than one such layer.",
        hint="Insert an activation such as ReLU between them.",
        params={"first": first, "second": second},
        fix=fixed(f"Insert ReLU after layer {bend}", inserted(layers, bend, ReLU())),
    )


def redundant_bias(look: Look) -> Iterator[Diagnostic]:
    for index, (layer, after) in enumerate(pairwise(look.model.layers)):
        if isinstance(layer, Linear | Conv2d) and layer.bias and isinstance(after, BatchNorm1d | BatchNorm2d):
            yield Diagnostic(
                "redundant-bias",
                "info",
                ("layers", index),
                f"{_at(look, index)} has a bias, which the {after.kind} after it subtracts again.",
                hint="Switch the bias off: the model is the same with fewer parameters.",
                fix=fixed("Switch the bias off", replaced(look.model.layers, index, layer.but(bias=False))),
            )


Rule = Callable[[Look], Iterator[Diagnostic]]
RULES: tuple[Rule, ...] = (
    empty_model,
    shape_mismatch,
    wrong_output_size,
    nothing_to_train,
    too_many_parameters,
    softmax_before_loss,
    activation_at_output,
    dropout_at_output,
    no_nonlinearity,
    redundant_bias,
)
"""Every rule; each yields findings whose code is its name."""
