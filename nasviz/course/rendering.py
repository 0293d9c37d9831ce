"""Run a lab head to tail and keep what it shows: pictures in place of widgets, no state of them, no clock times."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from . import lesson, roundings

WIDGET = "application/vnd.jupyter.widget-view+json"
PICTURES = """\
import sys
from IPython.display import display
made = sys.modules.get("nasviz.views.stage.panel")
display({"application/json": made.pictures() if made else {}}, raw=True)"""  # asked of a kernel that ran a lab


def strip(notebook) -> None:
    """Remove what a stored notebook must not hold: widget state, widget views (their pictures stay), clock times."""
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
        for output in cell.get("outputs", ()):
            for data in ("data", "metadata"):
                output.get(data, {}).pop(WIDGET, None)
        if "outputs" in cell:
            cell["outputs"] = [o for o in cell["outputs"] if o.get("name") != "stderr" and o.get("data", True)]


def in_place(notebook, pictures: dict[str, dict[str, str]]) -> None:
    """Give each widget that a notebook shows its last picture, by the id of its model."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            model = output.get("data", {}).get(WIDGET, {}).get("model_id")
            output.get("data", {}).update(pictures.get(model, {}))


def seconds_of(cell) -> float:
    """Seconds from a cell's start to its reply, as nbclient noted them in the cell; 0 for one that was not run."""
    noted = cell["metadata"].get("execution", {})
    start, end = noted.get("iopub.execute_input"), noted.get("shell.execute_reply")
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() if start and end else 0.0


def execute(notebook, folder: Path) -> tuple[float, float]:
    """Run a notebook in ``folder`` and put its outputs into it. Seconds of computing: all, and of what is further.

    What later cells change, as they run a player, shows its last picture where it stands: without a kernel nobody can.
    """
    from nbformat.v4 import new_code_cell

    notebook.cells.append(new_code_cell(PICTURES))
    seconds = roundings.run(notebook, folder, store_widget_state=False)
    (answer,) = notebook.cells.pop().outputs
    in_place(notebook, answer["data"]["application/json"])
    beyond = sum(seconds_of(cell) for cell, further in lesson.sections(notebook) if further)
    strip(notebook)
    return seconds, beyond
