"""NPZ files: images of any usual range and layout, and arrays that are refused by their headers alone."""

import tracemalloc

import numpy as np
import pytest

from core.data.own.images import images_choice
from core.data.own.keep import MIB
from core.errors import SpecError, TooExpensive
from tests.core.data.own_files import loaded, noise, npz_bytes, previewed, problem, zip_bytes

DIGITS = np.random.default_rng(0).permuted(np.arange(24 * 8 * 8) % 256).reshape(24, 8, 8)


@pytest.mark.parametrize(
    ("x", "scale"),
    [
        (DIGITS.astype(np.uint8), 1),
        ((DIGITS / 255).astype(np.float32), 1),
        (DIGITS.astype(np.uint16) * 257, 1),
        (DIGITS.astype(np.float64), 1),
        ((DIGITS / 255 * 2 - 1).astype(np.float32), 1),
        ((DIGITS > 127).astype(np.uint8), "binary"),
    ],
)
def test_arrays_of_any_usual_range_become_the_same_pixels(home, x, scale):
    y = np.arange(24) % 3
    found = previewed(npz_bytes(x=x, y=y), "d.npz")
    assert (found.kind, found.class_names, found.is_grey, found.suggested_side) == ("images", ("0", "1", "2"), True, 8)
    splits = images_choice(found, 8, 8, 1).original(0)
    want = np.where(DIGITS > 127, 255, 0) if scale == "binary" else DIGITS
    assert loaded(splits) == {image[None].astype(np.uint8).tobytes(): int(label) for image, label in zip(want, y, strict=True)}


@pytest.mark.parametrize("channels_last", [True, False])
def test_arrays_of_colours_are_read_with_channels_first_or_last(home, channels_last):
    x = np.stack([noise(i) for i in range(12)])
    names = np.array(["cat", "dog"])
    given = x if channels_last else x.transpose(0, 3, 1, 2)
    found = previewed(npz_bytes(images=given, labels=np.arange(12)[:, None] % 2, class_names=names), "d.npz")
    splits = images_choice(found, 20, 20, 3).original(0)
    assert splits.profile.class_names == ("cat", "dog")
    assert loaded(splits) == {image.transpose(2, 0, 1).tobytes(): i % 2 for i, image in enumerate(x)}


@pytest.mark.parametrize(
    "names", [("x_train", "y_train", "x_test", "y_test"), ("train_images", "train_labels", "test_images", "test_labels")]
)
def test_train_and_test_arrays_are_joined_and_that_is_said(home, names):
    arrays = dict(zip(names, (DIGITS[:16], np.arange(16) % 2, DIGITS[16:], np.arange(8) % 2), strict=True))
    found = previewed(npz_bytes(**arrays), "d.npz")
    assert found.n_examples == 24
    assert f"{names[0]} and {names[2]} are joined" in problem(found, "joined", "info")[1]
    assert len(loaded(images_choice(found, 8, 8, 1).original(0))) == 24


def header(text, data=b"", version=b"\x01\x00"):
    """An .npy file with this header."""
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY" + version + len(text).to_bytes(2, "little") + text.encode() + data


NOT_THE_BYTES = "not the bytes that follow"
LABELS = header("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", bytes(16))


def npy(x, y=LABELS):
    return zip_bytes({"x.npy": x, "y.npy": y})


@pytest.mark.fault(118)
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (npz_bytes(x=np.array([{}, 1], object), y=np.arange(2)), "holds objects"),
        (npz_bytes(x=np.zeros((4, 2), complex), y=np.arange(4)), "not numbers"),
        (npz_bytes(x=np.zeros(4, [("a", "i4")]), y=np.arange(4)), "not numbers"),
        (
            npy(header("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 10000000), }", bytes(16))),
            NOT_THE_BYTES,
        ),
        (npy(header("{'descr': '<f8', 'fortran_order': False, 'shape': (2, -1), }", bytes(16))), NOT_THE_BYTES),
        (
            npy(header("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 4611686018427387904), }")),
            NOT_THE_BYTES,
        ),
        (npy(header("__import__('os').system('true')")), "cannot be read"),
        (npy(header("(" * 99)), "cannot be read"),
        (npy(header("{" + "-" * 1500 + "1:1}")), "cannot be read"),
        (npy(header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }" + " " * 60_000, bytes(16))), "cannot be read"),
        (
            npy(header("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", bytes(16), b"\x09\x00")),
            "format is not read",
        ),
        (npy(b"no array"), "cannot be read"),
        (zip_bytes({"x.npy": LABELS}), 'no examples with answers, but "x"'),
        (npz_bytes(x=np.zeros((20, 3)), y=np.zeros(19)), "one answer for each example"),
        (npz_bytes(x=np.zeros((20, 3)), y=np.zeros((20, 10))), "one answer for each example"),
        (npz_bytes(x=np.zeros((2, 3, 4, 5, 6)), y=np.zeros(2)), "neither a table"),
        (npz_bytes(x=np.zeros(20), y=np.zeros(20)), "neither a table"),
        (npz_bytes(x=np.array(["a"] * 20), y=np.zeros(20)), "are no numbers"),
        (
            npz_bytes(x_train=np.zeros((9, 2)), y_train=np.zeros(9), x_test=np.zeros((9, 3)), y_test=np.zeros(9)),
            "different shapes",
        ),
    ],
)
def test_arrays_are_refused_by_their_headers(home, data, message):
    tracemalloc.start()
    try:
        with pytest.raises(SpecError) as caught:
            previewed(data, "a.npz")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert message in caught.value.message
    assert "numpy.savez" in caught.value.hint
    assert peak < 4 * MIB


def test_arrays_above_the_limits_are_refused_before_they_are_read(home):
    data = npz_bytes(x=np.random.default_rng(0).integers(0, 9, (1000, 40, 40), np.uint8), y=np.arange(1000) % 2)
    tracemalloc.start()
    try:
        with pytest.raises(TooExpensive, match="1,000 examples of 1,600 numbers"):
            previewed(data, "a.npz", upload_values_m=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MIB + len(data)


def test_pixels_that_are_no_numbers_are_counted(home):
    x = DIGITS / 255
    x[3, 2, 1] = np.nan
    with pytest.raises(SpecError, match="1 pixels") as caught:
        previewed(npz_bytes(x=x, y=np.arange(24) % 2), "a.npz")
    assert "nan_to_num" in caught.value.hint


def test_images_of_a_single_class_are_refused(home):
    with pytest.raises(SpecError, match='of the class "0"'):
        previewed(npz_bytes(x=DIGITS, y=np.zeros(24)), "a.npz")
