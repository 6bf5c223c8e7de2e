"""The whole training state as one safetensors file: weights, optimizer state, and where the run stands.

Batch order and dropout masks are functions of (seed, step), so that the step is all there is to say about randomness.
"""

import json
from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from core.errors import StoreError
from core.events import Artifact

State = dict[str, Any]
PLAIN = ("step", "elapsed_s", "lanes", "died_at", "has_reached_target", "removed", "memories", "n_prescribed", "frozen", "task")
"""Fields of a state that are kept as JSON."""


@dataclass(frozen=True, slots=True)
class TrainingState:
    """Everything that a run needs to go on. `models` and `optimizers` hold one state_dict per series, in order."""

    step: int
    elapsed_s: float
    lanes: str
    """The lanes with their present hyperparameters, as JSON of Experiment.lanes."""
    models: tuple[State, ...]
    optimizers: tuple[State, ...]
    died_at: tuple[int, ...] = ()
    """Per series the step of its first loss that was not finite; -1 while it lives."""
    has_reached_target: bool = False
    removed: tuple[int, ...] = ()
    """Lanes that are not trained any more."""
    memories: tuple[tuple[float | None, ...], ...] = ()
    """Per series what plateau and patience look back on, as numbers of EpochMemory."""
    n_prescribed: int = 0
    """How many of the experiment's own changes were made."""
    averages: tuple[State, ...] = ()
    """The averaged weights of every series, empty for a series without."""
    frozen: tuple[int, ...] = ()
    """Layers of the stack that were not trained: the optimizers know nothing of them."""
    task: str = ""
    """A digest of what the memories are memories of (core.training.beginnings.task_of); empty in old checkpoints."""


EMPTY: State = {"state": {}, "param_groups": []}
"""The optimizer state of a series that never was trained here."""


def state_artifact(state: TrainingState, name: str) -> Artifact:
    """The state on its way out of a run, as `name` and its step."""
    return Artifact(f"{name}-{state.step:09d}.safetensors", "checkpoint", state.step, state_bytes(state))


def state_bytes(state: TrainingState) -> bytes:
    """The state as a safetensors file."""
    tensors: dict[str, torch.Tensor] = {}
    plain = []
    for index, (model, optimizer) in enumerate(zip(state.models, state.optimizers, strict=True)):
        tensors |= {f"{index}.model.{name}": tensor for name, tensor in model.items()}
        scalars: dict[str, State] = {}
        for parameter, slots in optimizer["state"].items():
            for name, value in slots.items():
                if isinstance(value, torch.Tensor):
                    tensors[f"{index}.optimizer.{parameter}.{name}"] = value
                else:
                    scalars.setdefault(str(parameter), {})[name] = value
        plain.append({"groups": optimizer["param_groups"], "scalars": scalars})
    for index, average in enumerate(state.averages):
        tensors |= {f"{index}.average.{name}": tensor for name, tensor in average.items()}
    about = {name: getattr(state, name) for name in PLAIN} | {"optimizers": plain}
    return save(
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, {"layerwise": json.dumps(about)}
    )


def load_state(data: bytes) -> TrainingState:
    """The state in a safetensors file made by `state_bytes`.

    Raises:
        StoreError: the file is damaged or something else.
    """
    try:
        tensors = load(data)
        about = json.loads(_metadata(data)["layerwise"])
    except (SafetensorError, KeyError, ValueError) as error:
        raise StoreError("A checkpoint is damaged.", hint="Go on from an earlier one.", cause=str(error)) from error
    n_series = len(about["optimizers"])
    models: list[State] = [{} for _ in range(n_series)]
    averages: list[State] = [{} for _ in range(n_series)]
    slots: list[dict[int, State]] = [{} for _ in range(n_series)]
    for key, tensor in tensors.items():
        series, part, name = key.split(".", 2)
        if part in ("model", "average"):
            (models if part == "model" else averages)[int(series)][name] = tensor
        else:
            parameter, slot = name.split(".", 1)
            slots[int(series)].setdefault(int(parameter), {})[slot] = tensor
    for series_slots, plain in zip(slots, about["optimizers"], strict=True):
        for parameter, scalars in plain["scalars"].items():
            series_slots.setdefault(int(parameter), {}).update(scalars)
    optimizers = tuple(
        {"state": state, "param_groups": [_group(group) for group in plain["groups"]]}
        for state, plain in zip(slots, about["optimizers"], strict=True)
    )
    about["died_at"] = tuple(about["died_at"])
    about["removed"] = tuple(about.get("removed", ()))
    about["memories"] = tuple(map(tuple, about.get("memories", ())))
    about["frozen"] = tuple(about.get("frozen", ()))
    about.setdefault("n_prescribed", 0)
    about.setdefault("task", "")
    plain_fields = {name: about[name] for name in PLAIN}
    return TrainingState(models=tuple(models), optimizers=optimizers, averages=tuple(averages), **plain_fields)


def load_weights(data: bytes, series: int = 0) -> tuple[State, int]:
    """The model's state_dict of one series, averaged weights where it has some, and the step after which it was taken.

    Raises:
        StoreError: as `load_state`, or there is no such series.
    """
    state = load_state(data)
    if not 0 <= series < len(state.models):
        last = len(state.models) - 1
        raise StoreError(f"This checkpoint has no series {series}.", hint=f"Its series are numbered 0 to {last}.")
    return state.averages[series] or state.models[series], state.step


def _group(group: State) -> State:
    """A parameter group after JSON: pairs such as betas are tuples again."""
    return {name: tuple(value) if isinstance(value, list) and name != "params" else value for name, value in group.items()}


def _metadata(data: bytes) -> dict[str, str]:
    """The metadata in the header of a safetensors file: 8 bytes of length, then JSON."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    metadata: dict[str, str] = header["__metadata__"]
    return metadata
