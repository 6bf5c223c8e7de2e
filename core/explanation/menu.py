"""The Menu of explainers. Importing it loads none of the explanation libraries."""

from typing import Annotated

from core.explanation.gradient import GradCam, IntegratedGradients
from core.explanation.lime_method import LimeImage, LimeTabular
from core.explanation.shap_method import ShapPartition, ShapSuperpixels, ShapTabular
from core.explanation.text_gradient import LayerIntegratedGradients
from core.explanation.text_lime import LimeText
from core.explanation.text_shap import ShapText
from core.spec import on_menu

AnyExplainer = Annotated[
    GradCam
    | IntegratedGradients
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
