"""Optimizers that go along the gradient, its running mean or its sign, with one length of step for all weights."""

from typing import Annotated, Any, Literal

from pydantic import Field

from core.optim.optimizer import Decay, LearningRate, Memory, MomentsChoice, OptimizerChoice


class GradientDescent(OptimizerChoice):
    """Follows the gradient of the whole training split in every step: no noise, but each step costs a pass over all."""

    kind: Literal["gradient_descent"] = "gradient_descent"
    label = "Gradient descent (full batch)"
    source = "Cauchy 1847"
    torch_class = "torch.optim:SGD"
    formula = r"""\begin{aligned}
g_t &= \nabla_\theta \tfrac{1}{N} \textstyle\sum_{i=1}^{N} \ell_i(\theta_{t-1}) + \lambda\, \theta_{t-1} \\
\theta_t &= \theta_{t-1} - \eta\, g_t
\end{aligned}"""
    state = ()
    n_state = 0
    large_lr = 1.0
    has_fused = True
    needs_whole_split = True
    lr: LearningRate = 0.1
    """Learning rate η: how far one step goes."""
    weight_decay: Decay = 0.0
    """L2 pull λ of the weights towards zero, added to the gradient."""


class SGD(OptimizerChoice):
    """Follows the gradient of each batch; momentum keeps a running direction, Nesterov looks one step ahead."""

    kind: Literal["sgd"] = "sgd"
    label = "SGD"
    source = "Robbins & Monro 1951; Nesterov 1983; Sutskever et al. 2013"
    torch_class = "torch.optim:SGD"
    formula = r"""\begin{aligned}
g_t &= \nabla_\theta \ell_t(\theta_{t-1}) + \lambda\, \theta_{t-1} \\
v_t &= \mu\, v_{t-1} + (1 - \tau)\, g_t, \qquad v_1 = g_1 \\
\theta_t &= \theta_{t-1} - \eta \begin{cases}
g_t & \text{without momentum} \\ v_t & \text{with momentum} \\ g_t + \mu\, v_t & \text{Nesterov}
\end{cases}
\end{aligned}"""
    state = ("running direction v (with momentum)",)
    n_state = 0
    large_lr = 1.0
    has_fused = True
    lr: LearningRate = 0.1
    """Learning rate η: how far one step goes."""
    momentum: Memory = 0.0
    """Share μ of the last step that is kept."""
    dampening: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share τ of each new gradient that momentum leaves out; Nesterov ignores it."""
    nesterov: bool = False
    """Look ahead along the momentum; only with momentum above 0."""
    weight_decay: Decay = 0.0
    """L2 pull λ of the weights towards zero, added to the gradient."""

    @property
    def n_kept(self) -> int:
        """One with momentum."""
        return int(self.momentum > 0)

    def arguments(self) -> dict[str, Any]:
        """As torch wants them: it refuses Nesterov without momentum, which is plain SGD, and Nesterov with dampening."""
        values = super().arguments()
        nesterov = values["nesterov"] and values["momentum"] > 0
        return values | {"nesterov": nesterov, "dampening": 0.0 if nesterov else values["dampening"]}


class ASGD(OptimizerChoice):
    """SGD whose step shrinks by itself, and which averages the weights it has passed.

    The average is kept beside the weights and takes no part in training; torch evaluates the last weights, and so do we.
    """

    kind: Literal["asgd"] = "asgd"
    label = "ASGD (averaged)"
    source = "Polyak & Juditsky 1992"
    torch_class = "torch.optim:ASGD"
    formula = r"""\begin{aligned}
g_t &= \nabla_\theta \ell_t(\theta_{t-1}) + \lambda\, \theta_{t-1} \\
\theta_t &= (1 - \lambda_0\, \eta_t)\, \theta_{t-1} - \eta_t\, g_t \\
\bar\theta_t &= \bar\theta_{t-1} + \mu_t\, (\theta_t - \bar\theta_{t-1}) \\
\eta_{t+1} &= \frac{\eta}{(1 + \lambda_0\, \eta\, t)^{\alpha}}, \quad \eta_1 = \eta, \qquad
\mu_{t+1} = \frac{1}{\max(1,\, t - t_0)}, \quad \mu_1 = 1
\end{aligned}"""
    state = ("averaged weights θ̄",)
    n_state = 1
    large_lr = 1.0
    lr: LearningRate = 0.01
    """Learning rate η of the first step. A later change reaches the steps one step late, as in torch."""
    lambd: Annotated[float, Field(ge=0, le=1, title="lambda", json_schema_extra={"scale": "log"})] = 1e-4
    """How fast the step shrinks, and a decay of the weights (λ₀)."""
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.75
    """Power with which the step shrinks."""
    t0: Annotated[float, Field(ge=0, le=1e9, json_schema_extra={"scale": "log"})] = 1e6
    """Step from which on the weights are averaged."""
    weight_decay: Decay = 0.0
    """L2 pull λ of the weights towards zero, added to the gradient."""


class Lion(MomentsChoice):
    """Moves every weight by the same amount, up or down: the sign of a running mean of the gradient."""

    kind: Literal["lion"] = "lion"
    label = "Lion"
    source = "Chen et al. 2023, algorithm 2"
    torch_class = "core.optim.optimizer_modules:Lion"
    formula = r"""\begin{aligned}
c_t &= \beta_1\, m_{t-1} + (1 - \beta_1)\, g_t \\
\theta_t &= (1 - \eta \lambda)\, \theta_{t-1} - \eta\, \operatorname{sign}(c_t) \\
m_t &= \beta_2\, m_{t-1} + (1 - \beta_2)\, g_t
\end{aligned}"""
    state = ("running mean m of the gradient",)
    n_state = 1
    large_lr = 0.01
    lr: LearningRate = 1e-4
    """Learning rate η: exactly the size of each step of each weight. Three to ten times smaller than Adam's."""
    beta1: Memory = 0.9
    """Share of the remembered mean in the direction of a step."""
    beta2: Memory = 0.99
    """Memory of the mean of the gradient."""
    weight_decay: Decay = 0.0
    """Share λ of each weight, times the learning rate, that is taken away each step."""
