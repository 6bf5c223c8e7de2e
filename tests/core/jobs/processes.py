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


def processes_of(home: Path) -> dict[int, list[str]]:
    """The words of the command lines of all processes that were told of this data folder, by their ids."""
    told, found = f"LAYERWISE_HOME={home}".encode(), dict[int, list[str]]()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if told in (entry / "environ").read_bytes().split(b"\0") and words != [""]:
                found[int(entry.name)] = words
        except OSError:  # it has just ended, or is another user's
            continue
    return found
