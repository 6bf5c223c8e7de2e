"""torchvision's data sets from local files, and what is said when they are missing or damaged."""

import gzip
import hashlib
import io
import os
import pickle
import shutil
import stat
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from torchvision import datasets

from core.data.vision import CIFAR10, KEPT, KMNIST, MNIST, VISION_SETS, FashionMNIST
from core.data.vision_files import CIFAR_FILES, IDX_SIZES
from core.errors import MissingData, StoreError
from core.settings import Settings

DATA = os.environ.get("LAYERWISE_DATA")
needs_mnist = pytest.mark.skipif(
    not (DATA and (Path(DATA) / "MNIST" / "raw").is_dir()), reason="LAYERWISE_DATA names no folder with MNIST/raw"
)


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERWISE_HOME", str(tmp_path_factory.mktemp("home")))
        return MNIST().splits(0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder of our own, with the real packed files where there are any."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "data"))
    if DATA:
        for packed in (Path(DATA) / "MNIST" / "raw").glob("*.gz"):
            shutil.copyfile(packed, raw / packed.name)
    return raw


@needs_mnist
def test_the_official_counts_of_each_digit_are_there(splits):
    train_and_validation = np.concatenate([splits.train.y, splits.validation.y])
    assert np.bincount(train_and_validation).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(splits.test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@needs_mnist
def test_the_mean_and_deviation_of_the_training_pixels_are_the_known_ones(splits):
    pixels = np.concatenate([splits.train.x, splits.validation.x])
    assert pixels.shape == (60_000, 1, 28, 28)
    assert pixels.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert pixels.std() / 255 == pytest.approx(0.3081, abs=5e-5)


@needs_mnist
def test_images_keep_their_labels(splits):
    by_mean = [splits.train.x[splits.train.y == digit].mean(axis=0).reshape(-1).astype(float) for digit in range(10)]
    distance = [np.square(splits.test.x.reshape(-1, 784) - mean).sum(axis=1) for mean in by_mean]
    assert np.mean(np.argmin(distance, axis=0) == splits.test.y) == pytest.approx(0.82, abs=0.01)  # nearest mean: 82 %


@needs_mnist
def test_fewer_examples_are_a_stratified_part_and_the_test_split_stays_the_official_one(splits):
    small = MNIST(n_examples=2000).splits(0)
    assert (len(small.train), len(small.validation)) == (1800, 200)
    np.testing.assert_array_equal(small.test.x, splits.test.x)
    share = np.bincount(np.concatenate([small.train.y, small.validation.y])) / 2000
    assert np.abs(share - np.bincount(splits.train.y) / len(splits.train)).max() < 0.002


def settings():
    return Settings.from_environment()


@needs_mnist
def test_packed_files_are_read_once_and_their_own_folder_is_left_alone(folder, home):
    before = sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir())
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    MNIST().splits(0)
    kept = {path.name: path.stat().st_mtime_ns for path in (home / "datasets" / "mnist").iterdir() if path.name != ".lock"}
    assert kept.keys() == {f"{name}.npy" for name in KEPT}
    assert [path.name for path in (home / "datasets").iterdir()] == ["mnist"]  # nothing unpacked is left
    MNIST().splits(0)
    assert {path.name: path.stat().st_mtime_ns for path in (home / "datasets" / "mnist").glob("*.npy")} == kept
    folder.chmod(stat.S_IRWXU)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir()) == before


@needs_mnist
def test_unpacked_files_are_read_where_they_are(folder, home, splits):
    for packed in list(folder.glob("*.gz")):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    train_x, train_y, test_x, test_y = MNIST.files.arrays(settings())
    assert not home.exists()
    np.testing.assert_array_equal(test_x, splits.test.x)
    np.testing.assert_array_equal(test_y, splits.test.y)
    assert (train_x.shape, train_y.shape) == ((60_000, 1, 28, 28), (60_000,))


@needs_mnist
def test_a_half_unpacked_file_is_passed_over_for_the_packed_one(folder):
    (folder / "train-images-idx3-ubyte").write_bytes(b"half")
    assert len(MNIST.files.arrays(settings())[0]) == 60_000


@needs_mnist
def test_two_workers_may_unpack_at_once(folder, home):
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: MNIST.files.arrays(settings()), range(2)))
    np.testing.assert_array_equal(both[0][3], both[1][3])
    assert list((home / "datasets").iterdir()) == []


