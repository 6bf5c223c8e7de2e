"""What is said about the device: its memory, its number formats, and what to do when its memory is not enough."""

import pytest
import torch

from core.data.rendered import Digits
from core.errors import SpecError
from core.experiment.check import MB, training_bytes
from core.training import device as devices
from core.training.device import device_memory, has_bfloat16_units, out_of_memory, resolved_device
from tests.core.samples import linear, spiral, stack

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
LARGE = spiral(data=Digits(), model=stack(("Conv2d", {"out_channels": 256}), "ReLU", "Flatten", linear(10)), batch_size=1024)


def test_a_processor_has_no_memory_of_its_own():
    assert device_memory(CPU) is None


def test_the_memory_of_a_gpu_is_what_is_used_and_what_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (3 * MB, 10 * MB))
    assert device_memory(CUDA) == (7 * MB, 10 * MB)


@pytest.mark.parametrize("share", [0.9, 0.6, 0.4])
def test_out_of_memory_names_the_largest_halved_batch_whose_estimate_fits(share, monkeypatch):
    total = int(training_bytes(LARGE) * share)
    monkeypatch.setattr(devices, "device_memory", lambda _: (0, total))
    monkeypatch.setattr(devices, "device_name", lambda _: "a small GPU")
    error = out_of_memory(LARGE, CUDA)
    size = error.params["batch_size"]
    assert error.hint == f"Use batches of {size:,}."
    assert 1024 % size == 0
    assert training_bytes(LARGE.but(batch_size=size)) < total
    assert size == 512 or training_bytes(LARGE.but(batch_size=2 * size)) >= total


def test_out_of_memory_without_a_batch_that_fits_names_what_else_is_large(monkeypatch):
    monkeypatch.setattr(devices, "device_memory", lambda _: (0, MB))
    monkeypatch.setattr(devices, "device_name", lambda _: "a small GPU")
    error = out_of_memory(LARGE, CUDA)
    assert error.params["batch_size"] is None
    assert "smaller model" in error.hint


def test_out_of_memory_although_the_estimate_fits_halves_the_batch(monkeypatch):
    monkeypatch.setattr(devices, "device_memory", lambda _: (0, 10 * training_bytes(LARGE)))
    monkeypatch.setattr(devices, "device_name", lambda _: "a GPU")
    assert out_of_memory(LARGE, CUDA).params["batch_size"] == 512


@pytest.mark.parametrize(("amx", "avx"), [(True, False), (False, True), (False, False)])
def test_bfloat16_units_are_amx_or_avx512(amx, avx, monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx)
    assert has_bfloat16_units() == (amx or avx)


def test_a_device_that_is_not_there_is_refused_in_words(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert resolved_device("auto") == CPU
    with pytest.raises(SpecError, match="'cuda' is not available"):
        resolved_device("cuda")
