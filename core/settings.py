"""Limits and addresses, read once from the environment and then frozen."""

import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import SpecError

Profile = Literal["laptop", "workshop"]

WORKSHOP: dict[str, Any] = {
    "max_running": 30,
    "max_queued": 150,
    "parked_workers": 4,
    "visitor_running": 1,
    "visitor_unfinished": 5,
    "visitor_lens_unfinished": 60,
    "visitor_stored_mb": 500,
    "visitor_runs": 200,
    "upload_mb": 20,
    "uploads_mb": 3000,
    "visitor_uploads_mb": 100,
    "worker_memory_mb": 1024,
    "lane_processes": 1,
    "run_max_s": 600.0,
    "lease_s": 900.0,
    "keep_days": 7.0,
    "store_mb": 20_000,
}
"""What the profile for a workshop sets: thirty people who do not know each other, on one small server."""


class Settings(BaseModel):
    """All settings. Each is read from `LAYERWISE_<NAME>`; units are in the names. What is not given is as the profile says.

    Secrets are no settings: they go to no supervisor and no worker (dashboard/secrets.py).
    """

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
    kept_lens_mb: int = Field(2000, ge=1)
    """What the results of ended lens runs may take: with more, the oldest go. The newest one stays, whatever its size."""
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
    """A worker that is silent for so long is stopped. Time in which it stood ready and got no processor does not count."""
    max_attempts: int = Field(3, ge=1)
    """How often a run is started, counting restarts after its worker was lost."""
    upload_mb: int = Field(64, ge=1, le=200)
    """Largest file, or folder, that a visitor may send."""
    uploads_mb: int = Field(500, ge=1)
    """All files of visitors together. Who sends more loses own files, those that were not used for longest first."""
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
    profile: Profile = "laptop"
    """What the defaults are made for: "laptop", one person on their own machine, or "workshop" (see WORKSHOP)."""
    visitor_running: int = Field(64, ge=1, le=64)
    """Training runs of one visitor that may work at once; more of them wait."""
    visitor_unfinished: int = Field(10_000, ge=1)
    """Training runs of one visitor that may be unfinished, working or waiting."""
    visitor_lens_unfinished: int = Field(300, ge=1)
    """Unfinished lens jobs of one visitor."""
    visitor_stored_mb: int = Field(20_000, ge=1)
    """Files of one visitor: artifacts of runs, and uploads."""
    visitor_uploads_mb: int = Field(500, ge=1)
    """Uploads of one visitor; the ones that were not used for longest are removed for a new one."""
    visitor_runs: int = Field(10_000, ge=1)
    """Kept runs of one visitor."""
    large_running: int = Field(0, ge=0, le=64)
    """Large training runs that may work at once, 0 for as many as there are cores. The others are bounded by max_running."""
    small_run_gflop: float = Field(5.0, gt=0)
    """A run is large when one step takes more than this many GFLOP ..."""
    small_run_mb: int = Field(256, ge=1)
    """... or more than this much memory."""
    memory_share: float = Field(0.6, gt=0, le=1)
    """Share of the machine's memory that the training runs at work may take together, by their estimates; more of them wait."""
    parked_workers: int = Field(1, ge=1, le=16)
    """Workers that wait, warm, for the next training runs (about 30 MB each): so many runs can begin at the same moment."""
    worker_threads: int = Field(1, ge=1, le=64)
    """Threads of one worker's arithmetic. More than one changes the last bits of some results."""
    run_max_s: float = Field(604_800.0, gt=0)
    """A run that works for longer is stopped at its last step, pauses not counted; it can be resumed."""
    lease_s: float = Field(0.0, ge=0)
    """Runs of a visitor who has had no page open for so long are stopped; they can be resumed. 0 for never."""
    keep_days: float = Field(0.0, ge=0, le=3650)
    """Ended runs are deleted for good after so many days; 0 for never."""
    store_mb: int = Field(0, ge=0)
    """With more files of training runs than that, the oldest ended ones are deleted for good; 0 for no bound. Results of lens
    runs are not in it: see kept_lens_mb."""
    login_required: bool = False
    """Whether only people who have logged in (OIDC) see anything; without, a login is offered where it is configured."""
    log_format: Literal["text", "json"] = "text"
    """How a line of the log is written: for people, or one JSON object."""
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    """Host names under which the page may be reached, comma-separated."""

    @classmethod
    def from_environment(cls) -> Self:
        """Settings with every `LAYERWISE_*` variable applied.

        Raises:
            SpecError: a variable is out of its bounds; the message names it.
        """
        given = {name: os.environ.get(f"LAYERWISE_{name.upper()}", "") for name in cls.model_fields}
        defaults = WORKSHOP if given["profile"] == "workshop" else {}
        try:
            return cls.model_validate(defaults | {name: text for name, text in given.items() if text})
        except ValidationError as error:
            finding = error.errors(include_url=False)[0]
            name = f"LAYERWISE_{str(finding['loc'][0]).upper()}"
            raise SpecError(f"{name}={finding['input']!r}: {finding['msg']}.", hint=f"Change or unset {name}.") from None
