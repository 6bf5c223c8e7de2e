"""Optimizers that look at more than one weight at a time: whole matrices, or all weights together."""

from typing import Annotated, Any, Literal

from pydantic import Field

from core.optim.optimizer import Decay, LearningRate, Memory, MomentsChoice, OptimizerChoice


class Muon(MomentsChoice):
    """Turns the momentum of each matrix into the nearest orthogonal one, so that no direction is left behind.

    The kernels of 2-D convolutions count as matrices of (channels out, all else), tables of embeddings as matrices, too;
    biases and all else are trained by AdamW with the same learning rate and weight decay. Torch iterates in bfloat16.
    """

    kind: Literal["muon"] = "muon"
    label = "Muon"
    source = "Jordan et al. 2024, Muon: An optimizer for hidden layers; step size: Liu et al. 2025, Muon is Scalable"
    torch_class = "core.optim.optimizer_modules:MuonAndAdamW"
    formula = r"""\begin{aligned}
M_t &= \mu\, M_{t-1} + (1 - \mu)\, G_t, \qquad
\tilde M_t = \begin{cases} (1 - \mu)\, G_t + \mu\, M_t & \text{Nesterov} \\ M_t & \text{else} \end{cases} \\
X_0 &= \tilde M_t / \lVert \tilde M_t \rVert_F \quad (\text{transposed if it has more rows than columns}) \\
X_{k+1} &= a X_k + b\, (X_k X_k^\top) X_k + c\, (X_k X_k^\top)^2 X_k, \qquad (a, b, c) = (3.4445, -4.7750, 2.0315) \\
\Theta_t &= (1 - \eta \lambda)\, \Theta_{t-1} - \eta\, s\, X_K, \qquad
s = \begin{cases} 0.2 \sqrt{\max(\text{rows}, \text{columns})} & \text{match AdamW} \\
\sqrt{\max(1, \text{rows} / \text{columns})} & \text{original} \end{cases}
\end{aligned}"""
    state = ("momentum M (matrices)", "first moment m (all else)", "second moment v (all else)")
    n_state = 1
    large_lr = 0.1
    lr: LearningRate = 0.001
    """Learning rate η of matrices and of all else; with `match_rms_adamw` one that is good for AdamW is good here."""
    beta1: Memory = 0.9
    """Memory of the mean of the gradient, of what is no matrix."""
    beta2: Memory = 0.999
    """Memory of the mean square of the gradient, of what is no matrix."""
    momentum: Memory = 0.95
    """Share μ of the last direction that is kept."""
    nesterov: bool = True
    """Look ahead along the momentum."""
    ns_steps: Annotated[int, Field(ge=1, le=20, title="Newton-Schulz steps")] = 5
    """Iterations K towards the orthogonal matrix; each costs three products of matrices."""
    adjust_lr_fn: Annotated[Literal["match_rms_adamw", "original"], Field(title="size of the step")] = "match_rms_adamw"
    """How the step depends on the shape of the matrix: as large as AdamW's, or as in the first text on Muon."""
    weight_decay: Decay = 0.01
    """Share λ of each weight, times the learning rate, that is taken away each step."""

    @property
    def n_kept(self) -> int:
        """Two, for those that AdamW trains."""
        return 2


