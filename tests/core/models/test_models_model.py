"""A stack infers its shapes, names both sides of a mismatch, and builds the same weights for the same seed."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from core.errors import ShapeError, SpecError
from core.models.cost import activation_bytes, parameter_bytes
from core.models.layers.activation import ReLU, Tanh
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.pooling import MaxPool2d
from core.models.layers.regularization import BatchNorm2d, Dropout
from core.models.layers.shape import Flatten
from core.models.model import MAX_LAYERS, ModelSpec, build, infer, stack_error
from core.models.presets import preset
from core.seeds import stream_seed
from core.spec import parse_json

FORGOTTEN_FLATTEN = ModelSpec(layers=(Conv2d(out_channels=8), ReLU(), MaxPool2d(), Linear(), ReLU(), Linear()))
MLP = ModelSpec(layers=(Linear(out_features=5), Tanh(), Linear(out_features=3, bias=False)))


def weights(module: nn.Module) -> torch.Tensor:
    return torch.cat([each.detach().flatten() for each in module.parameters()])


def test_inference_by_hand():
    inference = infer(MLP, (2,))
    assert [info.out_shape for info in inference.layers] == [(5,), (5,), (3,)]
    assert [info.n_parameters for info in inference.layers] == [15, 0, 15]
    assert (inference.n_parameters, inference.multiply_adds, inference.out_shape) == (30, 25, (3,))


def test_an_empty_stack_gives_what_it_gets():
    inference = infer(ModelSpec(), (3, 4, 4))
    assert (inference.out_shape, inference.n_parameters, inference.error_index) == ((3, 4, 4), 0, None)


def test_a_mismatch_stops_inference_and_blocks_the_layers_behind_it():
    inference = infer(FORGOTTEN_FLATTEN, (1, 10, 10))
    assert inference.error_index == 3
    assert [info.is_blocked for info in inference.layers] == [False] * 4 + [True] * 2
    assert inference.layers[3].in_shape == (8, 4, 4)
    assert inference.out_shape is None


def test_build_refuses_with_both_layers_and_both_shapes():
    with pytest.raises(SpecError) as caught:
        build(FORGOTTEN_FLATTEN, (1, 10, 10), seed=0)
    assert caught.value.message == "Layer 4 Linear needs a flat vector but receives 8 × 4 × 4 from layer 3 MaxPool2d."
    assert caught.value.hint == "Put Flatten before it."


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (ModelSpec(layers=(Linear(),)), (1, 8, 8), "Layer 1 Linear needs a flat vector but receives 1 × 8 × 8 from the input."),
        (
            ModelSpec(layers=(Flatten(), BatchNorm2d())),
            (1, 8, 8),
            "Layer 2 BatchNorm2d needs maps (channels × height × width) but receives a flat vector of 64 from layer 1 Flatten.",
        ),
        (
            ModelSpec(layers=(MaxPool2d(kernel_size=5, padding=1),)),
            (1, 8, 2),
            "Layer 1 MaxPool2d needs maps of at least 3 × 3 for its 5 × 5 window with padding 1 "
            "but receives 1 × 8 × 2 from the input.",
        ),
        (
            ModelSpec(layers=(Conv2d(out_channels=8, groups=3),)),
            (3, 8, 8),
            "Layer 1 Conv2d has 8 output channels, which 3 groups cannot share equally.",
        ),
        (
            ModelSpec(layers=(Conv2d(out_channels=9, groups=3),)),
            (4, 8, 8),
            "Layer 1 Conv2d needs a number of channels that 3 groups can share equally but receives 4 × 8 × 8 from the input.",
        ),
        (
            ModelSpec(layers=(MaxPool2d(kernel_size=3, padding=2),)),
            (1, 8, 8),
            "Layer 1 MaxPool2d has padding 2, more than half of its kernel_size 3.",
        ),
    ],
)
def test_a_refusal_is_one_sentence_for_a_person(model, shape, message):
    error = stack_error(model, infer(model, shape))
    assert isinstance(error, ShapeError)
    assert error.message == message
    assert error.hint


def test_equal_seeds_give_equal_weights_and_others_do_not():
    first = weights(build(MLP, (2,), seed=7))
    assert torch.equal(first, weights(build(MLP, (2,), seed=7)))
    assert not torch.equal(first, weights(build(MLP, (2,), seed=8)))
    assert not torch.equal(first, weights(build(MLP, (2,), seed=7, repeat=1)))


def test_building_leaves_torchs_random_state_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    build(MLP, (2,), seed=7)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_are_torchs_defaults_drawn_from_the_init_stream():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(7, "init"))
        by_hand = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 3, bias=False))
    built = build(MLP, (2,), seed=7)
    assert torch.equal(weights(built), weights(by_hand))
    assert [name for name, _ in built.named_children()] == ["0", "1", "2"]


def test_the_same_layer_twice_becomes_two_modules():
    layer = Linear(out_features=4)
    built = build(ModelSpec(layers=(layer, ReLU(), layer)), (4,), seed=0)
    assert built[0] is not built[2]
    assert not torch.equal(built[0].weight, built[2].weight)


@pytest.mark.fault(8)
def test_more_layers_than_the_limit_are_refused():
    assert len(ModelSpec(layers=(ReLU(),) * MAX_LAYERS).layers) == MAX_LAYERS
    text = '{"layers": [' + ",".join(['{"kind": "ReLU"}'] * (MAX_LAYERS + 1)) + "]}"
    with pytest.raises(SpecError, match=r"64"):
        parse_json(ModelSpec, text)


@pytest.mark.fault(15)
def test_a_misspelt_layer_gets_the_nearest_name():
    with pytest.raises(SpecError, match="Did you mean 'Conv2d'"):
        parse_json(ModelSpec, '{"layers": [{"kind": "Conv2D"}]}')


def test_bytes_are_those_of_torchs_tensors():
    model = ModelSpec(
        layers=(*preset("cnn-8x8").body, Dropout(p=0.25), Linear(out_features=10)),
    )
    inference, module = infer(model, (1, 8, 8)), build(model, (1, 8, 8), seed=0)
    assert parameter_bytes(inference) == sum(each.nbytes for each in module.parameters())
    batch = torch.rand(1, 1, 8, 8)
    kept = [batch]
    for layer in module:
        kept.append(layer(kept[-1]))
    storages = {each.untyped_storage().data_ptr(): each.untyped_storage().nbytes() for each in kept}
    assert activation_bytes(inference) == sum(storages.values())


def test_everything_known_without_torch_is_known_without_importing_it():
    code = (
        "import sys; from core.models import lint, presets, cost; "
        "p = presets.preset('cnn-32-64').model(10); lint.lint(p, (1, 28, 28), 10); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
