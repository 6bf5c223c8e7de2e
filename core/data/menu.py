"""The Menu of data sets. Imports no torch and no scikit-learn."""

from typing import Annotated

from core.data.rendered import Digits, RenderedDigits
from core.data.tabular import BreastCancer
from core.data.toy import Circle, Gauss, Spiral, Xor
from core.data.vision import MNIST
from core.spec import on_menu

AnyDataset = Annotated[
    Circle | Xor | Gauss | Spiral | Digits | RenderedDigits | BreastCancer | MNIST,
    on_menu(),
]
