"""What a preset is: a stack with a name, made to measure for the data."""

from dataclasses import dataclass

from core.errors import SpecError
from core.models.layer import LayerChoice
from core.models.layers.embedding import MAX_TOKENS, Embedding
from core.models.layers.linear import Linear
from core.models.layers.menu import AnyLayer
from core.models.model import ModelSpec
from core.models.stack import infer_stack
from core.types import Shape, Task


@dataclass(frozen=True, slots=True)
class Preset:
    """A stack with a name. `body` is all but the last layer, which is a Linear with one output per class.

    `ranks` are the numbers of axes of the inputs it is meant for: 1 for (F,) or token numbers (L,), 3 for (C, H, W). Where an
    article printed it wrongly, `warning` says what is wrong and `twin` is the name of the corrected preset.
    """

    name: str
    label: str
    about: str
    body: tuple[AnyLayer, ...]
    ranks: tuple[int, ...]
    tasks: tuple[Task, ...] = ("classification", "regression")
    warning: str = ""
    twin: str = ""
    head: tuple[AnyLayer, ...] = ()
    """The last layers where they are printed so, whatever the data need; empty for a Linear to measure."""

    @property
    def reads_tokens(self) -> bool:
        """Whether its inputs are token numbers: then it must know how many different ones there are."""
        return isinstance(self.body[0], Embedding)

    def model(self, n_outputs: int, n_tokens: int = 0) -> ModelSpec:
        """The stack for `n_outputs` (classes, or 1 for regression) and a vocabulary of `n_tokens` (0 if none).

        Raises:
            SpecError: it reads token numbers and `n_tokens` is less than 2, or larger than an Embedding can be.
        """
        first, *rest = self.body
        if isinstance(first, Embedding):
            if not 2 <= n_tokens <= MAX_TOKENS:
                raise SpecError(
                    f"The preset {self.label!r} reads tokens, but the vocabulary has {n_tokens:,} of them.",
                    hint=f"Choose text data with 2 to {MAX_TOKENS:,} different tokens, or another preset.",
                    n_tokens=n_tokens,
                )
            first = first.but(num_embeddings=n_tokens)
        return ModelSpec(layers=(first, *rest, *(self.head or (Linear(out_features=n_outputs),))))

    def fits(self, input_shape: Shape, n_tokens: int = 0, task: Task = "classification") -> bool:
        """Whether it is meant for such inputs and this task, and every layer can take what it receives."""
        if len(input_shape) not in self.ranks or task not in self.tasks:
            return False
        is_readable = 2 <= n_tokens <= MAX_TOKENS if self.reads_tokens else n_tokens == 0
        return is_readable and ends_flat(self.body, input_shape)


def ends_flat(body: tuple[LayerChoice, ...], input_shape: Shape) -> bool:
    """Whether these layers turn such an input into a flat vector, which the last Linear needs."""
    out_shape = infer_stack(body, input_shape).out_shape
    return out_shape is not None and len(out_shape) == 1
