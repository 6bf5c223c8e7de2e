"""Ready experiments: what the page opens on, and where an exploration can start."""

from collections.abc import Callable
from dataclasses import dataclass

from core.data.evidence import KnownEvidence
from core.data.preparation import Preparation
from core.data.rendered import Digits, RenderedDigits
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer, Diabetes
from core.data.toy import GaussRegression, Moons, Spiral
from core.data.vision import MNIST
from core.errors import SpecError, nearest
from core.experiment.experiment import Budget, Experiment, Lane
from core.experiment.races import six_optimizers
from core.models.layers.activation import ReLU
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.pooling import MaxPool2d
from core.models.layers.shape import Flatten
from core.models.model import ModelSpec
from core.models.presets import preset
from core.optim.losses import MeanSquaredError
from core.optim.optimizers import Adam

MAPS = ((16, 2), (32, 2), (64, 8))
"""Known evidence: channels of each convolution, and size of the pooling behind it; the last one is over the whole map."""


@dataclass(frozen=True, slots=True)
class ReadyExperiment:
    """An experiment with a name and a sentence that says what there is to see."""

    name: str
    label: str
    about: str
    make: Callable[[], Experiment]


def _spiral() -> Experiment:
    hidden = (Linear(out_features=16), ReLU(), Linear(out_features=16), ReLU())
    return Experiment(
        data=Spiral(n_points=1000, noise=0.1),
        model=ModelSpec(layers=(*hidden, Linear(out_features=2))),
        lanes=(Lane(optimizer=Adam(lr=0.003)),),
        batch_size=10,
        budget=Budget(epochs=800),
    )


def _race() -> Experiment:
    hidden = (Linear(out_features=16), ReLU(), Linear(out_features=16), ReLU())
    return Experiment(
        data=Moons(n_points=400, noise=0.2),
        model=ModelSpec(layers=(*hidden, Linear(out_features=2))),
        lanes=six_optimizers(),
        repeats=4,
        batch_size=32,
        budget=Budget(epochs=120),
    )


def _digits() -> Experiment:
    return Experiment(
        data=Digits(),
        model=preset("cnn-8x8").model(10),
        lanes=(Lane(optimizer=Adam(lr=0.003)),),
        batch_size=32,
        budget=Budget(epochs=60),
    )


def _rendered() -> Experiment:
    return Experiment(
        data=RenderedDigits(n_examples=12_000),
        model=preset("cnn-32-64").model(10),
        lanes=(Lane(optimizer=Adam(lr=0.002)),),
        batch_size=32,
        budget=Budget(epochs=5),
    )


def _mnist() -> Experiment:
    return Experiment(
        data=MNIST(),
        model=preset("cnn-32-64").model(10),
        lanes=(Lane(optimizer=Adam(lr=0.001)),),
        batch_size=32,
        budget=Budget(epochs=1),
    )


def _cancer() -> Experiment:
    return Experiment(
        data=BreastCancer(),
        model=preset("mlp-tabular").model(2),
        lanes=(Lane(optimizer=Adam(lr=0.003)),),
        batch_size=32,
        budget=Budget(epochs=30),
    )


def _evidence() -> Experiment:
    blocks = [(Conv2d(out_channels=n, kernel_size=3, padding=1), ReLU(), MaxPool2d(kernel_size=size)) for n, size in MAPS]
    return Experiment(
        data=KnownEvidence(preparation=Preparation(scaling="standardise")),
        model=ModelSpec(layers=(*(layer for block in blocks for layer in block), Flatten(), Linear(out_features=4))),
        lanes=(Lane(optimizer=Adam(lr=0.002)),),
        batch_size=32,
        budget=Budget(epochs=10),
    )


def _sentiment() -> Experiment:
    data = Sentiment()
    return Experiment(
        data=data,
        model=preset("lstm").model(2, n_tokens=data.profile().n_tokens),
        lanes=(Lane(optimizer=Adam(lr=0.003)),),
        batch_size=32,
        budget=Budget(epochs=8),
    )


def _hills() -> Experiment:
    hidden = (Linear(out_features=16), ReLU(), Linear(out_features=16), ReLU())
    return Experiment(
        data=GaussRegression(),
        model=ModelSpec(layers=(*hidden, Linear(out_features=1))),
        loss=MeanSquaredError(),
        lanes=(Lane(optimizer=Adam(lr=0.01)),),
        batch_size=10,
        budget=Budget(epochs=120),
    )


def _diabetes() -> Experiment:
    return Experiment(
        data=Diabetes(),
        model=ModelSpec(layers=(Linear(out_features=1),)),
        loss=MeanSquaredError(),
        lanes=(Lane(optimizer=Adam(lr=0.01)),),
        batch_size=32,
        budget=Budget(epochs=60),
    )


EXAMPLES: tuple[ReadyExperiment, ...] = (
    ReadyExperiment("spiral", "Two spirals", "Watch a small net bend its decision boundary around two spirals.", _spiral),
    ReadyExperiment("race", "Six optimizers race", "SGD, momentum, RMSprop, Adam, AdamW and Adagrad, four seeds each.", _race),
    ReadyExperiment("digits", "Digits 8 × 8", "A small CNN learns handwritten digits in seconds.", _digits),
    ReadyExperiment("rendered", "Digits 28 × 28", "The article's CNN on rendered digits, no download needed.", _rendered),
    ReadyExperiment("mnist", "MNIST", "The same CNN on real MNIST, from local files.", _mnist),
    ReadyExperiment("cancer", "Breast cancer", "A table of 30 measurements: which of them decide?", _cancer),
    ReadyExperiment(
        "evidence",
        "Known evidence",
        "Which shape is red? The pixels that decide are known, so explanations can be checked against them.",
        _evidence,
    ),
    ReadyExperiment(
        "sentiment", "Sentiment", "An LSTM learns that a “not” turns a sentence around; no single word can.", _sentiment
    ),
    ReadyExperiment("hills", "Hills and hollows", "A net predicts heights instead of classes: six hills and hollows.", _hills),
    ReadyExperiment(
        "diabetes", "Diabetes", "How will the disease go on? One linear layer, whose weights say what counts.", _diabetes
    ),
)


def default_experiment(name: str = "spiral") -> Experiment:
    """The ready experiment of this name; without one, what the page opens on.

    Raises:
        SpecError: there is none; the hint names the nearest.
    """
    by_name = {example.name: example for example in EXAMPLES}
    if name not in by_name:
        raise SpecError(f"There is no example {name[:80]!r}.", hint=nearest(name, by_name))
    return by_name[name].make()
