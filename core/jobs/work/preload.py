"""Imported once by the forkserver: what every worker needs, so that a fork has it at once.

Nothing here may start a thread or touch a GPU: no optimizer step, no `torch.cuda.is_available()`.
"""

import gc
import importlib
import logging
import os

LOG = logging.getLogger(__name__)

DEFAULT = (
    "torch",
    "torch._dynamo",  # the first optimizer would import it, which costs 3.7 s
    "torch.optim",
    "torch.nn.functional",
    "safetensors.torch",
    "core.jobs.work.worker",
    "core.jobs.shipping",
    "core.training.loop",
)


def module_names() -> tuple[str, ...]:
    """What to import, from LAYERWISE_PRELOAD (comma-separated) where it is set."""
    chosen = os.environ.get("LAYERWISE_PRELOAD")
    return DEFAULT if chosen is None else tuple(name for name in chosen.split(",") if name)


def preload() -> None:
    """Import all of them. One that fails must not take the pool down: the job that needs it fails in words.

    A supervisor that is killed meanwhile is missed between two of them: only later the forkserver waits for its end.
    """
    supervisor = os.getppid()
    for name in module_names():
        if os.getppid() != supervisor:
            os._exit(0)
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  any error at all would end the forkserver
            LOG.warning("%s could not be preloaded: %s", name, error)
    gc.collect()
    gc.freeze()  # what is shared now is not copied by a collection in a worker


preload()
