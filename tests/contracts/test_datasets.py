"""What every data set on the Menu must keep."""

import subprocess
import sys
from typing import Literal, get_args, get_origin

import numpy as np
import pytest

from core.data.evidence import KnownEvidence
from core.data.menu import AnyDataset
from core.data.preparation import Preparation
from core.data.rendered import RenderedDigits
from core.data.tabular import Iris
from core.data.vision import VisionSet
from core.settings import Settings
from core.spec import choices, parse_json

SLOW = {(RenderedDigits, 60_000), (KnownEvidence, 20_000)}
READY = [cls for cls in choices(AnyDataset) if cls.is_ready_made]
"""The others are made of a visitor's file; tests/core/data/own has them."""
KNOWN_TWICE = {Iris: 1}
"""Examples that the data set itself holds twice, as it is known for."""


def small(cls, **changes):
    """A data set with its defaults, but few examples where that can be chosen."""
    return cls(**({"n_examples": 1000} if "n_examples" in cls.model_fields else {}) | changes)


def settings_of(cls):
    """The default of a data set, the bounds and values of each of its own fields, and extreme shares."""
    yield cls()
    for name in sorted(cls.knobs().keys() - {"train_share", "validation_share"}):
        info = cls.knobs()[name]
        if get_origin(info.annotation) is Literal:
            yield from (small(cls, **{name: value}) for value in get_args(info.annotation))
        for bound in (getattr(mark, side) for mark in info.metadata for side in ("ge", "le") if hasattr(mark, side)):
            if (cls, bound) not in SLOW:  # takes seconds
                yield small(cls, **{name: bound})
    for train, validation in ((0.35, 0.3), (0.9, 0.05), (0.1, 0.45), (0.5, 0.45)):
        yield small(cls, train_share=train, validation_share=validation)


CASES = [pytest.param(choice, id=f"{choice.kind}-{i}") for cls in READY for i, choice in enumerate(settings_of(cls))]


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERWISE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


def loaded(choice, seed):
    if isinstance(choice, VisionSet) and not choice.is_here(Settings.from_environment()):
        pytest.skip(f"LAYERWISE_DATA names no folder with {choice.files.name}")
    return choice.splits(seed)


def loaded_original(choice, seed):
    loaded(choice.but(preparation=Preparation()), seed)
    return choice.original(seed)


def parts(splits):
    return (splits.train, splits.validation, splits.test)


DTYPES = {"image": np.uint8, "sequence": np.int64, "points": np.float32, "tabular": np.float32}


@pytest.mark.parametrize("choice", CASES)
def test_what_is_loaded_is_what_the_profile_said(choice):
    profile, splits = choice.profile(), loaded(choice, 0)
    assert splits.profile == profile
    assert [len(part) for part in parts(splits)] == [profile.n_train, profile.n_validation, profile.n_test]
    for part in parts(splits):
        assert part.x.shape == (len(part), *profile.input_shape)
        assert part.x.dtype == DTYPES[profile.modality]
        assert part.y.shape == (len(part),)
        check_answers(part.y, profile)
    if profile.modality in ("points", "tabular"):
        assert len(profile.feature_names) == profile.input_shape[0]
    seen = splits.model_input(splits.test.x)
    assert seen.shape == splits.test.x.shape
    assert seen.dtype == (np.int64 if profile.modality == "sequence" else np.float32)
    assert np.isfinite(seen).all()
    if profile.modality == "sequence":
        assert len(splits.vocabulary) == profile.n_tokens > seen.max()


def check_answers(y, profile):
    if profile.task == "regression":
        assert profile.class_names == ()
        assert profile.target_name
        assert y.dtype == np.float32
        assert np.isfinite(y).all()
        return
    assert profile.n_classes >= 2
    assert y.dtype == np.int64
    assert y.min() >= 0
    assert y.max() < profile.n_classes


