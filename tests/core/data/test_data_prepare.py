"""The preparation against scikit-learn, and that nothing but the training split decides it."""

import warnings
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, OneHotEncoder, StandardScaler

from core.data.dataset import DataProfile, Split, unprepared
from core.data.fit import principal_components, value_counts
from core.data.preparation import Preparation
from core.data.prepare import model_points, most_components, prepared, prepared_profile
from core.errors import SpecError

COLOURS = ("red", "green", "blue")
SCALERS = {"unit": MaxAbsScaler, "min_max": MinMaxScaler, "standardise": StandardScaler}
PLAIN = Preparation()


def parts(splits):
    return (splits.train, splits.validation, splits.test)


def table(n=40, *, gaps=False, task="classification", seed=0):
    """Two columns of numbers in very different units, a column of three colours, and one that is constant."""
    rng = np.random.default_rng(seed)
    x = np.stack([rng.normal(3, 2, n), rng.exponential(900, n), rng.integers(0, 3, n), np.full(n, 0.1)], 1).astype(np.float32)
    if gaps:
        x[rng.random(x.shape) < 0.2] = np.nan
    y = rng.integers(0, 3, n) if task == "classification" else rng.normal(50, 9, n).astype(np.float32)
    cuts = (slice(0, n // 2), slice(n // 2, 3 * n // 4), slice(3 * n // 4, n))
    profile = DataProfile(
        "tabular",
        (4,),
        ("a", "b", "c") if task == "classification" else (),
        *(len(x[each]) for each in cuts),
        feature_names=("size", "price", "colour", "flat"),
        task=task,
        categories=((), (), COLOURS, ()),
    )
    return unprepared(profile, [Split(x[each], y[each]) for each in cuts])


def numbers(x, *others, modality="tabular"):
    """Splits of rows or images without categories; all splits are the same where no others are given."""
    arrays = (x, *others) if others else (x, x, x)
    profile = DataProfile(
        modality, x.shape[1:], ("a", "b"), *map(len, arrays), feature_names=tuple(f"f{i}" for i in range(x.shape[1]))
    )
    return unprepared(profile, [Split(each, np.zeros(len(each), np.int64)) for each in arrays])


def images(n=30, channels=3, seed=0):
    x = np.random.default_rng(seed).integers(20, 250, (n, channels, 5, 4)).astype(np.uint8)
    profile = DataProfile("image", x.shape[1:], ("a", "b"), n - 10, 5, 5)
    y = np.arange(n) % 2
    return unprepared(profile, [Split(x[each], y[each]) for each in (slice(0, n - 10), slice(n - 10, n - 5), slice(n - 5, n))])


def seen(splits):
    return [splits.model_input(part.x) for part in parts(splits)]


@pytest.mark.parametrize("scaling", SCALERS)
def test_columns_are_scaled_as_scikit_learn_scales_them_a_constant_one_too(scaling):
    splits = table()
    scaler = SCALERS[scaling]().fit(splits.train.x.astype(np.float64))
    done = prepared(splits, Preparation(scaling=scaling, one_hot=False), 0)
    for ours, part in zip(seen(done), parts(splits), strict=True):
        np.testing.assert_allclose(ours, scaler.transform(part.x.astype(np.float64)), atol=2e-6)
    assert np.shares_memory(done.train.x, splits.train.x)


@pytest.mark.parametrize("scaling", SCALERS)
def test_images_are_scaled_channel_by_channel_as_scikit_learn_scales_columns_of_pixels(scaling):
    splits = images()
    done = prepared(splits, Preparation(scaling=scaling), 0)
    assert done.train.x is splits.train.x
    for ours, part in zip(seen(done), parts(splits), strict=True):
        if scaling == "unit":
            expected = part.x / 255
        else:
            columns = splits.train.x.transpose(0, 2, 3, 1).reshape(-1, 3).astype(np.float64)
            scaler = SCALERS[scaling]().fit(columns)
            rows = part.x.transpose(0, 2, 3, 1)
            expected = scaler.transform(rows.reshape(-1, 3).astype(np.float64)).reshape(rows.shape).transpose(0, 3, 1, 2)
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_unit_scaling_of_images_never_reads_them():
    unreadable = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (10**9, 1, 28, 28), (0, 0, 0, 0))  # 784 GB to scan
    splits = numbers(unreadable, modality="image")
    assert prepared(splits, Preparation(scaling="unit"), 0).train.x is unreadable


def test_pixel_values_are_counted_per_channel():
    x = images(2500).train.x
    counts = value_counts(x)
    for channel in range(3):
        np.testing.assert_array_equal(counts[channel], np.bincount(x[:, channel].ravel(), minlength=256))


@pytest.mark.parametrize("impute", ["mean", "median", "most_frequent"])
def test_gaps_are_filled_as_scikit_learn_fills_them(impute):
    splits = table(80, gaps=True)
    done = prepared(splits, Preparation(impute=impute, one_hot=False), 0)
    number, category = SimpleImputer(strategy=impute), SimpleImputer(strategy="most_frequent")
    for column in range(4):
        imputer = category if column == 2 else number
        imputer.fit(splits.train.x[:, [column]].astype(np.float64))
        for ours, part in zip(parts(done), parts(splits), strict=True):
            theirs = imputer.transform(part.x[:, [column]].astype(np.float64))
            np.testing.assert_allclose(ours.x[:, [column]], theirs, rtol=1e-6)
    assert done.notes == ()


def test_a_column_without_any_value_becomes_0_and_is_named_in_a_note():
    x = np.array([[1.0, np.nan], [2.0, np.nan]], np.float32)
    done = prepared(numbers(x, x + 1, np.ones((2, 2), np.float32)), Preparation(scaling="standardise"), 0)
    assert (done.train.x[:, 1] == 0).all()
    assert done.notes == ("No training example has a value of “f1”: 0 stands in for it.",)
    assert all(np.isfinite(each).all() for each in seen(done))


def test_an_infinite_number_and_an_unknown_category_are_gaps():
    splits = table()
    x = splits.train.x.copy()
    x[0] = (np.inf, -np.inf, 7, 0.1)
    x[1, 2] = -1
    done = prepared(replace(splits, train=replace(splits.train, x=x)), Preparation(one_hot=False), 0)
    assert done.train.x[0, 0] == np.float32(x[1:, 0].astype(np.float64).mean())
    assert done.train.x[0, 2] == done.train.x[1, 2] == np.bincount(x[2:, 2].astype(int)).argmax()


def test_categories_become_columns_as_scikit_learn_makes_them_with_names_that_say_so():
    splits = table(gaps=True)
    done = prepared(splits, PLAIN, 0)
    assert done.profile.feature_names == ("size", "price", "colour = red", "colour = green", "colour = blue", "flat")
    assert (done.profile.input_shape, done.profile.categories) == ((6,), ())
    numbered = prepared(splits, Preparation(one_hot=False), 0)
    for ours, part in zip(parts(done), parts(numbered), strict=True):
        encoder = OneHotEncoder(categories=[np.arange(3.0)], sparse_output=False).fit(part.x[:, [2]])
        np.testing.assert_array_equal(ours.x[:, 2:5], encoder.transform(part.x[:, [2]]))
        np.testing.assert_array_equal(ours.x[:, [0, 1, 5]], part.x[:, [0, 1, 3]])


@pytest.mark.parametrize("make", [table, lambda: images(60)], ids=["table", "images"])
@pytest.mark.parametrize("scaling", ["none", *SCALERS])
def test_components_and_explained_variance_are_scikit_learns(make, scaling):
    splits = make()
    preparation = Preparation(scaling=scaling, pca=4)
    before = seen(prepared(splits, preparation.but(pca=None), 0))
    done = prepared(splits, preparation, 0)
    flat = [rows.reshape(len(rows), -1).astype(np.float64) for rows in before]
    pca = PCA(4).fit(flat[0])
    for ours, rows in zip(seen(done), flat, strict=True):
        theirs = pca.transform(rows)
        np.testing.assert_allclose(ours, theirs, atol=2e-4 * np.abs(theirs).max())
    np.testing.assert_allclose(done.explained_variance, pca.explained_variance_ratio_, atol=1e-6)
    assert done.profile.feature_names == ("PC 1", "PC 2", "PC 3", "PC 4")
    assert (done.profile.modality, done.profile.input_shape) == ("tabular", (4,))


def test_a_pca_of_large_numbers_that_hardly_differ_keeps_its_precision():
    rng = np.random.default_rng(0)
    x = (20_000 + rng.normal(0, [3, 1, 0.5], (400, 3))).astype(np.float32)
    shares = prepared(numbers(x), Preparation(pca=2), 0).explained_variance
    np.testing.assert_allclose(shares, PCA(2).fit(x.astype(np.float64)).explained_variance_ratio_, atol=1e-4)


def test_a_pca_of_equal_examples_explains_nothing_and_does_not_fail():
    done = prepared(numbers(np.ones((5, 3), np.float32)), Preparation(scaling="standardise", pca=2), 0)
    assert done.explained_variance == (0.0, 0.0)
    assert np.isfinite(seen(done)[0]).all()


def test_a_pca_of_very_many_numbers_is_fitted_on_the_first_of_them(monkeypatch):
    x = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    monkeypatch.setattr("core.data.fit.PCA_NUMBERS", 400)
    few, shares = principal_components(x, np.zeros(4), np.ones(4), 2)
    same, same_shares = principal_components(x[:100], np.zeros(4), np.ones(4), 2)
    np.testing.assert_array_equal(few(x), same(x))
    assert shares == same_shares


@pytest.mark.parametrize(("make", "k", "most"), [(table, 7, 6), (lambda: numbers(np.ones((4, 9), np.float32)), 5, 4)])
def test_more_components_than_there_can_be_are_refused_with_numbers(make, k, most):
    splits = make()
    assert most_components(splits.profile, PLAIN) == most
    assert prepared_profile(splits.profile, Preparation(pca=k)).input_shape == (k,)
    with pytest.raises(SpecError, match=f"There are no {k} .* have {most} at most. Keep {most} components"):
        prepared(splits, Preparation(pca=k), 0)
    prepared(numbers(np.random.default_rng(0).normal(size=(most, 9)).astype(np.float32)), Preparation(pca=most), 0)


EVERY = [
    Preparation(scaling=scaling, one_hot=one_hot, pca=pca, impute=impute, label_noise=0.2)
    for scaling, one_hot, pca, impute in product(("none", *SCALERS), (True, False), (None, 3), ("mean", "most_frequent"))
]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(EVERY), st.integers(0, 2**16), st.booleans())
def test_other_validation_and_test_examples_never_change_what_training_sees(preparation, seed, is_table):
    splits = table(gaps=True) if is_table else images()
    rng = np.random.default_rng(seed)
    foreign = rng.normal(0, 1e4, splits.validation.x.shape).astype(np.float32)
    foreign = foreign if is_table else rng.integers(0, 256, foreign.shape).astype(np.uint8)
    other = replace(splits.validation, x=foreign)
    first = prepared(splits, preparation, seed)
    second = prepared(
        replace(splits, validation=other, test=replace(splits.test, x=other.x[: len(splits.test)])), preparation, seed
    )
    for name in ("shift", "scale", "stand_ins", "explained_variance"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)
    assert first.train.x.tobytes() == second.train.x.tobytes()
    assert first.train.y.tobytes() == second.train.y.tobytes()
    assert first.profile == second.profile == prepared_profile(splits.profile, preparation)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(EVERY), st.booleans())
