"""What a worker may not do: take memory, files or processor time from the page, or see secrets."""

import ctypes
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from core.process import set_session_nice
from core.settings import Settings

TRAINING_NICE = 19  # the decisive switch: 8 runs at nice 0 make a page wait 6.9 s, at nice 19 it waits 0.06 s
LENS_NICE = 5  # someone looks at the page and waits for the answer
MAX_OPEN_FILES = 256
OOM_SCORE = "800"
MIB = 2**20
SESSION_TRIES, SESSION_RETRY_S = 20, 0.11

SECRET_WORDS = (
    "TOKEN",
    "SECRET",
    "PASSW",
    "PASSPHRASE",
    "KEY",
    "CREDENTIAL",
    "ACCESS_CODE",
    "AUTH",
    "COOKIE",
    "PRIVATE",
    "OIDC",
)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Read when torch and numpy are loaded: with one thread they start no others, and the process that has them can be forked."""
NO_COMPILING = {"NUMBA_DISABLE_JIT": "1"}  # SHAP's first call would compile for 6.6 s; at our sizes Python is faster
# Large tensors come from the heap and stay there: up to 5,660 page faults less per step. Read by glibc at exec only.
HUGE_PAGES = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_THRESHOLD_": "2000000000",
    "MALLOC_TRIM_THRESHOLD_": "8000000000",
}


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a supervisor and its workers: one thread each to begin with (`worker_threads` come in the worker), no
    compiling, no variable named like a secret."""
    return (
        without_secrets(environment)
        | (HUGE_PAGES if sys.platform == "linux" else {})
        | dict.fromkeys(THREADS, "1")
        | NO_COMPILING
    )


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that are not named like a secret. What a process is started with can be read for as long as it lives."""
    return {name: value for name, value in environment.items() if not any(word in name.upper() for word in SECRET_WORDS)}


def lower_priority(nice: int) -> None:
    """Make this process give way, also when memory runs out, and die with its parent."""
    os.nice(nice)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        with suppress(OSError):  # not allowed in some containers: then the system chooses whom it kills
            Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)
        with suppress(PermissionError):  # it leads a session already
            os.setsid()
        _let_session_give_way(nice)


def _let_session_give_way(nice: int) -> None:
    """To the page too, which belongs to another session."""
    for _ in range(SESSION_TRIES):
        if set_session_nice(nice):
            return
        time.sleep(SESSION_RETRY_S)


def limit_resources(settings: Settings) -> None:
    """Bound the memory that this process may take from now on, the size of its files and their number."""
    _lower(resource.RLIMIT_FSIZE, settings.worker_file_mb * MIB)
    _lower(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    if sys.platform == "linux":
        _lower(resource.RLIMIT_DATA, data_bytes() + settings.worker_memory_mb * MIB)


def data_bytes() -> int:
    """Private memory this process holds, in bytes; 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData")), 0)


def run_in_background_priority(work: Callable[[], None]) -> None:
    """Do `work` and return when it is done; on Linux at the lowest priority, which cannot be given back by a process.

    There a priority belongs to a thread, so a thread that ends takes it along. That of the session can be given back; call it
    after `lower_priority`.
    """
    if sys.platform != "linux":
        work()
        return

    def quietly() -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), TRAINING_NICE)
        work()

    thread = threading.Thread(target=quietly)
    _let_session_give_way(TRAINING_NICE)
    thread.start()
    thread.join()
    _let_session_give_way(os.getpriority(os.PRIO_PROCESS, 0))


def _lower(which: int, wanted: int) -> None:
    _, hard = resource.getrlimit(which)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(which, (allowed, hard))


def is_memory_spent() -> bool:
    """Whether this process holds nearly all the memory that it may take."""
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    return limit != resource.RLIM_INFINITY and data_bytes() > 0.9 * limit
