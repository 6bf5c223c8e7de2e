"""Workers that die at the worst moments, crash, lose their GPU, or whose clock jumps."""

import os
import signal
import time
from pathlib import Path

import pytest

from core.errors import StoreError
from core.events import Failed, Resume, Stop, WorkerLost
from core.jobs.work import failures
from core.jobs.work.failures import GPU_FAILED, failed
from core.store.artifacts import ArtifactFiles
from tests.core.jobs.demo_jobs import Ask, Count, curve

CLOCK = """
import os, time
true_time, place = time.time, {place!r}
time.time = lambda: true_time() + (0.0, -3600.0, 3600.0)[os.stat(place).st_size]
"""


@pytest.mark.fault(54)
def test_a_worker_that_dies_in_the_midst_of_a_checkpoint_leaves_the_one_before(pool, tmp_path):
    mended = tmp_path / "mended"
    run = pool.client.submit(Count(seed=81, steps=60, step_s=0.005, trouble="die-saving", trouble_at=25, mended=str(mended)))
    pool.wait(lambda: "WorkerLost" in pool.names(run))
    mended.touch()
    pool.wait_for(run, "finished")
    started = [logged.event.step for logged in pool.store.events(run) if type(logged.event).__name__ == "Started"]
    assert started == [0, 20]
    assert pool.curve(run) == curve(81, 60)
    assert list((pool.home / "artifacts" / run).glob(".*.part")) == []


@pytest.mark.fault(54)
def test_a_worker_that_dies_while_it_is_told_to_stop_leaves_a_stopped_run_that_goes_on(pool):
    run = pool.client.submit(Count(seed=82, steps=60, step_s=0.01))
    pool.wait_for_step(run, 12)
    worker = pool.pid(run)
    os.kill(worker, signal.SIGSTOP)  # it never hears of the stop
    pool.client.command(run, Stop())
    assert pool.state(run) == "stopping"
    os.kill(worker, signal.SIGKILL)
    pool.wait_for(run, "stopped")
    acknowledged = pool.curve(run)
    pool.client.command(run, Resume())
    pool.wait_for(run, "finished")
    assert pool.curve(run) == curve(82, 60)
    assert pool.curve(run)[: len(acknowledged)] == acknowledged


@pytest.mark.fault(55)
def test_a_worker_that_crashes_is_named_by_its_signal_and_others_go_on(pool):
    other = pool.client.submit(Count(seed=83, steps=100, step_s=0.005))
    crashed = pool.end(Count(seed=84, trouble="crash", trouble_at=15))
    lost = [logged.event for logged in pool.store.events(crashed.id) if isinstance(logged.event, WorkerLost)]
    assert {event.reason for event in lost} == {"its process was ended by SIGSEGV"}
    assert crashed.state == "interrupted"
    assert "SIGSEGV" in crashed.reason
    assert pool.wait_for(other, "finished").attempt == 1
    assert pool.curve(other) == curve(83, 100)


@pytest.mark.fault(85)
def test_a_lens_worker_whose_gpu_failed_does_no_other_job(pool):
    done = pool.end(Ask(question="before"))
    broken = pool.end(Ask(question="gpu", breaks_gpu=True))
    end = pool.store.events(broken.id)[-1].event
    assert (end.code, pool.pid(broken.id)) == (GPU_FAILED, pool.pid(done.id))
    assert end.message == "The GPU failed: CUDA error: an illegal memory access was encountered."
    after = pool.end(Ask(question="after the gpu"))
    assert after.state == "finished"
    assert pool.pid(after.id) != pool.pid(broken.id)


@pytest.mark.fault(85)
@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            RuntimeError("CUDA error: device-side assert triggered\nCompile with ..."),
            GPU_FAILED,
            "device-side assert triggered.",
        ),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), GPU_FAILED, "CUDNN_STATUS_EXECUTION_FAILED."),
        (RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB."), "out-of-memory", "than the GPU has free"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "out-of-memory", "than a worker may take"),
        (MemoryError(), "out-of-memory", "than a worker may take"),
        (StoreError("No space left.", hint="Make room."), "store-error", "No space left."),
        (ValueError("a\x1b[31m" + "b" * 500 + "\nsecond line"), "bug", "ValueError: a[31mbbb"),
    ],
)
def test_what_ends_a_job_is_told_in_a_line_without_its_traceback(error, code, words):
    end = failed(error, 7)
    assert (end.code, end.step) == (code, 7)
    assert words in end.message
    assert len(end.message) < failures.MAX_TOLD + 60
    assert "second line" not in end.message
    assert end.message.isprintable()


@pytest.mark.fault(66)
def test_a_clock_that_jumps_back_and_forth_by_an_hour_ends_nothing_and_loses_nothing(make_pool, tmp_path, monkeypatch):
    place = tmp_path / "offset"
    place.touch()
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK.format(place=str(place)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "clock"))
    pool = make_pool(max_running=1, lease_s=60, run_max_s=60, hang_s=60, pause_s=60)
    run = pool.client.submit(Count(seed=86, steps=150, step_s=0.01))
    pool.wait_for_step(run, 20)
    place.write_text("-")
    waiting = pool.client.submit(Count(seed=87, steps=20))
    pool.wait_for_step(run, 60)
    assert abs(pool.store.run(waiting).created + 3600 - time.time()) < 60  # the clock has jumped
    place.write_text("++")
    last = pool.client.submit(Count(seed=88, steps=20))
    for one, seed, steps in ((run, 86, 150), (waiting, 87, 20), (last, 88, 20)):
        record = pool.wait_for(one, "finished", "stopped", "failed", "interrupted")
        assert (record.state, record.attempt, record.generation) == ("finished", 1, 0)
        assert pool.curve(one) == curve(seed, steps)


@pytest.mark.fault(86)
@pytest.mark.parametrize("place", ["fsync", "replace"])
def test_a_process_that_dies_while_it_writes_a_file_leaves_the_old_one_whole(tmp_path, place):
    files = ArtifactFiles(tmp_path)
    old = files.write("a" * 8, "weights", b"old")
    child = os.fork()
    if child == 0:
        setattr(os, place, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        files.write("a" * 8, "weights", b"new and longer")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert files.read("a" * 8, "weights", old.sha256) == b"old"
    assert len(list((tmp_path / "artifacts" / ("a" * 8)).iterdir())) == 2
    files.sweep("a" * 8)
    assert [path.name for path in Path(tmp_path / "artifacts" / ("a" * 8)).iterdir()] == ["weights"]


def test_a_failed_gpu_alone_spoils_a_process():
    assert failures.spoils_its_process(Failed(GPU_FAILED, "", "", 0))
    assert not failures.spoils_its_process(Failed("out-of-memory", "", "", 0))
