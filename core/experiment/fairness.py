"""What is equal for all lanes of a race, and what differs: read from the experiment, in sentences for the screen."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.experiment.changes import HyperChange, LaneAddition, LaneRemoval, OptimizerSwap
from core.experiment.experiment import Budget, Experiment
from core.experiment.lane import Lane
from core.models.model import all_layers, layer_name
from core.optim.regularizers import average_of
from core.sentence import Sentence

MASKS = ("p", "dropout", "attention_dropout")
"""Fields of layers with the chance that a number is left out."""
SHORT_RUN = 6
"""Letters of a run's id that tell it apart."""
FORMATS = {"float32": "float32", "bfloat16": "bfloat16 (weights and updates in float32)"}


@dataclass(frozen=True, slots=True)
class Fairness:
    """Sentences on what all lanes share, and on what is compared or is odd about a lane."""

    equal: tuple[Sentence, ...]
    differs: tuple[Sentence, ...]


def fairness(experiment: Experiment) -> Fairness:
    """What is equal and what differs between the lanes of a race.

    Args:
        experiment: as it started, with the changes by hand since then (`changes_of(events)`) in its `changes`.
    """
    added = [one.definition for one in experiment.changes if isinstance(one, LaneAddition)]
    lanes = (*experiment.lanes, *added)
    rules = [*_optimizers(lanes), *_rates(lanes), *_schedules(lanes), *_regularizers(lanes)]
    equal = [*_shared(experiment), *(sentence for is_equal, sentence in rules if is_equal)]
    differs = [sentence for is_equal, sentence in rules if not is_equal]
    return Fairness(tuple(equal), (*differs, *_oddities(lanes), *_by_hand(experiment, lanes)))


def _shared(experiment: Experiment) -> Iterator[Sentence]:
    """What one loop over all lanes makes equal."""
    profile, layers = experiment.data.profile(), experiment.model.layers
    yield Sentence(
        "Data and split: {data}, {train} examples to train and {validation} to validate, for all lanes and seeds.",
        {"data": experiment.data.label, "train": f"{profile.n_train:,}", "validation": f"{profile.n_validation:,}"},
    )
    if experiment.origin is not None:
        step, run = f"{experiment.origin.step:,}", experiment.origin.run[:SHORT_RUN]
        yield Sentence(
            "Initial weights: for all lanes and seeds those of run {run} after step {step}.", {"run": run, "step": step}
        )
        if experiment.origin.optimizer_state:
            yield Sentence("Optimizer state: for all lanes and seeds that of the same checkpoint.")
    elif experiment.repeats > 1:
        yield Sentence(
            "Initial weights: within each of the {seeds} seeds the same for all lanes.", {"seeds": str(experiment.repeats)}
        )
    else:
        yield Sentence("Initial weights: the same for all lanes.")
    if experiment.frozen:
        frozen = ", ".join(layer_name(layers, (i,)) for i in experiment.frozen if i < len(layers))
        yield Sentence("Frozen layers: the same in every lane ({layers}).", {"layers": frozen})
    batch = experiment.batch(profile.n_train)
    if batch < profile.n_train:
        yield Sentence("Batches: {batch} examples, the same ones in the same order in every lane.", {"batch": f"{batch:,}"})
    else:
        yield Sentence("Batches: the whole training split in every step of every lane.")
    if experiment.augmentation:
        changes = ", ".join(each.label for each in experiment.augmentation)
        yield Sentence("Augmentation: the same random changes of the same images ({changes}).", {"changes": changes})
    if _has_masks(experiment):
        yield Sentence("Dropout: the same masks in the same step of every lane.")
    yield Sentence("Loss: {loss}.", {"loss": experiment.loss.label})
    yield Sentence("Budget: {budget}.", {"budget": _budget(experiment.budget)})
    yield Sentence("Precision: {precision}.", {"precision": FORMATS[experiment.precision]})


def _has_masks(experiment: Experiment) -> bool:
    layers = [layer for _, layer in all_layers(experiment.model.layers)]
    return any(isinstance(chance := getattr(layer, name, 0.0), float) and chance > 0 for layer in layers for name in MASKS)


def _budget(budget: Budget) -> str:
    limits = {
        "{:,} epochs": budget.epochs,
        "{:,} steps": budget.steps,
        "{:g} s of training all lanes": budget.seconds,
    }
    ends = {
        "a validation accuracy of {:g} in every lane": budget.target_accuracy,
        "{:,} epochs without a better validation loss in any lane": budget.patience,
    }
    first = " or ".join(text.format(value) for text, value in limits.items() if value)
    return ", or until ".join([first, *(text.format(value) for text, value in ends.items() if value)])


Rule = tuple[bool, Sentence]
"""Whether it is equal for all lanes, and what it is."""


def _optimizers(lanes: tuple[Lane, ...]) -> Iterator[Rule]:
    """The update rule; and its numbers, lane by lane, where all have the same rule."""
    labels = [lane.optimizer.label for lane in lanes]
    if len(set(labels)) > 1:
        yield False, Sentence("Optimizer: {optimizers}.", {"optimizers": _pairs(lanes, labels)})
        return
    yield True, Sentence("Optimizer: {optimizer}.", {"optimizer": labels[0]})
    for name, info in type(lanes[0].optimizer).knobs().items():
        values = [getattr(lane.optimizer, name) for lane in lanes]
        if name != "lr" and len(set(values)) > 1:
            title = info.title or name.replace("_", " ")
            yield False, Sentence("{name}: {values}.", {"name": title, "values": _pairs(lanes, [_said(one) for one in values])})


