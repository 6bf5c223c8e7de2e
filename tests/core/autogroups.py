"""Where the kernel shares the processor by sessions."""

from pathlib import Path

import pytest

_SETTING = Path("/proc/sys/kernel/sched_autogroup_enabled")

needs_autogroups = pytest.mark.skipif(
    not _SETTING.exists() or _SETTING.read_text().strip() != "1",
    reason="this kernel has no autogroups: a process's own niceness counts",
)
