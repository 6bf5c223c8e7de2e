"""That files are here now."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fetched:
    """The files of the data set of this kind are here."""

    dataset: str
