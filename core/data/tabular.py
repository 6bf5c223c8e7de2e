"""Tables: one row per example, named columns with units of their own."""

from typing import ClassVar, Literal

import numpy as np

from core.data.dataset import DataProfile, DatasetChoice, Splits, unprepared
from core.data.kept import kept_arrays
from core.data.preparation import Preparation
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
    """30 measures of cell nuclei from 569 biopsies; which tumours are benign?"""

    kind: Literal["breast_cancer"] = "breast_cancer"
    label: ClassVar[str] = "Breast cancer (Wisconsin)"
    source: ClassVar[str] = "Street, Wolberg and Mangasarian 1993, Nuclear Feature Extraction for Breast Tumor Diagnosis"

    preparation: Preparation = Preparation(scaling="standardise")
    """What is done to the columns: their units differ by a factor of 10,000."""

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        sizes = split_sizes(569, self.train_share, self.validation_share)
        return DataProfile("tabular", (30,), ("malignant", "benign"), *sizes, feature_names=CELL_FEATURES)

    def original(self, seed: int) -> Splits:
        """The rows in their own units."""
        table, y = kept_arrays("breast_cancer", _from_sklearn, ("x", "y"))
        profile = self.original_profile()
        sizes = (profile.n_train, profile.n_validation, profile.n_test)
        return unprepared(profile, cut(table.astype(np.float32), y.astype(np.int64), sizes, seed))


def _from_sklearn() -> tuple[np.ndarray, ...]:
    """Rows (569, 30) float64 and classes (569,) as scikit-learn ships them."""
    from sklearn.datasets import load_breast_cancer

    table, y = load_breast_cancer(return_X_y=True)
    return table, y
