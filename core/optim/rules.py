"""Update rules as pure elementwise arithmetic, for many series at once, each with numbers of its own.

A family is one sequence of operations; an optimizer is a member of a family by its coefficients (core/optim/rules_menu.py).
Weights p, gradients g and state are (n, P), one row per series; coefficients are (n, 1). Weights and state change in place, and
g may too. A coefficient that changes nothing in any row is None, and its operation is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Coefficients = Sequence[Any]
"""(n, 1) tensors, or None."""
Update = Callable[[Tensor, Tensor, Sequence[Tensor], Coefficients, Sequence[Tensor]], None]
"""Weights, gradients, state tensors, coefficients and two scratch tensors."""


@dataclass(frozen=True, slots=True)
class Family:
    """A sequence of operations, and what it must be told."""

    update: Update
    n_slots: int
    """State tensors for each weight tensor."""
    neutral: Mapping[str, float | None]
    """Its coefficients in order, each with the value at which its operation changes nothing (None: it always acts)."""


def scaled(p: Tensor, g: Tensor, state: Sequence[Tensor], c: Coefficients, scratch: Sequence[Tensor]) -> None:
    """m = b1 m + g1 g;  v = b2 v + d2 g²;  p = dec p + (c1 m + c2 g) / (s √v + e).

    From SGD to Adam: what differs between them are these numbers. No b1 stands for m = g, no d2 for no division.
    """
    b1, g1, b2, d2, c1, c2, s, e, dec = c
    m, v = state
    step, root = scratch
    if b1 is None:
        m = g
    else:
        m.mul_(b1).addcmul_(g, g1)
    torch.mul(m, c1, out=step)
    if c2 is not None:
        step.addcmul_(g, c2)
    if dec is not None:
        p.mul_(dec)
    if d2 is None:
        p.add_(step)
        return
    v.mul_(b2).addcmul_(torch.mul(g, d2, out=root), g)
    torch.sqrt(v, out=root)
    p.addcdiv_(step, torch.addcmul(e, root, s, out=root))


def centred(p: Tensor, g: Tensor, state: Sequence[Tensor], c: Coefficients, scratch: Sequence[Tensor]) -> None:
    """v = a v + (1 - a) g²;  u = a u + (1 - a) g;  m = b m + g / (√(v - k u²) + e);  p = p - lr m.

    RMSprop with momentum, whose m is of scaled gradients, or (k = 1) with the mean taken out.
    """
    a, rest, k, b, e, lr = c
    v, u, m = state
    root, square = scratch
    v.mul_(a).addcmul_(torch.mul(g, rest, out=root), g)
    if k is None:
        torch.sqrt(v, out=root)
    else:
        u.lerp_(g, rest.expand_as(g))
        torch.sub(v, torch.mul(torch.mul(u, u, out=square), k, out=square), out=root).sqrt_()
    m.mul_(b).addcdiv_(g, root.add_(e))
    p.addcmul_(m, lr, value=-1)


def largest(p: Tensor, g: Tensor, state: Sequence[Tensor], c: Coefficients, scratch: Sequence[Tensor]) -> None:
    """m = b1 m + g1 g;  u = max(b2 u, |g| + e);  p = p - c m / u. Adamax."""
    b1, g1, b2, e, rate = c
    m, u = state
    size, step = scratch
    m.mul_(b1).addcmul_(g, g1)
    torch.maximum(u.mul_(b2), torch.abs(g, out=size).add_(e), out=u)
    p.addcdiv_(torch.mul(m, rate, out=step), u, value=-1)


def matched(p: Tensor, g: Tensor, state: Sequence[Tensor], c: Coefficients, scratch: Sequence[Tensor]) -> None:
    """v = a v + (1 - a) g²;  d = √(u + e) / √(v + e) g;  u = a u + (1 - a) d²;  p = p - lr d. Adadelta."""
    a, rest, e, lr = c
    v, u = state
    step, other = scratch
    v.mul_(a).addcmul_(torch.mul(g, rest, out=step), g)
    torch.add(u, e, out=step).sqrt_().div_(torch.add(v, e, out=other).sqrt_()).mul_(g)
    u.mul_(a).addcmul_(torch.mul(step, rest, out=other), step)
    p.addcmul_(step, lr, value=-1)


def averaged(p: Tensor, g: Tensor, state: Sequence[Tensor], c: Coefficients, scratch: Sequence[Tensor]) -> None:
    """p = dec p - eta g;  x = x + mu (p - x). ASGD, whose x is the average of the weights."""
    dec, eta, mu = c
    p.mul_(dec).addcmul_(g, eta, value=-1)
    state[0].lerp_(p, mu.expand_as(p))


def resilient(p: Tensor, g: Tensor, state: Sequence[Tensor], c: Coefficients, scratch: Sequence[Tensor]) -> None:
    """Steps of a size of their own that grow while the gradient keeps its sign, shrink and wait when it turns. Rprop."""
    shrink, grow, low, high = c
    before, size = state
    agreement, step = scratch
    torch.mul(g, before, out=agreement).sign_()
    has_turned = agreement < 0
    factor = torch.where(has_turned, shrink, torch.where(agreement > 0, grow, 1.0))
    size.mul_(factor).clamp_(min=low, max=high)
    before.copy_(g).masked_fill_(has_turned, 0)
    p.addcmul_(torch.sign(before, out=step), size, value=-1)


def signed(p: Tensor, g: Tensor, state: Sequence[Tensor], c: Coefficients, scratch: Sequence[Tensor]) -> None:
    """p = dec p - lr sign(b1 m + (1 - b1) g);  m = b2 m + (1 - b2) g. Lion."""
    b1, g1, b2, g2, lr, dec = c
    (m,) = state
    step, _ = scratch
    torch.mul(m, b1, out=step).addcmul_(g, g1).sign_()
    if dec is not None:
        p.mul_(dec)
    p.addcmul_(step, lr, value=-1)
    m.mul_(b2).addcmul_(g, g2)


SCALED = Family(scaled, 2, {"b1": 0, "g1": None, "b2": None, "d2": 0, "c1": None, "c2": 0, "s": None, "e": None, "dec": 1})
CENTRED = Family(centred, 3, {"a": None, "rest": None, "k": 0, "b": None, "e": None, "lr": None})
LARGEST = Family(largest, 2, {"b1": None, "g1": None, "b2": None, "e": None, "rate": None})
MATCHED = Family(matched, 2, {"a": None, "rest": None, "e": None, "lr": None})
AVERAGED = Family(averaged, 1, {"dec": None, "eta": None, "mu": None})
RESILIENT = Family(resilient, 2, {"shrink": None, "grow": None, "low": None, "high": None})
SIGNED = Family(signed, 1, {"b1": None, "g1": None, "b2": None, "g2": None, "lr": None, "dec": 1})
