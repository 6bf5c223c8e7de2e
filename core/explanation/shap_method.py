"""SHAP: Shapley values of patches of an image and of features of a table; the game they are played in is shapley.py."""

from core.explanation.shap_partition import ShapPartition
from core.explanation.shap_superpixels import ShapSuperpixels
from core.explanation.shap_tabular import ShapTabular
from core.explanation.shapley import Shapley, n_coalitions, shapley_values

__all__ = ["ShapPartition", "ShapSuperpixels", "ShapTabular", "Shapley", "n_coalitions", "shapley_values"]
