"""Torch optimizers that torch.optim has not, or has in a form that a checkpoint cannot hold."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

LISTS = ("old_dirs", "old_stps", "ro")
"""What torch's L-BFGS keeps as lists of tensors."""
MATRICES = (2, 4)
"""Axes of what Muon trains: matrices and kernels of 2-D convolutions. Three axes have scales of LayerNorm over maps."""
Closure = Callable[[], Any]


class Lion(torch.optim.Optimizer):
    """Sign of an interpolated momentum, decoupled weight decay. Chen et al. 2023, algorithm 2."""

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:
        """One update of every parameter that has a gradient; gives what the closure gives."""
        loss = _evaluated(closure)
        for group in self.param_groups:
            lr, (beta1, beta2) = group["lr"], group["betas"]
            for parameter in _with_gradient(group):
                state = self.state[parameter]
                if not state:
                    state["exp_avg"] = torch.zeros_like(parameter)
                mean, gradient = state["exp_avg"], parameter.grad
                direction = mean.lerp(gradient, 1 - beta1).sign_()
                parameter.mul_(1 - lr * group["weight_decay"]).add_(direction, alpha=-lr)
                mean.lerp_(gradient, 1 - beta2)
        return loss


class MuonAndAdamW(torch.optim.Optimizer):
    """torch's Muon for matrices and AdamW for all other parameters, as one optimizer with two groups.

    Kernels of 2-D convolutions are matrices of shape (channels out, all else), as in Jordan et al. 2024. Both groups share
    learning rate and weight decay.
    """

    def __init__(  # noqa: PLR0913
        self,
        params: Iterable[Tensor],
        *,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.01,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_steps: int = 5,
        adjust_lr_fn: str = "match_rms_adamw",
    ) -> None:
        parameters = list(params)
        matrices = [parameter for parameter in parameters if parameter.ndim in MATRICES]
        rest = [parameter for parameter in parameters if parameter.ndim not in MATRICES]
        numbers: dict[str, Any] = {"lr": lr, "betas": betas, "weight_decay": weight_decay}
        numbers |= {"momentum": momentum, "nesterov": nesterov}
        numbers |= {"ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn}
        muon, adamw = torch.optim.Muon([{"params": []}]), torch.optim.AdamW([{"params": []}])
        first = muon.defaults | numbers | {"params": matrices}
        super().__init__([first, adamw.defaults | numbers | {"params": rest}], numbers)
        self._make_parts()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._make_parts()

    def _make_parts(self) -> None:
        """torch's own two; AdamW works on the second group and the state of this optimizer."""
        self._muon = torch.optim.Muon([{"params": []}])
        self._rest = torch.optim.AdamW([{"params": []}])
        self._rest.param_groups = [self.param_groups[1]]
        self._rest.state = self.state

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:
        """One update of every parameter that has a gradient; gives what the closure gives."""
        loss = _evaluated(closure)
        self._step_matrices()
        self._rest.step()
        return loss

    def _step_matrices(self) -> None:
        """Let torch's Muon, which takes matrices alone, work on flat views of kernels with the state of this optimizer."""
        parameters = _with_gradient(self.param_groups[0])
        matrices = [_matrix(parameter.detach()) for parameter in parameters]
        for parameter, matrix in zip(parameters, matrices, strict=True):
            matrix.grad = None if parameter.grad is None else _matrix(parameter.grad)
            self._muon.state[matrix] = self.state[parameter]
        self._muon.param_groups = [self.param_groups[0] | {"params": matrices}]
        self._muon.step()  # type: ignore[no-untyped-call]
        self._muon.state.clear()
        for parameter, matrix in zip(parameters, matrices, strict=True):
            if matrix.data_ptr() != parameter.data_ptr():  # channels-last: flattened by a copy
                parameter.copy_(matrix.view_as(parameter))


class LBFGS(torch.optim.LBFGS):
    """torch's L-BFGS with a state_dict of tensors and numbers alone: what it keeps as lists is stacked along a first axis.

    `step` wants a closure that sets the gradients and returns the loss, detached.
    """

    def state_dict(self) -> dict[str, Any]:
        """As torch's, with `old_dirs` and `old_stps` (pairs, parameters) and `ro` (pairs,); without its scratch space."""
        found = super().state_dict()
        kept = {}
        for index, slots in found["state"].items():
            empty = {name: torch.zeros(0) for name in LISTS if name in slots}
            stacked = {name: torch.stack(slots[name]) if slots[name] else none for name, none in empty.items()}
            kept[index] = {name: value for name, value in slots.items() if name != "al"} | stacked
        return found | {"state": kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take in what `state_dict` gave."""
        super().load_state_dict(state_dict)
        for slots in self.state.values():
            slots.update({name: list(slots[name]) for name in LISTS if name in slots})

    def _gather_flat_grad(self) -> Tensor:
        """All gradients in a row; torch's own refuses those of channels-last kernels."""
        gradients = (torch.zeros_like(one) if one.grad is None else one.grad for one in self._params)
        return torch.cat([gradient.reshape(-1) for gradient in gradients])


def _evaluated(closure: Closure | None) -> Any:
    if closure is None:
        return None
    with torch.enable_grad():
        return closure()


def _with_gradient(group: dict[str, Any]) -> list[Tensor]:
    return [parameter for parameter in group["params"] if parameter.grad is not None]


def _matrix(tensor: Tensor) -> Tensor:
    """(rows, all else): a view where memory allows."""
    return tensor.reshape(len(tensor), -1)
