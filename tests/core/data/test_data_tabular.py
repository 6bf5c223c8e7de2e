"""The tables against scikit-learn."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from core.data.preparation import Preparation
from core.data.tabular import BreastCancer, Diabetes, Iris, Wine

BUNCHES = {
    Iris: load_iris,
    Wine: load_wine,
    BreastCancer: load_breast_cancer,
    Diabetes: lambda: load_diabetes(scaled=False),
}
TABLES = pytest.mark.parametrize("cls", BUNCHES)


@TABLES
def test_the_sizes_that_are_written_down_are_scikit_learns(cls):
    bunch, profile = BUNCHES[cls](), cls().profile()
    assert profile.n_train + profile.n_validation + profile.n_test == len(bunch.data)
    assert profile.input_shape == bunch.data.shape[1:]
    assert len(set(profile.feature_names)) == len(profile.feature_names)
    assert profile.n_classes == len(getattr(bunch, "target_names", ()))


@pytest.mark.parametrize("cls", [Iris, BreastCancer])
def test_the_names_are_scikit_learns(cls):
    bunch, profile = BUNCHES[cls](), cls().profile()
    assert profile.feature_names == tuple(bunch.feature_names)
    assert profile.class_names == tuple(bunch.target_names.tolist())


def test_the_names_of_wine_are_scikit_learns_without_underscores():
    theirs = [name.replace("_", " ") for name in load_wine().feature_names]
    assert list(Wine().profile().feature_names) == theirs


def test_the_names_of_diabetes_stand_for_scikit_learns_in_their_order():
    bunch = load_diabetes(scaled=False)
    for name, short in zip(
        Diabetes().profile().feature_names[:4], ("age", "sex", "body mass index", "blood pressure"), strict=True
    ):
        assert name.startswith(short)
    told = bunch.DESCR.lower()
    words = {"s1": "total serum cholesterol", "s2": "low-density", "s3": "high-density", "s5": "log of serum triglycerides"}
    ours = {"s1": "total cholesterol", "s2": "LDL cholesterol", "s3": "HDL cholesterol", "s5": "log of triglycerides"}
    for short, described in words.items():
        assert described in told
        assert Diabetes.columns[bunch.feature_names.index(short)] == ours[short]


@TABLES
def test_the_rows_are_scikit_learns_rows_each_once_with_its_class_or_target(cls):
    bunch = BUNCHES[cls]()
    splits = cls().original(0)
    parts = (splits.train, splits.validation, splits.test)
    ours = np.concatenate([np.column_stack([part.x, part.y]) for part in parts])
    theirs = np.column_stack([bunch.data.astype(np.float32), bunch.target])
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_diabetes_reads_as_a_regression_in_its_own_units():
    splits = Diabetes(preparation=Preparation()).splits(0)
    profile = splits.profile
    assert (profile.task, profile.class_names) == ("regression", ())
    assert profile.target_name == "disease progression after one year"
    in_units = splits.train.y * splits.target_scale + splits.target_shift
    assert in_units.min() >= 24.9
    assert in_units.max() <= 346.1
    assert set(np.unique(splits.train.x[:, 1])) == {1, 2}
    assert 18 < np.median(splits.train.x[:, 0]) < 79
    line = LinearRegression().fit(splits.train.x, splits.train.y)
    assert 0.3 < line.score(splits.test.x, splits.test.y) < 0.7


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
