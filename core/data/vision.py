"""Photographed or scanned images in files that torchvision knows. Read from a local folder; `download.py` fetches them."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile, ImageDataset, Split, Splits, unprepared
from core.data.kept import is_kept, kept_arrays
from core.data.rendered import DIGITS
from core.data.split import cut, split_sizes
from core.data.vision_files import VisionFiles, cifar_files, idx_files
from core.settings import Settings
from core.types import Shape

KEPT = ("train_x", "train_y", "test_x", "test_y")


class VisionSet(ImageDataset):
    """Images with an official test split, which is always the test split here: the shares cut the rest."""

    both_shares: ClassVar[float] = 1.0
    files: ClassVar[VisionFiles]
    input_shape: ClassVar[Shape] = (1, 28, 28)
    class_names: ClassVar[tuple[str, ...]]
    n_test: ClassVar[int] = 10_000

    n_examples: int = Field(60_000, ge=1000, le=60_000, title="examples")
    """How many of the official training images to use, for train and validation together."""
    train_share: float = Field(0.9, ge=0.1, le=0.9, multiple_of=0.05)
    """Share of these to learn from."""
    validation_share: float = Field(0.1, ge=0.05, le=0.45, multiple_of=0.05, validate_default=True)
    """Share of these to check on after each epoch."""

    @classmethod
    def is_here(cls, settings: Settings) -> bool:
        """Whether a run could load it, as far as can be seen without reading the files. Cheap and torch-free."""
        return is_kept(cls.kind_name(), KEPT, settings) or cls.files.are_here(settings)

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        n_train, n_validation, _ = split_sizes(self.n_examples, self.train_share, self.validation_share)
        return DataProfile("image", self.input_shape, self.class_names, n_train, n_validation, self.n_test)

    def original(self, seed: int) -> Splits:
        """The images from `Settings.data`, or from where they were downloaded to; read once, then kept in `Settings.home`.

        Raises:
            MissingData: a file is missing or damaged; the hint names folder and files.
            StoreError: there is no place to unpack them.
        """
        x, y, test_x, test_y = kept_arrays(self.kind, self._official, KEPT)
        profile = self.original_profile()
        train, validation = cut(x, y, (profile.n_train, profile.n_validation), seed)
        return unprepared(profile, (train, validation, Split(test_x, test_y)))

    def _official(self) -> tuple[np.ndarray, ...]:
        return self.files.arrays(Settings.from_environment())


class MNIST(VisionSet):
    """70,000 handwritten digits, 28 × 28. The test split is always the official one of 10,000; the shares cut the rest."""

    kind: Literal["mnist"] = "mnist"
    label: ClassVar[str] = "MNIST"
    source: ClassVar[str] = "LeCun, Bottou, Bengio and Haffner 1998, Gradient-Based Learning Applied to Document Recognition"
    files: ClassVar[VisionFiles] = idx_files("MNIST", n_bytes=11_594_722)
    class_names: ClassVar[tuple[str, ...]] = DIGITS


class FashionMNIST(VisionSet):
    """70,000 pieces of clothing, 28 × 28: in the form of MNIST, and harder. The test split is the official one of 10,000."""

    kind: Literal["fashion_mnist"] = "fashion_mnist"
    label: ClassVar[str] = "Fashion-MNIST"
    source: ClassVar[str] = "Xiao, Rasul and Vollgraf 2017, Fashion-MNIST (arXiv:1708.07747)"
    files: ClassVar[VisionFiles] = idx_files("FashionMNIST", n_bytes=30_878_645)
    class_names: ClassVar[tuple[str, ...]] = (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )


class KMNIST(VisionSet):
    """70,000 letters of old Japanese books in cursive writing, 28 × 28. The test split is the official one of 10,000."""

    kind: Literal["kmnist"] = "kmnist"
    label: ClassVar[str] = "Kuzushiji-MNIST"
    source: ClassVar[str] = "Clanuwat et al. 2018, Deep Learning for Classical Japanese Literature (arXiv:1812.01718)"
    files: ClassVar[VisionFiles] = idx_files("KMNIST", n_bytes=21_240_888)
    class_names: ClassVar[tuple[str, ...]] = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


class CIFAR10(VisionSet):
    """60,000 small photographs of ten kinds of things, 32 × 32 in colour. The test split is the official one of 10,000."""

    kind: Literal["cifar10"] = "cifar10"
    label: ClassVar[str] = "CIFAR-10"
    source: ClassVar[str] = "Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images"
    files: ClassVar[VisionFiles] = cifar_files()
    input_shape: ClassVar[Shape] = (3, 32, 32)
    class_names: ClassVar[tuple[str, ...]] = (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )

    n_examples: int = Field(50_000, ge=1000, le=50_000, title="examples")
    """How many of the official training images to use, for train and validation together."""


VISION_SETS: dict[str, type[VisionSet]] = {cls.kind_name(): cls for cls in (MNIST, FashionMNIST, KMNIST, CIFAR10)}
"""Those that have files, by kind."""
