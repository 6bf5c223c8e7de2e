"""What one click can do about a finding of the training doctor: an experiment with one thing changed, tried before it is
offered, or a number of the running lane."""

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import LayerwiseError
from core.events import SetHyper, line
from core.experiment.check import findings
from core.experiment.experiment import Experiment
from core.models.init import ConstantInit, HeInit, NormalInit, TorchDefault, UniformInit, XavierInit
from core.models.layer import LayerChoice
from core.models.layers.activation import LeakyReLU, ReLU
from core.models.layers.linear import Linear
from core.models.layers.regularization import BatchNorm1d, BatchNorm2d, Dropout, LayerNorm
from core.models.model import ModelSpec, all_layers, infer
from core.models.repair import Edit, edited, inserted, swap
from core.models.stack import Path
from core.optim.losses import CrossEntropy, Focal
from core.optim.optimizers import OptimizerChoice
from core.optim.regularizers import ClipNorm


@dataclass(frozen=True, slots=True)
class Remedy:
    """What the button says, and what it does: at most one of a command and an experiment, as in `Diagnosed`."""

    action: str = ""
    command: str = ""
    experiment: str = ""


NONE = Remedy()
Maybe = Callable[[], Remedy]
"""A remedy that is only worked out once it is asked for: trying an experiment costs some milliseconds."""


def none() -> Remedy:
    """Nothing that one click could do."""
    return NONE


def first(*found: Maybe) -> Remedy:
    """The first remedy that there is."""
    return next((remedy for one in found if (remedy := one()).action), NONE)


def other_rate(experiment: Experiment, lane: int, factor: float) -> Remedy:
    """Another learning rate for the running lane; none where it would be out of bounds."""
    lr = experiment.lanes[lane].optimizer.lr
    wanted = float(f"{lr * factor:.1g}")
    if not _is_possible_rate(experiment.lanes[lane].optimizer, wanted):
        return NONE
    return Remedy(f"Set the learning rate to {wanted:g}", command=line(SetHyper(lane, "lr", wanted)))


def _is_possible_rate(optimizer: OptimizerChoice, lr: float) -> bool:
    try:
        optimizer.but(lr=lr)
    except LayerwiseError:
        return False
    return lr != optimizer.lr


def fresh_rate(experiment: Experiment, lane: int, factor: float) -> Remedy:
    """The experiment with another learning rate for a lane, for a network that is past saving."""
    optimizer = experiment.lanes[lane].optimizer
    wanted = float(f"{optimizer.lr * factor:.1g}")
    if not _is_possible_rate(optimizer, wanted):
        return NONE
    changed = experiment.with_lane(lane, experiment.lanes[lane].but(optimizer=optimizer.but(lr=wanted)))
    return _offered(f"Start again with learning rate {wanted:g}", changed)


def clipped(experiment: Experiment, lane: int) -> Remedy:
    """The lane with its gradient clipped."""
    before = experiment.lanes[lane]
    if any(one.moment == "clip" for one in before.regularizers) or len(before.regularizers) >= 8:
        return NONE
    changed = experiment.with_lane(lane, before.but(regularizers=(*before.regularizers, ClipNorm())))
    return _offered("Clip the gradient to norm 1", changed)


def scaled_inputs(experiment: Experiment) -> Remedy:
    """The inputs of a table brought to one scale, and its target too, or those of images, where they are as they came."""
    preparation, modality = experiment.data.preparation, experiment.data.profile().modality
    wanted = {"tabular": "standardise", "image": "unit"}.get(modality)
    if preparation.scaling != "none" or wanted is None:
        return NONE
    label = "Standardise the inputs" if modality == "tabular" else "Scale the inputs to 0 … 1"
    scaled = preparation.but(scaling=wanted, scale_target=True)
    return _offered(label, experiment.but(data=experiment.data.but(preparation=scaled)))


def leaky(experiment: Experiment, path: Path) -> Remedy:
    """A LeakyReLU, which cannot die, in the place of a ReLU."""
    return _edited(experiment, "Use LeakyReLU there", path, swap(LeakyReLU()))


