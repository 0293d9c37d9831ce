"""``python -m nasviz.course.play OUT.html`` writes the page."""

from __future__ import annotations

import argparse
import sys

from .page import write


def main(arguments: list[str] | None = None) -> int:
    """Write the page and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m nasviz.course.play",
        description="Write a page on which searches run in the browser: no server, no network, nothing to install.",
    )
    parser.add_argument("out", metavar="OUT.html", help="the file to write; one that exists is overwritten")
    asked = parser.parse_args(arguments)
    try:
        path = write(asked.out)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{path}: {path.stat().st_size:,} bytes. Open it in any browser.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
