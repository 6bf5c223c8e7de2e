"""Disturbances: what may befall an input after training. What is done, without torch; disturb.py does it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from core.data.dataset import DataProfile, Modality
from core.spec import Choice, on_menu

NAMES: dict[Modality, str] = {"image": "images", "points": "points", "tabular": "tables", "sequence": "texts"}


class DisturbanceChoice(Choice):
    """One kind of disturbance, with a strength from 0, which leaves the input as it is, to `strongest`."""

    unit: ClassVar[str]
    """Of the strength."""
    fits: ClassVar[tuple[Modality, ...]]
    """Which examples, as they are before any preparation, it can be done to."""
    strongest: float
    """Greatest strength that is tried."""

    def reason_against(self, original: DataProfile, prepared: DataProfile) -> str | None:
        """Why it cannot be done to these data; None when it can."""
        if original.modality in self.fits:
            return None
        kinds = " and ".join(NAMES[one] for one in self.fits)
        return f"{self.label} is for {kinds}, and these data are {NAMES[original.modality]}."


class PixelNoise(DisturbanceChoice):
    """Every pixel gets brighter or darker by a random amount, as in a picture taken in the dark."""

    kind: Literal["pixel_noise"] = "pixel_noise"
    label: ClassVar[str] = "Noise"
    unit: ClassVar[str] = "grey levels of 255, standard deviation"
    fits: ClassVar[tuple[Modality, ...]] = ("image",)

    strongest: float = Field(120.0, ge=1.0, le=512.0)
    """Greatest standard deviation that is tried, in grey levels of 255."""


class Blur(DisturbanceChoice):
    """Out of focus: every pixel becomes a mean of its neighbours, weighted by a Gaussian."""

    kind: Literal["blur"] = "blur"
    label: ClassVar[str] = "Blur"
    unit: ClassVar[str] = "pixels, standard deviation"
    fits: ClassVar[tuple[Modality, ...]] = ("image",)

    strongest: float = Field(3.0, ge=0.1, le=20.0)
    """Greatest standard deviation of the Gaussian that is tried, in pixels."""


class Turn(DisturbanceChoice):
    """Turned around the middle, half of the pictures to the left and half to the right; what turns in from outside is black."""

    kind: Literal["turn"] = "turn"
    label: ClassVar[str] = "Rotation"
    unit: ClassVar[str] = "degrees"
    fits: ClassVar[tuple[Modality, ...]] = ("image",)

    strongest: float = Field(90.0, ge=1.0, le=360.0)
    """Greatest angle that is tried, in degrees."""


class Patch(DisturbanceChoice):
    """A square at a random place of each picture is covered with the mean colour of the training pictures."""

    kind: Literal["patch"] = "patch"
    label: ClassVar[str] = "Occlusion"
    unit: ClassVar[str] = "share of the picture that is covered"
    fits: ClassVar[tuple[Modality, ...]] = ("image",)

    strongest: float = Field(0.6, ge=0.01, le=1.0)
    """Greatest share of the picture that is covered."""


class FastGradientSign(DisturbanceChoice):
    """Every pixel moves by the same small amount, up or down as it hurts the model most: an attack that knows the weights."""

    kind: Literal["fgsm"] = "fgsm"
    label: ClassVar[str] = "Attack (FGSM)"
    source: ClassVar[str] = "Goodfellow, Shlens and Szegedy 2015, Explaining and Harnessing Adversarial Examples"
    unit: ClassVar[str] = "grey levels of 255"
    fits: ClassVar[tuple[Modality, ...]] = ("image",)

    strongest: float = Field(24.0, ge=0.5, le=255.0)
    """Greatest change of a pixel that is tried, in grey levels of 255."""

    def reason_against(self, original: DataProfile, prepared: DataProfile) -> str | None:
        """Principal components are no pixels."""
        if original.modality == "image" and prepared.modality != "image":
            return "The model sees principal components and no pixels: the attack on columns is the one that fits."
        return super().reason_against(original, prepared)


class ColumnNoise(DisturbanceChoice):
    """Every number is off by a random amount, as if measured badly. Categories and gaps stay."""

    kind: Literal["column_noise"] = "column_noise"
    label: ClassVar[str] = "Noise on numbers"
    unit: ClassVar[str] = "standard deviations of the column in the training data"
    fits: ClassVar[tuple[Modality, ...]] = ("points", "tabular")

    strongest: float = Field(1.2, ge=0.01, le=10.0)
    """Greatest standard deviation of the noise that is tried, in those of the column."""

    def reason_against(self, original: DataProfile, prepared: DataProfile) -> str | None:
        """A table of categories alone has no numbers."""
        if original.categories and all(original.categories):
            return "All columns of this table are categories: there is no number to disturb."
        return super().reason_against(original, prepared)


class FastGradientSignColumns(DisturbanceChoice):
    """Every input of the model moves by the same small amount, up or down as it hurts most. Inputs need not stay possible."""

    kind: Literal["fgsm_columns"] = "fgsm_columns"
    label: ClassVar[str] = "Attack on columns (FGSM)"
    source: ClassVar[str] = "Goodfellow, Shlens and Szegedy 2015, Explaining and Harnessing Adversarial Examples"
    unit: ClassVar[str] = "standard deviations of the input in the training data"
    fits: ClassVar[tuple[Modality, ...]] = ("points", "tabular")

    strongest: float = Field(0.6, ge=0.01, le=10.0)
    """Greatest change of an input that is tried, in its standard deviations."""

    def reason_against(self, original: DataProfile, prepared: DataProfile) -> str | None:
        """Also for principal components of pictures."""
        if original.modality == "image" and prepared.modality != "image":
            return None
        return super().reason_against(original, prepared)


class TokenDropping(DisturbanceChoice):
    """Tokens get lost at random; the others move together. At least one stays."""

    kind: Literal["token_dropping"] = "token_dropping"
    label: ClassVar[str] = "Lost words"
    unit: ClassVar[str] = "chance of each token to be lost"
    fits: ClassVar[tuple[Modality, ...]] = ("sequence",)

    strongest: float = Field(0.9, ge=0.05, le=1.0)
    """Greatest chance that is tried."""


AnyDisturbance = Annotated[
    PixelNoise | Blur | Turn | Patch | FastGradientSign | ColumnNoise | FastGradientSignColumns | TokenDropping, on_menu()
]
"""Every disturbance, in the order in which the page offers them."""
