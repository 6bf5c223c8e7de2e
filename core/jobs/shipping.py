"""The Menu of jobs: all that a worker can be asked to do."""

from typing import Annotated

from core.jobs.data_lenses import AugmentationJob, DataReportJob, DownloadJob, UploadPreviewJob, WeightsImportJob
from core.jobs.lenses import ActivationsJob, ExplainJob, GalleryJob
from core.jobs.plane_lenses import SharedPlaneJob
from core.jobs.surface_race import SurfaceRaceJob
from core.jobs.training import TrainJob
from core.jobs.tuning import RangeTestJob, SweepJob
from core.spec import on_menu

AnyJob = Annotated[
    TrainJob
    | GalleryJob
    | ActivationsJob
    | ExplainJob
    | DataReportJob
    | AugmentationJob
    | UploadPreviewJob
    | DownloadJob
    | WeightsImportJob
    | SurfaceRaceJob
    | SharedPlaneJob
    | RangeTestJob
    | SweepJob,
    on_menu(),
]
