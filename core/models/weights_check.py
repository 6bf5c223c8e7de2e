"""Files of weights from a stranger, judged before anything of them is read; and which of their tensors goes where. No torch."""

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from core.errors import MissingData, SpecError, TooExpensive
from core.settings import Settings
from core.types import Shape, shape_text

Format = Literal["safetensors", "torch"]
MIB = 2**20
HEAD_BYTES = 16
"""Bytes from the start of a file that tell its format."""
MAX_HEADER_BYTES = 8 * MIB
"""A safetensors header lists names and shapes: a megabyte is some ten thousand tensors."""
MAX_TENSORS = 5_000
SAVE_AGAIN = "Save it as safetensors: `safetensors.torch.save_file(model.state_dict(), 'weights.safetensors')`."

OTHER_FORMATS: dict[bytes, tuple[str, str]] = {
    b"\x80": ("a bare pickle, which could run programs when it is read", f"{SAVE_AGAIN} Files of torch 1.6 or newer work too."),
    b"\x89HDF": ("an HDF5 file, as Keras writes", f"Copy its arrays into a PyTorch model, transposed. {SAVE_AGAIN}"),
    b"\x1f\x8b": ("a gzip archive", "Unpack it first, and choose the file that is in it."),
    b"\x93NUMPY": ("a NumPy array", SAVE_AGAIN),
    b"GGUF": ("a GGUF file", SAVE_AGAIN),
}
LEAVES = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
"""Order of tensors within a module in a state_dict."""
COUNTER = "num_batches_tracked"
"""A buffer that old files do not have, and that no output depends on."""


def file_format(head: bytes, size: int, name: str) -> Format:
    """The format, from the first bytes of a file of `size` bytes; its name decides nothing.

    Raises:
        SpecError: something else; the message says what, where it is known.
    """
    if head.startswith(b"PK\x03\x04"):
        return "torch"
    if len(head) > 8 and head[8:9] == b"{":
        header = int.from_bytes(head[:8], "little")
        if header <= min(size - 8, MAX_HEADER_BYTES):
            return "safetensors"
        raise SpecError(
            f"{_shown(name)} says that its header has {header:,} bytes, but the file has {size:,}.",
            hint="It is damaged or cut short: copy it again.",
        )
    for magic, (what, hint) in OTHER_FORMATS.items():
        if head.startswith(magic):
            raise SpecError(f"{_shown(name)} is {what}.", hint=hint)
    raise SpecError(
        f"{_shown(name)} holds no weights that can be read.", hint=f"Choose a .safetensors, .pt or .pth file. {SAVE_AGAIN}"
    )


def check_weights_bytes(head: bytes, size: int, name: str, settings: Settings) -> None:
    """Refuse, before it is kept, what is no file of weights or too large.

    Args:
        head: its first bytes, HEAD_BYTES or more.
        size: of the whole file, in bytes.

    Raises:
        SpecError: another format, or empty.
        TooExpensive: larger than a visitor may send.
    """
    if size == 0:
        raise SpecError(f"{_shown(name)} is empty.", hint="Save it again, and wait until it is written.")
    if size > settings.upload_mb * MIB:
        raise TooExpensive(
            f"{_shown(name)} has {size / MIB:,.1f} MB, the limit is {settings.upload_mb:,} MB.",
            hint="Save the weights as 32-bit floats without the optimizer's state, or raise LAYERWISE_UPLOAD_MB.",
        )
    file_format(head, size, name)


def check_torch_zip(data: bytes, name: str) -> None:
    """Refuse an archive that is not as torch.save writes it: whole, plain and not packed, so that nothing can inflate.

    Raises:
        SpecError: damaged, packed, encrypted, overlapping members, or TorchScript.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError, EOFError):
        raise SpecError(f"{_shown(name)} is damaged or cut short.", hint="Copy it again, or save it again.") from None
    inside = {member.filename.rpartition("/")[2] for member in members}
    if "data.pkl" not in inside:
        raise SpecError(f"{_shown(name)} is a zip archive, but not of torch.", hint=SAVE_AGAIN)
    if "constants.pkl" in inside:
        raise SpecError(f"{_shown(name)} is a TorchScript program, not weights alone.", hint=SAVE_AGAIN)
    if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 for member in members):
        raise SpecError(f"{_shown(name)} has packed members, which torch.save never writes.", hint=SAVE_AGAIN)
    total = sum(member.file_size for member in members)
    if total > len(data) or len({member.filename for member in members}) < len(members):
        raise SpecError(
            f"{_shown(name)} lists {total:,} bytes in {len(members):,} members, but has {len(data):,} bytes or the same twice.",
            hint=SAVE_AGAIN,
        )


def weights_file(digest: str, settings: Settings | None = None) -> Path:
    """The kept file with this SHA-256 digest: `<Settings.home>/weights/<digest>.safetensors`.

    Raises:
        MissingData: it is not there.
        SpecError: not a digest.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", digest, re.ASCII):
        raise SpecError(f"{digest[:80]!r} is not the digest of a file of weights.", hint="Import the file on the Build screen.")
    path = weights_folder(settings) / f"{digest}.safetensors"
    if not path.is_file():
        raise MissingData(
            f"The weights {digest[:12]}... are not on this computer: {path} is missing.",
            hint="Import the same file on the Build screen, or start without weights.",
        )
    return path


