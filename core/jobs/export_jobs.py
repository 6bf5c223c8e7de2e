"""The jobs that write a trained model, or a whole run, in the formats that others read."""

import hashlib
import time
from typing import Annotated, Any, Literal

from pydantic import Field

from core import VERSION
from core.errors import NotApplicable
from core.events import Artifact, Finished, Progressed
from core.jobs.job import Desk, Stream
from core.jobs.lenses import RESULT, LensJob, WeightsJob, loaded
from core.jobs.run_log import recorded
from core.models.model import infer
from core.results.codec import result_bytes
from core.results.exported import ExportedFile
from core.settings import Settings

ModelFormat = Literal["safetensors", "state_dict", "onnx", "program", "service"]
FILES: dict[ModelFormat, str] = {
    "safetensors": "weights.safetensors",
    "state_dict": "weights.pt",
    "onnx": "model.onnx",
    "program": "model.pt2",
    "service": "service.zip",
}
"""Name of the artifact for each format."""
LIMIT_NOTE = "The file has {size:,.0f} MB: a worker here writes at most {limit:,} MB."
RunId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


def exported(result: ExportedFile, data: bytes, began: float) -> Stream:
    """The end of an export: its file, what is said of it, and Finished."""
    yield Artifact(result.file, "result", result.step, data)
    yield Artifact(RESULT, "result", 0, result_bytes(result))
    yield Finished("completed", 0, time.monotonic() - began)


def check_file_size(n_bytes: int, settings: Settings, hint: str) -> None:
    """Refuses a file that a worker may not write.

    Raises:
        NotApplicable: it is too large; the hint is the caller's.
    """
    if n_bytes > settings.worker_file_mb * 2**20:
        raise NotApplicable(LIMIT_NOTE.format(size=n_bytes / 2**20, limit=settings.worker_file_mb), hint=hint)


def stated(what: str, file: str, data: bytes, step: int, check: str, **more: Any) -> ExportedFile:
    """What is said of a file."""
    return ExportedFile(what, file, len(data), hashlib.sha256(data).hexdigest(), step, check, **more)


class ModelExportJob(WeightsJob):
    """A trained model as a file: weights, ONNX, a torch.export program, a prediction service."""

    kind: Literal["model_export"] = "model_export"
    label = "Model export"
    format: ModelFormat = "safetensors"

    def stream(self, desk: Desk) -> Stream:
        """Progress, the file, what is said of it, and the end."""
        yield Progressed(0, 1)
        began = time.monotonic()
        result, data = self.made(desk)
        check_file_size(len(data), desk.settings, "Choose a smaller model, or raise LAYERWISE_WORKER_FILE_MB.")
        yield from exported(result, data, began)

    def made(self, desk: Desk) -> tuple[ExportedFile, bytes]:
        """The file, and what is said of it.

        Raises:
            NotApplicable: a layer has no form in this format; the message names it.
        """
        from core.export.formats import safetensors_bytes, state_dict_bytes

        file = FILES[self.format]
        if self.format in ("safetensors", "state_dict"):
            model, step = self.model(desk)
            data = safetensors_bytes(model) if self.format == "safetensors" else state_dict_bytes(model)
            how = "as safetensors" if self.format == "safetensors" else "with weights_only=True"
            n = len(model.state_dict())
            return stated(self.format, file, data, step, f"Read again {how}: {n:,} tensors, equal bit for bit."), data
        return self._program(desk) if self.format == "program" else self._onnx(desk)

    def _program(self, desk: Desk) -> tuple[ExportedFile, bytes]:
        from core.export.program import export_program

        model, step = self.model(desk)
        made = export_program(model, self.experiment.data.profile(), self.layer_names(), desk.progress)
        check = f"Loaded again and compared with the model on {made.n_examples} random examples, in batches of 1, 3 and 16."
        said = stated(
            "program", FILES["program"], made.data, step, check, difference=made.difference, n_examples=made.n_examples
        )
        return said, made.data

    def _onnx(self, desk: Desk) -> tuple[ExportedFile, bytes]:
        from core.export.onnx_model import onnx_model

        model, step = self.model(desk)
        made = onnx_model(model, self.experiment.data.profile(), self.layer_names(), self.facts(step), desk.progress)
        check = f"Compared with torch by ONNX Runtime on {made.n_examples} random examples, in batches of 1, 3 and 16."
        data = made.data if self.format == "onnx" else self._service(made.data, model)
        more = {"difference": made.difference, "n_examples": made.n_examples, "opset": made.opset}
        return stated(self.format, FILES[self.format], data, step, check, **more), data

    def _service(self, onnx: bytes, model: Any) -> bytes:
        from core.export.service import service_files
        from core.export.zips import zipped
        from core.models.output import output_form

        data = self.experiment.data
        return zipped(service_files(data, loaded(data, self.experiment.seed), output_form(model), onnx))

    def layer_names(self) -> list[str]:
        """What each layer of the stack is called."""
        return [layer.kind for layer in self.experiment.model.layers]

    def facts(self, step: int) -> dict[str, str]:
        """What an ONNX file says of itself."""
        profile = self.experiment.data.profile()
        n_parameters = infer(self.experiment.model, profile.input_shape).n_parameters
        return {
            "made_by": f"Layerwise {VERSION}",
            "step": str(step),
            "parameters": str(n_parameters),
            "classes": ", ".join(profile.class_names),
            "target": profile.target_name,
        }


class EventFilesJob(LensJob):
    """The curves of a run as event files that TensorBoard opens."""

    kind: Literal["event_files"] = "event_files"
    label = "TensorBoard files"
    run: RunId
    last_seq: Annotated[int, Field(ge=0)]
    """The last event that is told: a run that went on is asked anew."""
    is_regression: bool = False

    def stream(self, desk: Desk) -> Stream:
        """Progress, the files as one archive, and the end."""
        from core.export.tensorboard_events import event_files
        from core.export.zips import zipped

        yield Progressed(0, 1)
        began = time.monotonic()
        known = recorded(self.run, self.last_seq, desk.settings)
        history = known.history()
        if not history.step:
            raise NotApplicable("This run has done no step yet: there is nothing to write.", hint="Train first.")
        files = event_files(history, known.record.created, desk.progress, is_regression=self.is_regression)
        data = zipped(files)
        check_file_size(len(data), desk.settings, "Raise LAYERWISE_WORKER_FILE_MB.")
        what = "One event file" if len(files) == 1 else f"{len(files):,} event files, a folder for each lane and seed"
        check = f"{what}: every step with its loss, every epoch with its figures."
        yield from exported(stated("events", "tensorboard.zip", data, history.step, check), data, began)


class ModelCardJob(WeightsJob):
    """Plain facts of a model and its training, for people who get it without the page."""

    kind: Literal["model_card"] = "model_card"
    label = "Model card"
    run: RunId
    last_seq: Annotated[int, Field(ge=0)]

    def stream(self, desk: Desk) -> Stream:
        """Progress, the card, and the end."""
        from core.export.card import CardFacts, model_card

        yield Progressed(0, 1)
        began = time.monotonic()
        known = recorded(self.run, self.last_seq, desk.settings)
        step = known.step_of(self.weights.name if self.weights else "")
        facts = CardFacts(known.record.name, known.record.id, step, self.series)
        data = model_card(self.experiment, known.history(), facts).encode()
        check = "Facts of the experiment and of its run. What people typed is escaped."
        yield from exported(stated("card", "model_card.md", data, step, check), data, began)
