"""Ready stacks to start from, each for any number of classes."""

from dataclasses import dataclass

from core.errors import SpecError, nearest
from core.models.layers.activation import ReLU, Tanh
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.menu import AnyLayer
from core.models.layers.pooling import MaxPool2d
from core.models.layers.shape import Flatten
from core.models.model import ModelSpec, infer
from core.types import Shape


@dataclass(frozen=True, slots=True)
class Preset:
    """A stack with a name. `body` is all but the last layer, which is a Linear with one output per class.

    `ranks` are the numbers of axes of the inputs it is meant for: 1 for (F,), 3 for (C, H, W).
    """

    name: str
    label: str
    about: str
    body: tuple[AnyLayer, ...]
    ranks: tuple[int, ...]

    def model(self, n_classes: int) -> ModelSpec:
        """The stack for `n_classes` outputs."""
        return ModelSpec(layers=(*self.body, Linear(out_features=n_classes)))

    def fits(self, input_shape: Shape) -> bool:
        """Whether it is meant for such inputs, and every layer can take what it receives."""
        return len(input_shape) in self.ranks and infer(ModelSpec(layers=self.body), input_shape).out_shape is not None


PRESETS: tuple[Preset, ...] = (
    Preset(
        "mlp-2d",
        "Small MLP, 8-8",
        "Two hidden layers of eight Tanh neurons: few enough to look at each, made for points in the plane.",
        (Linear(out_features=8), Tanh(), Linear(out_features=8), Tanh()),
        ranks=(1,),
    ),
    Preset(
        "mlp-tabular",
        "MLP for tables, 32-16",
        "Two ReLU layers that narrow towards the classes: a first try for a table with tens of columns.",
        (Linear(out_features=32), ReLU(), Linear(out_features=16), ReLU()),
        ranks=(1,),
    ),
    Preset(
        "logistic",
        "Logistic regression",
        "One linear layer: the baseline that every deeper model has to beat, with weights that can be read as pictures.",
        (Flatten(),),
        ranks=(1, 3),
    ),
    Preset(
        "mlp-128-128",
        "MLP, 128-128",
        "The classic fully connected network for 28 × 28 digits: it sees pixels, but not which are neighbours.",
        (Flatten(), Linear(out_features=128), ReLU(), Linear(out_features=128), ReLU()),
        ranks=(3,),
    ),
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
        "cnn-32-64",
        "CNN, 32-64",
        "Convolution, pooling, convolution, pooling, then 64 neurons: about as many parameters as the MLP on 28 × 28 digits.",
        (
            Conv2d(out_channels=32, kernel_size=3),
            ReLU(),
            MaxPool2d(kernel_size=2),
            Conv2d(out_channels=64, kernel_size=3),
            ReLU(),
            MaxPool2d(kernel_size=2),
            Flatten(),
            Linear(out_features=64),
            ReLU(),
        ),
        ranks=(3,),
    ),
)


def preset(name: str) -> Preset:
    """The preset with this name.

    Raises:
        SpecError: there is none; the hint names the nearest.
    """
    by_name = {each.name: each for each in PRESETS}
    if name not in by_name:
        raise SpecError(f"There is no preset {str(name)[:80]!r}.", hint=nearest(name, by_name))
    return by_name[name]
