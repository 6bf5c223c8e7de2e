"""A model as a traced graph, from which ONNX and torch.export files are made; what cannot be traced is named."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.dataset import DataProfile
from core.errors import LayerwiseError, NotApplicable

if TYPE_CHECKING:
    import torch
    from torch import nn

    Make = Callable[[nn.Module, torch.Tensor], Any]

TRACED_EXAMPLES = 2
"""A batch of one would be taken for a constant."""


def random_inputs(profile: DataProfile, n: int, seed: int = 0) -> np.ndarray:
    """(n, *shape): standard normal numbers (float32), or token numbers (int64), as a model receives them."""
    rng = np.random.default_rng([seed, n])
    if profile.modality == "sequence":
        return rng.integers(0, max(1, profile.n_tokens), (n, *profile.input_shape), dtype=np.int64)
    return rng.standard_normal((n, *profile.input_shape), dtype=np.float32)


def traced(model: "nn.Sequential", x: "torch.Tensor", names: Sequence[str]) -> Any:
    """The torch.export program of `model` (in evaluation mode) with any number of examples.

    Args:
        names: what each layer of the stack is called, for the message.

    Raises:
        NotApplicable: a layer cannot be traced; the message names it.
    """
    return in_words(exported, model, x, names)


def in_words(make: "Make", model: "nn.Sequential", x: "torch.Tensor", names: Sequence[str]) -> Any:
    """What `make` gives for the whole model; where that fails, the first layer at which it fails is told.

    Raises:
        NotApplicable: it cannot be made; the message names the layer and the kind of the error.
    """
    with _quiet():
        try:
            return make(model, x)
        except LayerwiseError:
            raise
        except Exception as error:  # whatever the exporters raise, and they raise anything
            place = _culprit(make, model, x)
            who = f"Layer {place + 1} {names[place]}" if place is not None else "This combination of layers"
            raise NotApplicable(
                f"{who} cannot be written in this format ({type(error).__name__}).",
                hint="Take the weights, or the training script: both hold every layer.",
                layer=place,
            ) from error


def _culprit(make: "Make", model: "nn.Sequential", x: "torch.Tensor") -> int | None:
    """The first layer that fails alone; None where each one can be made."""
    import torch

    for place, layer in enumerate(model):
        try:
            make(layer, x)
        except Exception:  # noqa: BLE001  as above
            return place
        with torch.no_grad():
            x = layer(x)
    return None


def exported(model: "nn.Module", x: "torch.Tensor") -> Any:
    """The program of a module whose first axis may have any size."""
    import torch

    return torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings, and attention in its plain form: torch's fused one for inference has no place in other formats."""
    import torch

    was_fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was_fast)


def largest_difference(answers: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> float:
    """The largest absolute difference of two rows of outputs; NaN at the same place is no difference."""
    worst = 0.0
    for one, other in zip(answers, expected, strict=True):
        if one.shape != other.shape:
            return float("inf")
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        apart = np.abs(np.where(same, 0.0, one.astype(np.float64) - np.where(same, 0.0, other.astype(np.float64))))
        worst = max(worst, float(np.nan_to_num(apart, nan=np.inf).max(initial=0.0)))
    return worst


def tolerance(expected: Sequence[np.ndarray]) -> float:
    """What rounding of float32 in another order may differ by: a ten-thousandth of the largest output, at least 1e-4."""
    sizes = [float(np.abs(np.nan_to_num(one, posinf=0.0, neginf=0.0)).max(initial=0.0)) for one in expected]
    return 1e-4 * max(1.0, *sizes)
