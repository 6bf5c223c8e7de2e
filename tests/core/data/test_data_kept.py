"""Arrays are loaded once, and what is kept of them is checked when it is read again."""

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
