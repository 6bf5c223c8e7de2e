"""Own images: folders in a ZIP file or arrays, previewed, brought to one size, and refused or mended in words."""

import io
import json
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from core.data.own.images import OwnImages, images_choice
from core.data.own.keep import MIB
from core.data.own.reading.pictures import decoded, fitted
from core.errors import SpecError, TooExpensive
from core.results.codec import load_result, result_bytes
from core.results.upload_preview import UploadPreview
from core.settings import Settings
from tests.core.data.own_files import image_folder, loaded, noise, parts, picture_bytes, previewed, problem, tiny_png, zip_bytes

SETTINGS = Settings()


def test_the_pixels_come_back_with_the_name_of_their_folder(home):
    files = image_folder(10)
    found = previewed(zip_bytes(files), "pets.zip")
    assert (found.class_names, found.class_counts.tolist()) == (("cats", "dogs"), [10, 10])
    assert (found.sizes.tolist(), found.suggested_side, found.is_grey) == ([[20, 20, 20]], 20, False)
    choice = images_choice(found, 20, 20, 3)
    splits = choice.splits(0)
    assert splits.profile == choice.profile()
    want = {noise(100 * place + i).transpose(2, 0, 1).tobytes(): place for place in range(2) for i in range(10)}
    assert loaded(splits) == want
    assert all(set(part.y.tolist()) == {0, 1} for part in parts(splits))
    assert splits.model_input(splits.train.x).max() <= 1


def test_a_preview_of_images_travels_as_a_file(home):
    found = previewed(zip_bytes(image_folder(30, ("a", "b", "c"))), "pets.zip")
    assert found.thumbnails.shape == (40, 64, 64, 3)
    assert np.bincount(found.thumbnail_labels).tolist() == [14, 13, 13]
    again = load_result(UploadPreview, result_bytes(found))
    np.testing.assert_array_equal(again.thumbnails, found.thumbnails)
    assert (again.class_names, again.hints) == (found.class_names, found.hints)


@pytest.mark.parametrize("prefix", ["", "my data/", "a/b/"])
def test_a_folder_around_all_and_what_systems_add_do_not_count(home, prefix):
    files = {prefix + path: content for path, content in image_folder().items()}
    extra = {f"__MACOSX/{prefix}cats/._1.png": b"x", f"{prefix}.DS_Store": b"x", f"{prefix}cats/Thumbs.db": b"x"}
    found = previewed(zip_bytes(files | extra), "pets.zip")
    assert found.class_names == ("cats", "dogs")
    assert found.messages == ()


def test_folders_of_splits_are_joined(home):
    files = {f"pets/{split}/{path}": content for path, content in image_folder().items() for split in ("train", "test")}
    found = previewed(zip_bytes(files), "pets.zip")
    assert (found.class_names, found.n_examples, found.n_distinct) == (("cats", "dogs"), 32, 16)
    assert problem(found, "equal an earlier one", "warning")[1].startswith("16 of 32 images")


def test_windows_separators_are_folders_too(home):
    files = {path.replace("/", "\\"): content for path, content in image_folder().items()}
    assert previewed(zip_bytes(files), "pets.zip").class_names == ("cats", "dogs")


def test_mixed_sizes_are_counted_and_all_are_brought_to_one(home):
    files = image_folder() | {
        "cats/wide.png": picture_bytes(noise(900, 30, 60)),
        "dogs/tall.png": picture_bytes(noise(901, 90, 30)),
    }
    found = previewed(zip_bytes(files), "pets.zip")
    assert "3 different sizes: 20 × 20 (16)" in problem(found, "different sizes", "info")[1]
    assert found.sizes.tolist()[0] == [20, 20, 16]
    for fit in ("crop", "pad", "stretch"):
        splits = images_choice(found, 24, 16, 3, fit).original(0)
        assert splits.train.x.shape[1:] == (3, 24, 16)


def test_broken_images_are_named_and_left_out(home):
    files = image_folder() | {"cats/cut.png": picture_bytes(noise(900))[:300], "dogs/text.png": b"<svg/>"}
    files["dogs/huge.png"] = tiny_png(6000, 5000)
    found = previewed(zip_bytes(files), "pets.zip")
    _, message, hint = problem(found, "cannot be read", "warning")
    assert message == '3 images cannot be read and are left out: "cut.png", "huge.png", "text.png".'
    assert "damaged" in hint
    assert found.class_counts.tolist() == [8, 8]
    assert len(loaded(images_choice(found, 20, 20, 3).original(0))) == 16


