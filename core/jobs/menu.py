"""Which Menu of jobs workers and supervisor read, by the name of the variable that holds it. Tests bring their own."""

import os
from contextlib import suppress
from functools import cache
from pydoc import locate
from typing import Any

from core.errors import PoolError
from core.jobs.job import Job
from core.spec import parse_json

DEFAULT_MENU = "core.jobs.shipping:AnyJob"


def menu_name() -> str:
    """`module:name` of the Menu, from LAYERWISE_JOBS where it is set."""
    return os.environ.get("LAYERWISE_JOBS") or DEFAULT_MENU


@cache
def _menu(name: str) -> Any:
    menu = locate(name.replace(":", "."))
    if menu is None:
        raise PoolError(f"There is no Menu of jobs at {name}.", hint="Change or unset LAYERWISE_JOBS.")
    return menu


def get_ready() -> None:
    """Load the Menu, or the first job waits a second for it. One that is not there is told of when a job is asked for."""
    with suppress(PoolError):
        _menu(menu_name())


def parse_job(text: str) -> Job:
    """The job that this text describes.

    Raises:
        SpecError: it is not on the Menu, or a value is out of its bounds.
    """
    job: Job = parse_json(_menu(menu_name()), text)
    return job
