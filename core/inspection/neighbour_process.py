"""A process of its own for t-SNE and UMAP: they cannot be interrupted from inside, and UMAP needs its compiler.

Asked by `core.inspection.neighbour_maps`: one frame comes on standard input, one goes out on standard output for each moment.
A frame is its length in 8 bytes, then an NPZ or NPY file without pickle. Standard input stays open as long as anybody waits.
"""

import io
import json
import os
import sys
import threading
from typing import Any, BinaryIO

import numpy as np

SPREAD = 1e-4
"""Standard deviation of the places at which t-SNE begins, as scikit-learn advises."""
ITERATIONS, ITERATIONS_WARM = 1000, 500
"""Of t-SNE: for the first moment, and for those that begin where the one before them ended."""
EXIT_ORPHAN = 75


def t_sne(features: np.ndarray, start: np.ndarray, seed: int, *, perplexity: float, max_iter: int) -> np.ndarray:
    """Places (N, d) float32 of points (N, k), beginning at `start` (N, d)."""
    from sklearn.manifold import TSNE

    begin = ((start - start.mean(0)) / start.std(0)[0] * SPREAD).astype(np.float32)
    how = {"perplexity": perplexity, "max_iter": max_iter, "init": begin, "random_state": seed, "n_jobs": 1}
    places: np.ndarray = TSNE(start.shape[1], **how).fit_transform(features)
    return places


def u_map(features: np.ndarray, start: np.ndarray, seed: int, *, n_neighbors: int, min_dist: float) -> np.ndarray:
    """Places (N, d) float32 of points (N, k), beginning at `start` (N, d).

    The neighbours are found exactly, by scikit-learn: UMAP's own search would be compiled for 14 s first.
    """
    import umap
    from sklearn.neighbors import NearestNeighbors

    far, near = NearestNeighbors(n_neighbors=n_neighbors).fit(features).kneighbors(features)
    how = {"n_neighbors": n_neighbors, "min_dist": min_dist, "init": start, "random_state": seed, "n_jobs": 1}
    known = {"precomputed_knn": (near, far.astype(np.float32)), "force_approximation_algorithm": True}
    places: np.ndarray = umap.UMAP(n_components=start.shape[1], **how, **known).fit_transform(features)
    return places.astype(np.float32)


def chain(ask: dict[str, Any], features: np.ndarray, start: np.ndarray) -> Any:
    """Yields the places (N, d) of each moment of `features` (M, N, k); each moment begins where the one before it ended."""
    for moment, points in enumerate(features):
        begin = distinct(start, ask["seed"])
        if ask["method"] == "tsne":
            max_iter = ITERATIONS_WARM if moment else ITERATIONS
            start = t_sne(points, begin, ask["seed"], max_iter=max_iter, **ask["settings"])
        else:
            start = u_map(points, begin, ask["seed"], **ask["settings"])
        yield start


def distinct(start: np.ndarray, seed: int) -> np.ndarray:
    """Places to begin at that differ along every axis: where they do not, a little noise."""
    spread = start.std(0)
    if (spread > 0).all():
        return start.astype(np.float32)
    noise = np.random.default_rng(seed).normal(size=start.shape) * (1e-2 * spread.max() or 1.0)
    return np.where(spread > 0, start, noise).astype(np.float32)


def read_frame(stream: BinaryIO) -> bytes:
    """The next frame; shorter than it should be, or empty, when the other side is gone."""
    head = stream.read(8)
    return stream.read(int.from_bytes(head, "little")) if len(head) == 8 else b""


def write_frame(stream: BinaryIO, data: bytes) -> None:
    stream.write(len(data).to_bytes(8, "little") + data)
    stream.flush()


def _end_with(stream: BinaryIO) -> None:
    """Ends this process when nobody is on the other side any more."""
    stream.read()
    os._exit(EXIT_ORPHAN)


def _keep_compiled() -> None:
    """Let numba keep all that it compiles: a third of what UMAP needs is not marked to be kept, and costs 15 s each time."""
    import numba

    plain = numba.njit

    def njit(*positional: Any, **named: Any) -> Any:
        return plain(*positional, **({"cache": True} | named))

    numba.njit = njit


def main() -> None:
    """Answer one request."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not stand between the frames
    asked = np.load(io.BytesIO(read_frame(sys.stdin.buffer)), allow_pickle=False)
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    ask = json.loads(asked["ask"].tobytes())
    if ask["method"] == "umap" and os.environ.get("NUMBA_DISABLE_JIT") != "1":
        _keep_compiled()
    for places in chain(ask, asked["features"], asked["start"]):
        buffer = io.BytesIO()
        np.save(buffer, places, allow_pickle=False)
        write_frame(answers, buffer.getvalue())
    answers.flush()
    os._exit(0)  # the thread still reads


if __name__ == "__main__":
    main()
