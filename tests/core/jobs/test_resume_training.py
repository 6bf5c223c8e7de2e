"""Real training that is stopped and resumed: optimizer, schedule, sampler, dropout and augmentation go on as they were."""

from collections.abc import Iterator

import pytest

from core.data.augmentation import Cutout, RandomCrop
from core.data.rendered import Digits
from core.events import Planned, Resume, Stop
from core.experiment.experiment import Budget, Experiment
from core.experiment.lane import Lane
from core.jobs.training import TrainJob
from core.optim.optimizers import SGD, Adam
from core.optim.schedules import Cosine, OneCycle
from tests.core.jobs.real_pool import CONV, RealPool, uninterrupted
from tests.core.jobs.test_jobs_training import like_a_worker  # noqa: F401  a fixture
from tests.core.samples import linear, spiral, stack

pytestmark = pytest.mark.slow

MOMENTUM = Lane(optimizer=SGD(lr=0.02, momentum=0.9, nesterov=True), schedule=Cosine())
ADAM = Lane(optimizer=Adam(lr=0.003), schedule=OneCycle())
DROPPING = stack(CONV, "BatchNorm2d", "ReLU", ("Dropout", {"p": 0.3}), "Flatten", linear(10))
WIDE = stack("Flatten", linear(512), "ReLU", ("Dropout", {"p": 0.3}), linear(512), "ReLU", linear(10))
PICTURES = Experiment(
    data=Digits(),
    model=DROPPING,
    lanes=(ADAM,),
    augmentation=(RandomCrop(padding=1), Cutout()),
    batch_size=16,
    budget=Budget(epochs=None, steps=400),
    device="cpu",
)
SHORT = Budget(epochs=None, steps=120)
CASES = {
    "fast": PICTURES,
    "batched": spiral(steps=2500, model=stack(linear(8), "ReLU", linear(2)), lanes=(MOMENTUM, ADAM, MOMENTUM), repeats=2),
    "processes": PICTURES.but(model=WIDE, lanes=(MOMENTUM, ADAM), augmentation=(), batch_size=96, budget=SHORT),
}


@pytest.fixture(scope="module")
def real_pool(tmp_path_factory: pytest.TempPathFactory, like_a_worker: None) -> Iterator[RealPool]:  # noqa: F811
    pool = RealPool(tmp_path_factory.mktemp("resume") / "home", checkpoint_s=0.2)
    yield pool
    pool.close()


@pytest.mark.fault(81)
@pytest.mark.parametrize("executor", CASES)
def test_a_run_that_was_stopped_and_resumed_has_the_curve_of_an_uninterrupted_one(real_pool, executor):
    experiment = CASES[executor]
    steps = experiment.budget.steps
    run = real_pool.client.submit(TrainJob(experiment=experiment))
    real_pool.wait_for_step(run, steps // 8)
    real_pool.client.command(run, Stop())
    stopped = real_pool.wait_for(run, "stopped", "finished")
    assert stopped.state == "stopped", "it was too fast for this test"
    assert real_pool.next_start(run) == stopped.last_step  # what was told has its weights
    before = real_pool.curves(run)[0]
    real_pool.client.command(run, Resume())
    assert real_pool.wait_for(run, "finished", "failed").last_step == steps
    plans = [event for event in real_pool.events(run) if isinstance(event, Planned)]
    assert {name for one in plans for name in one.executors} == {executor}
    assert real_pool.curves(run) == uninterrupted(experiment)
    assert [row[: stopped.last_step] for row in real_pool.curves(run)[0]] == before
