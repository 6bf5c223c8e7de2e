"""How near a script comes to its run: known from how the run was made. Torch-free."""

from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.models.layers.activation import Activation, OverClasses, PReLU, ReLU, Sigmoid, Tanh
from core.models.layers.linear import Linear
from core.models.layers.regularization import BatchNorm1d, Dropout, LayerNorm
from core.models.layers.shape import Flatten
from core.models.model import infer

STACKED = (Linear, Flatten, Activation, OverClasses, Dropout, BatchNorm1d, LayerNorm)
PLAIN = (Linear, Flatten, Dropout, ReLU, Tanh, Sigmoid)
"""Layers whose stacked form gives the bits of torch's own where networks are large."""
FUSED = ("sgd", "adam", "adamw", "rmsprop", "adagrad")
LARGE = 10_000
"""Parameters above which each network has matrix products of its own: as core/training/executors/batched.py."""
EXACT = (
    "Where the run was computed by the CPU, the script gives the loss of every step bit for bit on the same machine with the "
    "same version of torch. On other processors, on GPUs and with other versions the first steps agree to about six digits, "
    "and rounding differences grow from there."
)
CLOSE = (
    "The run computed its small networks as a stack of matrices, which rounds differently: the losses of the first some "
    "hundred steps agree within 1e-6; where training is chaotic, rounding differences grow from there. With "
    "LAYERWISE_ONE_BY_ONE=1 Layerwise trains one network at a time, and then every loss is equal bit for bit."
)


def exactness(experiment: Experiment, lane: Lane) -> tuple[str, bool]:
    """A sentence, and whether on the run's machine the losses are equal bit for bit."""
    if is_stacked(experiment, lane) and not _is_large_and_plain(experiment, lane):
        return CLOSE, False
    return EXACT, experiment.device in ("auto", "cpu")


def is_stacked(experiment: Experiment, lane: Lane) -> bool:
    """Whether training takes the stacked form for this lane on the CPU: as core/training/executors/batched.py says, and True
    where that depends on which layers are frozen."""
    if experiment.precision != "float32" or experiment.accumulation > 1:
        return False
    return _has_rule(lane) and (bool(experiment.frozen) or _has_stack(experiment))


def _is_large_and_plain(experiment: Experiment, lane: Lane) -> bool:
    """Whether the stacked form is torch's own arithmetic, network by network."""
    inference = infer(experiment.model, experiment.data.profile().input_shape)
    is_plain = all(isinstance(layer, PLAIN) for layer in experiment.model.layers)
    settings = lane.optimizer.arguments()
    is_fused = lane.optimizer.kind in FUSED and not (settings.get("dampening") or settings.get("centered"))
    has_own_loss = not getattr(experiment.loss, "label_smoothing", 0.0) and not experiment.augmentation
    return inference.n_parameters > LARGE and is_plain and is_fused and has_own_loss and not experiment.frozen


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