def test_an_example_alone_reaches_the_model_as_it_does_in_its_split(preparation, is_table):
    splits = table(gaps=True) if is_table else images()
    done = prepared(splits, preparation, 0)
    for part, original in zip(parts(done), parts(splits), strict=True):
        expected = done.model_input(part.x)
        np.testing.assert_allclose(model_points(done, preparation, original.x), expected, rtol=1e-5, atol=1e-5)
        assert np.isfinite(expected).all()
        assert part.x.shape[1:] == done.profile.input_shape


def test_a_new_row_with_a_gap_is_filled_even_where_no_example_has_one():
    done = prepared(table(), Preparation(scaling="standardise"), 0)
    row = model_points(done, Preparation(scaling="standardise"), np.full((1, 4), np.nan, np.float32))
    np.testing.assert_allclose(row[0, :2], 0, atol=1e-6)  # the mean, standardised
    assert np.isfinite(row).all()


def test_originals_and_their_profile_stay_beside_what_is_prepared():
    splits = table(gaps=True)
    done = prepared(splits, Preparation(pca=2, label_noise=0.5), 0)
    assert done.original_profile is splits.profile
    assert all(kept is original for kept, original in zip(done.originals, parts(splits), strict=True))
    assert (done.train.y != splits.train.y).any()


