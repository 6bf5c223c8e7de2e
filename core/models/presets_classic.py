"""Small forms of the networks that made history, each quick to train on a CPU."""

from core.models.layers.activation import ReLU, Tanh
from core.models.layers.attention import SelfAttention, TransformerEncoder
from core.models.layers.containers import Residual
from core.models.layers.convolution import Conv2d
from core.models.layers.embedding import Embedding, PatchEmbed, PositionalEncoding
from core.models.layers.linear import Linear
from core.models.layers.menu import AnyLayer
from core.models.layers.pooling import AvgPool2d, GlobalAvgPool, MaxPool2d
from core.models.layers.recurrent import LSTM
from core.models.layers.regularization import BatchNorm2d, LayerNorm
from core.models.layers.sequence import PoolTime
from core.models.layers.shape import Flatten
from core.models.preset import Preset


def _vgg_block(out_channels: int) -> tuple[AnyLayer, ...]:
    """Two padded convolutions, then half the size."""
    convolution = Conv2d(out_channels=out_channels, kernel_size=3, padding=1)
    return (convolution, ReLU(), convolution, ReLU(), MaxPool2d(kernel_size=2))


def _resnet_convolution(out_channels: int, stride: int = 1) -> tuple[AnyLayer, ...]:
    """A convolution without bias, which the normalisation after it would subtract again."""
    convolution = Conv2d(out_channels=out_channels, kernel_size=3, padding=1, stride=stride, bias=False)
    return (convolution, BatchNorm2d())


def _resnet_block(out_channels: int, stride: int = 1) -> tuple[AnyLayer, ...]:
    """A skip around two convolutions; where they change the shape, a projection fits the skip to it."""
    inner = (*_resnet_convolution(out_channels, stride), ReLU(), *_resnet_convolution(out_channels))
    return (Residual(layers=inner), ReLU())


_VIT_BLOCK = TransformerEncoder(num_heads=4, dim_feedforward=128, activation="gelu", norm_first=True)

IMAGES: tuple[Preset, ...] = (
    Preset(
        "cnn-8x8",
        "Small CNN, 16-32",
        "Two padded convolutions that keep the map's size and two poolings that halve it: made for digits of 8 × 8 pixels.",
        (
            Conv2d(out_channels=16, kernel_size=3, padding=1),
            ReLU(),
            MaxPool2d(kernel_size=2),
            Conv2d(out_channels=32, kernel_size=3, padding=1),
            ReLU(),
            MaxPool2d(kernel_size=2),
            Flatten(),
        ),
        ranks=(3,),
    ),
    Preset(
        "lenet-5",
        "LeNet-5",
        "LeCun's network of 1998 for handwritten digits: Tanh, and means where one takes maxima today. Padding 2 makes 28 × 28 "
        "pixels the 32 × 32 that it was drawn for. Every map sees all maps before it; in the original some did not.",
        (
            Conv2d(out_channels=6, kernel_size=5, padding=2),
            Tanh(),
            AvgPool2d(kernel_size=2),
            Conv2d(out_channels=16, kernel_size=5),
            Tanh(),
            AvgPool2d(kernel_size=2),
            Flatten(),
            Linear(out_features=120),
            Tanh(),
            Linear(out_features=84),
            Tanh(),
        ),
        ranks=(3,),
    ),
    Preset(
        "vgg-tiny",
        "Tiny VGG, 16-32",
        "VGG's plan on a small scale: pairs of 3 × 3 convolutions, then a pooling, with twice the channels after each.",
        (*_vgg_block(16), *_vgg_block(32), Flatten(), Linear(out_features=64), ReLU()),
        ranks=(3,),
    ),
    Preset(
        "resnet-tiny",
        "Tiny ResNet, 16-32-64",
        "Three skip connections around pairs of convolutions: gradients reach the first layer on a short way. The last two "
        "halve the maps and project the skip.",
        (
            *_resnet_convolution(16),
            ReLU(),
            *_resnet_block(16),
            *_resnet_block(32, stride=2),
            *_resnet_block(64, stride=2),
            GlobalAvgPool(),
        ),
        ranks=(3,),
    ),
    Preset(
        "vit-tiny",
        "Tiny ViT, 2 blocks",
        "A vision transformer: patches of 4 × 4 pixels become words, two encoder blocks let each look at all, and a class "
        "token gathers the answer. It knows nothing of neighbours at first, and needs more examples than a CNN.",
        (
            PatchEmbed(patch_size=4, embedding_dim=64, class_token=True),
            PositionalEncoding(encoding="learned"),
            _VIT_BLOCK,
            _VIT_BLOCK,
            PoolTime(reduce="first"),
            LayerNorm(),  # the blocks normalise before each part, so that their end is not normalised yet
        ),
        ranks=(3,),
    ),
)

SEQUENCES: tuple[Preset, ...] = (
    Preset(
        "lstm",
        "LSTM, 32",
        "Reads a sentence word by word and answers from its memory at the end: it can learn what a 'not' turns around.",
        (Embedding(embedding_dim=32), LSTM(hidden_size=32)),
        ranks=(1,),
    ),
    Preset(
        "attention",
        "Attention, 2 heads",
        "Every word looks at all words once, and 32 neurons decide on the mean of what they saw: where it looked can be shown.",
        (
            Embedding(embedding_dim=32),
            PositionalEncoding(),
            SelfAttention(num_heads=2),
            PoolTime(reduce="mean"),
            Linear(out_features=32),
            ReLU(),
        ),
        ranks=(1,),
    ),
)
