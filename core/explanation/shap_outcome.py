"""What Shapley values bring to an attribution."""

from dataclasses import replace

import numpy as np

from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice
from core.explanation.shapley import Shapley
from core.results.attribution import Attribution

SHAP_SOURCE = "Lundberg, Lee 2017, A unified approach to interpreting model predictions"


def shap_outcome(
    evaluations: Evaluations, choice: ExplainerChoice, found: Shapley, segments: np.ndarray | None = None
) -> Attribution:
    """The attribution of these values, painted on the patches where there are some.

    The residual is ours, since not every explainer of shap checks it.
    """
    painted = found.values if segments is None else found.values[segments]
    drafted = evaluations.drafted(choice, painted)
    return replace(
        drafted,
        base=found.base,
        residual=float(found.values.sum() + found.base - drafted.output),
        players=found.values,
        stderr=found.stderr,
        segments=segments,
        seed=None if found.is_exact else evaluations.subject.seed,
        notes=(_how(found, drafted.unit),),
    )


def _how(found: Shapley, unit: str) -> str:
    if found.is_exact:
        return "Exact: all combinations were tried."
    if found.stderr is None:
        return "Sampled."
    return f"Sampled: the standard error of a value is at most {found.stderr.max():.2g} {unit}."
