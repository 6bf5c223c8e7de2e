"""Torch optimizers that torch.optim has not, or has in a form that a checkpoint cannot hold."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim._muon import muon

NS_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Jordan et al. 2024: the steepest quintic that still brings all singular values near one."""
LISTS = ("old_dirs", "old_stps", "ro")
"""What torch's L-BFGS keeps as lists of tensors."""
MATRICES = (2, 4)
"""Axes of what Muon trains: matrices and kernels of 2-D convolutions. Three axes have scales of LayerNorm over maps."""
Closure = Callable[[], Any]


class Lion(torch.optim.Optimizer):
    """Sign of an interpolated momentum, with decoupled weight decay. Chen et al. 2023, algorithm 2."""

    def __init__(
        self, params: Iterable[Tensor], lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99), weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:
        """One update of every parameter that has a gradient; what the closure gives, if there is one."""
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

    def __init__(
        self,
        params: Iterable[Tensor],
        *,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.01,
        **of_matrices: Any,
    ) -> None:
        """Args:
        of_matrices: momentum, nesterov, ns_steps and adjust_lr_fn of torch.optim.Muon.
        """
        parameters = list(params)
        rest = [parameter for parameter in parameters if parameter.ndim not in MATRICES]
        self._rest = torch.optim.AdamW([{"params": rest}], lr=lr, betas=betas, weight_decay=weight_decay)
        defaults = {"momentum": 0.95, "nesterov": True, "ns_steps": 5, "adjust_lr_fn": "match_rms_adamw"} | of_matrices
        defaults |= {"lr": lr, "betas": betas, "weight_decay": weight_decay}
        matrices = [parameter for parameter in parameters if parameter.ndim in MATRICES]
        super().__init__([{"params": matrices}, self._rest.param_groups[0]], defaults)
        self._share()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._share()

    def _share(self) -> None:
        """AdamW works on the second group and the state of this optimizer."""
        self._rest.param_groups = [self.param_groups[1]]
        self._rest.state = self.state

    @torch.no_grad()
    def step(self, closure: Closure | None = None) -> Any:
        """One update of every parameter that has a gradient; what the closure gives, if there is one."""
        loss = _evaluated(closure)
        group = self.param_groups[0]
        parameters = _with_gradient(group)
        matrices = [_matrix(parameter) for parameter in parameters]
        for parameter, matrix in zip(parameters, matrices, strict=True):
            if not self.state[parameter]:
                self.state[parameter]["momentum_buffer"] = torch.zeros_like(matrix)
        muon(
            matrices,
            [_matrix(parameter.grad) for parameter in parameters if parameter.grad is not None],
            [self.state[parameter]["momentum_buffer"] for parameter in parameters],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            momentum=group["momentum"],
            nesterov=group["nesterov"],
            ns_coefficients=NS_COEFFICIENTS,
            ns_steps=group["ns_steps"],
            eps=1e-7,
            adjust_lr_fn=group["adjust_lr_fn"],
            has_complex=False,
        )
        for parameter, matrix in zip(parameters, matrices, strict=True):
            if matrix.data_ptr() != parameter.data_ptr():  # channels-last kernels are flattened by a copy
                parameter.copy_(matrix.view_as(parameter))
        self._rest.step()
        return loss


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
