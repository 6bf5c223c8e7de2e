"""Augmentation, carried out: changed pictures and blended pairs for training, and a preview of both."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.data.augmentation import AnyAugmentation, MixUp
from core.data.dataset import DataProfile, DatasetChoice
from core.data.image_changes import CHANGES
from core.errors import NotApplicable
from core.results.augmented import AugmentedExamples
from core.seeds import stream_seed

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from core.data.image_changes import Draw


class Augmenter:
    """Random changes of a batch in two steps: `pictures` before the scaling, `mixed` after it.

    A function of its arguments alone: torch's global random numbers are neither used nor moved.

    Args:
        profile: of the images that are changed, as they are before any preparation.
        brightest: value of white.

    Raises:
        NotApplicable: there is something to do, and the data are no images.
    """

    def __init__(self, augmentations: Sequence[AnyAugmentation], profile: DataProfile, brightest: int = 255) -> None:
        if augmentations and profile.modality != "image":
            raise NotApplicable(
                f"{augmentations[0].label} changes images, and these data are {profile.modality} data.",
                hint="Remove the augmentation, or choose a data set of images and no PCA.",
            )
        self._changes = [one for one in augmentations if not isinstance(one, MixUp)]
        self._mixes = [one for one in augmentations if isinstance(one, MixUp)]
        self._n_classes = profile.n_classes
        self._brightest = float(brightest)

    @property
    def is_mixing(self) -> bool:
        """Whether `mixed` gives soft targets."""
        return bool(self._mixes)

    def pictures(self, x: "Tensor", seed: int) -> "Tensor":
        """Images (B, C, H, W) uint8, each changed in its own way, uint8."""
        import torch

        if not self._changes:
            return x
        generator = torch.Generator().manual_seed(seed)
        drawn = x.float()
        for change in self._changes:
            drawn = CHANGES[type(change)](change, drawn, self._uniform(generator, drawn), self._brightest)
        return drawn.round_().to(torch.uint8)

    def mixed(self, x: "Tensor", y: "Tensor", seed: int) -> "tuple[Tensor, Tensor]":
        """Scaled images (B, C, H, W) float32 and their classes (B,) int64, blended in pairs.

        Targets are then probabilities (B, K) float32. Without MixUp both come back as they are.
        """
        import torch

        rng = np.random.default_rng([seed, 1])
        for mix in self._mixes:
            share = torch.as_tensor(rng.beta(mix.alpha, mix.alpha, len(y)), dtype=x.dtype, device=x.device)[:, None]
            partner = torch.as_tensor(rng.permutation(len(y)), device=x.device)
            y = torch.nn.functional.one_hot(y, self._n_classes).to(x.dtype) if y.ndim == 1 else y
            x = torch.lerp(x[partner], x, share[..., None, None])
            y = torch.lerp(y[partner], y, share)
        return x, y

    @staticmethod
    def _uniform(generator: "torch.Generator", x: "Tensor") -> "Draw":
        """Drawn on the CPU, so that a GPU sees the same changes."""
        import torch

        return lambda m: torch.rand(m, len(x), 1, 1, 1, generator=generator).to(x.device)


def augmented_examples(
    data: DatasetChoice, augmentation: Sequence[AnyAugmentation], seed: int, n: int, k: int
) -> AugmentedExamples:
    """The first `n` training images, and each of them `k` times as training may see it. Loads the data.

    Raises:
        NotApplicable: the data are no images.
    """
    import torch

    splits = data.original(seed)
    augmenter = Augmenter(augmentation, splits.profile, splits.brightest)
    x = torch.from_numpy(np.array(splits.train.x[:n]))
    y = torch.from_numpy(np.array(splits.train.y[:n]))
    names = splits.profile.class_names
    draws = []
    for number in range(k):
        draw_seed = stream_seed(seed, "augment", number)
        draws.append(augmenter.mixed(augmenter.pictures(x, draw_seed).float(), y, draw_seed))
    return AugmentedExamples(
        before=_shown(x.numpy(), splits.brightest),
        after=np.stack([_shown(drawn.numpy(), splits.brightest) for drawn, _ in draws], axis=1),
        names=tuple(names[label] for label in y.tolist()),
        after_names=tuple(tuple(_mixed_name(target[i], names) for _, target in draws) for i in range(len(y))),
    )


def _shown(x: np.ndarray, brightest: int) -> np.ndarray:
    """Images (N, C, H, W) as (N, H, W) or (N, H, W, 3) uint8 from 0 to 255."""
    pixels = np.rint(x * (255 / brightest)).astype(np.uint8)
    return pixels[:, 0] if x.shape[1] == 1 else pixels.transpose(0, 2, 3, 1)


def _mixed_name(target: "Tensor", names: tuple[str, ...]) -> str:
    """`cat`, or `70 % cat, 30 % dog` for a blend; parts below 1 % are not named."""
    if target.ndim == 0:
        return names[int(target)]
    shares = [(float(share), name) for share, name in zip(target, names, strict=True) if share >= 0.005]
    return (
        names[int(target.argmax())]
        if len(shares) == 1
        else ", ".join(f"{share:.0%} {name}" for share, name in sorted(shares, reverse=True))
    )
