"""Ready experiments: what the page opens on, and where an exploration can start."""

from collections.abc import Callable
from dataclasses import dataclass

from core.data.rendered import Digits, RenderedDigits
from core.data.tabular import BreastCancer
from core.data.toy import Spiral
from core.data.vision import MNIST
from core.errors import SpecError, nearest
from core.experiment.experiment import Budget, Experiment, Lane
from core.models.layers.activation import ReLU
from core.models.layers.linear import Linear
from core.models.model import ModelSpec
from core.models.presets import preset
from core.optim.optimizers import Adam


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


EXAMPLES: tuple[ReadyExperiment, ...] = (
    ReadyExperiment("spiral", "Two spirals", "Watch a small net bend its decision boundary around two spirals.", _spiral),
    ReadyExperiment("digits", "Digits 8 × 8", "A small CNN learns handwritten digits in seconds.", _digits),
    ReadyExperiment("rendered", "Digits 28 × 28", "The article's CNN on rendered digits, no download needed.", _rendered),
    ReadyExperiment("mnist", "MNIST", "The same CNN on real MNIST, from local files.", _mnist),
    ReadyExperiment("cancer", "Breast cancer", "A table of 30 measurements: which of them decide?", _cancer),
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
