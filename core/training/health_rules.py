"""The rules of the training doctor about layers: each looks at the last look at one series, and says a finding or nothing.

Thresholds stand between what the ready experiments show over their whole run with their defaults ("healthy") and what
constructed cases show that cannot learn ("ill"); both were measured on 2026-11-27, on looks at 64 training examples.
"""

import math
from collections.abc import Callable
from functools import partial

from core.training import health_remedies as remedies
from core.training.health_case import Case, Finding
from core.training.telemetry import LayerVitals

EXPLODING, EXPLODING_NORM, EXPLODING_STEP = 20.0, 10.0, 0.03
"""Gradient over weights, gradient, and step over weights of one layer. Healthy: at most 5.1, 3 and 0.06 (never all at once);
ill: from 80 on. Relative to the weights, as You et al. 2017 (LARS, section 4) measure it."""
VANISHING = 1e-3
"""Gradient over weights of a layer, over that of a later one. Healthy: 0.05 to 1, LSTM included; ill: eight
sigmoids 1e-8, three sigmoids 1e-4, twelve ReLUs from torch's default start 1e-5. Glorot & Bengio 2010, section 4.2."""
DEAD = 0.75
"""Share of units of a ReLU that 512 examples leave at zero. Healthy: at most 0.5; ill: 0.8 to 1. Lu et al. 2020,
"Dying ReLU and initialization"."""
SUSPECT = DEAD
"""Share of dead units over 64 examples from which on all 512 are asked; these 64 are among them, and so it is never less."""
SATURATED = 0.8
"""Share of flat units of a Sigmoid or Tanh. Healthy: at most 0.51; ill: 0.8 to 1. Glorot & Bengio 2010, section 3."""
LARGE_STEP, SETTLED = 0.2, 10
"""Step over weights of a layer, after the first steps. Healthy: at most 0.06, and 0.14 where SGD with rate 0.3 still gets below
guessing. Usual is 1e-3 (Karpathy, CS231n, "Ratio of weights:updates"); ill: 0.2 to 1."""
SMALL_STEP = 3e-5
"""Largest step over weights of any layer while much is left to learn. Healthy: 3e-4 and more until the loss is a hundredth of
guessing; ill (learning rate 1,000 times too small): 1e-5."""
Rule = Callable[[Case], Finding | None]


def exploding_gradients(case: Case) -> Finding | None:
    """A layer whose gradient is many times its weights, and that moves by it."""
    worst = max(_connected(case), key=lambda layer: _known(layer.gradient_ratio), default=None)
    if worst is None or not (worst.gradient_ratio > EXPLODING and worst.gradient_norm > EXPLODING_NORM):
        return None
    if worst.update_ratio <= EXPLODING_STEP:
        return None
    scaled, clipped = partial(remedies.scaled_inputs, case.experiment), partial(remedies.clipped, case.experiment, case.lane)
    return Finding(
        "warning",
        f"The gradient of {worst.name} is {worst.gradient_ratio:,.3g} times as large as its weights (norm "
        f"{worst.gradient_norm:.3g}), and one step moves them by {worst.update_ratio:.0%}: the gradients explode.",
        "Bring the inputs to one scale, clip the gradient, or take a smaller learning rate.",
        worst.name,
        partial(remedies.first, scaled, clipped),
    )


def vanishing_gradients(case: Case) -> Finding | None:
    """A layer gets next to no gradient, while a later one does, and there is something to learn."""
    layers = _connected(case)
    if len(layers) < 3 or case.vitals.loss < 0.1 * case.guess or _fully_dead(case):
        return None
    last = max(layers, key=lambda layer: _known(layer.gradient_ratio))
    first = min(layers[: layers.index(last) + 1], key=lambda layer: _known(layer.gradient_ratio))
    if not (last.gradient_ratio > 1e-5 and first.gradient_ratio < VANISHING * last.gradient_ratio):
        return None
    share = first.gradient_ratio / last.gradient_ratio
    return Finding(
        "warning",
        f"The gradient vanishes on its way back: relative to the weights, {first.name} gets {share:.1g} of what {last.name} "
        "gets, so that it hardly learns.",
        "Start with larger weights (He's or Xavier's initialisation), use ReLU, or add a normalisation or skip connections.",
        first.name,
        partial(remedies.livelier_start, case.experiment),
    )


