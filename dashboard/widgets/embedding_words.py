"""An embedding in words: how far to trust the picture, what its axes are, and what not to read into it."""

import math

from core.results.embedding import Embedding
from dashboard.text import _

GOOD, FAIR = 0.95, 0.85
"""Trustworthiness from which nearly all, or most, of the drawn neighbours are real."""


def axes(found: Embedding, name: str) -> list[str]:
    """What the axes are called."""
    if found.method != "pca":
        return [_("{name} {n} (no unit)").format(name=name, n=axis + 1) for axis in range(found.positions.shape[2])]
    shares = [*found.explained.tolist(), 0.0, 0.0, 0.0]
    return [
        _("{name} {n}, {share:.0%} of the variance").format(name=name, n=axis + 1, share=shares[axis])
        for axis in range(found.positions.shape[2])
    ]


def trust_words(found: Embedding, moment: int) -> str:
    """How far to trust the picture of one moment."""
    trust, kept, k = found.trustworthiness[moment], found.kept_neighbors[moment], found.n_neighbors
    if math.isnan(trust):
        return _("At this moment the layer gives the same for all of these examples: all points are one.")
    if trust >= GOOD:
        meaning = _("nearly all points that are drawn near each other are near in the layer too")
    elif trust >= FAIR:
        meaning = _("most points that are drawn near each other are near in the layer too, some are not")
    else:
        meaning = _(
            "many points that are drawn near each other are far apart in the layer: do not read groups into this picture"
        )
    return _(
        "Trustworthiness {trust:.2f} (1 is perfect, about 0.5 is chance): {meaning}. Of the {k} nearest neighbours in the "
        "picture, {near:.1f} are among the {k} nearest in the layer."
    ).format(trust=trust, meaning=meaning, k=k, near=kept * k)


def basis_words(found: Embedding, moment: int) -> str:
    """What the axes are, and what is comparable between moments."""
    n, share, then = len(found.steps), float(found.explained.sum()), found.explained_then[moment]
    if found.method == "pca":
        words = _(
            "The layer gives {f:,} numbers per example. The picture shows {share:.0%} of how they vary, along the directions "
            "in which they vary most"
        ).format(f=found.n_features, share=share)
        if n == 1:
            return words + "."
        words += _(
            " over {n} moments together: one basis for all, each around its own mean, so that places can be compared."
        ).format(n=n)
        if math.isfinite(then):
            words += _(" At this moment it is {then:.0%}.").format(then=then)
        return words
    words = _("The layer gives {f:,} numbers per example").format(f=found.n_features)
    if len(found.explained) < found.n_features:
        words += _(", of which the first {k} principal components, {share:.0%} of the variance, are drawn").format(
            k=len(found.explained), share=share
        )
    words += _(". The axes have no unit; sizes of groups, and distances between them, mean little.")
    if n > 1:
        words += _(
            " The first of {n} moments begins at its principal components, each other one where the one before it ended; then "
            "it is turned, mirrored and scaled to lie over that one as well as it can (Procrustes)."
        ).format(n=n)
    return words


def chosen_words(found: Embedding, place: int) -> str:
    """What the ring is, and what a click does."""
    if place < 0:
        return _(
            "The chosen example is not among these points. Click one to choose it: every lens, and Explain, then look at it."
        )
    return _("The ring marks the chosen example. Click another one to choose it: every lens, and Explain, then look at it.")
