"""Folds are those of scikit-learn, and what is learned for a preparation is learned from the training part of a fold."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold, StratifiedKFold

from core.data.dataset import DataProfile, Split, unprepared
from core.data.folds import fold_numbers, folds, pooled
from core.data.preparation import Preparation
from core.data.tabular import BreastCancer, Diabetes, Iris
from core.data.toy import Spiral
from core.errors import SpecError


@pytest.mark.parametrize("k", [2, 5, 20])
@pytest.mark.parametrize("data", [Iris(), BreastCancer(), Diabetes(), Spiral(n_points=200)], ids=lambda data: data.kind)
def test_folds_are_those_of_scikit_learn(home, data, k):
    pool = pooled(data.original(3))
    cls = KFold if data.kind == "diabetes" else StratifiedKFold
    numbers = fold_numbers(pool.y, k, 3)
    parts = cls(k, shuffle=True, random_state=3).split(pool.x, pool.y)
    for fold, (rest, held_out) in enumerate(parts):
        assert np.array_equal(np.flatnonzero(numbers == fold), held_out)
        assert np.array_equal(np.flatnonzero(numbers != fold), rest)


def test_the_pool_is_training_and_validation_and_never_the_test_split(home):
    original = Iris().original(0)
    pool = pooled(original)
    assert np.array_equal(pool.x, np.concatenate([original.train.x, original.validation.x]))
    numbers = fold_numbers(pool.y, 5, 0)
    seen = [np.concatenate([one.originals[0].x, one.originals[1].x]) for one in folds(original, numbers, Preparation(), 0)]
    assert all(len(one) == len(pool) for one in seen)
    assert all(np.array_equal(np.sort(one, 0), np.sort(pool.x, 0)) for one in seen)


def test_a_class_with_fewer_members_than_folds_is_refused_by_name():
    y = np.repeat([0, 1, 2], [30, 3, 9])
    with pytest.raises(SpecError, match=r"'rare' has 3 .* fewer than the 5 folds") as refused:
        fold_numbers(y, 5, 0, ("common", "rare", "other"))
    assert refused.value.hint.startswith("Choose at most 3 folds")
    assert fold_numbers(y, 3, 0).max() == 2
    with pytest.raises(SpecError, match="cannot be divided"):
        fold_numbers(np.zeros(4, np.float32), 5, 0)


def test_a_class_without_any_example_does_not_stand_against_folds():
    assert fold_numbers(np.repeat([0, 2], 10), 5, 0, ("a", "nobody", "c")).max() == 4


def table(n=40):
    """Rows in which one held-out value would change every number that a preparation learns."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    x[0] = [1000, -1000, np.nan]
    y = rng.normal(size=n).astype(np.float32)
    y[0] = 1e6
    profile = DataProfile("tabular", (3,), (), n - 8, 6, 2, task="regression", target_name="t")
    cut = [Split(x[part], y[part]) for part in (slice(0, n - 8), slice(n - 8, n - 2), slice(n - 2, n))]
    return unprepared(profile, cut)


def test_stand_ins_scales_and_targets_are_learned_from_the_training_part_alone():
    original = table()
    pool = pooled(original)
    numbers = fold_numbers(pool.y, 4, 1)
    for fold, one in enumerate(folds(original, numbers, Preparation(scaling="standardise"), 1)):
        rest = pool.x[numbers != fold].astype(np.float64)
        means = np.nanmean(rest, 0)
        filled = np.where(np.isnan(rest), means, rest)
        assert one.stand_ins == pytest.approx(means, rel=1e-5)
        assert one.shift == pytest.approx(filled.mean(0), rel=1e-4, abs=1e-6)
        assert 1 / one.scale == pytest.approx(filled.std(0), rel=1e-4)
        y = pool.y[numbers != fold].astype(np.float64)
        assert (one.target_shift, one.target_scale) == pytest.approx((y.mean(), y.std()), rel=1e-5)
        assert len(one.validation) == (numbers == fold).sum()
        assert one.profile.n_train == len(one.train)


def test_principal_components_are_those_of_the_training_part(home):
    original = BreastCancer().original(0)
    pool = pooled(original)
    numbers = fold_numbers(pool.y, 3, 0)
    found = next(iter(folds(original, numbers, Preparation(scaling="standardise", pca=2), 0)))
    rest = pool.x[numbers != 0].astype(np.float64)
    scaled = (rest - rest.mean(0)) / rest.std(0)
    wanted = PCA(2, svd_solver="full").fit(scaled)
    held_out = wanted.transform((pool.x[numbers == 0] - rest.mean(0)) / rest.std(0))
    assert np.abs(found.validation.x) == pytest.approx(np.abs(held_out), rel=1e-2, abs=1e-2)
