"""Adam and its family: a running mean of the gradient over a running size of it."""

from typing import Annotated, Literal

from pydantic import Field

from core.optim.optimizer import Decay, Epsilon, LearningRate, MomentsChoice

MOMENTS = r"""m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \\
v_t &= \beta_2 v_{t-1} + (1 - \beta_2)\, g_t^2 \\"""
COUPLED = r"""g_t &= \nabla_\theta \ell_t(\theta_{t-1}) + \lambda\, \theta_{t-1} \\"""
EITHER = r"""\text{coupled: } g_t &= \nabla_\theta \ell_t(\theta_{t-1}) + \lambda\, \theta_{t-1}, \qquad
\text{decoupled: } \theta_{t-1} \leftarrow (1 - \eta \lambda)\, \theta_{t-1} \\"""
STEP = r"""\hat v_t &= \frac{v_t}{1 - \beta_2^t}, \qquad
\text{AMSGrad: } \hat v_t = \frac{\max(v_1, \ldots, v_t)}{1 - \beta_2^t} \\
\theta_t &= \theta_{t-1} - \eta\, \frac{m_t / (1 - \beta_1^t)}{\sqrt{\hat v_t} + \epsilon}"""
TWO = ("first moment m", "second moment v")


class Adam(MomentsChoice):
    """Divides a running mean of the gradient by a running root mean square of it, both corrected for their start at zero."""

    kind: Literal["adam"] = "adam"
    label = "Adam"
    source = "Kingma & Ba 2015, algorithm 1; AMSGrad: Reddi et al. 2018"
    torch_class = "torch.optim:Adam"
    formula = f"\\begin{{aligned}}\n{COUPLED}\n{MOMENTS}\n{STEP}\n\\end{{aligned}}"
    state = (*TWO, "largest second moment (AMSGrad)")
    n_state = 2
    large_lr = 0.1
    has_fused = True
    lr: LearningRate = 0.001
    """Learning rate η: about the size of one step of each weight."""
    eps: Epsilon = 1e-8
    """Keeps the division finite."""
    weight_decay: Decay = 0.0
    """L2 pull λ of the weights towards zero, added to the gradient."""
    amsgrad: bool = False
    """Divide by the largest mean square so far, so that steps never grow again."""

    @property
    def n_kept(self) -> int:
        """Two, and one more with AMSGrad."""
        return 2 + int(self.amsgrad)


class AdamW(Adam):
    """Adam with weight decay taken from the weights themselves, not mixed into the gradient."""

    kind: Literal["adamw"] = "adamw"  # type: ignore[assignment]
    label = "AdamW"
    source = "Loshchilov & Hutter 2019, algorithm 2; AMSGrad: Reddi et al. 2018"
    torch_class = "torch.optim:AdamW"
    formula = (
        "\\begin{aligned}\n"
        + r"\theta_{t-1} &\leftarrow (1 - \eta \lambda)\, \theta_{t-1} \\"
        + f"\n{MOMENTS}\n{STEP}\n\\end{{aligned}}"
    )
    weight_decay: Decay = 0.01
    """Share λ of each weight, times the learning rate, that is taken away each step."""


class NAdam(MomentsChoice):
    """Adam that looks one step ahead along its momentum, as Nesterov does, with a momentum that grows over the first steps."""

    kind: Literal["nadam"] = "nadam"
    label = "NAdam"
    source = "Dozat 2016"
    torch_class = "torch.optim:NAdam"
    formula = (
        "\\begin{aligned}\n"
        + EITHER
        + r"""
\mu_t &= \beta_1 \left(1 - \tfrac{1}{2}\, 0.96^{\,t \psi}\right) \\"""
        + f"\n{MOMENTS}\n"
        + r"""\hat m_t &= \frac{\mu_{t+1}\, m_t}{1 - \prod_{i=1}^{t+1} \mu_i}
+ \frac{(1 - \mu_t)\, g_t}{1 - \prod_{i=1}^{t} \mu_i} \\
\theta_t &= \theta_{t-1} - \eta\, \frac{\hat m_t}{\sqrt{v_t / (1 - \beta_2^t)} + \epsilon}
\end{aligned}"""
    )
    state = TWO
    n_state = 2
    large_lr = 0.1
    lr: LearningRate = 0.002
    """Learning rate η: about the size of one step of each weight."""
    eps: Epsilon = 1e-8
    """Keeps the division finite."""
    momentum_decay: Annotated[float, Field(ge=0, le=1, json_schema_extra={"scale": "log"})] = 0.004
    """How fast the momentum grows from half of beta 1 to beta 1 (ψ)."""
    weight_decay: Decay = 0.0
    """Pull λ of the weights towards zero."""
    decoupled_weight_decay: bool = False
    """Take the decay from the weights themselves, as AdamW does, and not through the gradient."""


class RAdam(MomentsChoice):
    """Adam that does not divide until it has seen enough gradients to know their size: a warm-up of its own making."""

    kind: Literal["radam"] = "radam"
    label = "RAdam"
    source = "Liu et al. 2020, algorithm 2"
    torch_class = "torch.optim:RAdam"
    formula = (
        "\\begin{aligned}\n"
        + EITHER
        + f"\n{MOMENTS}\n"
        + r"""\rho_\infty &= \frac{2}{1 - \beta_2} - 1, \qquad \rho_t = \rho_\infty - \frac{2\, t\, \beta_2^t}{1 - \beta_2^t} \\
r_t &= \sqrt{\frac{(\rho_t - 4)(\rho_t - 2)\, \rho_\infty}{(\rho_\infty - 4)(\rho_\infty - 2)\, \rho_t}} \\
\theta_t &= \theta_{t-1} - \eta\, \frac{m_t}{1 - \beta_1^t} \cdot \begin{cases}
r_t\, \sqrt{1 - \beta_2^t} \,/\, (\sqrt{v_t} + \epsilon) & \rho_t > 5 \\ 1 & \text{else}
\end{cases}
\end{aligned}"""
    )
    state = TWO
    n_state = 2
    large_lr = 0.1
    lr: LearningRate = 0.001
    """Learning rate η: about the size of one step of each weight, once it divides."""
    eps: Epsilon = 1e-8
    """Keeps the division finite."""
    weight_decay: Decay = 0.0
    """Pull λ of the weights towards zero."""
    decoupled_weight_decay: bool = False
    """Take the decay from the weights themselves, as AdamW does, and not through the gradient."""


class Adamax(MomentsChoice):
    """Adam that divides by the largest recent gradient instead of a mean square."""

    kind: Literal["adamax"] = "adamax"
    label = "Adamax"
    source = "Kingma & Ba 2015, algorithm 2"
    torch_class = "torch.optim:Adamax"
    formula = (
        f"\\begin{{aligned}}\n{COUPLED}\n"
        + r"""m_t &= \beta_1 m_{t-1} + (1 - \beta_1)\, g_t \\
u_t &= \max(\beta_2\, u_{t-1},\; |g_t| + \epsilon) \\
\theta_t &= \theta_{t-1} - \frac{\eta}{1 - \beta_1^t} \cdot \frac{m_t}{u_t}
\end{aligned}"""
    )
    state = ("first moment m", "largest recent gradient u")
    n_state = 2
    large_lr = 0.1
    lr: LearningRate = 0.002
    """Learning rate η: about the size of one step of each weight."""
    eps: Epsilon = 1e-8
    """Keeps the division finite."""
    weight_decay: Decay = 0.0
    """L2 pull λ of the weights towards zero, added to the gradient."""
