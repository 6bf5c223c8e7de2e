"""The update rules written out in numpy, float64, from the papers and torch's documentation. They call nothing of torch.

Each yields the weights after each step. `w` are all weights in a row, `gradient` gives the slope at a point.
"""

from collections.abc import Callable, Iterator
from itertools import count

import numpy as np

Array = np.ndarray
Gradient = Callable[[Array], Array]
Steps = Iterator[Array]
SHAPES = ((2, 3), (2,))
"""The weights in a row are a matrix and a vector."""


def sgd(w: Array, gradient: Gradient, *, lr=0.1, momentum=0.0, dampening=0.0, nesterov=False, weight_decay=0.0) -> Steps:
    v = None
    while True:
        g = gradient(w) + weight_decay * w
        v = g if v is None else momentum * v + (1 - dampening) * g
        step = g + momentum * v if nesterov else v
        w = w - lr * (step if momentum else g)
        yield w


def asgd(w: Array, gradient: Gradient, *, lr, lambd, alpha=0.75, weight_decay=0.0) -> Steps:
    eta = lr
    for t in count(1):
        w = (1 - lambd * eta) * w - eta * (gradient(w) + weight_decay * w)
        eta = lr / (1 + lambd * lr * t) ** alpha
        yield w


def lion(w: Array, gradient: Gradient, *, lr, beta1=0.9, beta2=0.99, weight_decay=0.0) -> Steps:
    m = np.zeros_like(w)
    while True:
        g = gradient(w)
        w = (1 - lr * weight_decay) * w - lr * np.sign(beta1 * m + (1 - beta1) * g)
        m = beta2 * m + (1 - beta2) * g
        yield w


def rmsprop(w: Array, gradient: Gradient, *, lr, alpha=0.99, momentum=0.0, centered=False, eps=1e-8, weight_decay=0.0) -> Steps:
    v, u, b = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w) + weight_decay * w
        v = alpha * v + (1 - alpha) * g**2
        u = alpha * u + (1 - alpha) * g if centered else u
        b = momentum * b + g / (np.sqrt(v - u**2) + eps)
        w = w - lr * b
        yield w


def adagrad(w: Array, gradient: Gradient, *, lr, lr_decay=0.0, eps=1e-10, weight_decay=0.0) -> Steps:
    s = np.zeros_like(w)
    for t in count(1):
        g = gradient(w) + weight_decay * w
        s = s + g**2
        w = w - lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s) + eps)
        yield w


def adadelta(w: Array, gradient: Gradient, *, lr, rho=0.9, eps=1e-6, weight_decay=0.0) -> Steps:
    v, u = np.zeros_like(w), np.zeros_like(w)
    while True:
        g = gradient(w) + weight_decay * w
        v = rho * v + (1 - rho) * g**2
        delta = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u = rho * u + (1 - rho) * delta**2
        w = w - lr * delta
        yield w


def rprop(w: Array, gradient: Gradient, *, lr, eta_minus=0.5, eta_plus=1.2, step_min=1e-6, step_max=50.0) -> Steps:
    size, before = np.full_like(w, lr), np.zeros_like(w)
    while True:
        g = gradient(w)
        agreement = g * before
        factor = np.where(agreement > 0, eta_plus, np.where(agreement < 0, eta_minus, 1.0))
        size = np.clip(size * factor, step_min, step_max)
        before = np.where(agreement < 0, 0.0, g)
        w = w - size * np.sign(before)
        yield w


def adam(w: Array, gradient: Gradient, *, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, amsgrad=False) -> Steps:
    m, v, largest = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    for t in count(1):
        g = gradient(w) + weight_decay * w
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        largest = np.maximum(largest, v)
        v_hat = (largest if amsgrad else v) / (1 - beta2**t)
        w = w - lr * m / (1 - beta1**t) / (np.sqrt(v_hat) + eps)
        yield w


def adamw(w: Array, gradient: Gradient, *, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, amsgrad=False) -> Steps:
    m, v, largest = np.zeros_like(w), np.zeros_like(w), np.zeros_like(w)
    for t in count(1):
        g = gradient(w)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        largest = np.maximum(largest, v)
        v_hat = (largest if amsgrad else v) / (1 - beta2**t)
        w = w - lr * weight_decay * w - lr * m / (1 - beta1**t) / (np.sqrt(v_hat) + eps)
        yield w


def nadam(w: Array, gradient: Gradient, *, lr, momentum_decay=0.004, weight_decay=0.0, decoupled=False) -> Steps:
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    m, v, product = np.zeros_like(w), np.zeros_like(w), 1.0
    for t in count(1):
        g = gradient(w) if decoupled else gradient(w) + weight_decay * w
        w = (1 - lr * weight_decay) * w if decoupled else w
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (k * momentum_decay)) for k in (t, t + 1))
        product *= mu
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
        w = w - lr * m_hat / (np.sqrt(v / (1 - beta2**t)) + eps)
        yield w


