"""``python -m nasviz course questions``: the question bank in a format that a learning platform reads."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from ...paths import labs_dir
from ...ranges import argument
from . import collect, gift, labs, markdown, qti
from .question import Item

FORMATS: dict[str, Callable[[list[Item], bool], str | bytes]] = {
    "markdown": markdown.write,
    "gift": gift.write,
    "qti": qti.write,
}
ABOUT = """\
Write questions about the labs: three transfer questions a lab, with numbers drawn by --seed, and the predictions.

  python -m nasviz course questions --lab 3 --seed 7 --count 2         two draws of lab 03's questions, to read
  python -m nasviz course questions --format gift --out bank.gift      all labs, for Moodle
  python -m nasviz course questions --format qti --out bank.zip        all labs, for Canvas

Give each class, or each student, a seed of its own: then published answers do not help. Every question says its lab,
what it tests, and how hard it is. Every wrong answer has a sentence that says why it is wrong.

The exit status is 0 if the questions were written, 2 if nothing was done.
"""


def add_command(commands) -> None:
    """Add ``questions`` to a parser's subcommands."""
    import argparse

    said = "write the question bank: Markdown, GIFT (Moodle), QTI (Canvas)"
    one = commands.add_parser(
        "questions", help=said, description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    one.set_defaults(do=do_questions)
    one.add_argument(
        "--lab", action="append", help="a lab's number or topic, more than once if you like (default: all)"
    )
    one.add_argument("--kind", choices=collect.KINDS, default="all", help="which questions (default: all)")
    one.add_argument("--seed", type=argument(0), default=0, help="from which numbers are drawn (default: 0)")
    one.add_argument("--count", type=argument(1, 100), default=1, help="draws of each transfer question (default: 1)")
    one.add_argument("--format", choices=FORMATS, default="markdown", help="of what is written (default: markdown)")
    one.add_argument("--no-answers", action="store_true", help="leave answers out (markdown only)")
    one.add_argument("--out", type=Path, help="a file that is not there yet (default: the terminal)")
    one.add_argument("--labs", dest="folder", type=Path, default=labs_dir(), help="the labs (default: nasviz's)")


def do_questions(options) -> int:
    """Write the questions; 2 if that cannot be done."""
    try:
        every = labs.find(options.folder)
        if options.lab:
            asked = [labs.chosen(every, one, collect.NUMBERS) for one in dict.fromkeys(options.lab)]
        else:
            topics = {one.topic for one in every}
            missing = [labs.chosen(every, topic, collect.NUMBERS) for topic in collect.NUMBERS.values()]
            asked = every + [one for one in missing if one.topic not in topics]
        found = collect.items(asked, options.kind, int(options.seed), int(options.count))
        made = FORMATS[options.format](found, not options.no_answers)
        content = made if isinstance(made, bytes) else made.encode("utf-8")
        if options.out is not None:
            with options.out.open("xb") as file:
                file.write(content)
            print(f"{options.out}: {len(found)} questions")
        elif isinstance(made, bytes):
            raise ValueError("a zip is no text: name a file with --out")
        else:
            print(made, end="")
    except FileExistsError:
        print(f"{options.out} exists: name a file that is not there yet", file=sys.stderr)
        return 2
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0
