"""Optimizers that do not go with the rest of an experiment are found, others are not, and each fix mends it."""

import pytest

from core.data.vision import MNIST
from core.experiment.check import MB, checkpoint_bytes, findings, training_bytes
from core.experiment.experiment import Experiment, Lane
from core.models.cost import activation_bytes, parameter_bytes
from core.models.model import infer
from core.optim.optimizers import AnyOptimizer
from core.optim.optimizers_adaptive import Rprop
from core.optim.optimizers_gradient import SGD, GradientDescent
from core.optim.optimizers_matrix import LBFGS, Muon
from core.optim.optimizers_moments import Adam, AdamW
from core.optim.schedules import StepDecay
from core.spec import choices
from tests.core.samples import linear, spiral, stack


def of(optimizer: object, **changes: object) -> Experiment:
    return spiral(lanes=(Lane(optimizer=SGD()), Lane(optimizer=optimizer)), **changes)  # type: ignore[arg-type]


def codes(experiment: Experiment) -> list[str]:
    return [finding.code for finding in findings(experiment)]


NORMALISED = stack(linear(8), "BatchNorm1d", "ReLU", linear(2))
SCALES = stack("BatchNorm1d", "PReLU")
FLAT = stack("Flatten", linear(10))


@pytest.mark.parametrize("cls", choices(AnyOptimizer))
def test_usual_settings_are_no_finding_and_a_rate_above_its_large_one_is_one_that_is_mended(cls):
    assert [finding for finding in findings(of(cls())) if finding.severity != "info"] == []
    assert "large-learning-rate" not in codes(of(cls(lr=cls.large_lr)))
    (found,) = [one for one in findings(of(cls(lr=cls.large_lr * 1.01))) if one.code == "large-learning-rate"]
    assert (found.severity, found.where) == ("warning", ("lanes", 1, "optimizer", "lr"))
    assert found.fix is not None
    assert found.fix.spec.lanes[1].optimizer == cls()
    assert found.fix.spec.lanes[0] == of(cls()).lanes[0]


FAULTS = [
    ("schedule-without-effect", "warning", lambda: spiral(lanes=(Lane(optimizer=Rprop(), schedule=StepDecay()),))),
    ("signs-of-noise", "info", lambda: of(Rprop())),
    ("muon-without-matrix", "warning", lambda: of(Muon(lr=0.05), model=SCALES)),
    ("whole-split-steps", "warning", lambda: of(GradientDescent(lr=0.5), data=MNIST(), model=FLAT)),
    ("whole-split-steps", "warning", lambda: of(LBFGS(), data=MNIST(), model=FLAT)),
    ("more-parts-than-examples", "warning", lambda: spiral(accumulation=16)),
    ("part-of-one", "error", lambda: spiral(model=NORMALISED, accumulation=4)),  # 3 + 3 + 3 + 1 of 10
    ("part-of-one", "error", lambda: spiral(model=NORMALISED, accumulation=10)),
    ("part-of-one", "error", lambda: spiral(model=NORMALISED, batch_size=30, accumulation=4)),  # 3 + 3 + 3 + 1 of the last 10
]


@pytest.mark.parametrize(("code", "severity", "make"), FAULTS)
def test_what_does_not_go_together_is_found_and_its_fix_mends_it(code, severity, make):
    (found,) = [finding for finding in findings(make()) if finding.code == code]
    assert found.severity == severity
    assert found.hint
    assert found.fix is not None
    mended = findings(found.fix.spec)
    assert code not in [finding.code for finding in mended]
    assert not [finding for finding in mended if finding.severity == "error"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: spiral(lanes=(Lane(optimizer=Adam(), schedule=StepDecay()),)),
        lambda: of(Rprop(), batch_size="full"),
        lambda: of(Muon()),
        lambda: of(LBFGS(), data=MNIST(n_examples=20_000), model=FLAT),
        lambda: of(SGD(), data=MNIST(), model=FLAT),
        lambda: spiral(accumulation=10),
        lambda: spiral(model=NORMALISED, accumulation=3),  # 4 + 4 + 2
        lambda: spiral(accumulation=4),
    ],
)
def test_what_goes_together_keeps_quiet(make):
    assert [code for code in codes(make()) if code in {code for code, _, _ in FAULTS}] == []


def test_the_fix_keeps_what_the_lane_had():
    found = next(one for one in findings(of(GradientDescent(lr=0.5, weight_decay=0.1), data=MNIST(), model=FLAT)) if one.fix)
    assert found.fix is not None
    assert found.fix.spec.lanes[1].optimizer == SGD(lr=0.5, weight_decay=0.1)
    found = next(one for one in findings(of(Muon(lr=0.05, beta1=0.5), model=SCALES)) if one.code == "muon-without-matrix")
    assert found.fix is not None
    assert found.fix.spec.lanes[1].optimizer == AdamW(lr=0.05, beta1=0.5)


def test_memory_counts_what_each_optimizer_keeps_and_the_examples_of_its_step():
    plain, wide = spiral(repeats=2), spiral(lanes=(Lane(optimizer=LBFGS(history_size=50)),), repeats=2)
    inference = infer(plain.model, (2,))
    numbers, activations = parameter_bytes(inference), activation_bytes(inference)
    assert training_bytes(plain) == 64 * MB + 2 * (14 * numbers + int(2.5 * 10 * activations))
    assert training_bytes(wide) == 64 * MB + 2 * (14 * numbers + 4 * 100 * numbers + int(2.5 * 100 * activations))
    assert checkpoint_bytes(plain) == 2 * 3 * numbers
    assert checkpoint_bytes(wide) == 2 * 103 * numbers
