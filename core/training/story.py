"""What happens in a run, in the order in which it happens."""

import time
from collections import deque
from collections.abc import Generator

from core.errors import SpecError
from core.events import (
    Artifact,
    Command,
    Event,
    Failed,
    Finished,
    Noticed,
    Paused,
    SetHyper,
    StepsDone,
)
from core.settings import Settings
from core.training.health import Doctor
from core.training.keeping import Keeper
from core.training.lanes import changed
from core.training.live_run import LiveRun
from core.training.pace import Allowance
from core.training.phases import PhaseStepper
from core.training.team import Row
from core.training.wishes import Wishes

Item = Event | Artifact | None
REPORT_S = 0.04
"""Steps are reported so often; also how long a pause or a change may take to hold."""
MAX_STEPS_PER_REPORT = 2_000
SURFACE_S, SURFACE_SLOWER = 0.15, 0.005
"""Time between two decision surfaces, and by how much it grows per second of training: a day's log holds some 1,600."""


class Story:
    """Tells a run. `obey` takes commands between two items; what answers them at once is in `answers`."""

    def __init__(self, run: LiveRun, settings: Settings, wishes: Wishes) -> None:
        self.run = run
        self.wishes = wishes
        self.answers: deque[Event] = deque()
        self.phases: PhaseStepper | None = None
        self.rows: list[Row] = []
        self.is_changing = False
        """A change of lanes is being made: what comes now waits until it is."""
        self.known_dead = {one.index for one in run.series if not one.is_alive}
        self.keeper = Keeper(run, settings)
        self.doctor = Doctor(run.experiment, run.series, run.data, run.loss)
        self.last_report = time.perf_counter()
        self.step_s = 0.0
        self.statistics = Allowance(share=0.005, gap_s=0.1)
        self.surface = Allowance(share=0.05, gap_s=SURFACE_S)

    def obey(self, command: Command) -> None:
        """Do what a command says, at once where it is quick; else before the next step."""
        if not isinstance(command, SetHyper) or self.is_changing or self.wishes.has_due_change(self.run.step):
            self.wishes.take(command, self.run.step, self.run.steps_per_epoch)
            return
        for answer in self._told(command):
            self.answers += [answer, *self.doctor.hear(answer)]

    def _told(self, command: Command) -> Generator[Event, None, None]:
        """A change that cannot be is told, and the run goes on as it was."""
        try:
            yield from changed(self.run, command, lambda: self.wishes.is_stopped)
        except SpecError as error:
            yield Noticed("warning", "change-refused", error.message, error.hint)

    def tell(self) -> Generator[Item, None, None]:
        """All items of the run, and what the doctor says to them."""
        for item in self._happenings():
            yield item
            if isinstance(item, Event):
                yield from self.doctor.hear(item)

    def _happenings(self) -> Generator[Item, None, None]:
        run = self.run
        yield run.started()
        yield run.team.planned(run.step)
        if not run.step:
            yield from run.beginnings.notices()
        yield from self.keeper.begin()
        if run.is_plane:
            yield from run.surfaces()
        while not (reason := self._end()):
            yield from self._changes()
            if self.wishes.is_pausing:
                yield from self._pause()
                continue
            if self.wishes.phases:
                yield from self._phase()
            else:
                yield from self._until_due()
                if self.wishes.wants_other_than_steps(run.step):
                    continue
                yield from self._steps()
            if not run.is_alive:
                yield from self._reported()
                yield from self._notices()
                yield from diverged(run)
                return
        yield from self._reported()
        yield from self._ending(reason)

    def _until_due(self) -> Generator[Item, None, None]:
        """In slow motion: wait for the next step, with moments for commands."""
        wishes = self.wishes
        while (left_s := wishes.wait_s()) and not wishes.wants_other_than_steps(self.run.step):
            time.sleep(min(left_s, REPORT_S))
            yield None
        wishes.note_due()

    def _steps(self) -> Generator[Item, None, None]:
        """One step, or some in a row where that is faster, and all that is due after the last of them."""
        run, now = self.run, time.perf_counter()
        is_seen = self.doctor.is_due(now)
        n = 1 if is_seen else self._n_ahead()
        is_by_hand = self.wishes.steps == n
        closes = is_by_hand or now - self.last_report >= REPORT_S or len(self.rows) + n >= MAX_STEPS_PER_REPORT
        closes = closes or self.keeper.is_early_moment(n)
        is_measured = closes and (is_by_hand or self.statistics.is_due(now))
        if is_seen:
            self.doctor.before_step()
        self.rows += run.advance(n, is_measured=is_measured)
        self.step_s = (time.perf_counter() - now) / n
        self.phases = None
        if self.wishes.steps is not None:
            self.wishes.steps -= n
        if is_seen:
            yield from self.doctor.after_step(run.step)
        if closes:
            yield from self._reported()
            yield from self._notices()
        yield from self._figures(is_measured=is_measured)
        if closes:
            yield from self._upkeep(is_by_hand)
        if is_by_hand:
            self.wishes.steps = None
            self.wishes.is_pausing = True

    def _figures(self, *, is_measured: bool) -> Generator[Item, None, None]:
        """Statistics of the last step, and of the epoch that it ends."""
        run = self.run
        if not run.is_alive:
            return
        if is_measured:
            measured, cost_s = run.measured()
            self.statistics.spend(time.perf_counter(), cost_s)
            yield measured
        if run.step % run.steps_per_epoch == 0:
            epoch = yield from run.validated()
            run.note_epoch(epoch)
            yield epoch
            yield from self.keeper.note(epoch)

    def _n_ahead(self) -> int:
        """How many steps to make at once: one, unless each asking costs, and never past a moment at which something is due."""
        run, budget = self.run, self.run.experiment.budget
        if not run.team.is_over_pipes or self.wishes.speed:
            return 1
        limits = [run.steps_per_epoch - run.step % run.steps_per_epoch, MAX_STEPS_PER_REPORT]
        limits += [total - run.step for total in (run.total_steps, budget.steps) if total is not None]
        limits += [change.after_step - run.step for change in self.wishes.pending[:1]]
        if self.wishes.steps is not None:
            limits.append(self.wishes.steps)
        limits.append(int(REPORT_S / 2 / self.step_s) if self.step_s else 1)
        return max(1, min(limits))

    def _phase(self) -> Generator[Item, None, None]:
        """One phase of the next step; the last one makes the step."""
        self.wishes.phases -= 1
        yield from self._reported()
        if self.phases is None:
            self.phases = PhaseStepper(self.run)
        stepper = self.phases
        if stepper.next_phase != "update":
            yield stepper.look()
        else:
            self.wishes.steps = 1
            yield from self._steps()
            if self.run.is_alive:
                yield stepper.updated()
            self.wishes.is_pausing = self.wishes.is_pausing and not self.wishes.phases
        if not self.wishes.phases:
            self.wishes.is_pausing = True

    def _pause(self) -> Generator[Item, None, None]:
        """Tell and keep all there is up to this step; whoever reads `Paused` stops pulling."""
        self.wishes.is_pausing = False
        yield from self._reported()
        self.run.remember()
        yield from self.keeper.saved()
        self.wishes.is_resting = True
        yield Paused(self.run.step)
        self.wishes.is_resting = False

    def _reported(self) -> Generator[Item, None, None]:
        """The steps since the last report."""
        if not self.rows:
            return
        run, rows = self.run, self.rows
        self.rows = []
        first = run.step - len(rows) + 1
        epoch = (run.step - 1) // run.steps_per_epoch + 1
        yield StepsDone(first, epoch, tuple(zip(*rows, strict=True)), run.learning_rates(), run.watch.read())
        self.last_report = time.perf_counter()

    def _notices(self) -> Generator[Item, None, None]:
        """Series that have just diverged while others go on."""
        for one in self.run.series:
            if one.died_at < 0 or one.index in self.known_dead:
                continue
            self.known_dead.add(one.index)
            yield from self.doctor.diverged(one, self.run.source.batch(one.repeat, one.died_at))
            if self.run.is_alive:
                name = self.run.experiment.series()[one.index]
                message = f"{name} diverged at step {one.died_at:,}; the others go on."
                yield Noticed("warning", "series-diverged", message, "Try a smaller learning rate for it.")

    def _upkeep(self, is_by_hand: bool) -> Generator[Item, None, None]:
        """What is done now and then, between reports: decision surfaces, a copy of the good state, checkpoints."""
        run, now = self.run, time.perf_counter()
        if run.is_plane and (is_by_hand or self.surface.is_due(now)):
            surfaces = run.surfaces()
            self.surface.spend(now, time.perf_counter() - now)
            self.surface.gap_s = SURFACE_S + SURFACE_SLOWER * run.watch.read()
            yield from surfaces
        yield from self.keeper.upkeep()

    def _changes(self) -> Generator[Item, None, None]:
        """Changes of the lanes that are due: asked for, prescribed by the experiment, or made before an interruption."""
        while self.wishes.has_due_change(self.run.step) and not self.wishes.is_stopped:
            change = self.wishes.pending.pop(0)
            self.phases = None
            yield from self._reported()
            self.is_changing = True
            yield from self._told(change.command)
            self.is_changing = False
            self.run.n_prescribed += change.is_prescribed
            self.keeper.forget()

    def _end(self) -> str | None:
        """Why the run is over, or None while it goes on."""
        budget, run = self.run.experiment.budget, self.run
        if self.wishes.is_stopped:
            return "stopped"
        if run.total_steps is not None and run.step >= run.total_steps:
            return "completed"
        if budget.seconds is not None and run.watch.read() >= budget.seconds:
            return "time"
        if run.has_reached_target:
            return "target"
        return "patience" if run.is_out_of_patience() else None

    def _ending(self, reason: str) -> Generator[Item, None, None]:
        run = self.run
        if run.is_plane:
            yield from run.surfaces()
        yield from self.keeper.saved()
        tested = None
        if reason != "stopped":
            tests = run.tested()
            while not self.wishes.is_stopped:
                try:
                    yield next(tests)
                except StopIteration as end:
                    tested = end.value
                    break
        losses, accuracies = tested or (None, None)
        yield Finished(reason, run.step, run.watch.read(), losses, accuracies)  # type: ignore[arg-type]


def diverged(run: LiveRun) -> Generator[Item, None, None]:
    """The end of a run whose losses are all no numbers any more: the last good state is kept."""
    good = run.last_good()
    yield good  # the newest one: a checkpoint of a later step may hold what led to the bad loss
    dead = min((one for one in run.series if one.died_at >= 0), key=lambda one: one.died_at)
    lr = dead.rate(dead.died_at)
    yield Failed(
        "diverged",
        f"The loss became infinite or NaN (not a number) at step {dead.died_at:,}, "
        f"with learning rate {lr:g}. The last good weights, after step {good.step:,}, are kept.",
        f"Try a learning rate of {lr / 10:g}, or standardised inputs, or a batch normalisation layer.",
        run.step,
    )
