"""Superpixels: an image cut into a few dozen patches that methods show and hide."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.explanation.explainer import Subject

if TYPE_CHECKING:
    import torch

    from core.explanation.evaluations import Evaluations

Cut = Literal["slic", "grid"]
"""How an image is cut into patches: along its edges, or into equal squares."""
FEWEST = 8
"""With fewer patches a map says next to nothing; a grid is better then."""
SMALLEST_SLIC_SIDE = 16
"""Below this SLIC makes every pixel or the whole image one patch."""
AT_ONCE = 24
"""Images with hidden patches that are made at once: thousands would be large."""


def superpixels(picture: np.ndarray, n_segments: int, compactness: float = 10.0) -> np.ndarray:
    """About `n_segments` patches of similar colour: (H, W) int32 with labels 0..M-1, each of them used.

    `picture` is (H, W) or (H, W, 3) in [0, 1]. Small pictures, and those where SLIC finds too few patches, get a grid.

    Source:
        Achanta et al. 2012, "SLIC superpixels compared to state-of-the-art superpixel methods".
    """
    from skimage.color import gray2rgb
    from skimage.segmentation import slic

    if min(picture.shape[:2]) < SMALLEST_SLIC_SIDE:
        return grid(picture.shape[:2], n_segments)
    # SLIC measures colour in Lab, where lightness goes to 100; without it compactness 10 would give a plain grid.
    colour = gray2rgb(picture) if picture.ndim == 2 else picture
    labels = slic(colour, n_segments=n_segments, compactness=compactness, sigma=1, start_label=0, channel_axis=-1)
    names, contiguous = np.unique(labels, return_inverse=True)
    if len(names) < min(FEWEST, n_segments):
        return grid(picture.shape[:2], n_segments)
    return contiguous.reshape(labels.shape).astype(np.int32)


def grid(shape: tuple[int, ...], n_segments: int) -> np.ndarray:
    """A square grid of at most about `n_segments` cells of at least 2 x 2 pixels: (H, W) int32, labels 0..M-1."""
    height, width = shape
    side = max(1, min(round(n_segments**0.5), min(height, width) // 2))
    rows, columns = np.arange(height) * side // height, np.arange(width) * side // width
    cells: np.ndarray = (rows[:, None] * side + columns[None, :]).astype(np.int32)
    return cells


def subject_segments(subject: Subject, n_segments: int, cut: Cut = "slic") -> np.ndarray:
    """The superpixels of the picture that the model received, (H, W) int32."""
    picture = _picture(subject)
    return superpixels(picture, n_segments) if cut == "slic" else grid(picture.shape[:2], n_segments)


def patch_worth(evaluations: "Evaluations", segments: np.ndarray, fill: "torch.Tensor") -> Callable[[np.ndarray], np.ndarray]:
    """What the model says while only some patches are seen: (N, M) bool -> (N,) float64. Hidden ones show `fill`
    (1, C, H, W)."""
    import torch

    subject, where = evaluations.subject, torch.from_numpy(segments).long()

    def worth(shown: np.ndarray) -> np.ndarray:
        parts = torch.split(torch.from_numpy(shown), AT_ONCE)
        images = (torch.where(part[:, where].unsqueeze(1), subject.x, fill) for part in parts)  # (N, C, H, W) each
        return np.concatenate([evaluations.logits(batch) for batch in images])

    return worth


def _picture(subject: Subject) -> np.ndarray:
    """The input as a picture in [0, 1]: (H, W) or (H, W, 3)."""
    values = subject.x[0].numpy()
    if subject.pixels is not None and subject.pixels.shape[:2] == values.shape[1:]:
        return subject.pixels / 255.0
    span = float(values.max() - values.min()) or 1.0
    scaled: np.ndarray = (values - values.min()) / span
    return scaled.transpose(1, 2, 0) if len(scaled) == 3 else scaled[0]
