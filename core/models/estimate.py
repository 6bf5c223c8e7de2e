"""How long an epoch takes, told before anything is trained."""

import math
from collections.abc import Iterator

from core.models.stack import Inference, LayerInfo

STEP_S = 3.8e-4
"""What a step costs whatever the model: the batch, the loss, and telling about it."""
MODULE_S = 1.1e-4
"""Per layer and step: forward, backward and optimizer come to it once each."""
PLACE_S = 1.2e-4
"""Per step of a sequence that a layer with weights reads: recurrent layers go through it one by one."""
PARAMETER_S = 1.2e-9
"""Per trained number and step: Adam reads and writes three."""
MULTIPLY_ADD_S = 2.6e-11
"""Per multiplication with addition."""
NUMBER_S = 1.05e-9
"""Per number that a layer gets or gives."""
EVALUATED_TRAIN = 2_000
"""Training examples that are looked at again after each epoch (core.training.live_run.SAMPLE)."""
TRAINED, FROZEN = 3, 1
"""Passes per training example: forward and, twice as much work, backward; forward alone through a frozen layer."""


def epoch_seconds(inference: Inference, n_train: int, batch_size: int, n_validation: int) -> float:
    """Seconds of one epoch of one series on one CPU thread, with its evaluation; 0 where shapes do not fit.

    The constants were fitted to 26 runs of core.training.loop with Adam (MLPs, CNNs, residual nets, a vision transformer, LSTM,
    GRU and attention; batches of 10 to 128) on one core of an AMD EPYC that was shared with other work: median error a factor
    of 1.16, worst 1.6. On the 15 other runs of `python -m benchmarks.estimate` it is 1.15 and 2.0, where PLACE_S, which these
    had a say in, cannot know that torch reads a GRU more slowly than an LSTM. Augmentation comes on top; several lanes or
    repeats take as many times longer.
    """
    if inference.out_shape is None or n_train < 1:
        return 0.0
    leaves = list(_leaves(inference))
    n_steps = math.ceil(n_train / max(1, batch_size))
    n_looked_at = min(EVALUATED_TRAIN, n_train) + n_validation
    places = sum(info.in_shape[0] for info in leaves if info.in_shape and len(info.in_shape) == 2 and info.n_parameters)
    step = STEP_S + MODULE_S * len(leaves) + PLACE_S * places + PARAMETER_S * inference.n_parameters
    examples = sum(_example_seconds(info) * ((FROZEN if info.n_frozen else TRAINED) * n_train + n_looked_at) for info in leaves)
    return n_steps * step + examples


def forward_seconds(inference: Inference, n_examples: int) -> float:
    """Seconds of one pass of examples forward through the stack, at once and without gradients, on one CPU thread.

    By the constants of `epoch_seconds`, of which a forward pass is a third.
    """
    leaves = list(_leaves(inference))
    places = sum(info.in_shape[0] for info in leaves if info.in_shape and len(info.in_shape) == 2 and info.n_parameters)
    overhead = (MODULE_S * len(leaves) + PLACE_S * places) / TRAINED
    return overhead + n_examples * sum(_example_seconds(info) for info in leaves)


def _example_seconds(info: LayerInfo) -> float:
    """One example forward through one layer."""
    return MULTIPLY_ADD_S * info.multiply_adds + NUMBER_S * (math.prod(info.in_shape or ()) + info.n_activations)


def _leaves(inference: Inference) -> Iterator[LayerInfo]:
    """All layers that hold no others. What a container does itself, a sum or a projection, is small beside them."""
    for info in inference.layers:
        if info.branches:
            for branch in info.branches:
                yield from _leaves(branch)
        else:
            yield info
