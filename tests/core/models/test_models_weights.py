"""Weights from files: what fits goes in, what does not gets a sentence, and what is evil never runs and never inflates."""

import io
import json
import os
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save
from torch import nn

from core.errors import LayerwiseError, MissingData, SpecError, StoreError, TooExpensive
from core.models.layers.activation import ReLU
from core.models.layers.linear import Linear
from core.models.layers.regularization import BatchNorm1d
from core.models.model import ModelSpec, build
from core.models.weights import fill, imported, load_tensors
from core.models.weights_check import check_weights_bytes, in_torch_order, match, natural_order, weights_file
from core.results.codec import load_result, result_bytes
from core.results.weights_report import ImportedWeights
from core.settings import Settings
from core.training.checkpoints import TrainingState, state_bytes

MODEL = ModelSpec(layers=(Linear(out_features=5), ReLU(), BatchNorm1d(), Linear(out_features=3)))
INPUT = (4,)


class Named(nn.Module):
    """The same net as MODEL, as others write it, under names whose alphabet is not their order."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(4, 5)
        self.bn = nn.BatchNorm1d(5)
        self.classify = nn.Linear(5, 3)


class Evil:
    """Unpickled without care, it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def module(seed: int = 1) -> nn.Sequential:
    return build(MODEL, INPUT, seed)


