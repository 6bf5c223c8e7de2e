"""What the model says when one column is changed and all others stay."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class PartialDependence:
    """The answers of N examples on a grid of G values of one column. Arrays are float64."""

    name: str
    """Of the column, with its unit where it has one."""
    categories: tuple[str, ...]
    """Of a column of categories, in the order of the grid; () for numbers."""
    grid: np.ndarray
    """(G,): values of the column in its own unit, rising; numbers of categories."""
    answers: np.ndarray
    """(N, G): what each example gets (individual conditional expectation)."""
    mean: np.ndarray
    """(G,): their mean (partial dependence)."""
    values: np.ndarray
    """(N,): the values that the examples have."""
    own: np.ndarray
    """(G,): what the example that is looked at gets."""
    own_value: float
    own_answer: float
    """Its value, and what it gets with it."""
    unit: str
    """Of the answers."""
    target_name: str
    step: int
