"""Preparation, carried out: everything that is learned from data is learned from the training split and applied to all.

Unchanged arrays are shared and not copied: 60,000 images that are only divided by 255 cost nothing.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from core.data.dataset import DataProfile, Projection, Split, Splits
from core.data.fit import Categories, column_scaling, gaps, image_scaling, principal_components, stand_in
from core.data.preparation import Preparation
from core.data.wording import quoted
from core.errors import SpecError
from core.seeds import numpy_stream

CHUNK = 2_000
"""Examples projected at once: they are float64 on the way."""


def prepared_profile(profile: DataProfile, preparation: Preparation) -> DataProfile:
    """What is known before loading, after the preparation. A PCA to more components than there can be is not noticed here."""
    if profile.modality == "sequence":
        return profile
    profile = _encoded_profile(profile, preparation)
    if preparation.pca is None:
        return profile
    names = tuple(f"PC {i + 1}" for i in range(preparation.pca))
    return replace(profile, modality="tabular", input_shape=(preparation.pca,), feature_names=names, categories=())


def most_components(profile: DataProfile, preparation: Preparation) -> int:
    """The most principal components that a data set with this original profile can have."""
    n_inputs = int(np.prod(_encoded_profile(profile, preparation).input_shape))
    return min(profile.n_train, n_inputs)


def prepared(splits: Splits, preparation: Preparation, seed: int) -> Splits:
    """The splits as the model gets them. Equal seeds give equal bytes.

    Raises:
        SpecError: a PCA to more components than there are training examples or inputs.
    """
    originals = (splits.train, splits.validation, splits.test)
    splits = replace(splits, originals=originals, original_profile=splits.profile)
    if splits.profile.modality != "sequence":
        splits = _filled(splits, preparation)
        splits = _encoded(splits, preparation)
        splits = _scaled(splits, preparation)
        splits = _projected(splits, preparation)
        splits = _with_scaled_target(splits, preparation)
    return _with_label_noise(splits, preparation, seed)


def model_points(splits: Splits, preparation: Preparation, originals: np.ndarray) -> np.ndarray:
    """Examples that are in no split, original values (M, *shape), as the model receives them.

    What was fitted on the training split of the prepared `splits` is applied: this is how a grid of points, a new row or a
    new picture goes through the preparation.
    """
    categories = splits.original_profile.categories if splits.original_profile else ()
    x = originals if splits.stand_ins is None else _without_gaps(originals, categories, splits.stand_ins)
    if preparation.one_hot and any(categories):
        x = _one_hot(x, categories)
    return splits.model_input(x) if splits.projection is None else splits.projection(x)


def _each(splits: Splits, change: Callable[[Split], Split]) -> Splits:
    """All three splits changed in the same way."""
    return replace(splits, train=change(splits.train), validation=change(splits.validation), test=change(splits.test))


def _filled(splits: Splits, preparation: Preparation) -> Splits:
    """Tables without gaps."""
    if splits.profile.modality != "tabular":
        return splits
    x, categories = splits.train.x, splits.profile.categories
    columns = np.where(gaps(x, categories), np.nan, x).T.astype(np.float64)
    stand_ins = np.array(
        [
            stand_in(column, "most_frequent" if i < len(categories) and categories[i] else preparation.impute)
            for i, column in enumerate(columns)
        ],
        np.float32,
    )
    empty = [_column_name(splits.profile, i) for i, column in enumerate(columns) if np.isnan(column).all()]
    notes = (f"No training example has a value of {quoted(empty)}: 0 stands in for it.",) if empty else ()
    filled = _each(splits, lambda split: replace(split, x=_without_gaps(split.x, categories, stand_ins)))
    return replace(filled, stand_ins=stand_ins, notes=(*splits.notes, *notes))


def _without_gaps(x: np.ndarray, categories: Categories, stand_ins: np.ndarray) -> np.ndarray:
    is_gap = gaps(x, categories)
    return np.where(is_gap, stand_ins, x).astype(np.float32) if is_gap.any() else x


def _encoded_profile(profile: DataProfile, preparation: Preparation) -> DataProfile:
    """The profile of a table after one-hot encoding; others as they are."""
    if not (preparation.one_hot and any(profile.categories)):
        return profile
    names: list[str] = []
    for i, known in enumerate(profile.categories):
        column = _column_name(profile, i)
        names += [f"{column} = {name}" for name in known] or [column]
    return replace(profile, input_shape=(len(names),), feature_names=tuple(names), categories=())


def _encoded(splits: Splits, preparation: Preparation) -> Splits:
    """Tables with a 0-1 input for each category."""
    categories = splits.profile.categories
    profile = _encoded_profile(splits.profile, preparation)
    if profile is splits.profile:
        return splits
    wide = _each(splits, lambda split: replace(split, x=_one_hot(split.x, categories)))
    return replace(
        wide, profile=profile, shift=np.zeros(profile.input_shape, np.float32), scale=np.ones(profile.input_shape, np.float32)
    )


def _one_hot(x: np.ndarray, categories: Categories) -> np.ndarray:
    """Rows (N, F) with one 0-1 column per category in the place of each column that has categories, float32."""
    blocks = [x[:, [i]] == np.arange(len(names)) if names else x[:, [i]] for i, names in enumerate(categories)]
    return np.concatenate([block.astype(np.float32) for block in blocks], axis=1)


def _scaled(splits: Splits, preparation: Preparation) -> Splits:
    """The same examples with another shift and scale."""
    if splits.profile.modality == "image":
        shift, scale = image_scaling(splits.train.x, preparation.scaling, splits.brightest)
    else:
        shift, scale = column_scaling(splits.train.x, preparation.scaling)
    return replace(splits, shift=shift.astype(np.float32), scale=scale.astype(np.float32))


def _projected(splits: Splits, preparation: Preparation) -> Splits:
    """The scaled examples as their principal components. Evidence, which is of the picture, stays with the originals."""
    if preparation.pca is None:
        return splits
    most = min(len(splits.train), splits.train.x[0].size)
    if preparation.pca > most:
        raise SpecError(
            f"There are no {preparation.pca:,} principal components: {len(splits.train):,} training examples with "
            f"{splits.train.x[0].size:,} inputs each have {most:,} at most.",
            hint=f"Keep {most:,} components or fewer, or none.",
            pca=preparation.pca,
            most=most,
        )
    projection, shares = principal_components(splits.train.x, splits.shift, splits.scale, preparation.pca)
    projected = _each(splits, lambda split: replace(split, x=_components(split.x, projection), evidence=None))
    return replace(
        projected,
        profile=prepared_profile(splits.profile, preparation),
        shift=np.zeros(preparation.pca, np.float32),
        scale=np.ones(preparation.pca, np.float32),
        projection=projection,
        explained_variance=shares,
    )


def _components(x: np.ndarray, projection: Projection) -> np.ndarray:
    """Examples (N, *shape) as components (N, k) float32, some at a time."""
    components = np.empty((len(x), projection.directions.shape[1]), np.float32)
    for start in range(0, len(x), CHUNK):
        components[start : start + CHUNK] = projection(x[start : start + CHUNK])
    return components


def _with_scaled_target(splits: Splits, preparation: Preparation) -> Splits:
    """The target of a table in standard deviations from its training mean. Toys keep theirs, which goes from -1 to 1."""
    original = splits.original_profile
    if original is None or original.modality != "tabular" or original.task != "regression" or not preparation.scale_target:
        return splits
    shift, scale = (float(each[0]) for each in column_scaling(splits.train.y[:, None], "standardise"))
    return replace(
        _each(splits, lambda split: replace(split, y=((split.y.astype(np.float64) - shift) * scale).astype(np.float32))),
        target_shift=splits.target_shift + shift * splits.target_scale,
        target_scale=splits.target_scale / scale,
    )


def _with_label_noise(splits: Splits, preparation: Preparation, seed: int) -> Splits:
    """Some training labels replaced by another class. A larger share keeps the wrong labels of a smaller one and adds some."""
    n_classes, n = splits.profile.n_classes, len(splits.train)
    n_wrong = round(preparation.label_noise * n)
    if n_wrong == 0 or n_classes < 2:
        return splits
    rng = numpy_stream(seed, "label_noise")
    wrong, steps = rng.permutation(n)[:n_wrong], rng.integers(1, n_classes, n)[:n_wrong]
    y = splits.train.y.copy()
    y[wrong] = (y[wrong] + steps) % n_classes
    return replace(splits, train=replace(splits.train, y=y))


def _column_name(profile: DataProfile, i: int) -> str:
    return profile.feature_names[i] if i < len(profile.feature_names) else f"column {i + 1}"
