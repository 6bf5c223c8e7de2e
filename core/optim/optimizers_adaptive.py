"""Optimizers that give each weight a step of its own by what its gradients were like, without a mean of the gradient."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.optim.optimizer import Decay, Epsilon, LearningRate, Memory, OptimizerChoice


class RMSprop(OptimizerChoice):
    """Divides the gradient by a running root mean square of it; centered, by its spread about the mean."""

    kind: Literal["rmsprop"] = "rmsprop"
    label = "RMSprop"
    source = "Hinton 2012, Neural Networks for Machine Learning, lecture 6e; centered: Graves 2013, section 4"
    torch_class = "torch.optim:RMSprop"
    formula = r"""\begin{aligned}
g_t &= \nabla_\theta \ell_t(\theta_{t-1}) + \lambda\, \theta_{t-1} \\
v_t &= \alpha\, v_{t-1} + (1 - \alpha)\, g_t^2 \\
u_t &= \alpha\, u_{t-1} + (1 - \alpha)\, g_t \quad \text{if centered, else } u_t = 0 \\
b_t &= \mu\, b_{t-1} + \frac{g_t}{\sqrt{v_t - u_t^2} + \epsilon} \\
\theta_t &= \theta_{t-1} - \eta\, b_t
\end{aligned}"""
    state = ("running mean square v", "running direction b (with momentum)", "running mean u (centered)")
    n_state = 1
    large_lr = 0.1
    lr: LearningRate = 0.001
    """Learning rate η: about the size of one step of each weight."""
    alpha: Memory = 0.99
    """Memory α of the mean square of the gradient."""
    momentum: Memory = 0.0
    """Share μ of the last step that is kept."""
    centered: bool = False
    """Divide by the spread of the gradient about its mean, not by its size."""
    eps: Epsilon = 1e-8
    """Keeps the division finite."""
    weight_decay: Decay = 0.0
    """L2 pull λ of the weights towards zero, added to the gradient."""

    @property
    def n_kept(self) -> int:
        """One, and one more each with momentum and centered."""
        return 1 + int(self.momentum > 0) + int(self.centered)


class Adagrad(OptimizerChoice):
    """Divides the gradient by the root of the sum of all its squares so far: steps only get shorter."""

    kind: Literal["adagrad"] = "adagrad"
    label = "Adagrad"
    source = "Duchi et al. 2011, JMLR 12"
    torch_class = "torch.optim:Adagrad"
    formula = r"""\begin{aligned}
g_t &= \nabla_\theta \ell_t(\theta_{t-1}) + \lambda\, \theta_{t-1} \\
s_t &= s_{t-1} + g_t^2 \\
\theta_t &= \theta_{t-1} - \frac{\eta}{1 + (t - 1)\, \delta} \cdot \frac{g_t}{\sqrt{s_t} + \epsilon}
\end{aligned}"""
    state = ("sum of squares s",)
    n_state = 1
    large_lr = 0.1
    has_fused = True
    fused_devices: ClassVar[tuple[str, ...]] = ("cpu",)
    lr: LearningRate = 0.01
    """Learning rate η: size of the first step of each weight."""
    lr_decay: Annotated[float, Field(ge=0, le=1, title="learning-rate decay", json_schema_extra={"scale": "log"})] = 0.0
    """Makes steps shorter still with their number (δ)."""
    eps: Epsilon = 1e-10
    """Keeps the division finite."""
    weight_decay: Decay = 0.0
    """L2 pull λ of the weights towards zero, added to the gradient."""


class Adadelta(OptimizerChoice):
    """Scales the gradient by the size of past steps over that of past gradients: a step in the weights' own unit."""

    kind: Literal["adadelta"] = "adadelta"
    label = "Adadelta"
    source = "Zeiler 2012, algorithm 1"
    torch_class = "torch.optim:Adadelta"
    formula = r"""\begin{aligned}
g_t &= \nabla_\theta \ell_t(\theta_{t-1}) + \lambda\, \theta_{t-1} \\
v_t &= \rho\, v_{t-1} + (1 - \rho)\, g_t^2 \\
\Delta_t &= \frac{\sqrt{u_{t-1} + \epsilon}}{\sqrt{v_t + \epsilon}}\, g_t \\
u_t &= \rho\, u_{t-1} + (1 - \rho)\, \Delta_t^2 \\
\theta_t &= \theta_{t-1} - \eta\, \Delta_t
\end{aligned}"""
    state = ("running mean square v of gradients", "running mean square u of steps")
    n_state = 2
    large_lr = 5.0
    lr: LearningRate = 1.0
    """Learning rate η: a factor on the step that the rule finds by itself; 1 in the paper."""
    rho: Memory = 0.9
    """Memory ρ of both mean squares."""
    eps: Epsilon = 1e-6
    """Keeps the division finite, and sets the size of the first steps."""
    weight_decay: Decay = 0.0
    """L2 pull λ of the weights towards zero, added to the gradient."""


class Rprop(OptimizerChoice):
    """Looks at the sign of the gradient alone: a weight's step grows while the sign stays, and shrinks when it turns.

    Made for full batches: the noise of small ones turns signs at random. It uses the learning rate once, in its first step.
    """

    kind: Literal["rprop"] = "rprop"
    label = "Rprop"
    source = "Riedmiller & Braun 1993; without backtracking (iRprop−): Igel & Hüsken 2000"
    torch_class = "torch.optim:Rprop"
    formula = r"""\begin{aligned}
s_t &= \operatorname{clip}\!\left(s_{t-1} \cdot \begin{cases}
\eta^+ & g_t\, g_{t-1} > 0 \\ \eta^- & g_t\, g_{t-1} < 0 \\ 1 & \text{else}
\end{cases},\; s_{\min},\; s_{\max}\right), \qquad s_0 = \eta,\; g_0 = 0 \\
g_t &\leftarrow 0 \quad \text{where } g_t\, g_{t-1} < 0 \\
\theta_t &= \theta_{t-1} - s_t \operatorname{sign}(g_t)
\end{aligned}"""
    state = ("size s of the step", "last gradient g")
    n_state = 2
    large_lr = 0.1
    uses_lr_once = True
    lr: LearningRate = 0.01
    """Learning rate η: size of the first step of each weight. Changing it later does nothing."""
    eta_minus: Annotated[float, Field(ge=0.01, le=0.99, title="shrink by")] = 0.5
    """What a step is multiplied with when the sign of the gradient has turned (η⁻)."""
    eta_plus: Annotated[float, Field(ge=1.01, le=10, title="grow by")] = 1.2
    """What a step is multiplied with while the sign of the gradient stays (η⁺)."""
    step_min: Annotated[float, Field(ge=1e-12, le=1e-2, title="smallest step", json_schema_extra={"scale": "log"})] = 1e-6
    """No step is smaller."""
    step_max: Annotated[float, Field(ge=1e-2, le=1e3, title="largest step", json_schema_extra={"scale": "log"})] = 50.0
    """No step is larger."""

    def arguments(self) -> dict[str, Any]:
        """As torch wants them, in pairs."""
        return {
            "lr": self.lr,
            "etas": (self.eta_minus, self.eta_plus),
            "step_sizes": (self.step_min, self.step_max),
        }
