"""Photographed or scanned images in files that torchvision knows. Read from a local folder, never from the network."""

import os
import tempfile
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile, ImageDataset, Split, Splits, unprepared
from core.data.kept import kept_arrays
from core.data.rendered import DIGITS
from core.data.split import cut, split_sizes
from core.errors import MissingData, StoreError
from core.settings import Settings

MNIST_BYTES = {
    "train-images-idx3-ubyte": 16 + 60_000 * 784,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 784,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}
"""Sizes of the four unpacked files; torchvision has checksums of the packed ones only."""


class MNIST(ImageDataset):
    """70,000 handwritten digits, 28 × 28. The test split is always the official one of 10,000; the shares cut the rest."""

    kind: Literal["mnist"] = "mnist"
    label: ClassVar[str] = "MNIST"
    source: ClassVar[str] = "LeCun, Bottou, Bengio and Haffner 1998, Gradient-Based Learning Applied to Document Recognition"
    both_shares: ClassVar[float] = 1.0

    n_examples: int = Field(60_000, ge=1000, le=60_000, title="examples")
    """How many of the 60,000 official training images to use, for train and validation together."""
    train_share: float = Field(0.9, ge=0.1, le=0.9, multiple_of=0.05)
    """Share of these to learn from."""
    validation_share: float = Field(0.1, ge=0.05, le=0.45, multiple_of=0.05, validate_default=True)
    """Share of these to check on after each epoch."""

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        n_train, n_validation, _ = split_sizes(self.n_examples, self.train_share, self.validation_share)
        return DataProfile("image", (1, 28, 28), DIGITS, n_train, n_validation, 10_000)

    def original(self, seed: int) -> Splits:
        """The images from `Settings.data`; packed files are unpacked once, into `Settings.home`.

        Raises:
            MissingData: a file is missing or damaged; the hint names folder and files.
            StoreError: there is no place to unpack them.
        """
        x, y, test_x, test_y = kept_arrays("mnist", _official_mnist, ("train_x", "train_y", "test_x", "test_y"))
        profile = self.original_profile()
        train, validation = cut(x, y, (profile.n_train, profile.n_validation), seed)
        return unprepared(profile, (train, validation, Split(test_x, test_y)))


def _official_mnist() -> tuple[np.ndarray, ...]:
    """Images (N, 1, 28, 28) uint8 and labels (N,) int64 of both official splits, as torchvision reads them."""
    from torchvision import datasets

    root = mnist_root(Settings.from_environment())
    arrays: list[np.ndarray] = []
    for is_train in (True, False):
        official = datasets.MNIST(root, train=is_train, download=False)
        arrays += [official.data.numpy()[:, None], official.targets.numpy().astype(np.int64)]
    return tuple(arrays)


def mnist_root(settings: Settings) -> Path:
    """A folder that holds MNIST/raw with all four files unpacked. Nothing is ever written to `settings.data`.

    Raises:
        MissingData: neither the packed nor the unpacked files are there, or a packed one is damaged.
        StoreError: the files cannot be unpacked into `settings.home`.
    """
    unpacked = settings.home / "datasets"
    for root in (settings.data, unpacked):
        if _is_complete(root):
            return root
    packed = settings.data / "MNIST" / "raw"
    _check_packed(packed)
    try:
        _unpack(packed, unpacked / "MNIST" / "raw")
    except OSError as error:
        raise StoreError(
            f"MNIST could not be unpacked into {unpacked}: {error.strerror or error}.",
            hint="It needs 55 MB and the right to write there. LAYERWISE_HOME names another folder.",
        ) from error
    return unpacked


def _is_complete(root: Path) -> bool:
    """Whether all four unpacked files are there in full."""
    files = {root / "MNIST" / "raw" / name: size for name, size in MNIST_BYTES.items()}
    return all(path.is_file() and path.stat().st_size == size for path, size in files.items())


def _check_packed(folder: Path) -> None:
    """Raises MissingData unless the four packed files are there and have torchvision's checksums."""
    from torchvision.datasets import MNIST as OFFICIAL
    from torchvision.datasets.utils import check_integrity

    where = (
        f"Put {', '.join(f'{name}.gz' for name in MNIST_BYTES)} into {folder}, or name the folder above it by LAYERWISE_DATA."
    )
    missing = [name for name, _ in OFFICIAL.resources if not (folder / name).is_file()]
    if missing:
        raise MissingData(
            f"MNIST is not here: {len(missing)} of its 4 files are missing ({', '.join(missing)}).",
            hint=where,
            folder=str(folder),
            files=tuple(missing),
        )
    damaged = [name for name, md5 in OFFICIAL.resources if not check_integrity(str(folder / name), md5)]
    if damaged:
        raise MissingData(
            f"MNIST is damaged: the MD5 checksum of {', '.join(damaged)} is wrong.",
            hint=f"Fetch {'it' if len(damaged) == 1 else 'them'} again. {where}",
            folder=str(folder),
            files=tuple(damaged),
        )


def _unpack(packed: Path, raw: Path) -> None:
    """Unpacks beside the target and moves each whole file into place, so that two workers cannot disturb each other."""
    from torchvision.datasets.utils import extract_archive

    raw.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=raw.parent) as fresh:
        for name in MNIST_BYTES:
            extract_archive(str(packed / f"{name}.gz"), fresh)
            os.replace(Path(fresh) / name, raw / name)
