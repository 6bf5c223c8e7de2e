"""Which runs are of a model that was made smaller: they keep weights and figures, and no curve."""

from core.history import History
from core.store.protocol import RunRecord
from dashboard.session import run_history

COMPRESSED, IMPORTED = "compress", "imported"


def is_made_smaller(record: RunRecord) -> bool:
    """Whether a run is a compression, or one that a bundle brought back."""
    return record.kind == COMPRESSED or (record.kind == IMPORTED and run_history.asked(record, _has_no_curve))


def _has_no_curve(history: History) -> bool:
    """Figures, and not a step that led to them."""
    return bool(history.epochs) and not any(len(losses) for losses in history.losses)
