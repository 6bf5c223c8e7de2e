"""Which update rule an optimizer of the Menu is: its family, its coefficients at each step, and torch's names for its state."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from core.optim import rules
from core.optim.optimizer import OptimizerChoice

Numbers = npt.NDArray[np.float64]
Arguments = Mapping[str, Any]
"""What torch's class is called with, spelled as torch spells it."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Some steps in a row of one series. `t` (H,) is torch's count of steps, from 1; `lr` (H,) the learning rates.

    `scalars` are the plain numbers in the optimizer's state before the first of them.
    """

    t: Numbers
    lr: Numbers
    scalars: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """One optimizer as a member of a family."""

    family: rules.Family
    slots: tuple[str, ...]
    """What torch calls the family's state tensors; "" for one that it does not keep."""
    columns: Callable[[Arguments, Steps], dict[str, Any]]
    """The family's coefficients by name, (H,) or a number each; `after.<scalar>` is the scalar after each step. Weight decay as
    the optimizer's argument says is added to the gradient, unless `wd` says another share."""
    has_step: bool = True
    """Whether torch counts steps in its state."""
    scalars: Mapping[str, float] = field(default_factory=dict)
    """Plain numbers in torch's state beside the count, with what they start at; NaN for the first learning rate."""
    rate_slots: tuple[str, ...] = ()
    """State tensors that start at the first learning rate; all others start at zero."""


PLAIN: dict[str, float] = {"b1": 0, "g1": 1, "b2": 0, "d2": 0, "c2": 0, "s": 1, "e": 1, "dec": 1}
"""Of the scaled family: no momentum, and a division by one."""


def _sgd(a: Arguments, steps: Steps) -> dict[str, Any]:
    if a["nesterov"]:
        return PLAIN | {"b1": a["momentum"], "c1": -steps.lr * a["momentum"], "c2": -steps.lr}
    first = 1 - a["dampening"] * (steps.t > 1) if a["momentum"] else 1.0
    return PLAIN | {"b1": a["momentum"], "g1": first, "c1": -steps.lr}


def _moments(a: Arguments, steps: Steps) -> dict[str, Any]:
    """Adam's two running means, and its bias corrections."""
    b1, b2 = a["betas"]
    correction = 1 / np.sqrt(1 - b2**steps.t)
    moments = {"b1": b1, "g1": 1 - b1, "b2": b2, "d2": 1 - b2, "s": correction, "e": a["eps"]}
    return PLAIN | moments | {"c1": -steps.lr / (1 - b1**steps.t)}


def _decoupled(a: Arguments, steps: Steps) -> dict[str, Any]:
    """Weight decay that is taken from the weights, and none that is added to the gradient."""
    return {"dec": 1 - steps.lr * a["weight_decay"], "wd": 0.0}


def _maybe_decoupled(a: Arguments, steps: Steps) -> dict[str, Any]:
    return _decoupled(a, steps) if a.get("decoupled_weight_decay") else {}


def _adamw(a: Arguments, steps: Steps) -> dict[str, Any]:
    return _moments(a, steps) | _decoupled(a, steps)


def _kept(values: Any) -> npt.NDArray[Any]:
    """Numbers as torch keeps them in an optimizer's state: in its default type, so that a resumed run has the very same."""
    return np.asarray(values, np.float64 if torch.get_default_dtype() == torch.float64 else np.float32)


def _nadam(a: Arguments, steps: Steps) -> dict[str, Any]:
    b1 = a["betas"][0]
    now, after = (b1 * (1 - 0.5 * 0.96 ** (t * a["momentum_decay"])) for t in (steps.t, steps.t + 1))
    product = np.cumprod(_kept([steps.scalars["mu_product"], *now]))[1:].astype(np.float64)
    looking_ahead = {"c1": -steps.lr * after / (1 - product * after), "c2": -steps.lr * (1 - now) / (1 - product)}
    return _moments(a, steps) | looking_ahead | _maybe_decoupled(a, steps) | {"after.mu_product": product}


def _radam(a: Arguments, steps: Steps) -> dict[str, Any]:
    """Divides by the root mean square only once enough steps tell it."""
    b2 = a["betas"][1]
    left = 1 - b2**steps.t
    longest = 2 / (1 - b2) - 1
    if longest <= 5:  # never
        return _moments(a, steps) | {"s": 0.0, "e": 1.0} | _maybe_decoupled(a, steps)
    length = longest - 2 * steps.t * b2**steps.t / left
    is_known = length > 5
    rest = np.where(is_known, length, 6.0)
    rectified = np.sqrt((rest - 4) * (rest - 2) * longest / ((longest - 4) * (longest - 2) * rest) * left)
    moments = _moments(a, steps)
    known = {
        "c1": moments["c1"] * np.where(is_known, rectified, 1.0),
        "s": np.where(is_known, 1.0, 0.0),
        "e": np.where(is_known, a["eps"], 1.0),
    }
    return moments | known | _maybe_decoupled(a, steps)


def _rmsprop(a: Arguments, steps: Steps) -> dict[str, Any]:
    return PLAIN | {"b2": a["alpha"], "d2": 1 - a["alpha"], "c1": -steps.lr, "e": a["eps"]}