def test_an_archive_of_mostly_broken_images_is_refused(home):
    files = image_folder(3) | {f"cats/{i}x.png": b"no" for i in range(20)}
    with pytest.raises(SpecError, match=r'20 of 26 images in "pets.zip" cannot be read: "0x.png"') as caught:
        previewed(zip_bytes(files), "pets.zip")
    assert "and 10 more" in caught.value.message
    assert "Save the images again" in caught.value.hint


def test_a_class_of_one_image_is_refused_or_left_out(home):
    found = previewed(zip_bytes(image_folder() | {"bird/1.png": picture_bytes(noise(900))}), "pets.zip")
    assert '1 of 3 classes have one example only: "bird".' in problem(found, "one example only", "warning")[1]
    with pytest.raises(SpecError, match="one example only"):
        images_choice(found, 20, 20, 3)
    choice = images_choice(found, 20, 20, 3, drop_rare=True)
    assert (choice.class_names, choice.n_examples) == (("cats", "dogs"), 16)
    assert len(loaded(choice.original(0))) == 16


def test_the_same_image_in_two_classes_is_found(home):
    files = image_folder() | {"dogs/same.png": picture_bytes(noise(0))}
    found = previewed(zip_bytes(files), "pets.zip")
    assert problem(found, "folders of two or more classes", "warning")[1].startswith("1 images")
    assert problem(found, "equal an earlier one", "warning")[1].startswith("1 of 17 images")


def test_what_is_left_out_is_said(home):
    files = image_folder() | {"loose.png": b"x", "cats/notes.txt": b"x", "more.zip": zip_bytes(image_folder())}
    found = previewed(zip_bytes(files), "pets.zip")
    assert '2 files are left out: "loose.png", "cats/notes.txt".' in problem(found, "files are left out", "info")[1]
    assert '1 archives inside the archive were not opened: "more.zip".' in problem(found, "not opened", "warning")[1]


def test_folders_that_differ_in_capitals_are_said(home):
    found = previewed(zip_bytes(image_folder(8, ("Cats", "cats"))), "pets.zip")
    assert '"Cats" and "cats"' in problem(found, "capitals", "warning")[1]


def test_too_few_images_are_refused(home):
    with pytest.raises(SpecError, match="has 4 examples, at least 10"):
        previewed(zip_bytes(image_folder(2)), "pets.zip")


def test_a_single_picture_is_no_data_set(home):
    with pytest.raises(SpecError, match="one picture") as caught:
        previewed(picture_bytes(noise(0)), "photo.png")
    assert "ZIP file" in caught.value.hint


def test_many_large_pictures_are_refused_by_their_pixels_together(home):
    files = {f"{folder}/{i}.png": tiny_png(1000, 990 - i) for folder in "ab" for i in range(22)}
    with pytest.raises(TooExpensive, match="more than 40 million pixels together") as caught:
        previewed(zip_bytes(files), "pets.zip", image_megapixels=1)
    assert "smaller" in caught.value.hint


