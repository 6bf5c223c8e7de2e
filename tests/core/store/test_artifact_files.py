"""Artifacts are whole or absent, private, and never outside their folder."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SpecError, StoreError
from core.store.artifacts import ArtifactFiles

DATA = bytes(range(256)) * 40


def test_bytes_come_back_with_their_digest(tmp_path):
    files = ArtifactFiles(tmp_path)
    stored = files.write("run1", "checkpoint-01.safetensors", DATA)
    assert (stored.n_bytes, stored.sha256) == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert files.read("run1", "checkpoint-01.safetensors", stored.sha256) == DATA
    assert [path.name for path in (tmp_path / "artifacts" / "run1").iterdir()] == ["checkpoint-01.safetensors"]


@pytest.mark.fault(68)
def test_files_and_folders_are_private(tmp_path):
    path = ArtifactFiles(tmp_path).path("run1", "a")
    ArtifactFiles(tmp_path).write("run1", "a", DATA)
    assert [oct(one.stat().st_mode & 0o777) for one in (path, path.parent, path.parent.parent)] == ["0o600", "0o700", "0o700"]


@pytest.mark.parametrize("position", [0, 5000, len(DATA) - 1])
def test_one_changed_byte_is_found(tmp_path, position):
    files = ArtifactFiles(tmp_path)
    stored = files.write("run1", "a", DATA)
    damaged = bytearray(DATA)
    damaged[position] ^= 1
    files.path("run1", "a").write_bytes(damaged)
    with pytest.raises(StoreError, match="damaged"):
        files.read("run1", "a", stored.sha256)
    assert not files.is_whole("run1", "a", stored.sha256)


def test_what_is_gone_or_cut_short_is_not_whole(tmp_path):
    files = ArtifactFiles(tmp_path)
    stored = files.write("run1", "a", DATA)
    files.path("run1", "a").write_bytes(DATA[:-1])
    assert not files.is_whole("run1", "a", stored.sha256)
    files.forget("run1", "a")
    files.forget("run1", "a")
    with pytest.raises(StoreError, match="gone"):
        files.read("run1", "a", stored.sha256)


def test_a_second_file_of_a_name_replaces_the_first(tmp_path):
    files = ArtifactFiles(tmp_path)
    files.write("run1", "a", b"first")
    second = files.write("run1", "a", b"second")
    assert files.read("run1", "a", second.sha256) == b"second"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/etc/passwd",
        "a\\b",
        "a\0b",
        "a\n",
        ".hidden",
        "a..b/../c",
        "x" * 121,
        "é",
        "a b",
        "-rf",
        "a.",
    ],
)
def test_a_name_that_is_not_plain_is_refused_as_artifact_and_as_run(tmp_path, name):
    files = ArtifactFiles(tmp_path)
    with pytest.raises(SpecError):
        files.path("run1", name)
    with pytest.raises(SpecError):
        files.write(name, "a", DATA)
    assert list(tmp_path.iterdir()) == []


@given(run=st.text(max_size=20), name=st.text(alphabet="./\\a%~\0", max_size=12))
def test_no_name_leads_out_of_its_folder(run, name):
    root = Path("/home-of-nobody")
    try:
        path = ArtifactFiles(root).path(run, name)
    except SpecError:
        return
    assert path.parent.parent == root / "artifacts"
    assert ".." not in path.parts


@pytest.mark.fault(54)
def test_what_a_killed_worker_left_half_written_is_swept_away(tmp_path):
    files = ArtifactFiles(tmp_path)
    stored = files.write("run1", "a", DATA)
    left = tmp_path / "artifacts" / "run1" / ".b.123.part"
    left.write_bytes(b"half")
    files.sweep("run1")
    files.sweep("run-without-artifacts")
    assert not left.exists()
    assert files.is_whole("run1", "a", stored.sha256)


@pytest.mark.fault(63)
def test_a_file_that_is_too_large_is_refused_in_words_and_leaves_nothing(tmp_path):
    code = f"""
import resource
from pathlib import Path
from core.errors import StoreError
from core.store.artifacts import ArtifactFiles
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    ArtifactFiles(Path({str(tmp_path)!r})).write("run1", "a", bytes(200_000))
except StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True, cwd=Path.cwd())
    assert "200,000 bytes" in done.stdout
    assert "LAYERWISE_WORKER_FILE_MB" in done.stdout
    assert list((tmp_path / "artifacts" / "run1").iterdir()) == []
