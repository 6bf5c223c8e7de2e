"""Limits and addresses, read once from the environment and then frozen."""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import SpecError


class Settings(BaseModel):
    """All settings. Each is read from `LAYERWISE_<NAME>`; units are in the names."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    home: Path = Path(".layerwise")
    """Folder of the store, the artifacts and unpacked data sets. Private to one supervisor."""
    data: Path = Path(".layerwise/data")
    """Folder with data sets in torchvision's layout (`MNIST/raw/...`). Only read, never written."""
    max_running: int = Field(4, ge=1, le=64)
    """Training runs that may work at once."""
    max_queued: int = Field(32, ge=1)
    """Unfinished training runs that may wait."""
    max_lens_queued: int = Field(300, ge=1)
    """Unfinished lens jobs, working or waiting: one page asks for many at once."""
    kept_lens_runs: int = Field(500, ge=1)
    """Ended lens runs whose results are kept, the newest ones."""
    pause_s: float = Field(900.0, gt=0)
    """A run that is paused for so long gives its worker back; Resume gives it another one."""
    bin_days: float = Field(7.0, ge=0, le=3650)
    """Days for which a deleted run can be brought back; then its files go."""
    worker_memory_mb: int = Field(2048, ge=64)
    """Memory a worker may take beyond what it starts with."""
    worker_file_mb: int = Field(512, ge=1)
    """Largest file a worker may write."""
    max_parameters: int = Field(50_000_000, ge=1)
    """Models above this are refused before anything is allocated."""
    checkpoint_s: float = Field(5.0, gt=0)
    """Shortest time between two checkpoints of a run; large models are saved more rarely: saving takes 1 % of the time."""
    checkpoints_mb: int = Field(400, ge=1)
    """Disk space for the checkpoints of one run: with more, those go that lie nearest to others in the ratio of their steps."""
    lane_processes: int = Field(2, ge=1, le=16)
    """Processes that share the lanes of one race on a CPU, never more than it has cores; 1 for none beside the worker."""
    one_by_one: bool = False
    """Train each network by itself, also where training them together is faster: exported scripts then give every loss bit for
    bit, those of small fully connected networks too."""
    hang_s: float = Field(120.0, gt=0)
    """A worker that is silent for so long is stopped."""
    max_attempts: int = Field(3, ge=1)
    """How often a run is started, counting restarts after its worker was lost."""
    upload_mb: int = Field(64, ge=1, le=200)
    """Largest file, or folder, that a visitor may send."""
    uploads_mb: int = Field(500, ge=1)
    """All files of visitors together; the ones that were not used for longest are removed."""
    upload_inflated_mb: int = Field(200, ge=1, le=4096)
    """What an archive may hold when it is unpacked; and the arrays of an NPZ file together."""
    upload_entries: int = Field(2000, ge=1, le=100_000)
    """Files in an archive or a folder."""
    upload_rows: int = Field(200_000, ge=10, le=2_000_000)
    """Rows of a table."""
    max_columns: int = Field(500, ge=2, le=2000)
    """Columns of a table."""
    upload_values_m: int = Field(64, ge=1, le=512)
    """Millions of numbers that an imported data set may have: examples times inputs."""
    image_megapixels: int = Field(25, ge=1, le=89)
    """Largest picture, in millions of pixels; 40 times as much for all pictures of one upload together."""
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    """Host names under which the page may be reached, comma-separated."""

    @classmethod
    def from_environment(cls) -> Self:
        """Settings with every `LAYERWISE_*` variable applied.

        Raises:
            SpecError: a variable is out of its bounds; the message names it.
        """
        given = {name: os.environ.get(f"LAYERWISE_{name.upper()}", "") for name in cls.model_fields}
        try:
            return cls.model_validate({name: text for name, text in given.items() if text})
        except ValidationError as error:
            finding = error.errors(include_url=False)[0]
            name = f"LAYERWISE_{str(finding['loc'][0]).upper()}"
            raise SpecError(f"{name}={finding['input']!r}: {finding['msg']}.", hint=f"Change or unset {name}.") from None