def normalised_before(experiment: Experiment, path: Path) -> Remedy:
    """A normalisation right before the layer at `path`."""
    shape = infer(experiment.model, experiment.data.profile().input_shape).at(path).in_shape or ()
    norm: LayerChoice = {1: BatchNorm1d, 3: BatchNorm2d}.get(len(shape), LayerNorm)()
    return _edited(experiment, f"Insert {norm.kind} before it", path, lambda row, i: inserted(row, i, norm))


def livelier_start(experiment: Experiment) -> Remedy:
    """An initialisation, and where it must be an activation, that keeps gradients alive in a deep stack."""
    model = experiment.model
    kinds = {layer.kind for _, layer in all_layers(model.layers)}
    if "Sigmoid" in kinds:
        changed = _bent(model).but(init=HeInit())
        return _offered("Use ReLU for Sigmoid, with He's initialisation", experiment.but(model=changed))
    if "Tanh" in kinds and isinstance(model.init, TorchDefault):
        return _offered("Start with Xavier's initialisation", experiment.but(model=model.but(init=XavierInit(gain=1.67))))
    if "ReLU" in kinds and isinstance(model.init, TorchDefault):
        return _offered("Start with He's initialisation", experiment.but(model=model.but(init=HeInit())))
    return NONE


def smaller_start(experiment: Experiment) -> Remedy:
    """Xavier's initialisation in the place of one whose size knows nothing of the layers."""
    model = experiment.model
    if not isinstance(model.init, NormalInit | UniformInit | ConstantInit):
        return NONE
    return _offered("Start with Xavier's initialisation", experiment.but(model=model.but(init=XavierInit())))


def _bent(model: ModelSpec) -> ModelSpec:
    """Every hidden Sigmoid as a ReLU."""
    last = len(model.layers) - 1
    for path, layer in list(all_layers(model.layers)):
        if layer.kind == "Sigmoid" and path != (last,):
            model = model.but(layers=edited(model.layers, path, swap(ReLU())))
    return model


def less_memory(experiment: Experiment) -> Remedy:
    """Dropout before the last Linear; early stopping where there is dropout, or nothing before that layer."""
    layers = experiment.model.layers
    last = max((index for index, layer in enumerate(layers) if isinstance(layer, Linear)), default=0)
    has_dropout = any(layer.kind.startswith("Dropout") for _, layer in all_layers(layers))
    if last > 0 and not has_dropout:
        return _edited(experiment, "Insert Dropout before the last Linear", (last,), lambda row, i: inserted(row, i, Dropout()))
    if experiment.budget.patience is not None:
        return NONE
    return _offered("Stop early, after 5 epochs without gain", experiment.but(budget=experiment.budget.but(patience=5)))


def attention_to_the_rare(experiment: Experiment) -> Remedy:
    """The focal loss, which counts what is hard or rare for more, in the place of cross-entropy."""
    if not isinstance(experiment.loss, CrossEntropy):
        return NONE
    return _offered("Use the focal loss", experiment.but(loss=Focal()))


def true_labels(experiment: Experiment) -> Remedy:
    """The data without the label noise that the experiment asks for."""
    preparation = experiment.data.preparation
    if not preparation.label_noise:
        return NONE
    clean = experiment.data.but(preparation=preparation.but(label_noise=0.0))
    return _offered("Train on the true labels", experiment.but(data=clean))


def _edited(experiment: Experiment, label: str, path: Path, edit: Edit) -> Remedy:
    try:
        model = experiment.model.but(layers=edited(experiment.model.layers, path, edit))
        return _offered(label, experiment.but(model=model))
    except LayerwiseError:
        return NONE


def _offered(label: str, experiment: Experiment) -> Remedy:
    """The remedy, if that experiment can run."""
    if any(finding.severity == "error" for finding in findings(experiment)):
        return NONE
    return Remedy(label, experiment=experiment.model_dump_json())