def dead_units(case: Case) -> Finding | None:
    """A ReLU most of whose units never fire."""
    shares = {layer.path: case.dead_shares.get(layer.path, 0.0) for layer in case.vitals.layers}
    worst = max(case.vitals.layers, key=lambda layer: shares[layer.path])
    share = shares[worst.path]
    if share < DEAD:
        return None
    others = sum(one >= DEAD for one in shares.values()) - 1
    also = f" So it is in {others} more layer{'s' if others > 1 else ''}." if others else ""
    is_all = share == 1 and len(worst.path) == 1
    return Finding(
        "error" if is_all else "warning",
        f"{worst.name} is dead: all its units give 0 for every example, so that nothing before it can learn.{also}"
        if is_all
        else f"{share:.0%} of the units of {worst.name} give 0 for every example: they are dead, and learn no more.{also}",
        "Take a smaller learning rate, or an activation that cannot die, such as LeakyReLU.",
        worst.name,
        partial(remedies.leaky, case.experiment, worst.path),
    )


def saturated_units(case: Case) -> Finding | None:
    """A squeezing activation that sits where its curve is flat."""
    worst = max(case.vitals.layers, key=lambda layer: _known(layer.saturated_share))
    if not worst.saturated_share >= SATURATED:
        return None
    scaled = partial(remedies.scaled_inputs, case.experiment)
    smaller = partial(remedies.smaller_start, case.experiment)
    normalised = partial(remedies.normalised_before, case.experiment, worst.path)
    return Finding(
        "warning",
        f"{worst.name} is saturated: {worst.saturated_share:.0%} of its outputs lie where its curve is flat, and let "
        "hardly any gradient pass.",
        "Bring the inputs to one scale, start with smaller weights, or put a normalisation before it.",
        worst.name,
        partial(remedies.first, scaled, smaller, normalised),
    )


def update_too_large(case: Case) -> Finding | None:
    """Single steps change a layer by a fifth and more."""
    if case.step <= SETTLED or "learning-rate-too-high" in case.open:
        return None
    worst = max(_connected(case), key=lambda layer: _known(layer.update_ratio), default=None)
    if worst is None or not worst.update_ratio > LARGE_STEP:
        return None
    return Finding(
        "warning",
        f"One step changes the weights of {worst.name} by {worst.update_ratio:.0%}; usual is about 0.1 %.",
        "Take a smaller learning rate.",
        worst.name,
        partial(remedies.other_rate, case.experiment, case.lane, 1 / 3),
    )


def update_too_small(case: Case) -> Finding | None:
    """No layer moves, though much is left to learn."""
    factor = case.series.rate(max(1, case.step)) / case.series.lane.optimizer.lr
    largest = largest_step(case)
    if largest >= SMALL_STEP or factor < 0.1 or case.vitals.loss < 0.3 * case.guess:
        return None
    if _fully_dead(case) or case.open & {"dead-units", "learning-rate-too-high"}:
        return None
    return Finding(
        "warning",
        f"One step changes the weights of no layer by more than {largest:.1e} of their size; usual is about 1e-3. The loss "
        f"is {case.vitals.loss:.3g}; guessing gives {case.guess:.3g}.",
        "Take a larger learning rate.",
        remedy=partial(remedies.other_rate, case.experiment, case.lane, 10),
    )


def largest_step(case: Case) -> float:
    """The largest step over weights of any layer in the last look; infinite where none is known."""
    ratios = [layer.update_ratio for layer in _connected(case) if math.isfinite(layer.update_ratio)]
    return max(ratios, default=math.inf)


def _connected(case: Case) -> list[LayerVitals]:
    """Layers with matrices or kernels, in order. Of an Embedding only the rows of a few tokens move, so it is no measure."""
    return [layer for layer in case.vitals.weighted if layer.kind != "Embedding"]


def _fully_dead(case: Case) -> bool:
    return any(layer.dead_share == 1 for layer in case.vitals.layers)


def _known(value: float) -> float:
    return -math.inf if math.isnan(value) else value


LAYER_RULES: tuple[tuple[str, int, Rule], ...] = (
    ("exploding-gradients", 1, exploding_gradients),
    ("dead-units", 2, dead_units),
    ("vanishing-gradients", 2, vanishing_gradients),
    ("saturated-units", 2, saturated_units),
    ("update-too-large", 3, update_too_large),
    ("update-too-small", 3, update_too_small),
)
"""Code, looks in a row after which it is told, and the rule."""
