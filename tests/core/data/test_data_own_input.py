"""A visitor's picture, or a drawn digit, as one more example."""

import gzip

import numpy as np
import pytest

from core.data.dataset import DataProfile
from core.data.own.own_input import background_of, own_input
from core.data.rendered import rendered_digits
from core.errors import NotApplicable, SpecError
from tests.core.data.own_files import noise, picture_bytes

DIGITS = DataProfile("image", (1, 28, 28), tuple("0123456789"), 1, 1, 1)
COLOURS = DataProfile("image", (3, 16, 24), ("a", "b"), 1, 1, 1)


def on_canvas(digit, zoom=10, top=301, left=37, height=700, width=900):
    """A digit of light strokes somewhere on a large dark canvas."""
    canvas = np.zeros((height, width), np.uint8)
    large = np.kron(digit, np.ones((zoom, zoom), np.uint8))
    canvas[top : top + large.shape[0], left : left + large.shape[1]] = large
    return canvas


@pytest.fixture
def mnist_test_images(mnist_folder):
    path = mnist_folder / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    with gzip.open(path) as file:
        return np.frombuffer(file.read(16 + 60 * 784)[16:], np.uint8).reshape(-1, 28, 28)


def test_an_mnist_digit_drawn_somewhere_large_comes_back_as_mnist_has_it(mnist_test_images):
    found = [own_input(picture_bytes(on_canvas(digit)), DIGITS, centred=True).pixels for digit in mnist_test_images]
    errors = np.abs(np.stack(found).astype(int) - mnist_test_images).mean(axis=(1, 2))
    assert np.mean(errors == 0) > 0.85
    assert errors.max() < 0.5  # of 255; a digit that is one pixel beside its place differs by 15


def test_a_drawn_digit_is_20_pixels_large_with_its_centre_of_mass_in_the_middle(home):
    for digit in rendered_digits(20, 0)[0][:, 0]:
        found = own_input(picture_bytes(on_canvas(digit, 7, 11, 500)), DIGITS, centred=True).pixels.astype(float)
        rows, columns = np.flatnonzero(found.max(1)), np.flatnonzero(found.max(0))
        assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20)
        centre = [(found.sum(1 - axis) * np.arange(28)).sum() / found.sum() for axis in (0, 1)]
        assert np.abs(np.array(centre) - 14).max() <= 0.51


def test_where_and_how_large_a_digit_is_drawn_does_not_matter(home):
    digit = rendered_digits(1, 3)[0][0, 0]
    first = own_input(picture_bytes(on_canvas(digit)), DIGITS, centred=True)
    moved = own_input(picture_bytes(on_canvas(digit, 10, 20, 500)), DIGITS, centred=True)
    dark = own_input(picture_bytes(255 - on_canvas(digit)), DIGITS, centred=True)
    for other in (moved, dark):
        np.testing.assert_array_equal(other.x, first.x)
    assert first.x.shape == (1, 1, 28, 28)
    assert first.x.dtype == np.uint8
    assert any("MNIST" in note for note in first.notes)


def test_a_digit_fills_small_images_in_their_own_range(home):
    profile = DataProfile("image", (1, 8, 8), tuple("0123456789"), 1, 1, 1)
    found = own_input(picture_bytes(on_canvas(rendered_digits(1, 3)[0][0, 0])), profile, 16, centred=True)
    assert found.x.max() <= 16 < found.pixels.max()
    assert max(np.ptp(np.flatnonzero(found.pixels.max(axis))) for axis in (0, 1)) + 1 == 8


def test_an_empty_drawing_is_said(home):
    with pytest.raises(SpecError, match="Nothing is drawn") as caught:
        own_input(picture_bytes(np.zeros((280, 280), np.uint8)), DIGITS, centred=True)
    assert "Draw one digit" in caught.value.hint


@pytest.mark.parametrize("shape", [(1, 280), (280, 1)])
def test_a_line_at_the_edge_stays_inside(home, shape):
    canvas = np.zeros((280, 280), np.uint8)
    canvas[: shape[0], : shape[1]] = 255
    assert own_input(picture_bytes(canvas), DIGITS, centred=True).pixels.max() > 200


def test_a_picture_of_the_right_size_comes_as_it_is(home):
    found = own_input(picture_bytes(noise(0, 16, 24)), COLOURS)
    np.testing.assert_array_equal(found.x[0], noise(0, 16, 24).transpose(2, 0, 1))
    np.testing.assert_array_equal(found.pixels, noise(0, 16, 24))
    assert found.notes == ()


def test_a_picture_of_another_shape_is_cut_and_greyed_and_that_is_said(home):
    found = own_input(picture_bytes(noise(0, 60, 90)), DIGITS)
    assert found.pixels.shape == (28, 28)
    assert found.notes[0] == "The picture has 60 × 90 pixels: its middle was cut out and scaled to 28 × 28."
    assert "greys" in found.notes[1]


def test_dark_on_light_is_inverted_for_data_that_are_light_on_dark(home):
    paper = 255 - rendered_digits(1, 0)[0][0, 0]
    found = own_input(picture_bytes(paper), DIGITS, background="dark")
    np.testing.assert_array_equal(found.pixels, 255 - paper)
    assert "dark background" in found.notes[-1]
    assert own_input(picture_bytes(255 - paper), DIGITS, background="dark").notes == ()
    assert own_input(picture_bytes(paper), DIGITS).notes == ()


def test_the_background_of_data_is_known_by_their_borders():
    digits = rendered_digits(50, 0)[0]
    assert background_of(digits) == "dark"
    assert background_of(255 - digits) == "light"
    assert background_of(digits // 16, 16) == "dark"
    assert background_of(np.stack([noise(i).transpose(2, 0, 1) for i in range(9)])) == "any"


def test_only_images_can_be_given_to_models_of_images(home):
    with pytest.raises(NotApplicable, match="no images") as caught:
        own_input(picture_bytes(noise(0)), DataProfile("tabular", (3,), ("a", "b"), 1, 1, 1))
    assert "trained on images" in caught.value.hint


def test_what_is_no_picture_is_refused(home):
    with pytest.raises(SpecError, match="no picture that can be read"):
        own_input(b"<svg/>", DIGITS)
