"""The largest eigenvalue of the Hessian of the loss: how sharply the valley that the weights stand in curves."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from core.models.cost import activation_bytes
from core.models.stack import Inference
from core.training.executors.executor import Batch
from core.training.executors.reference import draws_masks
from core.types import Report

TOLERANCE = 1e-3
MAX_PRODUCTS = 60
MULTIPLY_ADDS, BYTES = 5 * 10**7, 64 * 2**20
"""What one pass over the examples may take: a fraction of a second of one core, and memory."""
FEWEST, MOST = 32, 1024
NEGLIGIBLE = 1e-10


@dataclass(frozen=True, slots=True)
class Sharpness:
    """`value` is the largest eigenvalue; `error` bounds how far the nearest true one is from it."""

    value: float
    error: float
    n_products: int


def sample_size(inference: Inference, n_train: int) -> int:
    """How many training examples a Hessian can be taken over at a bearable cost, 32 to 1,024 where there are as many."""
    affordable = min(MULTIPLY_ADDS // max(1, inference.multiply_adds), BYTES // activation_bytes(inference, 8))
    return min(n_train, max(FEWEST, min(MOST, affordable)))


def sharpness(model: nn.Module, loss: nn.Module, batch: Batch, report: Report = lambda done, total: None) -> Sharpness:
    """The largest eigenvalue of the Hessian of the mean loss over a batch, in float64 on the CPU; the model is left alone.

    Batch normalisation uses the batch, dropout is off.
    """
    model = copy.deepcopy(model).to("cpu").double()
    for module in model.train().modules():
        if draws_masks(module):
            module.eval()
    x, y = (tensor.cpu().double() if tensor.is_floating_point() else tensor.cpu() for tensor in batch)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with sdpa_kernel(SDPBackend.MATH):  # the fast kernels of attention have no second derivative
        return largest_curvature(lambda: loss(model(x), y), parameters, report)


def largest_curvature(
    loss: Callable[[], torch.Tensor], parameters: Sequence[torch.Tensor], report: Report = lambda done, total: None
) -> Sharpness:
    """The largest eigenvalue of the Hessian of a closure's value with respect to its parameters.

    Hessian-vector products are exact (the gradient of gradient times vector). The vectors are those of power iteration, and
    Lanczos' method takes the best combination of all of them, so that tens of products do for a relative error of 1e-3. Of a
    Hessian with negative eigenvalues, which power iteration would mistake for it, it still gives the largest. Memory: a few
    vectors of the size of the parameters.

    Source:
        Pearlmutter 1994, "Fast exact multiplication by the Hessian"; Golub & Van Loan 2013, section 10.1.
    """
    gradient = torch.autograd.grad(loss(), parameters, create_graph=True, allow_unused=True)
    flat = torch.cat([_flat(part, like) for part, like in zip(gradient, parameters, strict=True)])
    if not flat.requires_grad:
        return Sharpness(0.0, 0.0, 0)
    generator = torch.Generator().manual_seed(0)
    vector = torch.randn(len(flat), generator=generator, dtype=flat.dtype)
    vector /= vector.norm()
    before, coupling = torch.zeros_like(vector), 0.0
    diagonal: list[float] = []
    couplings: list[float] = []
    while True:
        product = _product(flat, parameters, vector) - coupling * before
        diagonal.append(float(product @ vector))
        product -= diagonal[-1] * vector
        coupling = float(product.norm())
        value, error = _largest(diagonal, couplings, coupling)
        report(len(diagonal), MAX_PRODUCTS)
        size = max(abs(entry) for entry in diagonal)
        is_good = error <= TOLERANCE * abs(value) or coupling <= NEGLIGIBLE * size
        if is_good or not math.isfinite(value) or len(diagonal) >= min(MAX_PRODUCTS, len(flat)):
            return Sharpness(value, error, len(diagonal))
        couplings.append(coupling)
        before, vector = vector, product / coupling


def _largest(diagonal: list[float], couplings: list[float], next_coupling: float) -> tuple[float, float]:
    """The largest eigenvalue of Lanczos' tridiagonal matrix, and the bound on its distance from one of the Hessian's."""
    matrix = np.diag(diagonal) + np.diag(couplings, 1) + np.diag(couplings, -1)
    if not np.isfinite(matrix).all():
        return math.nan, math.nan
    values, vectors = np.linalg.eigh(matrix)
    return float(values[-1]), abs(next_coupling * float(vectors[-1, -1]))


def _product(gradient: torch.Tensor, parameters: Sequence[torch.Tensor], vector: torch.Tensor) -> torch.Tensor:
    """The Hessian times a vector, flat."""
    parts = torch.autograd.grad(gradient @ vector, parameters, retain_graph=True, allow_unused=True)
    return torch.cat([_flat(part, like) for part, like in zip(parts, parameters, strict=True)])


def _flat(part: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
    """A derivative as a vector; zeros where the loss does not depend on the parameter."""
    return torch.zeros_like(like).flatten() if part is None else part.flatten()
