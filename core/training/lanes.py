"""Changes of the lanes of a live run: numbers, optimizers, lanes that join or leave. Each is answered by an event."""

import time
from collections.abc import Callable, Generator, Sequence

from core.errors import SpecError
from core.events import (
    AddLane,
    Command,
    Event,
    HyperChanged,
    LaneAdded,
    LaneEpochDone,
    LaneRemoved,
    LaneStepsDone,
    OptimizerSwapped,
    Progressed,
    RemoveLane,
    SetHyper,
    SwapOptimizer,
)
from core.experiment.apply import existing, with_change
from core.experiment.check import checked
from core.experiment.check_origin import has_same_memory
from core.experiment.experiment import Experiment
from core.training.beginnings import retuned_state
from core.training.checkpoints import State
from core.training.executors.executor import Series
from core.training.live_run import LiveRun
from core.training.team import Team

REPORT_S = 0.1
"""A lane that catches up is reported so often."""
CHUNK = 16
"""Steps at once of a lane that catches up."""


def changed(run: LiveRun, command: Command, is_stopped: Callable[[], bool]) -> Generator[Event, None, None]:
    """Make a change by hand; it holds from the next step on.

    Args:
        is_stopped: whether the run is to end; a lane that catches up is given up then.

    Raises:
        SpecError: it cannot be; nothing has changed then.
    """
    after = with_change(run.experiment, command)
    match command:
        case SetHyper():
            yield _hyper(run, after, command)
        case SwapOptimizer():
            yield _swapped(run, after, command)
            yield run.team.planned(run.step)
        case AddLane():
            yield from _added(run, after, command, is_stopped)
        case RemoveLane():
            yield from _removed(run, command)
        case _:
            raise SpecError(f"{type(command).__name__} is no change of a lane.", hint="Send it as a command of its own.")


def _of_lane(run: LiveRun, lane: int) -> list[Series]:
    return [one for one in run.series if one.lane_index == lane]


def _hyper(run: LiveRun, after: Experiment, command: SetHyper) -> HyperChanged:
    old = run.experiment.lanes[command.lane].numbers()[command.name]
    run.experiment = after
    for one in _of_lane(run, command.lane):
        one.lane = after.lanes[command.lane]
        executor = run.team.executor_of(one)
        if executor is not None:
            executor.retune(one)
    return HyperChanged(run.step, command.lane, command.name, old, command.value)


def _swapped(run: LiveRun, after: Experiment, command: SwapOptimizer) -> OptimizerSwapped:
    old = run.experiment.lanes[command.lane].optimizer.model_dump_json()
    checked(after.but(changes=()), run.settings)
    states = run.team.optimizer_states()
    run.experiment = after
    for one in _of_lane(run, command.lane):
        one.lane = after.lanes[command.lane]
        states.pop(one.index, None)
    run.plan(states)
    return OptimizerSwapped(run.step, command.lane, old, after.lanes[command.lane].optimizer.model_dump_json())


def _removed(run: LiveRun, command: RemoveLane) -> Generator[Event, None, None]:
    existing(run.experiment, command.lane)
    lanes = {one.lane_index for one in run.series if not one.is_removed}
    if command.lane not in lanes:
        raise SpecError("This lane was removed already.", hint="Choose another one.")
    if len(lanes) == 1:
        raise SpecError("The last lane cannot be removed.", hint="Stop the run in place of it.")
    states = run.team.optimizer_states()
    for one in _of_lane(run, command.lane):
        one.is_removed = True
    run.plan(states)
    yield LaneRemoved(run.step, command.lane)
    yield run.team.planned(run.step)


