"""A whole run as one archive, and a look at one before it is imported."""

import time
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from core.data.own.keep import kept_upload, store_upload
from core.data.own.own_file import OwnFile
from core.data.own.senders import NOBODY, Sender
from core.errors import LayerwiseError, NotApplicable, SpecError
from core.events import Finished, Progressed
from core.experiment.apply import after_events
from core.experiment.changes import changes_of
from core.experiment.codec import file_text
from core.experiment.experiment import Experiment
from core.jobs.data_lenses import Digest, FileName
from core.jobs.export_jobs import ModelExportJob, RunId, check_file_size, exported, stated
from core.jobs.job import ArtifactRef, Desk, Stream
from core.jobs.lenses import LensJob, WeightsJob
from core.jobs.menu import parse_job
from core.jobs.run_log import Recorded, recorded
from core.results.exported import BundleFound
from core.run_row import MAX_NAME
from core.settings import Settings
from core.store.protocol import ArtifactRecord

Files = dict[str, bytes]
MIB = 2**20
MOST_DATA_MB = 24
"""Larger data of a script are left out: the script alone can be had with them."""
LEFT_OUT = "Too large for a bundle: {names}. Download the training script by itself on Export > Training script to get it.\n"
SMALLER = "Take the newest checkpoint only, or raise LAYERWISE_WORKER_FILE_MB."
PARTS = 6
"""What comes behind the artifacts: files of the visitor, weights, ONNX, script, words, and the archive."""


class BundleJob(WeightsJob):
    """All of a run in one archive, which any Layerwise reads again."""

    kind: Literal["bundle"] = "bundle"
    label = "Bundle"
    run: RunId
    last_seq: Annotated[int, Field(ge=0)]
    """The last event that is in it: a run that went on is asked anew."""
    checkpoints: Literal["all", "newest"] = "all"
    report: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """Digest of the kept report; empty for none."""
    with_files: bool = True
    """Put the visitor's own data and imported weights in, without which the run cannot be repeated elsewhere."""

    def stream(self, desk: Desk) -> Stream:
        """Progress, the archive, what is said of it, and the end."""
        from core.export.bundle import ArtifactEntry, SourceRun, bundle_bytes

        yield Progressed(0, 1)
        began = time.monotonic()
        known = recorded(self.run, self.last_seq, desk.settings)
        trained = parse_job(known.record.job).trained()
        if trained is None:
            raise NotApplicable("This run keeps no weights, so there is no bundle of it.", hint="Choose a training run.")
        kept = tuple(self.kept(known))
        size = sum(one.n_bytes for one in kept)
        check_file_size(size, desk.settings, SMALLER)
        files, notes = self.files(desk, known, kept, trained)
        entries = [
            ArtifactEntry.model_validate({name: getattr(one, name) for name in ArtifactEntry.model_fields}) for one in kept
        ]
        about = known.record
        source = SourceRun(id=about.id, name=about.name[:MAX_NAME], kind=about.kind, state=about.state, created=about.created)
        data = bundle_bytes(source, len(known.events), entries, files)
        check_file_size(len(data), desk.settings, SMALLER)
        what = "1 artifact" if len(kept) == 1 else f"{len(kept):,} artifacts"
        check = f"{len(known.events):,} events and {what}; the manifest has the SHA-256 of every file."
        said = stated("bundle", "bundle.zip", data, about.last_step, check, notes=notes)
        yield from exported(said, data, began)

    def kept(self, known: Recorded) -> Iterator[ArtifactRecord]:
        """The artifacts that come along: all, or of the checkpoints only the newest one."""
        from core.export.bundle import KNOWN

        newest = max((one.seq for one in known.artifacts if one.kind == "checkpoint"), default=0)
        for one in known.artifacts:
            is_wanted = self.checkpoints == "all" or one.kind != "checkpoint" or one.seq == newest
            if is_wanted and one.name.endswith(KNOWN):
                yield one

    def files(
        self, desk: Desk, known: Recorded, kept: tuple[ArtifactRecord, ...], trained: Experiment
    ) -> tuple[Files, tuple[str, ...]]:
        """All files by path, and what is missing, in sentences."""
        from core.export.bundle import ARTIFACTS, EVENTS, EXPERIMENT, event_lines

        total = len(kept) + PARTS
        files: Files = {EXPERIMENT: file_text(trained).encode()}
        files[EVENTS] = event_lines((logged.seq, logged.event) for logged in known.events)
        for done, one in enumerate(kept):
            desk.progress(done, total)
            files[ARTIFACTS + one.name] = desk.artifact(ArtifactRef(run=one.run, name=one.name, sha256=one.sha256))
        notes = []
        parts = (self._visitors, self._weights, self._onnx, self._script, self._words)
        for done, part in enumerate(parts, start=len(kept)):
            desk.progress(done, total)
            try:
                files |= part(desk, known, trained)
            except LayerwiseError as error:
                notes.append(error.message)
        desk.progress(total - 1, total)
        return files, tuple(notes)

    def _visitors(self, desk: Desk, known: Recorded, trained: Experiment) -> Files:
        return _visitors_files(trained, desk.settings) if self.with_files else {}

    def _weights(self, desk: Desk, known: Recorded, trained: Experiment) -> Files:
        return {"model/weights.safetensors": self._as("safetensors").made(desk)[1]}

    def _onnx(self, desk: Desk, known: Recorded, trained: Experiment) -> Files:
        return {"model/model.onnx": self._as("onnx").made(desk)[1]}

    def _as(self, form: Any) -> ModelExportJob:
        return ModelExportJob(experiment=self.experiment, weights=self.weights, series=self.series, format=form)

    def _script(self, desk: Desk, known: Recorded, trained: Experiment) -> Files:
        """The training script with all changes by hand; its data come along where they are not too large."""
        from core.jobs.script_job import ScriptJob, files_of

        if known.record.kind not in ("train", "imported"):
            raise NotApplicable(
                "There is no training script of a model that was made smaller after training.",
                hint="Export the run that it was made from.",
            )
        end = known.history().end
        last_step = end.step or None if isinstance(end, Finished) and end.reason != "completed" else None
        job = ScriptJob(experiment=repeatable(trained, known), series=self.series, last_step=last_step)
        made = files_of(job, last_step, desk)
        large = {name for name, data in made.items() if len(data) > MOST_DATA_MB * MIB}
        if large:
            made["DATA.txt"] = LEFT_OUT.format(names=", ".join(sorted(large))).encode()
        return {f"script/{name}": data for name, data in made.items() if name not in large}

    def _words(self, desk: Desk, known: Recorded, trained: Experiment) -> Files:
        """What people read, and the versions."""
        import json

        from core.export.card import CardFacts, model_card

        history = known.history()
        now = after_events(trained, (logged.event for logged in known.events))
        facts = CardFacts(
            known.record.name, known.record.id, known.step_of(self.weights.name if self.weights else ""), self.series
        )
        files = {"model_card.md": model_card(now, history, facts).encode()}
        known_by = history.started.fingerprint if history.started else {}
        files["environment.json"] = (json.dumps(known_by, indent=1, sort_keys=True) + "\n").encode()
        if self.report:
            files["report.html"] = kept_upload(self.report, desk.settings, "report.html")
        return files


