"""What a run takes over from the run that it is forked from, told before anything is trained, from both experiments."""

from collections.abc import Hashable
from dataclasses import dataclass

from core.diagnostics import Diagnostic, Fix
from core.experiment.alignment import aligned
from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.experiment.origin import Origin
from core.models.model import infer
from core.optim.optimizers import AnyOptimizer
from core.types import Shape


@dataclass(frozen=True, slots=True)
class Taken:
    """Layers with weights, by index: those that start from the checkpoint, with the layer there, and those that start anew."""

    kept: dict[int, int]
    fresh: tuple[int, ...]


def taken_layers(experiment: Experiment, source: Experiment) -> Taken:
    """Which layers of `experiment` start from a checkpoint of `source`: those of one kind whose weights have equal shapes.

    A container counts as a whole; of one that has changed inside, training still takes the layers that fit.
    """
    ours, theirs = _weighted(experiment), _weighted(source)
    our_places, their_places = list(ours), list(theirs)
    pairs = aligned(list(ours.values()), list(theirs.values()))
    kept = {our_places[here]: their_places[there] for here, there in pairs.items()}
    return Taken(kept, tuple(place for place in ours if place not in kept))


def _weighted(experiment: Experiment) -> dict[int, Hashable]:
    """What decides on the shapes of the weights of each layer that has some, by its index."""
    inference = infer(experiment.model, experiment.data.profile().input_shape)
    about: dict[int, Hashable] = {}
    for index, (layer, info) in enumerate(zip(experiment.model.layers, inference.layers, strict=True)):
        size = info.n_parameters + info.n_frozen
        if size and info.in_shape and info.out_shape:
            is_lookup = len(info.in_shape) < len(info.out_shape)  # token numbers in: their count is in no shape
            about[index] = (layer.kind, size, None if is_lookup else _features(info.in_shape), _features(info.out_shape))
    return about


def _features(shape: Shape) -> int:
    """Channels of maps, features of vectors and sequences: what shapes of weights go by."""
    return shape[0] if len(shape) == 3 else shape[-1]


def has_same_memory(source: AnyOptimizer, fork: AnyOptimizer) -> bool:
    """Whether a fork can go on with what the source's optimizer remembers: switches such as amsgrad need more than there is."""
    return (source.kind, source.n_kept) == (fork.kind, fork.n_kept)


def lane_of(source: Experiment, origin: Origin) -> Lane | None:
    """The lane whose weights are taken; None where the run has no such series."""
    lane = origin.series // source.repeats
    return source.lanes[lane] if lane < len(source.lanes) else None


def origin_findings(experiment: Experiment, source: Experiment) -> list[Diagnostic]:
    """What keeps `experiment` from starting at a checkpoint of `source`, as far as the two experiments say."""
    origin = experiment.origin
    if origin is None or infer(experiment.model, experiment.data.profile().input_shape).out_shape is None:
        return []
    lane = lane_of(source, origin)
    if lane is None:
        return [_error("origin-without-series", f"The run has no series {origin.series}.", "Choose a lane that it has.")]
    taken = taken_layers(experiment, source)
    if not taken.kept:
        message = "No layer of this model has weights of the shapes that the checkpoint has."
        anew = Fix("Start from fresh weights", experiment.but(origin=None))
        return [_error("origin-of-another-model", message, "Take the layers of that run, or start anew.", anew)]
    if origin.optimizer_state and (why := reason_against_state(experiment, source, taken)):
        without = Fix("Start without optimizer state", experiment.but(origin=origin.but(optimizer_state=False)))
        return [_error("optimizer-state-of-another", why, "Start without optimizer state.", without)]
    return []


def reason_against_state(experiment: Experiment, source: Experiment, taken: Taken) -> str:
    """Why the optimizer cannot go on with what it remembers, in words; empty if it can."""
    origin = experiment.origin
    lane = None if origin is None else lane_of(source, origin)
    if lane is None:
        return "The run has no such lane."
    for other in experiment.lanes:
        if not has_same_memory(lane.optimizer, other.optimizer):
            return other_optimizer(lane.optimizer, other.optimizer)
    if taken.fresh or len(taken.kept) != len(_weighted(source)):
        return OTHER_PARAMETERS
    if sorted(set(experiment.frozen) & set(taken.kept)) != sorted(set(source.frozen) & set(taken.kept.values())):
        return OTHER_FROZEN
    return ""


OTHER_PARAMETERS = "The optimizer's state belongs to all weights of its run, and this model has others."
OTHER_FROZEN = "The optimizer's state belongs to the layers that its run trained, and here others are frozen."


def other_optimizer(source: AnyOptimizer, fork: AnyOptimizer) -> str:
    """That what one optimizer remembers is no use to another."""
    if source.kind == fork.kind:
        return f"{fork.label} keeps other numbers with these settings than it did in the run that it starts from."
    return f"The checkpoint has the state of {source.label}, which {fork.label} cannot go on with."


def _error(code: str, message: str, hint: str, fix: Fix | None = None) -> Diagnostic:
    return Diagnostic(code, "error", ("origin",), message, hint=hint, fix=fix)
