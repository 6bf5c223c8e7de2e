"""How near a script comes to its run: known from how the run was made. Torch-free."""

from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.models.layers.activation import Activation, OverClasses, PReLU
from core.models.layers.linear import Linear
from core.models.layers.regularization import BatchNorm1d, Dropout, LayerNorm
from core.models.layers.shape import Flatten
from core.models.model import infer

STACKED = (Linear, Flatten, Activation, OverClasses, Dropout, BatchNorm1d, LayerNorm)
TOLERANCE = 1e-6


def exactness(experiment: Experiment, lane: Lane) -> tuple[str, bool]:
    """A sentence, and whether on the run's machine the losses are equal bit for bit."""
    if not is_stacked(experiment, lane):
        return (
            "On the machine of the run, with the same version of torch, the loss of every step is equal bit for bit; elsewhere "
            "the first steps agree within 1e-6, and rounding differences grow from there.",
            True,
        )
    return (
        "The run trained its networks of fully connected layers as one stack of matrices, whose sums round differently: "
        "the first steps agree within 1e-6 of the loss, and rounding differences grow from there.",
        False,
    )


def is_stacked(experiment: Experiment, lane: Lane) -> bool:
    """Whether training takes the stacked form for this lane on the CPU: as core/training/executors/batched.py says."""
    if experiment.precision != "float32" or experiment.accumulation > 1 or experiment.frozen:
        return False
    return _has_rule(lane) and _has_stack(experiment)


def _has_rule(lane: Lane) -> bool:
    optimizer = lane.optimizer
    if optimizer.kind in ("muon", "adafactor") or optimizer.needs_whole_split or optimizer.needs_closure:
        return False
    return not getattr(optimizer, "amsgrad", False)


def _has_stack(experiment: Experiment) -> bool:
    layers = experiment.model.layers
    for layer, info in zip(layers, infer(experiment.model, experiment.data.profile().input_shape).layers, strict=True):
        is_flat = info.in_shape is not None and len(info.in_shape) == 1
        if isinstance(layer, PReLU) or not isinstance(layer, STACKED):
            return False
        if isinstance(layer, LayerNorm | OverClasses) and not is_flat:
            return False
    return any(isinstance(layer, Linear) for layer in layers)
