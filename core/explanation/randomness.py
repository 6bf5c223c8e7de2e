"""Seeding numpy's global generator for the libraries that draw from it, without anybody else noticing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from core.seeds import stream_seed

_lock = threading.RLock()


def explain_seed(seed: int) -> int:
    """The seed of the "explain" stream as numpy's old generators take it, in [0, 2**32)."""
    return stream_seed(seed, "explain") % 2**32


@contextmanager
def seeded_numpy(seed: int) -> Iterator[int]:
    """numpy's global generator seeded from the "explain" stream, one user at a time; its state is put back at the end.

    Gives the seed, for libraries that seed the generator again themselves (shap does).
    """
    with _lock:
        state = np.random.get_state()
        np.random.seed(explain_seed(seed))
        try:
            yield explain_seed(seed)
        finally:
            np.random.set_state(state)