def radam(w: Array, gradient: Gradient, *, lr, beta2=0.999, weight_decay=0.0, decoupled=False) -> Steps:
    beta1, eps = 0.9, 1e-8
    m, v = np.zeros_like(w), np.zeros_like(w)
    rho_inf = 2 / (1 - beta2) - 1
    for t in count(1):
        g = gradient(w) if decoupled else gradient(w) + weight_decay * w
        w = (1 - lr * weight_decay) * w if decoupled else w
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        step = m / (1 - beta1**t)
        if rho > 5:
            rectified = np.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
            step = step * rectified * np.sqrt(1 - beta2**t) / (np.sqrt(v) + eps)
        w = w - lr * step
        yield w


def adamax(w: Array, gradient: Gradient, *, lr, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0) -> Steps:
    m, u = np.zeros_like(w), np.zeros_like(w)
    for t in count(1):
        g = gradient(w) + weight_decay * w
        m = beta1 * m + (1 - beta1) * g
        u = np.maximum(beta2 * u, np.abs(g) + eps)
        w = w - lr / (1 - beta1**t) * m / u
        yield w


def split(w: Array) -> tuple[Array, Array]:
    """The matrix and the vector in a row of weights."""
    n = SHAPES[0][0] * SHAPES[0][1]
    return w[:n].reshape(SHAPES[0]), w[n:]


def rms(x: Array) -> float:
    return float(np.sqrt(np.mean(x**2)))


def adafactor(w: Array, gradient: Gradient, *, lr, beta2_decay=-0.8, eps2=1e-3, d=1.0, weight_decay=0.0) -> Steps:
    eps1 = np.finfo(np.float64).eps
    rows, columns, vector = np.zeros((2, 1)), np.zeros((1, 3)), np.zeros(2)
    for t in count(1):
        keep, rate = 1 - t**beta2_decay, min(lr, 1 / np.sqrt(t))
        matrix_g, vector_g = split(gradient(w))
        rows = keep * rows + (1 - keep) * (matrix_g**2).mean(1, keepdims=True)
        columns = keep * columns + (1 - keep) * (matrix_g**2).mean(0, keepdims=True)
        vector = keep * vector + (1 - keep) * vector_g**2
        parts = []
        estimates = (rows @ columns / max(rows.mean(), eps1), vector)
        for part, g, v in zip(split(w), (matrix_g, vector_g), estimates, strict=True):
            update = g / np.sqrt(np.maximum(v, eps1**2))
            size = max(eps2, rms(part)) * rate / max(1, rms(update) / d)
            parts.append((1 - lr * weight_decay) * part - size * update)
        w = np.concatenate([part.ravel() for part in parts])
        yield w


def lbfgs(w: Array, gradient: Gradient, *, lr=1.0, history_size=10) -> Steps:
    """With the inverse Hessian as a matrix, without line search."""
    pairs: list[tuple[Array, Array]] = []
    g = gradient(w)
    d, t = -g, min(1.0, 1 / np.abs(g).sum()) * lr
    while True:
        w = w + t * d
        yield w
        g, before = gradient(w), g
        pairs = [*pairs, (t * d, g - before)][-history_size:]
        d, t = -inverse_hessian(pairs) @ g, lr


def inverse_hessian(pairs: list[tuple[Array, Array]]) -> Array:
    """BFGS updates by the pairs (s, y), oldest first, from s'y / y'y times the identity."""
    s, y = pairs[-1]
    identity = np.eye(len(s))
    inverse = s @ y / (y @ y) * identity
    for s, y in pairs:
        rho = 1 / (s @ y)
        inverse = (identity - rho * np.outer(s, y)) @ inverse @ (identity - rho * np.outer(y, s)) + rho * np.outer(s, s)
    return inverse


def muon(w: Array, gradient: Gradient, *, lr, size, momentum=0.95, nesterov=True, weight_decay=0.01, ns_steps=5) -> Steps:
    """Muon on the matrix in float64, AdamW on the vector. `size` is what the matrix's step is multiplied with."""
    mean = np.zeros(SHAPES[0])
    with_vector = np.full_like(w, np.nan)

    def vector_gradient(vector: Array) -> Array:
        return split(gradient(np.concatenate([with_vector[: -len(vector)], vector])))[1]

    adamw_steps = adamw(split(w)[1], vector_gradient, lr=lr, weight_decay=weight_decay)
    while True:
        with_vector[:] = w
        matrix, (g, _) = split(w)[0], split(gradient(w))
        mean = momentum * mean + (1 - momentum) * g
        x = (1 - momentum) * g + momentum * mean if nesterov else mean
        x = x / np.linalg.norm(x)
        for _ in range(ns_steps):
            gram = x @ x.T
            x = 3.4445 * x - 4.7750 * gram @ x + 2.0315 * gram @ gram @ x
        w = np.concatenate([((1 - lr * weight_decay) * matrix - lr * size * x).ravel(), next(adamw_steps)])
        yield w