def repeatable(trained: Experiment, known: Recorded) -> Experiment:
    """The run's experiment with all that was changed by hand, so that training it makes the same curves again."""
    to_come = (change for change in trained.changes if change.after_step > known.record.last_step)
    return trained.but(changes=(*changes_of(logged.event for logged in known.events), *to_come))


def _visitors_files(experiment: Experiment, settings: Settings) -> Files:
    """Uploaded data and imported weights, by path; each is called by its digest."""
    from core.export.bundle import UPLOADS, WEIGHTS
    from core.models.weights_check import weights_file

    files: Files = {}
    if isinstance(experiment.data, OwnFile):
        files[UPLOADS + experiment.data.file] = kept_upload(experiment.data.file, settings, experiment.data.name)
    digests = {experiment.model.weights, *(getattr(layer, "weights", "") for layer in experiment.model.layers)} - {""}
    for digest in sorted(digests):
        files[f"{WEIGHTS}{digest}.safetensors"] = weights_file(digest, settings).read_bytes()
    return files


class BundleLookJob(LensJob):
    """What an uploaded bundle holds; every digest, event and checkpoint in it is checked."""

    kind: Literal["bundle_look"] = "bundle_look"
    label = "Bundle to import"
    file: Digest
    name: FileName = ""

    def result(self, desk: Desk) -> Any:
        """What was found.

        Raises:
            SpecError: something in it is not as it should be.
            MissingData: the file is not kept any more.
        """
        from core.export.bundle_reading import counts, extras, opened_bundle
        from core.training.checkpoints import load_state

        data = kept_upload(self.file, desk.settings, self.name)
        bundle = opened_bundle(data, self.name or "bundle.zip", desk.settings)
        bundle.check(load_state, desk.progress)
        if not bundle.manifest.n_events:
            raise SpecError("The bundle holds no event: its run had not begun.", hint="Export a run that has begun.")
        n_steps, n_epochs = counts(bundle)
        run = bundle.manifest.run
        return BundleFound(
            file=self.file,
            name=run.name,
            run=run.id,
            made_by=bundle.manifest.made_by,
            state=run.state,
            experiment=bundle.experiment.model_dump_json(),
            n_events=bundle.manifest.n_events,
            n_steps=n_steps,
            n_epochs=n_epochs,
            n_checkpoints=sum(one.kind == "checkpoint" for one in bundle.manifest.artifacts),
            n_bytes=len(data),
            extras=extras(bundle),
        )


def keep_bundle(data: bytes, name: str, settings: Settings, sender: Sender = NOBODY) -> str:
    """The digest of an uploaded bundle, kept after a first look at its directory. Torch-free, for the page's process.

    Raises:
        SpecError: it is no bundle, or not a sound one.
        StoreError: the disk is full.
    """
    from core.export.bundle_reading import opened_bundle

    opened_bundle(data, name, settings)
    return store_upload(data, name, settings, sender)
