"""Secrets of the server, from the environment alone. They are shown nowhere, logged nowhere, and given to no other process."""

import os
from dataclasses import dataclass, field
from functools import cache


@dataclass(frozen=True, slots=True)
class Secrets:
    """Each is empty where it is not set."""

    access_code: str = field(default="", repr=False)
    """`LAYERWISE_ACCESS_CODE`: what a visitor types before anything is shown; empty for an open server."""
    host_key: str = field(default="", repr=False)
    """`LAYERWISE_HOST_KEY`: makes a visitor the host, who sees the health page and may stop any run."""


@cache
def secrets() -> Secrets:
    """The secrets of this process, read once."""
    return Secrets(os.environ.get("LAYERWISE_ACCESS_CODE", "").strip(), os.environ.get("LAYERWISE_HOST_KEY", "").strip())