def weights_folder(settings: Settings | None = None) -> Path:
    """Where weights are kept."""
    return (settings or Settings.from_environment()).home / "weights"


def match(module_state: Mapping[str, Shape], given: Mapping[str, Shape]) -> dict[str, str]:
    """Which given tensor goes where: names of the module's tensors, in order, with names from the file.

    By equal names where all are equal; else by order, when the shapes agree one by one (an nn.Sequential that was written
    elsewhere under other names). Counters of batches may be missing.

    Raises:
        SpecError: they are another model's; the message names the first difference.
    """
    wanted = _without_absent_counters(module_state, given)
    offered = given if wanted.keys() == given.keys() else _without_absent_counters(given, module_state)
    if wanted.keys() == offered.keys():
        pairs = [(name, name) for name in wanted]
    else:
        wanted, offered = _without_counters(wanted), _without_counters(offered)
        pairs = list(zip(wanted, in_torch_order(offered), strict=False))
    for ours, theirs in pairs:
        if wanted[ours] != offered[theirs]:
            raise _difference(ours, wanted[ours], theirs, offered[theirs])
    if len(wanted) != len(offered):
        raise _count(wanted, offered, len(pairs))
    return dict(pairs)


def in_torch_order(names: Iterable[str]) -> list[str]:
    """The names with those of one module together, in the order in which modules come, weight before bias."""
    modules: dict[str, list[str]] = {}
    for name in names:
        modules.setdefault(name.rpartition(".")[0], []).append(name)
    return [name for each in modules.values() for name in sorted(each, key=_leaf_rank)]


def natural_order(names: Iterable[str]) -> list[str]:
    """The names sorted as a person would, 2 before 10: safetensors files do not keep the order of a state_dict."""
    return sorted(names, key=lambda name: [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in re.split(r"(\d+)", name)])


def _leaf_rank(name: str) -> int:
    leaf = name.rpartition(".")[2]
    return LEAVES.index(leaf) if leaf in LEAVES else len(LEAVES)


def _without_counters(shapes: Mapping[str, Shape]) -> Mapping[str, Shape]:
    return {name: shape for name, shape in shapes.items() if not name.endswith(COUNTER)}


def _without_absent_counters(shapes: Mapping[str, Shape], others: Mapping[str, Shape]) -> Mapping[str, Shape]:
    return {name: shape for name, shape in shapes.items() if name in others or not name.endswith(COUNTER)}


def _difference(ours: str, wanted: Shape, theirs: str, offered: Shape) -> SpecError:
    where = ours if ours == theirs else f"{ours} (in the file {theirs})"
    hint = "Change the stack so that its shapes are those of the file, or choose another file."
    if len(wanted) > 1 and wanted == offered[::-1]:
        hint = "It looks transposed, as TensorFlow and Keras store it: transpose it (`tensor.T`) and save the file again."
    return SpecError(
        f"These weights are of another model: {where} has {_text(wanted)} here and {_text(offered)} in the file.", hint=hint
    )


def _count(wanted: Mapping[str, Shape], offered: Mapping[str, Shape], n_equal: int) -> SpecError:
    longer, where = (wanted, "the stack") if len(wanted) > len(offered) else (offered, "the file")
    first = (list(wanted) if longer is wanted else in_torch_order(offered))[n_equal]
    return SpecError(
        f"These weights are of another model: the stack has {len(wanted):,} tensors and the file {len(offered):,}; "
        f"the first that only {where} has is {first} with {_text(longer[first])}.",
        hint="Add or remove layers until both have the same tensors, or choose another file.",
    )


def _text(shape: Shape) -> str:
    return shape_text(shape) or "one number"


def _shown(name: str) -> str:
    """A file's name for a message."""
    return repr(name[:80])
