"""Where DeepSHAP is exact: layer by layer, as measured with shap 0.51. Elsewhere it is silently wrong, so it is not offered."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

ACTIVATIONS = ("ReLU", "LeakyReLU", "ELU", "GELU", "Tanh", "Sigmoid")
"""Each output depends on one input alone, and shap has a rule for it."""
POOLS = ("MaxPool1d", "MaxPool2d")
LINEAR = ("Linear", "Conv2d", "ConvTranspose2d", "BatchNorm1d", "BatchNorm2d", "AvgPool2d", "AdaptiveAvgPool2d", "Upsample")
STILL = ("Flatten", "Unflatten", "Identity", "Dropout", "Dropout2d")
OURS = ("TwoLogits", "OwnUnit")
"""Heads that every explainer gets (core/explanation/heads.py); both are linear."""
AT_THE_END = ("Softmax", "LogSoftmax")
"""They mix the classes. As the last layer they belong to what is explained, elsewhere there is no rule for them."""
CONTAINERS = ("Sequential", "ModuleList", "Residual", "Parallel")
"""What they do themselves is to add and to join, which is linear."""
LEAVES = (*ACTIVATIONS, *POOLS, *LINEAR, *STILL, *OURS)
KINDS = (*ACTIVATIONS, *LINEAR, *STILL, *AT_THE_END, "MaxPool2d", "GlobalAvgPool", "Reshape", "Residual", "Parallel")
"""Kinds of layers of a stack that are, or may be, exact."""
INSTEAD = "Take expected gradients, which need nothing but the gradient."


def reason_against_kinds(layer_kinds: tuple[str, ...]) -> str | None:
    """Why DeepSHAP cannot explain a stack of these kinds of layers, in words; None if it may. Torch-free."""
    without = list(dict.fromkeys(kind for kind in layer_kinds if kind not in KINDS))
    if not without:
        return None
    return f"DeepSHAP has no exact rule for {' and '.join(without)}: its values would not add up. {INSTEAD}"


def reason_against_module(module: "nn.Module", x: "torch.Tensor") -> str | None:
    """Why DeepSHAP cannot explain this model, seen from its modules; None if it can. Without what stands at the end."""
    for name, part in module.named_modules():
        if reason := _reason_against_part(part):
            return f"{reason} (module {name or 'itself'}). {INSTEAD}"
    for name, part in module.named_modules():
        if not list(part.children()) and _n_calls(module, part, x) > 1:
            return f"{type(part).__name__} is used more than once (module {name}): one rule cannot serve both. {INSTEAD}"
    return None


def _reason_against_part(part: "nn.Module") -> str | None:
    kind = type(part).__name__
    if list(part.children()):
        return None if kind in CONTAINERS else f"{kind} does things of its own, which DeepSHAP does not see"
    if kind in POOLS and _overlaps(part):
        return "MaxPool windows overlap, or leave gaps: DeepSHAP would not add up"
    return None if kind in (*LEAVES, *CONTAINERS) else f"DeepSHAP has no exact rule for {kind}"


def _overlaps(pool: "nn.Module") -> bool:
    """Whether a value can be the largest of two windows, which shap counts once."""
    kernel, stride, dilation = (_as_pair(getattr(pool, name)) for name in ("kernel_size", "stride", "dilation"))
    return any(size > step for size, step in zip(kernel, stride, strict=True)) or any(gap != 1 for gap in dilation)


def _as_pair(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else tuple(size)


def _n_calls(module: "nn.Module", part: "nn.Module", x: "torch.Tensor") -> int:
    """How often one forward pass goes through a part."""
    import torch

    calls: list[None] = []
    handle = part.register_forward_hook(lambda *_: calls.append(None))
    try:
        with torch.no_grad():
            module(x)
    finally:
        handle.remove()
    return len(calls)
