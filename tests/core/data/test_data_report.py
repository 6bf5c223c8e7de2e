"""The data report against counts that are made in another way, and against numpy."""

import time
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.data import column_report
from core.data.dataset import DataProfile, Split, unprepared
from core.data.duplicates import duplicates
from core.data.preparation import Preparation
from core.data.rendered import Digits
from core.data.report import data_report, splits_report
from core.data.tabular import BreastCancer
from core.data.toy import Circle, Spiral
from core.results.codec import load_result, result_bytes
from core.results.data_report import DataReport

COLOURS = ("red", "green", "blue")
RNG = np.random.default_rng(0)


def with_gaps(n=60, seed=0):
    """Two numbers, three colours, a constant and an empty column (n, 5) float32."""
    rng = np.random.default_rng(seed)
    x = np.stack([rng.normal(5, 2, n), rng.integers(0, 9, n), rng.integers(0, 3, n), np.full(n, 7), np.full(n, np.nan)], 1)
    x[rng.random(x.shape) < 0.25] = np.nan
    return x.astype(np.float32)


CATEGORIES = ((), (), COLOURS, (), ())


def table(task="classification"):
    x = with_gaps()
    y = RNG.integers(0, 3, 60) if task == "classification" else RNG.normal(0, 3, 60).astype(np.float32)
    names = ("a", "b", "c") if task == "classification" else ()
    profile = DataProfile("tabular", (5,), names, 30, 20, 10, tuple("vwxyz"), task, "price", categories=CATEGORIES)
    return unprepared(profile, [Split(x[:30], y[:30]), Split(x[30:50], y[30:50]), Split(x[50:], y[50:])])


def images(n=40, n_classes=3, channels=3, brightest=255):
    x = RNG.integers(0, brightest + 1, (n, channels, 4, 5)).astype(np.uint8)
    y = np.arange(n) % (n_classes - 1)  # the last class has no example
    names = tuple(str(k) for k in range(n_classes))
    profile = DataProfile("image", x.shape[1:], names, n, n, n)
    return unprepared(profile, [Split(x, y)] * 3, brightest=brightest)


def test_sizes_and_classes_are_counted_in_each_split():
    splits = table()
    report = splits_report(splits)
    assert report.split_sizes.tolist() == [30, 20, 10]
    for counts, part in zip(report.class_counts, (splits.train, splits.validation, splits.test), strict=True):
        assert counts.tolist() == [int((part.y == k).sum()) for k in range(3)]


def test_a_target_is_counted_over_one_range_for_all_splits():
    splits = table("regression")
    report = splits_report(splits)
    assert (report.class_counts, report.target_name) == (None, "price")
    for counts, part in zip(report.target_counts, (splits.train, splits.validation, splits.test), strict=True):
        np.testing.assert_array_equal(counts, np.histogram(part.y.astype(np.float64), report.target_edges)[0])
        assert counts.sum() == len(part)


def test_statistics_are_numpys_over_what_is_not_missing():
    x = with_gaps()
    found = column_report.statistics(x, CATEGORIES)
    for column in (0, 1, 3):
        values = x[:, column].astype(np.float64)
        functions = (np.nanmean, np.nanstd, np.nanmin, np.nanmedian, np.nanmax)
        np.testing.assert_allclose(found[column], [*(f(values) for f in functions), np.isnan(values).sum()], rtol=1e-12)
    assert np.isnan(found[[2, 4], :5]).all()
    assert (found[2, 5], found[4, 5]) == (np.isnan(x[:, 2]).sum(), 60)


