"""What does not change is drawn once."""

import plotly.graph_objects as go
import pytest

from dashboard.widgets import kept_drawing as kept


@pytest.fixture
def drawn(monkeypatch):
    """What was drawn: a drawing notes itself."""
    monkeypatch.setattr(kept, "_kept", type(kept._kept)())
    return []


def drawing(drawn):
    def draw(found, *, dark):
        drawn.append((found[0], dark))
        return go.Figure()

    return draw


def test_the_same_result_is_drawn_once_for_each_way_of_showing_it(drawn):
    draw, found = drawing(drawn), ["seven"]
    figures = [kept.kept_drawing(draw, found, dark=dark) for dark in (False, True, False, True)]
    assert drawn == [("seven", False), ("seven", True)]
    assert figures[0] is figures[2] is not figures[1]


def test_an_equal_result_that_is_another_object_is_drawn_anew(drawn):
    draw = drawing(drawn)
    for _ in range(3):
        kept.kept_drawing(draw, ["seven"], dark=False)  # each may get the address of the one before
    assert len(drawn) == 3


def test_another_language_is_drawn_anew(drawn, monkeypatch):
    draw, found = drawing(drawn), ["seven"]
    for language in ("en", "fr", "en"):
        monkeypatch.setattr(kept, "present_language", lambda language=language: language)
        kept.kept_drawing(draw, found, dark=False)
    assert len(drawn) == 2


def test_only_so_many_are_kept(drawn):
    draw = drawing(drawn)
    for i in range(3 * kept.MAX_KEPT):
        kept.kept_drawing(draw, [i], dark=False)
    assert len(kept._kept) == kept.MAX_KEPT
