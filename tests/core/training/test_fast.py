"""The fast executor against the reference: same curve within 1e-6, own curve bit for bit again, and nothing else changed."""

import copy

import pytest
import torch
from torch import nn

from core.data.augmentation import HorizontalFlip, MixUp
from core.data.rendered import Digits
from core.data.sequence import Sentiment
from core.data.tabular import Diabetes
from core.errors import TrainingError
from core.experiment.experiment import Lane
from core.optim.losses import MeanSquaredError
from core.optim.optimizers import LBFGS, SGD, Adam, AdamW, AnyOptimizer, GradientDescent
from core.optim.regularizers import AnyRegularizer, WeightAverage
from core.optim.schedules import AnySchedule
from core.spec import choices
from core.training.executors import fast, fused
from core.training.executors.fast import Fast
from core.training.executors.layout import fast_forward, swapped, to_channels_last
from core.training.executors.reference import Reference
from tests.core.samples import linear, spiral, stack
from tests.core.training.executor_samples import CPU, curves, ground

CLOSE = 1e-6
STEPS = 100


def conv(n):
    return ("Conv2d", {"out_channels": n, "kernel_size": 3, "padding": 1})


POOL = ("MaxPool2d", {"kernel_size": 2})
PICTURES = {"data": Digits(), "batch_size": 16}
READER = stack(
    ("Embedding", {"num_embeddings": 128, "embedding_dim": 5}),
    ("LSTM", {"hidden_size": 6, "num_layers": 2, "dropout": 0.4}),
    linear(2),
)
KINDS = {
    "mlp": spiral(model=stack(linear(16), "ReLU", linear(16), "Tanh", linear(2))),
    "cnn": spiral(model=stack(conv(6), "ReLU", POOL, conv(8), "ReLU", POOL, "Flatten", linear(10)), **PICTURES),
    "cnn with norm and dropout": spiral(  # ten times this rate, and rounding alone grows to 1.2e-6 in 100 steps
        model=stack(conv(4), "BatchNorm2d", "ReLU", POOL, "Dropout2d", conv(4), "LeakyReLU", POOL, "Flatten", linear(10)),
        lr=0.001,
        **PICTURES,
    ),
    "dropout": spiral(model=stack(linear(16), "ReLU", "Dropout", linear(2))),
    "batch norm": spiral(model=stack(linear(16), "BatchNorm1d", "ReLU", linear(2))),
    "lstm": spiral(model=READER, data=Sentiment(n_examples=200)),
    "regression": spiral(data=Diabetes(), model=stack(linear(8), "Tanh", linear(1)), loss=MeanSquaredError()),
    "accumulation": spiral(accumulation=3),
    "augmentation": spiral(
        model=stack("Flatten", linear(16), "ReLU", linear(10)), augmentation=(HorizontalFlip(), MixUp()), **PICTURES
    ),
    "bfloat16": spiral(precision="bfloat16"),
    "repeats and lanes": spiral(repeats=2, lanes=(Lane(optimizer=Adam()), Lane(optimizer=SGD(momentum=0.9)))),
}


def made(experiment, cls, n=STEPS, **how):
    """The curve of an executor, and its series."""
    here = ground(experiment)
    return curves(here.made(cls).steps(here.source, 1, n, **how)), here.series


def assert_same_curve(experiment, n=STEPS, atol=CLOSE):
    ours, _ = made(experiment, Fast, n)
    theirs, _ = made(experiment, Reference, n)
    assert torch.isfinite(theirs).all()
    torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)
    assert len(theirs.unique()) > n // 2  # it does learn


@pytest.mark.parametrize("kind", KINDS)
def test_the_curve_is_the_references_and_its_own_bit_for_bit_again(kind):
    experiment = KINDS[kind]
    assert_same_curve(experiment)
    assert torch.equal(made(experiment, Fast, 30)[0], made(experiment, Fast, 30)[0])


