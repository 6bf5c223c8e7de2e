"""The jobs that write a trained model in the formats that others read."""

from typing import Literal

from core.jobs.lenses import WeightsJob


class ModelExportJob(WeightsJob):
    """A trained model as files: weights, ONNX, a torch.export program, a prediction service."""

    kind: Literal["model_export"] = "model_export"
    label = "Model export"
