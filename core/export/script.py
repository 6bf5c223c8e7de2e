"""A run as a stand-alone training script: plain PyTorch that reads well, with the very data, weights and batches of the run."""

from collections.abc import Mapping

import numpy as np

from core.data.dataset import Splits
from core.experiment.experiment import Experiment
from core.results.script import Script


def training_script(experiment: Experiment, series: int = 0, last_step: int | None = None) -> Script:
    """The script of one lane and seed, `series = lane * repeats + repeat`. Makes no use of torch.

    Args:
        last_step: where the run ended, for runs that end by the clock, by hand, or by what other lanes did.

    Raises:
        SpecError: there is no such series.
        NotApplicable: a script cannot say it; the message says what.
    """
    raise NotImplementedError


def script_files(
    experiment: Experiment,
    splits: Splits,
    start_weights: Mapping[str, np.ndarray] | None = None,
    series: int = 0,
    last_step: int | None = None,
) -> dict[str, bytes]:
    """All files that must lie beside each other: train.py, train.ipynb, data.npz, requirements.txt, and start.npz where needed.

    Args:
        start_weights: the initial state_dict as arrays, where it does not come from the seed (`Script.needs_start`).
    """
    raise NotImplementedError
