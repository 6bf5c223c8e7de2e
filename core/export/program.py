"""A model as a torch.export program (.pt2): torch alone runs it, without the code that built it."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.data.dataset import DataProfile
from core.errors import StoreError
from core.export.onnx_model import CHECKED_BATCHES, Checked
from core.export.traced import TRACED_EXAMPLES, largest_difference, random_inputs, tolerance, traced
from core.types import Report

if TYPE_CHECKING:
    from torch import nn


def export_program(model: "nn.Sequential", profile: DataProfile, names: Sequence[str], report: Report) -> Checked:
    """The .pt2 file of `model`, which is in evaluation mode; it was loaded again and compared with the model.

    Raises:
        NotApplicable: a layer cannot be traced; the message names it.
        StoreError: the loaded program computes something else.
    """
    import torch

    report(0, 3)
    program = traced(model, torch.from_numpy(random_inputs(profile, TRACED_EXAMPLES)), names)
    report(1, 3)
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    report(2, 3)
    again = torch.export.load(io.BytesIO(buffer.getvalue())).module()
    given = [torch.from_numpy(random_inputs(profile, n, seed=1)) for n in CHECKED_BATCHES]
    with torch.inference_mode():
        expected = [model(x).numpy() for x in given]
        answers = [again(x).numpy() for x in given]
    difference = largest_difference(answers, expected)
    if difference > tolerance(expected):
        raise StoreError(
            f"The program differs from the model by {difference:.3g} when it is loaded again, so it is not handed out.",
            hint="Take the weights and the training script, and please report this model.",
        )
    report(3, 3)
    return Checked(buffer.getvalue(), difference, sum(CHECKED_BATCHES))
