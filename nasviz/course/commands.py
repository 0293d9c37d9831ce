"""``python -m nasviz course``: what one does with the labs as a course, from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from . import edition, rerun, timetable, wheelhouse
from .bank import command as bank
from .grading import command as grading
from .grading import exports
from .histogram import command as histogram
from .site import command as site
from .slides import command as slides

ABOUT = """\
The labs as a course: hand them out, grade them, keep them in form.

  python -m nasviz course student OUT --path 6               hand out a course of six sessions
  python -m nasviz course instructor OUT                     the labs with solutions and notes
  python -m nasviz course site OUT                           the labs as pages for a browser, without a network
  python -m nasviz course paths --path 6                     what each session works through, minute by minute
  python -m nasviz course slides OUT                         a deck of slides for each lab
  python -m nasviz course play play.html                     a page to play with, with nothing installed

Each command says more with --help.
"""
PLAY = "Four searches on the real table, a guess, a race; its address says which moment is shown."


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
    add_play(commands)
    slides.add_command(commands)
    edition.add_commands(commands)
    wheelhouse.add_command(commands)
    return made


def do_play(options) -> int:
    from .play import write  # here: to import the views takes seconds, and the other commands need none

    try:
        path = write(options.out)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{path}: {path.stat().st_size:,} bytes. Open it in any browser.")
    return 0


def add_play(commands) -> None:
    """Add the command that writes the page to play with."""
    said = "write the page play.html: searches in a browser, no server, no network, nothing to install"
    one = commands.add_parser("play", help=said, description=f"{said[0].upper()}{said[1:]}. {PLAY}")
    one.add_argument("out", metavar="OUT.html", help="the file to write; one that exists is overwritten")
    one.set_defaults(do=do_play)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = parser().parse_args(arguments)
    return options.do(options)
