"""Series of one family of update rules, side by side: their state, their coefficients ahead of time, and their steps."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from core.optim.optimizer import OptimizerChoice
from core.optim.rules_menu import Numbers, Rule, Steps, rule_for

Block = tuple[Tensor, Tensor]
"""Weights (n, P) and their gradients, the same rows in both."""
Kept = tuple[list[Tensor], int, dict[str, float]]
"""Weights and state of one member, its count of steps, and its plain numbers."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parameter lies in the rows of a block."""

    block: int
    start: int
    shape: torch.Size

    def of(self, row: Tensor) -> Tensor:
        """The parameter in one row (P,)."""
        return row[self.start : self.start + self.shape.numel()].view(self.shape)


class Member:
    """One series of a group: its optimizer, and what torch keeps as plain numbers."""

    def __init__(self, optimizer: OptimizerChoice) -> None:
        self.rule = cast(Rule, rule_for(optimizer))
        self.arguments = optimizer.arguments()
        self.count = 0
        """Steps that it has made."""
        self.scalars = dict(self.rule.scalars)
        self.ahead: dict[str, Any] = {}

    def look_ahead(self, rates: Numbers) -> None:
        """Its columns for the next steps, whose learning rates are (H,)."""
        known = {name: float(rates[0]) if math.isnan(value) else value for name, value in self.scalars.items()}
        times = self.count + np.arange(1, len(rates) + 1, dtype=np.float64)
        decay = {"wd": self.arguments.get("weight_decay", 0.0)}
        self.ahead = decay | self.rule.columns(self.arguments, Steps(times, rates, known))

    def advance(self, first: int, last: int) -> None:
        """It has made the steps `first` to `last - 1` (from 0) of those that it looked ahead to."""
        if last > first:
            self.count += last - first
            self.scalars = {name: float(self.ahead[f"after.{name}"][last - 1]) for name in self.scalars}


class Group:
    """Members of one family over blocks of weights. All numbers of a step come from a table that is made for many steps."""

    def __init__(self, optimizers: Sequence[OptimizerChoice], blocks: Sequence[Block]) -> None:
        self.members = [Member(optimizer) for optimizer in optimizers]
        self.family = self.members[0].rule.family
        self.blocks = list(blocks)
        self.state = [[torch.zeros_like(p) for _ in range(self.family.n_slots)] for p, _ in self.blocks]
        self._scratch = [(torch.empty_like(p), torch.empty_like(p)) for p, _ in self.blocks]
        self._rows: list[Sequence[Tensor | None]] = []
        self._at = self._settled = 0

    def look_ahead(self, rates: Numbers) -> None:
        """Make ready for the next steps, whose learning rates are (H, n)."""
        self.settle()
        for row, member in enumerate(self.members):
            member.look_ahead(rates[:, row])
            if member.count == 0:
                self._start(row, member.rule, float(rates[0, row]))
        columns = [self._column(name, value, len(rates)) for name, value in {"wd": 0.0, **self.family.neutral}.items()]
        self._rows = list(zip(*columns, strict=True))
        self._at = self._settled = 0

    def _column(self, name: str, neutral: float | None, n: int) -> Sequence[Tensor | None]:
        """One coefficient (n, 1) for each of the next steps; the same tensor in all where it does not change."""
        column = np.empty((n, len(self.members)))
        for row, member in enumerate(self.members):
            column[:, row] = member.ahead[name]
        if neutral is not None and (column == neutral).all():
            return [None] * n
        like = self.blocks[0][0]
        is_constant = bool((column == column[0]).all())
        made = torch.from_numpy(column[:1] if is_constant else column).to(like).unsqueeze(-1)
        return [made[0]] * n if is_constant else made.unbind(0)

    def step(self) -> None:
        """One update of all members by the gradients in the blocks."""
        decay, *coefficients = self._rows[self._at]
        self._at += 1
        for (p, g), state, scratch in zip(self.blocks, self.state, self._scratch, strict=True):
            if decay is not None:
                g.addcmul_(p, decay)
            self.family.update(p, g, state, coefficients, scratch)

    def settle(self) -> None:
        """Let the members know of the steps that they have made."""
        for member in self.members:
            member.advance(self._settled, self._at)
        self._settled = self._at

    def retune(self, row: int, optimizer: OptimizerChoice) -> None:
        """Other numbers of one member, from the next look ahead on."""
        self.settle()
        self.members[row].arguments = optimizer.arguments()

    def kept(self, row: int) -> Kept:
        """What one member is now, to `put_back` after a step that it should not have made."""
        self.settle()
        member = self.members[row]
        return [tensor[row].clone() for tensor in self._tensors()], member.count, dict(member.scalars)

    def put_back(self, row: int, kept: Kept) -> None:
        """Make one member what it was. It should look ahead anew before it makes another step."""
        self.settle()
        tensors, self.members[row].count, self.members[row].scalars = kept
        for tensor, value in zip(self._tensors(), tensors, strict=True):
            tensor[row].copy_(value)

    def torch_state(self, row: int, places: Sequence[Place]) -> dict[int, dict[str, Tensor]]:
        """What torch.optim's state of this member is, by parameter; tensors are views. Empty where there is nothing to keep."""
        self.settle()
        member = self.members[row]
        if member.count == 0 or not (any(member.rule.slots) or member.rule.has_step):
            return {}
        plain = dict(member.scalars) | ({"step": float(member.count)} if member.rule.has_step else {})
        return {
            index: {name: torch.tensor(value) for name, value in plain.items()} | self._slots(row, place)
            for index, place in enumerate(places)
        }

    def load_torch_state(self, row: int, places: Sequence[Place], state: Mapping[int, Mapping[str, Any]]) -> None:
        """The other way; what has no state yet starts anew."""
        self.settle()
        member = self.members[row]
        for index, place in enumerate(places):
            given = state.get(index, {})
            for name, slot in self._slots(row, place).items():
                slot.copy_(given[name]) if given.get(name) is not None else slot.zero_()
        first = state.get(0, {})
        member.count = int(first["step"]) if "step" in first else int(bool(first))
        if member.count:
            member.scalars = {name: float(first[name]) for name in member.rule.scalars}

    def _slots(self, row: int, place: Place) -> dict[str, Tensor]:
        """The state tensors of one parameter of a member by torch's names."""
        named = zip(self.members[row].rule.slots, self.state[place.block], strict=True)
        return {name: place.of(tensor[row]) for name, tensor in named if name}

    def _tensors(self) -> list[Tensor]:
        return [tensor for (p, _), state in zip(self.blocks, self.state, strict=True) for tensor in (p, *state)]

    def _start(self, row: int, rule: Rule, rate: float) -> None:
        for name in rule.rate_slots:
            for state in self.state:
                state[rule.slots.index(name)][row] = rate
