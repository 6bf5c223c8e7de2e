"""A bundle read back: judged by its directory and manifest first, then by every digest, event and checkpoint in it."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, deserialize

from core.data.own.reading.archives import inflated, opened_archive
from core.errors import LayerwiseError, SpecError, TooExpensive
from core.events import EpochDone, Event, StepsDone, load_event
from core.experiment.codec import from_file_text
from core.experiment.experiment import Experiment
from core.export.bundle import (
    ARTIFACTS,
    EVENTS,
    EXPERIMENT,
    KNOWN,
    MANIFEST,
    UPLOADS,
    WEIGHTS,
    ArtifactEntry,
    Manifest,
    digest_of,
)
from core.settings import Settings
from core.spec import MAX_TEXT_BYTES, parse_json
from core.types import Report

AGAIN = "Export the bundle again, and send the file as it is."
MIB = 2**20
UNREADABLE: tuple[type[Exception], ...] = (
    *(LayerwiseError, OSError, ValueError, KeyError, TypeError, IndexError, AttributeError),
    *(SafetensorError, zipfile.BadZipFile),
)
"""What readers raise on files that only look right."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """An archive whose directory fits its manifest. Nothing else in it was looked at yet."""

    manifest: Manifest
    experiment: Experiment
    archive: zipfile.ZipFile

    def read(self, path: str) -> bytes:
        """One file, held against its digest.

        Raises:
            SpecError: it is not as the manifest says.
        """
        entry = next((one for one in self.manifest.files if one.path == path), None)
        if entry is None:
            raise SpecError(f"The bundle has no {path}.", hint=AGAIN)
        try:
            data = inflated(self.archive, self.archive.getinfo(path))
        except (zipfile.BadZipFile, KeyError):
            raise SpecError(f"{path} in the bundle is damaged.", hint=AGAIN) from None
        if digest_of(data) != entry.sha256:
            raise SpecError(f"{path} in the bundle was changed: its digest is not that of the manifest.", hint=AGAIN)
        return data

    def paths(self, folder: str) -> list[str]:
        """The files in one folder."""
        return [one.path for one in self.manifest.files if one.path.startswith(folder)]

    def events(self) -> Iterator[tuple[int, Event]]:
        """The log, event by event, with the place of each.

        Raises:
            SpecError: a line is no event; the message has its number.
        """
        last = 0
        for number, line in enumerate(self.read(EVENTS).decode("utf-8", "replace").splitlines(), start=1):
            try:
                told = json.loads(line)
                seq, event = int(told["seq"]), load_event(str(told["event"]), json.dumps(told["fields"]))
            except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
                raise SpecError(f"Line {number:,} of {EVENTS} is no event that is known here.", hint=AGAIN) from None
            if seq <= last:
                raise SpecError(f"Line {number:,} of {EVENTS} is out of order.", hint=AGAIN)
            last = seq
            yield seq, event

    def check(self, load_checkpoint: Callable[[bytes], object], report: Report) -> None:
        """Every file against its digest, every event and artifact for what it says it is.

        Raises:
            SpecError: something is not as it should be; the message names it.
        """
        for done, entry in enumerate(self.manifest.files):
            report(done, len(self.manifest.files))
            self.read(entry.path)
        n_events = sum(1 for _ in self.events())
        if n_events != self.manifest.n_events:
            raise SpecError(f"The bundle has {n_events:,} events, its manifest says {self.manifest.n_events:,}.", hint=AGAIN)
        for one in self.manifest.artifacts:
            _check_artifact(one, self.read(ARTIFACTS + one.name), load_checkpoint)
        for folder in (UPLOADS, WEIGHTS):
            for path in self.paths(folder):
                _check_name(path, self.read(path))


def opened_bundle(data: bytes, name: str, settings: Settings) -> Bundle:
    """The bundle, after the checks that need its directory, manifest and experiment alone. Torch-free and quick.

    Raises:
        SpecError: it is none, it is damaged, from a newer version, or holds what its manifest does not name.
        TooExpensive: larger than the limits.
    """
    if len(data) > settings.upload_mb * MIB:
        raise TooExpensive(
            f'"{name}" has {len(data) / MIB:,.1f} MB, the limit is {settings.upload_mb:,} MB.',
            hint="Export it with the newest checkpoint only, or raise LAYERWISE_UPLOAD_MB on this server.",
        )
    try:
        archive = opened_archive(data, name, settings)
    except LayerwiseError as error:
        raise SpecError(error.message, hint=AGAIN) from error
    names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    if MANIFEST not in names:
        raise SpecError(
            f'"{name}" is no bundle of Layerwise: it has no {MANIFEST}.', hint="Choose the file that Export gave you."
        )
    manifest = _manifest(archive)
    _check_directory(archive, names, manifest)
    bundle = Bundle(manifest, _experiment(archive), archive)
    bundle.read(EXPERIMENT)
    return bundle


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    text = _text(archive, MANIFEST)
    try:
        version = json.loads(text).get("version")
    except (ValueError, AttributeError, RecursionError):
        raise SpecError(f"{MANIFEST} cannot be read.", hint=AGAIN) from None
    if isinstance(version, int) and version > 1:
        raise SpecError(f"This bundle is of version {version}, this Layerwise reads version 1.", hint="Update Layerwise here.")
    return parse_json(Manifest, text)


def _experiment(archive: zipfile.ZipFile) -> Experiment:
    return from_file_text(_text(archive, EXPERIMENT))


def _text(archive: zipfile.ZipFile, path: str) -> bytes:
    """A short text; a long one is refused before it is unpacked."""
    try:
        entry = archive.getinfo(path)
        if entry.file_size > MAX_TEXT_BYTES:
            raise SpecError(f"{path} has {entry.file_size:,} bytes, the limit is {MAX_TEXT_BYTES:,}.", hint=AGAIN)
        return inflated(archive, entry)
    except (KeyError, zipfile.BadZipFile):
        raise SpecError(f"{path} is missing in the bundle, or damaged.", hint=AGAIN) from None


def _check_directory(archive: zipfile.ZipFile, names: list[str], manifest: Manifest) -> None:
    """The archive holds what the manifest names, each once, and nothing else."""
    sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    named = {one.path: one.n_bytes for one in manifest.files}
    if len(set(names)) < len(names) or len(named) < len(manifest.files):
        raise SpecError("The bundle holds one file twice.", hint=AGAIN)
    strange = sorted(set(names) - set(named) - {MANIFEST})
    if strange:
        raise SpecError(f"The bundle holds {strange[0][:80]!r}, which its manifest does not name.", hint=AGAIN)
    for path, n_bytes in named.items():
        if sizes.get(path) != n_bytes:
            found = "is missing" if path not in sizes else f"has {sizes[path]:,} bytes, not {n_bytes:,}"
            raise SpecError(f"{path} {found} in the bundle.", hint=AGAIN)
    files = {one.path: one for one in manifest.files}
    for artifact in manifest.artifacts:
        entry = files.get(ARTIFACTS + artifact.name)
        if entry is None or (entry.sha256, entry.n_bytes) != (artifact.sha256, artifact.n_bytes):
            raise SpecError(f"The manifest says two things of the artifact {artifact.name}.", hint=AGAIN)
    if EVENTS not in files:
        raise SpecError(f"The bundle has no {EVENTS}.", hint=AGAIN)


def _check_artifact(one: ArtifactEntry, data: bytes, load_checkpoint: Callable[[bytes], object]) -> None:
    """A checkpoint can be loaded, a result can be opened; neither runs code."""
    if not one.name.endswith(KNOWN):
        raise SpecError(f"The artifact {one.name} in the bundle is of no kind that is known here.", hint=AGAIN)
    read = load_checkpoint if one.kind == "checkpoint" else _open_arrays if one.name.endswith(".npz") else deserialize
    try:
        read(data)
    except UNREADABLE:
        raise SpecError(f"The {one.kind} {one.name} in the bundle cannot be read.", hint=AGAIN) from None


def _open_arrays(data: bytes) -> None:
    with np.load(io.BytesIO(data), allow_pickle=False) as members:
        _ = members.files


def _check_name(path: str, data: bytes) -> None:
    """A visitor's file is called by its digest."""
    if path.rpartition("/")[2].partition(".")[0] != digest_of(data):
        raise SpecError(f"{path} in the bundle is not the file that its name says.", hint=AGAIN)


def counts(bundle: Bundle) -> tuple[int, int]:
    """Steps and epochs in the log."""
    n_steps = n_epochs = 0
    for _, event in bundle.events():
        if isinstance(event, StepsDone):
            n_steps = max(n_steps, event.first_step + len(event.losses[0]) - 1)
        n_epochs += isinstance(event, EpochDone)
    return n_steps, n_epochs


def extras(bundle: Bundle) -> tuple[str, ...]:
    """Files of a visitor that it brings, in words."""
    kinds = {UPLOADS: "data of the author's own", WEIGHTS: "imported weights to start from"}
    return tuple(words for folder, words in kinds.items() if bundle.paths(folder))
