"""What was written to leave this place, how it was checked, and what a bundle holds. The files are artifacts beside it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file to download. `file` is the name of the artifact of the same run that holds it."""

    what: str
    """onnx, program, safetensors, state_dict, service, bundle, events, card or script."""
    file: str
    n_bytes: int
    sha256: str
    step: int
    """The step of the weights, or the last one of the run."""
    check: str
    """How it was checked, in a sentence."""
    difference: float | None = None
    """The largest absolute difference from torch's outputs; None where no outputs were compared."""
    n_examples: int = 0
    """Random examples that were compared."""
    opset: int = 0
    """Of ONNX."""
    notes: tuple[str, ...] = ()
    """What is not in it, in sentences."""


@dataclass(frozen=True, slots=True)
class BundleFound:
    """What an uploaded bundle holds, after every digest, event and checkpoint in it was checked."""

    file: str
    """Digest of the uploaded bundle."""
    name: str
    """What the run is called; may be empty."""
    run: str
    """Its id on the machine that it comes from."""
    made_by: str
    """The Layerwise that wrote it."""
    state: str
    """How far the run had come there: finished, stopped, failed, or a state of a run that goes on."""
    experiment: str
    """The Experiment as JSON."""
    n_events: int
    n_steps: int
    n_epochs: int
    n_checkpoints: int
    n_bytes: int
    extras: tuple[str, ...]
    """Uploaded data and weights that it brings, in words."""
