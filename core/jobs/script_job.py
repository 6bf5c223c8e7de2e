"""The job that writes a run as a stand-alone training script, with the data that it needs."""

from typing import Literal

from core.jobs.lenses import WeightsJob


class ScriptJob(WeightsJob):
    """A training script in plain PyTorch, with the very data, initial weights and batches of a run."""

    kind: Literal["script"] = "script"
    label = "Training script"
