"""A prediction made ready for the methods: a copy of the model that is safe to explain, and what belongs to its example."""

import copy
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from core.data.dataset import Splits
from core.data.gallery import Example
from core.explanation.explainer import Subject

if TYPE_CHECKING:
    from torch import nn

M = TypeVar("M", bound="nn.Module")


def prepared_model(module: M) -> M:
    """A copy of `module` in evaluation mode, frozen, without hooks and without in-place layers; `module` stays as it is.

    Its convolutions keep channels together in memory: pooling is then several times as quick on a CPU, a small CNN twice.

    The libraries hook the model, switch its mode and can leave hooks behind when they fail, so none may see the live one.
    """
    import torch

    prepared = copy.deepcopy(module).eval()
    for layer in prepared.modules():
        if getattr(layer, "inplace", False):
            setattr(layer, "inplace", False)  # noqa: B010 - only some layers declare it
        # A copied hook would still report to whoever watches the live model.
        layer._forward_hooks.clear()
        layer._forward_pre_hooks.clear()
        layer._backward_hooks.clear()
        layer._backward_pre_hooks.clear()
    for parameter in prepared.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    return prepared.to(memory_format=torch.channels_last)


def subject_of(
    module: "nn.Sequential", splits: Splits, example: Example, background: np.ndarray, target: int | None
) -> Subject:
    """The prediction of `module` for an example of these data, as every method can explain it; `step` and `seed` are 0.

    A model with one output for two classes gets a logit for each, one that predicts a number gives it in its own unit.

    Args:
        background: (B, *input_shape) as the model receives them.
        target: the class to explain; None for the predicted one, and for regression.
    """
    import torch

    from core.explanation.heads import in_own_unit, with_two_logits
    from core.models.output import predicted_classes

    profile = splits.profile
    is_number = profile.task == "regression"
    x = torch.from_numpy(example.x)
    module = prepared_model(module)
    with torch.no_grad():
        outputs = module(x)
    predicted = 0 if is_number else int(predicted_classes(module, outputs)[0])
    if is_number:
        module = in_own_unit(module, splits.target_shift, splits.target_scale)
    elif outputs.shape[1] == 1:
        module = with_two_logits(module)
    return Subject(
        module=module,
        x=x,
        background=torch.from_numpy(background),
        target=predicted if target is None else target,
        class_names=(profile.target_name or "prediction",) if is_number else profile.class_names,
        feature_names=profile.feature_names,
        pixels=example.pixels if profile.modality == "image" else None,
        feature_values=None if profile.modality == "image" else feature_values(splits, example),
        step=0,
        seed=0,
        task=profile.task,
        evidence=example.evidence,
        tokens=example.tokens,
        vocabulary=splits.vocabulary,
        scale=(float(splits.train.y.std()) * splits.target_scale or 1.0) if is_number else 1.0,
    )


def feature_values(splits: Splits, example: Example) -> np.ndarray:
    """The inputs (F,) in the units that they had before the scaling; one-hot columns are 0 and 1, components are themselves."""
    if example.raw is not None and example.raw_names == splits.profile.feature_names and np.isfinite(example.raw).all():
        return example.raw
    x = example.x[0].astype(np.float64)
    is_constant = splits.scale == 0
    values: np.ndarray = np.where(is_constant, 0, x / np.where(is_constant, 1, splits.scale)) + splits.shift
    return values
