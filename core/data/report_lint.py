"""What may be wrong with examples that were counted: the rules over a DataReport."""

from collections.abc import Callable, Iterator

import numpy as np

from core.data.wording import listed, quoted
from core.diagnostics import Diagnostic
from core.results.data_report import DataReport

IMBALANCE = 10.0
"""Largest class divided by the smallest, above which a network may learn the large one alone."""
FEW = 10
"""Training examples of a class, below which it is hardly learned."""
CORRELATED = 0.98
MANY_MISSING = 0.2
"""Share of the rows of a column."""
FAR = 10.0
"""Standard deviations from the mean, beyond which a single value dominates the scale of its column."""
SPLITS = ("training", "validation", "test")


def single_class(report: DataReport) -> Iterator[Diagnostic]:
    if report.class_counts is None or not report.class_counts.any():
        return
    present = np.flatnonzero(report.class_counts.sum(axis=0))
    if len(present) == 1:
        yield Diagnostic(
            "single-class",
            "error",
            (),
            f"All examples are of the class “{report.class_names[present[0]]}”: there is nothing to tell apart.",
            hint="Add examples of another class.",
        )


def missing_class(report: DataReport) -> Iterator[Diagnostic]:
    if report.class_counts is None:
        return
    for i, counts in enumerate(report.class_counts):
        missing = [report.class_names[k] for k in np.flatnonzero((counts == 0) & (report.class_counts.sum(axis=0) > 0))]
        if missing and counts.any():
            yield Diagnostic(
                "missing-class",
                "warning",
                (),
                f"The {SPLITS[i]} split has no example of {quoted(missing)}.",
                hint="Add examples of it, or give this split a larger share.",
                params={"split": SPLITS[i], "classes": missing},
            )


def unused_class(report: DataReport) -> Iterator[Diagnostic]:
    if report.class_counts is None or not report.class_counts.any():
        return
    unused = [report.class_names[k] for k in np.flatnonzero(report.class_counts.sum(axis=0) == 0)]
    if unused:
        yield Diagnostic(
            "unused-class",
            "warning",
            (),
            f"No example at all is of {quoted(unused)}.",
            hint="Remove the class, or add examples of it.",
            params={"classes": unused},
        )


def class_imbalance(report: DataReport) -> Iterator[Diagnostic]:
    if report.class_counts is None:
        return
    counts = report.class_counts[0]
    present = np.flatnonzero(counts)
    if len(present) < 2:
        return
    most, least = present[counts[present].argmax()], present[counts[present].argmin()]
    if counts[most] > IMBALANCE * counts[least]:
        yield Diagnostic(
            "class-imbalance",
            "warning",
            (),
            f"“{report.class_names[most]}” has {counts[most]:,} training examples and “{report.class_names[least]}” "
            f"{counts[least]:,}, one to {counts[most] / counts[least]:,.0f}: always saying the first would be right in "
            f"{counts[most] / counts.sum():.0%}.",
            hint="Look at the figures of each class, not at the accuracy alone.",
            params={"most": int(counts[most]), "least": int(counts[least])},
        )


def few_examples(report: DataReport) -> Iterator[Diagnostic]:
    if report.class_counts is None:
        return
    counts = report.class_counts[0]
    few = [f"“{report.class_names[k]}” ({counts[k]:,})" for k in np.flatnonzero((counts > 0) & (counts < FEW))]
    if few:
        yield Diagnostic(
            "few-examples",
            "warning",
            (),
            f"Fewer than {FEW} training examples: {listed(few)}.",
            hint="Add examples, or give the training split a larger share.",
            params={"n_classes": len(few)},
        )


def constant_columns(report: DataReport) -> Iterator[Diagnostic]:
    if report.statistics is None:
        return
    is_constant = report.statistics[:, 2] == report.statistics[:, 4]
    for i, counts in enumerate(report.category_counts):
        is_constant[i] |= counts.shape[1] > 0 and np.count_nonzero(counts.sum(axis=0)) == 1
    constant = _names(report, is_constant)
    if constant:
        yield Diagnostic(
            "constant-columns",
            "warning",
            (),
            f"{quoted(constant)}: always the same value in the training split, which tells nothing.",
            hint="Leave such columns out.",
            params={"columns": constant},
        )


