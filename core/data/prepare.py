"""Preparation, carried out: fitted on the training split alone, applied to all."""

from dataclasses import replace

import numpy as np

from core.data.dataset import DataProfile, Splits
from core.data.preparation import Preparation


def prepared_profile(profile: DataProfile, preparation: Preparation) -> DataProfile:
    """What is known before loading, after the preparation."""
    return profile


def prepared(splits: Splits, preparation: Preparation, seed: int) -> Splits:
    """The splits as the model gets them."""
    shift, scale = _scaling(splits, preparation)
    profile = prepared_profile(splits.profile, preparation)
    return replace(splits, profile=profile, shift=shift.astype(np.float32), scale=scale.astype(np.float32))


def _scaling(splits: Splits, preparation: Preparation) -> tuple[np.ndarray, np.ndarray]:
    if preparation.scaling == "standardise":
        axes = (0, 2, 3) if splits.profile.modality == "image" else (0,)
        rows = splits.train.x.astype(np.float64)
        return rows.mean(axes).reshape(splits.shift.shape), 1 / rows.std(axes).reshape(splits.scale.shape)
    if preparation.scaling == "unit" and splits.profile.modality == "image":
        return splits.shift, np.full_like(splits.scale, 1 / splits.brightest)
    return splits.shift, splits.scale
