"""How far a viewer of a run has come."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cursor:
    """What one viewer has seen: steps, counts of what only grows, and versions of what is only replaced."""

    generation: int = -1
    hello: int = 0
    step: int = 0
    reports: int = 0
    measured: int = 0
    epochs: int = 0
    filled: int = 0
    marks: int = 0
    phases: int = 0
    findings: int = 0
    surface: int = 0
    status: int = 0
