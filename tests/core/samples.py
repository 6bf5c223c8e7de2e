"""Small experiments that tests train."""

from typing import Any

from core.data.toy import Spiral
from core.experiment.experiment import Budget, Experiment, Lane
from core.models.layers.menu import AnyLayer
from core.models.model import ModelSpec
from core.optim.optimizers import AnyOptimizer
from core.spec import choice_class


def stack(*layers: tuple[str, dict[str, Any]] | str) -> ModelSpec:
    """A model from layer kinds, with settings where given: `stack(("Linear", {"out_features": 8}), "ReLU")`."""
    pairs = [(layer, {}) if isinstance(layer, str) else layer for layer in layers]
    return ModelSpec(layers=tuple(choice_class(AnyLayer, kind)(**settings) for kind, settings in pairs))


def linear(n: int) -> tuple[str, dict[str, Any]]:
    return ("Linear", {"out_features": n})


def optimizer_like(kind: str, lr: float | None = None) -> Any:
    """The optimizer of this kind with its defaults, and `lr` where given."""
    cls = choice_class(AnyOptimizer, kind)
    return cls() if lr is None else cls(lr=lr)


def spiral(optimizer: str = "adam", lr: float = 0.01, steps: int = 60, **changes: Any) -> Experiment:
    """A 2-8-2 tanh net on the spiral, in batches of 10."""
    return Experiment(
        data=Spiral(n_points=200),
        model=stack(linear(8), "Tanh", linear(2)),
        lanes=(Lane(optimizer=optimizer_like(optimizer, lr)),),
        batch_size=10,
        budget=Budget(epochs=None, steps=steps),
        device="cpu",
    ).but(**changes)
