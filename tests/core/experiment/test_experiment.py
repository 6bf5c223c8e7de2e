"""The experiment as link, file and checked whole."""

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.menu import AnyDataset
from core.data.rendered import Digits
from core.errors import SpecError
from core.experiment.check import checked, findings
from core.experiment.codec import LINK_PREFIX, file_text, from_file_text, from_link_text, link_text
from core.experiment.examples import EXAMPLES, default_experiment
from core.experiment.experiment import Budget, Experiment, Lane
from core.optim.optimizers import AnyOptimizer
from core.spec import choices
from tests.core.samples import linear, optimizer_like, spiral, stack


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_every_ready_experiment_is_without_a_warning_and_survives_link_and_file(example):
    experiment = example.make()
    assert [finding for finding in findings(experiment) if finding.severity != "info"] == []
    assert from_link_text(link_text(experiment)) == experiment
    assert from_file_text(file_text(experiment)) == experiment


@given(
    data=st.sampled_from([cls() for cls in choices(AnyDataset) if cls.is_ready_made]),
    optimizer=st.sampled_from([cls() for cls in choices(AnyOptimizer)]),
    seed=st.integers(0, 2**31 - 1),
    batch_size=st.one_of(st.just("full"), st.integers(1, 8192)),
)
def test_any_experiment_survives_its_link(data, optimizer, seed, batch_size):
    experiment = spiral(data=data, lanes=(Lane(optimizer=optimizer),), seed=seed, batch_size=batch_size)
    assert from_link_text(link_text(experiment)) == experiment


def packed(plain):
    return LINK_PREFIX + base64.urlsafe_b64encode(zlib.compress(plain)).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        LINK_PREFIX,
        LINK_PREFIX + "!!!!",
        LINK_PREFIX + "äöü",
        link_text(default_experiment())[:-9],
        packed(b"{}"),
        packed(b"not json"),
        packed(b" " * 50_000_000),
        packed(file_text(default_experiment()).replace('"version": 1', '"version": 2').encode()),
        packed(file_text(default_experiment()).replace("0.003", "1e999").encode()),
        LINK_PREFIX + "A" * 9000,
    ],
)
def test_a_bad_link_is_refused_in_words(text):
    with pytest.raises(SpecError) as refusal:
        from_link_text(text)
    assert refusal.value.message
    assert refusal.value.hint


def test_a_batch_larger_than_the_data_is_found_and_mended():
    found = findings(spiral(batch_size=5000))
    assert [finding.code for finding in found] == ["batch-larger-than-data"]
    assert findings(found[0].fix.spec) == ()


def test_a_batch_of_one_before_batch_normalisation_is_found_and_mended():
    model = stack(linear(8), "BatchNorm1d", "ReLU", linear(2))
    found = [finding for finding in findings(spiral(model=model, batch_size=3)) if finding.code == "batch-of-one"]  # 33 * 3 + 1
    assert found[0].severity == "error"
    for fine in (found[0].fix.spec, spiral(model=model, batch_size=4)):
        assert all(finding.code != "batch-of-one" for finding in findings(fine))


def test_a_run_that_would_not_fit_into_a_workers_memory_is_refused_with_both_numbers():
    wide = ("Conv2d", {"out_channels": 1024, "padding": 1})
    model = stack(wide, "ReLU", wide, "ReLU", "Flatten", linear(10))
    found = findings(spiral(data=Digits(), model=model, batch_size="full"))
    assert "too-much-memory" in [finding.code for finding in found]
    assert all(finding.code != "too-much-memory" for finding in findings(spiral(data=Digits(), model=model, batch_size=8)))


def test_a_very_large_learning_rate_is_a_warning_with_the_usual_one_as_fix():
    found = findings(spiral("adam", lr=1.0))
    assert [(finding.code, finding.severity) for finding in found] == [("large-learning-rate", "warning")]
    assert found[0].fix.spec.lanes[0].optimizer.lr == 0.001
    assert findings(spiral("sgd", lr=0.5)) == ()


def test_findings_of_the_model_carry_a_changed_experiment():
    broken = Experiment(data=Digits(), model=stack(("Conv2d", {"out_channels": 4}), linear(10)), lanes=spiral().lanes)
    found = findings(broken)
    assert found[0].code == "shape-mismatch"
    assert not any(finding.code == "shape-mismatch" for finding in findings(found[0].fix.spec))
    with pytest.raises(SpecError, match="Conv2d"):
        checked(broken)


def test_a_budget_needs_an_end():
    with pytest.raises(SpecError, match="needs an end"):
        Budget().but(epochs=None)


def test_a_hyperparameter_is_changed_by_lane_and_name():
    assert spiral().with_hyper(0, "lr", 0.5).lanes[0].optimizer.lr == 0.5
    for lane, name, value in ((1, "lr", 0.1), (0, "rl", 0.1), (0, "lr", -1.0), (0, "kind", 1.0), (0, "lr", float("nan"))):
        with pytest.raises(SpecError):
            spiral().with_hyper(lane, name, value)


def test_series_are_lane_major():
    lanes = (Lane(optimizer=optimizer_like("sgd")), Lane(optimizer=optimizer_like("adam"), name="A"))
    assert spiral(lanes=lanes, repeats=2).series() == ("SGD, lr 0.1, seed 1", "SGD, lr 0.1, seed 2", "A, seed 1", "A, seed 2")


def test_momentum_is_not_switched_on_within_a_run():
    with pytest.raises(SpecError, match="Momentum"):
        spiral("rmsprop").with_hyper(0, "momentum", 0.5)
    moving = spiral("sgd").but(lanes=(Lane(optimizer=optimizer_like("sgd").but(momentum=0.9)),))
    assert moving.with_hyper(0, "momentum", 0.5).lanes[0].optimizer.momentum == 0.5


def test_many_small_series_fit_and_a_checkpoint_too_large_for_its_file_is_found():
    lanes = tuple(Lane(optimizer=optimizer_like("adam"), name=str(i)) for i in range(8))
    assert findings(spiral(lanes=lanes, repeats=16)) == ()
    wide = spiral(model=stack(linear(6700), "ReLU", linear(6700), "ReLU", linear(2)))
    assert "checkpoint-too-large" in [finding.code for finding in findings(wide)]
