"""`python -m core backup|restore|check`, as a host types them."""

import pytest

from core.__main__ import main
from core.store.artifacts import ArtifactFiles
from tests.core.store.test_backup import Home, bytes_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    home = Home(tmp_path / "home")
    home.run("done-1", "finished", 1000)
    home.run("going-1", "running")
    home.writer.close()
    monkeypatch.setenv("LAYERWISE_HOME", str(home.folder))
    return home.folder


def test_a_backup_is_made_checked_and_put_back(folder, tmp_path, capsys):
    file, new = str(tmp_path / "b.zip"), tmp_path / "new"
    assert main(["backup", file]) == 0
    assert "2 runs, 1 of their files, 0 uploads" in capsys.readouterr().out
    assert main(["restore", file, "--home", str(new)]) == 0
    assert "1 of the runs had not ended: they go on" in capsys.readouterr().out
    assert main(["check", "--home", str(new)]) == 0
    assert "All is whole: 2 runs, 1 of their files" in capsys.readouterr().out
    assert bytes_of(new) == bytes_of(folder)


def test_what_is_wrong_is_printed_with_what_to_do_and_exits_with_one(folder, tmp_path, capsys):
    ArtifactFiles(folder).path("done-1", "checkpoint-0").unlink()
    assert main(["check"]) == 1
    printed = capsys.readouterr().out
    assert "Run done-1: checkpoint-0 is gone. The run goes on from an older checkpoint" in printed
    assert printed.endswith("1 wrong: 2 runs, 1 of their files, 0 uploads.\n")
    assert main(["backup", str(tmp_path / "b.zip")]) == 1
    assert "Not in it, because it is damaged or gone: done-1/checkpoint-0" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["backup", "b.zip"], ["restore", "b.zip"], ["check"]])
def test_an_error_is_one_sentence_and_exit_code_two(command, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*command, "--home", str(tmp_path / "none")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
