"""Partial dependence and its individual lines: one column is set to one value after the other, all else stays."""

import numpy as np

from core.data.dataset import Splits
from core.explanation.columns import Column, model_values, own_values
from core.explanation.evaluations import Evaluations, answer_unit
from core.explanation.explainer import Progress, Subject
from core.results.partial_dependence import PartialDependence

MAX_LINE_ROWS = 20_000
"""Rows that are made at once."""


def partial_dependence(
    subject: Subject, splits: Splits, column: Column, rows: np.ndarray, n_grid: int, progress: Progress
) -> PartialDependence:
    """The answers of `rows` (N, F), as the model receives them, and of the subject's own, all over the range of a column.

    Columns with few different values get these, others an even grid from the smallest to the largest. What the model says
    about values that cannot go together (a small perimeter with a large area) is part of the mean.

    Source:
        Friedman 2001, "Greedy function approximation", section 8.2; Goldstein et al. 2015, "Peeking inside the black box".
    """
    import torch

    own_row = subject.x.numpy()
    known = own_values(splits, column, rows)
    own_value = float(own_values(splits, column, own_row)[0])
    grid = _grid(column, np.append(known, own_value), n_grid)
    everyone = np.concatenate([rows, own_row])  # (N + 1, F)
    evaluations = Evaluations(subject, progress, planned=len(grid) * len(everyone) + 1)
    settings = model_values(splits, column, grid)  # (G, places)
    at_once = max(1, MAX_LINE_ROWS // len(grid))
    parts = []
    for start in range(0, len(everyone), at_once):
        part = everyone[start : start + at_once]
        changed = np.repeat(part[:, None], len(grid), axis=1).astype(np.float32)  # (N, G, F)
        changed[:, :, list(column.places)] = settings
        parts.append(evaluations.logits(torch.from_numpy(changed.reshape(-1, changed.shape[2]))).reshape(len(part), -1))
    answers = np.concatenate(parts)
    own_answer = float(evaluations.logits(subject.x)[0])
    return PartialDependence(
        name=column.name,
        categories=column.categories,
        grid=grid,
        answers=answers[:-1],
        mean=answers[:-1].mean(0),
        values=known,
        own=answers[-1],
        own_value=own_value,
        own_answer=own_answer,
        unit=answer_unit(subject),
        target_name=subject.target_name,
        step=subject.step,
    )


def _grid(column: Column, values: np.ndarray, n_grid: int) -> np.ndarray:
    """(G,) float64, rising."""
    if column.categories:
        return np.arange(len(column.categories), dtype=np.float64)
    different = np.unique(values)
    if len(different) <= n_grid:
        return different
    grid: np.ndarray = np.linspace(different[0], different[-1], n_grid)
    return grid
