"""The training doctor: looks at living series at little cost, and tells what ails them, with what one click can do."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import torch
from torch import nn

from core.events import (
    Diagnosed,
    EpochDone,
    Event,
    HyperChanged,
    LaneEpochDone,
    LaneStepsDone,
    OptimizerSwapped,
    StepsDone,
)
from core.experiment.apply import after_events
from core.experiment.experiment import Experiment
from core.training.batches import ResidentData
from core.training.executors.executor import Series
from core.training.health_case import Case, Epoch, Finding, guess_loss
from core.training.health_curves import EPOCH_RULES, RATE_RULES
from core.training.health_remedies import first, fresh_rate, scaled_inputs
from core.training.health_rules import LAYER_RULES, SUSPECT, Rule
from core.training.model_parts import Batch, Broken
from core.training.telemetry import Probe

SHARE, GAP_S = 0.006, 0.25
"""Of the time for looks at layers; again for asking the jury at the ends of epochs; and again for judging epochs, where these
are short. And the least time between two looks or hearings."""
CREDIT_S = 0.08
"""What may be spent at once, at the beginning and after a rest: what goes wrong mostly does so in the first steps."""
AT_ONCE_S = 0.02
"""One look takes as many series in turn as fit into this, and at least one."""
QUIET = 10
"""A finding about layers or the rate is over when its rule has been silent so often in a row; then it may be told again. One
about epochs is over with the next change by hand."""
Rules = Iterable[tuple[str, int, Rule]]


class Purse:
    """Seconds to spend: some at once, and a share of the time that passes. What is spent too much is waited for."""

    def __init__(self, share: float, gap_s: float) -> None:
        self._share, self._gap_s = share, gap_s
        self._left_s = CREDIT_S
        self._asked: float | None = None
        self._last = -math.inf

    def is_due(self, now: float) -> bool:
        """Whether something may be spent now."""
        if self._asked is not None:
            self._left_s = min(CREDIT_S, self._left_s + self._share * (now - self._asked))
        self._asked = now
        return self._left_s > 0 and now - self._last >= self._gap_s

    def spend(self, now: float, cost_s: float) -> None:
        """Take note that it happened at `now`, and what it cost."""
        self._left_s -= cost_s
        self._last = now


class Doctor:
    """Tells each finding once per series until it is over. Whoever runs the training loop calls it so:

        doctor = Doctor(experiment, run.series, run.data, run.loss)     # once; `run.series` may grow
        is_seen = doctor.is_due(time.perf_counter())
        if is_seen: doctor.before_step()                                 # then make exactly one step
        if is_seen: yield from doctor.after_step(run.step)
        yield from doctor.hear(event)                                    # for every event of the run, right after it
        yield from doctor.diverged(series, batch)                        # once a series has died, with the batch it died of

    It copies weights, and touches nothing of a live model: no gradients, no mode, no buffers, no random state.
    """

    def __init__(
        self, experiment: Experiment, series: Sequence[Series], data: ResidentData, loss: nn.Module, *, share: float = SHARE
    ) -> None:
        self.experiment = experiment
        self.series = series
        profile = experiment.data.profile()
        self._names = profile.class_names
        self._steps_per_epoch = math.ceil(len(data) / experiment.batch(len(data)))
        self._n_validation = max(1, profile.n_validation)
        targets = data.y
        self._guess = guess_loss(loss, targets, experiment.loss.n_outputs(profile.n_classes), profile.n_classes)
        counts = torch.bincount(targets) if profile.n_classes else None
        self._majority = counts.max().item() / len(targets) if counts is not None else math.nan
        self.probe = Probe(experiment, series[0].model, data, loss)
        self.looks = Purse(share, GAP_S)
        self.hearings = Purse(share, GAP_S)
        self.judgements = Purse(share, 0.0)
        self._cases: dict[int, Case] = {}
        self._streaks: dict[tuple[int, str], int] = {}
        self._silent: dict[tuple[int, str], int] = {}
        self._turns = {"look": 0, "hearing": 0}
        self._before: list[tuple[Series, dict[str, torch.Tensor]]] = []
        self._look_s = self._hearing_s = 0.0
        self._copy_s = 0.0

    def case(self, series: Series) -> Case:
        """What is known of a series."""
        if series.index not in self._cases:
            self._cases[series.index] = Case(
                self.experiment, series, self._guess, self._majority, self._n_validation, self._steps_per_epoch
            )
        known = self._cases[series.index]
        known.experiment, known.series = self.experiment, series
        return known

    def is_due(self, now: float) -> bool:
        """Whether the budget allows a look around the next step."""
        return self.looks.is_due(now)

    def before_step(self) -> None:
        """Keep the weights of those whose turn it is, so that the size of the next step is known."""
        start = time.perf_counter()
        taken = self._in_turn("look", self.series, self._look_s)
        self._before = [(one, self.probe.weights(one.model)) for one in taken]
        self._copy_s = time.perf_counter() - start

    def _in_turn(self, what: str, series: Sequence[Series], cost_s: float) -> list[Series]:
        """The next living ones, as many as fit into one look at what one has cost so far, and at least one."""
        alive = [one for one in series if one.is_alive]
        n = min(len(alive), max(1, int(AT_ONCE_S / cost_s))) if cost_s else min(1, len(alive))
        first = self._turns[what]
        self._turns[what] += n
        return [alive[(first + i) % len(alive)] for i in range(n)]

    def after_step(self, step: int) -> tuple[Diagnosed, ...]:
        """Look at them after that one step."""
        start = time.perf_counter()
        told: list[Diagnosed] = []
        seen = [(one, before) for one, before in self._before if one.is_alive]
        self._before = []
        for one, before in seen:
            case = self.case(one)
            case.take(self.probe.vitals(one.model, step, before))
            is_suspect = any(layer.dead_share >= SUSPECT for layer in case.vitals.layers)
            case.dead_shares = self.probe.dead_shares(one.model) if is_suspect else {}
            told += self._told(case, step, (*LAYER_RULES, *RATE_RULES))
        end = time.perf_counter()
        if seen:
            self._look_s = (end - start) / len(seen)
        self.looks.spend(end, end - start + self._copy_s)
        return tuple(told)

    def hear(self, event: Event) -> tuple[Diagnosed, ...]:
        """What an event of the run says of its series; events that say nothing are let pass."""
        match event:
            case StepsDone() | LaneStepsDone():
                for one, losses in zip(self._of(event), event.losses, strict=False):
                    self.case(one).curve.add(losses)
            case EpochDone() | LaneEpochDone():
                return self._epoch(event)
            case HyperChanged() | OptimizerSwapped():
                for one in self._of_lane(event.lane):
                    self.case(one).forget()
                    self._streaks = {key: n for key, n in self._streaks.items() if key[0] != one.index}
        self.experiment = after_events(self.experiment, [event])
        return ()

    def diverged(self, series: Series, batch: Batch) -> tuple[Diagnosed, ...]:
        """Where the first number that is not finite comes up, when a series runs on the batch it died of."""
        broken = self.probe.first_broken(series.model, batch)
        case = self.case(series)
        if broken is None or "not-finite" in case.open:
            return ()
        case.open.add("not-finite")
        return (self._event(case, series.died_at, "not-finite", _broken_words(case, broken)),)

    def _of(self, event: StepsDone | EpochDone | LaneStepsDone | LaneEpochDone) -> Sequence[Series]:
        """The series whose figures an event has, in its order."""
        return self._of_lane(event.lane) if isinstance(event, LaneStepsDone | LaneEpochDone) else self.series

    def _of_lane(self, lane: int) -> list[Series]:
        return [one for one in self.series if one.lane_index == lane]

    def _epoch(self, event: EpochDone | LaneEpochDone) -> tuple[Diagnosed, ...]:
        start = time.perf_counter()
        told: list[Diagnosed] = []
        is_heard = bool(self._names) and self.hearings.is_due(start)
        jury = self._in_turn("hearing", self._of(event), self._hearing_s) if is_heard else []
        is_judged = is_heard or self.judgements.is_due(start)
        rows = zip(event.train_loss, event.train_accuracy, event.validation_loss, event.validation_accuracy, strict=True)
        for one, row in zip(self._of(event), rows, strict=False):
            if one.is_alive and all(math.isfinite(loss) for loss in (row[0], row[2])):
                case = self.case(one)
                unheard, only = self._votes(one) if one in jury else ((), "")
                case.take_epoch(Epoch(event.epoch, *row, one in jury, unheard, only))
                if is_judged:
                    n = event.epoch - case.judged_epoch if case.judged_epoch else 1
                    told += self._told(case, event.step, EPOCH_RULES, n)
                    case.judged_epoch = event.epoch
        if jury:
            end = time.perf_counter()
            self._hearing_s = (end - start) / len(jury)
            self.hearings.spend(end, end - start)
        if is_judged:
            end = time.perf_counter()
            self.judgements.spend(end, end - start)
        return tuple(told)

    def _votes(self, series: Series) -> tuple[tuple[str, ...], str]:
        """Names of classes that ten examples of the jury have and none is given, and the one that all are given."""
        said, right = self.probe.votes(series.model)
        given = torch.bincount(said, minlength=len(self._names))
        there = torch.bincount(right, minlength=len(self._names))
        unheard = tuple(self._names[i] for i in ((given == 0) & (there >= 10)).nonzero()[:, 0].tolist())
        only = self._names[int(given.argmax())] if int(given.max()) == len(said) and int(there.max()) < len(right) else ""
        return unheard, only

    def _told(self, case: Case, step: int, rules: Rules, n: int = 1) -> Iterator[Diagnosed]:
        """What of these rules is told now: found often enough in a row, and not told already. It speaks for `n` times."""
        for code, patience, rule in rules:
            key = (case.series.index, code)
            finding = rule(case)
            if finding is None:
                self._streaks[key] = 0
                self._silent[key] = self._silent.get(key, 0) + 1
                if self._silent[key] >= QUIET and rules is not EPOCH_RULES:
                    case.open.discard(code)
                continue
            self._streaks[key] = self._streaks.get(key, 0) + n
            self._silent[key] = 0
            if self._streaks[key] >= patience and code not in case.open:
                case.open.add(code)
                case.told.add(code)
                yield self._event(case, step, code, finding)

    def _event(self, case: Case, step: int, code: str, finding: Finding) -> Diagnosed:
        remedy = finding.remedy()
        return Diagnosed(
            step,
            case.series.index,
            code,
            finding.severity,
            finding.message,
            finding.hint,
            finding.layer,
            remedy.action,
            remedy.command,
            remedy.experiment,
        )


def _broken_words(case: Case, broken: Broken) -> Finding:
    """A place where numbers stop being finite, in words."""
    remedy = partial(first, partial(scaled_inputs, case.experiment), partial(fresh_rate, case.experiment, case.lane, 0.1))
    at = f" after step {case.series.died_at - 1:,}" if case.series.died_at > 0 else ""
    largest = f"; the largest number that reaches it is {broken.largest:.3g}"
    words = {
        "input": "The inputs hold numbers that are not finite",
        "weights": f"Weights of {broken.name} are not finite any more{at}: the step before was too large",
        "output": f"The first numbers that are not finite come out of {broken.name}{largest}",
        "gradient": f"The first gradient that is not finite comes out of the backward pass of {broken.name}",
        "loss": f"All layers give finite numbers, up to {broken.largest:.3g}, but their loss is not finite",
    }
    hint = "Take a smaller learning rate, bring the inputs to one scale, or clip the gradient."
    if broken.what == "input":
        return Finding("error", words["input"] + ".", "Look for gaps and infinite numbers in the data.")
    return Finding("error", words[broken.what] + ".", hint, broken.name, remedy)