@given(
    st.floats(-3e4, 3e4, width=32).filter(lambda value: value == 0 or abs(value) > 1e-30),  # 1 / it is a float32 too
    st.sampled_from(list(SCALERS)),
    st.integers(1, 40),
)
def test_a_constant_column_never_divides_by_zero(value, scaling, n):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = seen(prepared(numbers(np.full((n, 1), value, np.float32)), Preparation(scaling=scaling), 0))[0]
    assert ours[0, 0] == pytest.approx(np.sign(value) if scaling == "unit" else 0.0, abs=1e-6)


def test_the_target_of_a_table_is_standardised_on_the_training_rows_and_finds_back_to_its_unit():
    splits = table(task="regression")
    done = prepared(splits, PLAIN, 0)
    assert done.train.y.dtype == np.float32
    assert (done.train.y.mean(), done.train.y.std()) == (pytest.approx(0, abs=1e-6), pytest.approx(1, abs=1e-6))
    for ours, part in zip(parts(done), parts(splits), strict=True):
        np.testing.assert_allclose(ours.y * done.target_scale + done.target_shift, part.y, rtol=1e-5)
    raw = prepared(splits, Preparation(scale_target=False), 0)
    assert (raw.train.y is splits.train.y, raw.target_shift, raw.target_scale) == (True, 0.0, 1.0)


