"""Cells that are run out of order, or twice: what is missing then, and what must not be there twice.

`watch` installs a hook in the notebook's kernel, which importing `nasviz.course` does. After each cell it

- says, where a name is not defined, which earlier cell of the lab defines it. Python's own error stands above, as ever;
- closes the players that an earlier run of the same cell has made, once the cell has made new ones.

In the kernels of `make lab` it is there from the start (tools/kernel_start.py). Elsewhere it comes with a lab's first
cell: what is missing before that, Python alone can say.
"""

from __future__ import annotations

import json
import symtable
import sys
from collections.abc import Iterator
from html import escape
from weakref import WeakSet

from ..paths import labs_dir
from .claims import say

_seen: WeakSet = WeakSet()  # players that a cell of this kernel has made
_made: dict[str, WeakSet] = {}  # those of each cell's last run


def watch(shell) -> None:
    """Install the hook in an IPython shell; nothing where there is none (None)."""
    if shell is not None:
        shell.events.register("post_run_cell", after)


def after(result) -> None:
    """The hook: ``result`` is IPython's ``ExecutionResult`` of the cell that was run."""
    close_earlier(result.info.cell_id or result.info.raw_cell)
    error = result.error_in_exec
    if type(error) is NameError and error.name:
        say("▸", "currentColor", hint(error.name, result.info.raw_cell, result.info.cell_id))


def close_earlier(cell: str) -> None:
    """Close the players of a cell's earlier run, if it has made new ones."""
    stage = sys.modules.get("nasviz.views.stage.player")
    new = WeakSet(stage._players if stage else ()) - _seen
    if new:
        for player in _made.get(cell, ()):
            player.close()
        _made[cell] = new
        _seen.update(new)


def hint(name: str, code: str, cell_id: str | None = None) -> str:
    """What to run for a name that is not defined, as HTML, from the cell that was run: its code and its id."""
    places = {where for cells, at in _found(code, cell_id) if (where := _definer(name, cells[:at]))}
    if len(places) != 1:
        return (
            f"<code>{escape(name)}</code>: is it misspelt? If a cell above defines it, run that one first. "
            "After a restart of the kernel, all cells are to be run again from the top."
        )
    number, first = places.pop()
    return (
        f"<code>{escape(name)}</code> is defined by an earlier cell of this lab, code cell {number} from the top. "
        f"It begins with <code>{escape(first)}</code>. Run that one first, or all above this one (menu <i>Run</i>)."
    )


def _labs() -> Iterator[list[dict]]:
    """The code cells of each lab."""
    for path in sorted(labs_dir().glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        yield [cell | {"source": "".join(cell["source"])} for cell in cells if cell["cell_type"] == "code"]


def _found(code: str, cell_id: str | None) -> list[tuple[list[dict], int]]:
    """Where the labs have a cell: a lab's cells and the place; by its code or, if a student changed that, by its id."""
    every = [(cells, at) for cells in _labs() for at in range(len(cells))]
    same = [(cells, at) for cells, at in every if cells[at]["source"].strip() == code.strip()]
    return same or [(cells, at) for cells, at in every if cell_id and cells[at].get("id") == cell_id]


def _definer(name: str, cells: list[dict]) -> tuple[int, str] | None:
    """The last of some cells that defines a name: its number, from 1, and its first line."""
    for number in range(len(cells), 0, -1):
        lines = cells[number - 1]["source"].split("\n")
        code = "\n".join("" if line.startswith(("%", "!")) else line for line in lines)
        names = symtable.symtable(code, "cell", "exec")
        if name in names.get_identifiers() and (names.lookup(name).is_assigned() or names.lookup(name).is_imported()):
            return number, next(line for line in lines if line.strip())
    return None
