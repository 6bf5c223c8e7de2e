"""Limits and addresses, read once from the environment and then frozen."""

import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Each is read from `LAYERWISE_<NAME>`; units are in the names."""

    home: Path = Path(".layerwise")
    """Folder of the store, the artifacts and unpacked data sets. Private to one supervisor."""
    data: Path = Path(".layerwise/data")
    """Folder with data sets in torchvision's layout (`MNIST/raw/...`). Only read, never written."""
    max_running: int = 4
    """Training runs that may work at once."""
    max_queued: int = 32
    """Unfinished training runs that may wait."""
    worker_memory_mb: int = 2048
    """Memory a worker may take beyond what it starts with."""
    worker_file_mb: int = 512
    """Largest file a worker may write."""
    max_parameters: int = 50_000_000
    """Models above this are refused before anything is allocated."""
    checkpoint_s: float = 5.0
    """Longest time between two checkpoints of a running run."""
    hang_s: float = 120.0
    """A worker that is silent for so long is stopped."""
    max_attempts: int = 3
    """How often a run is started again after its worker was lost."""
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    """Host names under which the page may be reached, comma-separated."""

    @classmethod
    def from_environment(cls) -> Self:
        """Settings with every `LAYERWISE_*` variable applied.

        Raises:
            ValueError: a variable is not a number where one is needed; the message names it.
        """
        values: dict[str, object] = {}
        for field in fields(cls):
            text = os.environ.get(f"LAYERWISE_{field.name.upper()}")
            if text:
                try:
                    values[field.name] = type(field.default)(text)  # type: ignore[call-arg]
                except ValueError:
                    raise ValueError(
                        f"LAYERWISE_{field.name.upper()}={text!r} is not a valid {type(field.default).__name__}"
                    ) from None
        return cls(**values)  # type: ignore[arg-type]
