"""Tables that scikit-learn ships: one row per example, named columns in units of their own."""

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


class Table(DatasetChoice):
    """Rows of one of scikit-learn's tables. What is known of it without loading stands in the class."""

    preparation: Preparation = Preparation(scaling="standardise")
    """What is done to the columns: their units differ, often by a factor of a thousand."""

    n_rows: ClassVar[int]
    columns: ClassVar[tuple[str, ...]]
    """Names of the columns, with a unit where the source has one."""
    class_names: ClassVar[tuple[str, ...]] = ()
    """Empty for regression."""
    target_name: ClassVar[str] = ""

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        return DataProfile(
            "tabular",
            (len(self.columns),),
            self.class_names,
            *split_sizes(self.n_rows, self.train_share, self.validation_share),
            feature_names=self.columns,
            task="classification" if self.class_names else "regression",
            target_name=self.target_name,
        )

    def original(self, seed: int) -> Splits:
        """The rows in their own units; the seed only moves the split."""
        table, y = kept_arrays(self.kind, self._from_sklearn, ("x", "y"))
        profile = self.original_profile()
        sizes = (profile.n_train, profile.n_validation, profile.n_test)
        y = y.astype(np.int64 if self.class_names else np.float32)
        return unprepared(profile, cut(table.astype(np.float32), y, sizes, seed))

    def _from_sklearn(self) -> tuple[np.ndarray, ...]:
        """Rows (N, F) float64 and classes or targets (N,) as scikit-learn ships them."""
        from sklearn import datasets

        unscaled = {"scaled": False} if self.kind == "diabetes" else {}
        table, y = getattr(datasets, f"load_{self.kind}")(return_X_y=True, **unscaled)
        return table, y


class Iris(Table):
    """Four measures of 150 flowers: which of three species of iris is it?"""

    kind: Literal["iris"] = "iris"
    label: ClassVar[str] = "Iris"
    source: ClassVar[str] = "Fisher 1936, The Use of Multiple Measurements in Taxonomic Problems"
    n_rows: ClassVar[int] = 150
    columns: ClassVar[tuple[str, ...]] = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")
    class_names: ClassVar[tuple[str, ...]] = ("setosa", "versicolor", "virginica")


class Wine(Table):
    """13 chemical measures of 178 wines: from which of three grapes? Columns from 0.13 to 1680 show what scaling is for."""

    kind: Literal["wine"] = "wine"
    label: ClassVar[str] = "Wine"
    source: ClassVar[str] = "Forina et al. 1988, PARVUS; Aeberhard, Coomans and de Vel 1992 (UCI)"
    n_rows: ClassVar[int] = 178
    columns: ClassVar[tuple[str, ...]] = (
        "alcohol",
        "malic acid",
        "ash",
        "alcalinity of ash",
        "magnesium",
        "total phenols",
        "flavanoids",
        "nonflavanoid phenols",
        "proanthocyanins",
        "color intensity",
        "hue",
        "od280/od315 of diluted wines",
        "proline",
    )
    class_names: ClassVar[tuple[str, ...]] = ("cultivar 1", "cultivar 2", "cultivar 3")


class BreastCancer(Table):
    """30 measures of cell nuclei from 569 biopsies; which tumours are benign?"""

    kind: Literal["breast_cancer"] = "breast_cancer"
    label: ClassVar[str] = "Breast cancer (Wisconsin)"
    source: ClassVar[str] = "Street, Wolberg and Mangasarian 1993, Nuclear Feature Extraction for Breast Tumor Diagnosis"
    n_rows: ClassVar[int] = 569
    columns: ClassVar[tuple[str, ...]] = (
        *(f"mean {name}" for name in CELL_MEASURES),
        *(f"{name} error" for name in CELL_MEASURES),
        *(f"worst {name}" for name in CELL_MEASURES),
    )
    class_names: ClassVar[tuple[str, ...]] = ("malignant", "benign")


class Diabetes(Table):
    """Ten measures of 442 patients: how far has their diabetes gone a year later? A number to predict, from 25 to 346."""

    kind: Literal["diabetes"] = "diabetes"
    label: ClassVar[str] = "Diabetes (regression)"
    source: ClassVar[str] = "Efron, Hastie, Johnstone and Tibshirani 2004, Least Angle Regression"
    n_rows: ClassVar[int] = 442
    columns: ClassVar[tuple[str, ...]] = (
        "age (years)",
        "sex (1 or 2)",
        "body mass index (kg/m²)",
        "blood pressure (mm Hg)",
        "total cholesterol",
        "LDL cholesterol",
        "HDL cholesterol",
        "total / HDL cholesterol",
        "log of triglycerides",
        "blood sugar",
    )
    target_name: ClassVar[str] = "disease progression after one year"
