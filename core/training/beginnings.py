"""With which weights, and with which memory of their optimizers, the lanes of a run begin."""

import copy
import hashlib
from collections.abc import Mapping, Sequence

import torch
from pydantic import TypeAdapter
from torch import nn

from core.errors import MissingData, SpecError, StoreError
from core.events import Noticed
from core.experiment.alignment import aligned
from core.experiment.check_origin import OTHER_FROZEN, OTHER_PARAMETERS, has_same_memory, other_optimizer
from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.experiment.origin import Origin
from core.models.model import build, layer_name
from core.models.modules.frozen import with_frozen
from core.models.weights_check import COUNTER, natural_order
from core.training.checkpoints import State, TrainingState, load_state
from core.training.epoch_memory import EpochMemory
from core.training.executors.executor import Series
from core.types import Shape

LANES = TypeAdapter(tuple[Lane, ...])
ANEW = "Choose a checkpoint that is there, or start from fresh weights."
NO_STATE = "Start without optimizer state."


class Beginnings:
    """What the series of a run start from: initial weights, the same for all lanes of a repeat, or those of another run.

    Args:
        origin: the checkpoint that `experiment.origin` names; None where there is none, or where the run goes on from one of
            its own and that other one is gone.

    Raises:
        SpecError: nothing of the checkpoint fits.
        StoreError: it is damaged, or has no such series.
    """

    def __init__(self, experiment: Experiment, input_shape: Shape, device: torch.device, origin: bytes | None) -> None:
        self._experiment, self._shape, self._device = experiment, input_shape, device
        self._models: dict[int, nn.Sequential] = {}
        self._source = None
        if experiment.origin is not None and origin is not None:
            self._source = _Source(load_state(origin), experiment.origin)

    def model(self, repeat: int) -> nn.Sequential:
        """A model as it begins in a repeat. Made once; every lane gets a copy."""
        if repeat not in self._models:
            self._models[repeat] = self._made(repeat).to(self._device)
        return copy.deepcopy(self._models[repeat])

    def _made(self, repeat: int) -> nn.Sequential:
        experiment = self._experiment
        made = build(experiment.model, self._shape, experiment.seed, repeat)
        if self._source is not None:
            self._source.fill(made)
        return with_frozen(made, experiment.frozen)

    def check_joining(self) -> None:
        """Whether a lane can still begin.

        Raises:
            SpecError: the checkpoint that the others have begun with is gone.
        """
        if self._experiment.origin is not None and self._source is None:
            raise SpecError(
                f"{said(self._experiment.origin)} is gone: no lane can start from it any more.",
                hint="Fork a lane of this run in place of it.",
            )

    def hand_over(self, series: Sequence[Series]) -> dict[int, State]:
        """What the optimizers of series that begin know already, by index of the series; their memories are set.

        Raises:
            SpecError: optimizer state is asked for, and is no use to one of them.
        """
        origin, source = self._experiment.origin, self._source
        if origin is None or source is None or not origin.optimizer_state:
            return {}
        return {one.index: source.hand_over(one, self._experiment) for one in series}

    def notices(self) -> list[Noticed]:
        """Which layers have come from the other run, in words."""
        origin, source = self._experiment.origin, self._source
        if origin is None or source is None:
            return []
        model = self._models.get(0) or self.model(0)
        taken = source.taken(_shapes(model.state_dict()))
        return [_notice(self._experiment, origin, list(model.state_dict()), taken, source.state.step)]


