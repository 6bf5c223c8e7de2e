"""The torch optimizers of our own, against those of torch that they are made of."""

import copy

import pytest
import torch

from core.optim.optimizer_modules import LBFGS, Lion, MuonAndAdamW


def parameters(*shapes: tuple[int, ...]) -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(3)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]


def give_gradients(ones: list[torch.nn.Parameter], step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for one in ones:
        one.grad = torch.randn(one.shape, generator=generator)


def is_equal(ones: list[torch.nn.Parameter], others: list[torch.nn.Parameter]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(ones, others, strict=True))


@pytest.mark.parametrize("arguments", [{}, {"nesterov": False, "momentum": 0.5}, {"ns_steps": 3, "adjust_lr_fn": "original"}])
def test_matrices_are_trained_as_torchs_muon_does_and_the_rest_as_its_adamw(arguments):
    shapes = (4, 3), (4,), (), (2, 5)
    ours, theirs = parameters(*shapes), parameters(*shapes)
    both = MuonAndAdamW(ours, lr=0.02, weight_decay=0.1, **arguments)
    settings = {"adjust_lr_fn": "match_rms_adamw"} | arguments
    muon = torch.optim.Muon([theirs[0], theirs[3]], lr=0.02, weight_decay=0.1, **settings)
    adamw = torch.optim.AdamW(theirs[1:3], lr=0.02, weight_decay=0.1)
    for step in range(6):
        give_gradients(ours, step)
        give_gradients(theirs, step)
        both.step()
        muon.step()
        adamw.step()
    assert is_equal(ours, theirs)


def test_a_kernel_is_trained_as_the_matrix_of_its_channels_wherever_its_numbers_lie():
    kernel, last = parameters((4, 3, 2, 2)), parameters((4, 3, 2, 2))
    last[0].data = last[0].data.to(memory_format=torch.channels_last)
    matrix = [torch.nn.Parameter(kernel[0].detach().flatten(1).clone())]
    for ones in (kernel, last, matrix):
        optimizer = MuonAndAdamW(ones, lr=0.1)
        for step in range(3):
            gradient = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(step))
            ones[0].grad = gradient.reshape_as(ones[0])
            optimizer.step()
    assert torch.equal(kernel[0].flatten(1), matrix[0])
    assert torch.equal(kernel[0], last[0])
    assert last[0].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("shapes", [[(3,), (2,)], [(3, 2)]])
def test_a_model_may_have_no_matrix_or_nothing_else(shapes):
    ones = parameters(*shapes)
    before = [one.detach().clone() for one in ones]
    optimizer = MuonAndAdamW(ones, lr=0.1)
    give_gradients(ones, 0)
    optimizer.step()
    assert not any(torch.equal(one, then) for one, then in zip(ones, before, strict=True))
    optimizer.zero_grad()
    assert all(one.grad is None for one in ones)


def test_the_two_parts_of_muon_stay_one_after_a_state_was_loaded():
    ones, others = parameters((3, 2), (3,)), parameters((3, 2), (3,))
    optimizer, loaded = MuonAndAdamW(ones, lr=0.1), MuonAndAdamW(others, lr=0.5)
    give_gradients(ones, 0)
    optimizer.step()
    with torch.no_grad():
        for one, other in zip(ones, others, strict=True):
            other.copy_(one)
    loaded.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for one in (optimizer, loaded):
        for group in one.param_groups:
            group["lr"] = 0.01
    for step in (1, 2):
        give_gradients(ones, step)
        give_gradients(others, step)
        optimizer.step()
        loaded.step()
    assert is_equal(ones, others)
    assert len(loaded.state_dict()["state"]) == 2


def test_a_copy_of_muon_steps_by_itself():
    ones = parameters((3, 2), (3,))
    ones, optimizer = copy.deepcopy((ones, MuonAndAdamW(ones, lr=0.1)))
    before = [one.detach().clone() for one in ones]
    give_gradients(ones, 0)
    optimizer.step()
    assert not any(torch.equal(one, then) for one, then in zip(ones, before, strict=True))


@pytest.mark.parametrize("cls", [Lion, MuonAndAdamW])
def test_a_closure_is_evaluated_once_with_gradients_and_a_parameter_without_one_stays(cls):
    ones = parameters((3, 2), (3,), (2, 2), (2,))
    still = [one.detach().clone() for one in ones[2:]]
    calls = []

    def closure():
        loss = sum((one**2).sum() for one in ones[:2])
        loss.backward()
        calls.append(loss.detach())
        return calls[-1]

    assert cls(ones, lr=0.1).step(closure) == calls[0]
    assert len(calls) == 1
    assert is_equal(ones[2:], still)


def test_lion_moves_every_weight_by_the_learning_rate():
    ones = parameters((3, 2))
    before = ones[0].detach().clone()
    give_gradients(ones, 0)
    Lion(ones, lr=0.25).step()
    assert torch.allclose((ones[0] - before).abs(), torch.full((3, 2), 0.25))


def test_lbfgs_makes_torchs_steps_also_on_kernels_whose_channels_lie_last():
    ours, theirs = parameters((4, 3, 2, 2), (3,)), parameters((4, 3, 2, 2), (3,))
    ours[0].data = ours[0].data.to(memory_format=torch.channels_last)
    for ones, cls in ((ours, LBFGS), (theirs, torch.optim.LBFGS)):
        optimizer = cls(ones, lr=0.5, max_iter=3)

        def closure(ones=ones, optimizer=optimizer):
            optimizer.zero_grad()
            loss = sum((one**4).sum() for one in ones)
            loss.backward()
            return loss.detach()

        for _ in range(3):
            optimizer.step(closure)
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(ours, theirs, strict=True))


def test_the_state_of_lbfgs_holds_tensors_and_numbers_alone():
    ones = parameters((3, 2))
    optimizer = LBFGS(ones, max_iter=3)

    def closure():
        optimizer.zero_grad()
        loss = (ones[0] ** 2 * torch.arange(1, 7).reshape(3, 2)).sum()
        loss.backward()
        return loss.detach()

    for expected in (0, 2):  # pairs after one iteration, and after three
        optimizer.param_groups[0]["max_iter"] = 1 if expected == 0 else 2
        optimizer.step(closure)
        (slots,) = optimizer.state_dict()["state"].values()
        assert all(isinstance(value, torch.Tensor | float | int) for value in slots.values())
        assert len(slots["old_dirs"]) == len(slots["ro"]) == expected
