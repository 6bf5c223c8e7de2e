"""A log line is one line, tells no secret, and the files stay small whoever writes them."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import logs
from core.logs import LineFormatter, SharedFile, about, log_to, logging_to, on_one_line, recent

ROOT = Path(__file__).parents[3]
HOSTILE = 'x\r\n2026-01-01T00:00:00.000Z ERROR core.jobs [server 1] forged\x1b[2J\u2028\u202e\x00 "quoted"'
HALF = "\ud800"
"""Half a letter. It is not logged for real: pytest would carry it to another process, which cannot be done."""
LOG = logging.getLogger("tests.logs")


def record(message: object, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("core.jobs", logging.WARNING, "f.py", 1, message, values, exc_info)


@pytest.mark.fault(28)
def test_what_a_user_wrote_stays_on_its_line():
    text = LineFormatter("server", "text").format(record("run %s", HOSTILE + HALF))
    assert text.isprintable()
    assert "\\r\\n2026" in text
    assert "\\x1b[2J\\u2028\\u202e\\x00" in text
    assert text.endswith("\\ud800")


@given(st.text(alphabet=st.characters()))
def test_any_text_is_one_printable_line_and_plain_text_stays_as_it_is(text):
    assert on_one_line(text).isprintable()
    plain = "".join(letter for letter in text if letter.isprintable())
    assert on_one_line(plain) == plain


def test_a_line_of_json_has_all_fields_and_parses():
    with about(run="r1", owner="0123456789abcdef"), about(request="submit", run=""):
        line = LineFormatter("supervisor", "json").format(record("said %d", 3))
    values = json.loads(line)
    assert values | {"time": "", "pid": 0} == {
        "time": "", "level": "WARNING", "logger": "core.jobs", "process": "supervisor", "pid": 0, "message": "said 3",
        "run": "r1", "owner": "01234567", "request": "submit",
    }  # fmt: skip
    assert values["time"].endswith("Z")
    assert values["pid"] == os.getpid()
    assert "run" not in json.loads(LineFormatter("supervisor", "json").format(record("later")))


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_belongs_to_its_line(form):
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        said = LineFormatter("worker", form).format(record("failed", error=error))
    first, *below = said.split("\n")
    assert "failed" in first
    assert all(line.startswith("    | ") and line.isprintable() for line in below)
    assert bool(below) == (form == "text")
    assert "ValueError" in said


@pytest.mark.fault(68)
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("secret", ["canary-7391", 'quo"ted\\secret', "ünïcode-secret"])
def test_a_secret_is_told_nowhere(form, secret):
    formatter = LineFormatter("server", form, hide=[secret, "ab", ""])
    try:
        raise ValueError(f"no {secret}")
    except ValueError as error:
        said = formatter.format(record("about %s", secret, error=error))
    assert secret not in said
    assert json.dumps(secret)[1:-1] not in said
    assert said.count(logs.HIDDEN) >= 2


def test_a_template_that_does_not_fit_its_values_is_no_failure():
    assert "run %d" in LineFormatter("server", "text").format(record("run %d", "seven"))


WRITE = """
import logging, sys
from pathlib import Path
from core import logs
logs.MOST_BYTES = 20_000
logs.log_to(Path(sys.argv[1]), "writer", "text")
for n in range(int(sys.argv[3])):
    logging.getLogger("many").info("%s %d", sys.argv[2], n)
"""


def test_processes_that_share_a_file_lose_no_line_when_a_new_one_is_begun(tmp_path, monkeypatch):
    n = 150
    monkeypatch.setattr(logs, "KEPT", 3)
    commands = [[sys.executable, "-c", WRITE, str(tmp_path / "log"), name, str(n)] for name in ("ada", "bob", "eve")]
    writers = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) for command in commands]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    files = sorted(path for path in tmp_path.iterdir() if path.name.startswith("log"))
    lines = [line for path in files for line in path.read_text().splitlines()]
    assert sorted(line.split("] ")[1] for line in lines) == sorted(
        f"{name} {k}" for name in ("ada", "bob", "eve") for k in range(n)
    )
    assert len(files) > 1
    assert all(path.stat().st_size < 21_000 and path.stat().st_mode & 0o077 == 0 for path in files)


def test_only_so_many_old_files_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MOST_BYTES", 100)
    handler = SharedFile(tmp_path / "logs" / "log")
    for n in range(100):
        handler.emit(record("line %d", n))
    handler.close()
    names = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert names == [".rotate.lock", "log", "log.1", "log.2", "log.3"]
    assert (tmp_path / "logs" / "log").read_text().endswith("line 99\n")


STANDARD = """
import logging, os, sys
from pathlib import Path
from core import logs
logs.MOST_BYTES = 200
logs.log_to(Path(sys.argv[1]), "supervisor", "text")
for n in range(20):
    logging.getLogger("x").info("line %d of a log that goes to its own standard error", n)
os.write(2, b"crash of a library\\n")
"""


def test_standard_error_follows_into_the_new_file_and_nothing_is_said_twice(tmp_path):
    file = tmp_path / "supervisor.log"
    with open(file, "ab") as output:
        subprocess.run(
            [sys.executable, "-c", STANDARD, str(file)], cwd=ROOT, stdout=output, stderr=output, check=True, timeout=60
        )
    assert file.read_text().splitlines()[-1] == "crash of a library"
    assert "".join(path.read_text() for path in tmp_path.glob("supervisor.log*")).count("line 19") == 1


def test_a_file_that_cannot_be_had_does_not_keep_a_server_from_working(tmp_path, capsys):
    (tmp_path / "logs").write_text("in the way")
    with logging_to(tmp_path / "logs" / "server.log", "server", "text"):
        LOG.warning("said anyway")
        assert recent()[-1].message == "said anyway"
    err = capsys.readouterr().err
    assert "cannot be written" in err
    assert "said anyway" in err


def test_all_is_as_before_when_it_is_over(tmp_path):
    theirs = logging.getLogger("adopted.part")
    theirs.handlers, theirs.propagate = [logging.NullHandler()], False
    root = logging.getLogger()
    before = (list(root.handlers), root.level, list(theirs.handlers))
    with logging_to(tmp_path / "server.log", "server", "json", hide=["canary-1"], adopt="adopted"):
        theirs.error("of canary-1 %s", HOSTILE)
        assert "canary" not in recent()[-1].message
    assert (list(root.handlers), root.level, list(theirs.handlers)) == before
    (line,) = (tmp_path / "server.log").read_text().splitlines()
    assert json.loads(line)["message"].startswith("of *** x")


def test_logging_of_a_process_goes_to_its_file_alone(tmp_path):
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        log_to(tmp_path / "w.log", "worker", "text")
        LOG.info("once")
        assert not set(before) & set(root.handlers)
    finally:
        for handler in list(root.handlers):
            root.removeHandler(handler)
            handler.close()
        for handler in before:
            root.addHandler(handler)
        root.setLevel(level)
    assert (tmp_path / "w.log").read_text().count("once") == 1
