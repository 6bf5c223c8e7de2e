"""Where a fork begins: which layers it takes over, of which series, and what it does when something is gone."""

import pytest
import torch

from core.data.rendered import Digits
from core.data.toy import Circle
from core.errors import MissingData, SpecError, StoreError
from core.events import AddLane, Artifact, EpochDone, LaneAdded, Noticed, Planned, StepsDone
from core.experiment.experiment import Budget, Lane
from core.experiment.origin import Origin
from core.optim.optimizers import SGD, Adam, AdamW
from core.optim.regularizers import WeightAverage
from core.optim.schedules import Plateau
from core.settings import Settings
from core.training.beginnings import taken_weights
from core.training.checkpoints import load_state, load_weights
from core.training.loop import train
from core.training.lr_finder import range_test
from tests.core.samples import linear, spiral, stack

QUIET = Settings(checkpoint_s=1e9)
ORIGIN = Origin(run="0123456789abcdef", name="step-000000030.safetensors", sha256="0" * 64, step=30)
WITH_STATE = ORIGIN.but(optimizer_state=True)
TRAINED = spiral(model=stack(linear(6), "Tanh", linear(6), "Tanh", linear(2)), steps=30)


def told(experiment, **more):
    return list(train(experiment, settings=QUIET, **more))


def kept(items):
    """Checkpoints by step."""
    return {item.step: item.data for item in items if isinstance(item, Artifact)}


def losses(items, series=0):
    return [loss for item in items if isinstance(item, StepsDone) for loss in item.losses[series]]


def words(items):
    return next(item.message for item in items if isinstance(item, Noticed) and item.code == "origin")


@pytest.fixture(scope="module")
def source():
    return kept(told(TRAINED))[30]


def test_every_lane_and_seed_starts_from_the_weights_of_the_origin_and_the_run_says_so(source):
    items = told(TRAINED.but(origin=ORIGIN, lanes=(*TRAINED.lanes, Lane(optimizer=SGD())), repeats=2), origin=source)
    first, wanted = load_state(kept(items)[0]), load_weights(source)[0]
    assert len(first.models) == 4
    assert all(torch.equal(model[key], wanted[key]) for model in first.models for key in wanted)
    assert words(items) == "This run starts from run 012345 after step 30: all layers with weights."


def test_of_a_race_the_series_that_was_asked_for_is_taken():
    race = kept(told(TRAINED.but(lanes=(*TRAINED.lanes, Lane(optimizer=SGD(lr=0.3))), repeats=2)))[30]
    items = told(TRAINED.but(origin=ORIGIN.but(series=3)), origin=race)
    assert torch.equal(load_weights(kept(items)[0])[0]["0.weight"], load_weights(race, 3)[0]["0.weight"])
    with pytest.raises(StoreError, match="has no series 9"):
        told(TRAINED.but(origin=ORIGIN.but(series=9)), origin=race)


def test_averaged_weights_are_taken_but_with_optimizer_state_those_that_were_trained():
    averaging = Lane(optimizer=Adam(lr=0.01), regularizers=(WeightAverage(),))
    source = kept(told(TRAINED.but(lanes=(averaging,))))[30]
    state = load_state(source)
    plain = load_state(kept(told(TRAINED.but(origin=ORIGIN), origin=source))[0])
    warm = load_state(kept(told(TRAINED.but(origin=WITH_STATE, lanes=(averaging,)), origin=source))[0])
    assert torch.equal(plain.models[0]["2.weight"], state.averages[0]["2.weight"])
    assert torch.equal(warm.models[0]["2.weight"], state.models[0]["2.weight"])
    assert torch.equal(warm.averages[0]["2.weight"], state.averages[0]["2.weight"])


@pytest.mark.parametrize(
    ("model", "taken", "expected"),
    [
        (stack(linear(6), ("Dropout", {"p": 0.1}), "Tanh", linear(6), "Tanh", linear(2)), {0: 0, 3: 2, 5: 4}, "all layers"),
        (stack(linear(6), "Tanh", linear(2)), {0: 0, 2: 4}, "all layers"),
        (stack(linear(6), "Tanh", linear(9), "Tanh", linear(2)), {0: 0}, "1 Linear (taken over); 3 Linear, 5 Linear (fresh"),
    ],
    ids=["a layer came between", "a layer less", "one is wider"],
)
def test_layers_that_were_moved_are_found_and_changed_ones_start_fresh(source, model, taken, expected):
    experiment = TRAINED.but(model=model, budget=Budget(epochs=None, steps=1))
    items, fresh = told(experiment.but(origin=ORIGIN), origin=source), load_weights(kept(told(experiment))[0])[0]
    first, wanted = load_weights(kept(items)[0])[0], load_weights(source)[0]
    for name, tensor in first.items():
        index, _, leaf = name.partition(".")
        there = taken.get(int(index))
        assert torch.equal(tensor, fresh[name] if there is None else wanted[f"{there}.{leaf}"]), name
    assert expected in words(items)


