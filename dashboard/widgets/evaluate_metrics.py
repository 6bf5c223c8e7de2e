"""Metrics of a split with their intervals, and the curves behind them."""

from dashboard.widgets.subject import Subject


def panel(subject: Subject, *, key: str) -> None:
    """Metrics of a split with their intervals, and the curves behind them."""
