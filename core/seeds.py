"""Named random streams from one seed, so that changing one thing (the batch order) never changes another (the start)."""

import hashlib
from typing import Literal

import numpy as np

Stream = Literal["data", "split", "init", "batches", "dropout", "probe", "explain", "augment", "label_noise"]


def stream_seed(seed: int, stream: Stream, repeat: int = 0) -> int:
    """The seed of one named stream, in [0, 2**63). Equal arguments give equal seeds on every machine."""
    digest = hashlib.sha256(f"layerwise:{seed}:{stream}:{repeat}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def numpy_stream(seed: int, stream: Stream, repeat: int = 0) -> np.random.Generator:
    """A numpy generator for one named stream."""
    return np.random.default_rng(stream_seed(seed, stream, repeat))
