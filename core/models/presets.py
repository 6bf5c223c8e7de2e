"""Ready stacks to start from, each for any number of outputs."""

from core.errors import SpecError, nearest
from core.models.layers.activation import ReLU, Tanh
from core.models.layers.linear import Linear
from core.models.layers.shape import Flatten
from core.models.preset import Preset
from core.models.presets_article import ARTICLE
from core.models.presets_classic import IMAGES, SEQUENCES

VECTORS: tuple[Preset, ...] = (
    Preset(
        "mlp-2d",
        "Small MLP, 8-8",
        "Two hidden layers of eight Tanh neurons: few enough to look at each, made for points in the plane.",
        (Linear(out_features=8), Tanh(), Linear(out_features=8), Tanh()),
        ranks=(1,),
    ),
    Preset(
        "mlp-tabular",
        "MLP for tables, 32-16",
        "Two ReLU layers that narrow towards the outputs: a first try for a table with tens of columns.",
        (Linear(out_features=32), ReLU(), Linear(out_features=16), ReLU()),
        ranks=(1,),
    ),
    Preset(
        "logistic",
        "Logistic regression",
        "One linear layer: the baseline that every deeper model has to beat, with weights that can be read as pictures. "
        "Where a number is to be predicted, it is linear regression.",
        (Flatten(),),
        ranks=(1, 3),
    ),
)

PRESETS: tuple[Preset, ...] = (*VECTORS, *ARTICLE, *IMAGES, *SEQUENCES)
"""All presets, in the order in which they are offered."""


def preset(name: str) -> Preset:
    """The preset with this name.

    Raises:
        SpecError: there is none; the hint names the nearest.
    """
    by_name = {each.name: each for each in PRESETS}
    if name not in by_name:
        raise SpecError(f"There is no preset {str(name)[:80]!r}.", hint=nearest(name, by_name))
    return by_name[name]
