"""`python -m core backup|restore|check`: look after a data folder."""

import argparse
from pathlib import Path

from core.settings import Settings
from core.store.backup import back_up
from core.store.check import check_store
from core.store.restore import restore


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Put the commands beside those of core/__main__.py."""
    backup = commands.add_parser("backup", help="write all runs, files and uploads into one file; the server may be at work")
    backup.add_argument("file", type=Path, help="the file to write; it must not be there yet")
    put_back = commands.add_parser("restore", help="put a backup into an empty data folder")
    put_back.add_argument("file", type=Path, help="a file that backup wrote")
    check = commands.add_parser("check", help="look whether the database and all files of runs are whole")
    for command, run in ((backup, _backup), (put_back, _restore), (check, _check)):
        command.add_argument("--home", type=Path, help="the data folder (default: LAYERWISE_HOME, or .layerwise)")
        command.set_defaults(run=run)


def _home(options: argparse.Namespace) -> Path:
    return options.home or Settings.from_environment().home


def _backup(options: argparse.Namespace) -> bool:
    made = back_up(_home(options), options.file)
    print(f"{options.file}: {made.n_runs:,} runs, {made.n_artifacts:,} of their files, {made.n_uploads:,} uploads,", end=" ")
    print(f"{made.n_bytes / 2**20:,.1f} MB.")
    for name in made.damaged:
        print(f"Not in it, because it is damaged or gone: {name}. `python -m core check` says more.")
    return bool(made.damaged)


def _restore(options: argparse.Namespace) -> bool:
    home = _home(options)
    restored = restore(options.file, home)
    print(f"{home}: {restored.n_runs:,} runs and {restored.n_files:,} files, {restored.n_bytes / 2**20:,.1f} MB.")
    if restored.n_unfinished:
        print(f"{restored.n_unfinished:,} of the runs had not ended: they go on when the server is started.")
    return False


def _check(options: argparse.Namespace) -> bool:
    looked = check_store(_home(options))
    for one in looked.wrong:
        print(f"{one.message} {one.hint}")
    found = f"{len(looked.wrong):,} wrong" if looked.wrong else "All is whole"
    print(f"{found}: {looked.n_runs:,} runs, {looked.n_artifacts:,} of their files, {looked.n_uploads:,} uploads.")
    return bool(looked.wrong)
