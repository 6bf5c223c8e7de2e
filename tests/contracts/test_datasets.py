"""What every data set on the Menu must keep."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.data.menu import AnyDataset
from core.data.rendered import RenderedDigits
from core.data.vision import MNIST
from core.spec import choices, parse_json

DATA = os.environ.get("LAYERWISE_DATA")
NO_MNIST = "LAYERWISE_DATA names no folder with MNIST/raw"


def settings_of(cls):
    """The default of a data set, the bounds of each of its own fields, and extreme shares."""
    yield cls()
    for name in cls.knobs().keys() - {"train_share", "validation_share"}:
        for bound in (
            getattr(mark, side) for mark in cls.knobs()[name].metadata for side in ("ge", "le") if hasattr(mark, side)
        ):
            if (cls, bound) != (RenderedDigits, 60_000):  # takes seconds
                yield cls(**{name: bound})
    for train, validation in ((0.35, 0.3), (0.9, 0.05), (0.1, 0.45), (0.5, 0.45)):
        yield cls(train_share=train, validation_share=validation)


CASES = [
    pytest.param(choice, id=f"{choice.kind}-{i}") for cls in choices(AnyDataset) for i, choice in enumerate(settings_of(cls))
]


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERWISE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


def loaded(choice, seed):
    if isinstance(choice, MNIST) and not (DATA and (Path(DATA) / "MNIST" / "raw").is_dir()):
        pytest.skip(NO_MNIST)
    return choice.splits(seed)


def parts(splits):
    return (splits.train, splits.validation, splits.test)


@pytest.mark.parametrize("choice", CASES)
def test_what_is_loaded_is_what_the_profile_said(choice):
    profile, splits = choice.profile(), loaded(choice, 0)
    assert splits.profile == profile
    assert [len(part) for part in parts(splits)] == [profile.n_train, profile.n_validation, profile.n_test]
    for part in parts(splits):
        assert part.x.shape == (len(part), *profile.input_shape)
        assert part.x.dtype == (np.uint8 if profile.modality == "image" else np.float32)
        assert part.y.shape == (len(part),)
        assert part.y.dtype == np.int64
        assert part.y.min() >= 0
        assert part.y.max() < profile.n_classes
    if profile.modality != "image":
        assert len(profile.feature_names) == profile.input_shape[0]
    seen = splits.model_input(splits.test.x)
    assert seen.shape == splits.test.x.shape
    assert seen.dtype == np.float32
    assert np.isfinite(seen).all()


@pytest.mark.parametrize("cls", choices(AnyDataset))
def test_equal_seeds_give_equal_bytes_and_other_seeds_other_data(cls):
    first, again, other = (loaded(cls(), seed) for seed in (0, 0, 1))
    for one, same in zip(parts(first), parts(again), strict=True):
        assert one.x.tobytes() == same.x.tobytes()
        assert one.y.tobytes() == same.y.tobytes()
    assert first.shift.tobytes() + first.scale.tobytes() == again.shift.tobytes() + again.scale.tobytes()
    assert first.train.x.tobytes() != other.train.x.tobytes()


@pytest.mark.parametrize("cls", choices(AnyDataset))
def test_every_class_is_in_every_split_in_about_its_share(cls):
    splits = loaded(cls(), 0)
    n_classes = splits.profile.n_classes
    shares = [np.bincount(part.y, minlength=n_classes) / len(part) for part in parts(splits)]
    n_least = min(len(part) for part in parts(splits))
    assert min(share.min() for share in shares) > 0
    # MNIST's official test split was drawn by others, whose shares differ by up to 0.9 points
    assert max(np.abs(share - shares[0]).max() for share in shares) < 0.01 + 2 / n_least


@pytest.mark.parametrize("cls", choices(AnyDataset))
def test_no_example_is_in_two_splits(cls):
    splits = loaded(cls(), 0)
    rows = [{row.tobytes() for row in part.x} for part in parts(splits)]
    assert len(set.union(*rows)) == sum(len(part) for part in parts(splits))


@pytest.mark.parametrize("cls", choices(AnyDataset))
def test_a_data_set_says_what_it_is_and_travels_as_text(cls):
    assert cls.label
    assert cls.__doc__
    assert all(info.description for info in cls.knobs().values())
    choice = cls(train_share=0.35, validation_share=0.3)
    assert parse_json(AnyDataset, choice.model_dump_json()) == choice


def test_the_menu_imports_neither_torch_nor_scikit_learn_and_profiles_need_neither():
    code = (
        "import sys; from core.data.menu import AnyDataset; from core.spec import choices; import core.data.gallery\n"
        "for cls in choices(AnyDataset): cls().profile()\n"
        "heavy = {'torch', 'torchvision', 'sklearn', 'scipy', 'matplotlib', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
