"""Tables: one row per example, named columns with units of their own."""

from typing import ClassVar, Literal

import numpy as np

from core.data.dataset import DataProfile, DatasetChoice, Splits
from core.data.kept import kept_arrays
from core.data.split import cut, split_sizes

CELL_MEASURES = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)
CELL_FEATURES = tuple(
    [f"mean {name}" for name in CELL_MEASURES]
    + [f"{name} error" for name in CELL_MEASURES]
    + [f"worst {name}" for name in CELL_MEASURES]
)


class BreastCancer(DatasetChoice):
    """30 measures of cell nuclei from 569 biopsies; which tumours are benign? Columns are standardised."""

    kind: Literal["breast_cancer"] = "breast_cancer"
    label: ClassVar[str] = "Breast cancer (Wisconsin)"
    source: ClassVar[str] = "Street, Wolberg and Mangasarian 1993, Nuclear Feature Extraction for Breast Tumor Diagnosis"

    def profile(self) -> DataProfile:
        """What is known before loading."""
        sizes = split_sizes(569, self.train_share, self.validation_share)
        return DataProfile("tabular", (30,), ("malignant", "benign"), *sizes, feature_names=CELL_FEATURES)

    def splits(self, seed: int) -> Splits:
        """The rows in their own units; mean and standard deviation come from the training rows alone."""
        table, y = kept_arrays("breast_cancer", _from_sklearn, ("x", "y"))
        profile = self.profile()
        sizes = (profile.n_train, profile.n_validation, profile.n_test)
        train, validation, test = cut(table.astype(np.float32), y.astype(np.int64), sizes, seed)
        rows = train.x.astype(np.float64)
        shift, scale = rows.mean(axis=0).astype(np.float32), (1 / rows.std(axis=0)).astype(np.float32)
        return Splits(profile, train, validation, test, shift=shift, scale=scale)


def _from_sklearn() -> tuple[np.ndarray, ...]:
    """Rows (569, 30) float64 and classes (569,) as scikit-learn ships them."""
    from sklearn.datasets import load_breast_cancer

    table, y = load_breast_cancer(return_X_y=True)
    return table, y