def correlated_columns(report: DataReport) -> Iterator[Diagnostic]:
    if report.correlation is None:
        return
    r = np.nan_to_num(report.correlation)
    pairs = np.argwhere(np.triu(np.abs(r) > CORRELATED, k=1))
    pairs = pairs[np.argsort(-np.abs(r[pairs[:, 0], pairs[:, 1]]), kind="stable")]
    if len(pairs):
        texts = [f"“{_name(report, i)}” and “{_name(report, j)}” ({r[i, j]:.3f})" for i, j in pairs.tolist()]
        yield Diagnostic(
            "correlated-columns",
            "info",
            (),
            f"Columns that say nearly the same: {listed(texts)}.",
            hint="One of each pair would do; explanations share their credit among both.",
            params={"pairs": len(pairs)},
        )


def empty_columns(report: DataReport) -> Iterator[Diagnostic]:
    n = int(report.split_sizes[0])
    if report.statistics is None or n == 0:
        return
    empty = _names(report, report.statistics[:, 5] == n)
    if empty:
        yield Diagnostic(
            "empty-columns",
            "warning",
            (),
            f"No training example has a value of {quoted(empty)}.",
            hint="Leave such columns out: 0 stands in for all their values.",
            params={"columns": empty},
        )


def many_missing_values(report: DataReport) -> Iterator[Diagnostic]:
    n = int(report.split_sizes[0])
    if report.statistics is None or n == 0:
        return
    shares = report.statistics[:, 5] / n
    many = np.flatnonzero((shares > MANY_MISSING) & (shares < 1))
    if len(many):
        texts = [f"“{_name(report, i)}” ({shares[i]:.0%})" for i in many.tolist()]
        yield Diagnostic(
            "many-missing-values",
            "warning",
            (),
            f"Many training examples have no value of {listed(texts)}.",
            hint="The same number stands in for all of them: leave such a column out if it hardly says anything.",
            params={"n_columns": len(many)},
        )


def outliers(report: DataReport) -> Iterator[Diagnostic]:
    if report.statistics is None:
        return
    mean, deviation, least, _, largest, _ = report.statistics.T
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = np.maximum(largest - mean, mean - least) / deviation
    far = np.flatnonzero(np.isfinite(reach) & (reach > FAR))
    if len(far):
        texts = [f"“{_name(report, i)}” ({reach[i]:.0f})" for i in far[np.argsort(-reach[far], kind="stable")].tolist()]
        yield Diagnostic(
            "outliers",
            "info",
            (),
            f"Single values lie many standard deviations from the mean: {listed(texts)}.",
            hint="Check that they are no slips; min-max scaling would press all other values together.",
            params={"n_columns": len(far)},
        )


def duplicates(report: DataReport) -> Iterator[Diagnostic]:
    n = int(report.split_sizes.sum())
    if report.n_duplicates:
        yield Diagnostic(
            "duplicates",
            "info",
            (),
            f"{report.n_duplicates:,} of {n:,} examples are equal to an earlier one of their split.",
            hint="They count twice in every figure.",
            params={"n": report.n_duplicates},
        )


def leakage(report: DataReport) -> Iterator[Diagnostic]:
    held_out = int(report.split_sizes[1:].sum())
    if report.n_leaks:
        yield Diagnostic(
            "leakage",
            "warning",
            (),
            f"{report.n_leaks:,} of the {held_out:,} validation and test examples are also in an earlier split: a network that "
            "learned them by heart is right there.",
            hint="Remove equal examples before the split, where the file is your own.",
            params={"n": report.n_leaks, "held_out": held_out},
        )


def label_conflicts(report: DataReport) -> Iterator[Diagnostic]:
    if report.n_conflicts:
        yield Diagnostic(
            "label-conflicts",
            "warning",
            (),
            f"{report.n_conflicts:,} examples have an equal one with a different class: no network can be right on both.",
            hint="Check these labels, or add a column that tells the examples apart.",
            params={"n": report.n_conflicts},
        )


def _names(report: DataReport, chosen: np.ndarray) -> list[str]:
    return [_name(report, i) for i in np.flatnonzero(chosen).tolist()]


def _name(report: DataReport, i: int) -> str:
    return report.feature_names[i] if i < len(report.feature_names) else f"column {i + 1}"


REPORT_RULES: tuple[Callable[[DataReport], Iterator[Diagnostic]], ...] = (
    single_class,
    missing_class,
    unused_class,
    class_imbalance,
    leakage,
    label_conflicts,
    few_examples,
    constant_columns,
    empty_columns,
    many_missing_values,
    duplicates,
    correlated_columns,
    outliers,
)
"""Every rule over a report."""
