"""What a recurrent layer remembers after each step, and what the model says after each token."""

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.models.placed import module_at
from core.models.stack import Path
from core.types import Report

if TYPE_CHECKING:
    import torch
    from torch import nn

READ_BATCH = 32


@dataclass(frozen=True, slots=True)
class Memory:
    """One of the stacked layers in one direction. `states` (L, H) after each step; `cells` (L, H) of an LSTM, else (0, H)."""

    depth: int
    is_backward: bool
    states: np.ndarray
    cells: np.ndarray


def hidden_states(module: "nn.Sequential", x: "torch.Tensor", path: Path) -> tuple[tuple[Memory, ...], float]:
    """What the recurrent layer at `path` remembers of one example `x` (1, *input_shape), step by step, in evaluation mode.

    torch tells the memory of the last layer at each step, and of the others at the end alone; so all are computed again by its
    cells, from the same input. Works on a copy of the model.

    Returns:
        One Memory per stacked layer and direction, and by how much the last layer's differ, at most, from what the layer gave
        in the forward pass: rounding.
    """
    import torch

    quiet = copy.deepcopy(module).eval()
    recurrent: Any = module_at(quiet, path).recurrent
    passed: list[tuple[torch.Tensor, torch.Tensor]] = []

    def keep(layer: "nn.Module", inputs: Any, output: Any) -> None:
        passed.append((inputs[0].detach().clone(), output[0].detach().clone()))

    handle = recurrent.register_forward_hook(keep)
    try:
        with torch.inference_mode():
            quiet(x)
            inputs, given = passed[-1][0][0], passed[-1][1][0]  # (L, D), (L, H · dirs)
            memories = _unrolled(recurrent, inputs)
    finally:
        handle.remove()
    dirs = 2 if recurrent.bidirectional else 1
    top = np.concatenate([memory.states for memory in memories[-dirs:]], axis=1)
    return memories, float(np.abs(top - given.numpy()).max())


def _unrolled(recurrent: Any, inputs: "torch.Tensor") -> tuple[Memory, ...]:
    """Every layer and direction, one after another; each layer reads what both directions of the one below gave."""
    import torch

    found: list[Memory] = []
    for depth in range(recurrent.num_layers):
        directions = (False, True) if recurrent.bidirectional else (False,)
        both = [_one_way(recurrent, depth, is_backward, inputs) for is_backward in directions]
        found += both
        inputs = torch.from_numpy(np.concatenate([memory.states for memory in both], axis=1))
    return tuple(found)


def _one_way(recurrent: Any, depth: int, is_backward: bool, inputs: "torch.Tensor") -> Memory:
    """One layer in one direction over inputs (L, D); what it remembers stays at the place of the step that it has read."""
    import torch

    suffix = f"_l{depth}" + ("_reverse" if is_backward else "")
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    weights = [getattr(recurrent, name + suffix).detach() for name in names]
    length, size = len(inputs), recurrent.hidden_size
    is_lstm = recurrent.mode == "LSTM"
    step: Any = {
        "LSTM": torch.lstm_cell,
        "GRU": torch.gru_cell,
        "RNN_TANH": torch.rnn_tanh_cell,
        "RNN_RELU": torch.rnn_relu_cell,
    }[recurrent.mode]
    state = cell = torch.zeros(1, size)
    states, cells = torch.zeros(length, size), torch.zeros(length if is_lstm else 0, size)
    for place in reversed(range(length)) if is_backward else range(length):
        if is_lstm:
            state, cell = step(inputs[place : place + 1], (state, cell), *weights)
            cells[place] = cell[0]
        else:
            state = step(inputs[place : place + 1], state, *weights)
        states[place] = state[0]
    return Memory(depth, is_backward, states.numpy(), cells.numpy())


def change_of_units(values: np.ndarray, first: int = 0, *, is_backward: bool = False) -> np.ndarray:
    """How far each unit moves from one step to the next, on average, (L, H) -> (H,) float64; steps before `first` do not count.

    The step that is read first counts from what was there before it: the memory after the padding, or nothing, which is zero.
    """
    read = values[first:]
    before = np.zeros_like(values[:1]) if is_backward or first == 0 else values[first - 1 : first]
    in_order = np.concatenate([before, read[::-1] if is_backward else read]).astype(np.float64)
    mean: np.ndarray = np.abs(np.diff(in_order, axis=0)).mean(0)
    return mean


def read_prefixes(module: "nn.Sequential", row: "torch.Tensor", report: Report) -> tuple[np.ndarray, np.ndarray]:
    """What a model says after none, one, two, ... of the tokens of `row` (1, L) int64, each padded on the left as the data are.

    Returns:
        Its outputs (n + 1, K) float32, and the places (n,) of the tokens that are no padding.
    """
    import torch

    quiet = copy.deepcopy(module).eval()
    places = np.flatnonzero(row[0].numpy() != 0)
    tokens = row[0, torch.from_numpy(places)]
    rows = torch.zeros(len(places) + 1, row.shape[1], dtype=row.dtype)
    for n in range(1, len(places) + 1):
        rows[n, -n:] = tokens[:n]
    outputs: list[torch.Tensor] = []
    with torch.inference_mode():
        for part in torch.split(rows, READ_BATCH):
            report(len(outputs) * READ_BATCH, len(rows))
            outputs.append(quiet(part))
    return torch.cat(outputs).float().numpy(), places
