"""`python -m core.jobs.supervisor [--home DIR]`: the one process that queues runs, starts workers and writes the store.

Keep the imports of this module light: multiprocessing imports it again in every worker.
"""

import argparse
import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.jobs.pool.control import Control
    from core.jobs.pool.local import LocalEngine
    from core.settings import Settings

EXIT_REFUSED = 2

LOG = logging.getLogger("core.jobs.supervisor")


def main(arguments: Sequence[str]) -> int:
    """Supervise until told to end; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m core.jobs.supervisor", description="Queue runs and start their workers.")
    parser.add_argument("--home", type=Path, help="folder of the store (default: LAYERWISE_HOME, or .layerwise)")
    parser.add_argument("--ensure", action="store_true", help="exit with 0 when a supervisor is there already")
    options = parser.parse_args(arguments)
    from core.errors import LayerwiseError

    try:
        return _supervise(options.home, is_there_fine=options.ensure)
    except LayerwiseError as error:
        if logging.getLogger().handlers:  # they write to standard error too
            LOG.error("%s", error)
        else:
            sys.stderr.write(f"{error}\n")
        return EXIT_REFUSED


def _supervise(home: Path | None, *, is_there_fine: bool) -> int:
    from core.settings import Settings

    os.umask(0o077)
    settings = Settings.from_environment()
    settings = settings.model_copy(update={"home": (home or settings.home).absolute(), "data": settings.data.absolute()})
    (settings.home / "logs").mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.home.chmod(0o700)
    with open(settings.home / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if is_there_fine:
                return 0
            sys.stderr.write(f"A supervisor is at work in {settings.home} already: use that one, or another --home.\n")
            return EXIT_REFUSED
        _prepare_environment(settings.home, settings.data)
        return _run_pool(settings.model_dump_json())


def _prepare_environment(home: Path, data: Path) -> None:
    """What the forkserver and its workers inherit; it must be there before they are started.

    With both folders, or a worker that reads its settings anew would put data sets somewhere else.
    """
    import core
    from core.jobs.work.limits import worker_environment

    root = str(Path(core.__file__).resolve().parents[1])
    environment = worker_environment(os.environ)
    known = environment.get("PYTHONPATH", "").split(os.pathsep)
    environment |= {"LAYERWISE_HOME": str(home), "LAYERWISE_DATA": str(data)}
    environment["PYTHONPATH"] = os.pathsep.join([root, *(place for place in known if place and place != root)])
    os.environ.clear()
    os.environ.update(environment)


def _run_pool(settings_text: str) -> int:
    from core.jobs.menu import get_ready
    from core.jobs.pool.control import Control
    from core.jobs.pool.local import LocalEngine
    from core.logs import log_to
    from core.process import keep_buffers_apart, share_heaps
    from core.settings import Settings
    from core.store.sql import SqlWriter, database_version

    settings = Settings.model_validate_json(settings_text)
    log_to(settings.home / "logs" / "supervisor.log", "supervisor", settings.log_format)
    LOG.info("supervising %s with %s", settings.home, database_version())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    share_heaps()
    keep_buffers_apart()
    SqlWriter(settings.home / "runs.db").close()  # where that cannot be used at all, there is nothing to wait for
    engine = LocalEngine(settings)
    engine.tend()  # boots the forkserver while the rest gets ready
    control = Control(settings.home)
    threading.Thread(target=get_ready, name="menu", daemon=True).start()
    try:
        _work(settings, engine, control)
    except KeyboardInterrupt:
        LOG.info("interrupted")
    finally:
        control.close()
        engine.close()
    return 0


def _work(settings: "Settings", engine: "LocalEngine", control: "Control") -> None:
    """Until somebody asks for a shutdown. A pool that can write nothing is let go of, and another one goes on from what was
    committed once there is room again."""
    from core.errors import StoreError
    from core.jobs.pool.loop import Pool
    from core.jobs.pool.standstill import Standstill
    from core.store.sql import SqlWriter

    standstill, after = Standstill(control, settings.home / "lock"), "the supervisor was started again"
    while True:
        try:
            with closing(SqlWriter(settings.home / "runs.db")) as store:
                pool = Pool(settings, store, engine, control)
                try:
                    return pool.run(after)
                except StoreError as error:
                    pool.let_go(error)
                    raise
        except StoreError as error:
            after = "nothing could be written to the disk"
            if not standstill.wait(error):
                return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
