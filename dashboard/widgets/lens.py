"""A look through a lens: the job is asked for once, its progress is shown with a stop button, then its result."""

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import streamlit as st

from core.errors import LayerwiseError
from core.events import Failed
from core.jobs.lenses import RESULT, LensJob
from core.jobs.long_lens import LongLensJob
from core.results.codec import load_result
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.session import pace, resources
from dashboard.text import _
from dashboard.widgets.failure import failure
from dashboard.widgets.lens_wait import is_given_up, wait_for, want_again

R = TypeVar("R")
SMALL_BYTES, KEPT_BYTES = 256 * 2**10, 2 * 2**20
"""Larger results are read again from their file with every click: the page's process serves everybody."""
ASKED, WANTED = "lens.asked.", "lens.wanted."
AGAIN = ("", "")
"""In place of job and run: the supervisor is asked, which looks whether the files of an answer are whole."""
PATIENCE_S = 0.25
"""What was just asked for is waited for this long, so that a quick lens shows no progress bar. All of one page together."""
PATIENT_PAGES = 8
"""With more pages that look again by themselves, answers take longer than anybody should wait: the page says that it waits."""
WAITING, LOOK_S = "lens.waiting_since", 0.025


def look(job: LensJob, wanted: type[R], show: Callable[[R], None], *, key: str) -> None:
    """Show the result of a lens job as soon as it is there; until then progress and a stop button.

    Equal jobs are computed once per server: the supervisor answers with the run that has the result.
    """
    asked = ASKED + key

    def ask_again() -> None:
        st.session_state[asked] = AGAIN
        want_again(key)

    try:
        run, record = _asked(job, asked)
        is_left = record is not None and is_given_up(record, key)
        if record is not None and record.state in UNFINISHED and not is_left:
            record = _awaited(record)
        result = _result(run, wanted) if record is not None and record.state == "finished" else None
    except LayerwiseError as error:
        failure(error)
        st.button(_("Try again"), key=f"{key}.retry", on_click=ask_again, icon=":material/refresh:")
        return
    if result is not None:
        show(result)
    elif record is None or (record.state in UNFINISHED and not is_left):
        wait_for(run, record, key, is_long=isinstance(job, LongLensJob))
    else:
        _ended(record, key, ask_again)


def ask_together(jobs: Mapping[str, LensJob]) -> None:
    """Ask for the jobs of several looks, by their keys, at once and in this order; one after the other each would wait for the
    supervisor. What goes wrong is said where it is looked at, which asks for it again.
    """
    new = {key: job for key, job in jobs.items() if st.session_state.get(ASKED + key, AGAIN)[0] != job.key()}
    if len(new) < 2:
        return
    _begin_to_wait()
    try:
        answers = resources.client().submit_all(list(new.values()))
    except LayerwiseError:  # each look meets it too, and shows it at its place
        return
    for (key, job), answer in zip(new.items(), answers, strict=True):
        if isinstance(answer, str):
            st.session_state[ASKED + key] = (job.key(), answer)


def _begin_to_wait() -> None:
    """From now on, unless another lens of this page is waited for already."""
    if time.monotonic() - st.session_state.get(WAITING, 0.0) > 2 * PATIENCE_S:
        st.session_state[WAITING] = time.monotonic()


def is_wanted(job: LensJob, *, key: str) -> bool:
    """Whether this visitor has pressed the button that asks for this very job: dear work begins with one."""
    return bool(st.session_state.get(WANTED + key) == job.key())


def want(job: LensJob, key: str) -> None:
    """The callback of that button."""
    st.session_state[WANTED + key] = job.key()


def _awaited(record: RunRecord) -> RunRecord:
    """The row once the run has ended, or after a moment of waiting since the first of the lenses of this page was asked for."""
    since = st.session_state.get(WAITING, 0.0)
    patience_s = PATIENCE_S if pace.n_looking() <= PATIENT_PAGES else 0.0
    while record.state in UNFINISHED and time.monotonic() - since < patience_s:
        time.sleep(LOOK_S)
        record = resources.reader().run(record.id) or record
    return record


def _asked(job: LensJob, asked: str) -> tuple[str, RunRecord | None]:
    """The run of this job and its row, asking for it when this session has not yet, or when it was forgotten meanwhile."""
    job_key = job.key()
    known: tuple[str, str] | None = st.session_state.get(asked)
    record = resources.reader().run(known[1]) if known and known[0] == job_key else None
    if record is None:
        record = None if known == AGAIN else _answered(job)
        if record is None:
            _begin_to_wait()
            run = resources.client().submit(job)
            record = resources.reader().run(run)
        else:
            run = record.id
        known = st.session_state[asked] = (job_key, run)
    return known[1], record


def _answered(job: LensJob) -> RunRecord | None:
    """The run that has this answer already: it is only read. The supervisor would say the same, and take its time."""
    record = resources.reader().by_key(job.key()) if job.has_lasting_answer else None
    return record if record is not None and record.state == "finished" else None


def _ended(record: RunRecord, key: str, ask_again: Callable[[], None]) -> None:
    """A run without a result: stopped by hand, or failed."""
    ends = [logged.event for logged in resources.reader().events(record.id, name="Failed")]
    if ends and isinstance(ends[-1], Failed):
        failure(ends[-1])
    else:
        is_stopped = record.state == "stopped" or record.state in UNFINISHED
        st.info(_("Stopped.") if is_stopped else _("This was interrupted."), icon=":material/stop_circle:")
    st.button(_("Compute it"), key=f"{key}.again", on_click=ask_again, icon=":material/refresh:")


def _result(run: str, wanted: type[R]) -> R:
    """The result of a finished run."""
    size = sum(saved.n_bytes for saved in resources.reader().artifacts(run))
    read = _kept_small if size <= SMALL_BYTES else _kept if size <= KEPT_BYTES else _loaded
    return read(run, wanted)


def _loaded(run: str, wanted: type[Any]) -> Any:
    return load_result(wanted, resources.client().artifact_bytes(run, RESULT))


_kept_small, _kept = lru_cache(maxsize=256)(_loaded), lru_cache(maxsize=32)(_loaded)
"""A visitor comes back to a result with every click, and thirty visitors have some ten small ones each before them."""
