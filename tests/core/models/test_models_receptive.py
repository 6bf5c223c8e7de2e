"""What Reach says an output sees is where torch's gradients are."""

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core.models.layers.activation import ReLU
from core.models.layers.containers import Parallel, Residual
from core.models.layers.convolution import Conv2d, ConvTranspose2d
from core.models.layers.linear import Linear
from core.models.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool, MaxPool2d
from core.models.layers.regularization import LayerNorm
from core.models.layers.sequence import Conv1d, MaxPool1d
from core.models.layers.shape import Flatten, Upsample
from core.models.model import ModelSpec, build, infer
from core.models.stack import Fork, Reach
from tests.contracts.layer_strategies import fitting

SIDE = 36
CONVOLUTIONS = st.builds(
    Conv2d,
    out_channels=st.just(2),
    kernel_size=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
)
POOLS = st.builds(AvgPool2d, kernel_size=st.integers(2, 3), stride=st.sampled_from([None, 1, 2]), padding=st.integers(0, 1))
UPSAMPLES = st.builds(Upsample, scale_factor=st.integers(2, 4), mode=st.sampled_from(["nearest", "bilinear"]))
ADAPTIVE = st.builds(AdaptiveAvgPool2d, output_size=st.integers(3, 20))


def transposes(widest_gap: int) -> st.SearchStrategy[ConvTranspose2d]:
    """Kernels that leave no output without an input where the gap is 0."""
    return st.builds(
        lambda stride, more, padding: ConvTranspose2d(
            out_channels=2, kernel_size=max(1, stride + more), stride=stride, padding=padding
        ),
        st.integers(1, 3),
        st.integers(-widest_gap, 3),
        st.integers(0, 2),
    )


PLAIN = st.one_of(CONVOLUTIONS, POOLS, UPSAMPLES, ADAPTIVE, transposes(0))
SIDE_BY_SIDE = st.builds(
    Parallel,
    merge=st.just("add"),
    branches=st.lists(st.lists(st.one_of(CONVOLUTIONS, POOLS), max_size=2).map(tuple), min_size=2, max_size=3).map(tuple),
)
SKIPS = st.builds(Residual, layers=st.lists(PLAIN, min_size=1, max_size=2).map(tuple))
STACK = st.lists(st.one_of(PLAIN, PLAIN, SIDE_BY_SIDE, SKIPS), min_size=1, max_size=5)


def positive(module: nn.Module) -> nn.Module:
    """The same net with weights that cannot cancel each other, exact enough for gradients that are tiny."""
    for weights in module.parameters():
        nn.init.ones_(weights)
    return module.double()


def rows_seen(module: nn.Module, unit: int) -> list[int]:
    """Input rows with a gradient from one output row (all its pixels, all channels)."""
    image = torch.zeros(1, 2, SIDE, SIDE, dtype=torch.float64, requires_grad=True)
    module(image)[0, :, unit].sum().backward()
    return image.grad.abs().sum((0, 1, 3)).nonzero().flatten().tolist()


def stays_inside(layers: tuple, reach: Reach, first: int, last: int) -> bool:
    """Whether no layer reads its padding on the way to the outputs `first` to `last`."""
    for info, step in zip(reversed(layers), reversed(reach.passed), strict=True):
        if isinstance(step, Fork):
            for branch, inner in zip(info.branches, step.branches, strict=False):  # a skip has no layers
                if not stays_inside(branch.layers, inner, first, last):
                    return False
        first, last = Reach((step,)).inputs(first, last)
        if first < 0 or last >= info.in_shape[1]:
            return False
    return True


def is_skewed(reach: Reach) -> bool:
    """Whether branches that meet go on at different steps, so that later outputs see further than the first ones."""
    forks = [step for step in reach.passed if isinstance(step, Fork)]
    return any(len({branch.step for branch in fork.branches}) > 1 or any(map(is_skewed, fork.branches)) for fork in forks)


def checked(layers: tuple, exactly: bool) -> int:
    """Units whose rows were compared; none is ever beyond what Reach says."""
    model, shape = ModelSpec(layers=layers), (2, SIDE, SIDE)
    inference = infer(model, shape)
    reach, height = inference.reach, inference.out_shape[1]
    module = positive(build(model, shape, seed=0))
    n_exact = 0
    for unit in range(height // 2, min(height // 2 + 4, height)):
        seen, (first, last) = rows_seen(module, unit), reach.inputs(unit)
        assert all(first <= row <= last for row in seen), (unit, seen, first, last)
        assert is_skewed(reach) or last - first + 1 <= reach.size
        if exactly and stays_inside(inference.layers, reach, unit, unit):
            assert (min(seen), max(seen)) == (first, last)
            n_exact += 1
    return n_exact


def test_gradients_are_exactly_where_the_reach_is():
    n_exact = []

    @settings(max_examples=80, deadline=None)
    @given(STACK)
    def holds(layers):
        n_exact.append(checked(fitting(layers, (2, SIDE, SIDE), 50_000), exactly=True))

    holds()
    assert sum(n_exact) >= 50  # else padding and borders have hidden all


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(CONVOLUTIONS, transposes(2), UPSAMPLES), min_size=1, max_size=4))
def test_where_a_transposed_convolution_leaves_gaps_gradients_are_still_within_the_reach(layers):
    checked(fitting(layers, (2, SIDE, SIDE), 50_000), exactly=False)


