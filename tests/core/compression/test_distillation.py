"""The loss of Hinton et al. against its closed form; smaller stacks fit where they can; students learn."""

import copy

import numpy as np
import pytest
import torch

from core.compression.distillation import Distillation, logits, narrower, soft_loss
from core.errors import TrainingError
from core.models.model import build
from core.optim.losses import BinaryCrossEntropy, CrossEntropy, MeanSquaredError
from tests.core.compression.materials import CNN, MLP, answers, material, splits_of
from tests.core.samples import linear, optimizer_like, stack


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_soft_loss_is_its_closed_form(temperature):
    random = np.random.default_rng(0)
    student, teacher = random.normal(size=(2, 6, 3)) * 3
    p, q = (np.exp(one / temperature) / np.exp(one / temperature).sum(1, keepdims=True) for one in (teacher, student))
    wanted = temperature**2 * (p * np.log(p / q)).sum(1).mean()
    assert float(soft_loss(torch.tensor(student), torch.tensor(teacher), temperature)) == pytest.approx(wanted)


def test_its_gradient_is_that_of_hintons_cross_entropy():
    student, teacher = (torch.tensor(one, requires_grad=True) for one in np.random.default_rng(1).normal(size=(2, 5, 4)))
    soft_loss(student, teacher.detach(), 2.0).backward()
    wanted = 2.0 * ((student / 2).softmax(1) - (teacher / 2).softmax(1)) / 5  # equation 2, times T², mean over examples
    torch.testing.assert_close(student.grad, wanted.detach())


@pytest.mark.parametrize("last", ["Softmax", "LogSoftmax"])
def test_logits_are_read_from_probabilities_up_to_a_constant(last):
    module = build(stack(linear(3), last), (4,), 0)
    x = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(logits(module, module(x)), module[0](x).log_softmax(1))


def test_a_student_has_half_the_units_and_all_outputs():
    assert [layer.out_features for layer in narrower(MLP, 0.5).layers if layer.kind == "Linear"] == [6, 4, 3]
    assert [layer.out_channels for layer in narrower(CNN, 0.5).layers if layer.kind == "Conv2d"] == [3, 2]
    grouped = stack(("Conv2d", {"out_channels": 6, "groups": 2}), "Flatten", linear(3))
    assert narrower(grouped, 0.1).layers[0].out_channels == 2


def test_a_stack_that_cannot_be_narrower_says_so():
    model = stack(linear(36), ("Reshape", {"channels": 4, "height": 3, "width": 3}), "Flatten", linear(3))
    profile = material(MLP, (5,)).splits.profile
    assert "cannot simply be made narrower" in Distillation().reason_against(profile, model)
    assert Distillation(width=1.0).reason_against(profile, model) is None


@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_a_student_comes_nearer_to_its_teacher(alpha):
    given = material(MLP, (5,), n=120)
    teacher = copy.deepcopy(given.module)
    first = build(Distillation().plan(MLP, (5,)).model, (5,), 0)
    made = Distillation(epochs=12, alpha=alpha).compressed(given)
    before, after = ((answers(one, given) - answers(teacher, given)).square().mean() for one in (first, made.module))
    assert made.losses[-1] < made.losses[0]
    if alpha == 0:
        assert after < before / 2
    assert all(
        torch.equal(a, b) for a, b in zip(given.module.state_dict().values(), teacher.state_dict().values(), strict=True)
    )


def test_numbers_and_two_classes_from_one_output_are_distilled_too():
    one = stack(linear(8), "Tanh", linear(1))
    numbers, random = material(one, (5,), loss=MeanSquaredError()), np.random.default_rng(0)
    x = random.normal(size=(60, 5)).astype(np.float32)
    for loss, y in ((MeanSquaredError(), x[:, 0]), (BinaryCrossEntropy(), (x[:, 0] > 0).astype(np.int64))):
        from dataclasses import replace

        given = replace(numbers, loss=loss, splits=splits_of(x, y))
        losses = Distillation(epochs=6).compressed(given).losses
        assert losses[-1] < losses[0]


def test_training_that_breaks_is_said():
    from dataclasses import replace

    given = replace(material(MLP, (5,), loss=CrossEntropy()), optimizer=optimizer_like("sgd", 10.0))
    with torch.no_grad():
        given.module[0].weight.fill_(torch.nan)
    with pytest.raises(TrainingError, match="not finite"):
        Distillation(epochs=1).compressed(given)


def test_further_training_stops_when_it_is_told_to():
    from dataclasses import replace

    def stop(done: int, total: int) -> None:
        assert total == 3 * 3
        if done == 4:
            raise InterruptedError

    before = torch.random.get_rng_state()
    with pytest.raises(InterruptedError):
        Distillation(epochs=3).compressed(replace(material(CNN, (2, 8, 8)), progress=stop))
    assert torch.equal(before, torch.random.get_rng_state())
