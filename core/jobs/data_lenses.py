"""Looks at data: what a file holds, what a data set is like, what augmentation does to it; and files that are fetched."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.data.augmentation import AnyAugmentation
from core.data.download import download
from core.data.menu import AnyDataset
from core.errors import SpecError
from core.jobs.job import Desk
from core.jobs.lenses import LensJob, Seed
from core.models.model import ModelSpec, infer, stack_error
from core.results.fetched import Fetched
from core.settings import Settings

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(max_length=200)]


class UploadPreviewJob(LensJob):
    """What an uploaded file holds, before it becomes a data set."""

    kind: Literal["upload_preview"] = "upload_preview"
    label: ClassVar[str] = "Preview"
    file: Digest
    """Digest of the kept file."""
    name: FileName = ""
    """What the user calls it."""

    def result(self, desk: Desk) -> Any:
        from core.data.own.preview import preview

        return preview(self.file, self.name, desk.settings)


class DataReportJob(LensJob):
    """Counts and statistics of a data set."""

    kind: Literal["data_report"] = "data_report"
    label: ClassVar[str] = "Data report"
    data: AnyDataset
    seed: Seed = 0

    def result(self, desk: Desk) -> Any:
        from core.data.report import data_report

        return data_report(self.data, self.seed)


class AugmentationJob(LensJob):
    """Training images before and after augmentation."""

    kind: Literal["augmentation"] = "augmentation"
    label: ClassVar[str] = "Augmentation"
    data: AnyDataset
    augmentation: Annotated[tuple[AnyAugmentation, ...], Field(min_length=1, max_length=8)]
    seed: Seed = 0
    n: Annotated[int, Field(ge=1, le=16)] = 6
    """Images."""
    k: Annotated[int, Field(ge=1, le=16)] = 6
    """Draws of each."""

    def check(self, settings: Settings) -> None:
        """Only images can be augmented."""
        if self.data.original_profile().modality != "image":
            raise SpecError("Augmentation changes images, and these data are none.", hint="Choose a data set of images.")

    def result(self, desk: Desk) -> Any:
        from core.data.augment import augmented_examples

        return augmented_examples(self.data, self.augmentation, self.seed, self.n, self.k)


class DownloadJob(LensJob):
    """The files of a data set, fetched from the network."""

    kind: Literal["download"] = "download"
    label: ClassVar[str] = "Download"
    dataset: Annotated[str, Field(max_length=40)]
    """Kind of the data set."""

    def result(self, desk: Desk) -> Any:
        download(self.dataset, desk.progress)
        return Fetched(self.dataset)


class WeightsImportJob(LensJob):
    """Weights out of an uploaded file, made safe, kept, and compared with a stack."""

    kind: Literal["weights_import"] = "weights_import"
    label: ClassVar[str] = "Import weights"
    file: Digest
    name: FileName = ""
    model: ModelSpec
    input_shape: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, max_length=3)]
    is_backbone: bool = False
    """The file is for the model's one Backbone layer, not for the whole stack."""

    def check(self, settings: Settings) -> None:
        """Refuses a stack whose layers do not fit together."""
        if (error := stack_error(self.model, infer(self.model, self.input_shape))) is not None:
            raise error

    def result(self, desk: Desk) -> Any:
        """What the file holds.

        Raises:
            SpecError: it is no file of weights, or these are another stack's; the message names the first difference.
        """
        import torch

        from core.data.own.keep import kept_upload
        from core.models.model import build, with_backbone_weights
        from core.models.weights import imported, load_tensors
        from core.models.weights_check import match

        report = imported(kept_upload(self.file, desk.settings), self.name, desk.settings)
        if self.is_backbone:
            build(with_backbone_weights(self.model, report.digest), self.input_shape, seed=0)  # names the first difference
            return report
        with torch.device("meta"):
            module = build(self.model.but(weights=""), self.input_shape, seed=0)
        wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
        match(wanted, {name: tuple(tensor.shape) for name, tensor in load_tensors(report.digest, desk.settings).items()})
        return report