def test_the_head_for_other_classes_starts_fresh_and_other_data_of_equal_shape_take_all(source):
    items = told(TRAINED.but(origin=ORIGIN, data=Circle(n_points=200)), origin=source)
    assert "all layers" in words(items)
    with pytest.raises(SpecError, match="Nothing of the checkpoint of run 012345 after step 30 fits this model"):
        told(spiral(data=Digits(), model=stack("Flatten", linear(10)), origin=ORIGIN, batch_size=64), origin=source)


def test_a_layer_is_taken_whole_or_not_at_all():
    ours = {"0.weight": (8, 2), "0.bias": (8,), "1.weight": (8,), "1.bias": (8,), "1.num_batches_tracked": ()}
    theirs = {"0.weight": (8, 3), "0.bias": (8,), "1.weight": (8,), "1.bias": (8,)}
    assert taken_weights(ours, theirs) == {"1.weight": "1.weight", "1.bias": "1.bias"}
    assert taken_weights({"10.weight": (2,), "2.weight": (3,)}, {"0.weight": (3,), "1.weight": (2,)}) == {
        "2.weight": "0.weight",
        "10.weight": "1.weight",
    }


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"lanes": (Lane(optimizer=SGD(momentum=0.9)),)}, "state of Adam, which"),
        ({"lanes": (Lane(optimizer=Adam(amsgrad=True)),)}, "keeps other numbers"),
        ({"model": stack(linear(6), "Tanh", linear(2))}, "belongs to all weights of its run"),
        ({"frozen": (0,)}, "belongs to the layers that its run trained"),
    ],
)
def test_optimizer_state_that_does_not_fit_is_refused_in_words(source, changes, why):
    with pytest.raises(SpecError, match=why) as refused:
        told(TRAINED.but(origin=WITH_STATE, **changes), origin=source)
    assert refused.value.hint == "Start without optimizer state."


def test_optimizer_state_is_taken_by_stacked_networks_too(source):
    items = told(TRAINED.but(origin=WITH_STATE, repeats=2), origin=source)
    assert "2 networks as one" in next(item.reason for item in items if isinstance(item, Planned))
    ours, theirs = load_state(kept(items)[0]), load_state(source)
    for state in ours.optimizers:
        assert float(state["state"][0]["step"]) == 30
        assert torch.equal(state["state"][3]["exp_avg"].cpu(), theirs.optimizers[0]["state"][3]["exp_avg"])


def test_what_a_plateau_has_come_to_goes_on_with_the_state_on_the_same_data_alone():
    lane = Lane(optimizer=AdamW(lr=0.01), schedule=Plateau(patience=1))
    experiment = TRAINED.but(lanes=(lane,), budget=Budget(epochs=3))
    source = kept(told(experiment))[max(kept(told(experiment)))]
    known = load_state(source).memories[0]
    begun = [
        load_state(kept(told(one, origin=source))[0]).memories[0]
        for one in (experiment.but(origin=WITH_STATE), experiment.but(origin=ORIGIN), experiment.but(origin=WITH_STATE, seed=1))
    ]
    assert begun[0] == (known[0], 0, *known[2:])
    assert begun[1][0] is begun[2][0] is None


def test_a_killed_fork_goes_on_from_its_own_checkpoint_bit_for_bit_also_when_the_origin_is_gone(source):
    fork = TRAINED.but(origin=WITH_STATE, budget=Budget(epochs=4))
    half = kept(told(fork.but(budget=Budget(epochs=2)), origin=source))
    last = half[max(half)]
    whole = told(fork, origin=source)
    resumed = told(fork, resume=last)
    assert losses(resumed) == losses(whole)[len(losses(whole)) - len(losses(resumed)) :]
    assert not any(isinstance(item, Noticed) and item.code == "origin" for item in resumed)
    assert [item for item in resumed if isinstance(item, EpochDone)][-1].validation_loss == [
        item for item in whole if isinstance(item, EpochDone)
    ][-1].validation_loss


def test_without_its_checkpoint_a_fork_does_not_begin():
    with pytest.raises(MissingData, match="The checkpoint of run 012345 after step 30, from which this run starts"):
        told(TRAINED.but(origin=ORIGIN))
    with pytest.raises(MissingData):
        range_test(TRAINED.but(origin=ORIGIN))


def test_a_lane_that_joins_a_fork_starts_where_the_others_did_and_is_refused_where_that_is_gone(source):
    twin = AddLane(TRAINED.lanes[0].model_dump_json())

    def joined(**more):
        return told(TRAINED.but(origin=WITH_STATE), replay=[(10, twin)], **more)

    items = joined(origin=source)
    assert any(isinstance(item, LaneAdded) for item in items)
    last = load_state(kept(items)[30])
    assert torch.allclose(last.models[0]["0.weight"], last.models[1]["0.weight"], atol=1e-6)
    early = kept(told(TRAINED.but(origin=WITH_STATE), origin=source))[0]
    lost = joined(resume=early)
    assert not any(isinstance(item, LaneAdded) for item in lost)
    assert any(isinstance(item, Noticed) and "is gone: no lane can start from it" in item.message for item in lost)


def test_the_range_test_of_a_fork_begins_at_its_origin(source):
    far = range_test(TRAINED.but(origin=ORIGIN), steps=81, origin=source)
    fresh = range_test(TRAINED, steps=81)
    assert far.losses[0] < fresh.losses[0]
