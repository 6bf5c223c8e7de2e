"""NPZ files of strangers: what their headers say, before an array is read; and which arrays are examples and answers."""

import io
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from tokenize import TokenError

import numpy as np
from numpy.lib import format as npy

from core.data.own.reading.archives import BROKEN, inflated, opened_archive
from core.data.own.reading.names import MAX_CLASSES, clean_name, distinct_names, listed, visible
from core.errors import SpecError, TooExpensive
from core.settings import Settings

MIB = 2**20
MILLION = 1_000_000
MAX_HEADER = 2_000
"""Bytes; the header of an ordinary array has 128."""
BAD_HEADER = (SyntaxError, TokenError, RecursionError, MemoryError, TypeError, KeyError, UnicodeError)
"""What numpy raises on headers that are no headers."""
NUMBERS, TEXTS = "biuf", "SU"
INPUTS = ("x", "data", "images", "features", "inputs", "arr_0")
ANSWERS = ("y", "labels", "label", "target", "targets", "classes", "arr_1")
PARTS = ("train", "valid", "validation", "val", "test")
CLASS_NAMES = ("class_names", "target_names", "label_names", "classes_names")
COLUMN_NAMES = ("feature_names", "columns", "column_names")
SAVE = "Save them by numpy.savez(file, x=..., y=...): one row of x for each entry of y."


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of one array says."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]


@dataclass(frozen=True, slots=True)
class Roles:
    """Which arrays hold what. Several pairs (train and test) are joined. `side` is 0 for a table, else (C, H, W) of images."""

    pairs: tuple[tuple[str, str], ...]
    n: int
    shape: tuple[int, ...]
    """Of one example: (F,) for a table, (C, H, W) for an image."""
    is_channel_last: bool
    class_names: str = ""
    column_names: str = ""

    @property
    def is_table(self) -> bool:
        return len(self.shape) == 1


def check_arrays(data: bytes, name: str, settings: Settings) -> None:
    """Looks at the headers alone.

    Raises:
        SpecError: damaged, pickled objects, no pair of arrays that fit together.
        TooExpensive: larger than the limits.
    """
    roles_of(headers(data, name, settings), name, settings)


def headers(data: bytes, name: str, settings: Settings) -> Mapping[str, Header]:
    """The headers of all arrays; errors as in `check_arrays`. No array is read."""
    found: dict[str, Header] = {}
    with opened_archive(data, name, settings) as archive:
        for entry in archive.infolist():
            array = entry.filename.removesuffix(".npy")
            try:
                with archive.open(entry) as file:
                    start = io.BytesIO(file.read(MAX_HEADER + 16))
                found[array] = _header(start, entry.file_size)
            except (*BROKEN, *BAD_HEADER) as error:
                raise SpecError(
                    f'The array "{clean_name(array)}" in "{name}" cannot be read: {visible(str(error))[:200]}.',
                    hint=f"Objects and damaged arrays are never loaded. {SAVE}",
                ) from None
    return found


def _header(start: io.BytesIO, n_bytes: int) -> Header:
    """Raises ValueError unless the header is sound and names just the bytes that there are."""
    version = npy.read_magic(start)
    if version not in ((1, 0), (2, 0)):
        raise ValueError("this version of the format is not read here")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(start, max_header_size=MAX_HEADER)
    if dtype.kind not in NUMBERS + TEXTS:
        raise ValueError("it holds objects" if dtype.hasobject else f"it holds {dtype.kind!r} and not numbers")
    if min(shape, default=1) < 0 or math.prod(shape) * dtype.itemsize != n_bytes - start.tell():
        raise ValueError(f"its header says {shape}, which are not the bytes that follow")
    return Header(shape, dtype)


def roles_of(found: Mapping[str, Header], name: str, settings: Settings) -> Roles:
    """Which arrays are examples and answers, by their names and shapes.

    Raises:
        SpecError: none are, or they do not fit together.
        TooExpensive: more numbers than the limit.
    """
    pairs = _pairs(found)
    if not pairs:
        there = listed([clean_name(array) for array in found]) or "nothing"
        raise SpecError(f'"{name}" holds no examples with answers, but {there}.', hint=SAVE)
    shapes = [_shapes(found, pair, name) for pair in pairs]
    if len({shape for _, shape, _ in shapes}) > 1:
        raise SpecError(f'The examples in "{name}" have different shapes in different arrays.', hint=SAVE)
    n, shape, is_last = sum(n for n, _, _ in shapes), shapes[0][1], shapes[0][2]
    if n * math.prod(shape) > settings.upload_values_m * MILLION or (len(shape) == 1 and shape[0] > settings.max_columns):
        raise TooExpensive(
            f'"{name}" has {n:,} examples of {math.prod(shape):,} numbers: the limits are {settings.upload_values_m:,} million '
            f"in all and {settings.max_columns:,} columns of a table.",
            hint="Send fewer examples, or smaller ones. Images have shape (N, H, W) or (N, H, W, 3).",
        )
    names = {array.lower(): array for array, header in found.items() if header.dtype.kind in TEXTS and len(header.shape) == 1}
    first = {key: next((names[each] for each in known if each in names), "") for key, known in _NAMES.items()}
    return Roles(pairs, n, shape, is_last, **first)


