"""Counts that the papers and articles give, and paths into nested stacks."""

import pytest

from core.models.layers.activation import ReLU, Tanh
from core.models.layers.containers import Parallel, Residual
from core.models.layers.convolution import Conv2d, ConvTranspose2d
from core.models.layers.linear import Linear
from core.models.layers.pooling import AvgPool2d, GlobalAvgPool, MaxPool2d
from core.models.layers.regularization import BatchNorm2d, LayerNorm
from core.models.layers.shape import Flatten, Reshape, Upsample
from core.models.model import ModelSpec, infer, layer_at
from core.models.stack import infer_stack

LENET = (
    Conv2d(out_channels=6, kernel_size=5, padding=2),
    Tanh(),
    AvgPool2d(),
    Conv2d(out_channels=16, kernel_size=5),
    Tanh(),
    AvgPool2d(),
    Flatten(),
    Linear(out_features=120),
    Tanh(),
    Linear(out_features=84),
    Tanh(),
    Linear(out_features=10),
)
SEED_CNN = (
    Conv2d(out_channels=32, kernel_size=3),
    ReLU(),
    MaxPool2d(),
    Conv2d(out_channels=64, kernel_size=3),
    ReLU(),
    MaxPool2d(),
    Flatten(),
    Linear(out_features=64),
    ReLU(),
    Linear(out_features=10),
)


def test_lenet_5_has_61706_parameters():
    inference = infer_stack(LENET, (1, 28, 28))
    assert inference.n_parameters == 61_706
    assert [info.n_parameters for info in inference.layers if info.n_parameters] == [156, 2_416, 48_120, 10_164, 850]
    assert inference.out_shape == (10,)


def test_the_seed_articles_cnn_has_121930_parameters_and_2528000_multiply_adds():
    inference = infer_stack(SEED_CNN, (1, 28, 28))
    assert (inference.n_parameters, inference.multiply_adds) == (121_930, 2_528_000)


def test_resnets_first_stage_of_two_blocks_has_the_papers_convolutions():
    """He et al. 2016, table 1: conv2_x of ResNet-18 on 56 × 56 maps is four 3 × 3 convolutions of 64 channels."""
    conv = Conv2d(out_channels=64, kernel_size=3, padding=1, bias=False)
    block = Residual(layers=(conv, BatchNorm2d(), ReLU(), conv, BatchNorm2d()))
    inference = infer_stack((block, ReLU(), block, ReLU()), (64, 56, 56))
    assert inference.multiply_adds == 4 * 64 * 64 * 9 * 56 * 56
    assert inference.n_parameters == 4 * (64 * 64 * 9 + 128)


@pytest.mark.parametrize(
    ("layer", "shape", "out"),
    [
        (Reshape(), (784,), (1, 28, 28)),
        (Reshape(channels=3), (768,), (3, 16, 16)),
        (Reshape(channels=3, height=8), (768,), (3, 8, 32)),
        (Reshape(channels=3, width=8), (768,), (3, 32, 8)),
        (Reshape(channels=2, height=3, width=4), (4, 6), (2, 3, 4)),
        (Reshape(channels=1, height=3), (7,), None),
        (Reshape(channels=1, width=9), (7,), None),
        (Reshape(channels=1, height=2, width=2), (7,), None),
        (Reshape(channels=8), (7,), None),
        (Reshape(), (7,), None),
        (Upsample(scale_factor=3), (2, 5, 4), (2, 15, 12)),
        (ConvTranspose2d(out_channels=5), (2, 7, 7), (5, 14, 14)),
        (ConvTranspose2d(out_channels=5, kernel_size=3, stride=2, padding=1, output_padding=1), (2, 7, 7), (5, 14, 14)),
        (ConvTranspose2d(output_padding=2), (2, 7, 7), None),
        (GlobalAvgPool(), (12, 7, 5), (12,)),
    ],
)
def test_shapes_by_hand(layer, shape, out):
    inference = infer_stack((layer,), shape)
    assert inference.out_shape == out
    if out is None:
        error = inference.layers[0].error
        assert error.message.startswith(layer.kind)
        assert error.hint


def test_layer_norm_has_two_numbers_for_each_that_it_normalises():
    shapes = [(6,), (5, 6), (4, 3, 3)]
    assert [LayerNorm().n_parameters(shape) for shape in shapes] == [12, 12, 72]


def test_a_path_leads_into_branches():
    model = ModelSpec(layers=(ReLU(), Parallel(branches=((), (Linear(), Residual(layers=(ReLU(), Tanh())))))))
    inference = infer(model, (8,))
    path = (1, 1, 1, 0, 1)
    assert layer_at(model.layers, path) == Tanh()
    assert inference.at(path).in_shape == (64,)
    assert inference.layers[1].out_shape == (72,)


def test_an_error_inside_blocks_all_that_follows_in_every_branch():
    model = ModelSpec(layers=(Residual(layers=(Flatten(), Conv2d(), ReLU())), Parallel(branches=((ReLU(),), ()))))
    inference = infer(model, (1, 4, 4))
    assert inference.error_path == (0, 0, 1)
    assert inference.at((0, 0, 2)).is_blocked
    assert inference.at((1,)).is_blocked
    assert inference.at((1, 0, 0)).is_blocked
    assert inference.n_parameters == 0


def test_a_refusal_that_is_kept_holds_no_frames():
    error = infer_stack((Residual(layers=(Residual(layers=(Conv2d(),)),)),), (4,)).layers[0].error
    assert error.__traceback__ is None
