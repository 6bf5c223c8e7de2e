"""Some more epochs for a model that was made smaller, so that it learns to do without. Torch's global randomness stays."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.compression.choice import Material
from core.errors import TrainingError
from core.seeds import stream_seed

if TYPE_CHECKING:
    import torch
    from torch import nn

    LossOf = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def train_further(
    model: "nn.Sequential", material: Material, n_epochs: int, loss_of: "LossOf | None" = None, frozen: tuple[int, ...] = ()
) -> tuple[float, ...]:
    """Train `model` in place on the training split; the mean loss of each epoch. It is in evaluation mode afterwards.

    Plain steps of the lane's optimizer, with its learning rate as it stands: no schedule, regulariser or augmentation.

    Args:
        loss_of: of (inputs, outputs, targets); the experiment's own loss by default.
        frozen: layers of the stack that are not trained.

    Raises:
        TrainingError: the loss is not finite any more.
    """
    import torch

    from core.models.modules.frozen import with_frozen

    learner = with_frozen(model, frozen)
    plain = material.loss.build()
    loss = loss_of or (lambda _inputs, outputs, targets: plain(outputs, targets))
    examples = material.splits.train
    y = torch.from_numpy(examples.y.copy())
    size = len(y) if material.optimizer.needs_whole_split else min(material.batch_size, len(y))
    per_epoch = math.ceil(len(y) / size)
    optimizer = material.optimizer.build([one for one in learner.parameters() if one.requires_grad])
    generator = torch.Generator().manual_seed(stream_seed(material.seed, "batches"))
    losses = []
    learner.train()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(stream_seed(material.seed, "dropout"))
        for epoch in range(n_epochs):
            total = 0.0
            for number, chosen in enumerate(torch.split(torch.randperm(len(y), generator=generator), size)):
                material.progress(epoch * per_epoch + number, n_epochs * per_epoch)
                if len(chosen) > 1 or size == 1:  # one example alone has no batch statistics
                    x = material.splits.model_input(examples.x[chosen.numpy()])  # a batch at a time: images are kept as bytes
                    total += _step(learner, optimizer, loss, (torch.from_numpy(x), y[chosen])) * len(chosen)
            losses.append(total / len(y))
            if not math.isfinite(losses[-1]):
                raise TrainingError(
                    f"Training broke in epoch {epoch + 1} after the compression: the loss is not finite.",
                    hint="Take a smaller learning rate, or no further training.",
                )
    model.eval()
    return tuple(losses)


def _step(
    model: "nn.Module", optimizer: "torch.optim.Optimizer", loss_of: "LossOf", batch: "tuple[torch.Tensor, torch.Tensor]"
) -> float:
    """One step; the loss before it."""
    import torch

    values: list[float] = []

    def closure() -> float:
        with torch.enable_grad():
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(batch[0], model(batch[0]), batch[1])
            loss.backward()  # type: ignore[no-untyped-call]
        values.append(float(loss.detach()))
        return values[-1]

    optimizer.step(closure)
    return values[0]
