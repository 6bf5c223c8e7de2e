"""The losses that torch.nn has in another form: for one output (N, 1), and for targets that are shares of classes."""

import torch
from torch import nn
from torch.nn import functional


class MultiMargin(nn.Module):
    """Multi-class hinge, mean over the batch, for classes (N,) int64 or shares of the classes (N, K).

    Shares weigh the hinges of their classes, as in MixUp: `lam * loss(a) + (1 - lam) * loss(b)`.
    """

    def __init__(self, margin: float = 1.0) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if targets.ndim == 1:
            return functional.multi_margin_loss(output, targets, margin=self.margin)
        n, n_classes = output.shape
        classes = torch.arange(n_classes, device=output.device).repeat(n)  # (N * K,)
        hinges = functional.multi_margin_loss(
            output.repeat_interleave(n_classes, 0), classes, margin=self.margin, reduction="none"
        )
        return (hinges.reshape(n, n_classes) * targets).sum(1).mean()


class Focal(nn.Module):
    """Cross-entropy times (1 - p)**gamma, mean over the batch, from logits (N, K) for classes (N,) int64 or shares (N, K).

    Shares weigh the losses of their classes, as in MixUp. Value and gradient stay finite where p is exactly 1.
    """

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logs = output.log_softmax(1)  # (N, K)
        if targets.ndim == 1:
            return self._losses(logs.gather(1, targets[:, None])).mean()
        return (self._losses(logs) * targets).sum(1).mean()

    def _losses(self, logs: torch.Tensor) -> torch.Tensor:
        """The loss of each class, were it the right one."""
        # 1 - p, exact also where p is almost 1
        others = (-torch.expm1(logs)).clamp_min(torch.finfo(logs.dtype).eps)
        return -(others**self.gamma) * logs


class BinaryCrossEntropy(nn.Module):
    """Cross-entropy from the logit of class 1 (N, 1), mean over the batch, for classes (N,) of 0 and 1 or shares (N, 2)."""

    def forward(self, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        share = targets[:, 1] if targets.ndim == 2 else targets
        return functional.binary_cross_entropy_with_logits(output[:, 0], share.to(output.dtype))


class MeanSquaredError(nn.Module):
    """Mean square of output (N, 1) minus targets (N,)."""

    def forward(self, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(output[:, 0], targets)


class MeanAbsoluteError(nn.Module):
    """Mean size of output (N, 1) minus targets (N,)."""

    def forward(self, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return functional.l1_loss(output[:, 0], targets)


class Huber(nn.Module):
    """Mean over output (N, 1) minus targets (N,) of half its square up to `delta`, and a straight line from there on."""

    def __init__(self, delta: float = 1.0) -> None:
        super().__init__()
        self.delta = delta

    def forward(self, output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return functional.huber_loss(output[:, 0], targets, delta=self.delta)