def _rates(lanes: tuple[Lane, ...]) -> Iterator[Rule]:
    """Whether learning rates are shared, each optimizer's usual one, tuned, or chosen by hand."""
    rates = [lane.optimizer.lr for lane in lanes]
    tries = [lane.n_tries for lane in lanes]
    params = {"rates": _pairs(lanes, [f"{rate:g}" for rate in rates]), "tries": str(tries[0]), "rate": f"{rates[0]:g}"}
    if all(tries) and len(set(tries)) == 1:
        yield False, Sentence("Learning rate: the best of {tries} tries for each lane ({rates}).", params)
    elif any(tries):
        params["tries"] = _pairs(lanes, [f"best of {n} tries" if n else "by hand" for n in tries])
        yield False, Sentence("Learning rate: tuned with unequal budgets, which is not fair ({tries}; {rates}).", params)
    elif len(set(rates)) == 1:
        yield (
            True,
            Sentence("Learning rate: {rate}, shared by all; what suits one optimizer may not suit another.", params),
        )
    elif all(lane.optimizer.lr == type(lane.optimizer)().lr for lane in lanes):
        yield False, Sentence("Learning rate: the usual one of each optimizer, not tuned ({rates}).", params)
    else:
        yield False, Sentence("Learning rate: chosen by hand for each lane, not tuned ({rates}).", params)


def _schedules(lanes: tuple[Lane, ...]) -> Iterator[Rule]:
    labels = [lane.schedule.label for lane in lanes]
    if len({lane.schedule for lane in lanes}) == 1:
        yield True, Sentence("Schedule: {schedule}.", {"schedule": labels[0]})
    elif len(set(labels)) == 1:
        yield False, Sentence("Schedule: {schedule}, with other settings in each lane.", {"schedule": labels[0]})
    else:
        yield False, Sentence("Schedule: {schedules}.", {"schedules": _pairs(lanes, labels)})


def _regularizers(lanes: tuple[Lane, ...]) -> Iterator[Rule]:
    labels = [" + ".join(one.label for one in lane.regularizers) or "none" for lane in lanes]
    if len({lane.regularizers for lane in lanes}) == 1:
        yield True, Sentence("Regularizers: {regularizers}.", {"regularizers": labels[0]})
    elif len(set(labels)) == 1:
        yield False, Sentence("Regularizers: {regularizers}, of another strength in each lane.", {"regularizers": labels[0]})
    else:
        yield False, Sentence("Regularizers: {regularizers}.", {"regularizers": _pairs(lanes, labels)})


def _oddities(lanes: tuple[Lane, ...]) -> Iterator[Sentence]:
    """Lanes that see or do more in a step than the others."""
    whole = [lane.label for lane in lanes if lane.optimizer.needs_whole_split]
    if whole:
        yield Sentence(
            "{lanes}: each step sees the whole training split, whatever the batch size, so that a step costs more. "
            "Compare over seconds, not over steps.",
            {"lanes": "; ".join(whole)},
        )
    several = [lane.label for lane in lanes if lane.optimizer.needs_closure]
    if several:
        yield Sentence("{lanes}: each step evaluates the loss and its gradient several times.", {"lanes": "; ".join(several)})
    averaged = [lane.label for lane in lanes if average_of(lane.regularizers) is not None]
    if averaged:
        yield Sentence("{lanes}: the averaged weights are evaluated, not the last ones.", {"lanes": "; ".join(averaged)})


def _by_hand(experiment: Experiment, lanes: tuple[Lane, ...]) -> Iterator[Sentence]:
    """Changes while it ran."""
    n_lanes = len(experiment.lanes)
    for change in experiment.changes:
        params = {"step": f"{change.after_step:,}"}
        match change:
            case LaneAddition():
                params |= {"lane": lanes[n_lanes].label}
                n_lanes += 1
                if change.fork_of < 0:
                    yield Sentence("{lane} joined after step {step}, from the initial weights, and caught up.", params)
                else:
                    params["source"] = lanes[change.fork_of].label
                    yield Sentence("{lane} was forked from {source} after step {step}: until there they are one.", params)
            case LaneRemoval():
                yield Sentence("{lane} was removed after step {step}.", params | {"lane": lanes[change.lane].label})
            case OptimizerSwap():
                params |= {"lane": lanes[change.lane].label, "optimizer": change.optimizer.label}
                yield Sentence("{lane} went on with {optimizer} after step {step}.", params)
            case HyperChange():
                params |= {"lane": lanes[change.lane].label, "name": change.name, "value": f"{change.value:g}"}
                yield Sentence("{lane}: {name} was set to {value} after step {step}.", params)


def _said(value: object) -> str:
    """A setting as a person reads it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _pairs(lanes: tuple[Lane, ...], values: list[str]) -> str:
    """`Adam: 0.001; SGD: 0.1`; just the values where they are the names."""
    names = [lane.name or lane.optimizer.label for lane in lanes]
    if len(set(names)) < len(names):
        names = [f"lane {number}" for number in range(1, len(names) + 1)]
    return "; ".join(value if name == value else f"{name}: {value}" for name, value in zip(names, values, strict=True))