def _added(run: LiveRun, after: Experiment, command: AddLane, is_stopped: Callable[[], bool]) -> Generator[Event, None, None]:
    checked(after.but(changes=()), run.settings)
    is_fork = command.source >= 0
    sources = _of_lane(run, command.source) if is_fork else []
    if is_fork and not all(one.is_alive for one in sources):
        raise SpecError("A lane that is not trained any more cannot be forked.", hint="Fork a living lane, or add a new one.")
    before, states = run.experiment, run.team.optimizer_states()
    lane = len(before.lanes)
    joined, known = _beginning(run, after, is_fork=is_fork)
    names = after.series()[lane * after.repeats :]
    definition = after.lanes[lane].model_dump_json()
    yield LaneAdded(run.step, lane, command.source, definition, after.lane_names()[lane], names)
    if is_fork:
        _copy(sources, joined, states)
    else:
        team = Team(run.experiment, joined, run.device, run.settings, known)
        yield from _catching_up(run, joined, team, is_stopped)
        states |= team.optimizer_states()
        team.close()
    for one in joined:
        one.is_removed = not is_fork and is_stopped()
    run.series += joined
    run.plan(states)
    yield run.team.planned(run.step)
    if joined[0].is_removed:
        yield LaneRemoved(run.step, lane)


def _beginning(run: LiveRun, after: Experiment, *, is_fork: bool) -> tuple[list[Series], dict[int, State]]:
    """The series of the last lane of `after`, which is the run's experiment now, as they begin, and what their optimizers know.

    Raises:
        SpecError: they cannot begin; the run is as it was.
    """
    before = run.experiment
    run.experiment = after
    try:
        if is_fork:
            return run.new_series(len(before.lanes)), {}
        run.beginnings.check_joining()
        joined = run.new_series(len(before.lanes))
        return joined, run.beginnings.hand_over(joined)
    except SpecError:
        run.experiment = before
        raise


def _copy(sources: Sequence[Series], joined: Sequence[Series], states: dict[int, State]) -> None:
    """Let the series of a fork be what those of its source are; what their optimizers know is put into `states`."""
    for one, source in zip(joined, sources, strict=True):
        one.model.load_state_dict(source.model.state_dict())
        one.remember(source.memory.for_schedule(one.lane.schedule, source.lane.schedule))
        if one.average is not None:
            one.average.load_state_dict(source.evaluated.state_dict())
        if has_same_memory(source.lane.optimizer, one.lane.optimizer):
            states[one.index] = retuned_state(states[source.index], one)


def _catching_up(
    run: LiveRun, joined: list[Series], team: Team, is_stopped: Callable[[], bool]
) -> Generator[Event, None, None]:
    """The steps that the others have made, on the very same batches; few at once where a step takes long."""
    yield team.planned(run.step)
    told, last = [], time.perf_counter()
    first, step, size = 1, 0, 1
    while step < run.step and not is_stopped():
        to_epoch = run.steps_per_epoch - step % run.steps_per_epoch
        n, start = min(size, to_epoch, run.step - step), time.perf_counter()
        told += team.steps(run.source, step + 1, n)
        step += n
        size = min(CHUNK, 2 * size) if time.perf_counter() - start < REPORT_S / 4 else max(1, size // 2)
        is_epoch = step % run.steps_per_epoch == 0
        if is_epoch or step == run.step or time.perf_counter() - last > REPORT_S:
            yield LaneStepsDone(joined[0].lane_index, first, tuple(zip(*told, strict=True)))
            yield Progressed(step, run.step)
            first, told, last = step + 1, [], time.perf_counter()
        if is_epoch and any(one.is_alive for one in joined):
            epoch = yield from _epoch(run, joined, step)
            yield epoch
            for one in joined:
                one.remember(one.memory.after(epoch.epoch, epoch.validation_loss[one.repeat], one.lane.schedule))


def _epoch(run: LiveRun, joined: list[Series], step: int) -> Generator[Event, None, LaneEpochDone]:
    train = yield from run.figures(run.sample, joined, step)
    validation = yield from run.figures(run.validation, joined, step)
    return LaneEpochDone(joined[0].lane_index, step // run.steps_per_epoch, step, *train, *validation)
