"""``python -m nasviz course site OUT``: the labs as pages that need no server and no network."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from ...paths import labs_dir

SAID = "make the labs into pages for a browser, that need no server and no network"
MORE = """
The pages are made from the labs as they are stored: nothing is computed, and a picture stands where a notebook has
something that moves. With --run, each lab is run once, which takes some minutes: stages replay then, and charts are
live. What a lab showed is kept in FOLDER, and is used again until the lab changes.

OUT is a new folder, or one that was made by this command. What else is in it is never overwritten. Open its index.html.
Needs the extra "site": pip install 'nasviz[site]'.
"""
NEEDED = ("nbconvert", "jinja2", "latex2mathml", "ziamath")


def add_command(commands) -> None:
    """Add the command to a parser's subcommands."""
    one = commands.add_parser("site", help=SAID, description=f"{SAID[0].upper()}{SAID[1:]}. {MORE}")
    one.add_argument("out", type=Path, help="a folder that is new, or was made by this command")
    one.add_argument("--labs", dest="folder", type=Path, default=labs_dir(), help="the labs (default: nasviz's)")
    one.add_argument("--run", metavar="FOLDER", type=Path, help="run each lab once and keep there what it showed")
    one.add_argument("--no-api", dest="api", action="store_false", help="leave out the reference of the Python code")
    one.set_defaults(do=do)


def do(options) -> int:
    """Make the site and return the exit status."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f"the site needs {', '.join(missing)}: pip install 'nasviz[site]'", file=sys.stderr)
        return 2
    from .build import build

    try:
        made = build(options.folder, options.out, run=options.run, api=options.api, tell=print)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    size = sum(map(len, made.values()))
    print(f"{len(made)} files, {size / 1e6:.1f} MB. Open {options.out / 'index.html'}")
    return 0
