"""What became of a run that ended early, and the button that makes it go on from its last checkpoint."""

from functools import lru_cache

import streamlit as st

from core.errors import StoreError
from core.events import Resume
from core.jobs.pool.recovery import newest_whole
from core.jobs.resuming import ENDED_EARLY, last_word, reason_against_resume, reason_of
from core.store.artifacts import ArtifactFiles
from core.store.protocol import RunRecord
from dashboard.session import resources
from dashboard.session.visitor import may_change
from dashboard.text import _
from dashboard.widgets.run_controls import send

MAX_KEPT = 64


def resume(record: RunRecord | None, *, key: str) -> None:
    """A banner for a run of this visitor that was stopped, failed or lost its worker, and can go on; nothing for others."""
    if record is None or record.state not in ENDED_EARLY or not may_change(record):
        return
    try:
        if reason_against_resume(last_word(resources.reader(), record))[0]:
            return
        step = _checkpoint_step(record.id, record.generation, record.last_seq)
    except StoreError:  # written by another version: nothing can go on from it
        return
    with st.container(key=f"{key}.banner", border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        with st.container(gap="xsmall"):
            st.text(_what(record, reason_of(resources.reader(), record)))
            st.text(_where(step, record.last_step))
        st.button(
            _("Resume"),
            key=f"{key}.go_on",
            icon=":material/play_arrow:",
            on_click=send,
            args=(record.id, Resume()),
            width="content",
        )


@lru_cache(maxsize=MAX_KEPT)
def _checkpoint_step(run: str, generation: int, last_seq: int) -> int | None:
    """The step from which the run would go on; None where it has no checkpoint. Its file is read once."""
    newest = newest_whole(resources.reader(), ArtifactFiles(resources.settings().home), run)
    return newest.step if newest else None


def _what(record: RunRecord, reason: str) -> str:
    """What happened, in words."""
    if record.state == "stopped":
        told = _("This run was stopped after step {step}.")
    elif record.state == "interrupted":
        told = _("This run was interrupted after step {step}.")
    else:
        told = _("This run failed after step {step}.")
    return f"{told.format(step=f'{record.last_step:,}')} {reason}".strip()


def _where(step: int | None, last: int) -> str:
    """From where it would go on."""
    if not step:
        return _("It has no checkpoint with training in it yet: Resume starts it over from step 0.")
    if step == last:
        return _("Its last checkpoint is of that step: Resume goes on from there, as if there had been no break.")
    words = _("Its last checkpoint is of step {step}: Resume goes on from there and makes the later steps again, the same.")
    return words.format(step=f"{step:,}")