def test_the_target_of_points_keeps_its_unit_and_a_constant_one_is_only_moved():
    splits = table(task="regression")
    points = replace(splits, profile=replace(splits.profile, modality="points", categories=()))
    assert prepared(points, PLAIN, 0).train.y is splits.train.y
    same = replace(splits, train=replace(splits.train, y=np.full(len(splits.train), 0.1, np.float32)))
    done = prepared(same, PLAIN, 0)
    assert (done.target_scale, set(done.train.y)) == (1.0, {0.0})


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10), st.integers(0, 2**16))
def test_label_noise_changes_exactly_its_share_to_another_class(twentieths, seed):
    splits, share = table(90), twentieths * 0.05
    done = prepared(splits, Preparation(label_noise=round(share, 2)), seed)
    assert (done.train.y != splits.train.y).sum() == round(round(share, 2) * len(splits.train))
    assert set(done.train.y) <= {0, 1, 2}
    assert (done.validation.y is splits.validation.y, done.test.y is splits.test.y) == (True, True)
    again = prepared(splits, Preparation(label_noise=round(share, 2)), seed)
    np.testing.assert_array_equal(done.train.y, again.train.y)


def test_more_label_noise_keeps_the_wrong_labels_and_adds_some_and_seeds_differ():
    splits = table(400)
    few, many = (prepared(splits, Preparation(label_noise=share), 0).train.y for share in (0.1, 0.4))
    is_wrong = few != splits.train.y
    np.testing.assert_array_equal(few[is_wrong], many[is_wrong])
    assert (many != splits.train.y).sum() == 4 * is_wrong.sum()
    assert (few != prepared(splits, Preparation(label_noise=0.1), 1).train.y).any()
    hits = np.bincount((many - splits.train.y)[many != splits.train.y] % 3, minlength=3)
    assert hits[1] > 20  # both other classes are hit
    assert hits[2] > 20


def test_a_regression_and_a_single_class_have_no_label_noise():
    noisy = Preparation(label_noise=0.5, scale_target=False)
    splits = table(task="regression")
    assert prepared(splits, noisy, 0).train.y is splits.train.y
    single = table()
    single = replace(single, profile=replace(single.profile, class_names=("a",)))
    assert prepared(single, noisy, 0).train.y is single.train.y


def test_of_sequences_only_the_labels_change():
    x = np.arange(60).reshape(20, 3) % 5
    profile = DataProfile("sequence", (3,), ("a", "b"), 20, 20, 20, n_tokens=5)
    splits = unprepared(profile, [Split(x, np.zeros(20, np.int64))] * 3, vocabulary=tuple("_?abc"))
    everything = Preparation(scaling="standardise", pca=2, label_noise=0.5)
    assert prepared_profile(profile, everything) is profile
    done = prepared(splits, everything, 0)
    assert done.train.x is x
    assert done.model_input(x) is x
    assert done.train.y.sum() == 10
