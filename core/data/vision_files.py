"""The files of torchvision's data sets: where they may lie, whether they are whole, and how they are read.

Files are packed as their maker publishes them. They are checked by torchvision's MD5 sums and unpacked into a folder that is
gone afterwards; what is kept are the arrays (`core/data/kept.py`). Nothing is ever written to `settings.data`.
"""

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import MissingData, StoreError
from core.settings import Settings

IDX_SIZES = {
    "train-images-idx3-ubyte": 16 + 60_000 * 784,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 784,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}
"""Bytes of the four unpacked files of MNIST and its likes; torchvision has checksums of the packed ones only."""
CIFAR_FILES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta")


@dataclass(frozen=True, slots=True)
class VisionFiles:
    """The files of one data set: `name` is its class in torchvision.datasets, `packed` what its maker publishes.

    `folders` are below a data folder: packed files may lie in each of them; unpacked ones lie at `unpacked`, with their sizes
    in bytes (None: any), in the first of them. `n_bytes` is the size of all packed files together.
    """

    name: str
    packed: tuple[str, ...]
    folders: tuple[str, ...]
    unpacked: dict[str, int | None]
    n_bytes: int

    def places(self, settings: Settings) -> list[Path]:
        """The folders in which packed files are looked for: the user's, then that of downloads."""
        return [*(settings.data / folder for folder in self.folders), self.downloaded(settings)]

    def downloaded(self, settings: Settings) -> Path:
        """The folder into which they are downloaded."""
        return settings.home / "datasets" / "downloads" / self.name

    def are_here(self, settings: Settings) -> bool:
        """Whether all files are there, packed or unpacked; cheap, torch-free, and no promise that they are whole."""
        return self._is_unpacked(settings.data) or any(self._are_in(place) for place in self.places(settings))

    def checksums(self) -> dict[str, str]:
        """MD5 sums of the packed files, from torchvision."""
        official = self.official()
        return {official.filename: official.tgz_md5} if self.name == "CIFAR10" else dict(official.resources)

    def addresses(self, file: str) -> list[str]:
        """Where a packed file can be fetched, encrypted ways first."""
        official = self.official()
        all_of_them = [official.url] if self.name == "CIFAR10" else [f"{mirror}{file}" for mirror in official.mirrors]
        return sorted(all_of_them, key=lambda address: not address.startswith("https:"))

    def official(self) -> Any:
        """The class in torchvision."""
        from torchvision import datasets

        return getattr(datasets, self.name)

    def arrays(self, settings: Settings) -> tuple[np.ndarray, ...]:
        """Training images (N, C, H, W) uint8 and labels (N,) int64, then those of the test split.

        Raises:
            MissingData: a file is missing or damaged; the hint names folder and files.
            StoreError: there is no place to unpack them.
        """
        with self._root(settings) as root:
            arrays: list[np.ndarray] = []
            for is_train in (True, False):
                try:
                    part = self.official()(root, train=is_train, download=False)
                except (RuntimeError, AssertionError, KeyError, ValueError) as error:  # a checksum, or the head of a file
                    told = f"torchvision cannot read the unpacked files: {error}"
                    raise self._damaged(root, tuple(self.unpacked), told) from error
                images = np.asarray(part.data)
                images = images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)
                arrays += [np.ascontiguousarray(images), np.asarray(part.targets, np.int64)]
        return tuple(arrays)

    @contextmanager
    def _root(self, settings: Settings) -> Iterator[Path]:
        """A folder in which torchvision finds the unpacked files."""
        if self._is_unpacked(settings.data):
            yield settings.data
            return
        place = self._whole_place(settings)
        here = settings.home / "datasets"
        try:
            here.mkdir(parents=True, exist_ok=True)
            fresh = tempfile.TemporaryDirectory(dir=here, prefix="unpacking-")
        except OSError as error:
            raise self._no_place(here, error) from error
        with fresh as root:
            try:
                self._unpack(place, Path(root))
            except OSError as error:
                raise self._no_place(here, error) from error
            yield Path(root)

    def _unpack(self, place: Path, root: Path) -> None:
        """Unpack checked files as torchvision wants them below `root`."""
        from torchvision.datasets.utils import extract_archive

        for file in self.packed:
            if file.endswith(".tar.gz"):
                with tarfile.open(place / file) as archive:
                    wanted = [archive.getmember(path) for path in self.unpacked]
                    archive.extractall(root, wanted, filter="data")
                continue
            folder = root / self.folders[0]
            folder.mkdir(parents=True, exist_ok=True)
            extract_archive(str(place / file), str(folder))

    def _is_unpacked(self, root: Path) -> bool:
        """Whether all unpacked files are below this folder in full."""
        files = {root / path: size for path, size in self.unpacked.items()}
        return all(path.is_file() and size in (None, path.stat().st_size) for path, size in files.items())

    def _are_in(self, place: Path) -> bool:
        return all((place / file).is_file() for file in self.packed)

    def _whole_place(self, settings: Settings) -> Path:
        """The first folder with all packed files and torchvision's checksums.

        Raises:
            MissingData: there is none.
        """
        found = {place: self.damaged_in(place) for place in self.places(settings) if self._are_in(place)}
        for place, damaged in found.items():
            if not damaged:
                return place
        for place, damaged in found.items():
            raise self._damaged(place, damaged, f"the MD5 checksum of {', '.join(damaged)} is wrong")
        raise self._missing(settings)

    def damaged_in(self, place: Path) -> tuple[str, ...]:
        """The packed files in this folder that are missing or have a wrong checksum."""
        from torchvision.datasets.utils import check_integrity

        return tuple(file for file, md5 in self.checksums().items() if not check_integrity(str(place / file), md5))

    def _damaged(self, place: Path, files: tuple[str, ...], told: str) -> MissingData:
        return MissingData(
            f"{self.name} is damaged: {told}.",
            hint=f"Fetch {'it' if len(files) == 1 else 'them'} again; the folder is {place}.",
            folder=str(place),
            files=files,
        )

    def _missing(self, settings: Settings) -> MissingData:
        """What is missing, told of the folder in which most of the files are."""
        places = self.places(settings)
        best = max(places, key=lambda place: sum((place / file).is_file() for file in self.packed))
        missing = tuple(file for file in self.packed if not (best / file).is_file())
        return MissingData(
            f"{self.name} is not here: {len(missing)} of its {len(self.packed)} files are missing ({', '.join(missing)}).",
            hint=self.where(settings),
            folder=str(places[0]),
            files=missing,
        )

    def where(self, settings: Settings) -> str:
        """A sentence that says which files to put where."""
        return (
            f"Put {', '.join(self.packed)} into {settings.data / self.folders[0]}, packed as they are; "
            f"LAYERWISE_DATA names another folder than {settings.data}."
        )

    def _no_place(self, here: Path, error: Exception) -> StoreError:
        told = getattr(error, "strerror", None) or error
        return StoreError(
            f"{self.name} could not be unpacked into {here}: {told}.",
            hint="It needs up to 200 MB and the right to write there. LAYERWISE_HOME names another folder.",
        )


def idx_files(name: str, n_bytes: int) -> VisionFiles:
    """Four files in the form of MNIST."""
    folder = f"{name}/raw"
    return VisionFiles(
        name,
        packed=tuple(f"{file}.gz" for file in IDX_SIZES),
        folders=(folder,),
        unpacked={f"{folder}/{file}": size for file, size in IDX_SIZES.items()},
        n_bytes=n_bytes,
    )


def cifar_files() -> VisionFiles:
    """One archive with pickled batches; why they are safe to read stands in docs/decisions/006-cifar10.md."""
    return VisionFiles(
        "CIFAR10",
        packed=("cifar-10-python.tar.gz",),
        folders=("", "CIFAR10"),
        unpacked={f"cifar-10-batches-py/{file}": None for file in CIFAR_FILES},
        n_bytes=170_498_071,
    )
