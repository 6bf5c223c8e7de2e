"""What one visitor may have, and the refusals, with numbers and what to do. Pure."""

from core.errors import TooExpensive
from core.experiment.need import Need
from core.jobs.pool.engine import Lane
from core.jobs.pool.scheduling import MAX_CHECKPOINTS, MIN_CHECKPOINTS
from core.settings import Settings
from core.store.usage import Usage

MB = 2**20


def check_visitor(lane: Lane, usage: Usage, settings: Settings) -> None:
    """Refuse one more unfinished run of a visitor.

    Raises:
        TooExpensive: the visitor has as many as one may have.
    """
    if lane == "lens":
        _check_number(
            usage.n_lens_unfinished,
            settings.visitor_lens_unfinished,
            "{n:,} of your questions are still being worked on, the limit is {limit:,}.",
            "Wait until some are answered, or stop some.",
        )
    else:
        _check_number(
            usage.n_unfinished,
            settings.visitor_unfinished,
            "{n:,} of your runs have not ended yet, the limit for one visitor is {limit:,}.",
            "Wait until one ends, or stop one.",
        )


def check_kept(usage: Usage, upload_bytes: int, expected_bytes: int, settings: Settings) -> None:
    """Refuse one more run of a visitor that is kept.

    Args:
        upload_bytes: files that the visitor has sent.
        expected_bytes: what this run and the visitor's unfinished ones may come to write.

    Raises:
        TooExpensive: the visitor keeps as many runs, or as many bytes, as one may.
    """
    _check_number(
        usage.n_runs,
        settings.visitor_runs,
        "You keep {n:,} runs, the limit for one visitor is {limit:,}.",
        "Delete some that you no longer need on the Runs screen.",
    )
    stored_mb, expected_mb, limit_mb = (usage.n_bytes + upload_bytes) / MB, expected_bytes / MB, settings.visitor_stored_mb
    if stored_mb + expected_mb > limit_mb:
        raise TooExpensive(
            f"Your runs and files hold {stored_mb:,.0f} MB; this run with your unfinished ones may add {expected_mb:,.0f} MB: "
            f"the limit for one visitor is {limit_mb:,} MB.",
            hint="Delete runs that you no longer need on the Runs screen, and empty the bin there.",
            stored_mb=stored_mb,
            limit_mb=limit_mb,
        )


def check_turn(n_working: int, settings: Settings) -> None:
    """Refuse to let a paused run go on while its owner's others work.

    Raises:
        TooExpensive: as many of this visitor work as may.
    """
    _check_number(
        n_working,
        settings.visitor_running,
        "{n:,} of your runs work at the moment, the limit for one visitor is {limit:,}.",
        "Pause or stop another one first, or wait until it ends.",
    )


def expected_file_bytes(need: Need | None, settings: Settings) -> int:
    """What the checkpoints of a run may come to."""
    if need is None:
        return 0
    allowed = min(settings.checkpoints_mb * MB, MAX_CHECKPOINTS * need.checkpoint_bytes)
    return max(MIN_CHECKPOINTS * need.checkpoint_bytes, allowed)


def _check_number(n: int, limit: int, message: str, hint: str) -> None:
    if n >= limit:
        raise TooExpensive(message.format(n=n, limit=limit), hint=hint, n=n, limit=limit)
