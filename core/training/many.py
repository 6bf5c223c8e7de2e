"""Many small networks of one shape, looked at together: one forward pass in evaluation mode for all of them."""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.func import functional_call, vmap

from core.models.output import predicted_classes, predicted_numbers


class ManyNetworks:
    """The outputs of several networks for the same inputs. Their weights are copied when it is made; the networks themselves,
    and their mode, stay as they are. For networks that `missing_layer` of the stacked executor has nothing against."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.first = networks[0]
        self.n = len(networks)
        base = copy.deepcopy(networks[0]).to("meta").eval()

        def output(parameters: dict[str, torch.Tensor], buffers: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
            made: torch.Tensor = functional_call(base, (parameters, buffers), (x,))
            return made

        self._outputs = vmap(output, (0, 0, None))
        self.take(networks)

    def take(self, networks: Sequence[nn.Module]) -> None:
        """Look at the weights of as many other networks of this shape, as they are now; averaged ones need no gradient."""
        parameters = _stacked([dict(network.named_parameters()) for network in networks])
        self._weights = parameters, _stacked([dict(network.named_buffers()) for network in networks])

    @torch.no_grad()
    def outputs(self, x: torch.Tensor) -> torch.Tensor:
        """(S, B, K) for inputs (B, *shape)."""
        found: torch.Tensor = self._outputs(*self._weights, x)
        return found

    def losses(self, loss: nn.Module, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """(S,) mean losses of outputs (S, B, K)."""
        found: torch.Tensor = vmap(loss, (0, None))(outputs, targets)
        return found

    def score_sums(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """(S,) float64: how many outputs (S, B, K) are right; for targets that are numbers, sums of squared errors."""
        flat = outputs.flatten(0, 1)
        if targets.is_floating_point():
            errors = predicted_numbers(flat).view(outputs.shape[:2]) - targets
            return errors.double().square().sum(1)
        hits = predicted_classes(self.first, flat).view(outputs.shape[:2]) == targets
        return hits.sum(1).double()


def _stacked(tables: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.stack([table[name].detach() for table in tables]) for name in tables[0]}
