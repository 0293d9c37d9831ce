"""A recorded stage as one HTML file that needs no kernel, no network and no other file.

The page holds the drawing module of the notebook, the recorded arrays (float32, exact, packed) and a still picture for
readers without scripts. The address names the step shown (``run.html#step=120``), so that a lecturer can share it.
"""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from .spec import Spec
from .widget import Stage, source

UNPACK = Path(__file__).with_name("unpack.js").read_text(encoding="utf-8")  # the other way of `pack`, in a page
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<title>@TITLE@</title>
<style>
  :root { color-scheme: light dark; background: light-dark(#fff, #16181d); color: light-dark(#16181d, #eceef2); }
  body { margin: 0 auto; padding: 8px; max-width: 1200px; font: 14px/1.4 system-ui, sans-serif; }
  h1 { font-size: 1.25rem; margin: .4em 14px; }
  img { max-width: 100%; }
</style>
@HEAD@
<main id="stage"></main>
<noscript><p>This page draws with JavaScript. Its last step:</p>@STILL@</noscript>
<script type="module">
@SOURCE@
@UNPACK@
const main = document.getElementById("stage");
try {
  replay(main, @SPEC@, @MARKS@, @COUNT@, await Promise.all(@COLUMNS@.map(unpack)));
} catch (error) {
  main.textContent = "This browser cannot play the run (" + error + "). Any current one can.";
}
</script>
</html>
"""


def to_html(
    stage: Stage | tuple[Spec | Mapping, Mapping[str, np.ndarray]],
    path: str | Path,
    title: str = "",
    marks: Sequence[Mapping] = (),
) -> Path:
    """Write a stage as a page that replays it.

    Parameters
    ----------
    stage : Stage, or (spec, columns)
        Columns as `Stage.columns` gives them: ``{name: (steps, *shape)}``.
    path : str or path
        Path of the ``.html`` file. An existing file is overwritten.
    title : str
        Title of the page; by default the title of its first view.
    marks : list of {"at", "label"}
        Further marks, where ``stage`` is a pair.

    Returns
    -------
    Path
        Path of the file.

    Raises
    ------
    ValueError
        If there is no step, or the columns do not fit the spec (they name different arrays, lengths or shapes).
    """
    if not isinstance(stage, Stage):
        spec, columns = stage
        stage = _joined(Stage(spec), columns)
        for mark in marks:
            stage.mark(mark["at"], mark["label"])
    if not len(stage):
        raise ValueError("nothing to replay: the stage has no step yet")
    title, head = title or _title(stage.spec), f"<h1>{html.escape(title)}</h1>" if title else ""
    still = stage.still()
    assert still is not None  # there is a step
    picture = base64.b64encode(still).decode()
    path = Path(path)
    path.write_text(page(recorded(stage), picture, title, head), encoding="utf-8")
    return path


def recorded(stage: Stage) -> dict:
    """What a page needs to replay a stage: ``spec``, ``marks``, ``count`` (steps), ``columns`` (packed, by name)."""
    columns = {name: pack(column) for name, column in stage.columns().items()}
    return {"spec": stage.spec, "marks": stage.marks, "count": len(stage), "columns": columns}


def page(told: Mapping, picture: str, title: str, head: str = "") -> str:
    """The page that replays what was recorded.

    Parameters
    ----------
    told : {"spec", "marks", "count", "columns"}
        What `recorded` says of a stage. A notebook may have sorted its names.
    picture : str
        Its last step as PNG, in base64, for readers without scripts.
    title, head : str
        The page's title, and HTML that stands above the stage.
    """
    parts = {
        "TITLE": html.escape(title),
        "HEAD": head,
        "STILL": f'<img alt="{html.escape(title)}, last step" src="data:image/png;base64,{picture}">',
        "SOURCE": source(),
        "UNPACK": UNPACK,
        **{name.upper(): _script(told[name]) for name in ("spec", "marks", "count")},
        "COLUMNS": _script([told["columns"][name] for name in told["spec"]["arrays"]]),
    }
    return re.sub("@([A-Z]+)@", lambda match: parts[match[1]], _PAGE)


def _title(spec: Mapping) -> str:
    return next((view["title"] for view in spec["views"] if view.get("title")), "Replay of a search")


def _joined(stage: Stage, columns: Mapping[str, np.ndarray]) -> Stage:
    if len({len(column) for column in columns.values()}) > 1:
        lengths = {name: len(column) for name, column in columns.items()}
        raise ValueError(f"all columns must have one row a step, got {lengths}")
    names = list(columns)
    for row in zip(*columns.values(), strict=True):
        stage.remember(**dict(zip(names, row, strict=True)))
    return stage


def _script(value) -> str:
    """Return ``value`` as JSON for a script element: it contains nothing that could end the element."""
    return json.dumps(value).replace("<", "\\u003c")


def pack(column: np.ndarray) -> str:
    """An array as text, float32 and exact: its bytes plane by plane, compressed (zlib), in base64."""
    planes = np.ascontiguousarray(column, "<f4").view("u1").reshape(-1, 4).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode()
