"""A run that diverges while somebody makes one step after the other, which keeps a checkpoint after each."""

import torch

from core.data.dataset import Split
from core.events import Artifact, Failed, Finished, Paused, Started, Step
from core.training.checkpoints import load_weights
from core.training.loop import train
from tests.core.jobs.real_pool import wild_net


def loss_of(checkpoint: bytes, split: Split) -> float:
    """Cross-entropy of the net of `wild_net`, written out, on a split; in nats."""
    weights, _ = load_weights(checkpoint)
    x = torch.from_numpy(split.x)
    for layer in (0, 2, 4):
        x = (x.clamp(min=0) if layer else x) @ weights[f"{layer}.weight"].T + weights[f"{layer}.bias"]
    return float(torch.nn.functional.cross_entropy(x, torch.from_numpy(split.y)))


def test_the_newest_checkpoint_of_a_run_that_diverged_step_by_step_is_a_good_one(home):
    experiment = wild_net()
    stream = train(experiment)
    item, kept = next(stream), list[Artifact]()
    while not isinstance(item, Failed | Finished):
        if isinstance(item, Artifact):
            kept.append(item)
        item = stream.send(Step(1)) if isinstance(item, Started | Paused) else next(stream)
    assert isinstance(item, Failed)
    assert f"The last good weights, after step {kept[-1].step}, are kept" in item.message
    assert 0 < kept[-1].step < item.step
    assert len(kept) > 3
    assert abs(loss_of(kept[-1].data, experiment.data.splits(experiment.seed).train)) < float("inf")
