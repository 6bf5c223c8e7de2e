"""What is done to the examples before a model sees them; everything that is learned from data is learned from the training
split alone."""

from typing import Annotated, Literal

from pydantic import Field

from core.spec import Spec

Scaling = Literal["none", "unit", "standardise", "min_max"]


class Preparation(Spec):
    """How examples are made ready, always in this order: fill in, one-hot, scale, PCA; and noise on the training labels."""

    scaling: Scaling = "none"
    """none: as they are. unit: images from 0 to 1, tables divided by the largest absolute value of each column. standardise:
    mean 0 and standard deviation 1 for each column or channel. min_max: from 0 to 1 for each column or channel."""
    pca: Annotated[int, Field(ge=1, le=256)] | None = Field(None, title="PCA components")
    """Keep only so many principal components of the inputs; empty for all inputs as they are."""
    label_noise: float = Field(0.0, ge=0.0, le=0.5, multiple_of=0.05)
    """Share of the training labels that are replaced by another class: what a network makes of wrong labels."""
    impute: Literal["mean", "median", "most_frequent"] = Field("mean", title="fill gaps with")
    """What stands in for a missing number of a table; a missing category becomes the most frequent one."""
    one_hot: bool = Field(True, title="one-hot")
    """Each category of a column as an input of its own, 0 or 1; off: the number of the category."""
    scale_target: bool = True
    """Predict the number of a table in standard deviations from its training mean; off: in its own unit."""
