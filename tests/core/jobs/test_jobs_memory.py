"""Memory in a real pool: a run that takes too much fails alone, and an evaluation takes no more than it must."""

from collections.abc import Iterator

import pytest
import torch

from core.data.rendered import RenderedDigits
from core.events import EpochDone, Failed, WorkerLost
from core.jobs.training import TrainJob
from tests.core.jobs.real_pool import RealPool, digits, uninterrupted
from tests.core.samples import linear, spiral, stack

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _like_a_worker(home) -> Iterator[None]:
    """Arithmetic in this process as in a worker, and a data folder of its own."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    yield
    torch.set_flush_denormal(False)
    torch.set_num_threads(threads)


@pytest.mark.fault(56)
def test_a_run_over_its_memory_limit_says_so_and_the_next_one_works(tmp_path):
    pool = RealPool(tmp_path / "home", worker_memory_mb=1000)
    try:
        # Max-pooling keeps an index of 8 bytes beside each number of 4: the one thing that the estimate leaves out. With hardly
        # anything else in the model it takes more than was estimated, 1.1 GB.
        pools = [("MaxPool2d", {"kernel_size": 1})] * 25
        greedy = stack(("Conv2d", {"out_channels": 16, "padding": 1}), *pools, "Flatten", linear(10))
        experiment = digits(greedy, steps=1000).but(data=RenderedDigits(n_examples=1000), batch_size=280)
        run = pool.end(TrainJob(experiment=experiment))
        end = pool.events(run.id)[-1]
        assert isinstance(end, Failed)
        assert (run.state, end.code, run.attempt) == ("failed", "out-of-memory", 1)
        assert not any(isinstance(event, WorkerLost) for event in pool.events(run.id))
        experiment = spiral(steps=30)
        following = pool.end(TrainJob(experiment=experiment))
        assert following.state == "finished"
        assert pool.curves(following.id) == uninterrupted(experiment)
    finally:
        pool.close()


def test_a_model_that_could_not_take_all_of_validation_at_once_takes_it_in_parts(tmp_path):
    pool = RealPool(tmp_path / "home", worker_memory_mb=256)
    try:
        # 32 examples per step fit, of 803 kB of activations each; the 450 of the validation split at once would not
        wide = stack(("Conv2d", {"out_channels": 128, "padding": 1}), "ReLU", "Flatten", linear(10))
        run = pool.end(TrainJob(experiment=digits(wide, steps=70).but(data=RenderedDigits(n_examples=3000))))
        assert run.state == "finished"
        assert any(isinstance(event, EpochDone) for event in pool.events(run.id))
    finally:
        pool.close()
