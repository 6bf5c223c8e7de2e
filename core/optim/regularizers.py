"""What holds the weights or the gradient back, besides the optimizer itself. Each acts at one moment of a step.

The order within a step: penalties are added to the gradient, then the gradient is clipped, then weights decay, then the
optimizer steps, then weights are limited, then averaged.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from core.spec import Choice, on_menu

Moment = Literal["gradient", "clip", "decay", "limit", "average"]
MOMENTS: tuple[Moment, ...] = ("gradient", "clip", "decay", "limit", "average")


class RegularizerChoice(Choice):
    """A regularizer. How it acts is in core/optim/penalties.py."""

    moment: ClassVar[Moment]


class L1(RegularizerChoice):
    """Adds strength times the sign of each weight to the gradient: small weights become exactly useless, then zero."""

    kind: Literal["l1"] = "l1"
    label = "L1 penalty"
    source = "Tibshirani 1996"
    moment = "gradient"
    strength: Annotated[float, Field(ge=0, le=1)] = 1e-4
    """Weight of the sum of all |w| in what is minimised."""


class ClipNorm(RegularizerChoice):
    """Shortens the whole gradient to a limit where it is longer."""

    kind: Literal["clip_norm"] = "clip_norm"
    label = "Clip gradient norm"
    source = "Pascanu et al. 2013, algorithm 1"
    moment = "clip"
    limit: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    """Largest L2 norm over all gradients."""


AnyRegularizer = Annotated[L1 | ClipNorm, on_menu()]
