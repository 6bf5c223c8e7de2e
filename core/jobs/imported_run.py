"""The job that gives a run back from a bundle: its events and artifacts come up as if it ran again."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from core.data.own.keep import kept_upload, store_upload
from core.data.own.senders import note_sender, senders_of
from core.errors import SpecError
from core.events import Artifact, ArtifactSaved, Event, Failed, Finished, Paused, Resumed, Stop
from core.experiment.experiment import Experiment
from core.jobs.data_lenses import Digest, FileName
from core.jobs.job import Desk, Job, Stream
from core.jobs.messages import step_after
from core.settings import Settings

if TYPE_CHECKING:
    from core.export.bundle_reading import Bundle

RESTS = (Paused, Resumed)
"""A replay does not rest where the run did."""


class ImportedRunJob(Job):
    """A run of another machine, from its bundle, bit for bit."""

    kind: Literal["imported"] = "imported"
    label = "Imported run"
    lane: ClassVar[Literal["training", "lens"]] = "training"
    file: Digest
    """SHA-256 of the uploaded bundle."""
    name: FileName = ""
    """What the visitor called the file."""
    experiment: Experiment
    """The one in the bundle, so that everything that looks at runs knows it."""

    def trained(self) -> Experiment:
        return self.experiment

    def check(self, settings: Settings) -> None:
        """Refuses a bundle that is not kept here. No StoreError: in a check the supervisor would take it for its own."""
        if not (settings.home / "uploads" / self.file).is_file():
            raise SpecError("The bundle is not on this server (any more).", hint="Upload it again on Export > Import.")

    def stream(self, desk: Desk) -> Stream:
        """The recorded events and artifacts in order, and their end; a run that had not ended there ends as stopped.

        After a lost worker it goes on behind the artifact from which the supervisor wants to resume.
        """
        from core.export.bundle import digest_of
        from core.export.bundle_reading import opened_bundle
        from core.training.checkpoints import load_state

        bundle = opened_bundle(kept_upload(self.file, desk.settings, self.name), self.name or "bundle.zip", desk.settings)
        bundle.check(load_state, lambda done, total: None)  # told progress would become part of the log
        if bundle.experiment != self.experiment:
            raise SpecError("The bundle holds another experiment.", hint="Import it again.")
        _keep_files(bundle, desk.settings, senders_of(self.file, desk.settings))
        here = digest_of(desk.resume) if desk.resume is not None else ""
        yield from _replayed(_items(bundle, here))


def _items(bundle: "Bundle", after: str) -> Iterator[Event | Artifact]:
    """Events and artifacts in order; behind the first artifact of the digest `after`, where one is given.

    Artifacts that the bundle does not bring (the run had forgotten them, or they were left out) are passed over.
    """
    from core.export.bundle import ARTIFACTS

    artifacts = {one.name: one for one in bundle.manifest.artifacts}
    for _, event in bundle.events():
        if not isinstance(event, ArtifactSaved):
            if not after and not isinstance(event, RESTS):
                yield event
            continue
        entry = artifacts.get(event.name)
        if entry is None or entry.sha256 != event.sha256:
            continue
        if after:
            after = "" if entry.sha256 == after else after
            continue
        yield Artifact(event.name, entry.kind, event.step, bundle.read(ARTIFACTS + event.name))


def _replayed(items: Iterator[Event | Artifact]) -> Stream:
    """The items, up to the one end; a Stop ends them early."""
    step, elapsed_s = 0, 0.0
    for item in items:
        if not isinstance(item, Artifact):
            step, elapsed_s = step_after(item, step), float(getattr(item, "elapsed_s", elapsed_s))
        command = yield item
        if isinstance(item, (Finished, Failed)):
            return
        if isinstance(command, Stop):
            break
    yield Finished("stopped", step, elapsed_s)


def _keep_files(bundle: "Bundle", settings: Settings, owners: tuple[str, ...]) -> None:
    """Put the visitor's data and weights where the experiment looks for them."""
    from core.export.bundle import UPLOADS, WEIGHTS
    from core.models.weights import imported

    for path in bundle.paths(UPLOADS):
        digest = store_upload(bundle.read(path), path, settings)
        for owner in owners:
            note_sender(digest, owner, settings)
    for path in bundle.paths(WEIGHTS):
        imported(bundle.read(path), path.rpartition("/")[2], settings)
