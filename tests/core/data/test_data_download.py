"""Downloads from a server of our own: whole and checked, or not at all and in words."""

import hashlib
import shutil
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from torchvision import datasets

from core.data import download as downloading
from core.data.download import download
from core.data.vision import VISION_SETS
from core.errors import MissingData, SpecError, StoreError

NAMES = VISION_SETS["kmnist"].files.packed
FILES = {name: bytes([number]) * (300_000 + number) for number, name in enumerate(NAMES)}
TOTAL = sum(len(data) for data in FILES.values())


class Server(BaseHTTPRequestHandler):
    """Gives FILES below /good/, and misbehaves below other names."""

    asked: list[str]

    def do_GET(self):
        self.asked.append(self.path)
        _, manner, name = self.path.split("/")
        data = FILES[name]
        if manner == "none":
            self.send_error(404)
            return
        if manner == "moved":
            self.send_response(302)
            self.send_header("Location", f"/good/{name}")
            self.end_headers()
            return
        self.send_response(200)
        if manner != "endless":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if manner == "wrong":
            data = data[:-1] + b"!"
        elif manner == "cut":
            data = data[:100_000]
        elif manner == "endless":
            data *= 1000
        try:
            self.wfile.write(data)
        except ConnectionError:
            return  # who asked has gone

    def log_message(self, *args):
        """Nothing on the screen of the tests."""


@pytest.fixture
def server(monkeypatch):
    """The address of a server, which is torchvision's for KMNIST; `use` names its manners."""
    Server.asked = []
    running = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{running.server_port}"
    monkeypatch.setattr(datasets.KMNIST, "resources", [(name, hashlib.md5(data).hexdigest()) for name, data in FILES.items()])

    def use(*manners):
        monkeypatch.setattr(datasets.KMNIST, "mirrors", [f"{address}/{manner}/" for manner in manners])

    use("good")
    yield use
    running.shutdown()
    running.server_close()


@pytest.fixture
def folder(home):
    return home / "datasets" / "downloads" / "KMNIST"


def quiet(received, total):
    """Progress that nobody looks at."""


def test_all_files_arrive_and_progress_rises_to_the_end(server, folder):
    told = []
    download("kmnist", lambda received, total: told.append((received, total)))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    received = [n for n, _ in told]
    assert received == sorted(received)
    assert TOTAL in received
    assert told[-1][0] == told[-1][1]
    assert all(n <= total for n, total in told)


def test_what_is_there_already_is_not_fetched_again(server, folder):
    download("kmnist", quiet)
    (folder / NAMES[2]).write_bytes(b"damaged")
    Server.asked.clear()
    first = []
    download("kmnist", lambda received, total: first.append(received))
    assert Server.asked == [f"/good/{NAMES[2]}"]
    assert first[0] > TOTAL - 310_000
    assert (folder / NAMES[2]).read_bytes() == FILES[NAMES[2]]
    Server.asked.clear()
    download("kmnist", quiet)
    assert Server.asked == []


@pytest.mark.parametrize(
    ("manner", "told"),
    [
        ("none", "404|Not Found"),
        ("wrong", "MD5 checksum is wrong"),
        ("cut", "ended after 100,000 of 300,000 bytes|IncompleteRead"),
    ],
)
def test_a_bad_address_is_passed_over_for_the_next_and_alone_it_is_an_error(server, folder, manner, told):
    server(manner)
    with pytest.raises(MissingData, match=told) as caught:
        download("kmnist", quiet)
    assert all(name in caught.value.hint for name in NAMES)
    assert "KMNIST/raw" in caught.value.hint
    assert list(folder.iterdir()) == []
    server(manner, "good")
    download("kmnist", quiet)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES


def test_an_address_that_moved_is_followed(server, folder):
    server("moved")
    download("kmnist", quiet)
    assert {path.name for path in folder.iterdir()} == set(FILES)


def test_a_server_that_never_ends_is_left(server, folder, monkeypatch):
    monkeypatch.setattr(downloading, "LONGER", 0.05)
    server("endless")
    with pytest.raises(MissingData, match="longer than"):
        download("kmnist", quiet)
    assert list(folder.iterdir()) == []


def test_without_a_network_the_sentence_names_the_folder_and_the_files(monkeypatch, folder):
    monkeypatch.setattr(datasets.KMNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(MissingData, match="could not be downloaded") as caught:
        download("kmnist", quiet)
    assert "Is there a network?" in caught.value.hint
    assert all(name in caught.value.hint for name in NAMES)
    assert list(folder.iterdir()) == []


class CancelledError(Exception):
    """Someone pressed Stop."""


def test_cancelling_leaves_nothing_behind(server, folder):
    def stop(received, total):
        if received > 500_000:
            raise CancelledError

    with pytest.raises(CancelledError):
        download("kmnist", stop)
    assert list(folder.iterdir()) == []


def test_a_full_disk_is_told_before_anything_is_fetched(server, folder, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 10**7, 10**7))
    with pytest.raises(StoreError, match=r"needs 106 MB .* 10 MB are free") as caught:
        download("kmnist", quiet)
    assert caught.value.hint
    assert Server.asked == []


def test_a_home_that_cannot_be_written_is_a_store_error(server, home):
    home.write_text("a file where a folder is needed")
    with pytest.raises(StoreError, match="could not be saved"):
        download("kmnist", quiet)


@pytest.mark.parametrize("kind", ["iris", "nothing", "../kmnist"])
def test_what_has_no_files_cannot_be_downloaded(kind):
    with pytest.raises(SpecError, match="can be downloaded") as caught:
        download(kind, quiet)
    assert caught.value.hint
