"""What one explanation has more than another."""

from dataclasses import replace

from core.errors import NotApplicable
from core.results.attribution import Attribution


def difference(first: Attribution, second: Attribution) -> Attribution:
    """`second - first`, value by value: what the second model leans on more (positive) or less (negative).

    Raises:
        NotApplicable: the two explain other things: another method, unit, class, or parts of another number.
    """
    same = ("method", "unit", "target", "signed")
    if any(getattr(first, name) != getattr(second, name) for name in same) or first.values.shape != second.values.shape:
        raise NotApplicable("These two explanations cannot be subtracted.", hint="Explain the same class by the same method.")
    return replace(
        second,
        values=second.values - first.values,
        output=second.output - first.output,
        probability=second.probability - first.probability,
        base=None if first.base is None or second.base is None else second.base - first.base,
        signed=True,
        players=None,
        stderr=None,
        segments=None,
        residual=None,
        fit_r2=None,
        notes=(),
    )
