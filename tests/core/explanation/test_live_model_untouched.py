"""No method touches the live model or any global random state: not when it ends well, nor when it fails or is cancelled.

Over the Menu and the kinds of data: a method that joins the Menu is tested without a new line here.
"""

import contextlib
import itertools
import random
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest
import torch
from torch import nn

from core.data.dataset import Splits
from core.data.evidence import KnownEvidence
from core.data.gallery import background, example
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer, Diabetes
from core.explanation.explainer import Subject
from core.explanation.menu import AnyExplainer
from core.explanation.prepared import subject_of
from core.models.model import ModelSpec, all_layers, build
from core.spec import choices
from tests.core.samples import linear, stack

MENU = [cls() for cls in choices(AnyExplainer)]
CONV = ("Conv2d", {"out_channels": 4, "padding": 1})
GRU = ("GRU", {"hidden_size": 4, "returns": "sequence"})
CASES = {
    "image": (KnownEvidence(n_examples=200), stack(CONV, "BatchNorm2d", "ReLU", "MaxPool2d", "Dropout", "Flatten", linear(4))),
    "table": (BreastCancer(), stack(linear(8), "BatchNorm1d", "ReLU", "Dropout", linear(2))),
    "number": (Diabetes(), stack(linear(8), "ReLU", linear(1))),
    "one output": (BreastCancer(), stack(linear(8), "Tanh", linear(1))),
    "text": (Sentiment(n_examples=200), stack(("Embedding", {"num_embeddings": 128}), GRU, "PoolTime", "Dropout", linear(2))),
}


def fitting(case: str) -> list:
    data, model = CASES[case]
    kinds = tuple(layer.kind for _, layer in all_layers(model.layers))
    return [explainer for explainer in MENU if explainer.reason_against(data.profile(), kinds) is None]


PAIRS = [pytest.param(case, explainer, id=f"{case}-{explainer.kind}") for case in CASES for explainer in fitting(case)]


@dataclass
class Live:
    """A model in the middle of its training, watched by somebody else's hooks."""

    module: nn.Sequential
    heard: list[str]


def in_place(spec: ModelSpec, shape: tuple[int, ...]) -> nn.Sequential:
    """As the builder makes it, but with an in-place layer, which libraries trip over."""
    module = build(spec, shape, 0)
    for layer in module.modules():
        if isinstance(layer, nn.ReLU):
            layer.inplace = True
    return module


@lru_cache
def splits_of(case: str) -> Splits:
    return CASES[case][0].splits(0)


def live_of(case: str) -> Live:
    """Every layer has hooks, and every weight a gradient."""
    module = in_place(CASES[case][1], splits_of(case).profile.input_shape).train()
    heard: list[str] = []
    for layer in module.modules():
        layer.register_forward_hook(lambda *_: heard.append("forward"))
        layer.register_forward_pre_hook(lambda *_: heard.append("before"))
    # On every layer torch itself would refuse: in-place layers and these hooks do not go together.
    module[-1].register_full_backward_hook(lambda *_: heard.append("backward"))
    trained_once(module, case)
    heard.clear()
    return Live(module, heard)


def trained_once(module: nn.Sequential, case: str) -> None:
    torch.manual_seed(1)
    module(torch.from_numpy(background(splits_of(case), 16, 0))).sum().backward()


def footprint(module: nn.Module) -> dict[str, object]:
    """All that could be changed about a model, to the byte."""
    layers = list(module.named_modules())
    return {
        "state": {name: tensor.detach().numpy().tobytes() for name, tensor in module.state_dict().items()},
        "ids": {name: id(tensor) for name, tensor in [*module.named_parameters(), *module.named_buffers()]},
        "grads": {name: (p.requires_grad, p.grad.numpy().tobytes()) for name, p in module.named_parameters()},
        "modes": {name: (layer.training, getattr(layer, "inplace", None)) for name, layer in layers},
        "hooks": {
            name: [
                dict(hooks)
                for hooks in (layer._forward_hooks, layer._forward_pre_hooks, layer._backward_hooks, layer._backward_pre_hooks)
            ]
            for name, layer in layers
        },
        "attributes": {name: sorted(vars(layer)) for name, layer in layers},
    }


def random_states() -> list[object]:
    name, keys, place, has_gauss, gauss = np.random.get_state()
    return [torch.get_rng_state().tolist(), (name, keys.tolist(), place, has_gauss, gauss), random.getstate()]


def subject_for(live: Live, case: str) -> Subject:
    splits = splits_of(case)
    return subject_of(live.module, splits, example(splits, "validation", 1), background(splits, 30, 0), None)


class Interrupted(Exception):
    pass


def silent(done: int, total: int) -> None:
    pass


def check_untouched(live: Live, before: dict[str, object], states: list[object]) -> None:
    after = footprint(live.module)
    for what, value in before.items():
        assert after[what] == value, what
    assert random_states() == states
    assert live.heard == []
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize(("case", "explainer"), PAIRS)
def test_after_an_explanation(case, explainer):
    live = live_of(case)
    before, states = footprint(live.module), random_states()
    found = explainer.attribute(subject_for(live, case), silent)
    assert np.isfinite(found.values).all()
    check_untouched(live, before, states)
    trained_once(live.module, case)  # training goes on
    assert "backward" in live.heard


@pytest.mark.parametrize("after", [1, 2])
@pytest.mark.parametrize(("case", "explainer"), PAIRS)
def test_after_a_cancel(case, explainer, after):
    live = live_of(case)
    before, states, reports = footprint(live.module), random_states(), itertools.count()

    def progress(done: int, total: int) -> None:
        if next(reports) == after:
            raise Interrupted

    with contextlib.suppress(Interrupted):  # the fastest methods have told all that they have to tell by then
        explainer.attribute(subject_for(live, case), progress)
    assert next(reports) > 1
    check_untouched(live, before, states)


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize(("case", "explainer"), PAIRS)
def test_after_a_model_that_fails_in_the_middle(case, explainer, at):
    live = live_of(case)
    before, states, calls = footprint(live.module), random_states(), itertools.count(1)
    subject = subject_for(live, case)

    def fail(*_: object) -> None:
        if next(calls) >= at:
            raise Interrupted

    subject.module.register_forward_pre_hook(fail)
    try:
        explainer.attribute(subject, silent)
    except Interrupted:
        pass
    else:
        assert at == next(calls) == 2, "it goes on after the failure"  # one pass was all that it needed
    check_untouched(live, before, states)


def test_every_method_on_the_menu_is_tested_here():
    tested = {explainer.kind for case in CASES for explainer in fitting(case)}
    assert tested == {explainer.kind for explainer in MENU}
