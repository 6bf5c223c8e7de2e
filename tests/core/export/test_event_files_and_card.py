"""Event files as TensorBoard's own reader sees them, and a model card that says what the run was."""

import io
import zipfile

import numpy as np
import pytest

from core.data.tabular import Diabetes
from core.data.toy import Spiral
from core.events import Artifact, EpochDone, Failed, Finished, Started
from core.experiment.experiment import Budget, Lane
from core.export.card import CardFacts, model_card
from core.export.tensorboard_events import folder_names
from core.history import History
from core.jobs.export_jobs import EventFilesJob
from core.jobs.inline import MemoryShelf, run_inline
from core.jobs.run_log import folded
from core.jobs.training import TrainJob
from core.optim.losses import MeanSquaredError
from core.optim.optimizers import SGD, Adam
from core.optim.schedules import Exponential
from core.settings import Settings
from tests.core.export.recorded_runs import record_run
from tests.core.samples import linear, spiral, stack

LANES = (Lane(optimizer=Adam(lr=0.01), schedule=Exponential()), Lane(optimizer=SGD(lr=0.1), name="../<b>"))
RACE = spiral(data=Spiral(n_points=100), lanes=LANES, repeats=2, budget=Budget(epochs=3))


@pytest.fixture(scope="module")
def race(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("tensorboard") / "home")
    logged = record_run(TrainJob(experiment=RACE), settings, MemoryShelf(), "race")
    return settings, logged, folded(one.event for one in logged)


def test_tensorboard_reads_every_loss_epoch_and_learning_rate_at_its_step(race, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    settings, logged, history = race
    items = list(run_inline(EventFilesJob(run="race", last_seq=logged[-1].seq), settings))
    data = next(item.data for item in items if isinstance(item, Artifact) and item.name == "tensorboard.zip")
    zipfile.ZipFile(io.BytesIO(data)).extractall(tmp_path)
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert len(folders) == 4
    epochs = [one.event for one in logged if isinstance(one.event, EpochDone)]
    for series, folder in enumerate(folders):
        read = EventAccumulator(str(tmp_path / folder), size_guidance={"scalars": 0}).Reload()
        losses = read.Scalars("loss/step")
        assert [one.step for one in losses] == list(range(1, history.step + 1))
        np.testing.assert_array_equal([one.value for one in losses], np.float32(history.losses[series]))
        for tag, name in (("loss/validation", "validation_loss"), ("accuracy/train", "train_accuracy")):
            told = [(one.step, one.value) for one in read.Scalars(tag)]
            assert told == [(row.step, np.float32(getattr(row, name)[series])) for row in epochs]
        rates = {one.step: one.value for one in read.Scalars("learning_rate")}
        assert rates == dict(
            zip(history.reports.steps.tolist(), history.reports["learning_rate"][:, series].tolist(), strict=True)
        )
        assert losses[0].wall_time >= 1_000.0


@pytest.mark.fault(116)
def test_folders_of_lanes_are_names_that_every_system_takes():
    assert folder_names(["Adam, lr 0.01", "../<b>", "蝴蝶", ""]) == ["01-Adam__lr_0.01", "02-b", "03-run", "04-run"]


def test_a_run_without_steps_is_refused_in_words(tmp_path):
    settings = Settings(home=tmp_path)
    logged = record_run(TrainJob(experiment=spiral(steps=2)), settings, MemoryShelf(), "short")
    end = list(run_inline(EventFilesJob(run="short", last_seq=1), settings))[-1].event
    assert isinstance(end, Failed)
    assert "no step" in end.message
    assert logged
    gone = list(run_inline(EventFilesJob(run="gone", last_seq=1), settings))[-1].event
    assert gone.message == "There is no such run."


@pytest.mark.fault(116)
def test_a_card_tells_the_facts_and_escapes_what_people_typed(race):
    _, _, history = race
    card = model_card(RACE, history, CardFacts("Net | <img src=x> [a](b)", "abc123", history.epochs[-1].step, 2))
    last = history.epochs[-1]
    assert card.startswith("# Net \\| \\<img src=x\\> \\[a\\]\\(b\\)\n")
    assert f"validation loss | {last.validation_loss[2]:.4g}" in card
    assert f"Test at the end: accuracy | {history.end.test_accuracy[2]:.4g}" in card
    assert "\\<b\\>, seed 1" in card
    assert "| 1 | Linear | 8 | 24 |" in card
    assert "42 trained parameters" in card
    assert history.started.fingerprint["torch"].split("+")[0].replace(".", "\\.") in card
    for heading in ("Intended use", "Data", "Model", "Training", "Figures", "Limits", "Environment"):
        assert f"\n## {heading}\n" in card


def test_a_card_of_a_regression_names_its_target(home):
    experiment = spiral(data=Diabetes(), model=stack(linear(1)), loss=MeanSquaredError())
    card = model_card(experiment, folded([]), CardFacts())
    assert "predicts disease progression" in card
    assert "Nothing was measured yet." in card
    assert "calibrated" not in card


def test_a_card_of_a_smaller_model_tells_its_figures_and_of_no_training():
    log = [
        Started(0, 42, 100, 50, 50, 10, 30, "cpu", ("a",), {"torch": "2"}, ("a",), 1),
        EpochDone(1, 30, (0.4,), (0.9,), (0.5,), (0.8,), 0.0),
        Finished("completed", 30, 0.1, (0.6,), (0.7,)),
    ]
    history = History()
    for event in log:
        history.append(event)
    card = model_card(spiral(), history, CardFacts(step=30))
    assert "made smaller out of a trained one" in card
    assert all(words in card for words in ("| Validation loss | 0.5 |", "| Test accuracy | 0.7 |"))
    assert not any(words in card for words in ("## Training", "Best epoch", "| Steps |"))
