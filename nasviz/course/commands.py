"""``python -m nasviz course``: what one does with the labs as a course, from a terminal."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from . import edition, rerun, timetable, wheelhouse
from .bank import command as bank
from .grading import command as grading
from .grading import exports
from .histogram import command as histogram
from .site import command as site

ABOUT = """\
The labs as a course: hand them out, grade them, keep them in form.

  python -m nasviz course student OUT --path 6               hand out a course of six sessions
  python -m nasviz course instructor OUT                     the labs with solutions and notes
  python -m nasviz course site OUT                           the labs as pages for a browser, without a network
  python -m nasviz course paths --path 6                     what each session works through, minute by minute

Each command says more with --help.
"""


def parser() -> argparse.ArgumentParser:
    """The parser of the whole family."""
    made = argparse.ArgumentParser(
        prog="python -m nasviz course", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = made.add_subparsers(dest="command", title="commands", required=True)
    edition.add_editions(commands)
    timetable.add_command(commands)
    grading.add_command(commands)
    exports.add_command(commands)
    rerun.add_command(commands)
    bank.add_command(commands)
    histogram.add_command(commands)
    site.add_command(commands)
    edition.add_commands(commands)
    wheelhouse.add_command(commands)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = parser().parse_args(arguments)
    return options.do(options)
