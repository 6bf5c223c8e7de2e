"""The ready experiments can run, and those that take seconds learn what they promise."""

import pytest

from core.events import EpochDone, Finished
from core.experiment.check import findings
from core.experiment.codec import from_link_text, link_text
from core.experiment.examples import EXAMPLES, default_experiment
from core.training.loop import train


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_nothing_is_wrong_with_a_ready_experiment_and_it_fits_into_a_link(example):
    experiment = example.make()
    assert [finding for finding in findings(experiment) if finding.severity == "error"] == []
    assert from_link_text(link_text(experiment)) == experiment
    assert example.about.endswith((".", "?"))


@pytest.mark.parametrize(
    ("name", "epochs", "least"),
    [("diabetes", 60, 0.35), ("hills", 40, 0.6), ("sentiment", 8, 0.95), ("digits", 6, 0.9), ("cancer", 30, 0.93)],
)
def test_it_learns_what_it_is_there_to_show(name, epochs, least, home):
    experiment = default_experiment(name)
    assert epochs <= experiment.budget.epochs
    events = list(train(experiment.but(budget=experiment.budget.but(epochs=epochs), device="cpu")))
    assert isinstance(events[-1], Finished)
    assert events[-1].test_accuracy[0] > least
    assert sum(isinstance(event, EpochDone) for event in events) >= epochs
