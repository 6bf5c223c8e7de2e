"""Where two models part, on answers that are worked out by hand."""

import numpy as np
import pytest
import torch
from sklearn.metrics import r2_score

from core.data.gallery import split_named
from core.data.tabular import Diabetes, Iris
from core.inspection.disagreement import answers, disagreement
from core.models.model import build
from core.results.attribution_difference import difference
from core.results.codec import load_result, result_bytes
from core.results.disagreement import Disagreement
from tests.core.samples import linear, stack


def test_the_examples_of_which_both_are_surest_come_first():
    splits = Iris().splits(0)
    n = len(splits.validation)
    first = np.tile([0.8, 0.1, 0.1], (n, 1))
    second = first.copy()
    second[[2, 5, 7]] = [[0.1, 0.6, 0.3], [0.05, 0.9, 0.05], [0.2, 0.3, 0.5]]
    first[5] = [0.95, 0.03, 0.02]
    found = disagreement(splits, "validation", (first, second), (10, 20), 2)
    assert found.n_differ == 3
    assert found.n_examples == n
    assert found.indices.tolist() == [5, 2]
    assert found.first.tolist() == [0, 0]
    assert found.second.tolist() == [1, 1]
    assert found.second_p.tolist() == [0.9, 0.6]
    assert found.first_score == np.mean(splits.validation.y == 0)
    assert found.labels.tolist() == splits.validation.y[[5, 2]].tolist()
    again = load_result(Disagreement, result_bytes(found))
    assert again.indices.tolist() == [5, 2]


def test_numbers_part_where_their_predictions_lie_furthest_apart():
    splits = Diabetes().splits(0)
    targets = splits.test.y.astype(float) * splits.target_scale + splits.target_shift
    first, second = targets.copy(), targets.copy()
    second[[1, 4]] += [3.0, -8.0]
    found = disagreement(splits, "test", (first[:, None], second[:, None]), (0, 0), 2)
    assert found.indices.tolist() == [4, 1]
    assert found.n_differ == -1
    assert found.first_score == pytest.approx(1.0)
    assert found.second_score == pytest.approx(r2_score(targets, second))
    np.testing.assert_allclose(found.targets, targets[[4, 1]])


@pytest.mark.parametrize(("data", "n_outputs"), [(Iris(), 3), (Diabetes(), 1)], ids=["classes", "numbers"])
def test_answers_are_what_the_model_gives_in_its_own_unit(data, n_outputs):
    splits = data.splits(0)
    model = build(stack(linear(5), "Tanh", linear(n_outputs)), splits.profile.input_shape, 0).eval()
    found = answers(model, splits, "test")
    with torch.no_grad():
        output = model(torch.from_numpy(splits.model_input(split_named(splits, "test").x))).double()
    expected = output.softmax(1) if n_outputs == 3 else output * splits.target_scale + splits.target_shift
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-6)


def test_only_explanations_of_the_same_thing_are_subtracted(attribution_pair):
    first, second = attribution_pair
    np.testing.assert_allclose(difference(first, second).values, second.values - first.values)
    assert difference(first, second).output == pytest.approx(second.output - first.output)


def test_explanations_of_two_classes_are_not_subtracted(attribution_pair):
    from dataclasses import replace

    from core.errors import NotApplicable

    first, second = attribution_pair
    with pytest.raises(NotApplicable, match="cannot be subtracted"):
        difference(first, replace(second, target=1))


@pytest.fixture
def attribution_pair():
    from core.results.attribution import Attribution

    def made(values: list[float], output: float) -> Attribution:
        return Attribution(
            method="ig",
            label="IG",
            target=0,
            target_name="a",
            unit="logit",
            values=np.array(values, np.float32),
            output=output,
            probability=0.5,
            step=1,
            signed=True,
            n_evaluations=1,
            seconds=0.1,
            input=np.zeros(2, np.float32),
        )

    return made([1.0, 2.0], 3.0), made([4.0, 1.0], 5.0)