def _centred(a: Arguments, steps: Steps) -> dict[str, Any]:
    alpha, is_centred = a["alpha"], float(a.get("centered", False))
    return {"a": alpha, "rest": 1 - alpha, "k": is_centred, "b": a["momentum"], "e": a["eps"], "lr": steps.lr}


def _adagrad(a: Arguments, steps: Steps) -> dict[str, Any]:
    rate = steps.lr / (1 + (steps.t - 1) * a.get("lr_decay", 0.0))
    return PLAIN | {"b2": 1, "d2": 1, "c1": -rate, "e": a["eps"]}


def _adadelta(a: Arguments, steps: Steps) -> dict[str, Any]:
    return {"a": a["rho"], "rest": 1 - a["rho"], "e": a["eps"], "lr": steps.lr}


def _adamax(a: Arguments, steps: Steps) -> dict[str, Any]:
    b1, b2 = a["betas"]
    return {"b1": b1, "g1": 1 - b1, "b2": b2, "e": a["eps"], "rate": steps.lr / (1 - b1**steps.t)}


def _asgd(a: Arguments, steps: Steps) -> dict[str, Any]:
    """Rate and weight of the average are those that the step before has left."""
    eta = _kept(steps.lr / (1 + a["lambd"] * steps.lr * steps.t) ** a["alpha"]).astype(np.float64)
    mu = _kept(1 / np.maximum(1, steps.t - a["t0"])).astype(np.float64)
    used_eta = np.concatenate(([steps.scalars["eta"]], eta[:-1]))
    used_mu = np.concatenate(([steps.scalars["mu"]], mu[:-1]))
    return {"dec": 1 - a["lambd"] * used_eta, "eta": used_eta, "mu": used_mu} | {"after.eta": eta, "after.mu": mu}


def _rprop(a: Arguments, steps: Steps) -> dict[str, Any]:
    (shrink, grow), (low, high) = a["etas"], a["step_sizes"]
    return {"shrink": shrink, "grow": grow, "low": low, "high": high}


def _lion(a: Arguments, steps: Steps) -> dict[str, Any]:
    b1, b2 = a["betas"]
    return {"b1": b1, "g1": 1 - b1, "b2": b2, "g2": 1 - b2, "lr": steps.lr} | _decoupled(a, steps)


_LR = float("nan")
_RULES: dict[str, tuple[str, Rule]] = {
    "sgd": ("momentum nesterov dampening", Rule(rules.SCALED, ("momentum_buffer", ""), _sgd, has_step=False)),
    "adam": ("betas eps", Rule(rules.SCALED, ("exp_avg", "exp_avg_sq"), _moments)),
    "adamw": ("betas eps", Rule(rules.SCALED, ("exp_avg", "exp_avg_sq"), _adamw)),
    "nadam": (
        "betas eps momentum_decay decoupled_weight_decay",
        Rule(rules.SCALED, ("exp_avg", "exp_avg_sq"), _nadam, scalars={"mu_product": 1.0}),
    ),
    "radam": ("betas eps decoupled_weight_decay", Rule(rules.SCALED, ("exp_avg", "exp_avg_sq"), _radam)),
    "rmsprop": ("alpha eps momentum centered", Rule(rules.SCALED, ("", "square_avg"), _rmsprop)),
    "adagrad": ("eps lr_decay", Rule(rules.SCALED, ("", "sum"), _adagrad)),
    "adadelta": ("rho eps", Rule(rules.MATCHED, ("square_avg", "acc_delta"), _adadelta)),
    "adamax": ("betas eps", Rule(rules.LARGEST, ("exp_avg", "exp_inf"), _adamax)),
    "asgd": ("lambd alpha t0", Rule(rules.AVERAGED, ("ax",), _asgd, scalars={"eta": _LR, "mu": 1.0})),
    "rprop": ("etas step_sizes", Rule(rules.RESILIENT, ("prev", "step_size"), _rprop, rate_slots=("step_size",))),
    "lion": ("betas", Rule(rules.SIGNED, ("exp_avg",), _lion, has_step=False)),
}
"""By kind: the arguments that the rule knows besides lr and weight_decay, and the rule."""
_CENTRED = Rule(rules.CENTRED, ("square_avg", "grad_avg", "momentum_buffer"), _centred)


def rule_for(optimizer: OptimizerChoice) -> Rule | None:
    """The rule of this optimizer as it is set; None where it is not elementwise, or set in a way that no rule knows."""
    if optimizer.kind not in _RULES or optimizer.needs_whole_split or optimizer.needs_closure:
        return None
    known, rule = _RULES[optimizer.kind]
    arguments = optimizer.arguments()
    if any(value for name, value in arguments.items() if name not in {"lr", "weight_decay", *known.split()}):
        return None
    if optimizer.kind == "rmsprop" and (arguments["momentum"] or arguments.get("centered")):
        is_centred, has_momentum = bool(arguments.get("centered")), arguments["momentum"] > 0
        slots = ("square_avg", "grad_avg" if is_centred else "", "momentum_buffer" if has_momentum else "")
        return replace(_CENTRED, slots=slots)
    if optimizer.kind == "sgd" and not arguments["momentum"]:
        return replace(rule, slots=("", ""))
    return rule
