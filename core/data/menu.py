"""The Menu of data sets. Imports no torch and no scikit-learn."""

from typing import Annotated

from core.data.drawn import DrawnPoints
from core.data.evidence import KnownEvidence
from core.data.own.images import OwnImages
from core.data.own.table import OwnTable
from core.data.own.text import OwnText
from core.data.rendered import Digits, RenderedDigits
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer, Diabetes, Iris, Wine
from core.data.toy import Checkerboard, Circle, Gauss, GaussRegression, Moons, PlaneRegression, Spiral, Xor
from core.data.vision import CIFAR10, KMNIST, MNIST, FashionMNIST
from core.spec import on_menu

AnyDataset = Annotated[
    Circle
    | Xor
    | Gauss
    | Spiral
    | Moons
    | Checkerboard
    | PlaneRegression
    | GaussRegression
    | DrawnPoints
    | Digits
    | RenderedDigits
    | KnownEvidence
    | Iris
    | Wine
    | BreastCancer
    | Diabetes
    | Sentiment
    | MNIST
    | FashionMNIST
    | KMNIST
    | CIFAR10
    | OwnTable
    | OwnText
    | OwnImages,
    on_menu(),
]
