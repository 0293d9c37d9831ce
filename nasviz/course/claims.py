"""What a run shows: `claim` states it and tries it; `on_your_run` says what came out this time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from IPython.display import HTML, Markdown, display

from .roundings import closest

GOOD, BAD = "#00795f", "#b3261e"


def claim(sentence: str, condition: bool, recorded: str | Path | None = None, *, unless: str = "") -> None:
    """Say what the run above shows, and whether it does.

    A claim must hold wherever the lab runs: `nasviz.course.roundings` tries it under several roundings. What is true
    of one live run only is said by `on_your_run`. Where a claim fails nevertheless, the lesson says so, goes on, and
    plays the run that was recorded.

    Parameters
    ----------
    sentence : str
        What is claimed: what was measured, and on how many seeds.
    condition : bool
        Whether the run shows it.
    recorded : path, optional
        Record of a run that does (see `nasviz.run.Run`): shown where this run does not.
    unless : str
        What would have made the claim fail, folded away under it: "a search ends below its random twin".

    Raises
    ------
    AssertionError
        Only under test (environment variable ``NASVIZ_TEST=1``).
    """
    said = {"claim": sentence, "holds": bool(condition), "closest": closest()}
    fold = f"<details><summary>It would fail if …</summary>{escape(unless)}</details>" if unless else ""
    if condition:
        say("✓", GOOD, escape(sentence) + fold, said)
        return
    if os.environ.get("NASVIZ_TEST") == "1":
        raise AssertionError(f"not on this run: {sentence}")
    more = " Here is a run where it is so:" if recorded else ""
    say("✗", BAD, f"<b>Not on your run:</b> {escape(sentence)}{more}{fold}", said)
    if recorded:
        from ..run import Run
        from ..views import stage_of

        display(stage_of(Run.load(recorded)))


def on_your_run(text: str) -> None:
    """Say what came out this time, in Markdown: true of the run on the page, and perhaps of no other."""
    display(Markdown(f"> **On your run:** {text}"))


def as_table(head: Sequence, lines: Iterable[Sequence]) -> Markdown:
    """A table to display: the first column's texts to the left, the others, numbers mostly, to the right."""
    rows = [head, ["---", *["---:"] * (len(head) - 1)], *lines]
    texts = ([str(one).replace("|", "\\|") for one in row] for row in rows)  # an architecture's text may have bars
    return Markdown("\n".join(f"| {' | '.join(row)} |" for row in texts))


def say(sign: str, color: str, text: str, said: dict | None = None) -> None:
    """Show a sentence; ``said`` is what a program reads of it: metadata of the output."""
    css = f"border-left:3px solid {color}; padding:2px 10px; margin:4px 0"
    html = HTML(f'<div style="{css}"><b style="color:{color}">{sign}</b> {text}</div>')
    display(html, metadata={"nasviz": said} if said else None)