class _Source:
    """A checkpoint of another run, and the series of it that is taken."""

    def __init__(self, state: TrainingState, origin: Origin) -> None:
        self.state, self.origin, self.series = state, origin, origin.series
        if self.series >= len(state.models):
            last = len(state.models) - 1
            raise StoreError(f"{said(origin)} has no series {self.series}.", hint=f"Its series are numbered 0 to {last}.")
        self._lanes = LANES.validate_json(state.lanes)

    @property
    def weights(self) -> State:
        """As a run is evaluated, averaged where it averages; to go on with the optimizer's state, as it is trained."""
        trained = self.state.models[self.series]
        return trained if self.origin.optimizer_state else (self._average or trained)

    @property
    def _average(self) -> State:
        averages = self.state.averages
        return averages[self.series] if self.series < len(averages) else {}

    def taken(self, shapes: Mapping[str, Shape]) -> dict[str, str]:
        return taken_weights(shapes, _shapes(self.weights))

    def fill(self, model: nn.Sequential) -> None:
        """Put in all that fits."""
        own = model.state_dict()
        places = self.taken(_shapes(own))
        if not places:
            raise SpecError(
                f"Nothing of {said(self.origin)[0].lower()}{said(self.origin)[1:]} fits this model: "
                "no layer has weights of equal shapes.",
                hint="Take the layers of that run, or start from fresh weights.",
            )
        model.load_state_dict(own | {ours: self.weights[theirs] for ours, theirs in places.items()})

    def hand_over(self, one: Series, experiment: Experiment) -> State:
        state, optimizer = self.state, self.state.optimizers[self.series]
        lane = self._lanes[self.series * len(self._lanes) // len(state.models)]
        if not optimizer["param_groups"]:
            raise SpecError(f"{said(self.origin)} has no optimizer state of this series.", hint=NO_STATE)
        if not has_same_memory(lane.optimizer, one.lane.optimizer):
            raise SpecError(other_optimizer(lane.optimizer, one.lane.optimizer), hint=NO_STATE)
        own = _shapes(one.model.state_dict())
        if own != _shapes(state.models[self.series]):
            raise SpecError(OTHER_PARAMETERS, hint=NO_STATE)
        trained = [parameter for parameter in one.model.parameters() if parameter.requires_grad]
        known = sum(len(group["params"]) for group in optimizer["param_groups"])
        if known != len(trained) or _weighted(state.frozen, own) != _weighted(experiment.frozen, own):
            raise SpecError(OTHER_FROZEN, hint=NO_STATE)
        if one.average is not None and self._average:
            one.average.load_state_dict(self._average)
        if state.task == task_of(experiment):
            one.remember(_memory(state, self.series).for_schedule(one.lane.schedule, lane.schedule))
        return retuned_state(optimizer, one)


def begin_with(model: nn.Sequential, origin: Origin, data: bytes | None) -> None:
    """Put into a fresh model what a run begins with that starts from this checkpoint.

    Raises:
        MissingData: there is no checkpoint; SpecError and StoreError as in Beginnings.
    """
    if data is None:
        raise missing(origin)
    _Source(load_state(data), origin).fill(model)


def taken_weights(ours: Mapping[str, Shape], theirs: Mapping[str, Shape]) -> dict[str, str]:
    """Names of tensors here with the names, there, of those that they start from: layer by layer, in order, as many as fit.

    A layer fits where all of its tensors have equal names and shapes; counters of batches may be missing.
    """
    here, there = _layers(ours), _layers(theirs)
    places, others = list(here), list(there)
    pairs = aligned([here[place] for place in places], [there[place] for place in others])
    found: dict[str, str] = {}
    for i, j in pairs.items():
        found |= {f"{places[i]}.{leaf}": f"{others[j]}.{leaf}" for leaf, _ in here[places[i]]}
        counter = f"{places[i]}.{COUNTER}", f"{others[j]}.{COUNTER}"
        if counter[0] in ours and counter[1] in theirs:
            found[counter[0]] = counter[1]
    return found


def _layers(shapes: Mapping[str, Shape]) -> dict[str, tuple[tuple[str, Shape], ...]]:
    """The innermost modules that have tensors, in order, with the names and shapes of these."""
    found: dict[str, tuple[tuple[str, Shape], ...]] = {}
    for name in natural_order(shapes):
        place, _, leaf = name.rpartition(".")
        if leaf != COUNTER:
            found[place] = (*found.get(place, ()), (leaf, shapes[name]))
    return found


def _shapes(state: Mapping[str, torch.Tensor]) -> dict[str, Shape]:
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _weighted(frozen: Sequence[int], names: Mapping[str, Shape]) -> set[int]:
    """Those of the frozen layers that have weights."""
    return set(frozen) & {int(name.partition(".")[0]) for name in names}


def _memory(state: TrainingState, series: int) -> EpochMemory:
    """What the series remembers, as from before the first epoch of a run that counts its own."""
    memory = EpochMemory.of(state.memories[series]) if state.memories else EpochMemory()
    return EpochMemory(memory.best, 0, memory.plateau)


def retuned_state(state: State, series: Series) -> State:
    """A copy of an optimizer's state, with the numbers of this series' lane in its groups."""
    made = copy.deepcopy(state)
    for group in made["param_groups"]:
        group.update({name: value for name, value in series.lane.optimizer.arguments().items() if name in group})
    return made


def task_of(experiment: Experiment) -> str:
    """A digest of what validation losses are losses of: data, split and loss. Equal digests can be compared."""
    about = f"{experiment.data.model_dump_json()}\n{experiment.loss.model_dump_json()}\n{experiment.seed}"
    return hashlib.sha256(about.encode()).hexdigest()[:16]


def said(origin: Origin) -> str:
    """The checkpoint as a sentence begins with it."""
    return f"The checkpoint of run {origin.run[:6]} after step {origin.step:,}"


def missing(origin: Origin) -> MissingData:
    """That the checkpoint is not there."""
    return MissingData(f"{said(origin)}, from which this run starts, is not there (any more).", hint=ANEW)


def _notice(experiment: Experiment, origin: Origin, names: Sequence[str], taken: Mapping[str, str], step: int) -> Noticed:
    """What was taken and what starts fresh, by layers of the stack."""
    layers = experiment.model.layers
    counted = [name for name in names if not name.endswith(COUNTER)]
    places = sorted({int(name.partition(".")[0]) for name in counted})
    parts: dict[str, list[str]] = {"from": [], "part": [], "fresh": []}
    for place in places:
        own = [name for name in counted if name.startswith(f"{place}.")]
        n_taken = sum(name in taken for name in own)
        part = "from" if n_taken == len(own) else "part" if n_taken else "fresh"
        parts[part].append(layer_name(layers, (place,)))
    words = [f"This run starts from run {origin.run[:6]} after step {step:,}"]
    if len(parts["from"]) == len(places):
        return Noticed("info", "origin", f"{words[0]}: all layers with weights.")
    said_of = {"from": "taken over", "part": "taken over in part", "fresh": "fresh initial weights"}
    words += [f"{', '.join(parts[part])} ({what})" for part, what in said_of.items() if parts[part]]
    return Noticed("info", "origin", f"{words[0]}: {'; '.join(words[1:])}.")
