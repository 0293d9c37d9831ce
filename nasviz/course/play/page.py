"""The page ``play.html``: searches on the ground truth, in a browser, with nothing installed and without a network.

Its searches are those of `nasviz.strategies`, written again in JavaScript (the files of ``js/``), and draw the same
random numbers. A test holds them to the Python ones, step by step. Random search, evolution and local search are equal
to the last bit. REINFORCE draws the same numbers from the same first weights, but torch adds float32 in an order that
depends on the processor, and the page adds in double precision. So probabilities are held to 1e-4 of torch's, and the
architectures to equality on the seeds of the test.
"""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path

from ... import __version__
from ...estimators.table import Table, nasbench201_table
from ...graph import Graph
from ...spaces import NasBench201
from ...spaces.nasbench201 import OPS
from ...views import colors
from ...views.stage.cell import cell_view
from ...views.stage.spec import Spec
from ...views.stage.widget import script
from .packed import packed

HERE = Path(__file__).parent
STAGE = ("base", "history", "look", "cell")  # drawn as the labs draw it
SEARCHES = (
    "draws", "torch_draws", "space", "table", "random_search", "evolution", "local_search", "controller", "batch",
    "reinforce", "searches", "run",
)  # fmt: skip
PAGE = (
    "address", "controls", "plot", "map", "trace", "cell_picture", "words", "histogram", "transport", "watch", "guess",
    "race", "play",
)  # fmt: skip
# The cell as a diamond, so that it is as high as it is wide: each edge has room for its name on a phone too.
NODES = {"in": (22, 96), "1": (200, 17), "2": (200, 150), "out": (378, 96)}
COURSES: tuple[list[tuple[float, float]], ...] = (
    [(40, 88), (90, 66), (130, 48), (180, 26)],
    [(40, 101), (90, 117), (130, 128), (180, 144)],
    [(200, 30), (200, 65), (200, 100), (200, 137)],
    [
        (28, 110),
        (37.5, 146.5),
        (61.4, 173.9),
        (92.4, 192.1),
        (123.5, 210.4),
        (161.8, 219.5),
        (200, 219.5),
        (238.2, 219.5),
        (276.5, 210.4),
        (307.6, 192.1),
        (338.6, 173.9),
        (362.5, 146.5),
        (372, 110),
    ],
    [(220, 26), (270, 48), (310, 66), (360, 88)],
    [(220, 144), (270, 128), (310, 117), (360, 101)],
)  # chains of Bézier curves, in the order of the edges


def write(path: str | Path, table: Table | None = None, home: str = "") -> Path:
    """Write the page. The same table and version give the same bytes.

    Parameters
    ----------
    path : str or path
        Of the ``.html`` file. An existing file is overwritten.
    table : Table, optional
        Of NAS-Bench-201; by default the project's ground truth, `nasbench201_table`.
    home : str
        Address of a page with all labs, which the page then links to: it is part of a site.

    Returns
    -------
    Path
        Path of the file.

    Raises
    ------
    ValueError
        If the path does not end in ``.html``, its folder does not exist, or the page cannot carry the table exactly.
    """
    path = Path(path)
    if path.suffix != ".html":
        raise ValueError(f"the page is an .html file, {path} is none: name it play.html")
    if not path.parent.is_dir():
        raise ValueError(f"there is no folder {path.parent}: make it first")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a file in it")
    parts = {
        "STYLE": (HERE / "page.css").read_text("utf-8"),
        "SCRIPT": source(table or nasbench201_table()),
        "VERSION": __version__,
        "HOME": f'<a href="{escape(home)}">All labs</a>' if home else "",
    }
    page = (HERE / "page.html").read_text("utf-8")
    path.write_text(re.sub("@([A-Z]+)@", lambda match: parts[match[1]], page), encoding="utf-8")
    return path


def source(table: Table) -> str:
    """Return the page's script: its data, the stage's drawing of cells, the searches, the page; one after the other."""
    looks = {name: style.color for name, style in colors.STRATEGIES.items()}
    data = [("DATA", packed(table)), ("CELL", picture()), ("LOOK", looks)]
    texts = [f"const {name} = {json.dumps(value)};".replace("<", "\\u003c") for name, value in data]
    texts += [script(name) for name in STAGE]
    texts += [(HERE / "js" / f"{name}.js").read_text("utf-8") for name in SEARCHES + PAGE]
    return "\n".join(texts)


def picture() -> dict:
    """Return what the stage's script needs to draw a cell of NAS-Bench-201, as plain data."""
    graph = Graph(tuple(NODES), NasBench201().graph().edges)
    boxes = [{"x": x, "y": y, "w": 44, "h": 30, "label": name} for name, (x, y) in NODES.items()]
    plan = {"width": 400, "height": 232, "nodes": boxes, "edges": [{"points": points} for points in COURSES]}
    view = cell_view(graph, "cell", title="cell", layout=plan)
    return Spec(arrays={"cell": [len(graph.edges), len(OPS)]}, ops=list(OPS), views=[view], transport=False).plain()
