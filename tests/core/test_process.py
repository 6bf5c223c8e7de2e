"""What the C library is told, each looked at in a process of its own, where it can be told; and what the system says."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from core.process import waited_s
from tests.core.autogroups import needs_autogroups

N_THREADS = 10
HEAPS = f"""
import ctypes, sys, threading
from core.process import share_heaps
if sys.argv[1] == "shared":
    share_heaps()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier({N_THREADS})
def work():
    for _ in range(200):
        libc.malloc(1000)
    together.wait()
threads = [threading.Thread(target=work) for _ in range({N_THREADS})]
for one in threads: one.start()
for one in threads: one.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""
BUFFERS = """
import ctypes, sys
from core.process import BUFFER_BYTES, keep_buffers_apart
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "a", "b", "c", "d", "e")]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
if sys.argv[1] == "apart":
    keep_buffers_apart()
before = libc.mallinfo2().hblks
kept = [bytearray(2 * BUFFER_BYTES) for _ in range(50)]
print(libc.mallinfo2().hblks - before)
"""

PRIORITY = """
from pathlib import Path
from core.jobs.work.limits import lower_priority, run_in_background_priority
def nice():
    return Path("/proc/self/autogroup").read_text().split()[-1]
lower_priority(5)
before, during = nice(), []
run_in_background_priority(lambda: during.append(nice()))
print(before, *during, nice())
"""


def told(script: str, word: str = "") -> str:
    done = subprocess.run([sys.executable, "-c", script, word], capture_output=True, text=True, timeout=60, check=False)
    if "undefined symbol" in done.stderr:
        pytest.skip("this C library is not glibc 2.33 or newer")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_threads_share_two_heaps():
    assert len(re.findall("<heap nr=", told(HEAPS, "shared"))) == 2
    assert len(re.findall("<heap nr=", told(HEAPS, "not"))) > 2


def test_large_buffers_do_not_come_from_the_heap():
    assert int(told(BUFFERS, "apart")) > 40
    assert int(told(BUFFERS, "not")) == 0


@needs_autogroups
def test_what_is_done_in_the_background_gives_way_and_only_that():
    assert told(PRIORITY).split() == ["5", "19", "5"]


@pytest.fixture
def one_processor():
    """What this test starts shares one processor."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="this kernel does not say how long a process waited")
def test_a_process_without_a_processor_waits_and_a_sleeping_one_does_not(one_processor):
    busy, asleep = [sys.executable, "-c", "while True: pass"], [sys.executable, "-c", "import time; time.sleep(60)"]
    parent = [sys.executable, "-c", f"import subprocess; subprocess.run({busy})"]
    started = [subprocess.Popen(command, process_group=0) for command in (busy, asleep, parent)]
    try:
        deadline = time.monotonic() + 30
        while len(waited_s(started[2].pid)) < 2 and time.monotonic() < deadline:  # until its child has begun
            time.sleep(0.05)
        time.sleep(0.5)
        before = [waited_s(one.pid) for one in started]
        time.sleep(1.5)
        after = [waited_s(one.pid) for one in started]
    finally:
        for one in started:
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()
    busy_s, asleep_s, parent_s = ([late[pid] - early[pid] for pid in late] for early, late in zip(before, after, strict=True))
    assert busy_s[0] > 0.2
    assert asleep_s == [pytest.approx(0.0, abs=0.1)]
    assert parent_s == [pytest.approx(0.0, abs=0.1), pytest.approx(busy_s[0], abs=0.7)]  # its child waits


def test_no_process_has_waited_for_nothing():
    assert waited_s(2**30) == {2**30: 0.0}
