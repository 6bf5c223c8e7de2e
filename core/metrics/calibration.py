"""Whether a probability means what it says: reliability, expected calibration error, and the temperature that mends it."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
N_BINS = 15
COLDEST, HOTTEST = 0.01, 100.0
TemperatureNote = Literal["", "coldest", "hottest", "flat"]
"""Why a temperature is no inner optimum: it wanted to leave the range, or all temperatures are equally good."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """Examples in bins of equal width by the probability of the predicted class; B bins over [0, 1].

    `edges` (B + 1,); `counts` (B,) int64; `confidence` (B,) mean probability and `accuracy` (B,), NaN in an empty bin.
    """

    edges: Floats
    counts: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats


def bin_edges(n_bins: int = N_BINS) -> Floats:
    """(n_bins + 1,) from 0 to 1."""
    return np.linspace(0, 1, n_bins + 1)


def bin_of(confidence: Floats, n_bins: int = N_BINS) -> NDArray[np.int64]:
    """The bin (N,) of each confidence: from its lower edge up to below the upper one, the last including 1."""
    return np.clip(np.searchsorted(bin_edges(n_bins), confidence, side="right") - 1, 0, n_bins - 1).astype(np.int64)


def reliability(log_probabilities: Floats, labels: NDArray[np.int64], n_bins: int = N_BINS) -> Reliability:
    """How often the predicted class is right, beside how sure the model was. (N, K) and (N,)."""
    confidence, is_right = confidence_and_hits(log_probabilities, labels)
    places = bin_of(confidence, n_bins)
    counts = np.bincount(places, minlength=n_bins)
    n = np.where(counts == 0, np.nan, counts)
    return Reliability(
        bin_edges(n_bins),
        counts.astype(np.int64),
        np.bincount(places, confidence, n_bins) / n,
        np.bincount(places, is_right, n_bins) / n,
    )


def confidence_and_hits(log_probabilities: Floats, labels: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Probability (N,) of the predicted class, and 1 where it is the true one, else 0."""
    predicted = log_probabilities.argmax(1)
    return np.exp(log_probabilities.max(1)), (predicted == labels).astype(np.float64)


def expected_calibration_error(found: Reliability) -> float:
    """Distance of accuracy from confidence, averaged over examples by their bins; in [0, 1].

    Source:
        Naeini et al. 2015; Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3.
    """
    there = found.counts > 0
    gaps = np.abs(found.accuracy - found.confidence)[there]
    return float((gaps * found.counts[there]).sum() / found.counts.sum())


def at_temperature(log_probabilities: Floats, temperature: float) -> Floats:
    """Log-probabilities (N, K) of the softmax of the logits over this temperature: below 1 surer, above 1 less sure."""
    from scipy.special import log_softmax

    scaled: Floats = log_softmax(log_probabilities / temperature, axis=1)
    return scaled


def fitted_temperature(log_probabilities: Floats, labels: NDArray[np.int64]) -> tuple[float, TemperatureNote]:
    """The temperature in [0.01, 100] with the least log loss on these examples (N, K), (N,), and what is special about it.

    The log loss is convex in 1 / temperature, so there is one minimum.

    Source:
        Guo et al. 2017, section 4.2.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    if np.ptp(log_probabilities, axis=1).max(initial=0.0) < 1e-12:
        return 1.0, "flat"
    own = log_probabilities[np.arange(len(labels)), labels]

    def loss(log_temperature: float) -> float:
        inverse = math.exp(-log_temperature)
        return float((logsumexp(inverse * log_probabilities, axis=1) - inverse * own).mean())

    ends = (math.log(COLDEST), math.log(HOTTEST))
    found = float(minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-7}).x)
    # A minimum at an end is flat or falls toward it: the ends themselves decide.
    best = min((found, *ends), key=loss)
    if abs(best - ends[0]) < 1e-3 or loss(ends[0]) <= loss(found):
        return COLDEST, "coldest"
    if abs(best - ends[1]) < 1e-3 or loss(ends[1]) <= loss(found):
        return HOTTEST, "hottest"
    return math.exp(found), ""
