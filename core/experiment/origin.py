"""Where a run begins that does not begin from nothing: a checkpoint of another run."""

from typing import Annotated

from pydantic import Field

from core.spec import Spec


class Origin(Spec):
    """A checkpoint of another run, from whose weights this run starts. The digest names the weights themselves.

    The run's own steps count from 0: batches, schedules, dropout masks and budget begin as in any run. So a fork of which
    nothing was changed, with optimizer state and the same seed, goes on from the weights and moments of the checkpoint on the
    batches of its own first epoch; it is no continuation of the other run, bit for bit. What is taken are layers, not a whole
    model: those whose weights have the shapes of a layer of the other run, in the same order; others start fresh, and the run
    says so.
    """

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    name: Annotated[str, Field(min_length=1, max_length=120)]
    """Of the artifact."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    series: Annotated[int, Field(ge=0, le=511)] = 0
    """Whose weights are taken: lane and seed of the other run. Every lane and seed of this one starts from them."""
    step: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    """The step after which the checkpoint was taken, for the tree of runs. This run counts its own steps from 0."""
    optimizer_state: bool = False
    """Take over moments and momentum too, with the weights as they were trained and not their average; and on the same data the
    best validation loss and what a Plateau schedule has come to. Refused unless optimizer and parameters are the same."""
