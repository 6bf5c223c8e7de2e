"""What all data sets out of a visitor's file share: the file by its digest, and what a link must say of it."""

import base64
import hashlib
import shutil
import zlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from core import VERSION
from core.data.dataset import DatasetChoice
from core.data.kept import kept_arrays
from core.data.own.keep import kept_upload
from core.data.own.reading.names import MAX_CLASSES, Digest, Name, listed
from core.data.split import split_sizes
from core.errors import SpecError, TooExpensive
from core.settings import Settings
from core.spec import MAX_TEXT_BYTES
from core.types import Task

MILLION = 1_000_000
FEWEST = 10
"""Examples; fewer cannot be split into three."""
LINK_CHARACTERS = 6_500
"""Of the 8,000 of a link; the rest is for the model."""
FILE_BYTES = MAX_TEXT_BYTES * 3 // 4
"""Of an experiment as an indented file, likewise."""
KEPT_IMPORTS = 12

ClassNames = Annotated[tuple[Name, ...], Field(max_length=MAX_CLASSES)]


class OwnFile(DatasetChoice):
    """A data set out of a visitor's file. The spec holds what the profile needs, so that a link describes it completely."""

    is_ready_made: ClassVar[bool] = False
    tunable: ClassVar[tuple[str, ...]] = ()
    """Fields that can be changed without looking into the file again."""

    file: Digest
    """SHA-256 of the file: the same file is found again, whoever uploads it."""
    name: Name
    """What the visitor called the file."""
    class_names: ClassNames = ()
    """The classes, in the order of their numbers; empty for regression."""
    n_examples: int = Field(ge=FEWEST, le=2_000_000)
    """Examples that can be used."""

    @classmethod
    def knobs(cls) -> dict[str, FieldInfo]:
        """What can be changed later: most is decided at the import, with the file in sight."""
        shown = (*cls.tunable, "train_share", "validation_share")
        return {name: info for name, info in super().knobs().items() if name in shown}

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        task: Task = getattr(self, "task", "classification")
        if task == "regression" and self.class_names:
            raise PydanticCustomError("classes", "a number is predicted, so there are no classes")
        if task == "classification" and len(self.class_names) < 2:
            raise PydanticCustomError("classes", "there must be two classes or more")
        if len(set(self.class_names)) < len(self.class_names):
            raise PydanticCustomError("classes", "each class has a name of its own")
        return self

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Examples of train, validation and test."""
        return split_sizes(self.n_examples, self.train_share, self.validation_share)

    def kept(self, names: tuple[str, ...], read: Callable[[bytes, Settings], tuple[np.ndarray, ...]]) -> tuple[np.ndarray, ...]:
        """What `read` makes of the file; read once for all runs with this file and these options.

        Raises:
            MissingData: the file is not on this server.
            SpecError: the file is not as this description says.
        """
        settings = Settings.from_environment()

        def load() -> tuple[np.ndarray, ...]:
            _forget_oldest(settings)
            return read(kept_upload(self.file, settings, self.name), settings)

        asked = self.model_dump_json(exclude={"train_share", "validation_share", "preparation", "name"})
        digest = hashlib.sha256(VERSION.encode() + b"\n" + asked.encode()).hexdigest()
        folder = f"own/{self.file}/{digest[:24]}"
        return kept_arrays(folder, load, names)

    def check_examples(self, n: int, counts: Sequence[int]) -> None:
        """Compare what the file holds with what this description says.

        Raises:
            SpecError: they differ; the message has both.
        """
        empty = [name for name, count in zip(self.class_names, counts, strict=True) if not count]
        if n == self.n_examples and not empty:
            return
        told = f"it has no example of {listed(empty)}" if empty else f"it has {n:,} examples, not {self.n_examples:,}"
        raise self.mismatch(told)

    def mismatch(self, told: str) -> SpecError:
        """The file is not what the description says."""
        return SpecError(
            f'The file "{self.name}" is not as this link describes it: {told}.',
            hint="Choose the file again on the Data screen and press Use this data.",
        )


def _forget_oldest(settings: Settings) -> None:
    """Arrays of files are large and quickly made again: the newest imports stay, the one in the making too."""
    folders = sorted((settings.home / "datasets" / "own").glob("*/*"), key=lambda path: path.stat().st_mtime_ns)
    for folder in folders[:-KEPT_IMPORTS]:
        shutil.rmtree(folder, ignore_errors=True)


def checked_choice(make: Callable[..., OwnFile], n_inputs: int, **fields: Any) -> Any:
    """A choice made at the import, if it is no larger than the limits.

    Args:
        n_inputs: numbers of one example as a model gets it.

    Raises:
        SpecError: too few examples, or too much for a link.
        TooExpensive: more numbers than the limit.
    """
    n = fields["n_examples"]
    if n < FEWEST:
        raise SpecError(
            f"Only {n:,} examples can be used, at least {FEWEST} are needed.",
            hint="Add examples: some are needed to learn from, to check on after each epoch, and for the test at the end.",
            n=n,
        )
    check_values(n, n_inputs, Settings.from_environment())
    choice = make(**fields)
    packed = base64.b64encode(zlib.compress(choice.model_dump_json().encode(), 9))
    written = choice.model_dump_json(indent=4).encode()
    if len(packed) > LINK_CHARACTERS or len(written) > FILE_BYTES:
        raise TooExpensive(
            f"The names of columns and classes take {len(packed):,} characters of a link and {len(written):,} bytes of a file: "
            f"{LINK_CHARACTERS:,} and {FILE_BYTES:,} are possible.",
            hint="Leave out columns, above all those with many categories, or give columns and classes shorter names.",
            n_characters=len(packed),
        )
    return choice


def check_values(n: int, n_inputs: int, settings: Settings) -> None:
    """Refuses data sets that no worker could hold.

    Raises:
        TooExpensive: more numbers than the limit.
    """
    if n * n_inputs > settings.upload_values_m * MILLION:
        raise TooExpensive(
            f"{n:,} examples of {n_inputs:,} numbers are {n * n_inputs / MILLION:,.0f} million numbers, "
            f"the limit is {settings.upload_values_m:,} million.",
            hint="Use fewer examples, smaller images, or fewer columns and categories.",
        )


def chosen_classes(names: Sequence[str], counts: Sequence[int], *, drop_rare: bool) -> tuple[tuple[str, ...], int]:
    """The classes to use, and how many examples they have together.

    Raises:
        SpecError: fewer than two classes, or classes of one example that shall not be dropped.
    """
    there = {name: int(count) for name, count in zip(names, counts, strict=True) if count}
    rare = [name for name, count in there.items() if count == 1]
    if len(there) < 2:
        told = f'all examples are of the class "{next(iter(there))}"' if there else "no example has a class"
        raise SpecError(
            f"There is nothing to tell apart: {told}.", hint="Choose another target, or add examples of a second class."
        )
    if rare and not drop_rare:
        raise SpecError(
            f"{len(rare):,} of {len(there):,} classes have one example only: {listed(rare)}.",
            hint="Add examples of them, leave these classes out, or choose another target.",
            n=len(rare),
        )
    used = {name: count for name, count in there.items() if count > 1}
    if len(used) < 2:
        raise SpecError(
            f"Without the {len(rare):,} classes of one example, {len(used)} are left.",
            hint="Choose another target. A column of numbers can be predicted as a number (regression).",
        )
    return tuple(used), sum(used.values())
