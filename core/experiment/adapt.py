"""An experiment with other data: what must change with them is changed, and said."""

from dataclasses import dataclass

from core.data.menu import AnyDataset
from core.experiment.check_origin import taken_layers
from core.experiment.experiment import Experiment
from core.experiment.refit import followed
from core.models.model import ModelSpec, infer
from core.models.repair import output_fix
from core.optim.losses import AnyLoss, CrossEntropy, MeanSquaredError


@dataclass(frozen=True, slots=True)
class Adapted:
    """The changed experiment, and in sentences what was changed besides the data."""

    experiment: Experiment
    notes: tuple[str, ...] = ()


def with_data(experiment: Experiment, data: AnyDataset) -> Adapted:
    """The experiment on `data`: with a loss of their task, augmentation for images alone, and the right number of outputs.

    A stack whose layers do not fit the data otherwise is left as it is: the linter says what is wrong with it.
    """
    changed, notes = experiment.but(data=data), []
    profile = data.profile()
    loss = _loss_for(experiment.loss, profile.task, profile.n_classes)
    if loss != experiment.loss:
        changed = changed.but(loss=loss)
        notes.append(f"The loss is now {loss.label.lower()}.")
    if experiment.augmentation and profile.modality != "image":
        changed = changed.but(augmentation=())
        notes.append("The augmentation was removed: it is for images.")
    size = experiment.batch_size
    if size != "full" and size > profile.n_train >= 1:
        changed = changed.but(batch_size="full")
        notes.append("Each step now takes the whole training split, which is smaller than the batch was.")
    model = _model_for(changed)
    if model is not None:
        changed = changed.but(model=model)
        notes.append(f"The last layer now gives {infer(model, profile.input_shape).out_shape[0]:,}.")  # type: ignore[index]
    changed, said = _beginning_for(experiment, changed)
    return Adapted(changed, (*notes, *said))


def _beginning_for(before: Experiment, after: Experiment) -> tuple[Experiment, list[str]]:
    """Of where the run starts, and of frozen layers, what still fits the layers as they are on the new data."""
    taken, notes = taken_layers(after, before), []
    if before.origin is not None and not taken.kept:
        after = after.but(origin=None)
        notes.append("It no longer starts from the other run: no layer has weights of the shapes that it has there.")
    elif before.origin is not None and before.origin.optimizer_state and taken.fresh:
        after = after.but(origin=before.origin.but(optimizer_state=False))
        notes.append("It starts without optimizer state, since not all layers are those of the other run.")
    frozen = followed(before, after)
    if frozen != tuple(sorted(set(before.frozen))):
        after = after.but(frozen=frozen)
        notes.append("Layers whose weights have other shapes now are not frozen any more.")
    return after, notes


def _loss_for(loss: AnyLoss, task: str, n_classes: int) -> AnyLoss:
    """The same loss where it can be kept."""
    if task == "regression":
        return loss if loss.task == "regression" else MeanSquaredError()
    is_binary = loss.kind == "binary_cross_entropy"
    return loss if loss.task == "classification" and (n_classes == 2 or not is_binary) else CrossEntropy()


def _model_for(experiment: Experiment) -> ModelSpec | None:
    """The model with its head resized; None where it is right already, or where more than its size is wrong."""
    profile = experiment.data.profile()
    wanted = experiment.loss.n_outputs(profile.n_classes)
    shape = infer(experiment.model, profile.input_shape).out_shape
    if shape is None or shape == (wanted,) or len(shape) != 1:
        return None
    fix = output_fix(experiment.model, profile.input_shape, wanted)
    if fix is None or not isinstance(fix.spec, ModelSpec) or len(fix.spec.layers) != len(experiment.model.layers):
        return None
    return fix.spec
