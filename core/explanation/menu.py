"""The Menu of explainers. Importing it loads none of the explanation libraries."""

from typing import Annotated

from core.explanation.deep_shap import DeepShap
from core.explanation.expected_gradients import ExpectedGradients
from core.explanation.grad_cam import GradCam
from core.explanation.gradient import InputXGradient, Saliency, SmoothGrad
from core.explanation.integrated import IntegratedGradients
from core.explanation.lime_method import LimeImage, LimeTabular
from core.explanation.occlusion import Occlusion
from core.explanation.shap_method import ShapPartition, ShapSuperpixels, ShapTabular
from core.explanation.text_gradient import LayerIntegratedGradients
from core.explanation.text_lime import LimeText
from core.explanation.text_shap import ShapText
from core.spec import on_menu

AnyExplainer = Annotated[
    GradCam
    | IntegratedGradients
    | Saliency
    | SmoothGrad
    | InputXGradient
    | Occlusion
    | DeepShap
    | ExpectedGradients
    | LimeImage
    | ShapSuperpixels
    | ShapPartition
    | ShapTabular
    | LimeTabular
    | ShapText
    | LayerIntegratedGradients
    | LimeText,
    on_menu(),
]
