"""An experiment with another model: what names layers by their place follows them."""

from collections.abc import Iterator

from core.experiment.check_origin import Taken, taken_layers
from core.experiment.experiment import Experiment
from core.models.model import ModelSpec


def with_model(experiment: Experiment, model: ModelSpec) -> Experiment:
    """The experiment with this stack. Frozen layers stay frozen where they are moved by others that come or go before them; one
    that is taken out, or whose weights have other shapes by now, is frozen no longer. Where the run starts stays."""
    changed = experiment.but(model=model, frozen=())
    return changed.but(frozen=followed(experiment, changed))


def followed(before: Experiment, after: Experiment) -> tuple[int, ...]:
    """The places in `after` of the layers that are frozen in `before`, as far as they are still there with their weights."""
    if not before.frozen:
        return ()
    taken = taken_layers(after, before)
    places = {there: here for here, there in [*taken.kept.items(), *_without_weights(after, before, taken)]}
    return tuple(sorted(places[index] for index in set(before.frozen) if index in places))


def _without_weights(after: Experiment, before: Experiment, taken: Taken) -> Iterator[tuple[int, int]]:
    """Place here and there of layers such as Dropout, which stand equally far behind a layer that was kept."""
    ours, theirs = after.model.layers, before.model.layers
    weighted = {*taken.kept, *taken.fresh}
    for here, there in [(-1, -1), *taken.kept.items()]:
        for mine, other in zip(range(here + 1, len(ours)), range(there + 1, len(theirs)), strict=False):
            if mine in weighted or ours[mine].kind != theirs[other].kind:
                break
            yield mine, other
