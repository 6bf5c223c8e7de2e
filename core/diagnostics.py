"""What may be wrong, found by looking: linters return these and never raise."""

from dataclasses import dataclass, field
from typing import Any

from core.spec import Spec
from core.types import Severity


@dataclass(frozen=True, slots=True)
class Fix:
    """One change that mends a finding: a label for the button and the changed spec."""

    label: str
    spec: Spec


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `code` is stable and kebab-case; `where` is the place as a path of names and indices, such as ("layers", 3);
    `message` says what, with numbers; `hint` says what to do; `params` carries the numbers for a translation.
    """

    code: str
    severity: Severity
    where: tuple[str | int, ...]
    message: str
    hint: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    fix: Fix | None = None
