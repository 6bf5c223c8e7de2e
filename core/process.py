"""What the system says of processes and of the machine, and what it is told; None where it does not say (it does on Linux)."""

import ctypes
import sys
from contextlib import suppress
from pathlib import Path

SWITCH_S = 0.0001
"""How long a Python thread may keep others of its process waiting. The usual 5 ms are waited for anew after each look into a
file or database: a page with thirty queries waits for 150 ms beside a busy thread."""
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Their numbers in malloc.h."""
BUFFER_BYTES = 16_384
PROC = Path("/proc")
CGROUP = Path("/sys/fs/cgroup")
OF_CONTAINER = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))
"""Where a container's limit and what it has taken stand: in version 2 and in version 1 of control groups."""


def switch_threads_often() -> None:
    """Let the threads of this process take turns every SWITCH_S."""
    sys.setswitchinterval(SWITCH_S)


def share_heaps() -> None:
    """Let the threads of this process share two heaps. By default glibc gives them up to eight for each core, and what was
    freed in one is of no use to the others: a server with many short threads grows by that.
    """
    _tell_malloc(M_ARENA_MAX, 2)


def keep_buffers_apart() -> None:
    """Let this process take memory for buffers from BUFFER_BYTES on from the system, and give it back at once.

    On the heap, which glibc prefers once it has seen such buffers come and go, small things that stay settle between them: a
    process that hears messages all day long grew by a megabyte a minute, and had no more than before in its hands.
    """
    _tell_malloc(M_MMAP_THRESHOLD, BUFFER_BYTES)


def _tell_malloc(parameter: int, value: int) -> None:
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(parameter, value)


def set_session_nice(nice: int, pid: int | str = "self") -> bool:
    """How much the session of a process gives way to other sessions, 0 to 19; whether that is settled.

    Where the kernel's autogroups are on (sched(7): most Linux desktops), sessions share the processor equally, however nice
    their processes are: those are nice to their own session alone. Not settled: the kernel takes ten such changes a second
    from those who are not root, so it is to be tried again. Settled as well where there are no such groups, or no such process.
    """
    try:
        (PROC / str(pid) / "autogroup").write_text(str(nice))
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def waited_s(pid: int) -> dict[int, float]:
    """Seconds for which the main thread of a process, and of each of its children, stood ready and got no processor, since it
    began, by process; 0 where the system does not say.
    """
    return {one: _waited_s(one) for one in (pid, *_children(pid))}


def _waited_s(pid: int) -> float:
    try:
        return int((PROC / str(pid) / "schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in (PROC / str(pid) / "task" / str(pid) / "children").read_text().split()]
    except OSError:
        return []


def resident_bytes(pid: int | str = "self") -> int | None:
    """Memory that a process holds at present, what it shares with others included; None where there is no such process."""
    kib = _field(PROC / str(pid) / "status", "VmRSS:")
    return None if kib is None else kib * 1024


def machine_memory() -> tuple[int, int] | None:
    """Bytes of memory in all, and those still free for use: of the machine, or of the container where that has less."""
    total, free = (_field(PROC / "meminfo", name) for name in ("MemTotal:", "MemAvailable:"))
    if total is None or free is None:
        return None
    total, free = total * 1024, free * 1024
    for names in OF_CONTAINER:
        limit, used = (_number(CGROUP / name) for name in names)
        if limit is not None and used is not None and limit < total:
            return limit, min(free, max(0, limit - used))
    return total, free


def _field(file: Path, name: str) -> int | None:
    """The number behind a name."""
    try:
        lines = file.read_text().splitlines()
        return next((int(line.split()[1]) for line in lines if line.startswith(name)), None)
    except (OSError, ValueError, IndexError):
        return None


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # "max": no limit
        return None
