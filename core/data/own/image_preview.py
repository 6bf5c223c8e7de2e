"""What a visitor's images hold: classes, sizes, thumbnails, and which cannot be read."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from core.data.own.images import Shown, each_image
from core.data.own.problems import Problem, class_problems, duplicate_problems, with_problems
from core.data.own.reading.archives import ARCHIVES, opened_archive, pictures
from core.data.own.reading.names import clean_name, listed
from core.data.own.reading.pictures import fitted, has_colours
from core.errors import SpecError
from core.results.upload_preview import UploadPreview
from core.settings import Settings

SIDE = 64
N_THUMBNAILS = 40
N_SIZES = 20
SIDES = (28, 32, 48, 64, 96, 128)
"""Sides that networks here learn in reasonable time."""


@dataclass(slots=True)
class Found:
    """What is known after all images were looked at."""

    counts: Counter[str] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    classes_of: dict[bytes, set[str]] = field(default_factory=dict)
    """Of each different image by its digest: the classes in which it occurs."""
    thumbnails: list[tuple[int, str, np.ndarray]] = field(default_factory=list)
    """(how many of its class came before, class, pixels)."""
    broken: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    is_grey: bool = True

    def add(self, shown: Shown) -> None:
        """Look at one image."""
        if shown.image is None:
            self.broken.append(clean_name(shown.path.rpartition("/")[2]))
            self.reasons.append(shown.problem)
            return
        before = self.counts[shown.class_name]
        self.counts[shown.class_name] += 1
        self.sizes[shown.image.size] += 1
        digest = hashlib.sha256(shown.content).digest()
        self.classes_of.setdefault(digest, set()).add(shown.class_name)
        is_needed = before < N_THUMBNAILS
        if is_needed or (self.is_grey and shown.image.mode != "L"):
            small = np.asarray(fitted(shown.image, SIDE, SIDE, "pad").convert("RGB"))
            self.is_grey = self.is_grey and (shown.image.mode == "L" or not has_colours(small))
            if is_needed:
                self._keep_thumbnail(before, shown.class_name, small)

    def _keep_thumbnail(self, before: int, class_name: str, pixels: np.ndarray) -> None:
        """Classes in turn: those with the fewest before them stay."""
        self.thumbnails.append((before, class_name, pixels))
        if len(self.thumbnails) > 2 * N_THUMBNAILS:
            self.thumbnails = sorted(self.thumbnails, key=lambda entry: entry[:2])[:N_THUMBNAILS]


def images_preview(data: bytes, file: str, name: str, settings: Settings) -> UploadPreview:
    """The preview of a ZIP file of images; errors as in `preview`."""
    with opened_archive(data, name, settings) as archive:
        others = pictures(archive, name)[1]
    found = _looked_through(each_image(data, name, settings))
    return _images_preview(found, ("zip", file, name), (), list(_left_out(others)))


def npz_images_preview(data: bytes, file: str, name: str, settings: Settings, problems: Sequence[Problem]) -> UploadPreview:
    """The preview of images in arrays; errors as in `preview`."""
    found = _looked_through(each_image(data, name, settings))
    return _images_preview(found, ("npz", file, name), _in_order(found.counts), problems)


def _looked_through(images: Iterator[Shown]) -> Found:
    found = Found()
    for shown in images:
        found.add(shown)
    return found


def _in_order(counts: Counter[str]) -> tuple[str, ...]:
    """Classes that are numbers, by their number."""
    try:
        return tuple(sorted(counts, key=float))
    except ValueError:
        return tuple(sorted(counts))


def _images_preview(
    found: Found, source: tuple[Literal["zip", "npz"], str, str], classes: Sequence[str], problems: Sequence[Problem]
) -> UploadPreview:
    kind, file, name = source
    n = found.counts.total()
    if len(found.broken) > n:
        of_all = f"{len(found.broken):,} of {n + len(found.broken):,} images"
        raise SpecError(
            f'{of_all} in "{name}" cannot be read: {listed(found.broken, 10)}. The first: {found.reasons[0]}',
            hint="Save the images again as PNG or JPEG, and pack them again.",
        )
    names = tuple(classes) or tuple(sorted(found.counts))
    if len(names) < 2:
        raise SpecError(
            f'All {n:,} images in "{name}" are of the class "{names[0] if names else ""}".',
            hint="Add images of a second class.",
        )
    kept = sorted(found.thumbnails, key=lambda entry: entry[:2])[:N_THUMBNAILS]
    sizes = found.sizes.most_common(N_SIZES)
    found_preview = UploadPreview(
        kind="images",
        source=kind,
        file=file,
        name=name,
        n_examples=n,
        n_distinct=len(found.classes_of),
        class_names=names,
        class_counts=np.array([found.counts[each] for each in names], np.int64),
        sizes=np.array([(height, width, count) for (width, height), count in sizes], np.int64),
        is_grey=found.is_grey,
        suggested_side=_side([size for size, _ in sizes]),
        thumbnails=np.stack([pixels for _, _, pixels in kept]),
        thumbnail_labels=np.array([names.index(each) for _, each, _ in kept], np.int64),
    )
    hint = "Delete the repeated files, and pack the folder again." if kind == "zip" else "Keep one of each (numpy.unique)."
    repeated = duplicate_problems(n, len(found.classes_of), "images", hint)
    return with_problems(found_preview, [*problems, *_problems(found, names), *repeated])


def _side(sizes: Sequence[tuple[int, int]]) -> int:
    """The side of the images where all have the same, small one; else a side that is learned in reasonable time."""
    smallest = min(min(size) for size in sizes)
    if len(sizes) == 1 and 4 <= smallest <= SIDE and sizes[0][0] == sizes[0][1]:
        return smallest
    return next((side for side in reversed(SIDES) if side <= min(smallest, 32)), SIDES[0])


def _left_out(others: Sequence[str]) -> Iterator[Problem]:
    """About files that are no images, and archives inside the archive."""
    nested = [clean_name(path) for path in others if path.lower().endswith(ARCHIVES)]
    if nested:
        yield Problem(
            "warning",
            f"{len(nested):,} archives inside the archive were not opened: {listed(nested)}.",
            "Unpack them and pack the folders of images themselves.",
        )
    rest = [clean_name(path) for path in others if not path.lower().endswith(ARCHIVES)]
    if rest:
        yield Problem(
            "info",
            f"{len(rest):,} files are left out: {listed(rest)}.",
            "Read are PNG, JPEG, WebP and BMP images that lie in the folder of their class.",
        )


def _problems(found: Found, names: Sequence[str]) -> Iterator[Problem]:
    if found.broken:
        yield Problem(
            "warning",
            f"{len(found.broken):,} images cannot be read and are left out: {listed(found.broken, 10)}.",
            f"The first: {found.reasons[0]}",
        )
    if len(found.sizes) > 1:
        shown = ", ".join(f"{height} × {width} ({count:,})" for (width, height), count in found.sizes.most_common(3))
        yield Problem(
            "info",
            f"The images have {len(found.sizes):,} different sizes: {shown}{' and more' if len(found.sizes) > 3 else ''}.",
            "All are brought to the size that you choose below.",
        )
    yield from class_problems(names, [found.counts[each] for each in names])
    torn = sum(len(classes) > 1 for classes in found.classes_of.values())
    if torn:
        yield Problem(
            "warning",
            f"{torn:,} images lie in the folders of two or more classes.",
            "Decide on one class for each: no model can be right about both.",
        )
