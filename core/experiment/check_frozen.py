"""Whether the layers that an experiment freezes are there, and whether anything is left to train."""

from core.diagnostics import Diagnostic, Fix
from core.experiment.experiment import Experiment
from core.models.frozen import with_frozen
from core.models.layers.backbone import Backbone
from core.models.model import infer, layer_name
from core.models.stack import Inference


def trained_inference(experiment: Experiment) -> Inference:
    """What is known of the experiment's stack, its frozen layers counted as frozen."""
    return with_frozen(infer(experiment.model, experiment.data.profile().input_shape), experiment.frozen)


def frozen_findings(experiment: Experiment) -> list[Diagnostic]:
    """What is wrong or odd about the frozen layers."""
    layers = experiment.model.layers
    gone = [index for index in experiment.frozen if index >= len(layers)]
    if gone:
        kept = tuple(index for index in experiment.frozen if index < len(layers))
        return [
            Diagnostic(
                "frozen-layer-missing",
                "error",
                ("frozen",),
                f"Layer {gone[0] + 1} is to be frozen, but the model has {len(layers)} layers.",
                hint="Freeze layers that are there.",
                fix=Fix("Forget the missing layers", experiment.but(frozen=kept)),
            )
        ]
    inference = trained_inference(experiment)
    if experiment.frozen and inference.out_shape is not None and inference.n_parameters == 0 and inference.n_frozen:
        return [_nothing_to_train(experiment)]
    if experiment.origin is not None or experiment.model.weights:
        return []
    return _at_random(experiment, inference)


def _nothing_to_train(experiment: Experiment) -> Diagnostic:
    layers, plain = experiment.model.layers, infer(experiment.model, experiment.data.profile().input_shape)
    last = max((index for index in experiment.frozen if plain.layers[index].n_parameters), default=None)
    thawed = tuple(index for index in experiment.frozen if index != last)
    fix = Fix(f"Train {layer_name(layers, (last,))}", experiment.but(frozen=thawed)) if last is not None else None
    return Diagnostic(
        "nothing-to-train",
        "error",
        ("frozen",),
        "All layers with weights are frozen: there is nothing to train.",
        hint="Train at least one layer, such as the last.",
        fix=fix,
    )


def _at_random(experiment: Experiment, inference: Inference) -> list[Diagnostic]:
    """Frozen layers whose weights nobody has trained. A Backbone says so itself."""
    layers = experiment.model.layers
    random = [i for i in experiment.frozen if inference.layers[i].n_frozen and not isinstance(layers[i], Backbone)]
    if not random:
        return []
    names = ", ".join(layer_name(layers, (index,)) for index in random)
    return [
        Diagnostic(
            "frozen-at-random",
            "info",
            ("frozen",),
            f"Frozen at random initial weights, which nothing has trained: {names}.",
            hint="Start from a checkpoint of another run, or train these layers.",
            fix=Fix("Train all layers", experiment.but(frozen=())),
        )
    ]
