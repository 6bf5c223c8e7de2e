"""Where a run computes, and what decides its last bits."""

import platform
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from core.errors import SpecError, TrainingError
from core.experiment.check import MB, training_bytes
from core.experiment.experiment import Experiment


def resolved_device(wanted: str) -> torch.device:
    """The device that `wanted` names; "auto" takes a GPU where there is one.

    Raises:
        SpecError: it is not there.
    """
    available: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if wanted == "auto":
        return torch.device(next(name for name, is_there in available.items() if is_there()))
    if not available[wanted]():
        raise SpecError(f"The device {wanted!r} is not available on this machine.", hint="Choose 'auto' or 'cpu'.")
    return torch.device(wanted)


def fingerprint(device: torch.device, precision: str) -> dict[str, str]:
    """What must be equal for two runs of one experiment to agree bit for bit."""
    return {
        "torch": torch.__version__,
        "processor": torch.backends.cpu.get_cpu_capability() if device.type == "cpu" else device_name(device),
        "platform": platform.machine(),
        "threads": str(torch.get_num_threads()),
        "device": device.type,
        "precision": precision,
    }


def device_name(device: torch.device) -> str:
    """The device as a person reads it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type.upper()


def has_bfloat16_units() -> bool:
    """Whether this processor multiplies bfloat16 numbers itself (AMX, or AVX512-BF16); without, they cost more than float32."""
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def device_memory(device: torch.device) -> tuple[int, int] | None:
    """Bytes of the device's own memory that are in use, by anybody, and that there are; None for one that has none."""
    if device.type != "cuda":
        return None
    free, total = torch.cuda.mem_get_info(device)
    return total - free, total


def out_of_memory(experiment: Experiment, device: torch.device) -> TrainingError:
    """That the device's memory is not enough, in words, with the largest half, quarter, ... of the batch that should fit."""
    memory = device_memory(device)
    total = memory[1] if memory else 0
    n_train = experiment.data.profile().n_train
    size = experiment.batch(n_train)
    needed = training_bytes(experiment)
    smaller = experiment
    while size > 1 and training_bytes(smaller) >= min(total, needed):
        size //= 2
        smaller = experiment.but(batch_size=size)
    fits = training_bytes(smaller) < min(total, needed)
    hint = f"Use batches of {size:,}." if fits else "Use a smaller model, or fewer lanes and repeats."
    return TrainingError(
        f"The {total / MB:,.0f} MB of {device_name(device)} are not enough for batches of {experiment.batch(n_train):,}.",
        hint=hint,
        batch_size=size if fits else None,
        total_mb=total / MB,
    )


def seed_device(device: torch.device, seed: int) -> None:
    """Seed the generators that layers such as Dropout draw from on this device; 1 µs on the CPU."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def autocast(experiment: Experiment, device: torch.device) -> AbstractContextManager[Any]:
    """The number format of the forward pass that an experiment asks for."""
    return torch.autocast(device.type, torch.bfloat16) if experiment.precision == "bfloat16" else nullcontext()