def test_histograms_are_numpys_class_by_class_and_leave_categories_out():
    splits = table()
    report = splits_report(splits)
    x, y = splits.train.x.astype(np.float64), splits.train.y
    for column in (0, 1, 3):
        edges = report.histogram_edges[column]
        values = x[~np.isnan(x[:, column]), column]
        assert edges[0] <= values.min()
        assert values.max() <= edges[-1]
        for k in range(3):
            np.testing.assert_array_equal(report.histogram_counts[k, column], np.histogram(x[y == k, column], edges)[0])
    assert report.histogram_counts[:, [2, 4]].sum() == 0
    assert np.isnan(report.histogram_edges[[2, 4]]).all()
    for k, name in np.ndindex(3, 3):
        assert report.category_counts[2][k, name] == ((x[:, 2] == name) & (y == k)).sum()
    assert [counts.shape for counts in report.category_counts] == [(3, 0), (3, 0), (3, 3), (3, 0), (3, 0)]


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float32, st.tuples(st.integers(3, 30), st.integers(1, 5)), elements=st.sampled_from([-2, 0, 1, 1e4, 3, np.nan]))
)
def test_correlations_are_numpys_over_the_rows_that_have_both_values(x):
    found = column_report.correlation(x, ())
    for i, j in np.ndindex(found.shape):
        both = np.isfinite(x[:, i]) & np.isfinite(x[:, j])
        pair = x[both][:, [i, j]].astype(np.float64)
        if len(pair) < 2 or (np.ptp(pair, axis=0) == 0).any():
            assert np.isnan(found[i, j])
        else:
            assert found[i, j] == pytest.approx(np.corrcoef(pair.T)[0, 1], abs=1e-6)


def test_categories_without_an_order_correlate_with_nothing_but_two_of_them_do():
    x = np.stack([np.arange(9) % 3, np.arange(9) % 2, np.arange(9)], 1).astype(np.float32)
    found = column_report.correlation(x, (COLOURS, ("no", "yes"), ()))
    assert np.isnan(found[0]).all()
    assert np.isnan(found[:, 0]).all()
    assert found[1, 2] == pytest.approx(np.corrcoef(x[:, 1], x[:, 2])[0, 1])


@pytest.mark.parametrize(("channels", "brightest"), [(1, 16), (3, 255)])
def test_image_means_are_means_and_pixels_are_all_counted(channels, brightest):
    splits = images(channels=channels, brightest=brightest)
    x, y = splits.train.x / brightest * 255, splits.train.y
    report = splits_report(splits)
    np.testing.assert_allclose(report.image_mean, x.mean(axis=0), rtol=1e-9)
    for k in range(2):
        np.testing.assert_allclose(report.class_means[k], x[y == k].mean(axis=0), rtol=1e-9)
    assert np.isnan(report.class_means[2]).all()
    bins = min(64, brightest + 1)
    for channel in range(channels):
        values = splits.train.x[:, channel].ravel().astype(int)
        expected = np.bincount(values * bins // (brightest + 1), minlength=bins)
        np.testing.assert_array_equal(report.pixel_counts[channel], expected)


def test_very_many_classes_are_shown_as_one_group_but_counted_each():
    report = splits_report(images(n=70, n_classes=70))
    assert report.class_counts.shape == (3, 70)
    assert report.class_means.shape[0] == 1
    np.testing.assert_allclose(report.class_means[0], report.image_mean)


def test_class_means_of_large_images_are_left_out(monkeypatch):
    monkeypatch.setattr("core.data.report.MAX_CLASS_MEANS", 100)
    report = splits_report(images())
    assert report.class_means is None
    np.testing.assert_allclose(report.image_mean, splits_report(images()).image_mean, atol=80)


def test_tokens_and_lengths_are_counted_without_padding():
    words = ("pad", "unknown", "good", "bad", "film")
    x = np.array([[0, 0, 2, 4], [0, 3, 3, 4], [4, 4, 4, 1]])
    profile = DataProfile("sequence", (4,), ("no", "yes"), 3, 3, 3, n_tokens=5)
    splits = unprepared(profile, [Split(x, np.array([1, 0, 0]))] * 3, vocabulary=words)
    report = splits_report(splits)
    assert report.lengths.tolist() == [0, 0, 1, 1, 1]
    assert report.tokens == ("film", "bad", "unknown", "good")
    assert report.token_counts.tolist() == [[4, 1], [2, 0], [1, 0], [0, 1]]
    assert report.statistics is None


def test_equal_examples_are_found_within_and_across_splits_and_named():
    train = Split(np.array([[1.0], [2.0], [1.0], [-0.0]], np.float32), np.array([0, 0, 1, 0]))
    validation = Split(np.array([[2.0], [5.0], [5.0], [np.nan]], np.float32), np.array([0, 1, 1, 0]))
    test = Split(np.array([[0.0], [np.nan], [9.0]], np.float32), np.array([1, 0, 0]))
    found = duplicates((train, validation, test), has_classes=True)
    assert found.n_duplicates == 2  # 1 and 5
    assert found.n_leaks == 3  # 2, 0 and the gap
    assert found.n_conflicts == 4  # both 1s, both zeros
    assert sorted(map(tuple, found.pairs.tolist())) == [(0, 0, 0, 2), (0, 1, 1, 0), (0, 3, 2, 0), (1, 1, 1, 2), (1, 3, 2, 1)]
    assert all(a != b for a, _, b, _ in found.pairs[:3].tolist())  # those across splits come first
    assert duplicates((train, validation, test), has_classes=False).n_conflicts == 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)), max_size=8), min_size=3, max_size=3))
