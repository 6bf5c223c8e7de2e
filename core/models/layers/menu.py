"""The Menu of layers. A new layer is one class in one file, and its name here."""

from typing import Annotated

from pydantic import AfterValidator

from core.models.layers.activation import ELU, GELU, LeakyReLU, LogSoftmax, Mish, PReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from core.models.layers.attention import SelfAttention, TransformerEncoder
from core.models.layers.backbone import Backbone
from core.models.layers.containers import Parallel, Residual, within_limit
from core.models.layers.convolution import Conv2d, ConvTranspose2d
from core.models.layers.embedding import Embedding, PatchEmbed, PositionalEncoding
from core.models.layers.linear import Linear
from core.models.layers.pooling import AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool, MaxPool2d
from core.models.layers.recurrent import GRU, LSTM, RNN
from core.models.layers.regularization import BatchNorm1d, BatchNorm2d, Dropout, Dropout2d, GroupNorm, LayerNorm
from core.models.layers.sequence import Conv1d, MaxPool1d, PoolTime
from core.models.layers.shape import Flatten, Reshape, Upsample
from core.spec import on_menu

AnyLayer = Annotated[
    Linear
    | Conv2d
    | MaxPool2d
    | AvgPool2d
    | AdaptiveAvgPool2d
    | GlobalAvgPool
    | Flatten
    | Reshape
    | ConvTranspose2d
    | Upsample
    | ReLU
    | LeakyReLU
    | PReLU
    | ELU
    | GELU
    | SiLU
    | Mish
    | Tanh
    | Sigmoid
    | Softmax
    | LogSoftmax
    | Dropout
    | Dropout2d
    | BatchNorm1d
    | BatchNorm2d
    | LayerNorm
    | GroupNorm
    | Embedding
    | PositionalEncoding
    | PatchEmbed
    | Conv1d
    | MaxPool1d
    | PoolTime
    | RNN
    | LSTM
    | GRU
    | SelfAttention
    | TransformerEncoder
    | Residual
    | Parallel
    | Backbone,
    on_menu(),
]
"""Every layer a stack can have, in the order in which the builder offers them."""

for _container in (Residual, Parallel):
    _container.model_rebuild(_types_namespace={"AnyLayer": AnyLayer})  # they hold layers of this Menu

Layers = Annotated[tuple[AnyLayer, ...], AfterValidator(within_limit)]
"""The layers of a model: those inside of others count towards its limit."""