@needs_mnist
def test_downloaded_files_are_found_and_stand_in_for_damaged_ones(folder, home, splits):
    downloads = home / "datasets" / "downloads" / "MNIST"
    downloads.mkdir(parents=True)
    for packed in list(folder.glob("*.gz")):
        shutil.copyfile(packed, downloads / packed.name)
        packed.write_bytes(b"damaged")
    np.testing.assert_array_equal(MNIST.files.arrays(settings())[3], splits.test.y)
    shutil.rmtree(folder)
    assert MNIST.is_here(settings())
    np.testing.assert_array_equal(MNIST.files.arrays(settings())[3], splits.test.y)


@needs_mnist
@pytest.mark.parametrize("name", ["t10k-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"])
def test_a_truncated_file_is_named(folder, home, name):
    (folder / name).write_bytes((folder / name).read_bytes()[:1000])
    with pytest.raises(MissingData, match=f"MD5 checksum of {name} is wrong") as caught:
        MNIST().splits(0)
    assert str(folder) in caught.value.hint
    assert caught.value.params["files"] == (name,)
    assert [path.name for path in home.rglob("*") if path.is_file()] == [".lock"]  # nothing is kept of it


@needs_mnist
def test_a_home_that_cannot_be_written_is_a_store_error(folder, home):
    home.write_text("a file where a folder is needed")
    with pytest.raises(StoreError, match="could not be unpacked") as caught:
        MNIST().splits(0)
    assert "LAYERWISE_HOME" in caught.value.hint


def test_unpacked_files_of_the_right_size_with_something_else_in_them_are_refused(folder):
    for name, size in IDX_SIZES.items():
        (folder / name).write_bytes(b"\xff" * size)
    with pytest.raises(MissingData, match="torchvision cannot read the unpacked files") as caught:
        MNIST().splits(0)
    assert "Fetch them again" in caught.value.hint


@pytest.mark.parametrize("cls", VISION_SETS.values())
def test_missing_files_are_counted_and_the_hint_names_folder_and_files(tmp_path, monkeypatch, cls):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "nowhere"))
    n = len(cls.files.packed)
    with pytest.raises(MissingData, match=f"{n} of its {n} files are missing") as caught:
        cls().splits(0)
    assert str(tmp_path / "nowhere" / cls.files.folders[0]) in caught.value.hint
    for name in cls.files.packed:
        assert name in caught.value.hint
    assert not (tmp_path / "nowhere").exists()
    assert not cls.is_here(settings())


@pytest.mark.parametrize("cls", VISION_SETS.values())
def test_the_profile_needs_no_files(tmp_path, monkeypatch, cls):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "nowhere"))
    profile = cls(n_examples=1005, train_share=0.85, validation_share=0.15).profile()
    assert profile.n_train + profile.n_validation <= 1005
    assert profile.n_test == 10_000
    assert profile.n_classes == 10


@pytest.mark.parametrize("cls", VISION_SETS.values())
def test_file_names_and_addresses_are_torchvisions(cls):
    files = cls.files
    assert set(files.packed) == set(files.checksums())
    assert files.official() is getattr(datasets, files.name)
    for file in files.packed:
        addresses = files.addresses(file)
        assert all(address.endswith(f"/{file}") for address in addresses)
        assert sorted(addresses, key=lambda address: address.startswith("http:")) == addresses


def test_class_names_are_torchvisions():
    for cls in (FashionMNIST, KMNIST):
        assert cls.class_names == tuple(getattr(datasets, cls.files.name).classes)
    assert [name[0] for name in datasets.MNIST.classes] == list(MNIST.class_names)


def test_the_size_of_mnist_is_written_down_right():
    if not DATA:
        pytest.skip("LAYERWISE_DATA names no folder with MNIST/raw")
    raw = Path(DATA) / "MNIST" / "raw"
    assert sum((raw / name).stat().st_size for name in MNIST.files.packed) == MNIST.files.n_bytes


def idx(array):
    """An array of bytes as an IDX file."""
    return bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape) + array.tobytes()


