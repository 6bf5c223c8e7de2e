"""A model as an ONNX file, compared with torch on random inputs before it is handed out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.dataset import DataProfile
from core.errors import StoreError
from core.export.traced import TRACED_EXAMPLES, exported, in_words, largest_difference, random_inputs, tolerance
from core.types import Report

if TYPE_CHECKING:
    from torch import nn

OPSET = 20
"""Read by ONNX Runtime from version 1.17 on."""
INPUT, OUTPUT, BATCH = "input", "output", "batch"
CHECKED_BATCHES = (1, 3, 16)
"""Sizes of the batches on which both are compared: other ones than the traced one."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A file, and how it compares with torch. `difference` is the largest one over `n_examples` random examples."""

    data: bytes
    difference: float
    n_examples: int
    opset: int = 0


def onnx_model(
    model: "nn.Sequential", profile: DataProfile, names: Sequence[str], facts: Mapping[str, str], report: Report
) -> Checked:
    """The ONNX file of `model`, which is in evaluation mode: any number of examples in, outputs of the last layer out.

    Args:
        names: what each layer is called, for messages.
        facts: words that are kept in the file's metadata.

    Raises:
        NotApplicable: a layer has no form in ONNX; the message names it.
        StoreError: ONNX Runtime computes something else than torch.
    """
    import torch

    report(0, 4)
    x = torch.from_numpy(random_inputs(profile, TRACED_EXAMPLES))
    data = _with_facts(in_words(_onnx_bytes, model, x, names), facts)
    report(2, 4)
    difference, n = _compared(model, data, profile)
    report(4, 4)
    return Checked(data, difference, n, OPSET)


def _onnx_bytes(model: "nn.Module", x: Any) -> bytes:
    import torch

    made = torch.onnx.export(
        exported(model, x),
        dynamo=True,
        input_names=[INPUT],
        output_names=[OUTPUT],
        opset_version=OPSET,
        external_data=False,
        verbose=False,
    )
    if made is None:
        raise RuntimeError("the exporter gave nothing")
    return bytes(made.model_proto.SerializeToString())


def _with_facts(data: bytes, facts: Mapping[str, str]) -> bytes:
    """The same model with its batch axis named, and with metadata."""
    import onnx

    model = onnx.load_from_string(data)
    given = model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        for size in value.type.tensor_type.shape.dim:
            if given and size.dim_param == given:
                size.dim_param = BATCH
    onnx.helper.set_model_props(model, {name: str(value)[:2000] for name, value in facts.items()})
    model.producer_name = "Layerwise"
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _compared(model: "nn.Module", data: bytes, profile: DataProfile) -> tuple[float, int]:
    """The largest difference from torch, and over how many examples."""
    import torch

    given = [random_inputs(profile, n, seed=1) for n in CHECKED_BATCHES]
    with torch.inference_mode():
        expected = [model(torch.from_numpy(x)).numpy() for x in given]
    answers = onnx_outputs(data, given)
    difference = largest_difference(answers, expected)
    if difference > tolerance(expected):
        raise StoreError(
            f"The ONNX file differs from torch by {difference:.3g} on random inputs, so it is not handed out.",
            hint="Take the torch.export program or the weights, and please report this model.",
        )
    return difference, sum(CHECKED_BATCHES)


def onnx_outputs(data: bytes, batches: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What ONNX Runtime makes of each batch, on one core of the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return [np.asarray(session.run([OUTPUT], {INPUT: x})[0]) for x in batches]
