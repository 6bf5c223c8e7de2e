"""A fork, and a run with frozen layers, against training loops written by hand in bare torch."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from core.data.rendered import Digits
from core.events import Artifact, Finished, StepsDone
from core.experiment.experiment import Budget, Lane
from core.experiment.origin import Origin
from core.optim.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop
from core.optim.regularizers import WeightDecay
from core.seeds import stream_seed
from core.settings import Settings
from core.training.checkpoints import load_state, load_weights
from core.training.loop import train
from tests.core.samples import linear, spiral, stack

STEPS = 25
ORIGIN = Origin(run="0123456789abcdef", name="step-000000025.safetensors", sha256="0" * 64, step=STEPS)
OPTIMIZERS = {
    "adam": (Adam(lr=0.01), lambda p: torch.optim.Adam(p, lr=0.01)),
    "adamw": (AdamW(lr=0.01, weight_decay=0.1), lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1)),
    "momentum": (SGD(lr=0.05, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
    "rmsprop": (RMSprop(lr=0.005), lambda p: torch.optim.RMSprop(p, lr=0.005)),
    "adagrad": (Adagrad(lr=0.05), lambda p: torch.optim.Adagrad(p, lr=0.05)),
}
CONV = ("Conv2d", {"out_channels": 3})
NORMED = stack(CONV, "BatchNorm2d", "ReLU", ("Dropout", {"p": 0.5}), "MaxPool2d", "Flatten", linear(10))


def perceptron():
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))


def convolutional():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(0.5), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(27, 10)
    )


def deep():
    return nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 6), nn.LayerNorm(6), nn.Linear(6, 2))


NETS = {
    "first of two": (spiral(), perceptron, (0,)),
    "last of two": (spiral(), perceptron, (2,)),
    "middle": (spiral(model=stack(linear(6), "ReLU", linear(6), "LayerNorm", linear(2))), deep, (2, 3)),
    "batch norm and dropout": (spiral(data=Digits(), model=NORMED, batch_size=128), convolutional, (0, 1, 3)),
}


def batches(experiment):
    """(x, y) of every step, as the seeds say."""
    splits = experiment.data.splits(experiment.seed)
    x, y = torch.from_numpy(np.array(splits.model_input(splits.train.x))), torch.from_numpy(np.array(splits.train.y))
    made, epoch = [], 0
    while len(made) < STEPS:
        epoch += 1
        generator = torch.Generator().manual_seed(stream_seed(experiment.seed, "batches") ^ epoch)
        made += [(x[part], y[part]) for part in torch.randperm(len(y), generator=generator).split(experiment.batch_size)]
    return made[:STEPS]


def hand_written(experiment, model, optimizer, frozen=()):
    """The losses of a textbook loop; the layers in `frozen` stay in evaluation mode."""
    losses = []
    model.train()
    for index in frozen:
        model[index].eval()
    for x, y in batches(experiment):
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def trained(experiment, **more):
    """Losses of the first series, and the checkpoints by step."""
    items = list(train(experiment, settings=Settings(checkpoint_s=1e9), **more))
    assert isinstance(items[-1], Finished)
    losses = [loss for item in items if isinstance(item, StepsDone) for loss in item.losses[0]]
    return losses, {item.step: item.data for item in items if isinstance(item, Artifact)}


def initial(experiment, make):
    torch.manual_seed(stream_seed(experiment.seed, "init"))
    return make()


def brief(experiment, optimizer, **changes):
    return experiment.but(lanes=(Lane(optimizer=optimizer),), budget=Budget(epochs=None, steps=STEPS), **changes)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_fork_with_optimizer_state_is_a_loop_that_loads_both_state_dicts(name):
    choice, make_optimizer = OPTIMIZERS[name]
    experiment = brief(spiral(), choice)
    _, kept = trained(experiment)
    ours, after = trained(experiment.but(origin=ORIGIN.but(optimizer_state=True)), origin=kept[STEPS])

    first = initial(experiment, perceptron)
    optimizer = make_optimizer(first.parameters())
    hand_written(experiment, first, optimizer)
    second = perceptron()
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    continued = make_optimizer(second.parameters())
    continued.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    theirs = hand_written(experiment, second, continued)

    assert np.abs(np.subtract(ours, theirs)).max() < 1e-5
    state, step = load_weights(after[STEPS])
    assert step == STEPS
    assert all(torch.allclose(state[key], value, atol=1e-5) for key, value in second.state_dict().items())


def test_a_fork_without_optimizer_state_starts_with_empty_moments_and_takes_another_rate_and_optimizer():
    experiment = brief(spiral(), Adam(lr=0.01))
    _, kept = trained(experiment)
    ours, _ = trained(brief(experiment, SGD(lr=0.2), origin=ORIGIN), origin=kept[STEPS])
    model = perceptron()
    model.load_state_dict(load_weights(kept[STEPS])[0])
    theirs = hand_written(experiment, model, torch.optim.SGD(model.parameters(), lr=0.2))
    assert np.abs(np.subtract(ours, theirs)).max() < 1e-5


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", ["adam", "adamw", "momentum"])
def test_frozen_layers_are_those_of_a_loop_with_requires_grad_false(net, name):
    experiment, make, frozen = NETS[net]
    choice, make_optimizer = OPTIMIZERS[name]
    experiment = brief(experiment, choice, frozen=frozen)
    ours, kept = trained(experiment)
    model = initial(experiment, make)
    before = copy.deepcopy(model.state_dict())
    for index in frozen:
        model[index].requires_grad_(requires_grad=False)
    optimizer = make_optimizer([parameter for parameter in model.parameters() if parameter.requires_grad])
    theirs = hand_written(experiment, model, optimizer, frozen)
    assert np.abs(np.subtract(ours, theirs)).max() < 1e-5
    state = load_state(kept[STEPS])
    for key, value in before.items():
        if int(key.partition(".")[0]) in frozen:
            assert torch.equal(state.models[0][key], value), key
    assert len(state.optimizers[0]["param_groups"][0]["params"]) == len(optimizer.param_groups[0]["params"])


def test_decay_moves_no_frozen_weight():
    lane = Lane(optimizer=AdamW(lr=0.01, weight_decay=0.5), regularizers=(WeightDecay(strength=0.5),))
    experiment = spiral(lanes=(lane,), frozen=(0,), steps=STEPS)
    _, kept = trained(experiment)
    first, last = (load_weights(kept[step])[0] for step in (0, STEPS))
    assert torch.equal(first["0.weight"], last["0.weight"])
    assert not torch.equal(first["2.weight"], last["2.weight"])