def torch_file(thing: object, **how: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(thing, buffer, **how)
    return buffer.getvalue()


def rewritten(data: bytes, change=lambda name, content: content, compression: int = zipfile.ZIP_STORED) -> bytes:
    """The archive with some members changed, or packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", compression) as new:
        for member in old.infolist():
            new.writestr(member.filename, change(member.filename, old.read(member)))
    return out.getvalue()


def refused(data: bytes, name: str = "weights.pt", kind: type[LayerwiseError] = SpecError) -> LayerwiseError:
    """The error that an import ends in; it is short, and nothing is kept."""
    with pytest.raises(kind) as caught:
        imported(data, name)
    assert caught.value.hint
    assert len(str(caught.value)) < 500
    assert not list((Settings.from_environment().home / "weights").glob("*"))
    return caught.value


def check_filled(digest: str, wanted: nn.Module) -> None:
    """A fresh module gets the numbers of `wanted`."""
    fresh = module(seed=2)
    fill(fresh, digest)
    for (name, tensor), other in zip(fresh.state_dict().items(), wanted.state_dict().values(), strict=True):
        assert torch.equal(tensor, other), name


@pytest.fixture(autouse=True)
def _home(home):
    """Every test keeps its files in a folder of its own."""


@pytest.mark.parametrize(
    "data",
    [
        lambda state: save(state),
        lambda state: torch_file(state),
        lambda state: torch_file({"state_dict": state, "epoch": 3}),
        lambda state: torch_file({"model": {"state_dict": state}, "optimizer": {"lr": 0.1}}),
        lambda state: torch_file({f"module.{name}": tensor for name, tensor in state.items()}),
        lambda state: save({f"_orig_mod.{name}": tensor for name, tensor in state.items()}),
        lambda state: torch_file(OrderedDict((name, nn.Parameter(t, requires_grad=False)) for name, t in state.items())),
        lambda state: torch_file({name: tensor for name, tensor in state.items() if "num_batches" not in name}),
    ],
    ids=["safetensors", "torch", "nested", "nested-twice", "data-parallel", "compiled", "parameters", "old-batch-norm"],
)
def test_weights_come_back_from_every_form(data):
    trained = module()
    trained[2].running_mean.uniform_()
    report = imported(data(trained.state_dict()), "weights.bin")
    check_filled(report.digest, trained)
    assert report.n_parameters == sum(parameter.numel() for parameter in trained.parameters())
    assert "0.weight" in report.names
    assert dict(zip(report.names, report.shapes, strict=True))["0.weight"] == "5 × 4"
    path = weights_file(report.digest)
    assert path.stat().st_size == report.n_bytes
    assert load_file(path)["0.weight"].equal(trained[0].weight)
    assert path.stat().st_mode & 0o077 == 0


def test_the_report_is_a_result_that_can_be_stored():
    report = imported(torch_file({"state_dict": module().state_dict()}), "a.pt")
    assert report.notes == ("Taken from under the key 'state_dict'; what stands beside it was left out.",)
    assert load_result(ImportedWeights, result_bytes(report)) == report


def test_the_same_tensors_have_the_same_digest_whatever_the_file():
    state = module().state_dict()
    assert imported(torch_file(state), "a.pt").digest == imported(torch_file({"state_dict": state}), "b.pt").digest


@pytest.mark.parametrize("to_bytes", [torch_file, save], ids=["torch", "safetensors"])
def test_other_names_match_by_order_and_shape(to_bytes):
    theirs = Named()
    state = theirs.state_dict()
    if to_bytes is save:  # which forgets the order: then it is that of the names
        state = {f"layers.{10 * index}.{leaf}": tensor for index, (leaf, tensor) in _numbered(state)}
    check_filled(imported(to_bytes(state), "named").digest, theirs)


def _numbered(state):
    modules = list(dict.fromkeys(name.split(".")[0] for name in state))
    return [(modules.index(name.split(".")[0]), (name.split(".")[1], tensor)) for name, tensor in state.items()]


def test_our_own_checkpoint_gives_its_first_series():
    first, second = module(3), module(4)
    optimizers = [torch.optim.Adam(each.parameters()).state_dict() for each in (first, second)]
    state = TrainingState(1234, 1.0, "[]", (first.state_dict(), second.state_dict()), tuple(optimizers))
    report = imported(state_bytes(state), "step-1234.safetensors")
    assert report.notes == ("Taken from a checkpoint of Layerwise after step 1,234: the model of its first series.",)
    check_filled(report.digest, first)


def test_half_precision_and_strided_tensors_become_the_models_own():
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in module().state_dict().items()}
    half["0.weight"] = half["0.weight"].T.contiguous().T
    report = imported(torch_file(half), "half.pt")
    fresh = module(2)
    fill(fresh, report.digest)
    assert fresh[0].weight.dtype == torch.float32
    assert torch.equal(fresh[0].weight, half["0.weight"].float())
    assert any("float16" in note for note in report.notes)


def test_tied_weights_are_kept_once_each():
    tied = torch.randn(3, 3)
    report = imported(torch_file({"a.weight": tied, "b.weight": tied}), "tied.pt")
    assert all(tensor.equal(tied) for tensor in load_tensors(report.digest).values())


def test_numbers_that_are_none_are_noted():
    state = module().state_dict()
    state["0.bias"][:2] = torch.nan
    state["3.weight"][0, 0] = -torch.inf
    report = imported(save(state), "nan.safetensors")
    assert report.notes == ("3 numbers are NaN or infinite, the first in 0.bias: no training can start here.",)


@pytest.mark.fault(53)
@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        (
            {"0.weight": (4, 5)},
            "These weights are of another model: 0.weight has 5 × 4 here and 4 × 5 in the file.",
            "transposed",
        ),
        ({"0.weight": (5, 9)}, "These weights are of another model: 0.weight has 5 × 4 here and 5 × 9 in the file.", "shapes"),
        (
            {"3.weight": None, "3.bias": None},
            "These weights are of another model: the stack has 8 tensors and the file 6; the first that only the stack has is "
            "3.weight with 3 × 5.",
            "Add or remove",
        ),
        (
            {"5.weight": (7, 3)},
            "These weights are of another model: the stack has 8 tensors and the file 9; the first that only the file has is "
            "5.weight with 7 × 3.",
            "Add or remove",
        ),
    ],
    ids=["transposed", "shape", "too-few", "too-many"],
)
def test_the_first_difference_is_named(given, message, hint):
    ours = {name: tuple(tensor.shape) for name, tensor in module().state_dict().items()}
    ours = {name: shape for name, shape in ours.items() if "num_batches" not in name}
    theirs = {name: shape for name, shape in (ours | given).items() if shape is not None}
    with pytest.raises(SpecError) as caught:
        match(ours, theirs)
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_a_renamed_tensor_of_another_shape_is_named_on_both_sides():
    with pytest.raises(SpecError, match=r"0\.weight \(in the file fc\.weight\) has 5 × 4 here and 4 × 5 in the file"):
        match({"0.weight": (5, 4), "0.bias": (5,)}, {"fc.bias": (5,), "fc.weight": (4, 5)})


def test_weights_of_another_model_change_nothing():
    report = imported(save({name: tensor for name, tensor in module().state_dict().items() if "0" not in name}), "x")
    fresh = module(2)
    before = {name: tensor.clone() for name, tensor in fresh.state_dict().items()}
    with pytest.raises(SpecError, match="another model"):
        fill(fresh, report.digest)
    assert all(tensor.equal(before[name]) for name, tensor in fresh.state_dict().items())


def test_orders():
    assert natural_order(["l10.bias", "l2.weight", "l2.bias"]) == ["l2.bias", "l2.weight", "l10.bias"]
    assert in_torch_order(["a.bias", "b.bias", "a.weight", "b.x"]) == ["a.weight", "a.bias", "b.bias", "b.x"]


def test_weights_of_a_model_spec_are_where_training_starts():
    trained = module()
    digest = imported(save(trained.state_dict()), "x").digest
    built = build(MODEL.but(weights=digest), INPUT, seed=9)
    assert all(one.equal(other) for one, other in zip(built.state_dict().values(), trained.state_dict().values(), strict=True))


@pytest.mark.fault(47)
def test_an_evil_pickle_is_refused_and_does_not_run(tmp_path):
    marker = tmp_path / "ran"
    for evil in (torch_file({"a": Evil(marker)}), torch_file(Evil(marker))):
        error = refused(evil)
        assert "Nothing of it was run." in error.hint
    assert not marker.exists()


@pytest.mark.fault(48)
@pytest.mark.fault(49)
def test_a_bare_pickle_is_refused_before_it_is_read(tmp_path):
    error = refused(torch_file({"a": Evil(tmp_path / "ran")}, _use_new_zipfile_serialization=False), "weights.safetensors")
    assert "bare pickle" in error.message
    assert not (tmp_path / "ran").exists()


@pytest.mark.fault(51)
def test_a_view_that_claims_more_than_the_file_has_is_refused():
    bomb = torch_file({"a.weight": torch.zeros(1).expand(10**6, 10**6)})
    assert len(bomb) < 3000
    assert "claims more numbers than the file has" in refused(bomb).message


@pytest.mark.fault(52)
def test_a_packed_archive_is_refused_before_it_inflates():
    bomb = rewritten(torch_file({"a.weight": torch.zeros(2_000_000)}), compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 20_000
    assert "packed members" in refused(bomb).message


def test_many_views_of_one_storage_are_refused():
    storage = torch.zeros(2**20)
    many = torch_file({f"w{index}": storage.view(1024, 1024) for index in range(40)})
    assert isinstance(refused(many, kind=TooExpensive), TooExpensive)


def test_a_storage_that_claims_more_bytes_than_its_member_is_refused():
    def lie(name: str, content: bytes) -> bytes:
        return content.replace(b"K\x04", b"M\x00\x40") if name.endswith("data.pkl") else content

    refused(rewritten(torch_file({"a.weight": torch.arange(4.0)}), lie))


def test_overlapping_members_are_refused():
    data = rewritten(torch_file({"a.weight": torch.zeros(64)}))
    end = data.rindex(b"PK\x05\x06")
    entries, size, start = struct.unpack("<HII", data[end + 10 : end + 20])
    directory = data[start : start + size]
    twice = data[:start] + directory * 9 + data[end : end + 8] + struct.pack("<HHII", *[entries * 9] * 2, size * 9, start)
    refused(twice + b"\0\0")


@pytest.mark.fault(50)
@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_refused(share):
    state = module().state_dict()
    for data in (torch_file(state), save(state)):
        refused(data[: int(share * len(data))])


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<Q", 2**60) + b"{" + b" " * 100,
        struct.pack("<Q", 50) + b"{" + b" " * 100,
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 2) + b"{]",
    ],
    ids=["huge-header", "no-json", "no-tensor", "broken-json"],
)
def test_a_lying_header_is_refused(data):
    refused(data, "weights.safetensors")


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    "change", [{"shape": [10**6, 10**6]}, {"data_offsets": [0, 10**12]}, {"dtype": "F77"}, {"shape": [-1]}]
)
def test_a_lying_tensor_is_refused(change):
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} | change
    header = json.dumps({"a": entry}).encode()
    refused(struct.pack("<Q", len(header)) + header + bytes(8))


@pytest.mark.parametrize(
    "about", ["{", "[]", "3", "null", '{"step": "x"}', '{"step": 1e999}', "[" * 100_000], ids=lambda about: about[:9]
)
def test_hostile_metadata_do_no_harm(about):
    data = save({"0.model.a.weight": torch.zeros(2, 2)}, {"layerwise": about, "layerwise_order": about})
    assert imported(data, "x").names == ("a.weight",)


@pytest.mark.parametrize(
    "thing",
    [
        {},
        [torch.zeros(2)],
        torch.zeros(2),
        {"a": "text"},
        {"a": {"b": torch.zeros(1)}},
        {"a": torch.zeros(2, dtype=torch.complex64)},
        {"a": torch.zeros(2, 2).to_sparse()},
        {"a": torch.empty(2, device="meta")},
        {"a b": torch.zeros(2)},
        {"x" * 300: torch.zeros(2)},
        {"<img src=x>": torch.zeros(2)},
        {"a": torch.zeros([1] * 12)},
        {f"w{index}": torch.zeros(1) for index in range(5001)},
    ],
    ids=["empty", "list", "tensor", "text", "deep", "complex", "sparse", "meta", "space", "long", "html", "axes", "many"],
)
def test_what_is_no_state_dict_is_refused(thing):
    refused(torch_file(thing))


def test_a_torchscript_program_is_refused():
    archive = rewritten(torch_file({"a": torch.zeros(1)}))
    out = io.BytesIO(archive)
    with zipfile.ZipFile(out, "a") as script:
        script.writestr("archive/constants.pkl", b"x")
    assert "TorchScript" in refused(out.getvalue()).message


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"\x89HDF\r\n\x1a\n" + bytes(8), "HDF5"),
        (b"\x80\x02}q" + bytes(12), "pickle"),
        (b"\x1f\x8b" + bytes(14), "gzip"),
        (b"\x93NUMPY" + bytes(10), "NumPy"),
        (b"hello, this is text", "no weights"),
        (bytes(16), "no weights"),
        (b"\xff" * 8 + b"{" + bytes(8), "header"),
    ],
)
def test_another_format_is_refused_by_its_first_bytes(head, word):
    with pytest.raises(SpecError, match=word) as caught:
        check_weights_bytes(head, 1000, "weights.safetensors", Settings())
    assert caught.value.hint


def test_the_first_look_refuses_empty_and_large_files_and_takes_good_ones():
    settings = Settings(upload_mb=1)
    with pytest.raises(SpecError, match="is empty"):
        check_weights_bytes(b"", 0, "a.pt", settings)
    with pytest.raises(TooExpensive, match=r"has 3\.0 MB, the limit is 1 MB"):
        check_weights_bytes(b"PK\x03\x04", 3 * 2**20, "a.pt", settings)
    for data in (torch_file({"a": torch.zeros(3)}), save({"a": torch.zeros(3)})):
        check_weights_bytes(data[:16], len(data), "a", settings)


def test_weights_that_are_not_here_are_told_with_what_to_do():
    with pytest.raises(MissingData, match="Import the same file on the Build screen"):
        weights_file("0" * 64)
    for wrong in ("", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"):
        with pytest.raises(SpecError):
            weights_file(wrong)


def test_a_kept_file_that_was_changed_is_not_loaded():
    digest = imported(save({"a": torch.zeros(3)}), "a").digest
    path = weights_file(digest)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(StoreError, match="damaged"):
        load_tensors(digest)


def test_a_folder_that_cannot_be_written_is_told(home):
    home.mkdir(parents=True)
    (home / "weights").write_text("in the way")
    with pytest.raises(StoreError, match="could not be kept"):
        imported(save({"a": torch.zeros(3)}), "a")
