"""What is known of a file of weights after it was imported."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportedWeights:
    """Weights that are kept under `digest`: put it into `ModelSpec.weights` to start from them. One name and shape per tensor,
    in the order of the file."""

    digest: str
    """SHA-256 of the kept safetensors file, 64 hexadecimal digits."""
    names: tuple[str, ...]
    shapes: tuple[str, ...]
    """As a person reads them: "128 × 784"; "1" for a single number."""
    n_parameters: int
    """Numbers in all tensors but running statistics and counters."""
    n_bytes: int
    """Size of the kept file."""
    notes: tuple[str, ...] = ()
    """What was done to the tensors, and what is odd about them: one sentence each."""
