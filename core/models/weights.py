"""Weights from files: read with care, kept by digest as `<Settings.home>/weights/<sha256>.safetensors`, put into a stack.

Taken are safetensors files (our own checkpoints among them) and state_dicts as torch.save writes them. A pickle is only read by
torch's `weights_only` unpickler, and only from an archive in which nothing is packed. `imported` belongs in a worker.
"""

import hashlib
import io
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.errors import SpecError, StoreError, TooExpensive
from core.models.weights_check import (
    COUNTER,
    HEAD_BYTES,
    MAX_TENSORS,
    MIB,
    SAVE_AGAIN,
    check_torch_zip,
    check_weights_bytes,
    file_format,
    match,
    natural_order,
    weights_file,
    weights_folder,
)
from core.results.weights_report import ImportedWeights
from core.settings import Settings
from core.types import shape_text

if TYPE_CHECKING:
    from torch import Tensor, nn

ORDER = "layerwise_order"
"""Metadata of a kept file: the names in their order as JSON, which safetensors does not keep."""
CHECKPOINT = "layerwise"
"""Metadata of our own checkpoints."""
FIRST_SERIES = "0.model."
WRAPPERS = ("state_dict", "model_state_dict", "model", "weights")
"""Keys under which training scripts keep the state_dict beside other things."""
PREFIXES = {"module.": "torch's DataParallel", "_orig_mod.": "torch.compile"}
NAME = re.compile(r"[\w.:/-]{1,200}", re.ASCII)
MAX_AXES = 8
STATISTICS = ("running_mean", "running_var", COUNTER)

Tensors = dict[str, "Tensor"]


def imported(data: bytes, name: str, settings: Settings | None = None) -> ImportedWeights:
    """Check the file `name` with the content `data`, keep its weights, and say what they are. Takes 4 times its size in memory.

    Raises:
        SpecError: not weights, damaged, or made to take more memory than it has bytes; the hint says how to save them.
        TooExpensive: larger than the limits.
        StoreError: it cannot be kept.
    """
    settings = settings or Settings.from_environment()
    check_weights_bytes(data[:HEAD_BYTES], len(data), name, settings)
    read = _from_safetensors if file_format(data[:HEAD_BYTES], len(data), name) == "safetensors" else _from_torch
    notes: list[str] = []
    tensors = _without_prefix(read(data, name, notes), notes)
    _check_tensors(tensors, 2 * settings.upload_mb * MIB, name)
    notes += _odd_numbers(tensors)
    kept = _packed(tensors)
    digest = hashlib.sha256(kept).hexdigest()
    _keep(kept, digest, settings)
    return ImportedWeights(
        digest=digest,
        names=tuple(tensors),
        shapes=tuple(shape_text(tuple(tensor.shape)) or "1" for tensor in tensors.values()),
        n_parameters=sum(tensor.numel() for key, tensor in tensors.items() if not key.endswith(STATISTICS)),
        n_bytes=len(kept),
        notes=tuple(notes),
    )


def load_tensors(digest: str, settings: Settings | None = None) -> Tensors:
    """The kept tensors, on the CPU, in the order of the file that was imported.

    Raises:
        MissingData: the file is not on this computer.
        StoreError: it is damaged.
    """
    from safetensors.torch import load

    data = weights_file(digest, settings).read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise StoreError(f"The kept weights {digest[:12]}... are damaged.", hint="Delete that file, and import it again.")
    tensors = load(data)
    order = json.loads(_metadata(data).get(ORDER, "null")) or natural_order(tensors)
    return {name: tensors[name] for name in order}


def fill(module: "nn.Module", digest: str, settings: Settings | None = None) -> None:
    """Put the kept weights into `module`, converted to its number format; nothing is changed where they do not fit.

    Raises:
        SpecError: they are another model's; the message names the first difference.
        MissingData, StoreError: as `load_tensors`.
    """
    state = module.state_dict()
    tensors = load_tensors(digest, settings)
    places = match(
        {name: tuple(tensor.shape) for name, tensor in state.items()},
        {name: tuple(tensor.shape) for name, tensor in tensors.items()},
    )
    module.load_state_dict(state | {ours: tensors[theirs] for ours, theirs in places.items()})


