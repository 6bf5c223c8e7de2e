"""The Menu of jobs: all that a worker can be asked to do."""

from typing import Annotated

from core.jobs.activation_lenses import (
    ActivationHistogramsJob,
    ActivationStatisticsJob,
    ConvolutionJob,
    ReceptiveFieldJob,
    TopExamplesJob,
)
from core.jobs.bundle_jobs import BundleJob, BundleLookJob
from core.jobs.compare_lenses import DisagreementJob, PredictionJob
from core.jobs.compress import CompressJob, PruningSweepJob
from core.jobs.cross_validation import CrossValidationJob
from core.jobs.data_lenses import AugmentationJob, DataReportJob, DownloadJob, UploadPreviewJob, WeightsImportJob
from core.jobs.embedding_lenses import EmbeddingJob
from core.jobs.error_lenses import ConfusionOverTimeJob, DisturbedExampleJob, ExamplesJob, RobustnessJob, SlicesJob
from core.jobs.evaluation_lenses import EvaluateJob, PredictionsJob
from core.jobs.export_jobs import EventFilesJob, ModelCardJob, ModelExportJob
from core.jobs.global_lenses import GlobalMapsJob, GlobalViewJob, GlobalWordsJob, PartialDependenceJob
from core.jobs.imported_run import ImportedRunJob
from core.jobs.landscape_lenses import LossLineJob, LossSurfaceJob
from core.jobs.lenses import ActivationsJob, ExplainJob, GalleryJob
from core.jobs.plane_lenses import SharedPlaneJob
from core.jobs.script_job import ScriptFilesJob, ScriptJob, ScriptRunJob
from core.jobs.sequence_lenses import AttentionJob, HiddenStatesJob, ReadingJob
from core.jobs.surface_race import SurfaceRaceJob
from core.jobs.training import TrainJob
from core.jobs.trust_lenses import TrustJob
from core.jobs.tuning import RangeTestJob, SweepJob
from core.jobs.weight_lenses import FiltersJob, NeuronsJob, WeightsOverTimeJob
from core.spec import on_menu

AnyJob = Annotated[
    TrainJob
    | GalleryJob
    | ActivationsJob
    | ActivationHistogramsJob
    | ActivationStatisticsJob
    | ConvolutionJob
    | ReceptiveFieldJob
    | TopExamplesJob
    | ExplainJob
    | TrustJob
    | GlobalViewJob
    | GlobalMapsJob
    | GlobalWordsJob
    | PartialDependenceJob
    | DataReportJob
    | AugmentationJob
    | UploadPreviewJob
    | DownloadJob
    | WeightsImportJob
    | SurfaceRaceJob
    | SharedPlaneJob
    | EmbeddingJob
    | HiddenStatesJob
    | AttentionJob
    | ReadingJob
    | LossLineJob
    | LossSurfaceJob
    | FiltersJob
    | NeuronsJob
    | WeightsOverTimeJob
    | RangeTestJob
    | SweepJob
    | PredictionJob
    | DisagreementJob
    | PredictionsJob
    | EvaluateJob
    | ConfusionOverTimeJob
    | SlicesJob
    | RobustnessJob
    | DisturbedExampleJob
    | ExamplesJob
    | CrossValidationJob
    | CompressJob
    | PruningSweepJob
    | ScriptJob
    | ScriptFilesJob
    | ScriptRunJob
    | ModelExportJob
    | EventFilesJob
    | ModelCardJob
    | BundleJob
    | BundleLookJob
    | ImportedRunJob,
    on_menu(),
]
