"""Which ended runs go, and which files nobody needs. The first is held equal to a slow statement of what is promised."""

import os
import time
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.store.retention import FRESH_S, GRACE_S, Bounds, leftovers, runs_to_clear
from core.store.sizes import EndedRun

NOW = 1_000_000.0
DAY_S = 86_400.0


def ended(*ages_and_sizes: tuple[float, int]) -> list[EndedRun]:
    runs = [EndedRun(f"r{n}", NOW - age, size) for n, (age, size) in enumerate(ages_and_sizes)]
    return sorted(runs, key=lambda run: run.finished)


def cleared(runs, total, bounds, needed=()):
    return runs_to_clear(runs, total, NOW, bounds, lambda run: run in needed)


def test_runs_beyond_their_days_go_and_the_others_stay():
    runs = ended((8 * DAY_S, 1), (7 * DAY_S + 1, 1), (7 * DAY_S - 1, 1), (0, 1))
    assert cleared(runs, 4, Bounds(7 * DAY_S, 0)) == ["r0", "r1"]
    assert cleared(runs, 10**9, Bounds(0, 0)) == []


def test_the_oldest_go_until_all_fit_and_one_that_has_just_ended_stays():
    runs = ended((5000, 10), (4000, 20), (3000, 30), (1, 500))
    assert cleared(runs, 600, Bounds(0, 600)) == []
    assert cleared(runs, 601, Bounds(0, 600)) == ["r0"]
    assert cleared(runs, 611, Bounds(0, 600)) == ["r0", "r1"]
    assert cleared(runs, 10**9, Bounds(0, 600)) == ["r0", "r1", "r2"]


def test_what_is_needed_stays_whatever_its_age():
    runs = ended((9 * DAY_S, 10), (8 * DAY_S, 10))
    assert cleared(runs, 10**9, Bounds(DAY_S, 1), needed=("r0",)) == ["r1"]


def test_nothing_goes_when_the_clock_went_back():
    assert cleared(ended((-3600, 10), (-7200, 10)), 10**9, Bounds(DAY_S, 1)) == []


@given(
    runs=st.lists(st.tuples(st.integers(-5000, 20_000), st.integers(0, 50)), max_size=12, unique_by=lambda run: run[0]),
    growing=st.integers(0, 200),
    keep_s=st.sampled_from([0, 700, 10_000]),
    most=st.sampled_from([0, 1, 100, 300]),
    needed=st.sets(st.sampled_from([f"r{n}" for n in range(12)])),
)
def test_the_choice_is_the_smallest_that_keeps_the_promise(runs, growing, keep_s, most, needed):
    known = ended(*runs)
    total = growing + sum(run.n_bytes for run in known)
    gone = cleared(known, total, Bounds(keep_s, most), needed)
    kept = [run for run in known if run.id not in gone]
    assert not needed.intersection(gone)
    assert gone == [run.id for run in known if run.id in gone]  # in order
    for run in kept:
        assert run.id in needed or not 0 < keep_s < NOW - run.finished
    left = growing + sum(run.n_bytes for run in kept)
    if 0 < most < left:  # nothing more could have gone
        assert all(run.id in needed or NOW - run.finished <= FRESH_S for run in kept)
    for one in known:  # nothing went without a reason
        if one.id in gone and not 0 < keep_s < NOW - one.finished:
            before = total - sum(run.n_bytes for run in known if run.id in gone and run.finished < one.finished)
            assert 0 < most < before


def put(path: Path, age_s: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def age_folder(path: Path, age_s: float) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def test_only_old_files_that_no_row_names_are_leftovers(tmp_path):
    old, fresh = GRACE_S + 60, 60
    artifacts, uploads, made = (tmp_path / name for name in ("artifacts", "uploads", "datasets/own"))
    known = {"run-1": {"checkpoint-1"}, "run-2": set()}
    wanted = {
        put(artifacts / "run-1" / "checkpoint-2", old),
        put(artifacts / "run-1" / ".checkpoint-3.77.part", old),
        put(uploads / f".{'a' * 64}.5.part", old),
        age_folder(made / ("b" * 64), old),
    }
    put(artifacts / "run-1" / "checkpoint-1", old)
    put(artifacts / "run-1" / ".checkpoint-4.77.part", fresh)
    put(artifacts / "run-2" / "just-written", fresh)
    put(artifacts / "nobody" / "checkpoint", old)
    wanted.add(age_folder(artifacts / "nobody", old))
    put(artifacts / "about-to-be" / "checkpoint", fresh)
    put(artifacts / "a file", old)
    put(uploads / ("c" * 64), old)
    put(uploads / f".{'d' * 64}.5.part", fresh)
    age_folder(made / ("c" * 64), old)
    age_folder(made / ("e" * 64), fresh)
    outside = put(tmp_path / "elsewhere" / "precious", old)
    (artifacts / "link").symlink_to(outside.parent)
    found = {path for path in leftovers(tmp_path, known.get, time.time) if path is not None}
    assert found == wanted


def test_a_folder_without_anything_has_no_leftovers(tmp_path):
    assert list(leftovers(tmp_path / "none", {}.get, time.time)) == []
