"""What a test asks of the processes of this machine."""

from pathlib import Path


def descendants(pid: int) -> set[int]:
    """All processes that stem from this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:  # it has just ended
            continue
    found, front = set[int](), {pid}
    while front:
        front = {child for child, parent in parents.items() if parent in front}
        found |= front
    return found
