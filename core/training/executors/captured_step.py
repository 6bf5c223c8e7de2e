"""One series whose steps are recorded, several at once, and replayed: nothing in them waits for Python."""

import inspect
from collections.abc import Sequence

import torch

from core.experiment.experiment import Experiment
from core.optim.penalties import after_step, before_step
from core.training.batch_source import RunBatches
from core.training.device import seed_device
from core.training.executors.captured_feed import BatchFeed, Feed, IndexFeed, WholeFeed
from core.training.executors.captured_graph import Recorder, Work, fastest
from core.training.executors.executor import BatchSource, Series, mask_seed
from core.training.executors.fast import FastRunner
from core.training.executors.fused import Tensors, Update, fused_update

AHEAD = 16
"""Steps in a long recording. Python wakes once for all of them; a change by hand waits for one such replay."""


class CapturedRunner(FastRunner):
    """Its first step, measured ones and those of another shape are made by Python; all others are replayed.

    The learning rates, the losses and whether a loss was not finite live on the device: from such a loss on, weights, buffers
    and optimizer state stay as they are, without Python having to look.
    """

    def __init__(self, experiment: Experiment, series: Series, device: torch.device, recorders: Sequence[Recorder]) -> None:
        super().__init__(experiment, series, device)
        self._recorders = recorders
        self._rates = torch.zeros(AHEAD, device=device)
        self._losses = torch.zeros(AHEAD, device=device)
        self._is_dead = torch.zeros(1, device=device)
        self._recorded: dict[int, Work] = {}
        self._feed: Feed | None = None
        self._source: BatchSource | None = None
        self._baked = self._numbers()
        self.reason = ""
        """Why steps are not recorded; empty while they are, or were not tried."""
        self.way = ""
        """How they are recorded."""

    def run(self, source: BatchSource, first: int, told: torch.Tensor, *, is_measured: bool) -> None:
        """As many steps as `told` has places; their losses are written there, on the device, in time."""
        end = first + len(told)
        number, has_replayed = first, False
        while number < end and self.series.is_alive:
            n = self._n_recorded(source, number, end - number - is_measured)
            if n:
                self._replay(number, n, told[number - first :])
                has_replayed = True
            elif has_replayed and self._is_dead.item():
                return
            else:
                n, has_replayed = 1, False
                told[number - first] = self.step(source, number, is_measured=is_measured and number == end - 1)
            number += n

    def _n_recorded(self, source: BatchSource, number: int, left: int) -> int:
        """How many of the next steps one recording can make; 0 if Python must make the next one."""
        if left < 1 or self.reason or (not self.optimizer.state and not self._is_stateless()):
            return 0
        if source is not self._source:
            self.forget()
            self._source, self._feed = source, self._made_feed(source, number)
        feed = self._feed
        if feed is None or not feed.fits(number, 1):
            return 0
        most = 1 if self.is_random else feed.most
        n = most if left >= most and feed.fits(number, most) else 1
        if n not in self._recorded:
            self._record(feed, number, n)
        return n if n in self._recorded else 0

    def _is_stateless(self) -> bool:
        """Whether there is nothing that a first step by Python has to make."""
        return self._fused is not None

    def _made_feed(self, source: BatchSource, number: int) -> Feed:
        repeat = self.series.repeat
        if self.series.lane.optimizer.needs_whole_split:
            return WholeFeed(source, AHEAD)
        if isinstance(source, RunBatches) and not self.experiment.augmentation:
            return IndexFeed(source, repeat, AHEAD)
        return BatchFeed(source, repeat, number)

    def _replay(self, number: int, n: int, told: torch.Tensor) -> None:
        feed = self._feed
        if feed is None:
            raise RuntimeError("a replay needs the feed that it was recorded with")
        feed.fill(number, n)
        rates = torch.tensor([self.series.rate(number + place) for place in range(n)])
        self._rates[:n].copy_(rates.pin_memory() if self.device.type == "cuda" else rates, non_blocking=True)
        if self.is_random:
            seed_device(self.device, mask_seed(self.experiment, self.series.repeat, number))
        self._recorded[n]()
        told[:n].copy_(self._losses[:n])

    def _record(self, feed: Feed, number: int, n: int) -> None:
        """Record n steps. Trying them out leaves no trace in weights and state."""
        feed.fill(number, n)
        update = self._update_on_device()
        tensors = [*self._changing(), self._is_dead]
        kept = [tensor.clone() for tensor in tensors]

        def work() -> None:
            for place in range(n):
                self._one(feed, place, update)

        try:
            self._recorded[n], self.way = fastest(self._recorders, work, self._synchronize)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self.reason = f"the step cannot be recorded: {str(error).splitlines()[0]}"
            self._recorded.clear()
        finally:
            with torch.no_grad():
                for tensor, value in zip(tensors, kept, strict=True):
                    tensor.copy_(value)

    def _one(self, feed: Feed, place: int, update: Update) -> None:
        """One step as it is recorded."""
        buffers = [(buffer, buffer.clone()) for buffer in self.series.model.buffers()]
        loss = self._loss(feed.batch(place))
        value = loss.detach()
        torch.maximum(self._is_dead, (~torch.isfinite(value)).float().reshape(1), out=self._is_dead)
        self._losses[place].copy_(value)
        update(self._gradients(loss), self._rates[place])
        self._hold(buffers)

    def _hold(self, pairs: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Give each first tensor back the numbers of the second if the series is dead."""
        is_dead = self._is_dead.bool()
        for tensor, kept in pairs:
            tensor.copy_(torch.where(is_dead.reshape([1] * tensor.ndim), kept, tensor))

    def _update_on_device(self) -> Update:
        """The update with a learning rate on the device, which a dead series calls off."""
        bare = not self.series.lane.regularizers
        if bare and (kernel := fused_update(self.optimizer, self._is_dead)) is not None:
            return kernel
        kernel = fused_update(self.optimizer)
        if kernel is None and self.device.type == "cuda":
            self._make_capturable()

        @torch.no_grad()
        def update(gradients: Tensors, rate: float | torch.Tensor) -> None:
            pairs = [(tensor, tensor.clone()) for tensor in self._weights_and_state()]
            for parameter, gradient in zip(self.parameters, gradients, strict=True):
                parameter.grad = gradient
            before_step(self.series.lane.regularizers, self.parameters, rate)  # type: ignore[arg-type]
            if kernel is not None:
                kernel([parameter.grad for parameter in self.parameters if parameter.grad is not None], rate)
            else:
                self.optimizer.param_groups[0]["lr"] = rate
                self.optimizer.step()
            after_step(self.series.lane.regularizers, self.parameters)
            self._hold(pairs)
            self.optimizer.zero_grad(set_to_none=True)

        return update

    def _make_capturable(self) -> None:
        """Counts of steps go to the device, where torch's optimizers read them when they are told so."""
        for group in self.optimizer.param_groups:
            group["capturable"] = True
        for slots in self.optimizer.state.values():
            slots.update({name: slot.to(self.device) for name, slot in slots.items() if isinstance(slot, torch.Tensor)})

    def _weights_and_state(self) -> list[torch.Tensor]:
        slots = (slot for each in self.optimizer.state.values() for slot in each.values())
        return [*(parameter.detach() for parameter in self.parameters), *(s for s in slots if isinstance(s, torch.Tensor))]

    def _changing(self) -> list[torch.Tensor]:
        """All that a step writes."""
        return [*self._weights_and_state(), *self.series.model.buffers()]

    def _synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def forget(self) -> None:
        """Let go of the recordings: the next steps are recorded anew."""
        self._recorded.clear()
        self._feed = self._source = None

    def retune(self) -> None:
        """As in Runner. Numbers other than the learning rate are part of a recording."""
        super().retune()
        if self._numbers() != self._baked:
            self._baked = self._numbers()
            self.forget()

    def _numbers(self) -> tuple[object, ...]:
        arguments = self.series.lane.optimizer.arguments()
        return (tuple(item for item in arguments.items() if item[0] != "lr"), self.series.lane.regularizers)

    def load(self, state: dict[str, object]) -> None:
        """As in Runner."""
        super().load(state)
        self.forget()


def is_capturable(optimizer_class: type[torch.optim.Optimizer]) -> bool:
    """Whether torch can keep all of this optimizer's state on the device."""
    return "capturable" in inspect.signature(optimizer_class).parameters
