"""Weights alone, as the two files that everybody reads; each is read again before it is handed out."""

import io
from typing import TYPE_CHECKING, Any

from core.errors import StoreError

if TYPE_CHECKING:
    import torch
    from torch import nn


def safetensors_bytes(model: "nn.Module") -> bytes:
    """The state_dict as a safetensors file: names, shapes and numbers, and nothing that can run."""
    from safetensors.torch import load, save

    state = _plain_state(model)
    data = save(state, {"format": "pt"})
    _check_equal(state, load(data))
    return data


def state_dict_bytes(model: "nn.Module") -> bytes:
    """The state_dict as torch.save writes it; it loads with `weights_only=True`, which runs no code."""
    import torch

    state = _plain_state(model)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    _check_equal(state, torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))
    return buffer.getvalue()


def _plain_state(model: "nn.Module") -> "dict[str, torch.Tensor]":
    """Each tensor a copy of its own on the CPU: tied weights and views are written in full."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in model.state_dict().items()}


def _check_equal(state: dict[str, Any], read: dict[str, Any]) -> None:
    import torch

    if list(state) != list(read) and set(state) != set(read):
        raise StoreError("The file of weights does not hold the same names when it is read again.", hint="Try again.")
    for name, tensor in state.items():
        same = read[name].dtype == tensor.dtype and torch.equal(read[name].nan_to_num(), tensor.nan_to_num())
        if not same:
            raise StoreError(f"The file of weights has other numbers in {name} when it is read again.", hint="Try again.")
