"""Recording some work on the device once, to start it again as a whole: a launch for all kernels in place of one for each."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import torch

Work = Callable[[], None]
WARM_UPS = 3
TRIALS = 5


class Recorder(Protocol):
    """One way to record."""

    name: str

    def record(self, work: Work) -> Work:
        """What does the same as `work`, which reads and writes the same memory each time. Doing so runs it a few times."""


class CudaGraphs:
    """A CUDA graph, after a warm-up on a stream of its own, as torch asks for it."""

    name = "CUDA graph"

    def record(self, work: Work) -> Work:
        """As in Recorder."""
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UPS):
                work()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            work()
        replay: Work = graph.replay
        return replay


class Compiled:
    """torch.compile around the work, its kernels fused, then in a graph. Takes tens of seconds: for those who measure first."""

    name = "torch.compile"

    def __init__(self, inner: Recorder) -> None:
        self._inner = inner

    def record(self, work: Work) -> Work:
        """As in Recorder."""
        return self._inner.record(torch.compile(work))


def fastest(recorders: Sequence[Recorder], work: Work, synchronize: Work) -> tuple[Work, str]:
    """The work as recorded in the way that measures best, and the name of that way. One alone is not measured.

    A way that fails is passed over while there are others.

    Raises:
        RuntimeError: none of them can record it.
    """
    found: list[tuple[float, Work, str]] = []
    failure: RuntimeError | None = None
    for recorder in recorders:
        try:
            recorded = recorder.record(work)
            cost_s = _seconds(recorded, synchronize) if len(recorders) > 1 else 0.0
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            failure = error
        else:
            found.append((cost_s, recorded, recorder.name))
    if not found:
        raise failure or RuntimeError("there is no way to record")
    _, recorded, name = min(found, key=lambda one: one[0])
    return recorded, name


def _seconds(work: Work, synchronize: Work) -> float:
    """Median time of doing it."""
    times = []
    for _ in range(TRIALS):
        synchronize()
        began = time.perf_counter()
        work()
        synchronize()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
