"""Random numbers that nobody else notices: numpy's global generator is lent and put back, torch's is left alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from core.seeds import stream_seed

if TYPE_CHECKING:
    import torch

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


def torch_generator(seed: int) -> "torch.Generator":
    """A generator of its own, from the "explain" stream; torch's global one is left alone."""
    import torch

    return torch.Generator().manual_seed(stream_seed(seed, "explain") % 2**63)
