"""What a fork takes over, told from two experiments; which layers stay frozen; what an experiment says of its beginning."""

import itertools
import json

import pytest

from core.data.rendered import Digits
from core.data.toy import GaussRegression, Spiral
from core.experiment.adapt import with_data
from core.experiment.alignment import aligned
from core.experiment.check import checkpoint_bytes, findings, training_bytes
from core.experiment.check_frozen import trained_inference
from core.experiment.check_origin import origin_findings, taken_layers
from core.experiment.codec import file_text, from_file_text, from_link_text, link_text
from core.experiment.experiment import Lane
from core.experiment.fairness import fairness
from core.experiment.origin import Origin
from core.experiment.refit import with_model
from core.models.model import infer
from core.optim.optimizers import SGD, Adam
from tests.core.samples import linear, spiral, stack

ORIGIN = Origin(run="0123456789abcdef", name="best-000000030.safetensors", sha256="0" * 64, step=30)
DROPOUT = ("Dropout", {"p": 0.2})
BASE = spiral(model=stack(linear(6), "Tanh", linear(6), DROPOUT, linear(2)))
FORK = BASE.but(origin=ORIGIN, frozen=(0, 3))
CONV = stack(("Conv2d", {"out_channels": 4}), "BatchNorm2d", "ReLU", "Flatten", linear(10))


def codes(found):
    return [one.code for one in found]


def longest_common(ours, theirs):
    """Brute force: how many items both have in one order."""
    subsets = (c for n in range(len(ours), -1, -1) for c in itertools.combinations(ours, n))
    return len(next(c for c in subsets if any(c == d for d in itertools.combinations(theirs, len(c)))))


@pytest.mark.parametrize(("ours", "theirs"), [("abcab", "bcb"), ("aaa", "aa"), ("abc", "cba"), ("", "a"), ("abxcd", "abcd")])
def test_an_alignment_is_a_longest_common_subsequence(ours, theirs):
    pairs = aligned(ours, theirs)
    assert all(ours[i] == theirs[j] for i, j in pairs.items())
    assert list(pairs) == sorted(pairs)
    assert list(pairs.values()) == sorted(pairs.values())
    assert len(pairs) == longest_common(ours, theirs)


def test_of_equal_ways_an_alignment_leaves_most_in_place():
    assert aligned("aaa", "aa") == {0: 0, 1: 1}
    assert aligned("ba", "aa") == {1: 1}


def test_origin_and_frozen_layers_survive_link_and_file_and_are_not_needed():
    assert from_link_text(link_text(FORK)) == from_file_text(file_text(FORK)) == FORK
    old = BASE.model_dump(mode="json")
    del old["origin"], old["frozen"]
    assert from_file_text(json.dumps(old)) == BASE


@pytest.mark.parametrize(
    ("model", "kept"),
    [
        (BASE.model, {0: 0, 2: 2, 4: 4}),
        (stack(linear(6), "LayerNorm", "Tanh", linear(6), DROPOUT, linear(2)), {0: 0, 3: 2, 5: 4}),
        (stack(linear(7), "Tanh", linear(6), DROPOUT, linear(2)), {4: 4}),
        (stack(linear(6), "Tanh", linear(2)), {0: 0, 2: 4}),
    ],
)
def test_layers_that_fit_are_told_before_training(model, kept):
    assert taken_layers(BASE.but(model=model), BASE).kept == kept


def test_what_cannot_be_forked_is_said_with_a_way_out():
    other = spiral(data=Digits(), model=CONV, batch_size=64, origin=ORIGIN)
    assert codes(origin_findings(other, BASE)) == ["origin-of-another-model"]
    warm = FORK.but(origin=ORIGIN.but(optimizer_state=True), frozen=())
    assert origin_findings(warm, BASE) == []
    for changed in (
        warm.but(lanes=(Lane(optimizer=SGD(momentum=0.9)),)),
        warm.but(lanes=(Lane(optimizer=Adam(amsgrad=True)),)),
        warm.but(frozen=(0,)),
        warm.but(model=stack(linear(6), "Tanh", linear(2))),
    ):
        found = origin_findings(changed, BASE)
        assert codes(found) == ["optimizer-state-of-another"]
        assert origin_findings(found[0].fix.spec, BASE) == []
    assert origin_findings(warm.but(lanes=(Lane(optimizer=Adam(lr=0.5)),)), BASE) == []
    assert codes(origin_findings(FORK.but(origin=ORIGIN.but(series=1)), BASE)) == ["origin-without-series"]


