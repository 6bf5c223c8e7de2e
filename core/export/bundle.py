"""A run as one archive: its log word for word, its artifacts byte for byte, and what people want of it besides.

Nothing in it is a pickle. `manifest.json` has the SHA-256 of every other file; `bundle_reading` gives the run back.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field

from core import VERSION
from core.events import Event, dump
from core.export.zips import zipped
from core.run_row import MAX_NAME
from core.spec import Spec

MANIFEST, EXPERIMENT, EVENTS = "manifest.json", "experiment.json", "events.jsonl"
ARTIFACTS, UPLOADS, WEIGHTS = "artifacts/", "uploads/", "imported_weights/"
KNOWN = (".npz", ".safetensors")
"""Endings of the artifacts that a bundle takes: nothing in them can run."""
MAX_FILES = 400
"""Entries of a manifest; more do not fit into the text that is read."""
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Path = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$")
]
README = """# A run, as one archive

| file | is |
|---|---|
| experiment.json | all that decides the curve: data, model, optimizer, seed; the *Load* button of the header opens it |
| events.jsonl | the log of the run, one event a line, in order |
| artifacts/ | checkpoints (safetensors: weights, optimizer state, step) and results (npz) |
| model/ | the weights alone, as safetensors and as ONNX where the model can be written so |
| script/ | the run as a plain PyTorch script, where one can say it |
| model_card.md, report.html | for people; the report is there when it was prepared before |
| uploads/, imported_weights/ | files that the run needs and that came from a visitor |
| environment.json | versions under which it was trained: equal ones promise bit-identical curves |
| manifest.json | SHA-256 of every file |

*Export > Import* of any Layerwise gives the run back, bit for bit.
"""


class FileEntry(Spec):
    """One file of the archive."""

    path: Path
    n_bytes: Annotated[int, Field(ge=0)]
    sha256: Digest


class ArtifactEntry(Spec):
    """One artifact of the run, which lies at `artifacts/<name>`. `seq` is the place of its event in the log."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$", max_length=120)]
    kind: Literal["checkpoint", "result"]
    step: Annotated[int, Field(ge=0)]
    seq: Annotated[int, Field(ge=1)]
    n_bytes: Annotated[int, Field(ge=0)]
    sha256: Digest


class SourceRun(Spec):
    """The run on the machine that it comes from. Times in seconds since the epoch."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    name: Annotated[str, Field(max_length=MAX_NAME)] = ""
    kind: Annotated[str, Field(max_length=40)]
    state: Annotated[str, Field(max_length=20)]
    created: float


class Manifest(Spec):
    """What is in the archive, and how it was."""

    format: Literal["layerwise-bundle"] = "layerwise-bundle"
    version: Literal[1] = 1
    made_by: Annotated[str, Field(max_length=40)] = VERSION
    run: SourceRun
    n_events: Annotated[int, Field(ge=0)]
    artifacts: Annotated[tuple[ArtifactEntry, ...], Field(max_length=MAX_FILES)]
    files: Annotated[tuple[FileEntry, ...], Field(max_length=MAX_FILES)]


def event_lines(events: Iterable[tuple[int, Event]]) -> bytes:
    """A log as lines of JSON: place, name and fields, the fields just as the store has them."""
    lines = [f'{{"seq":{seq},"event":{json.dumps(type(event).__name__)},"fields":{dump(event)}}}\n' for seq, event in events]
    return "".join(lines).encode()


def bundle_bytes(run: SourceRun, n_events: int, artifacts: Iterable[ArtifactEntry], files: Mapping[str, bytes]) -> bytes:
    """The archive of these files. Equal ones give equal bytes.

    Args:
        files: by path; README.md and manifest.json are added.
    """
    files = {"README.md": README.encode(), **files}
    entries = [FileEntry(path=path, n_bytes=len(data), sha256=digest_of(data)) for path, data in files.items()]
    manifest = Manifest(run=run, n_events=n_events, artifacts=tuple(artifacts), files=tuple(entries))
    return zipped({MANIFEST: (manifest.model_dump_json(indent=1) + "\n").encode(), **files})


def digest_of(data: bytes) -> str:
    """SHA-256, as 64 signs."""
    return hashlib.sha256(data).hexdigest()
