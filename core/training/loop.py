"""Training, as a generator of events.

    for event in train(experiment):
        ...

Stop is `close()`, or `send(Stop())` to keep the result; pause is not pulling; a live change is `send(SetHyper(...))`;
`send(Step(n))` makes n steps; that and `send(Pause())` are answered by a checkpoint and `Paused`, after which whoever reads
stops pulling.
"""

import time
from collections.abc import Generator, Iterable

from core.data.dataset import Splits
from core.errors import SpecError
from core.events import (
    Artifact,
    Command,
    Event,
    Failed,
    Finished,
    Noticed,
    Pause,
    Paused,
    SetHyper,
    Step,
    StepMeasured,
    StepsDone,
    Stop,
)
from core.experiment.check import checked
from core.experiment.experiment import Experiment
from core.settings import Settings
from core.training.live_run import LiveRun
from core.training.pace import Allowance

Item = Event | Artifact
REPORT_S = 0.04
"""Steps are reported so often; also how long a pause or a change may take to hold."""
MAX_STEPS_PER_REPORT = 2_000
FIRST_SAVE_S = 0.5
SURFACE_S, SURFACE_SLOWER = 0.15, 0.005
"""Time between two decision surfaces, and by how much it grows per second of training: a day's log holds some 1,600."""


def train(
    experiment: Experiment,
    *,
    splits: Splits | None = None,
    resume: bytes | None = None,
    replay: Iterable[tuple[int, SetHyper]] = (),
    settings: Settings | None = None,
) -> Generator[Item, Command | None, None]:
    """The events of one run, from `Started` to exactly one `Finished` or `Failed`; checkpoints leave as artifacts.

    Args:
        splits: loaded data, where the caller has it already.
        resume: a checkpoint of this experiment; the curve goes on bit for bit as if never interrupted.
        replay: changes by hand that were made after that checkpoint, as (step after which they hold, change).

    Raises:
        SpecError: the experiment cannot run (raised before anything is allocated).
        MissingData: its data set is not there.
    """
    settings = settings or Settings()
    checked(experiment, settings)
    run = LiveRun(experiment, splits or experiment.data.splits(experiment.seed), resume)
    story = _Story(run, settings, sorted(replay, key=lambda change: change[0]))
    for item in story.tell():
        run.watch.stand()
        command = yield item
        while command is not None:
            answer = story.obey(command)
            command = (yield answer) if answer is not None else None
        run.watch.run()