@pytest.mark.parametrize("optimizer", choices(AnyOptimizer), ids=lambda cls: cls.__name__)
def test_every_optimizer_gives_the_references_curve(optimizer):
    assert_same_curve(spiral(lanes=(Lane(optimizer=optimizer()),)), 40)


@pytest.mark.parametrize("optimizer", [SGD(momentum=0.9, nesterov=True, weight_decay=0.01), AdamW(beta1=0.5)])
def test_set_numbers_reach_the_kernel(optimizer):
    assert_same_curve(spiral(lanes=(Lane(optimizer=optimizer),)))


@pytest.mark.parametrize("schedule", choices(AnySchedule), ids=lambda cls: cls.__name__)
def test_every_schedule_gives_the_references_curve(schedule):
    assert_same_curve(spiral(lanes=(Lane(optimizer=Adam(lr=0.01), schedule=schedule()),), steps=40), 40)


@pytest.mark.parametrize("regularizer", choices(AnyRegularizer), ids=lambda cls: cls.__name__)
def test_every_regularizer_gives_the_references_curve(regularizer):
    assert_same_curve(spiral(lanes=(Lane(optimizer=Adam(lr=0.01), regularizers=(regularizer(),)),)), 40)


def test_the_averaged_weights_are_the_references():
    experiment = spiral(lanes=(Lane(optimizer=Adam(lr=0.01), regularizers=(WeightAverage(decay=0.9),)),))
    (ours,), (theirs,) = (made(experiment, cls, 40)[1] for cls in (Fast, Reference))
    for a, b in zip(ours.average.parameters(), theirs.average.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=CLOSE)
    assert not torch.equal(next(ours.average.parameters()), next(ours.model.parameters()))


def test_the_kernel_is_used_where_it_can_be_and_measuring_does_not_change_the_curve():
    here = ground(spiral())
    executor = here.made(Fast)
    rows = [row for n in range(1, 31) for row in executor.steps(here.source, n, 1, is_measured=n % 3 == 0)]
    assert executor.runner(here.series[0])._fused is not None
    measured = executor.measures()[0]
    assert measured.gradient_norm > 0
    assert measured.update_norm > 0
    assert torch.equal(curves(rows), made(spiral(), Fast, 30)[0])


def test_measures_are_the_references():
    ours, theirs = (ground(spiral()) for _ in range(2))
    found = []
    for here, cls in ((ours, Fast), (theirs, Reference)):
        executor = here.made(cls)
        executor.steps(here.source, 1, 10, is_measured=True)
        found.append(executor.measures()[0])
    for name in ("gradient_norm", "update_norm", "weight_norm", "accuracy"):
        assert getattr(found[0], name) == pytest.approx(getattr(found[1], name), rel=1e-5)


POOLED = [
    [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)],
    [nn.Conv2d(3, 8, 3), nn.ReLU6(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(8, 8, 3), nn.Hardtanh(), nn.MaxPool2d(2)],
    [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Sequential(nn.MaxPool2d(2), nn.ReLU())],
    [nn.Conv2d(3, 8, 3), nn.Tanh(), nn.MaxPool2d(2)],
    [nn.Conv2d(3, 8, 3), nn.LeakyReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.LazyLinear(16), nn.ReLU(), nn.Dropout(0.5)],
]


@pytest.mark.parametrize("layers", POOLED, ids=range(len(POOLED)))
def test_the_rewrite_gives_the_same_bits_forward_and_backward(layers):
    torch.manual_seed(0)
    model = nn.Sequential(*copy.deepcopy(layers))
    x = torch.randn(4, 3, 20, 20)
    model(x)  # lazy layers come to be
    to_channels_last(model)
    runs = []
    for forward in (model, fast_forward(model)):
        torch.manual_seed(1)
        output = forward(x)
        runs.append((output.detach(), *torch.autograd.grad(output.square().sum(), list(model.parameters()))))
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))


