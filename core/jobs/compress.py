"""The jobs that make a model smaller, and say what that costs."""

from typing import Literal

from core.jobs.long_lens import LongLensJob


class CompressJob(LongLensJob):
    """A smaller model out of a trained one, with a report of size, speed and accuracy."""

    kind: Literal["compress"] = "compress"
    label = "Compression"


class PruningSweepJob(LongLensJob):
    """Accuracy against sparsity."""

    kind: Literal["pruning_sweep"] = "pruning_sweep"
    label = "Pruning sweep"
