"""A visitor's images: a ZIP file with one folder for each class, or arrays in an NPZ file."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile, Splits, unprepared
from core.data.own.own_file import OwnFile, check_values, checked_choice, chosen_classes
from core.data.own.reading import arrays
from core.data.own.reading.archives import inflated, opened_archive, pictures
from core.data.own.reading.pictures import MILLION, Fit, as_channels, decoded, fitted
from core.data.preparation import Preparation
from core.data.split import cut
from core.errors import SpecError, TooExpensive
from core.results.upload_preview import UploadPreview
from core.settings import Settings

if TYPE_CHECKING:
    from PIL import Image

ALL_PICTURES = 40
"""All pictures of an upload together may have so many times the pixels of the largest one allowed."""
WHITES = (1.0, 16.0, 255.0, 4095.0, 65_535.0)
"""What white is in arrays that people save: shares, scikit-learn's digits, 8, 12 and 16 bits."""


class OwnImages(OwnFile):
    """Images of your own: a ZIP file with one folder for each class, or arrays of pixels."""

    kind: Literal["own_images"] = "own_images"
    label: ClassVar[str] = "Own images"
    tunable: ClassVar[tuple[str, ...]] = ("height", "width", "channels", "fit")

    preparation: Preparation = Preparation(scaling="unit")
    """What is done to the images before the model sees them."""
    height: int = Field(32, ge=4, le=512)
    """Pixels from top to bottom, after resizing."""
    width: int = Field(32, ge=4, le=512)
    """Pixels from left to right, after resizing."""
    channels: Literal[1, 3] = 3
    """1: grey. 3: red, green and blue."""
    fit: Fit = "crop"
    """How a picture of another shape gets this one. crop: its middle. pad: all of it, on a border. stretch: distorted."""

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        return DataProfile("image", (self.channels, self.height, self.width), self.class_names, *self.sizes)

    def original(self, seed: int) -> Splits:
        """The images, resized.

        Raises:
            MissingData: the file is not on this server.
            SpecError: the file is not as described.
        """
        x, y = self.kept(("x", "y"), self._read)
        return unprepared(self.original_profile(), cut(x, y, self.sizes, seed))

    def _read(self, data: bytes, settings: Settings) -> tuple[np.ndarray, ...]:
        """All images (N, C, H, W) uint8 and their classes (N,) int64."""
        check_values(self.n_examples, self.channels * self.height * self.width, settings)
        places = {name: place for place, name in enumerate(self.class_names)}
        x = np.empty((self.n_examples, self.channels, self.height, self.width), np.uint8)
        y: list[int] = []
        for shown in each_image(data, self.name, settings):
            if shown.image is not None and shown.class_name in places:
                if len(y) < self.n_examples:
                    x[len(y)] = as_channels(fitted(shown.image, self.height, self.width, self.fit), self.channels)
                y.append(places[shown.class_name])
        self.check_examples(len(y), np.bincount(y, minlength=len(places)).tolist() if y else [0] * len(places))
        return x, np.array(y, np.int64)


@dataclass(frozen=True, slots=True)
class Shown:
    """One image of an upload; `image` is None and `problem` says why where it cannot be read."""

    class_name: str
    path: str
    image: "Image.Image | None"
    content: bytes = b""
    problem: str = ""


def each_image(data: bytes, name: str, settings: Settings) -> Iterator[Shown]:
    """All images of an upload, one at a time, in a fixed order.

    Raises:
        TooExpensive: together they have more pixels than the limit.
        SpecError: the file is not sound.
    """
    with opened_archive(data, name, settings) as archive:
        is_npz = all(entry.filename.endswith(".npy") for entry in archive.infolist())
    yield from (_npz_images if is_npz else _zip_images)(data, name, settings)


def _zip_images(data: bytes, name: str, settings: Settings) -> Iterator[Shown]:
    pixels = 0
    with opened_archive(data, name, settings) as archive:
        for picture in pictures(archive, name)[0]:
            path = picture.entry.filename
            try:
                content = inflated(archive, picture.entry)
                image = decoded(content, settings)
            except (zipfile.BadZipFile, SpecError) as error:
                yield Shown(picture.class_name, path, None, problem=str(error))
                continue
            pixels += image.width * image.height
            if pixels > ALL_PICTURES * settings.image_megapixels * MILLION:
                raise TooExpensive(
                    f'The images in "{name}" have more than {pixels // MILLION:,} million pixels together.',
                    hint="Make them smaller before you pack them: networks here look at 512 × 512 pixels at most.",
                )
            yield Shown(picture.class_name, path, image, content)


def _npz_images(data: bytes, name: str, settings: Settings) -> Iterator[Shown]:
    from PIL import Image

    roles = arrays.roles_of(arrays.headers(data, name, settings), name, settings)
    x, y = arrays.examples(data, roles, name, settings)
    if roles.is_table:
        raise SpecError(f'"{name}" holds a table and no images.', hint="Choose the file again on the Data screen.")
    texts = arrays.class_texts(y, arrays.given_class_names(data, roles, name, settings))
    low, scale = _range(x, name)
    for place, (pixels, text) in enumerate(zip(x, texts, strict=True)):
        if text:
            grey = np.rint((pixels.astype(np.float64) - low) * scale).astype(np.uint8)
            image = Image.fromarray(grey[0] if len(grey) == 1 else np.ascontiguousarray(grey.transpose(1, 2, 0)))
            yield Shown(text, f"image {place}", image, grey.tobytes())


def _range(x: np.ndarray, name: str) -> tuple[float, float]:
    """What to take off pixels, and what to multiply them by, so that they go from 0 to 255.

    Raises:
        SpecError: pixels that are no finite numbers.
    """
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise SpecError(
            f'{int((~np.isfinite(x)).sum()):,} pixels in "{name}" are no finite numbers.',
            hint="Replace them (numpy.nan_to_num) before you save the arrays.",
        )
    low, high = float(x.min()), float(x.max())
    if low < 0:
        return low, 255 / max(high - low, 1e-12)
    return 0.0, 255 / next((top for top in WHITES if high <= top), high)


def images_choice(
    preview: UploadPreview, height: int, width: int, channels: Literal[1, 3], fit: Fit = "crop", *, drop_rare: bool = False
) -> OwnImages:
    """The data set of previewed images.

    Raises:
        SpecError: it cannot be learned from so; the message says why.
    """
    if preview.class_counts is None:
        raise SpecError(f'"{preview.name}" holds a table.', hint="Choose a target in it.")
    names, n = chosen_classes(preview.class_names, preview.class_counts.tolist(), drop_rare=drop_rare)
    choice: OwnImages = checked_choice(
        OwnImages, height * width * channels, file=preview.file, name=preview.name, class_names=names, n_examples=n,
        height=height, width=width, channels=channels, fit=fit,
    )  # fmt: skip
    return choice