def test_numbers_of_duplicates_equal_those_of_a_plain_count(examples):
    splits = [
        Split(np.array([v for v, _ in part], np.uint8).reshape(-1, 1), np.array([y for _, y in part], int)) for part in examples
    ]
    found = duplicates(splits, has_classes=True)
    values = [[v for v, _ in part] for part in examples]
    assert found.n_duplicates == sum(len(part) - len(set(part)) for part in values)
    assert found.n_leaks == sum(any(v in earlier for earlier in values[:i]) for i, part in enumerate(values) for v in part)
    labels = {v: {y for part in examples for w, y in part if w == v} for v in range(5)}
    assert found.n_conflicts == sum(len(labels[v]) > 1 for part in values for v in part)
    for a, i, b, j in found.pairs.tolist():
        assert (a, i) < (b, j)
        assert values[a][i] == values[b][j]


def test_at_most_200_pairs_are_kept_and_all_are_counted():
    same = Split(np.zeros((400, 2), np.uint8), np.zeros(400, int))
    found = duplicates((same, same, same), has_classes=True)
    assert (found.pairs.shape, found.n_duplicates, found.n_leaks) == ((200, 4), 1197, 800)


@pytest.mark.parametrize("data", [Circle(), BreastCancer(), Digits()], ids=lambda data: data.kind)
def test_a_report_is_of_the_examples_as_they_come_and_survives_its_file(data):
    report = data_report(data, 1)
    assert report.split_sizes.sum() == sum(len(part) for part in data.splits(1).originals)
    again = load_result(DataReport, result_bytes(report))
    for field in fields(DataReport):
        ours, theirs = getattr(report, field.name), getattr(again, field.name)
        if isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs)
        else:
            assert len(ours) == len(theirs) if isinstance(ours, tuple) else ours == theirs
    if data.kind == "breast_cancer":
        x = data.original(1).train.x.astype(np.float64)
        np.testing.assert_allclose(report.statistics[:, 0], x.mean(axis=0))
        np.testing.assert_allclose(report.correlation, np.corrcoef(x.T), atol=1e-9)


def test_the_category_counts_survive_the_file_too():
    report = splits_report(table())
    again = load_result(DataReport, result_bytes(report))
    assert again.categories == CATEGORIES
    assert all(map(np.array_equal, again.category_counts, report.category_counts))


def test_explained_variance_is_that_of_the_preparation_and_an_impossible_one_is_left_out():
    data = BreastCancer(preparation=Preparation(scaling="standardise", pca=5))
    report = data_report(data, 0)
    assert tuple(report.explained_variance) == data.splits(0).explained_variance
    assert data_report(data.but(preparation=Preparation(pca=31)), 0).explained_variance is None
    assert data_report(Spiral(), 0).explained_variance is None


def test_70000_digits_take_seconds():
    x = RNG.integers(0, 256, (1000, 1, 28, 28)).astype(np.uint8)
    profile = DataProfile("image", (1, 28, 28), tuple("0123456789"), 1000, 1000, 1000)
    splits = unprepared(profile, [Split(x, np.arange(1000) % 10)] * 3)
    start = time.process_time()
    report = splits_report(splits)
    assert time.process_time() - start < 0.5  # 23 times as many: below ten seconds
    assert report.n_leaks == 2000