@pytest.mark.parametrize("cls", [FashionMNIST, KMNIST])
def test_the_likes_of_mnist_are_read_from_their_own_packed_files(cls, tmp_path, monkeypatch):
    official = getattr(datasets, cls.files.name)
    raw = tmp_path / "data" / cls.files.folders[0]
    raw.mkdir(parents=True)
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "data"))
    made = []
    for part, n in (("train", 60), ("t10k", 20)):
        images, labels = np.arange(n * 784).astype(np.uint8).reshape(n, 28, 28), np.arange(n).astype(np.uint8) % 10
        for name, array in ((f"{part}-images-idx3-ubyte.gz", images), (f"{part}-labels-idx1-ubyte.gz", labels)):
            (raw / name).write_bytes(gzip.compress(idx(array)))
        made += [images, labels]
    sums = [(name, hashlib.md5((raw / name).read_bytes()).hexdigest()) for name in cls.files.packed]
    monkeypatch.setattr(official, "resources", sums)
    train_x, train_y, test_x, test_y = cls.files.arrays(settings())
    for ours, theirs in ((train_x[:, 0], made[0]), (train_y, made[1]), (test_x[:, 0], made[2]), (test_y, made[3])):
        np.testing.assert_array_equal(ours, theirs)
    assert train_y.dtype == np.int64


class Trap:
    """Runs code when it is unpickled: writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (Path(self.path),))


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """Six small batches in the form of CIFAR-10, with checksums of their own that torchvision is told."""
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    rng = np.random.default_rng(0)
    batches = {
        name: {"data": rng.integers(0, 256, (20, 3072), dtype=np.uint8), "labels": rng.integers(0, 10, 20).tolist()}
        for name in CIFAR_FILES[:-1]
    }
    files = {name: pickle.dumps(batch) for name, batch in batches.items()}
    files["batches.meta"] = pickle.dumps({"label_names": list(CIFAR10.class_names)})
    sums = {name: hashlib.md5(data).hexdigest() for name, data in files.items()}
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [[name, sums[name]] for name in CIFAR_FILES[:5]])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(datasets.CIFAR10, "meta", datasets.CIFAR10.meta | {"md5": sums["batches.meta"]})
    return batches, files


def pack(path, files, monkeypatch):
    """The archive of CIFAR-10, and its checksum as torchvision's."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", hashlib.md5(path.read_bytes()).hexdigest())


@pytest.mark.parametrize("place", ["data", "data/CIFAR10", "home/datasets/downloads/CIFAR10"])
def test_cifar_10_is_read_from_its_archive(cifar, tmp_path, monkeypatch, place):
    batches, files = cifar
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    pack(tmp_path / place / "cifar-10-python.tar.gz", files, monkeypatch)
    train_x, train_y, test_x, test_y = CIFAR10.files.arrays(settings())
    expected = np.concatenate([batches[name]["data"] for name in CIFAR_FILES[:5]])
    np.testing.assert_array_equal(train_x, expected.reshape(-1, 3, 32, 32))
    np.testing.assert_array_equal(train_y, np.concatenate([batches[name]["labels"] for name in CIFAR_FILES[:5]]))
    np.testing.assert_array_equal(test_x, batches["test_batch"]["data"].reshape(-1, 3, 32, 32))
    assert test_y.tolist() == batches["test_batch"]["labels"]
    assert train_x.flags.c_contiguous
    assert not list((tmp_path / "home" / "datasets").glob("unpacking-*"))


def test_cifar_10_is_read_unpacked_where_it_is(cifar, tmp_path, home):
    batches, files = cifar
    folder = tmp_path / "data" / "cifar-10-batches-py"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    assert CIFAR10.is_here(settings())
    assert CIFAR10.files.arrays(settings())[3].tolist() == batches["test_batch"]["labels"]
    assert not home.exists()


@pytest.mark.parametrize("name", CIFAR_FILES)
def test_a_batch_that_would_run_code_is_refused_and_does_not_run(cifar, tmp_path, name):
    _, files = cifar
    folder = tmp_path / "data" / "cifar-10-batches-py"
    folder.mkdir()
    sprung = tmp_path / "sprung"
    for each, data in files.items():
        (folder / each).write_bytes(pickle.dumps(Trap(str(sprung))) if each == name else data)
    with pytest.raises(MissingData, match="CIFAR10 is damaged"):
        CIFAR10.files.arrays(settings())
    assert not sprung.exists()
    pickle.loads((folder / name).read_bytes())  # noqa: S301 (our own bytes)
    assert sprung.exists()  # the trap works


def test_an_archive_with_another_checksum_is_not_even_unpacked(cifar, tmp_path, monkeypatch, home):
    _, files = cifar
    archive = tmp_path / "data" / "cifar-10-python.tar.gz"
    pack(archive, files, monkeypatch)
    archive.write_bytes(archive.read_bytes() + b"more")
    with pytest.raises(MissingData, match=r"MD5 checksum of cifar-10-python\.tar\.gz is wrong"):
        CIFAR10.files.arrays(settings())
    assert not home.exists()
