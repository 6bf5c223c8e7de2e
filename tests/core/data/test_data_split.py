"""Splits are disjoint, complete and stratified as scikit-learn stratifies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.model_selection import train_test_split

from core.data.dataset import DatasetChoice
from core.data.split import cut, split_sizes, strata, stratified_order
from core.data.toy import Spiral
from core.data.vision import MNIST
from core.errors import SpecError
from core.spec import parse_json

LABELS = st.lists(st.integers(0, 5), min_size=1, max_size=200).map(np.array)


@given(LABELS, st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_an_order_holds_every_position_once(y, seed):
    assert sorted(stratified_order(y, np.random.default_rng(seed)).tolist()) == list(range(len(y)))


@given(LABELS, st.integers(0, 9), st.data())
@settings(max_examples=60, deadline=None)
def test_every_cut_holds_each_class_in_proportion(y, seed, data):
    start, stop = sorted(data.draw(st.integers(0, len(y))) for _ in range(2))
    part = y[stratified_order(y, np.random.default_rng(seed))[start:stop]]
    for label in np.unique(y):
        assert abs(np.sum(part == label) - len(part) * np.mean(y == label)) <= 2 + len(np.unique(y)) / 2


@pytest.mark.parametrize("shares", [(0.7, 0.15), (0.5, 0.25), (0.6, 0.2)])
def test_class_counts_equal_scikit_learns_stratified_split_to_one_example(shares):
    rng = np.random.default_rng(0)
    y = rng.choice(4, 1000, p=[0.5, 0.3, 0.15, 0.05])
    x = np.arange(1000)
    sizes = split_sizes(1000, *shares)
    train, validation, test = cut(x, y, sizes, seed=0)
    sk_train, sk_rest = train_test_split(y, train_size=sizes[0], stratify=y, random_state=0)
    sk_validation, sk_test = train_test_split(sk_rest, train_size=sizes[1], stratify=sk_rest, random_state=0)
    for ours, theirs in ((train.y, sk_train), (validation.y, sk_validation), (test.y, sk_test)):
        assert np.abs(np.bincount(ours, minlength=4) - np.bincount(theirs, minlength=4)).max() <= 1


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=200).map(lambda y: np.array(y, np.float32)))
@settings(max_examples=60, deadline=None)
def test_numbers_are_sorted_into_tenths_of_equal_size(y):
    groups = strata(y)
    counts = np.bincount(groups, minlength=10)
    assert counts.max() - counts.min() <= 1
    for lower, upper in zip(range(9), range(1, 10), strict=True):
        if counts[lower] and counts[upper]:
            assert y[groups == lower].max() <= y[groups == upper].min()


def test_splits_of_numbers_have_the_same_distribution():
    y = np.random.default_rng(0).lognormal(size=400).astype(np.float32)
    for seed in range(5):
        parts = cut(np.arange(400), y, (280, 60, 60), seed)
        assert sorted(np.concatenate([part.x for part in parts]).tolist()) == list(range(400))
        for part in parts:
            np.testing.assert_array_equal(part.y, y[part.x])
            for tenth in range(1, 10):
                assert np.mean(part.y <= np.quantile(y, tenth / 10)) == pytest.approx(tenth / 10, abs=0.04)


def test_evidence_stays_with_its_example():
    y = np.random.default_rng(1).integers(0, 3, 60)
    evidence = (np.arange(60)[:, None] >> np.arange(6) & 1).astype(bool)
    for part in cut(np.arange(60), y, (40, 10, 10), 3, evidence):
        np.testing.assert_array_equal(part.evidence @ (1 << np.arange(6)), part.x)


def test_splits_are_disjoint_and_complete_and_keep_examples_with_their_labels():
    y = np.random.default_rng(1).integers(0, 3, 500)
    parts = cut(np.arange(500), y, (350, 75, 75), seed=3)
    assert sorted(np.concatenate([part.x for part in parts]).tolist()) == list(range(500))
    for part in parts:
        np.testing.assert_array_equal(part.y, y[part.x])


def test_within_a_class_the_order_is_random_and_moves_with_the_seed():
    y = np.repeat([0, 1], 100)
    first, again, other = (cut(np.arange(200), y, (100, 50, 50), seed)[0].x for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)
    zeros = first[first < 100]
    assert not np.array_equal(zeros, np.sort(zeros))
    assert 30 < zeros.mean() < 70


@given(st.integers(20, 60_000), st.integers(2, 18), st.integers(1, 9))
@settings(max_examples=300, deadline=None)
def test_no_split_is_ever_empty(n, train, validation):
    if train + validation <= 19:
        sizes = split_sizes(n, train / 20, validation / 20)
        assert sum(sizes) == n
        assert min(sizes) >= 1


def test_shares_that_leave_no_test_split_are_refused_with_both_numbers():
    with pytest.raises(SpecError, match=r"validation_share: .*1\.05.*at most 0\.95"):
        Spiral().but(train_share=0.9, validation_share=0.15)
    with pytest.raises(SpecError, match=r"at most 0\.95"):
        parse_json(Spiral, '{"train_share": 0.9}')
    with pytest.raises(ValidationError):
        DatasetChoice(kind="any", train_share=0.9)
    assert Spiral(train_share=0.9, validation_share=0.05).profile().n_test == 25


def test_mnist_has_its_own_test_split_so_its_shares_may_use_all_the_rest():
    profile = MNIST(train_share=0.55, validation_share=0.45).profile()
    assert (profile.n_train, profile.n_validation, profile.n_test) == (33_000, 27_000, 10_000)
    with pytest.raises(SpecError, match=r"at most 1\.00"):
        MNIST().but(validation_share=0.15)
