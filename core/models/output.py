"""What the last layer gives, read as probabilities, as a class, or as a number. The one place that knows its forms.

One output for two classes is the logit of class 1 (after a Sigmoid: its probability); one output for regression is the
number; else there is one output per class.
"""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from torch import nn

OutputForm = Literal["logit", "probability", "log-probability", "sigmoid"]
"""What one number of a classifier's output is. "sigmoid": a probability of its own for each class, which need not sum to 1."""

SMALLEST_SUM = 1e-12
"""Sigmoids that are all 0 to the last bit sum to this much, so that nothing is divided by zero."""


def output_form(module: "nn.Module") -> OutputForm:
    """What the last layer of a stack makes of its output."""
    from torch import nn

    last = module
    while isinstance(last, nn.Sequential) and len(last):
        last = last[-1]
    forms: dict[type[nn.Module], OutputForm] = {
        nn.Softmax: "probability",
        nn.LogSoftmax: "log-probability",
        nn.Sigmoid: "sigmoid",
    }
    return forms.get(type(last), "logit")


def class_probabilities(module: "nn.Module", output: "torch.Tensor") -> "torch.Tensor":
    """Probabilities of the classes from the output (N, K) of a stack: (N, K), or (N, 2) where K is 1.

    Logits go through a softmax (one logit through a sigmoid), probabilities stay as they are. Sigmoids of several classes are
    divided by their sum.
    """
    import torch

    form = output_form(module)
    if output.shape[1] == 1:
        share = output if form == "sigmoid" else output.sigmoid()
        return torch.cat([1 - share, share], 1)
    if form == "probability":
        return output
    if form == "log-probability":
        return output.exp()
    return output / output.sum(1, keepdim=True).clamp_min(SMALLEST_SUM) if form == "sigmoid" else output.softmax(1)


def class_log_probabilities(module: "nn.Module", output: "torch.Tensor") -> "torch.Tensor":
    """Natural logarithms of `class_probabilities`, (N, K) -> (N, K) or (N, 2), finite also where a probability is 0."""
    import torch
    from torch.nn.functional import logsigmoid

    if output_form(module) == "logit":
        if output.shape[1] == 1:
            return torch.cat([logsigmoid(-output), logsigmoid(output)], 1)
        return output.log_softmax(1)
    return class_probabilities(module, output).clamp_min(torch.finfo(output.dtype).tiny).log()


def predicted_classes(module: "nn.Module", output: "torch.Tensor") -> "torch.Tensor":
    """The most probable class of each example, (N, K) -> (N,) int64; of one output by its sign, or by 0.5 after a Sigmoid."""
    if output.shape[1] == 1:
        return (output[:, 0] > (0.5 if output_form(module) == "sigmoid" else 0.0)).long()
    return output.argmax(1)


def predicted_numbers(output: "torch.Tensor") -> "torch.Tensor":
    """What a regression model predicts, (N, 1) -> (N,), as its targets are scaled."""
    return output[:, 0]
