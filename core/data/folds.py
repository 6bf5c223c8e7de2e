"""Folds for cross-validation: every example of training and validation split is held out once; the test split stays out.

The pool is the training split followed by the validation split, in their order: example i of the pool is training example i,
or, from `len(train)` on, validation example `i - len(train)`.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.data.dataset import Split, Splits
from core.data.preparation import Preparation
from core.data.prepare import prepared
from core.errors import SpecError


def pooled(original: Splits) -> Split:
    """Training and validation examples, one after the other, as they came."""
    both = (original.train, original.validation)
    evidence = None
    if all(part.evidence is not None for part in both):
        evidence = np.concatenate([part.evidence for part in both if part.evidence is not None])
    return Split(np.concatenate([part.x for part in both]), np.concatenate([part.y for part in both]), evidence)


def fold_numbers(y: np.ndarray, k: int, seed: int, class_names: tuple[str, ...] = ()) -> np.ndarray:
    """Which fold holds each example out, (N,) int64 from 0 to k - 1, exactly as scikit-learn divides them.

    `StratifiedKFold(k, shuffle=True, random_state=seed)` for classes, `KFold` for numbers.

    Raises:
        SpecError: there are fewer examples than folds, or a class has fewer members than folds.
    """
    from sklearn.model_selection import KFold, StratifiedKFold

    if len(y) < k:
        raise SpecError(f"{len(y):,} examples cannot be divided into {k} folds.", hint=f"Choose at most {len(y):,} folds.")
    is_number = y.dtype.kind == "f"
    if not is_number:
        _refuse_rare_classes(y, k, class_names)
    divider = (KFold if is_number else StratifiedKFold)(n_splits=k, shuffle=True, random_state=seed)
    numbers = np.empty(len(y), np.int64)
    for fold, (_rest, held_out) in enumerate(divider.split(np.zeros(len(y)), y)):
        numbers[held_out] = fold
    return numbers


def _refuse_rare_classes(y: np.ndarray, k: int, class_names: tuple[str, ...]) -> None:
    """Folds without a member of some class say nothing of that class."""
    classes, counts = np.unique(y, return_counts=True)
    rarest = int(counts.argmin())
    if counts[rarest] >= k:
        return
    label = int(classes[rarest])
    name = class_names[label] if label < len(class_names) else str(label)
    most = int(counts[rarest])
    hint = f"Choose at most {most} folds" if most > 1 else "Leave this class out"
    raise SpecError(
        f"The class {name!r} has {most:,} of the examples that take part, fewer than the {k} folds: some fold would hold out "
        "none of it.",
        hint=f"{hint}, or take more examples.",
        k=k,
        most=most,
    )


def folds(original: Splits, numbers: np.ndarray, preparation: Preparation, seed: int) -> Iterator[Splits]:
    """The data of each fold, prepared on its own training part alone.

    Validation *and* test split of a fold are its held-out part, so that a run tells of it at its end too; nobody sees the test
    split of the data.

    Args:
        original: the data before any preparation (`DatasetChoice.original`).
        numbers: of `fold_numbers`, for the examples of `pooled`.
        seed: of the label noise, where the preparation has some.

    Raises:
        SpecError: a PCA to more components than a fold has training examples.
    """
    pool = pooled(original)
    for fold in range(int(numbers.max()) + 1):
        rest, held_out = (_part(pool, chosen) for chosen in (numbers != fold, numbers == fold))
        profile = replace(original.profile, n_train=len(rest), n_validation=len(held_out), n_test=len(held_out))
        divided = replace(original, profile=profile, train=rest, validation=held_out, test=held_out)
        yield prepared(divided, preparation, seed)


def _part(pool: Split, is_in: np.ndarray) -> Split:
    return Split(pool.x[is_in], pool.y[is_in], None if pool.evidence is None else pool.evidence[is_in])