class Adafactor(OptimizerChoice):
    """Adam's division with hardly any memory: of each matrix it keeps the mean squares of rows and columns alone."""

    kind: Literal["adafactor"] = "adafactor"
    label = "Adafactor"
    source = "Shazeer & Stern 2018, algorithms 4 and 5"
    torch_class = "torch.optim:Adafactor"
    formula = r"""\begin{aligned}
\beta_t &= 1 - t^{\tau}, \qquad \alpha_t = \max(\epsilon_2, \operatorname{RMS}(\theta_{t-1})) \cdot \min(\eta, 1 / \sqrt{t}) \\
\theta_{t-1} &\leftarrow (1 - \eta \lambda)\, \theta_{t-1} \\
R_t &= \beta_t R_{t-1} + (1 - \beta_t)\, \operatorname{mean}_{\text{columns}}(G_t^2), \qquad
C_t = \beta_t C_{t-1} + (1 - \beta_t)\, \operatorname{mean}_{\text{rows}}(G_t^2) \\
V_t &= \frac{R_t\, C_t}{\max(\operatorname{mean}(R_t), \epsilon_1)}, \qquad
\text{vectors: } V_t = \beta_t V_{t-1} + (1 - \beta_t)\, g_t^2 \\
U_t &= \frac{G_t}{\sqrt{\max(V_t, \epsilon_1^2)}}, \qquad
\theta_t = \theta_{t-1} - \alpha_t\, \frac{U_t}{\max(1, \operatorname{RMS}(U_t) / d)}
\end{aligned}"""
    state = ("mean squares R of rows and C of columns (matrices)", "second moment V (vectors)")
    n_state = 1
    large_lr = 0.5
    lr: LearningRate = 0.01
    """Learning rate η: size of a step as a share of the weights' own size."""
    beta2_decay: Annotated[float, Field(ge=-1, le=0, title="decay of the memory")] = -0.8
    """Power τ of the step number: how fast the memory of squares grows longer."""
    eps2: Annotated[float, Field(ge=1e-12, le=1, title="eps 2", json_schema_extra={"scale": "log"})] = 1e-3
    """Weights smaller than this count as this large (ε₂)."""
    d: Annotated[float, Field(ge=1, le=100, title="clip at")] = 1.0
    """Steps whose root mean square is larger are shortened to it."""
    weight_decay: Decay = 0.0
    """Share λ of each weight, times the learning rate, that is taken away each step."""

    @property
    def n_kept(self) -> int:
        """Two for kernels of one by one, which have as many rows and columns as weights."""
        return 2

    def arguments(self) -> dict[str, Any]:
        """As torch wants them: its first epsilon is that of the number format."""
        values = super().arguments()
        return values | {"eps": (None, values.pop("eps2"))}


class LBFGS(OptimizerChoice):
    """Guesses the curvature from its last steps and jumps to where the slope should vanish, on the whole training split.

    One step makes up to `max_iter` iterations, each with one or more evaluations of the loss.
    """

    kind: Literal["lbfgs"] = "lbfgs"
    label = "L-BFGS"
    source = "Liu & Nocedal 1989; line search: Nocedal & Wright 2006, algorithms 3.5 and 3.6"
    torch_class = "core.optim.optimizer_modules:LBFGS"
    formula = r"""\begin{aligned}
d_k &= -H_k\, g_k, \qquad H_k \text{ from } H_k^0 = \frac{s_{k-1}^\top y_{k-1}}{y_{k-1}^\top y_{k-1}} I
\text{ and the last } m \text{ pairs } s_i = \theta_{i+1} - \theta_i,\; y_i = g_{i+1} - g_i \\
&\phantom{=}\; \text{by } H \leftarrow (I - \rho_i s_i y_i^\top)\, H\, (I - \rho_i y_i s_i^\top) + \rho_i s_i s_i^\top,
\qquad \rho_i = \frac{1}{y_i^\top s_i} \\
\theta_{k+1} &= \theta_k + t_k\, d_k, \qquad t_k \text{ from } \eta \text{ by the strong Wolfe conditions, or } t_k = \eta \\
d_0 &= -g_0, \qquad t_0 = \eta \min(1, 1 / \lVert g_0 \rVert_1)
\end{aligned}"""
    state = ("last steps s", "last changes y of the gradient", "direction d", "last gradient g")
    n_state = 22
    large_lr = 2.0
    needs_whole_split = True
    needs_closure = True
    lr: LearningRate = 1.0
    """Learning rate η: the step that is tried first, 1 for the full Newton-like step."""
    max_iter: Annotated[int, Field(ge=1, le=100, title="iterations per step")] = 20
    """Most iterations in one step."""
    history_size: Annotated[int, Field(ge=1, le=100)] = 10
    """How many pairs m of steps and gradients it remembers; each costs two numbers for each weight."""
    strong_wolfe: Annotated[bool, Field(title="line search")] = True
    """Search along each direction for a step that lowers loss and slope enough (strong Wolfe conditions)."""

    @property
    def n_kept(self) -> int:
        """Two for each remembered pair, the direction and the last gradient."""
        return 2 * self.history_size + 2

    def arguments(self) -> dict[str, Any]:
        """As torch wants them, with the line search by name."""
        values = super().arguments()
        return values | {"line_search_fn": "strong_wolfe" if values.pop("strong_wolfe") else None}