def test_only_activations_that_cannot_err_change_places_with_a_pooling():
    relu, tanh, pool = nn.ReLU(), nn.Tanh(), nn.MaxPool2d(2)
    assert swapped([relu, pool]) == [pool, relu]
    assert swapped([tanh, pool]) == [tanh, pool]
    other = nn.MaxPool2d(2)
    assert swapped([relu, pool, other]) == [pool, other, relu]
    heard = nn.ReLU()
    heard.register_forward_hook(lambda *_: None)
    assert swapped([heard, pool]) == [heard, pool]


def test_the_model_keeps_its_names_its_order_and_its_state_dict():
    experiment = KINDS["cnn"]
    here, before = ground(experiment), ground(experiment)
    here.made(Fast).steps(here.source, 1, 3)
    model, fresh = here.series[0].model, before.series[0].model
    assert list(model.state_dict()) == list(fresh.state_dict())
    assert [type(layer) for layer in model] == [type(layer) for layer in fresh]
    fresh.load_state_dict(model.state_dict())
    x, _ = here.source.batch(0, 1)
    torch.testing.assert_close(fresh.eval()(x), model.eval()(x), rtol=0, atol=CLOSE)


@pytest.mark.parametrize("kind", ["cnn", "batch norm", "dropout"])
@pytest.mark.parametrize(("first", "second"), [(Fast, Fast), (Fast, Reference), (Reference, Fast)])
def test_a_state_moves_between_executors_and_the_curve_goes_on(kind, first, second):
    experiment = KINDS[kind]
    whole, _ = made(experiment, second, 40)
    before, after = ground(experiment), ground(experiment)
    one = before.made(first)
    start = curves(one.steps(before.source, 1, 20))
    state = copy.deepcopy(one.optimizer_state(before.series[0]))
    after.series[0].model.load_state_dict(before.series[0].model.state_dict())
    other = after.made(second)
    other.load_optimizer_state(after.series[0], contiguous(state))
    joined = torch.cat([start, curves(other.steps(after.source, 21, 20))])
    if first is second:
        assert torch.equal(joined, whole)
    else:
        torch.testing.assert_close(joined, whole, rtol=0, atol=CLOSE)


def contiguous(state):
    """As a checkpoint gives it back."""
    for slots in state["state"].values():
        slots.update({name: slot.contiguous() for name, slot in slots.items() if isinstance(slot, torch.Tensor)})
    return state


def test_the_optimizer_state_has_the_form_of_torch():
    here = ground(spiral())
    executor = here.made(Fast)
    executor.steps(here.source, 1, 5)
    state = executor.optimizer_state(here.series[0])
    plain = torch.optim.Adam(here.series[0].model.parameters())
    plain.load_state_dict(state)
    assert {float(slots["step"]) for slots in state["state"].values()} == {5.0}
    assert set(state["state"][0]) == {"step", "exp_avg", "exp_avg_sq"}


def test_a_loss_that_is_not_finite_leaves_weights_and_state_as_they_were():
    class Broken:
        def __init__(self, source):
            self.source = source

        def batch(self, repeat, number):
            x, y = self.source.batch(repeat, number)
            return (x * float("nan") if number == 5 and repeat == 0 else x), y

    here = ground(spiral(repeats=2))
    executor = here.made(Fast)
    source = Broken(here.source)
    executor.steps(source, 1, 4)
    weights = copy.deepcopy(here.series[0].model.state_dict())
    state = copy.deepcopy(executor.optimizer_state(here.series[0]))
    rows = curves(executor.steps(source, 5, 3))
    assert [one.died_at for one in here.series] == [5, -1]
    assert rows[:, 0].isnan().all()
    assert rows[:, 1].isfinite().all()
    assert all(torch.equal(weights[name], value) for name, value in here.series[0].model.state_dict().items())
    after = executor.optimizer_state(here.series[0])["state"]
    assert all(torch.equal(slots[name], after[key][name]) for key, slots in state["state"].items() for name in slots)