def conv(kernel_size: int, **changes: int) -> Conv2d:
    return Conv2d(out_channels=2, kernel_size=kernel_size, **changes)


@pytest.mark.parametrize(
    ("layers", "size", "step"),
    [
        ((), 1, 1),
        ((conv(3), conv(3)), 5, 1),  # Simonyan & Zisserman 2015, section 2.3: two 3 × 3 see 5 × 5, three see 7 × 7
        ((conv(3), conv(3), conv(3)), 7, 1),
        ((conv(3), ReLU(), MaxPool2d(), conv(3), ReLU(), MaxPool2d()), 10, 4),
        ((conv(3, dilation=1), conv(3, dilation=2), conv(3, dilation=4)), 15, 1),  # Yu & Koltun 2016, figure 1
        ((conv(7, stride=2, padding=3), MaxPool2d(kernel_size=3, stride=2, padding=1)), 11, 4),  # ResNet's stem
        ((Upsample(scale_factor=2),), 1, Fraction(1, 2)),
        ((Upsample(scale_factor=2, mode="bilinear"),), 2, Fraction(1, 2)),
        ((Upsample(scale_factor=2), conv(2)), 2, Fraction(1, 2)),
        ((Upsample(scale_factor=2), conv(3)), 2, Fraction(1, 2)),
        ((ConvTranspose2d(kernel_size=4, stride=2),), 2, Fraction(1, 2)),
        ((ConvTranspose2d(kernel_size=5, stride=2),), 3, Fraction(1, 2)),
        ((Residual(layers=(conv(3, padding=1), ReLU(), conv(3, padding=1))),), 5, 1),
        ((Parallel(branches=((conv(1),), (conv(5, padding=2),))), conv(3)), 7, 1),
        ((AdaptiveAvgPool2d(output_size=9),), 4, 4),
        ((AdaptiveAvgPool2d(output_size=10),), 5, Fraction(18, 5)),
    ],
)
def test_sizes_and_steps_known_by_hand(layers, size, step):
    reach = infer(ModelSpec(layers=layers), (2, SIDE, SIDE)).reach
    assert (reach.size, reach.step) == (size, step)


@pytest.mark.parametrize(
    "layers",
    [
        (GlobalAvgPool(),),
        (LayerNorm(), conv(3)),
        (Flatten(), Linear()),
        (Parallel(branches=((conv(3),), (conv(3), LayerNorm()))), ReLU()),
    ],
)
def test_after_a_layer_that_sees_everything_there_is_no_reach(layers):
    assert infer(ModelSpec(layers=layers), (2, SIDE, SIDE)).reach is None


def test_along_time_windows_add_up_as_along_pixels():
    layers = (Conv1d(kernel_size=3), MaxPool1d(kernel_size=2), Conv1d(kernel_size=3))
    reach = infer(ModelSpec(layers=layers), (20, 4)).reach
    assert (reach.size, reach.step) == (8, 2)


def test_inside_a_container_the_reach_counts_from_the_input():
    model = ModelSpec(layers=(conv(3), Residual(layers=(conv(3, padding=1), conv(3, padding=1)))))
    inner = infer(model, (2, SIDE, SIDE)).at((1, 0, 1))
    assert inner.reach.size == 7


def test_the_place_is_known_too():
    reach = infer(ModelSpec(layers=(conv(5, stride=2, padding=2),)), (2, SIDE, SIDE)).reach
    assert reach.inputs(0) == (-2, 2)  # two rows of padding
    assert reach.inputs(3, 4) == (4, 10)


def test_two_branches_that_look_aside_of_each_other_see_from_the_first_to_the_last():
    branches = ((conv(3, stride=3, padding=1),), (conv(3, stride=3),))  # rows -1 to 1, and 0 to 2
    reach = infer(ModelSpec(layers=(Parallel(merge="add", branches=branches),)), (2, SIDE, SIDE)).reach
    assert reach.size == 4
