"""Arrays are loaded once, and what is kept of them is checked when it is read again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from core.data.kept import is_kept, kept_arrays
from core.settings import Settings


def test_the_second_load_reads_the_kept_files(home):
    calls = []

    def load():
        calls.append(1)
        return (np.arange(6), np.ones(2))

    first = kept_arrays("some", load, ("x", "y"))
    again = kept_arrays("some", load, ("x", "y"))
    assert len(calls) == 1
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_a_damaged_file_is_loaded_anew(home):
    kept_arrays("some", lambda: (np.arange(6),), ("x",))
    (home / "datasets" / "some" / "x.npy").write_bytes(b"broken")
    assert kept_arrays("some", lambda: (np.arange(3),), ("x",))[0].tolist() == [0, 1, 2]
    assert kept_arrays("some", lambda: (np.arange(9),), ("x",))[0].tolist() == [0, 1, 2]


def test_what_is_kept_is_known_without_reading_it(home):
    assert not is_kept("some", ("x", "y"), Settings.from_environment())
    kept_arrays("some", lambda: (np.arange(6),), ("x",))
    assert is_kept("some", ("x",), Settings.from_environment())
    assert not is_kept("some", ("x", "y"), Settings.from_environment())


def test_those_who_need_the_same_at_once_wait_for_the_one_who_makes_it(home):
    made, gate = [], threading.Barrier(8)

    def load():
        made.append(threading.get_ident())
        time.sleep(0.05)
        return (np.arange(5),)

    def ask(_):
        gate.wait()
        return kept_arrays("shared", load, ("x",))[0].tolist()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [list(range(5))] * 8
    assert len(made) == 1