def test_frozen_layers_are_checked_each_with_a_fix_that_mends_it():
    missing = BASE.but(frozen=(0, 9))
    nothing = BASE.but(frozen=(0, 2, 4), origin=ORIGIN)
    random = BASE.but(frozen=(0,))
    for experiment, code in ((missing, "frozen-layer-missing"), (nothing, "nothing-to-train"), (random, "frozen-at-random")):
        found = next(one for one in findings(experiment) if one.code == code)
        assert found.severity == ("info" if code == "frozen-at-random" else "error")
        assert code not in codes(findings(found.fix.spec))
    assert "frozen-at-random" not in codes(findings(FORK))


def test_a_frozen_batch_normalisation_takes_a_batch_of_one():
    one = spiral(model=stack(linear(4), "BatchNorm1d", linear(2)), batch_size=1)
    assert "batch-of-one" in codes(findings(one))
    assert "batch-of-one" not in codes(findings(one.but(frozen=(1,))))


def test_frozen_parameters_are_counted_apart_and_take_less_memory():
    plain, frozen = infer(BASE.model, (2,)), trained_inference(FORK)
    assert frozen.n_parameters + frozen.n_frozen == plain.n_parameters
    assert frozen.n_frozen == 2 * 6 + 6
    assert training_bytes(FORK) < training_bytes(BASE)
    assert checkpoint_bytes(FORK) < checkpoint_bytes(BASE)


@pytest.mark.parametrize(
    ("layers", "frozen"),
    [
        ((linear(6), "Tanh", "LayerNorm", linear(6), DROPOUT, linear(2)), (0, 4)),
        (("LayerNorm", linear(6), "Tanh", linear(6), DROPOUT, linear(2)), (1, 4)),
        (("Tanh", linear(6), linear(2)), (1,)),
        ((linear(7), "Tanh", linear(6), DROPOUT, linear(2)), ()),
        ((linear(6), "Tanh", linear(6), linear(2)), (0,)),
    ],
    ids=["a layer between", "a layer before", "of two alike the second gone", "another width", "dropout gone"],
)
def test_frozen_layers_follow_the_stack_and_the_origin_stays(layers, frozen):
    changed = with_model(FORK, stack(*layers))
    assert changed.frozen == frozen
    assert changed.origin == ORIGIN


def test_other_data_keep_of_the_beginning_what_fits_and_say_what_goes():
    same = with_data(FORK, Spiral(n_points=300))
    assert (same.experiment.origin, same.experiment.frozen, same.notes) == (ORIGIN, (0, 3), ())
    warm = FORK.but(origin=ORIGIN.but(optimizer_state=True), frozen=(0, 4))
    number = with_data(warm, GaussRegression())
    assert number.experiment.origin == ORIGIN
    assert number.experiment.frozen == (0,)
    assert [any(words in note for note in number.notes) for words in ("without optimizer state", "not frozen")] == [True, True]
    digits = with_data(FORK, Digits())
    assert digits.experiment.origin is None
    assert any("no longer starts from the other run" in note for note in digits.notes)


def test_the_fairness_strip_names_the_common_start_and_the_frozen_layers():
    said = [one.template.format(**one.params) for one in fairness(FORK.but(origin=ORIGIN.but(optimizer_state=True))).equal]
    assert "Initial weights: for all lanes and seeds those of run 012345 after step 30." in said
    assert "Optimizer state: for all lanes and seeds that of the same checkpoint." in said
    assert "Frozen layers: the same in every lane (1 Linear, 4 Dropout)." in said