@pytest.mark.parametrize("cls", READY)
def test_originals_are_unprepared(cls):
    choice = small(cls)
    before = loaded_original(choice, 0)
    assert before.profile == choice.original_profile()
    assert not before.shift.any()
    assert (before.scale == 1).all()
    after = choice.but(preparation=Preparation()).splits(0)
    for one, same in zip(parts(before), parts(after), strict=True):
        np.testing.assert_array_equal(one.x, same.x)


@pytest.mark.parametrize("cls", READY)
def test_evidence_is_a_part_of_each_example_that_never_fills_it(cls):
    splits = loaded(small(cls), 0)
    shape = splits.profile.input_shape
    for part in parts(splits):
        if part.evidence is not None:
            assert part.evidence.shape == (len(part), *(shape[1:] if splits.profile.modality == "image" else shape))
            assert part.evidence.dtype == bool
            share = part.evidence.reshape(len(part), -1).mean(axis=1)
            assert share.min() > 0
            assert share.max() < 0.5


def test_the_data_sets_that_know_their_evidence():
    know = {
        cls.kind_name() for cls in READY if not issubclass(cls, VisionSet) and small(cls).original(0).train.evidence is not None
    }
    assert know == {"evidence", "sentiment"}


@pytest.mark.parametrize("cls", READY)
def test_equal_seeds_give_equal_bytes_and_other_seeds_other_data(cls):
    first, again, other = (loaded(small(cls), seed) for seed in (0, 0, 1))
    for one, same in zip(parts(first), parts(again), strict=True):
        assert one.x.tobytes() == same.x.tobytes()
        assert one.y.tobytes() == same.y.tobytes()
    assert first.shift.tobytes() + first.scale.tobytes() == again.shift.tobytes() + again.scale.tobytes()
    assert first.train.x.tobytes() != other.train.x.tobytes()


@pytest.mark.parametrize("cls", [cls for cls in READY if cls().profile().task == "classification"])
def test_every_class_is_in_every_split_in_about_its_share(cls):
    splits = loaded(cls(), 0)
    n_classes = splits.profile.n_classes
    shares = [np.bincount(part.y, minlength=n_classes) / len(part) for part in parts(splits)]
    n_least = min(len(part) for part in parts(splits))
    assert min(share.min() for share in shares) > 0
    # MNIST's official test split was drawn by others, whose shares differ by up to 0.9 points
    assert max(np.abs(share - shares[0]).max() for share in shares) < 0.01 + 2 / n_least


@pytest.mark.parametrize("cls", [cls for cls in READY if cls().profile().task == "regression"])
def test_small_and_large_targets_are_in_every_split_in_about_their_share(cls):
    splits = loaded(cls(), 0)
    everything = np.concatenate([part.y for part in parts(splits)])
    for tenth in range(1, 10):
        border = np.quantile(everything, tenth / 10)
        shares = [np.mean(part.y < border) for part in parts(splits)]
        assert shares == pytest.approx([np.mean(everything < border)] * 3, abs=0.04)


@pytest.mark.parametrize("cls", READY)
def test_no_example_is_in_two_splits(cls):
    splits = loaded(cls(), 0)
    rows = [{row.tobytes() for row in part.x} for part in parts(splits)]
    n_examples = sum(len(part) for part in parts(splits))
    assert len(set.union(*rows)) == n_examples - KNOWN_TWICE.get(cls, 0)


@pytest.mark.parametrize("cls", READY)
def test_a_data_set_says_what_it_is_and_travels_as_text(cls):
    assert cls.label
    assert cls.__doc__
    assert all(info.description for info in cls.knobs().values())
    choice = cls(train_share=0.35, validation_share=0.3)
    assert parse_json(AnyDataset, choice.model_dump_json()) == choice


def test_the_menu_imports_neither_torch_nor_scikit_learn_and_profiles_need_neither():
    code = (
        "import sys; from core.data.menu import AnyDataset; from core.spec import choices; import core.data.gallery\n"
        "for cls in choices(AnyDataset): cls.is_ready_made and cls().profile()\n"
        "heavy = {'torch', 'torchvision', 'sklearn', 'scipy', 'matplotlib', 'PIL', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
