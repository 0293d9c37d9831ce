"""What a lab showed when it was run once: the recorded steps of its stages, and its charts, beside their pictures.

A notebook is stored with pictures alone: steps would make it too large. Here a lab is run for the site, as `course
render` runs it, and its kernel is asked at the end what each widget holds. The answer is kept in a folder, a notebook a
lab, and is used again as long as the lab's cells and the version of nasviz are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from ... import __version__
from .. import notebooks, rendering, roundings
from .folder import replace
from .lab import CHART, CURVE, STAGE

ASK = """\
from IPython.display import display
from nasviz.course.site import recorded
display({"application/json": recorded.held()}, raw=True)"""  # asked of a kernel that ran a lab
LONGEST = 400_000  # characters of one stage or chart: the largest page has 3 MB


def read(path: Path, kept: Path, tell: Callable[[str], object]):
    """A lab with what it shows live: as it was kept, or else run now.

    Raises
    ------
    ValueError
        If the lab, or what was kept, cannot be read, or a cell of the lab fails.
    OSError
    """
    import nbformat
    from nbclient.exceptions import CellExecutionError

    notebook = notebooks.read(path)
    key = identity(notebook)
    file = kept / path.name
    if file.exists() and (old := notebooks.read(file))["metadata"].get("nasviz_run") == key:
        return old
    tell(f"{path.name}: running ...")
    try:
        run(notebook, path.parent)
    except CellExecutionError as error:
        raise ValueError(f"{path} does not run to its end: {error.ename}: {error.evalue}") from None
    notebook["metadata"]["nasviz_run"] = key
    kept.mkdir(parents=True, exist_ok=True)
    replace(file, nbformat.writes(notebook).encode())
    return notebook


def identity(notebook) -> str:
    """What a run depends on: the version, and the code cells."""
    code = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return hashlib.sha256(json.dumps([__version__, code]).encode()).hexdigest()


def run(notebook, folder: Path) -> None:
    """Run a notebook in ``folder``, and put its outputs into it, with what its widgets hold."""
    from nbformat.v4 import new_code_cell

    notebook.cells += [new_code_cell(rendering.PICTURES), new_code_cell(ASK)]
    roundings.run(notebook, folder, store_widget_state=False)
    answers = [cell.outputs[-1]["data"]["application/json"] for cell in notebook.cells[-2:]]
    del notebook.cells[-2:]
    for found in answers:
        rendering.in_place(notebook, found)
    rendering.strip(notebook)


def held() -> dict[str, dict]:
    """What each widget of this kernel holds that a page can show by itself: MIME types and data, by its model's id."""
    from ipywidgets.widgets import widget as ipywidgets

    found = {}
    for model, one in list(ipywidgets._instances.items()):
        data = dict(_held(one))
        if data:
            found[model] = data
    return found


def _held(widget) -> Iterator[tuple[str, dict]]:
    """What a widget, or the first of its children that has any, holds."""
    from ...views.stage import replay
    from ...views.stage.widget import Stage
    from ..questions import CurveQuestion

    if isinstance(widget, CurveQuestion):
        if widget.results:
            yield CURVE, {"results": widget.results}
        return
    for one in _inside(widget):
        if isinstance(one, Stage) and _replays(one, alone=one is widget):
            found: tuple[str, dict] = STAGE, replay.recorded(one)
        elif hasattr(one, "to_plotly_json"):
            found = CHART, chart(one)
        else:
            continue
        if len(json.dumps(found[1])) <= LONGEST:
            yield found
            return


def _replays(stage, alone: bool) -> bool:
    """Whether a page draws a stage anew: one that moves; or one that stands still by itself, in the page's theme."""
    if stage.spec.get("transport", True):
        return len(stage) > 1
    return alone and len(stage) > 0


def _inside(widget) -> Iterator:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _inside(child)


def chart(one) -> dict:
    """A chart as plotly's script draws it."""
    figure = json.loads(one.to_json())
    return {"data": figure["data"], "layout": figure["layout"]}
