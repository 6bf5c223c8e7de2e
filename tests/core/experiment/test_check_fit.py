"""What does not go together is found, keeps quiet where it does, and each fix mends it."""

import pytest

from core.data.augmentation import Affine, HorizontalFlip, MixUp, VerticalFlip
from core.data.drawn import DrawnPoints
from core.data.evidence import KnownEvidence
from core.data.preparation import Preparation
from core.data.tabular import BreastCancer, Diabetes, Iris
from core.data.toy import PlaneRegression, Spiral
from core.experiment.adapt import with_data
from core.experiment.check import findings
from core.experiment.examples import default_experiment
from core.experiment.experiment import Experiment, Lane
from core.models.model import infer
from core.models.presets import preset
from core.optim.losses import BinaryCrossEntropy, CrossEntropy, MeanSquaredError, MultiMargin
from core.optim.optimizers import SGD, Adam
from tests.core.samples import linear, spiral, stack


def digits(**changes: object) -> Experiment:
    return default_experiment("digits").but(**changes)


def with_binary_head(data: object) -> Experiment:
    return spiral(data=data, model=stack(linear(8), "ReLU", linear(1)), loss=BinaryCrossEntropy())


FAULTS = [
    ("loss-of-another-task", "error", lambda: spiral(data=PlaneRegression())),
    ("loss-of-another-task", "error", lambda: spiral(loss=MeanSquaredError())),
    ("binary-loss-for-many-classes", "error", lambda: with_binary_head(Iris())),
    ("augmentation-of-no-images", "error", lambda: spiral(augmentation=(Affine(),))),
    ("flipped-digits", "warning", lambda: digits(augmentation=(HorizontalFlip(), Affine(), VerticalFlip()))),
    ("large-learning-rate", "warning", lambda: spiral(lanes=(Lane(optimizer=SGD(lr=2.0)),))),
    ("large-learning-rate", "warning", lambda: spiral(lanes=(Lane(optimizer=Adam(lr=0.2)),))),
]


@pytest.mark.parametrize(("code", "severity", "make"), FAULTS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_fault_is_found_and_its_fix_mends_it(code, severity, make):
    (found,) = [finding for finding in findings(make()) if finding.code == code]
    assert found.severity == severity
    assert found.hint
    assert found.fix is not None
    mended = findings(found.fix.spec)
    assert code not in [finding.code for finding in mended]
    assert not [finding for finding in mended if finding.severity == "error"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: with_binary_head(BreastCancer()).but(model=preset("logistic").model(1)),
        lambda: digits(augmentation=(MixUp(), Affine()), loss=MultiMargin()),
        lambda: spiral(lanes=(Lane(optimizer=SGD(lr=1.0)),)),
        lambda: spiral(data=PlaneRegression(), loss=MeanSquaredError(), model=stack(linear(4), "Tanh", linear(1))),
    ],
)
def test_what_goes_together_is_no_finding(make):
    assert [finding for finding in findings(make()) if finding.severity != "info"] == []


def test_a_model_with_far_more_parameters_than_examples_is_worth_a_word():
    small, large = (spiral(model=stack(linear(n), "ReLU", linear(2))) for n in (500, 4000))
    assert "more-parameters-than-examples" not in [finding.code for finding in findings(small)]
    (found,) = [finding for finding in findings(large) if finding.code == "more-parameters-than-examples"]
    assert "20,002 parameters for 100 training examples: 200 for each" in found.message


def test_too_few_drawn_points_are_an_error_that_says_where_to_draw_more():
    found = next(finding for finding in findings(spiral(data=DrawnPoints(drawn=((0, 0, 0),)))) if finding.severity == "error")
    assert found.code == "too-few-points"
    assert "Data screen" in found.hint


def test_a_pca_with_more_components_than_columns_is_an_error_with_a_fix():
    wrong = spiral(data=Iris(preparation=Preparation(pca=9)), model=preset("logistic").model(3))
    (found,) = [finding for finding in findings(wrong) if finding.where[:1] == ("data",) and finding.severity == "error"]
    assert found.fix is not None
    assert not [finding for finding in findings(found.fix.spec) if finding.severity == "error"]


def test_other_data_bring_their_loss_and_the_right_number_of_outputs_and_it_is_said():
    adapted = with_data(spiral(), Diabetes())
    assert adapted.experiment.loss == MeanSquaredError()
    assert infer(adapted.experiment.model, (10,)).out_shape == (1,)
    assert len(adapted.notes) == 2
    back = with_data(adapted.experiment, Iris())
    assert back.experiment.loss == CrossEntropy()
    assert infer(back.experiment.model, (4,)).out_shape == (3,)


def test_a_stack_that_does_not_fit_other_data_is_left_as_it_is():
    before = digits()
    adapted = with_data(before, Spiral())
    assert adapted.experiment.model == before.model
    assert adapted.experiment.data == Spiral()


def test_augmentation_goes_with_the_images_and_a_batch_never_exceeds_the_split():
    adapted = with_data(digits(augmentation=(Affine(),), batch_size=512), Iris())
    assert adapted.experiment.augmentation == ()
    assert adapted.experiment.batch_size == "full"
    assert with_data(digits(augmentation=(Affine(),)), KnownEvidence()).experiment.augmentation == (Affine(),)
