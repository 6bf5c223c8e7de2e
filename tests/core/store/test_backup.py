"""A backup gives back every byte, is made while others write, and is refused when anything in it is not as it was written."""

import fcntl
import json
import os
import sqlite3
import stat
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import LayerwiseError, SpecError, StoreError
from core.events import Progressed
from core.jobs.work.limits import MIB
from core.store import archive, backup
from core.store.artifacts import ArtifactFiles
from core.store.backup import back_up
from core.store.check import check_store
from core.store.protocol import ArtifactRecord, LoggedEvent
from core.store.restore import restore
from core.store.sql import SqlReader, SqlWriter
from tests.contracts.test_stores import record
from tests.core.store.version_1 import make

UPLOAD = b"a,b\n1,2\n"


def digest(data: bytes) -> str:
    return archive.hashlib.sha256(data).hexdigest()


class Home:
    """A data folder with runs, as the supervisor and its workers fill it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files = folder, ArtifactFiles(folder)
        self.writer = SqlWriter(folder / "runs.db")

    def run(self, run: str, state: str, *sizes: int) -> None:
        self.writer.begin()
        self.writer.create(record(run, state=state, owner="ada"))
        self.writer.append(run, [LoggedEvent(n, Progressed(n, 9)) for n in range(1, 8)])
        self.writer.say(run, name="Ärger <b>", tags='["x"]')
        for n, size in enumerate(sizes):
            self.save(run, f"checkpoint-{n}", os.urandom(size), n)
        self.writer.commit()

    def save(self, run: str, name: str, data: bytes, n: int = 1) -> None:
        saved = self.files.write(run, name, data)
        self.writer.add_artifact(ArtifactRecord(run, name, "checkpoint", n, n, saved.n_bytes, saved.sha256))

    def upload(self, data: bytes) -> None:
        (self.folder / "uploads").mkdir(exist_ok=True)
        (self.folder / "uploads" / digest(data)).write_bytes(data)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    home.run("done-1", "finished", 1000, 70_000)
    home.run("going-1", "running", 10)
    home.run("empty-1", "queued")
    home.upload(UPLOAD)
    yield home
    home.writer.close()


def rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(folder / "runs.db")
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
    found = {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}
    connection.close()
    return found


def bytes_of(folder: Path) -> dict[str, bytes]:
    found = [path for part in ("artifacts", "uploads") for path in (folder / part).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.mark.fault(97)
def test_all_comes_back_byte_for_byte_and_private(home, tmp_path):
    made = back_up(home.folder, tmp_path / "b.zip")
    assert (made.n_runs, made.n_artifacts, made.n_uploads, made.damaged) == (3, 3, 1, ())
    restored = restore(tmp_path / "b.zip", tmp_path / "new")
    assert (restored.n_runs, restored.n_unfinished, restored.n_files) == (3, 2, 5)
    assert rows(tmp_path / "new") == rows(home.folder)
    assert bytes_of(tmp_path / "new") == bytes_of(home.folder)
    assert len(bytes_of(tmp_path / "new")) == 4
    modes = [path.stat().st_mode for path in (tmp_path / "new").rglob("*") if path.name != "lock"]
    assert not any(stat.S_IMODE(mode) & 0o077 for mode in [*modes, (tmp_path / "b.zip").stat().st_mode])
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"artifacts", "uploads", "runs.db", "lock"}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert check_store(tmp_path / "new").wrong == ()
    again = SqlWriter(tmp_path / "new" / "runs.db")  # the supervisor goes on with it
    assert again.run("going-1").state == "running"
    again.close()


def test_a_backup_made_while_runs_save_and_forget_has_a_file_for_every_row(home, tmp_path, monkeypatch):
    """Checkpoints come and go all the time; the backup is slowed down so that many go while it is made."""
    is_over = threading.Event()
    thinned = threading.Event()

    def train() -> None:
        for n in range(10, 100_000):
            home.writer.begin()
            home.save("going-1", f"checkpoint-{n}", os.urandom(200), n)
            home.save("going-1", "best", os.urandom(200), n)  # replaced under its name
            home.writer.forget_artifacts("going-1", [f"checkpoint-{n - 3}"])
            home.writer.commit()
            home.files.forget("going-1", f"checkpoint-{n - 3}")
            if n > 20:
                thinned.set()
            if is_over.is_set():
                return

    slow = backup._taken

    def taken(*given):
        before = home_seq()
        while home_seq() < before + 6:  # until what was there at the beginning is gone
            pass
        return slow(*given)

    def home_seq() -> int:
        return max(
            (int(path.name.split("-")[1]) for path in (home.folder / "artifacts/going-1").glob("checkpoint-*")), default=0
        )

    home.writer._connection.close()
    home.writer = None
    writing = threading.Thread(target=lambda: (setattr(home, "writer", SqlWriter(home.folder / "runs.db")), train()))
    writing.start()
    assert thinned.wait(20)
    monkeypatch.setattr(backup, "_taken", taken)
    try:
        made = back_up(home.folder, tmp_path / "b.zip")
    finally:
        is_over.set()
        writing.join()
    restore(tmp_path / "b.zip", tmp_path / "new")
    assert made.damaged == ()
    assert made.n_artifacts >= 2
    reader = SqlReader(tmp_path / "new" / "runs.db")
    assert {row.run for row in reader.every_artifact()} >= {"done-1"}
    assert all(ArtifactFiles(tmp_path / "new").is_whole(row.run, row.name, row.sha256) for row in reader.every_artifact())
    assert len(reader.events("done-1")) == 7
    reader.close()


def test_a_damaged_file_is_told_and_left_out(home, tmp_path):
    home.files.path("done-1", "checkpoint-1").write_bytes(b"damaged")
    made = back_up(home.folder, tmp_path / "b.zip")
    assert made.damaged == ("done-1/checkpoint-1",)
    restore(tmp_path / "b.zip", tmp_path / "new")
    assert check_store(tmp_path / "new").wrong == ()


def test_a_backup_replaces_nothing_and_leaves_nothing_behind(home, tmp_path, monkeypatch):
    (tmp_path / "b.zip").write_bytes(b"precious")
    with pytest.raises(SpecError, match="replaces nothing"):
        back_up(home.folder, tmp_path / "b.zip")
    assert (tmp_path / "b.zip").read_bytes() == b"precious"
    with pytest.raises(SpecError, match="no store"):
        back_up(tmp_path / "nowhere", tmp_path / "c.zip")
    with pytest.raises(StoreError, match="could not be written"):
        back_up(home.folder, tmp_path / "no folder" / "c.zip")

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.ArchiveWriter, "add", full)
    with pytest.raises(StoreError, match="No space left"):
        back_up(home.folder, tmp_path / "c.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "home"]


@pytest.mark.fault(98)
@pytest.mark.parametrize("name", ["runs.db", "artifacts/r/x", "uploads/" + "a" * 64, f"senders/{'a' * 32}/{'a' * 64}"])
def test_a_folder_in_use_is_not_overwritten(home, tmp_path, name):
    back_up(home.folder, tmp_path / "b.zip")
    there = tmp_path / "new" / name
    there.parent.mkdir(parents=True)
    there.write_bytes(b"precious")
    with pytest.raises(SpecError, match="already") as raised:
        restore(tmp_path / "b.zip", tmp_path / "new")
    assert "--home" in raised.value.hint
    assert there.read_bytes() == b"precious"


@pytest.mark.fault(98)
def test_a_folder_with_a_supervisor_is_refused(home, tmp_path):
    back_up(home.folder, tmp_path / "b.zip")
    (tmp_path / "new").mkdir()
    with open(tmp_path / "new" / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SpecError, match="supervisor is at work"):
            restore(tmp_path / "b.zip", tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["lock"]


def test_data_that_lie_in_the_folder_already_stay(home, tmp_path):
    back_up(home.folder, tmp_path / "b.zip")
    (tmp_path / "new" / "data").mkdir(parents=True)
    (tmp_path / "new" / "data" / "mnist").write_bytes(b"x")
    (tmp_path / "new" / "artifacts").mkdir()
    restore(tmp_path / "b.zip", tmp_path / "new")
    assert (tmp_path / "new" / "data" / "mnist").read_bytes() == b"x"
    assert bytes_of(tmp_path / "new") == bytes_of(home.folder)


Members = dict[str, bytes]
EVIL = "../../evil"


def rewritten(file: Path, change: Callable[[Members], Members | None], *, is_listed: bool = True, **info: int) -> None:
    """The archive again with other members; with a list and a manifest that fit them, as an attacker would make it."""
    with zipfile.ZipFile(file) as old:
        members = {name: old.read(name) for name in old.namelist()}
    manifest = json.loads(members.pop(archive.MANIFEST))
    lines = members.pop(archive.FILES)
    members = change(members) or members
    if is_listed:
        entries = [{"path": name, "n_bytes": len(data), "sha256": digest(data)} for name, data in members.items()]
        lines = "".join(json.dumps(entry) + "\n" for entry in entries).encode()
        manifest |= {"files_sha256": digest(lines), "n_files": len(members), "n_bytes": sum(map(len, members.values()))}
    with zipfile.ZipFile(file, "w") as new:
        for name, data in (members | {archive.FILES: lines, archive.MANIFEST: json.dumps(manifest).encode()}).items():
            entry = archive._info(name, len(data))
            for key, value in info.items() if name == EVIL or name.startswith("uploads/") else ():
                setattr(entry, key, value)
            new.writestr(entry, data, compress_type=entry.compress_type)


def in_database(*statements: str) -> Callable[[Members], Members]:
    """A change of the database in the archive."""

    def change(members: Members) -> Members:
        connection = sqlite3.connect(":memory:")
        connection.deserialize(members["runs.db"])
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        return members | {"runs.db": connection.serialize()}

    return change


def flipped(members: Members) -> Members:
    name = "artifacts/done-1/checkpoint-1"
    return members | {name: members[name][:-1] + bytes([members[name][-1] ^ 1])}


CHECKPOINT = "artifacts/done-1/checkpoint-0"
TAMPERED = {
    "one byte of a file": (flipped, {"is_listed": False}),
    "one byte of a file, with a list that fits": (flipped, {}),
    "a file outside": (lambda members: members | {EVIL: b"x"}, {}),
    "an absolute path": (lambda members: members | {"/tmp/evil": b"x"}, {}),
    "a path of another system": (lambda members: members | {"artifacts\\..\\evil": b"x"}, {}),
    "a folder above an artifact": (lambda members: members | {"artifacts/../evil": b"x"}, {}),
    "a hidden artifact": (lambda members: members | {"artifacts/run/.evil": b"x"}, {}),
    "a lock": (lambda members: members | {"lock": b"x"}, {}),
    "an upload under another name": (lambda members: members | {"uploads/evil": b"x"}, {}),
    "a folder above a sender": (lambda members: members | {f"senders/../{digest(UPLOAD)}": b""}, {}),
    "a folder below a sender": (lambda members: members | {f"senders/{'a' * 32}/../../{digest(UPLOAD)}": b""}, {}),
    "a folder above all senders": (lambda members: members | {f"senders/{'a' * 32}/../../../evil": b""}, {}),
    "a sender's mark by name": (lambda members: members | {f"senders/ada/{digest(UPLOAD)}": b""}, {}),
    "a sender's mark with a line end": (lambda members: members | {f"senders/{'a' * 32}/{digest(UPLOAD)}\n": b""}, {}),
    "a sender's mark with bytes": (lambda members: members | {f"senders/{'a' * 32}/{digest(UPLOAD)}": b"x"}, {}),
    "a sender's mark without its upload": (lambda members: members | {f"senders/{'a' * 32}/{'b' * 64}": b""}, {}),
    "a sender without a file": (lambda members: members | {f"senders/{'a' * 32}": b""}, {}),
    "a file that is not listed": (lambda members: members | {"uploads/" + "a" * 64: b"x"}, {"is_listed": False}),
    "a file that is missing": (lambda members: {k: v for k, v in members.items() if k != CHECKPOINT}, {"is_listed": False}),
    "a file that only its row names": (lambda members: {k: v for k, v in members.items() if k != CHECKPOINT}, {}),
    "no database": (lambda members: {k: v for k, v in members.items() if k != "runs.db"}, {}),
    "a database that is none": (lambda members: members | {"runs.db": b"x" * 5000}, {}),
    "half a database": (lambda members: members | {"runs.db": members["runs.db"][:20_000]}, {}),
    "a trigger": (in_database("CREATE TRIGGER evil AFTER INSERT ON runs BEGIN DELETE FROM events; END"), {}),
    "a view": (in_database("CREATE VIEW evil AS SELECT 1"), {}),
    "another table": (in_database("CREATE TABLE evil (x)"), {}),
    "a computed column": (in_database("ALTER TABLE said ADD COLUMN evil AS (upper(note))"), {}),
    "a column more": (in_database("ALTER TABLE said ADD COLUMN evil TEXT"), {}),
    "a newer version": (in_database("UPDATE meta SET value = '3'"), {}),
    "a row of a file outside": (in_database("UPDATE artifacts SET name = '../../evil' WHERE n_bytes = 10"), {}),
    "a link": (lambda members: None, {"external_attr": (stat.S_IFLNK | 0o777) << 16}),
    "a device": (lambda members: None, {"external_attr": (stat.S_IFCHR | 0o600) << 16}),
    "a packed file": (lambda members: members | {"uploads/" + digest(bytes(MIB)): bytes(MIB)}, {"compress_type": 8}),
}


@pytest.mark.fault(99)
@pytest.mark.parametrize("case", TAMPERED)
def test_a_tampered_backup_is_refused_and_leaves_nothing(home, tmp_path, case):
    change, options = TAMPERED[case]
    back_up(home.folder, tmp_path / "b.zip")
    rewritten(tmp_path / "b.zip", change, **options)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(LayerwiseError) as raised:
        restore(tmp_path / "b.zip", tmp_path / "new")
    assert raised.value.hint
    left = set(tmp_path.rglob("*")) - set(before)
    assert left <= {tmp_path / "new", tmp_path / "new" / "lock"}
    assert not Path("/tmp/evil").exists()


def test_the_control_an_archive_written_again_without_a_change_is_taken(home, tmp_path):
    back_up(home.folder, tmp_path / "b.zip")
    rewritten(tmp_path / "b.zip", lambda members: None)
    assert restore(tmp_path / "b.zip", tmp_path / "new").n_runs == 3


@pytest.mark.fault(99)
@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.999])
def test_an_archive_that_was_cut_off_is_refused(home, tmp_path, kept):
    back_up(home.folder, tmp_path / "b.zip")
    data = (tmp_path / "b.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(data[: kept if isinstance(kept, int) else int(len(data) * kept)])
    with pytest.raises(SpecError, match=r"is no backup|is damaged"):
        restore(tmp_path / "b.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.fault(99)
def test_members_that_share_their_bytes_are_refused(home, tmp_path):
    """An archive of few bytes that would fill the disk: many entries of the directory point to one member."""
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as bomb:
        bomb.writestr(archive._info("uploads/" + "0" * 64, MIB), bytes(MIB))
        shared = bomb.infolist()[0]
        for n in range(1, 200):
            again = archive._info(f"uploads/{n:064x}", MIB)
            again.CRC, again.compress_size, again.header_offset = shared.CRC, shared.compress_size, shared.header_offset
            bomb.filelist.append(again)
    with pytest.raises(SpecError, match="overlap"):
        restore(tmp_path / "b.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_without_room_nothing_is_written(home, tmp_path, monkeypatch):
    back_up(home.folder, tmp_path / "b.zip")
    monkeypatch.setattr("core.store.restore.shutil.disk_usage", lambda place: type("Usage", (), {"free": 1000})())
    with pytest.raises(StoreError, match="1,000 are free"):
        restore(tmp_path / "b.zip", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.fault(63)
def test_the_check_names_what_is_wrong_and_what_to_do(home, tmp_path):
    assert check_store(home.folder).wrong == ()
    assert check_store(home.folder).n_artifacts == 3
    home.files.path("done-1", "checkpoint-1").write_bytes(b"damaged")
    home.files.forget("going-1", "checkpoint-0")
    (home.folder / "uploads" / digest(UPLOAD)).write_bytes(b"other")
    said = [one.message for one in check_store(home.folder).wrong]
    assert "uploaded file" in said[0]
    assert said[1:] == ["Run done-1: checkpoint-1 is damaged.", "Run going-1: checkpoint-0 is gone."]
    assert all(one.hint for one in check_store(home.folder).wrong)


@pytest.mark.fault(63)
@pytest.mark.parametrize("nth", [0, 1, -1])
def test_the_check_finds_a_damaged_page_wherever_it_is(tmp_path, nth):
    home = Home(tmp_path)
    home.run("a-run", "finished", 100)
    home.writer.begin()
    home.writer.append("a-run", [LoggedEvent(n, Progressed(n, 9)) for n in range(8, 3000)])
    home.writer.commit()
    home.writer.close()
    data = bytearray((tmp_path / "runs.db").read_bytes())
    size = int.from_bytes(data[16:18], "big")
    pages = [
        at for at in range(size, len(data), size) if b"a-run" in data[at : at + size] or b"Progressed" in data[at : at + size]
    ]
    data[pages[nth] + 1 : pages[nth] + 200] = b"\xff" * 199
    (tmp_path / "runs.db").write_bytes(data)
    found = check_store(tmp_path)
    assert any("database is damaged" in one.message for one in found.wrong)
    assert ".recover" in found.wrong[0].hint


def test_an_older_database_is_told_from_a_damaged_one(tmp_path):
    make(tmp_path / "runs.db")
    for look in (lambda: check_store(tmp_path), lambda: back_up(tmp_path, tmp_path / "b.zip")):
        with pytest.raises(StoreError, match="version 1") as raised:
            look()
        assert "supervisor" in raised.value.hint
