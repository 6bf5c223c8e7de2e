"""The lens jobs on sequences: memory of recurrent layers, attention, and what is said after each token."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.gallery import Example
from core.errors import NotApplicable, SpecError
from core.jobs.job import Desk
from core.jobs.lenses import Chosen, WeightsJob
from core.models.sequence_layers import PatchGrid, SequencePlace, attention_places, memory_places
from core.settings import Settings

if TYPE_CHECKING:
    import torch

Place = Annotated[int, Field(ge=0, le=999)]
CLASS_TOKEN = "class token"  # nosec B105 # the token that stands for the whole image
NO_MEMORY = "This model has no layer that remembers."
ADD_MEMORY = "Add a GRU, LSTM or RNN layer."
NO_ATTENTION = "This model has no layer that attends."
ADD_ATTENTION = "Add a SelfAttention or TransformerEncoder layer, on images behind PatchEmbed."
NO_TOKENS = "What is said after each token can be asked of texts alone, and this data set has none."


class HiddenStatesJob(WeightsJob):
    """What a recurrent layer remembers after each step."""

    kind: Literal["hidden_states"] = "hidden_states"
    label: ClassVar[str] = "Hidden state"
    place: Place = 0
    """Which of the recurrent layers, in the order of the stack."""

    def check(self, settings: Settings) -> None:
        """Refuses models without memory, and a layer that is not there."""
        super().check(settings)
        self._place()

    def _place(self) -> SequencePlace:
        shape = self.experiment.data.profile().input_shape
        return _chosen(memory_places(self.experiment.model, shape), self.place, NO_MEMORY, ADD_MEMORY)

    def result(self, desk: Desk) -> Any:
        from core.inspection.hidden_states import change_of_units, hidden_states
        from core.results.hidden_states import HiddenStates

        place = self._place()
        model, step = self.model(desk)
        shown = self.chosen(desk).example
        memories, residual = hidden_states(model, _input(shown), place.path)
        length = len(memories[0].states)
        is_text, steps = _steps(shown, place.grid, length)
        first = next((i for i, name in enumerate(steps) if name), 0)
        return HiddenStates(
            name=place.name,
            layer=place.layer,
            parts=tuple(_part(memory.depth, memory.is_backward) for memory in memories),
            states=tuple(memory.states for memory in memories),
            cells=tuple(memory.cells for memory in memories),
            norms=tuple(np.linalg.norm(memory.states, axis=1) for memory in memories),
            changes=tuple(change_of_units(one.states, first, is_backward=one.is_backward) for one in memories),
            cell_changes=tuple(
                change_of_units(one.cells, first, is_backward=one.is_backward) if len(one.cells) else np.zeros(0)
                for one in memories
            ),
            steps=steps,
            is_text=is_text,
            step=step,
            residual=residual,
            text=shown.text or "",
        )


class AttentionJob(WeightsJob):
    """Where an attention layer looks."""

    kind: Literal["attention"] = "attention"
    label: ClassVar[str] = "Attention"
    place: Place = 0
    """Which of the attention layers, in the order of the stack."""

    def check(self, settings: Settings) -> None:
        """Refuses models without attention, and a layer that is not there."""
        super().check(settings)
        self._place()

    def _place(self) -> SequencePlace:
        shape = self.experiment.data.profile().input_shape
        return _chosen(attention_places(self.experiment.model, shape), self.place, NO_ATTENTION, ADD_ATTENTION)

    def result(self, desk: Desk) -> Any:
        from core.inspection.attention import attention_weights
        from core.results.attention import AttentionMaps

        place = self._place()
        model, step = self.model(desk)
        chosen = self.chosen(desk)
        shown, grid = chosen.example, place.grid
        weights, residual = attention_weights(model, _input(shown), place.path, place.block)
        is_text, steps = _steps(shown, grid, weights.shape[1])
        return AttentionMaps(
            name=place.name,
            layer=place.layer,
            weights=weights,
            steps=steps,
            is_text=is_text,
            step=step,
            residual=residual,
            rows=grid.rows if grid else 0,
            columns=grid.columns if grid else 0,
            n_before=grid.n_before if grid else 0,
            picture=_picture(chosen) if grid else None,
            text=shown.text or "",
        )


class ReadingJob(WeightsJob):
    """What the model says after each token of a text."""

    kind: Literal["reading"] = "reading"
    label: ClassVar[str] = "Said after each token"

    def check(self, settings: Settings) -> None:
        """Refuses data that are no texts."""
        super().check(settings)
        if self.experiment.data.profile().modality != "sequence":
            raise NotApplicable(NO_TOKENS, hint="Choose a data set of texts.")

    def result(self, desk: Desk) -> Any:
        import torch

        from core.inspection.hidden_states import read_prefixes
        from core.models.output import class_probabilities, predicted_numbers
        from core.results.hidden_states import Reading

        model, step = self.model(desk)
        chosen = self.chosen(desk)
        shown, profile = chosen.example, chosen.splits.profile
        outputs, places = read_prefixes(model, _input(shown), desk.progress)
        said = torch.from_numpy(outputs).double()
        is_number = profile.task == "regression"
        values = predicted_numbers(said).numpy() * chosen.splits.target_scale + chosen.splits.target_shift
        return Reading(
            tokens=tuple(shown.tokens[place] for place in places),
            probabilities=np.zeros((len(outputs), 0), np.float32)
            if is_number
            else class_probabilities(model, said).float().numpy(),
            values=values if is_number else np.zeros(0),
            class_names=() if is_number else profile.class_names,
            label=shown.label,
            step=step,
            target_name=profile.target_name or "",
        )


def _chosen(places: tuple[SequencePlace, ...], number: int, none: str, hint: str) -> SequencePlace:
    if not places:
        raise NotApplicable(none, hint=hint)
    if number >= len(places):
        raise SpecError(f"There is no such layer {number}.", hint=f"They are numbered 0 to {len(places) - 1}.")
    return places[number]


def _input(shown: Example) -> "torch.Tensor":
    import torch

    return torch.from_numpy(shown.x)


def _steps(shown: Example, grid: PatchGrid | None, length: int) -> tuple[bool, tuple[str, ...]]:
    """Whether the steps of a layer are tokens, and their names: tokens, patches, or numbers from 1."""
    if grid is not None:
        patches = [f"row {row + 1}, column {column + 1}" for row in range(grid.rows) for column in range(grid.columns)]
        return False, (*[CLASS_TOKEN] * grid.n_before, *patches)
    if len(shown.tokens) == length:
        return True, shown.tokens
    return False, tuple(str(i + 1) for i in range(length))


def _part(depth: int, is_backward: bool) -> str:
    return f"layer {depth + 1}, " + ("backward" if is_backward else "forward")


def _picture(chosen: Chosen) -> np.ndarray:
    """What the patches are cut from, uint8: the picture as it came, or as the model receives it where its shape was changed."""
    shown = chosen.example
    values = shown.x[0]
    if shown.pixels is not None and shown.pixels.shape[:2] == values.shape[1:]:
        return shown.pixels
    low, high = float(values.min()), float(values.max())
    scaled = np.rint((values - low) / ((high - low) or 1.0) * 255).astype(np.uint8)
    picture: np.ndarray = scaled.transpose(1, 2, 0) if len(scaled) == 3 else scaled[0]
    return picture