@pytest.mark.fault(31)
def test_a_bomb_of_144_million_pixels_is_refused_before_it_is_decoded():
    data = tiny_png(12_000, 12_000)
    assert len(data) < 200_000
    tracemalloc.start()
    try:
        with pytest.raises(TooExpensive, match="limit of 25 million pixels") as caught:
            decoded(data, SETTINGS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "smaller" in caught.value.hint
    assert peak < MIB


@pytest.mark.fault(32)
@pytest.mark.fault(33)
@pytest.mark.parametrize(
    "data", [b"", b"x", picture_bytes(noise(0))[:-20], picture_bytes(noise(0), "JPEG")[:-200], b"%!PS-Adobe", b"<svg/>"]
)
def test_what_is_no_whole_picture_is_refused(data):
    with pytest.raises(SpecError, match="no picture that can be read") as caught:
        decoded(data, SETTINGS)
    assert "PNG or JPEG" in caught.value.hint


@pytest.mark.fault(34)
def test_a_gif_of_many_frames_is_refused():
    frames = [Image.fromarray(noise(i)) for i in range(30)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(SpecError, match="no picture"):
        decoded(buffer.getvalue(), SETTINGS)


def saved(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.fault(35)
def test_sixteen_bits_become_eight():
    deep = np.array([[0, 257, 65535], [32896, 514, 1]], np.uint16)
    image = decoded(saved(Image.fromarray(deep)), SETTINGS)
    assert image.mode == "L"
    assert np.asarray(image).tolist() == [[0, 1, 255], [128, 2, 0]]


@pytest.mark.fault(35)
def test_palettes_cmyk_and_single_bits_become_rgb_or_grey():
    rgb = Image.fromarray(noise(0) // 64 * 64)
    palette = rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    np.testing.assert_array_equal(np.asarray(decoded(saved(palette), SETTINGS)), np.asarray(palette.convert("RGB")))
    assert decoded(saved(rgb.convert("CMYK"), "JPEG"), SETTINGS).mode == "RGB"
    assert decoded(saved(rgb.convert("1")), SETTINGS).mode == "L"


@pytest.mark.fault(35)
def test_what_is_transparent_becomes_white():
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0, 0] = (10, 20, 30, 255)
    assert np.asarray(decoded(saved(Image.fromarray(pixels)), SETTINGS))[0].tolist() == [[10, 20, 30], [255, 255, 255]]
    grey = np.array([[[7, 255], [7, 0]]], np.uint8)
    assert np.asarray(decoded(saved(Image.fromarray(grey)), SETTINGS)).tolist() == [[7, 255]]


@pytest.mark.fault(35)
def test_a_turned_photograph_is_put_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    image = decoded(saved(Image.fromarray(noise(0, 10, 30)), "PNG", exif=exif), SETTINGS)
    assert image.size == (10, 30)
    np.testing.assert_array_equal(np.asarray(image), np.rot90(noise(0, 10, 30), -1))


def test_the_middle_is_cut_out_or_a_border_is_added():
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    image = Image.fromarray(wide)
    assert np.asarray(fitted(image, 10, 10, "crop")).min() == 200
    padded = np.asarray(fitted(image, 30, 30, "pad"))
    assert padded[0].max() == 0
    assert padded[15, 15].tolist() == [200] * 3


def test_grey_pictures_are_noticed_also_as_rgb_jpeg(home):
    grey = {f"{c}/{i}.jpg": picture_bytes(np.repeat(noise(i + 50 * (c == "b"), colours=False)[..., None], 3, 2), "JPEG")
            for c in "ab" for i in range(8)}  # fmt: skip
    found = previewed(zip_bytes(grey), "pets.zip")
    assert found.is_grey
    assert images_choice(found, 20, 20, 1).original(0).train.x.shape[1:] == (1, 20, 20)


@pytest.mark.parametrize(
    "changes",
    [{"height": 3}, {"width": 513}, {"channels": 2}, {"fit": "none"}, {"class_names": []}, {"file": "x"}, {"n_examples": 0}],
)
def test_a_description_from_a_stranger_is_checked(home, changes):
    choice = images_choice(previewed(zip_bytes(image_folder()), "pets.zip"), 20, 20, 3)
    given = json.loads(choice.model_dump_json())
    assert OwnImages.model_validate_json(json.dumps(given)) == choice
    with pytest.raises(ValidationError):
        OwnImages.model_validate_json(json.dumps(given | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_examples": 15}, "it has 16 examples, not 15"),
        ({"n_examples": 200}, "it has 16 examples, not 200"),
        ({"class_names": ("cats", "mice")}, 'no example of "mice"'),
    ],
)
def test_a_link_that_lies_about_the_images_is_refused(home, changes, message):
    choice = images_choice(previewed(zip_bytes(image_folder()), "pets.zip"), 20, 20, 3).but(**changes)
    with pytest.raises(SpecError, match=message):
        choice.original(0)


def test_a_link_that_asks_for_too_many_pixels_takes_no_memory(home):
    choice = images_choice(previewed(zip_bytes(image_folder()), "pets.zip"), 20, 20, 3)
    with pytest.raises(TooExpensive, match="limit is 64 million"):
        choice.but(n_examples=2_000_000, height=512, width=512).original(0)
