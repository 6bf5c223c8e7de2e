"""Metrics through the job: figures of the split that was asked for, thresholds, temperature, models that cannot be judged."""

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn import metrics

from core.data.tabular import BreastCancer, Diabetes, Iris
from core.errors import NotApplicable
from core.evaluation import metrics as ours
from core.evaluation.metrics import Resampling, evaluation
from core.events import Artifact, Finished
from core.jobs.evaluation_lenses import EvaluateJob, PredictionsJob
from core.jobs.inline import run_inline
from core.optim.losses import MeanSquaredError
from core.results.codec import load_result, result_bytes
from core.results.evaluation import Evaluation, NumberEvaluation
from core.results.predictions import Predictions
from core.settings import Settings
from tests.core.samples import linear, spiral, stack

CANCER = spiral(data=BreastCancer(), model=stack(linear(8), "Tanh", linear(2)))
IRIS = spiral(data=Iris(), model=stack(linear(3)))
NUMBERS = spiral(data=Diabetes(), model=stack(linear(1)), loss=MeanSquaredError())


@pytest.fixture
def settings(home) -> Settings:
    return Settings.from_environment()


def result(job, wanted, settings):
    items = list(run_inline(job, settings))
    assert isinstance(items[-1].event, Finished)
    return load_result(wanted, next(item.data for item in items if isinstance(item, Artifact)))


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_figures_are_of_the_split_that_was_asked_for(split, settings):
    found = result(EvaluateJob(experiment=CANCER, split=split, resamples=50), Evaluation, settings)
    said = result(PredictionsJob(experiment=CANCER, split=split), Predictions, settings)
    assert (found.split, found.n) == (split, len(said.labels))
    assert found.value("accuracy") == pytest.approx(metrics.accuracy_score(said.labels, said.predicted))
    assert found.value("auc") == pytest.approx(metrics.roc_auc_score(said.labels, said.probabilities[:, 1]))
    for k in (0, 1):
        outcome = found.decisions(k).at(0.3)
        says = said.probabilities[:, k] >= 0.3
        tn, fp, fn, tp = metrics.confusion_matrix(said.labels == k, says).ravel()
        assert (outcome.true_negatives, outcome.false_positives) == (tn, fp)
        assert (outcome.false_negatives, outcome.true_positives) == (fn, tp)


def test_the_temperature_comes_from_the_validation_split(settings):
    on_test = result(EvaluateJob(experiment=IRIS, resamples=0), Evaluation, settings)
    on_validation = result(EvaluateJob(experiment=IRIS, split="validation", resamples=0), Evaluation, settings)
    assert on_test.temperature == on_validation.temperature
    assert on_validation.scaled[0] <= on_validation.value("log_loss")
    said = result(PredictionsJob(experiment=IRIS), Predictions, settings)
    scaled = np.exp(log_softmax(said.log_probabilities / on_test.temperature, axis=1))
    assert on_test.scaled[0] == pytest.approx(metrics.log_loss(said.labels, scaled, labels=[0, 1, 2]))
    assert on_test.cuts == ()


def test_equal_jobs_give_equal_intervals_and_none_were_asked_for_gives_none(settings):
    one, again = (result(EvaluateJob(experiment=IRIS, resamples=200), Evaluation, settings) for _ in range(2))
    assert result_bytes(one) == result_bytes(again)
    assert (one.low <= one.high).all()
    assert set(one.resamples.tolist()) == {200}
    none = result(EvaluateJob(experiment=IRIS, resamples=0), Evaluation, settings)
    np.testing.assert_array_equal(none.values, one.values)
    assert np.isnan(none.low).all()
    assert not none.resamples.any()


def test_numbers_are_judged_in_their_own_unit(settings):
    found = result(EvaluateJob(experiment=NUMBERS, resamples=100), NumberEvaluation, settings)
    said = result(PredictionsJob(experiment=NUMBERS), Predictions, settings)
    assert found.value("mae") == pytest.approx(metrics.mean_absolute_error(said.targets, said.values))
    assert found.value("r2") == pytest.approx(metrics.r2_score(said.targets, said.values))
    low, high = found.interval("mae")
    assert low <= found.value("mae") <= high
    assert found.counts.sum() == len(said.targets)


def predictions(labels, log_probabilities, split="test"):
    names = tuple("abcdefgh"[: log_probabilities.shape[1]])
    return Predictions(split, 0, names, np.asarray(labels), log_probabilities=log_probabilities)


def test_a_class_that_is_never_there_and_one_that_is_never_predicted_are_named():
    log_p = np.log(np.array([[0.7, 0.1, 0.1, 0.1], [0.4, 0.3, 0.2, 0.1], [0.1, 0.1, 0.1, 0.7]]))
    found = evaluation(predictions([0, 1, 3], log_p), predictions([0, 1, 3], log_p), Resampling(n=20))
    assert (found.never_predicted, found.never_there) == ((1,), (2,))
    assert np.isnan(found.by_class[1, 0])
    assert np.isnan(found.by_class[2]).all()
    assert found.most_frequent == (0, 1 / 3)


def test_one_example_has_figures_and_no_intervals():
    one = predictions([1], np.log(np.array([[0.2, 0.8]])))
    found = evaluation(one, one, Resampling())
    assert found.value("accuracy") == 1
    assert np.isnan(found.value("auc"))
    assert np.isnan(found.low).all()
    assert found.decisions(1).at(0.5).precision == 1


def test_areas_of_too_many_classes_and_examples_have_no_interval(monkeypatch):
    rng = np.random.default_rng(0)
    some = predictions(rng.integers(0, 3, 40), log_softmax(rng.normal(size=(40, 3)), axis=1))
    monkeypatch.setattr(ours, "AREA_BUDGET", 300 * 120)
    fewer = evaluation(some, some, Resampling())
    assert fewer.resamples[fewer.names.index("auc")] == 300
    monkeypatch.setattr(ours, "AREA_LIMIT", 10)
    none = evaluation(some, some, Resampling())
    assert np.isnan(none.interval("auc")).all()
    assert not np.isnan(none.interval("accuracy")).any()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_model_that_has_diverged_is_refused_in_words(bad):
    broken = predictions([0, 1], np.array([[bad, 0.0], [0.0, 0.0]]))
    with pytest.raises(NotApplicable, match="not a number"):
        evaluation(broken, broken, Resampling())
    numbers = Predictions("test", 0, (), np.array([-1]), values=np.array([bad]), targets=np.array([1.0]))
    with pytest.raises(NotApplicable, match="diverged"):
        evaluation(numbers, numbers, Resampling())