class _Story:
    """What happens in a run, in the order in which it happens."""

    def __init__(self, run: LiveRun, settings: Settings, replay: list[tuple[int, SetHyper]]) -> None:
        self.run = run
        self.replay = replay
        self.is_stopped = False
        self.is_pausing = False
        self.wanted_steps: int | None = None
        self.losses: list[tuple[float, ...]] = []
        self.known_dead = {index for index, runner in enumerate(run.runners) if not runner.is_alive}
        self.saved_steps = {run.step} if run.step else set()
        self.last_report = time.perf_counter()
        self.statistics = Allowance(share=0.005, gap_s=0.1)
        self.surface = Allowance(share=0.05, gap_s=SURFACE_S)
        self.memory = Allowance(share=0.003, gap_s=0.25)
        self.saving = Allowance(share=0.01, gap_s=min(settings.checkpoint_s, FIRST_SAVE_S))
        self.settings = settings

    def obey(self, command: Command) -> Event | None:
        """Do what a command says; the event that answers it, if any."""
        match command:
            case SetHyper():
                return self._changed(command)
            case Stop():
                self.is_stopped = True
            case Step(n=n):
                self.wanted_steps = max(1, n)
            case Pause():
                self.is_pausing, self.wanted_steps = True, None
            case _:
                raise TypeError(f"train() does not take {type(command).__name__}")
        return None

    def _changed(self, change: SetHyper) -> Event:
        """A change that cannot be is told, and the run goes on as it was."""
        try:
            return self.run.set_hyper(change)
        except SpecError as error:
            return Noticed("warning", "change-refused", error.message, error.hint)

    def tell(self) -> Generator[Item, None, None]:
        """All items of the run."""
        run = self.run
        yield run.started()
        yield from self._saved()
        self.saving.spend(time.perf_counter(), 0.0)
        if run.is_plane:
            yield from run.surfaces()
        while not (reason := self._end()):
            yield from self._replayed()
            if self.is_pausing:
                yield from self._pause()
                continue
            yield from self._one_step()
            if self._is_diverged():
                yield from self._divergence()
                return
        yield from self._reported()
        yield from self._ending(reason)

    def _one_step(self) -> Generator[Item, None, None]:
        run, now = self.run, time.perf_counter()
        closes = self._closes_report(now)
        is_measured = closes and (self.wanted_steps == 0 or self.statistics.is_due(now))
        self.losses.append(run.advance(is_measured=is_measured))
        is_by_hand = self.wanted_steps == 0
        if closes:
            yield from self._reported()
            yield from self._notices()
        if is_measured and not self._is_diverged():
            yield self._measured(now)
        if run.step % run.steps_per_epoch == 0 and not self._is_diverged():
            epoch = yield from run.validated()
            run.note_target(epoch)
            yield epoch
        if closes:
            yield from self._upkeep(is_by_hand)
        if is_by_hand:
            self.wanted_steps = None
            self.is_pausing = True

    def _pause(self) -> Generator[Item, None, None]:
        """Tell and keep all there is up to this step; whoever reads `Paused` stops pulling."""
        self.is_pausing = False
        yield from self._reported()
        self.run.remember()
        yield from self._saved()
        yield Paused(self.run.step)

    def _saved(self) -> Generator[Item, None, None]:
        """A checkpoint of this step, unless it was kept already."""
        if self.run.step not in self.saved_steps:
            self.saved_steps.add(self.run.step)
            yield self.run.checkpoint()

    def _closes_report(self, now: float) -> bool:
        """Whether the steps since the last report are told after the next one."""
        if self.wanted_steps is not None:
            self.wanted_steps -= 1
        return self.wanted_steps == 0 or now - self.last_report >= REPORT_S or len(self.losses) >= MAX_STEPS_PER_REPORT

    def _reported(self) -> Generator[Item, None, None]:
        """The steps since the last report."""
        if not self.losses:
            return
        run, losses = self.run, self.losses
        self.losses = []
        first = run.step - len(losses) + 1
        epoch = (run.step - 1) // run.steps_per_epoch + 1
        yield StepsDone(first, epoch, tuple(zip(*losses, strict=True)), run.learning_rates(), run.watch.read())
        self.last_report = time.perf_counter()

    def _measured(self, now: float) -> StepMeasured:
        start = time.perf_counter()
        measured = self.run.measured()
        cost_s = time.perf_counter() - start + sum(runner.measuring_s for runner in self.run.runners)
        self.statistics.spend(now, cost_s)
        return measured

    def _notices(self) -> Generator[Item, None, None]:
        """Series that have just diverged while others go on."""
        for index, runner in enumerate(self.run.runners):
            if runner.is_alive or index in self.known_dead:
                continue
            self.known_dead.add(index)
            if not self._is_diverged():
                name = self.run.experiment.series()[index]
                message = f"{name} diverged at step {runner.died_at:,}; the others go on."
                yield Noticed("warning", "series-diverged", message, "Try a smaller learning rate for it.")

    def _upkeep(self, is_by_hand: bool) -> Generator[Item, None, None]:
        """What is done now and then, between reports: decision surfaces, a copy of the good state, checkpoints."""
        run, now = self.run, time.perf_counter()
        if run.is_plane and (is_by_hand or self.surface.is_due(now)):
            surfaces = run.surfaces()
            self.surface.spend(now, time.perf_counter() - now)
            self.surface.gap_s = SURFACE_S + SURFACE_SLOWER * run.watch.read()
            yield from surfaces
        if self.memory.is_due(now):
            start = time.perf_counter()
            run.remember()
            self.memory.spend(now, time.perf_counter() - start)
        self.saving.gap_s = min(self.settings.checkpoint_s, FIRST_SAVE_S + run.watch.read())  # early moments are worth a look
        if self.saving.is_due(now) and not self._is_diverged():
            start = time.perf_counter()
            checkpoints = list(self._saved())
            self.saving.spend(now, time.perf_counter() - start)
            yield from checkpoints

    def _replayed(self) -> Generator[Item, None, None]:
        """Changes by hand that were made before this run was interrupted."""
        while self.replay and self.replay[0][0] <= self.run.step:
            yield from self._reported()
            yield self.run.set_hyper(self.replay.pop(0)[1])

    def _end(self) -> str | None:
        """Why the run is over, or None while it goes on."""
        budget, run = self.run.experiment.budget, self.run
        if self.is_stopped:
            return "stopped"
        if budget.steps is not None and run.step >= budget.steps:
            return "completed"
        if budget.epochs is not None and run.step >= budget.epochs * run.steps_per_epoch:
            return "completed"
        if budget.seconds is not None and run.watch.read() >= budget.seconds:
            return "time"
        return "target" if run.has_reached_target else None

    def _ending(self, reason: str) -> Generator[Item, None, None]:
        run = self.run
        if run.is_plane:
            yield from run.surfaces()
        yield from self._saved()
        tested = None
        if reason != "stopped":
            tests = run.tested()
            while not self.is_stopped:
                try:
                    yield next(tests)
                except StopIteration as end:
                    tested = end.value
                    break
        losses, accuracies = tested or (None, None)
        yield Finished(reason, run.step, run.watch.read(), losses, accuracies)  # type: ignore[arg-type]

    def _is_diverged(self) -> bool:
        return not any(runner.is_alive for runner in self.run.runners)

    def _divergence(self) -> Generator[Item, None, None]:
        """The end of a run whose loss is not a number any more: the last good state is kept."""
        run = self.run
        yield from self._reported()
        good = run.last_good()
        yield good  # the newest one: a checkpoint of a later step may hold what led to the bad loss
        lr = run.learning_rates()[0]
        first = min(runner.died_at for runner in run.runners)
        yield Failed(
            "diverged",
            f"The loss became infinite or NaN (not a number) at step {first:,}, "
            f"with learning rate {lr:g}. The last good weights, after step {good.step:,}, are kept.",
            f"Try a learning rate of {lr / 10:g}, or standardised inputs, or a batch normalisation layer.",
            run.step,
        )