def test_a_changed_number_holds_from_the_next_step_on():
    rates = []
    for cls in (Fast, Reference):
        here = ground(spiral(lanes=(Lane(optimizer=AdamW(lr=0.01)),)))
        executor = here.made(cls)
        executor.steps(here.source, 1, 10)
        here.series[0].lane = here.series[0].lane.with_number("weight_decay", 0.5).with_number("lr", 0.001)
        executor.retune(here.series[0])
        rates.append(curves(executor.steps(here.source, 11, 20)))
    torch.testing.assert_close(*rates, rtol=0, atol=CLOSE)
    assert not torch.equal(rates[0], made(spiral(lanes=(Lane(optimizer=AdamW(lr=0.01)),)), Fast, 30)[0][10:])


@pytest.mark.parametrize("reason", ["gone", "called otherwise", "other numbers"])
def test_without_a_kernel_that_works_torch_makes_the_step(reason, monkeypatch):
    real = torch._fused_adam_

    def wrong(weights, *rest, **numbers):
        real(weights, *rest, **numbers)
        if not isinstance(weights[0], nn.Parameter):  # as we call it; torch.optim gives the parameters themselves
            torch._foreach_add_(weights, 1e-3)

    def other(a):
        raise TypeError

    fused.is_right.cache_clear()
    broken = {"gone": None, "called otherwise": other, "other numbers": wrong}[reason]
    optimizer = _stepped(Adam())
    if broken is None:
        monkeypatch.delattr(torch, "_fused_adam_")
    else:
        monkeypatch.setattr(torch, "_fused_adam_", broken)
    assert fused.fused_update(optimizer) is None
    monkeypatch.undo()
    fused.is_right.cache_clear()
    assert fused.fused_update(optimizer) is not None


def _stepped(choice):
    weights = [nn.Parameter(torch.ones(3))]
    optimizer = choice.build(weights)
    weights[0].grad = torch.ones(3)
    optimizer.step()
    return optimizer


@pytest.mark.parametrize("choice", [Adam(), AdamW(), SGD(), SGD(momentum=0.9), GradientDescent()], ids=repr)
def test_a_kernel_called_off_leaves_everything_as_it_was(choice):
    optimizer = _stepped(choice)
    weight = optimizer.param_groups[0]["params"][0]
    found_inf = torch.zeros(1)
    update = fused.fused_update(optimizer, found_inf)
    before = copy.deepcopy((weight.detach(), optimizer.state_dict()["state"]))
    found_inf.fill_(1)
    update([torch.full((3,), float("nan"))], torch.tensor(0.1))
    after = (weight.detach(), optimizer.state_dict()["state"])
    torch.testing.assert_close(after, before, rtol=0, atol=0)
    found_inf.fill_(0)
    update([torch.ones(3)], torch.tensor(0.1))
    assert not torch.equal(weight.detach(), before[0])


def test_lbfgs_in_a_lane_is_torchs_own_on_the_whole_split():
    here = ground(spiral(lanes=(Lane(optimizer=LBFGS()),)))
    rows = curves(here.made(Fast).steps(here.source, 1, 5))
    other = ground(here.experiment).series[0].model
    x, y = here.source.whole()
    optimizer = torch.optim.LBFGS(other.parameters(), lr=1.0, max_iter=20, history_size=10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(other(x), y)
        loss.backward()
        return loss

    expected = [optimizer.step(closure).item() for _ in range(5)]
    torch.testing.assert_close(rows[:, 0], torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-5)
    assert rows[-1, 0] < rows[0, 0]


def test_too_little_memory_on_a_gpu_becomes_a_sentence(monkeypatch):
    here = ground(spiral())
    executor = here.made(Fast)

    def full(batch):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(executor.runner(here.series[0]), "_loss_and_gradient", full)
    with pytest.raises(TrainingError, match="not enough for batches of 10"):
        executor.steps(here.source, 1, 1)


def test_it_takes_whatever_there_is():
    assert fast.Fast.supports(spiral(), ground(spiral()).series[0], CPU) == ""
