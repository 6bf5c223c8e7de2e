"""What is said of an exception that ends a job: in words for whoever looks at the run, with its traceback in the log alone."""

import logging
import re

from core.errors import LayerwiseError
from core.events import Failed
from core.jobs.work.limits import is_memory_spent

LOG = logging.getLogger(__name__)

_NO_MEMORY = re.compile(r"out of memory|not enough memory|(can't|cannot|unable to) allocate", re.IGNORECASE)
_GPU = re.compile(r"CUDA|CUBLAS_STATUS|CUDNN_STATUS|cuDNN|NCCL error|device-side assert")
GPU_FAILED = "cuda-error"
MAX_TOLD = 160
"""Letters of an exception's own words."""


def failed(error: Exception, step: int) -> Failed:
    """The end of a job that raised `error` after `step`."""
    if isinstance(error, LayerwiseError):
        return Failed(kebab(type(error).__name__), error.message, error.hint, step)
    is_of_gpu = isinstance(error, RuntimeError) and _GPU.search(str(error)) is not None
    # a library that runs out of memory while it is being imported may not know what hit it
    is_dazed = isinstance(error, (SystemError, ImportError)) and is_memory_spent()
    if is_dazed or isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
        bound = "than the GPU has free" if is_of_gpu else "than a worker may take"
        return Failed("out-of-memory", f"The run needed more memory {bound}.", "Choose a smaller batch or model.", step)
    LOG.error("a job failed after step %d", step, exc_info=error)
    if is_of_gpu:
        hint = "What it learned is kept up to its last checkpoint. Resume it: it goes on in a new process."
        return Failed(GPU_FAILED, f"The GPU failed: {told(error)}", hint, step)
    message = f"Something went wrong inside Layerwise: {type(error).__name__}: {told(error)}"
    return Failed("bug", message, "The log of the workers says where: please report it.", step)


def spoils_its_process(end: Failed) -> bool:
    """Whether nothing that comes after it in the same process can be trusted: a GPU that failed stays failed there."""
    return end.code == GPU_FAILED


def kebab(name: str) -> str:
    """`NotApplicable` as `not-applicable`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()


def told(error: Exception) -> str:
    """The first line of an exception's own words, as a sentence that may be shown."""
    line = next(iter(str(error).strip().splitlines()), "")
    plain = "".join(letter for letter in line if letter.isprintable())
    short = plain if len(plain) <= MAX_TOLD else f"{plain[:MAX_TOLD]}…"
    return short if short.endswith((".", "…")) else f"{short}."