_NAMES = {"class_names": CLASS_NAMES, "column_names": COLUMN_NAMES}


def _pairs(found: Mapping[str, Header]) -> tuple[tuple[str, str], ...]:
    """(examples, answers) by name: x and y, or x_train, y_train, x_test, y_test as in Keras' mnist.npz, or train_images, ..."""
    by_name = {array.lower(): array for array in found}
    for x in INPUTS:
        for y in ANSWERS:
            if x in by_name and y in by_name:
                return ((by_name[x], by_name[y]),)
            parts = [(f"{x}_{part}", f"{y}_{part}") for part in PARTS] + [(f"{part}_{x}", f"{part}_{y}") for part in PARTS]
            there = [(by_name[a], by_name[b]) for a, b in parts if a in by_name and b in by_name]
            if there:
                return tuple(there)
    return ()


def _shapes(found: Mapping[str, Header], pair: tuple[str, str], name: str) -> tuple[int, tuple[int, ...], bool]:
    """How many examples, the shape of one, and whether channels are its last axis.

    Raises:
        SpecError: they do not fit together.
    """
    x, y = found[pair[0]], found[pair[1]]
    n = math.prod(y.shape)
    told = f'In "{name}" {pair[0]} has the shape {x.shape} and {pair[1]} the shape {y.shape}'
    if not x.shape or x.shape[0] != n or x.shape[0] != (y.shape or (0,))[0] or n == 0:
        raise SpecError(f"{told}: there must be one answer for each example.", hint=SAVE)
    if x.dtype.kind not in NUMBERS:
        raise SpecError(f"{told}: the examples are no numbers.", hint=SAVE)
    shape = x.shape[1:]
    if len(shape) == 2:
        return n, (1, *shape), False
    if len(shape) == 3 and (shape[2] in (1, 3) or shape[0] in (1, 3)):
        return (n, (shape[2], *shape[:2]), True) if shape[2] in (1, 3) else (n, shape, False)
    if len(shape) != 1 or shape[0] == 0:
        raise SpecError(
            f"{told}: that is neither a table (N, F) nor images (N, H, W), (N, H, W, 3) or (N, 3, H, W).", hint=SAVE
        )
    return n, shape, False


def examples(data: bytes, roles: Roles, name: str, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """All examples (N, *roles.shape) in their own dtype and all answers (N,), parts joined. Objects are never loaded."""
    xs, ys = [], []
    for x, y in roles.pairs:
        xs.append(_array(data, x, name, settings).reshape(-1, *_stored(roles)))
        ys.append(_array(data, y, name, settings).reshape(-1))
    joined = np.concatenate(xs)
    return (np.moveaxis(joined, -1, 1) if roles.is_channel_last else joined), np.concatenate(ys)


def _stored(roles: Roles) -> tuple[int, ...]:
    return (*roles.shape[1:], roles.shape[0]) if roles.is_channel_last else roles.shape


def column_names(data: bytes, roles: Roles, name: str, settings: Settings) -> tuple[str, ...]:
    """The columns of a table: from an array of names where there is one, else x1, x2, and so on."""
    plain = [f"x{i + 1}" for i in range(roles.shape[0])]
    given = _texts(data, roles.column_names, name, settings)
    return distinct_names(given if len(given) == len(plain) else plain)


def class_texts(y: np.ndarray, names: tuple[str, ...]) -> list[str]:
    """The class of each answer as text: its name where the answer is the place of a name, else the answer itself."""
    if y.dtype.kind in TEXTS:
        return [clean_name(entry.decode("utf-8", "replace") if isinstance(entry, bytes) else entry) for entry in y.tolist()]
    texts = ["" if value != value else f"{value:.12g}" for value in y.tolist()]
    places = {str(place): each for place, each in enumerate(names)}
    return [places[text] for text in texts] if names and set(texts) <= set(places) else texts


def given_class_names(data: bytes, roles: Roles, name: str, settings: Settings) -> tuple[str, ...]:
    """The names of the classes, where an array gives them; empty else."""
    given = _texts(data, roles.class_names, name, settings)[: MAX_CLASSES + 1]
    return distinct_names(given, "class") if given else ()


def _texts(data: bytes, array: str, name: str, settings: Settings) -> list[str]:
    """The entries of an array of texts; none where there is no such array."""
    if not array:
        return []
    entries = _array(data, array, name, settings).tolist()
    return [entry.decode("utf-8", "replace") if isinstance(entry, bytes) else entry for entry in entries]


def _array(data: bytes, array: str, name: str, settings: Settings) -> np.ndarray:
    """One array, read after its header was checked."""
    try:
        with opened_archive(data, name, settings) as archive:
            names = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
            return np.asarray(npy.read_array(io.BytesIO(inflated(archive, names[array])), allow_pickle=False))
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise SpecError(f'The array "{clean_name(array)}" in "{name}" is damaged.', hint=f"Save it again. {SAVE}") from error
