"""Which ended runs can go on, and what is said of the others."""

from core.events import Failed, Finished, Noticed
from core.store.protocol import RunReader, RunRecord

ENDED_EARLY = ("stopped", "failed", "interrupted")
"""States in which a run may be resumed."""
AGAIN = frozenset(
    {
        *("out-of-memory", "hung", "cuda-error", "worker-lost", "bug"),
        *("store-error", "missing-data", "pool-error", "missing-package"),
    }
)
"""Codes of failures that need not come again: the place was wrong, not what was asked for."""


def reason_against_resume(end: Finished | Failed | None) -> tuple[str, str]:
    """Why a run that ended so cannot go on, and what to do instead; empty texts where it can.

    Args:
        end: the last word of its log; None where it has none.
    """
    match end:
        case Finished(reason="stopped") | None:
            return "", ""
        case Finished():
            return (
                "This run has done all that it was asked for: there is nothing left to resume.",
                "Fork it from its last moment to train for longer.",
            )
        case Failed(code="diverged"):
            return (
                "This run diverged, and would diverge again at the same step.",
                "Fork it from a kept moment, with a smaller learning rate.",
            )
        case Failed(code=code) if code not in AGAIN:
            return f"This run would fail again in the same way: {end.message}", end.hint
    return "", ""


def last_word(store: RunReader, record: RunRecord) -> Finished | Failed | None:
    """How an ended run ended; None where its log does not say so.

    Raises:
        StoreError: its log cannot be read.
    """
    last = store.events(record.id, record.last_seq - 1)
    return last[-1].event if last and isinstance(last[-1].event, (Finished, Failed)) else None


def reason_of(store: RunReader, record: RunRecord) -> str:
    """Why an ended run ended, in a sentence; empty where somebody just stopped it."""
    for logged in reversed(store.events(record.id, record.last_seq - 2)):
        event = logged.event
        if isinstance(event, Failed) or (isinstance(event, Noticed) and event.severity == "warning"):
            return event.message
    return ""


def resumed_from(step: int) -> Noticed:
    """What stands in the log where an ended run was taken up again."""
    if not step:
        return Noticed("info", "resumed", "This run was resumed. It had no checkpoint yet, so it starts over from step 0.")
    return Noticed("info", "resumed", f"This run was resumed from its checkpoint after step {step:,}.")
