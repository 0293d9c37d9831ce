"""``python -m nasviz``: what one does with nasviz from a terminal."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from . import __version__
from .paths import labs_dir


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status; without a command, print the help."""
    parser = argparse.ArgumentParser(prog="python -m nasviz", description="An interactive lab on architecture search.")
    parser.add_argument("--version", action="version", version=f"nasviz {__version__}")
    commands = parser.add_subparsers(dest="command", title="commands")
    commands.add_parser("doctor", help="check this installation, time this machine, predict how long the labs take")
    labs = commands.add_parser("labs", help="copy the notebooks of the labs into a folder of yours")
    labs.add_argument("folder", type=Path, nargs="?", default=Path("labs"), help="a new folder (default: ./labs)")
    tables = commands.add_parser("tables", help="list the published benchmarks that can be read, and which are there")
    tables.add_argument("folder", type=Path, nargs="?", help="where to look (default: where NASVIZ_PUBLISHED says)")
    asked = parser.parse_args(arguments)
    if asked.command == "doctor":
        from .doctor import report

        return report()
    if asked.command == "labs":
        return copy_labs(asked.folder)
    if asked.command == "tables":
        from .published.find import listing

        print(listing(asked.folder))
        return 0
    parser.print_help()
    return 0


def copy_labs(folder: Path) -> int:
    """Copy the labs into ``folder``, which must not exist yet: nothing that a student wrote is ever overwritten."""
    if folder.exists():
        print(f"{folder} exists already, and what is in it may be yours: name a new folder.", file=sys.stderr)
        return 1
    source = labs_dir()
    if not source.is_dir():
        print(f"This installation carries no labs: {source} is missing. Install nasviz again.", file=sys.stderr)
        return 1
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"))
    first = folder / "00-start-here.ipynb"
    print(f'The labs lie in {folder}. Open them with: jupyter lab "{first}"')
    return 0


if __name__ == "__main__":
    sys.exit(main())