def _from_safetensors(data: bytes, name: str, notes: list[str]) -> Tensors:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(data)
        metadata = _metadata(data)
    except (SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise SpecError(
            f"{name[:80]!r} is damaged: {str(error)[:120]}.", hint="It may be cut short: copy it again, or save it again."
        ) from None
    if CHECKPOINT in metadata and any(key.startswith(FIRST_SERIES) for key in tensors):
        tensors = {key.removeprefix(FIRST_SERIES): value for key, value in tensors.items() if key.startswith(FIRST_SERIES)}
        notes.append(f"Taken from a checkpoint of Layerwise{_step(metadata[CHECKPOINT])}: the model of its first series.")
    return {key: tensors[key] for key in _order(metadata, tensors)}


def _metadata(data: bytes) -> dict[str, str]:
    """The metadata in the header of a safetensors file: 8 bytes of length, then JSON."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return header.get("__metadata__") or {}


def _step(about: str) -> str:
    """After which step a checkpoint was taken, where it says so."""
    try:
        step = json.loads(about)["step"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f" after step {step:,}" if isinstance(step, int) else ""


def _order(metadata: Mapping[str, str], tensors: Tensors) -> list[str]:
    """The order that a file of ours tells, if it is true; else names sorted as a person would."""
    try:
        told = json.loads(metadata.get(ORDER, "null"))
    except (ValueError, RecursionError):
        told = None
    is_true = isinstance(told, list) and all(isinstance(key, str) for key in told) and sorted(told) == sorted(tensors)
    return told if is_true else natural_order(tensors)


def _from_torch(data: bytes, name: str, notes: list[str]) -> Tensors:
    """The tensors of a state_dict, also from under the keys of WRAPPERS."""
    import torch

    check_torch_zip(data, name)
    try:
        found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # whatever a stranger's bytes bring the unpickler to
        raise SpecError(
            f"{name[:80]!r} is not a file of weights alone, or is damaged ({type(error).__name__}).",
            hint=f"Nothing of it was run. {SAVE_AGAIN}",
        ) from error
    for _ in range(2):
        wrapper = next((key for key in WRAPPERS if isinstance(found, dict) and isinstance(found.get(key), dict)), None)
        if wrapper is not None:
            found = found[wrapper]
            notes.append(f"Taken from under the key {wrapper!r}; what stands beside it was left out.")
    if not isinstance(found, dict):
        raise SpecError(f"{name[:80]!r} holds a {type(found).__name__}, not a state_dict.", hint=SAVE_AGAIN)
    return {str(key): tensor.detach() if isinstance(tensor, torch.Tensor) else tensor for key, tensor in found.items()}


def _without_prefix(tensors: Tensors, notes: list[str]) -> Tensors:
    """Without the names that wrappers of torch put in front of all others."""
    for prefix, wrapper in PREFIXES.items():
        if tensors and all(key.startswith(prefix) for key in tensors):
            tensors = {key.removeprefix(prefix): tensor for key, tensor in tensors.items()}
            notes.append(f"{prefix!r} was removed from the start of every name ({wrapper} puts it there).")
    return tensors


def _check_tensors(tensors: Tensors, max_bytes: int, name: str) -> None:
    """Refuse what is no plain tensor, and views that claim more than the file holds.

    Raises:
        SpecError, TooExpensive: the message names the first.
    """
    if not tensors or len(tensors) > MAX_TENSORS:
        raise SpecError(f"{name[:80]!r} has {len(tensors):,} tensors; 1 to {MAX_TENSORS:,} can be used.", hint=SAVE_AGAIN)
    total = 0
    for key, tensor in tensors.items():
        if reason := _reason_against(key, tensor):
            raise SpecError(f"{name[:80]!r}: {key[:80]!r} {reason}.", hint=SAVE_AGAIN)
        total += tensor.numel() * tensor.element_size()
    if total > max_bytes:
        raise TooExpensive(
            f"The tensors of {name[:80]!r} take {total / MIB:,.1f} MB, the limit is {max_bytes / MIB:,.0f} MB.",
            hint="Save each tensor once, as 32-bit floats.",
        )


def _reason_against(key: str, tensor: Any) -> str:
    """Why this entry of a state_dict cannot be used; empty if it can."""
    import torch

    tests: tuple[tuple[Callable[[], bool], str], ...] = (
        (lambda: not NAME.fullmatch(key), "has a name with other characters than letters, digits, '.', '_' and '-'"),
        (lambda: not isinstance(tensor, torch.Tensor), f"is a {type(tensor).__name__}, not a tensor"),
        (lambda: tensor.layout != torch.strided or tensor.is_quantized, "is sparse or quantised"),
        (lambda: tensor.device.type != "cpu", "has no numbers"),
        (lambda: tensor.dtype.is_complex or tensor.element_size() > 8, "has complex numbers"),
        (lambda: tensor.dim() > MAX_AXES, f"has more than {MAX_AXES} axes"),
        (
            lambda: tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes(),
            "claims more numbers than the file has for it",
        ),
    )
    return next((reason for is_wrong, reason in tests if is_wrong()), "")


def _odd_numbers(tensors: Tensors) -> list[str]:
    """A sentence per kind of oddness."""
    import torch

    floats = {key: tensor for key, tensor in tensors.items() if tensor.is_floating_point()}
    counts = {key: int((~torch.isfinite(tensor.float())).sum()) for key, tensor in floats.items()}
    odd = [key for key, count in counts.items() if count]
    formats = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in floats.values()} - {"float32"})
    notes = []
    if odd:
        notes.append(
            f"{sum(counts.values()):,} numbers are NaN or infinite, the first in {odd[0]}: no training can start here."
        )
    if formats:
        notes.append(f"Some tensors are {', '.join(formats)}; they become float32 in the model.")
    return notes


def _packed(tensors: Tensors) -> bytes:
    """The kept file: equal tensors in equal order give equal bytes."""
    from safetensors.torch import save

    plain = {key: tensor.detach().contiguous().clone() for key, tensor in tensors.items()}  # tied weights: one copy each
    return save(plain, {ORDER: json.dumps(list(tensors))})


def _keep(data: bytes, digest: str, settings: Settings) -> None:
    """Put the file on the disk, whole or not at all."""
    folder = weights_folder(settings)
    path = folder / f"{digest}.safetensors"
    part = folder / f".{digest}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise StoreError(
            f"The weights ({len(data):,} bytes) could not be kept: {error.strerror}.",
            hint=f"Free some disk space, or make {folder} writable.",
        ) from error
