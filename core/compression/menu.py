"""The Menu of compressions. Importing it loads no torch."""

from typing import Annotated

from core.compression.distillation import Distillation
from core.compression.half import HalfPrecision
from core.compression.pruning import MagnitudePruning, RandomPruning, StructuredPruning
from core.compression.quantised import DynamicInt8, StaticInt8
from core.spec import on_menu

AnyCompression = Annotated[
    MagnitudePruning | StructuredPruning | RandomPruning | DynamicInt8 | StaticInt8 | HalfPrecision | Distillation,
    on_menu(),
]
