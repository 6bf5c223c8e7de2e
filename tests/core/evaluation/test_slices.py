"""Slices against pandas, scipy and numpy."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from core.data.dataset import DataProfile, Split, unprepared
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Iris
from core.evaluation.slices import brightness, column_parts, quantile_parts, slices
from core.metrics.statistics import holm
from core.results.predictions import Predictions

RNG = np.random.default_rng(5)


def said(labels: np.ndarray, names: tuple[str, ...], split: str = "train") -> Predictions:
    """Random answers, three of four right."""
    k = len(names)
    guess = np.where(RNG.random(len(labels)) < 0.75, labels, RNG.integers(0, k, len(labels)))
    p = np.full((len(labels), k), 0.1 / k) + 0.9 * np.eye(k)[guess]
    return Predictions(split, 3, names, labels.astype(np.int64), log_probabilities=np.log(p))


def test_slices_of_a_table_are_those_of_pandas():
    splits = Iris().splits(0)
    found = said(splits.train.y, splits.profile.class_names)
    result = slices(found, splits, "train")
    is_right = pd.Series(found.predicted == found.labels)
    original = pd.DataFrame(splits.originals[0].x, columns=splits.original_profile.feature_names)
    for column in original:
        grouped = is_right.groupby(pd.qcut(original[column], 4, duplicates="drop"), observed=True).agg(["mean", "size"])
        ours = [i for i, criterion in enumerate(result.criteria) if criterion == column]
        assert sorted(zip(result.score[ours], result.n[ours], strict=True)) == sorted(
            zip(grouped["mean"], grouped["size"], strict=True)
        )
    classes = is_right.groupby(found.labels).mean()
    ours = {result.names[i]: result.score[i] for i, criterion in enumerate(result.criteria) if criterion == "class"}
    assert ours == pytest.approx(dict(zip(splits.profile.class_names, classes, strict=True)))


def test_p_values_are_fishers_and_are_corrected_for_their_number():
    splits = Iris().splits(0)
    found = said(splits.train.y, splits.profile.class_names)
    result = slices(found, splits, "train")
    is_right = found.predicted == found.labels
    inside = np.isin(np.arange(len(is_right)), result.members[0])
    table = pd.crosstab(inside, is_right).to_numpy()
    assert result.p[0] == pytest.approx(fisher_exact(table).pvalue)
    np.testing.assert_allclose(result.p_holm, holm(result.p))
    assert result.overall == is_right.mean()


def test_the_worst_come_first_and_a_single_example_is_not_among_them_by_luck():
    profile = DataProfile("tabular", (1,), ("a", "b"), 101, 0, 0, ("size",), categories=(("many", "one"),))
    x = np.zeros((101, 1), np.float32)
    x[0] = 1
    splits = unprepared(profile, (Split(x, np.zeros(101, np.int64)), Split(x[:0], x[:0, 0]), Split(x[:0], x[:0, 0])))
    log_p = np.log(np.where(np.arange(101)[:, None] < 60, [0.1, 0.9], [0.9, 0.1]))
    result = slices(Predictions("train", 0, ("a", "b"), splits.train.y, log_probabilities=log_p), splits, "train")
    by_name = dict(zip(result.names, result.n, strict=True))
    assert by_name["one"] == 1
    assert result.names.index("many") < result.names.index("one")
    assert (np.diff(result.high) >= 0).all()


def test_slices_of_numbers_are_mean_absolute_errors_the_worst_first():
    splits = Iris().splits(0)
    n = len(splits.train)
    targets = np.arange(n, dtype=float)
    values = targets + np.where(targets < n / 4, 5.0, 1.0) * RNG.random(n)
    found = Predictions("train", 0, (), np.full(n, -1), values=values, targets=targets, target_name="weight")
    result = slices(found, splits, "train")
    assert result.criteria[0] == "weight"
    quarter = np.abs(values - targets)[result.members[0]]
    assert result.score[0] == pytest.approx(quarter.mean())
    assert result.members[0].max() < n / 4
    assert result.is_regression


def test_pictures_are_sliced_by_brightness_and_texts_by_length():
    digits = Digits().splits(0)
    result = slices(said(digits.test.y, digits.profile.class_names, "test"), digits, "test")
    light = digits.originals[2].x.astype(float).mean((1, 2, 3)) * 255 / digits.brightest
    np.testing.assert_allclose(brightness(digits.originals[2].x, digits.brightest), light)
    members = [result.members[i] for i, name in enumerate(result.criteria) if name.startswith("brightness")]
    means = sorted(light[one].mean() for one in members)
    assert len(members) == 4
    assert means == pytest.approx(
        [light[np.argsort(light)][part].mean() for part in np.array_split(np.arange(len(light)), 4)], 0.02
    )
    texts = Sentiment(n_examples=200).splits(0)
    result = slices(said(texts.test.y, texts.profile.class_names, "test"), texts, "test")
    assert "length in tokens" in result.criteria


def test_gaps_are_a_slice_of_their_own_and_mostly_equal_numbers_are_two():
    values = np.array([np.nan, 1, 2, 3, 4, 5, 6, 7, 8], np.float32)
    parts = list(column_parts("age", values, ()))
    assert [part.name for part in parts][-1] == "missing"
    assert sum(len(part.members) for part in parts) == 9
    zeros = np.concatenate([np.zeros(90), np.arange(1, 11)])
    assert [(part.name, len(part.members)) for part in quantile_parts("x", zeros)] == [("0", 90), ("other than 0", 10)]
    few = [(part.name, len(part.members)) for part in quantile_parts("x", np.array([1.0, 2.0, 2.0]))]
    assert few == [("1", 1), ("2", 2)]
