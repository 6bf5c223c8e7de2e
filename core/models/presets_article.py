"""The five networks of the seed article, exactly; where it printed one wrongly, as printed and corrected."""

from core.models.layers.activation import ReLU, Sigmoid
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.menu import AnyLayer
from core.models.layers.pooling import MaxPool2d
from core.models.layers.shape import Flatten
from core.models.preset import Preset

_CNN: tuple[AnyLayer, ...] = (
    Conv2d(out_channels=32, kernel_size=3),
    ReLU(),
    MaxPool2d(kernel_size=2),
    Conv2d(out_channels=64, kernel_size=3),
    ReLU(),
    MaxPool2d(kernel_size=2),
    Flatten(),
    Linear(out_features=64),
    ReLU(),
)


def _mlp(*widths: int) -> tuple[AnyLayer, ...]:
    """Flatten, then fully connected layers with ReLU."""
    hidden = [layer for width in widths for layer in (Linear(out_features=width), ReLU())]
    return (Flatten(), *hidden)


ARTICLE: tuple[Preset, ...] = (
    Preset(
        "mlp-128-128",
        "MLP, 128-128",
        "The article's first network, the classic for 28 × 28 digits: it sees pixels, but not which are neighbours.",
        _mlp(128, 128),
        ranks=(3,),
    ),
    Preset(
        "cnn-32-64",
        "CNN, 32-64",
        "Convolution, pooling, convolution, pooling, then 64 neurons: about as many parameters as the MLP on 28 × 28 digits. "
        "The article's CNN with one output per class, as it must be for ten digits.",
        _CNN,
        ranks=(3,),
    ),
    Preset(
        "cnn-32-64-printed",
        "CNN, 32-64, as printed",
        "The article's CNN with the last layer that was printed: a single Sigmoid unit for ten digits.",
        _CNN,
        ranks=(3,),
        tasks=("classification",),
        warning="As printed it ends in one Sigmoid unit and is trained with binary cross-entropy against the labels 0 to 9. "
        "One unit cannot name ten classes, and for labels above 1 this loss falls below zero without end: the network comes to "
        "answer 1 for every image, which is right for 11.35 % of MNIST's test images. The article's 98.89 % needs ten outputs "
        "and softmax cross-entropy.",
        twin="cnn-32-64",
        head=(Linear(out_features=1), Sigmoid()),
    ),
    Preset(
        "mlp-100-50",
        "MLP, 100-50",
        "The article's third network with the ReLU that it lacked in print: two hidden layers that narrow towards the classes.",
        _mlp(100, 50),
        ranks=(3,),
    ),
    Preset(
        "mlp-100-50-printed",
        "MLP, 100-50, as printed",
        "The article's third network with no activation between its layers, as it was printed.",
        (Flatten(), Linear(out_features=100), Linear(out_features=50)),
        ranks=(3,),
        warning="As printed it has no activations. Three linear layers in a row can learn no more than one: this is logistic "
        "regression with 84,060 parameters in place of 7,850, and reaches 92 % on MNIST, where the same layers with ReLU reach "
        "98 %.",
        twin="mlp-100-50",
    ),
    Preset(
        "mlp-1000-128-64",
        "MLP, 1000-128-64",
        "The article's widest network: 1000, 128 and 64 neurons, nearly all of its weights in the first layer.",
        _mlp(1000, 128, 64),
        ranks=(3,),
    ),
    Preset(
        "mlp-64-64",
        "MLP, 64-64",
        "The article's smallest network: half the neurons of 128-128, and quick to train.",
        _mlp(64, 64),
        ranks=(3,),
    ),
)
