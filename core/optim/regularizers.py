"""What holds the weights or the gradient back, besides the optimizer itself. Each acts at one moment of a step.

The order within a step: penalties are added to the gradient, then the gradient is clipped, then weights decay, then the
optimizer steps, then weights are limited, then averaged. Penalties and decay act on all parameters, biases too, as
torch's `weight_decay` does.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from core.spec import Choice, choices, on_menu

Moment = Literal["gradient", "clip", "decay", "limit", "average"]
MOMENTS: tuple[Moment, ...] = ("gradient", "clip", "decay", "limit", "average")
Strength = Annotated[float, Field(ge=0, le=1, json_schema_extra={"scale": "log"})]
Limit = Annotated[float, Field(ge=1e-6, le=1e6, json_schema_extra={"scale": "log"})]


class RegularizerChoice(Choice):
    """A regularizer. How it acts is in core/optim/penalties.py."""

    moment: ClassVar[Moment]


class L1(RegularizerChoice):
    """Adds strength times the sign of each weight to the gradient: small weights become exactly useless, then zero."""

    kind: Literal["l1"] = "l1"
    label = "L1 penalty"
    source = "Tibshirani 1996"
    moment = "gradient"
    strength: Strength = 1e-4
    """Weight of the sum of all |w| in what is minimised."""


class L2(RegularizerChoice):
    """Adds strength times each weight to the gradient (coupled): optimizers that rescale the gradient rescale the pull as well.

    With plain SGD it is the same as decoupled weight decay; with Adam weights with large gradients are pulled less.
    """

    kind: Literal["l2"] = "l2"
    label = "L2 penalty (coupled)"
    source = "Krogh & Hertz 1992"
    moment = "gradient"
    strength: Strength = 1e-4
    """Weight of half the sum of all w² in what is minimised."""


class WeightDecay(RegularizerChoice):
    """Shrinks each weight by the learning rate times strength, past the optimizer (decoupled): the same pull for all weights.

    The gradient is left alone, as in AdamW; a falling learning rate lets the pull fall too.
    """

    kind: Literal["weight_decay"] = "weight_decay"
    label = "Weight decay (decoupled)"
    source = "Loshchilov & Hutter 2019, section 2"
    moment = "decay"
    strength: Strength = 0.01
    """Share of each weight, times the learning rate, that is taken away each step."""


class MaxNorm(RegularizerChoice):
    """Shortens the incoming weights of each unit, or each filter, to a limit where they are longer. Biases are left alone."""

    kind: Literal["max_norm"] = "max_norm"
    label = "Max-norm"
    source = "Srivastava et al. 2014, section 5.1"
    moment = "limit"
    limit: Annotated[Limit, Field(title="max norm")] = 3.0
    """Largest L2 norm of a row of a weight matrix, or of a filter."""


class ClipNorm(RegularizerChoice):
    """Shortens the whole gradient to a limit where it is longer: its direction stays."""

    kind: Literal["clip_norm"] = "clip_norm"
    label = "Clip gradient norm"
    source = "Pascanu et al. 2013, algorithm 1"
    moment = "clip"
    limit: Annotated[Limit, Field(title="max norm")] = 1.0
    """Largest L2 norm over all gradients."""


class ClipValue(RegularizerChoice):
    """Cuts each number of the gradient off at a limit: its direction can change."""

    kind: Literal["clip_value"] = "clip_value"
    label = "Clip gradient value"
    source = "Mikolov 2012, section 3.2"
    moment = "clip"
    limit: Annotated[Limit, Field(title="clip value")] = 0.5
    """Largest size of one number of the gradient."""


class WeightAverage(RegularizerChoice):
    """Keeps a running mean of the weights (EMA), which is what is validated: noise of the last steps averages out.

    Training itself does not see the mean. In the first steps the mean is shorter, so that the random start is soon forgotten:
    step n uses min(decay, (1 + n) / (10 + n)).
    """

    kind: Literal["weight_average"] = "weight_average"
    label = "Weight averaging (EMA)"
    source = "Polyak & Juditsky 1992"
    moment = "average"
    decay: Annotated[float, Field(ge=0, le=0.99999)] = 0.999
    """Share of the mean that each step keeps: 0.999 averages over about the last 1,000 steps."""

    def decay_at(self, number: int) -> float:
        """The share that step `number`, from 1, keeps."""
        return min(self.decay, (1 + number) / (10 + number))


AnyRegularizer = Annotated[L1 | L2 | WeightDecay | MaxNorm | ClipNorm | ClipValue | WeightAverage, on_menu()]


def in_order(regularizers: Sequence[RegularizerChoice]) -> list[RegularizerChoice]:
    """In the order in which they act: by moment, and within a moment as on the Menu."""
    menu = list(choices(AnyRegularizer))
    return sorted(regularizers, key=lambda one: (MOMENTS.index(one.moment), menu.index(type(one))))


def average_of(regularizers: Sequence[RegularizerChoice]) -> WeightAverage | None:
    """The one that keeps a mean of the weights; None without one."""
    return next((one for one in regularizers if isinstance(one, WeightAverage)), None)
