"""MNIST from local files, and what is said when they are missing or damaged."""

import gzip
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.data.vision import MNIST, MNIST_BYTES, mnist_root
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


@needs_mnist
def test_packed_files_are_unpacked_once_and_their_own_folder_is_left_alone(folder, home):
    before = sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir())
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    root = mnist_root(Settings.from_environment())
    assert root == home / "datasets"
    times = {path.name: path.stat().st_mtime_ns for path in (root / "MNIST" / "raw").iterdir()}
    assert times.keys() == MNIST_BYTES.keys()
    assert [path.name for path in (root / "MNIST").iterdir()] == ["raw"]
    assert mnist_root(Settings.from_environment()) == root
    assert {path.name: path.stat().st_mtime_ns for path in (root / "MNIST" / "raw").iterdir()} == times
    folder.chmod(stat.S_IRWXU)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in folder.iterdir()) == before


@needs_mnist
def test_unpacked_files_are_read_where_they_are(folder, home, tmp_path):
    for packed in list(folder.glob("*.gz")):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
        packed.unlink()
    assert mnist_root(Settings.from_environment()) == tmp_path / "data"
    assert not home.exists()


@needs_mnist
def test_a_half_unpacked_file_is_unpacked_again(folder, home):
    raw = home / "datasets" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(b"half")
    mnist_root(Settings.from_environment())
    assert {path.name: path.stat().st_size for path in raw.iterdir()} == MNIST_BYTES


@needs_mnist
def test_two_workers_may_unpack_at_once(folder, home):
    with ThreadPoolExecutor(2) as pool:
        roots = list(pool.map(lambda _: mnist_root(Settings.from_environment()), range(2)))
    assert roots == [home / "datasets"] * 2
    raw = home / "datasets" / "MNIST" / "raw"
    assert {path.name: path.stat().st_size for path in raw.iterdir()} == MNIST_BYTES


@needs_mnist
@pytest.mark.parametrize("name", ["t10k-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"])
def test_a_truncated_file_is_named(folder, home, name):
    (folder / name).write_bytes((folder / name).read_bytes()[:1000])
    with pytest.raises(MissingData, match=f"MD5 checksum of {name} is wrong") as caught:
        MNIST().splits(0)
    assert str(folder) in caught.value.hint
    assert not home.exists()


@needs_mnist
def test_a_home_that_cannot_be_written_is_a_store_error(folder, home):
    home.write_text("a file where a folder is needed")
    with pytest.raises(StoreError, match="could not be unpacked") as caught:
        MNIST().splits(0)
    assert "LAYERWISE_HOME" in caught.value.hint


def test_missing_files_are_counted_and_the_hint_names_folder_and_files(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(MissingData, match="4 of its 4 files are missing") as caught:
        MNIST().splits(0)
    assert str(tmp_path / "nowhere" / "MNIST" / "raw") in caught.value.hint
    for name in MNIST_BYTES:
        assert f"{name}.gz" in caught.value.hint
    assert not (tmp_path / "nowhere").exists()


def test_the_profile_needs_no_files(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "nowhere"))
    profile = MNIST(n_examples=1005, train_share=0.85, validation_share=0.15).profile()
    assert profile.n_train + profile.n_validation <= 1005
    assert profile.n_test == 10_000
