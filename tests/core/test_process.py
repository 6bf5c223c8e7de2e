"""What the C library is told: each looked at in a process of its own, where it can be told."""

import re
import subprocess
import sys

import pytest

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
