"""What an uploaded file holds, before it becomes a data set."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.types import Severity, Task

ColumnKind = Literal["number", "category", "text", "constant", "id"]
"""id: values that only name the row. Constant: one value, or none."""


@dataclass(frozen=True, slots=True)
class UploadPreview:
    """A table (then `columns` are there) or images by class (then `class_names`). F columns, K classes.

    Counts for a table come twice, for all rows and for the rows that equal no earlier one. Names are safe to show.
    """

    kind: Literal["table", "images"]
    source: Literal["csv", "npz", "zip"]
    file: str
    """SHA-256 of the file's bytes."""
    name: str
    n_examples: int
    n_distinct: int

    columns: tuple[str, ...] = ()
    column_kinds: tuple[ColumnKind, ...] = ()
    n_missing: np.ndarray | None = None
    """(F,) int64: rows without a value that can be used."""
    n_unique: np.ndarray | None = None
    """(F,) int64: different values, counted to 20,000."""
    n_numbers: np.ndarray | None = None
    """(2, F) int64: all rows and distinct rows with a finite number."""
    categories: tuple[tuple[str, ...], ...] = ()
    """The values of each column as classes; () where there are more than 1,000."""
    category_counts: tuple[np.ndarray, ...] = ()
    """For each column (2, number of its categories) int64: all rows and distinct rows."""
    rows: tuple[tuple[str, ...], ...] = ()
    """The first 20, as they are written."""
    written: str = ""
    """How the text is written: encoding, separator, decimal sign, header."""
    suggested_target: str = ""
    suggested_task: Task = "classification"
    suggested_text: str = ""
    """The column with sentences, where there is one."""

    class_names: tuple[str, ...] = ()
    class_counts: np.ndarray | None = None
    """(K,) int64: images that can be read."""
    sizes: np.ndarray | None = None
    """(S, 3) int64: height, width, number of images; the most frequent first, at most 20."""
    is_grey: bool = False
    """Whether no image has colours."""
    suggested_side: int = 0
    thumbnails: np.ndarray | None = None
    """(T, 64, 64, 3) uint8, classes in turn, at most 40."""
    thumbnail_labels: np.ndarray | None = None
    """(T,) int64."""

    severities: tuple[Severity, ...] = ()
    messages: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    """What may be wrong: what it is, and what to do; entry i of the three belongs together."""
