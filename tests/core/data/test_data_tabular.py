"""Breast cancer against scikit-learn."""

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from core.data.tabular import BreastCancer


def test_the_names_and_sizes_that_are_written_down_are_scikit_learns():
    bunch = load_breast_cancer()
    profile = BreastCancer().profile()
    assert profile.feature_names == tuple(bunch.feature_names.tolist())
    assert profile.class_names == tuple(bunch.target_names.tolist())
    assert profile.n_train + profile.n_validation + profile.n_test == len(bunch.data)


def test_the_rows_are_scikit_learns_rows_each_once_with_its_class():
    bunch = load_breast_cancer()
    splits = BreastCancer().splits(0)
    parts = (splits.train, splits.validation, splits.test)
    ours = np.concatenate([np.column_stack([part.x, part.y]) for part in parts])
    theirs = np.column_stack([bunch.data.astype(np.float32), bunch.target])
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_standardisation_is_fitted_on_the_training_rows_alone():
    splits = BreastCancer().splits(0)
    scaler = StandardScaler().fit(splits.train.x.astype(np.float64))
    for part in (splits.train, splits.validation, splits.test):
        np.testing.assert_allclose(splits.model_input(part.x), scaler.transform(part.x.astype(np.float64)), atol=2e-4)
    everything = np.concatenate([splits.train.x, splits.validation.x, splits.test.x]).astype(np.float64)
    assert np.abs(splits.shift - everything.mean(axis=0)).max() > 0.1


def test_training_columns_reach_the_model_with_mean_0_and_deviation_1():
    splits = BreastCancer().splits(3)
    seen = splits.model_input(splits.train.x).astype(np.float64)
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(seen.std(axis=0), 1, atol=1e-4)
