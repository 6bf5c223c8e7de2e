"""What attackers send, and how: an experiment as JSON with one wrong thing in it, by link, by file and to the supervisor."""

import base64
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from core.errors import LayerwiseError, SpecError
from core.experiment.check import checked
from core.experiment.codec import LINK_PREFIX, file_text, from_file_text, from_link_text
from core.experiment.experiment import Experiment
from core.jobs.menu import parse_job
from core.settings import Settings

MIB = 2**20
T = TypeVar("T")
SCRIPT = "</script><img src=x onerror=window.hit=1>"
NAMES = {
    "script": "<script>window.hit=1</script>",
    "image": "<img src=x onerror=window.hit=1>",
    "link": "[x](javascript:window.hit=1) ![y](http://evil.example/y.png)",
    "formula": "=cmd|'/c calc'!A1",
    "code": "'); import os; os.mkdir('hit') #",
    "direction": "abc\u202egpj.exe",
    "terminal": "\x1b[31mred\x1b]0;hit\x07",
    "lines": "a\nb\r\nc\u2028d\x00e",
    "ligature": "\ufb01\U0001d400\U0001f600",
    "template": "{name} {0} %s ${x} {{7*7}}",
}


def as_json(experiment: Experiment, **changes: Any) -> str:
    """The experiment as JSON with values replaced by raw JSON text: `as_json(e, **{"lanes.0.optimizer.lr": "1e999"})`."""
    fields = json.loads(file_text(experiment))
    for place, (where, _) in enumerate(changes.items()):
        at, *rest = where.split(".")
        target, key = fields, at
        for step in rest:
            target, key = target[int(key) if key.isdigit() else key], step
        target[int(key) if key.isdigit() else key] = f"@{place}@"
    text = json.dumps(fields)
    for place, raw in enumerate(changes.values()):
        text = text.replace(f'"@{place}@"', raw)
    return text


def link(text: str | bytes) -> str:
    """JSON as a link, whatever it says."""
    plain = text.encode() if isinstance(text, str) else text
    return LINK_PREFIX + base64.urlsafe_b64encode(zlib.compress(plain, 9)).decode().rstrip("=")


def job_text(text: str) -> str:
    return f'{{"kind":"train","experiment":{text}}}'


def refusals(text: str, settings: Settings) -> list[SpecError]:
    """The errors that an experiment as JSON ends in by every way in which it can come: file, link, request for a run."""

    def by_file() -> None:
        checked(from_file_text(text), settings)

    def by_link() -> None:
        checked(from_link_text(link(text)), settings)

    def by_request() -> None:
        parse_job(job_text(text)).check(settings)

    found = []
    for way in (by_file, by_link, by_request):
        try:
            way()
        except SpecError as error:
            found.append(error)
        else:
            raise AssertionError(f"{way.__name__} lets it in")
    return found


def is_sentence(error: LayerwiseError) -> bool:
    """Whether a person can use this refusal."""
    return bool(error.hint) and 10 < len(str(error)) < 700 and "Traceback" not in str(error) and "\u202e" not in str(error)


def result_or_sentence(act: Callable[[], T]) -> T | None:
    """What `act` gives; None where it refuses in words. Every other error is a fault."""
    try:
        return act()
    except LayerwiseError as error:
        if not is_sentence(error):
            raise
        return None


@contextmanager
def little_memory(most: int = 50 * MIB) -> Iterator[None]:
    """Fails where more than `most` bytes were held by Python and numpy at once within."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak / MIB:,.0f} MB"
