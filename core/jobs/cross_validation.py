"""The job that trains once per fold."""

from typing import Literal

from core.jobs.long_lens import LongLensJob


class CrossValidationJob(LongLensJob):
    """K-fold cross-validation: every example is held out once."""

    kind: Literal["cross_validation"] = "cross_validation"
    label = "Cross-validation"
