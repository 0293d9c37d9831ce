"""``python -m nasviz course slides OUT``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...paths import labs_dir
from .. import edition
from . import deck

ABOUT = """\
Make a deck of slides for each lab: title, objectives, each section with its question, its prediction and later the
answer, pictures and tables as the lab stores them, claims, exercises, summary. What the lab says besides is in the
speaker's notes (press S). Each deck is one HTML file that needs no network. Arrows and space go on, Esc shows all
slides, F fills the screen; with ?print-pdf behind the address, the browser prints them.

It needs nbconvert, latex2mathml and reveal.js: pip install 'nasviz[site]'.
"""


def do_slides(options) -> int:
    try:
        for path in deck.write(deck.decks(options.folder, options.path, options.reveal), options.out):
            print(path, flush=True)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def add_command(commands) -> None:
    """Add the command to a parser's subcommands."""
    said = "make a deck of slides for each lab"
    raw = argparse.RawDescriptionHelpFormatter
    one = commands.add_parser("slides", help=said, description=ABOUT, formatter_class=raw)
    one.add_argument("out", type=Path, help="a folder that is new or empty")
    edition.add_path(one)
    one.add_argument("--labs", dest="folder", type=Path, default=labs_dir(), help="the labs (default: nasviz's)")
    said = "a folder with reveal.js 5, as npm packs it (default: the one that sphinx-revealjs carries)"
    one.add_argument("--reveal", type=Path, metavar="FOLDER", help=said)
    one.set_defaults(do=do_slides)
