"""Rules about what happens to the logits on their way into the loss."""

from collections.abc import Iterator

from core.diagnostics import Diagnostic
from core.models.layers.activation import Activation
from core.models.layers.regularization import Dropout
from core.models.look import Look, warning
from core.models.repair import without

SHARES = ("Softmax", "LogSoftmax")
WITH_SOFTMAX = {"cross_entropy": "cross-entropy", "focal": "focal"}
"""Losses that make probabilities of the logits themselves."""


def softmax_before_loss(look: Look) -> Iterator[Diagnostic]:
    for index in look.tail:
        kind = look.model.layers[index].kind
        if kind == "Softmax" and look.context.loss in WITH_SOFTMAX:
            loss = WITH_SOFTMAX[look.context.loss]
            message = (
                f"{look.name((index,))} turns the logits into probabilities, and the {loss} loss does so once more: "
                "the gradients become small and learning slow."
            )
        elif kind in SHARES and look.context.loss not in (*WITH_SOFTMAX, "multi_margin"):
            message = f"{look.name((index,))} makes outputs that sum to 1 in all, which says nothing about this target."
        else:
            continue
        fix = look.fix(f"Remove {kind}", (index,), without)
        hint = "Remove it: predictions are shown as probabilities anyway."
        yield warning("softmax-before-loss", (index,), message, hint, fix)


def sigmoid_before_loss(look: Look) -> Iterator[Diagnostic]:
    for index in look.tail:
        if look.model.layers[index].kind == "Sigmoid" and look.context.loss == "binary_cross_entropy":
            yield warning(
                "sigmoid-before-loss",
                (index,),
                f"{look.name((index,))} turns the logit into a probability, and the binary cross-entropy loss does so once "
                "more: no prediction can be surer than 73 %.",
                "Remove it: predictions are shown as probabilities anyway.",
                look.fix("Remove Sigmoid", (index,), without),
            )


def activation_at_output(look: Look) -> Iterator[Diagnostic]:
    for index in look.tail:
        layer = look.model.layers[index]
        is_told = layer.kind in SHARES or (layer.kind == "Sigmoid" and look.context.loss == "binary_cross_entropy")
        if look.has_right_output and isinstance(layer, Activation) and not is_told:
            what = "the logits, which" if look.context.n_classes else "the predicted number, which"
            yield warning(
                "activation-at-output",
                (index,),
                f"{look.name((index,))} bends {what} should be free to take any value.",
                "Remove it, so that a linear layer gives the output.",
                look.fix(f"Remove {layer.kind}", (index,), without),
            )


def dropout_at_output(look: Look) -> Iterator[Diagnostic]:
    for index in look.tail:
        layer = look.model.layers[index]
        if look.has_right_output and isinstance(layer, Dropout):
            yield warning(
                "dropout-at-output",
                (index,),
                f"{look.name((index,))} sets {layer.p:.0%} of the outputs to zero in training, the right one among them.",
                "Put Dropout before the last Linear layer, or remove it.",
                look.fix("Remove Dropout", (index,), without),
            )
