"""Which moments of a run are kept: the first steps closely, later ones by time."""

from itertools import pairwise

import pytest

from core.events import Artifact
from core.training import keeping
from core.training.loop import train
from tests.core.samples import spiral


def kept_steps(experiment) -> list[int]:
    return [item.step for item in train(experiment) if isinstance(item, Artifact) and not item.name.startswith("best-")]


def test_early_moments_are_evenly_spread_on_a_logarithmic_axis():
    steps = kept_steps(spiral(steps=400))
    assert steps[0] == 0
    assert steps[-1] == 400
    early = [step for step in steps if 0 < step <= 200]
    assert len(early) >= 8
    assert early[:4] == [1, 2, 4, 7]
    assert max(after / before for before, after in pairwise(early)) <= 3.0


def test_early_moments_are_left_out_where_they_cost_too_much(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(keeping, "EARLY_COST_S", 0.0)
    monkeypatch.setattr(keeping, "EARLY_SHARE", 0.0)
    assert [step for step in kept_steps(spiral(steps=40)) if step < 40] == [0]
