"""The Menu of layers. A new layer is one class in one file, and its name here."""

from typing import Annotated

from core.models.layers.activation import GELU, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from core.models.layers.containers import Parallel, Residual
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.pooling import AvgPool2d, MaxPool2d
from core.models.layers.regularization import BatchNorm1d, BatchNorm2d, Dropout
from core.models.layers.shape import Flatten
from core.spec import on_menu

AnyLayer = Annotated[
    Linear
    | Conv2d
    | MaxPool2d
    | AvgPool2d
    | Flatten
    | ReLU
    | LeakyReLU
    | GELU
    | Tanh
    | Sigmoid
    | Softmax
    | Dropout
    | BatchNorm1d
    | BatchNorm2d
    | Residual
    | Parallel,
    on_menu(),
]
"""Every layer a stack can have, in the order in which the builder offers them."""

for _container in (Residual, Parallel):
    _container.model_rebuild(_types_namespace={"AnyLayer": AnyLayer})  # they hold layers of this Menu
