"""After a restore every upload is still its sender's."""

import zipfile

import pytest

from core.data.own.keep import MIB, store_upload
from core.data.own.senders import NOBODY, Sender, files_of, senders_of
from core.errors import TooExpensive
from core.settings import Settings
from core.store import backup
from core.store.backup import back_up
from core.store.restore import restore
from tests.core.store.test_backup import Home, rewritten

ADA, BOB, CAROL = "a" * 32, "b" * 32, "visitor-of-another-form"


def settings_of(folder):
    return Settings(home=folder, upload_mb=4, uploads_mb=4, visitor_uploads_mb=4, visitor_stored_mb=100)


def send(settings, letter, owner, mb=1.0):
    return store_upload(letter.encode() * int(mb * MIB), f"{letter}.csv", settings, Sender(owner) if owner else NOBODY)


def own(settings, owner):
    return {one.digest: one.n_bytes for one in files_of(owner, settings)}


@pytest.fixture
def sent(tmp_path):
    """The settings of a data folder with uploads of two visitors, of both together, and of nobody."""
    home = Home(tmp_path / "home")
    home.run("done-1", "finished", 10)
    home.writer.close()
    settings = settings_of(home.folder)
    for letter, owner in (("a", ADA), ("b", BOB), ("c", ADA), ("c", CAROL), ("d", "")):
        send(settings, letter, owner, 0.5)
    return settings


def test_uploads_stay_their_senders(sent, tmp_path):
    made = back_up(sent.home, tmp_path / "b.zip")
    restored = restore(tmp_path / "b.zip", tmp_path / "new")
    new = settings_of(tmp_path / "new")
    assert (made.n_uploads, restored.n_files) == (4, 1 + 1 + 4 + 4)
    for owner, n_files in ((ADA, 2), (BOB, 1), (CAROL, 1), ("", 1)):
        assert own(new, owner) == own(sent, owner)
        assert len(own(new, owner)) == n_files
    found = list((new.home / "senders").rglob("*"))
    assert {path.stat().st_mode & 0o777 for path in found} == {0o700, 0o600}


def test_after_a_restore_nobodys_upload_goes_for_another_visitors(sent, tmp_path):
    back_up(sent.home, tmp_path / "b.zip")
    restore(tmp_path / "b.zip", tmp_path / "new")
    new = settings_of(tmp_path / "new")
    send(new, "e", "e" * 32, 2.5)  # only what nobody sent makes room
    assert own(new, "") == {}
    assert [own(new, owner) for owner in (ADA, BOB, CAROL)] == [own(sent, owner) for owner in (ADA, BOB, CAROL)]
    with pytest.raises(TooExpensive, match="the files of all visitors"):
        send(new, "f", "f" * 32)


def test_only_marks_of_uploads_in_the_backup_are_taken(sent, tmp_path):
    (gone,) = own(sent, BOB)
    (sent.home / "uploads" / gone).unlink()
    (sent.home / "senders" / ADA / "notes.txt").touch()
    (sent.home / "senders" / "lost+found").mkdir()
    (sent.home / "senders" / "lost+found" / next(iter(own(sent, ADA)))).touch()
    back_up(sent.home, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        names = {name for name in archive.namelist() if name.startswith("senders/")}
    assert len(names) == 3
    assert not [name for name in names if gone in name or "notes" in name or "lost" in name]
    restore(tmp_path / "b.zip", tmp_path / "new")
    assert own(settings_of(tmp_path / "new"), BOB) == {}


def test_a_file_sent_while_the_backup_is_made_brings_no_mark_without_its_upload(sent, tmp_path, monkeypatch):
    take = backup._take_senders
    late = []

    def taken(*given):
        late.append(send(sent, "f", BOB, 0.5))
        take(*given)

    monkeypatch.setattr(backup, "_take_senders", taken)
    back_up(sent.home, tmp_path / "b.zip")
    restore(tmp_path / "b.zip", tmp_path / "new")
    assert senders_of(late[0], sent)
    assert not senders_of(late[0], settings_of(tmp_path / "new"))
    assert len(own(settings_of(tmp_path / "new"), BOB)) == 1


def test_a_backup_from_before_the_marks_is_taken(sent, tmp_path):
    back_up(sent.home, tmp_path / "b.zip")
    rewritten(tmp_path / "b.zip", lambda members: {k: v for k, v in members.items() if not k.startswith("senders/")})
    assert restore(tmp_path / "b.zip", tmp_path / "new").n_runs == 1
    new = settings_of(tmp_path / "new")
    assert (len(own(new, "")), own(new, ADA)) == (4, {})
    assert not (new.home / "senders").exists()
