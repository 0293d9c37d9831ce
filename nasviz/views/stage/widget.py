"""The stage: one widget that draws the steps of a search, live in the notebook or replayed.

Python keeps float32 arrays, one row a step, and sends them as they come; everything one sees is drawn in the browser by
the files of ``js/``, which keep what they received and can show any step again without the kernel. They also play a run
in a single HTML file (`nasviz.views.stage.replay`). Where no script runs, `nasviz.views.stage.still` draws the last
step.

A stage is told *what* to draw by a ``spec``, plain data:

``arrays``
    ``{name: shape}``, the shape of one step; ``[]`` is a number.
``ops``
    Names of operations; index o of the last axis of weights is operation o. Colours, stroke patterns and short labels
    follow from the names (`nasviz.views.colors`), and may be given (``colors``, ``dashes``, ``labels``).
``views``
    A list of pictures, each a dict with ``kind``, ``title`` and ``span`` (columns of twelve, full width below 760 px):

    =========== =============================================================================================
    ``cell``    ``array`` (edges, ops), ``nodes``, ``edges``; ``fixed``: edges without operations; ``keep``,
                ``ignore``: fade all but the strongest edges into each node; ``editable``: edges can be clicked;
                ``leads``: steps for which a change of the lead stays written on an edge; ``thickness``, ``height``;
                ``first``, ``rows``: the part of the array's rows that is this cell's;
                ``node_ops``: what each node computes, or None (no ``array`` is needed if no edge does);
                ``marked`` {nodes, edges}: numbers of those to be pointed at; ``against``: an array of the same shape,
                edges that differ from it are marked
    ``traces``  ``array`` (panels, series) or (series,), ``labels`` of panels, ``total`` steps planned, ``max``
    ``heat``    ``array`` (rows, columns), ``labels`` of rows, names of ``columns``, ``min``, ``max``, ``digits``;
                ``boxed``: an array of the same shape, a box stands where it is 1; without it, around each row's largest
    ``swarm``   ``array``: a score; ``parent``: number of the parent, -1 for none; ``population``: numbers alive, padded
                with nan (or ``alive``: how many of the last live); ``feasible``: 0 or 1; ``lines``: [{y, label}];
                ``scale``, ``unit``, ``ylabel``, ``total``, ``range``
    ``ages``    the same individuals, those alive only, by age
    ``family``  the line of the best, with ``arch``, an array (choices,) or (choices, options), and ``choices`` [{name,
                options}] for the edits between parents and children
    ``curve``   ``array`` (a name, or a list) or ``series`` [{array, label, color, dash, best, points}]; ``x``: an array
                instead of the step; ``best``: add the best so far (``lower``: the lowest); ``band`` [{x, lo, hi, mid,
                label}] with lists of equal length; ``others`` [{label, x, y}]; ``lines``, ``scale``, ``unit``,
                ``xlabel``, ``ylabel``, ``total``, ``range``, ``feasible``: only what is counts as best
    ``options`` ``array`` (choices,): the option of each choice, -1 where it is not in use; ``choices`` [{name, options,
                colors}]
    =========== =============================================================================================
``marks``
    ``[{"at": step, "label": "population 20"}]``: flags on every time axis.
``transport``, ``legend``
    False leaves out the playback bar (for a picture of one step), the legend.

Values in ``lines``, ``range`` are in the units shown, after ``scale``; all others are scaled with the arrays.
"""

from __future__ import annotations

import base64
import functools
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from ..colors import style
from .layout import layout

_PICTURES = ("cell", "traces", "heat", "swarm", "people", "curve", "options")
SCRIPTS = ("base", "history", "canvas", *_PICTURES, "look", "listen", "stage")  # in ``js/``, in this order
MESSAGE = 1 << 21  # bytes; a long run goes out in pieces, since servers close a socket on very large messages

# what a view of each kind may name, and the number of axes that this array must have
_NAMES: dict[str, dict[str, tuple[int, ...]]] = {
    "cell": {"array": (2,), "against": (2,)},
    "traces": {"array": (1, 2)},
    "heat": {"array": (2,), "boxed": (2,)},
    "swarm": {"array": (0,), "parent": (0,), "population": (1,), "feasible": (0,)},
    "ages": {"array": (0,), "parent": (0,), "population": (1,), "feasible": (0,)},
    "family": {"array": (0,), "parent": (0,), "arch": (1, 2), "feasible": (0,)},
    "curve": {"x": (0,), "feasible": (0,)},
    "options": {"array": (1,)},
}


@functools.cache
def source() -> str:
    """The JavaScript that draws: all `SCRIPTS`, one after the other, as the text of one module that exports nothing.

    It defines ``widget``, the hooks of anywidget, and ``replay``, which plays a run in a page.
    """
    return "\n".join(script(name) for name in SCRIPTS)


def script(name: str) -> str:
    """One file of ``js/``."""
    return (Path(__file__).with_name("js") / f"{name}.js").read_text(encoding="utf-8")


class Stage(anywidget.AnyWidget):
    """Draws named arrays, one row a step. Needs no browser: without one it only remembers.

    All methods may be called from any thread.

    Parameters
    ----------
    spec : mapping
        What to draw, see the module. It is completed (layouts, colours) and checked.
    run : iterable of mapping, optional
        Steps to begin with, as `append` takes them.

    Raises
    ------
    ValueError
        If the spec names an array, a kind of view or a shape that does not fit; the message says which.

    Examples
    --------
    >>> stage = Stage({"arrays": {"loss": []}, "views": [{"kind": "curve", "array": "loss"}]})
    >>> stage.append(loss=0.5)
    >>> stage.columns()["loss"]
    array([0.5], dtype=float32)
    """

    _esm = source() + "export default widget;\n"
    spec = traitlets.Dict().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)  # the steps it was made with, so that they are there at once

    _count: int  # these four by `_clear`
    _sent: int
    _capacity: int
    _data: dict[str, np.ndarray]

    def __init__(self, spec: Mapping, run: Iterable[Mapping] = ()):
        self._listeners: list[Callable[[int, int], None]] = []
        self._lock = threading.RLock()
        self._run = -1
        super().__init__(**self._begin(spec, run))
        self.on_msg(self._answer)

    def _begin(self, spec: Mapping, run: Iterable[Mapping]) -> dict:
        """The two traits for a spec and its first steps, which are remembered."""
        spec = complete(spec)
        self._shapes = {name: tuple(shape) for name, shape in spec["arrays"].items()}
        self._marks = list(spec.pop("marks"))
        self._clear()
        for step in run:
            self.remember(**step)
        count = min(self._count, self._stride)
        columns = [data[:count].tobytes() for data in self._data.values()] if count else []
        return {"spec": spec, "first": {"run": self._run, "count": count, "columns": columns}}

    def redraw(self, spec: Mapping, run: Iterable[Mapping] = ()) -> None:
        """Show something else in the same place: another cell has other edges. Parameters and errors as of a new one.

        What could not be drawn leaves the stage as it was.
        """
        with self._lock, self.hold_sync():
            begun = self._begin(spec, run)  # raises, if it must, before anything is changed
            self.first = begun["first"]  # sent together, and set before what tells the browser to look
            self.spec = begun["spec"]

    # ------------------------------------------------------------------ steps
    def append(self, **arrays) -> None:
        """Remember one step and show it: `remember`, then `flush`."""
        self.remember(**arrays)
        self.flush()

    def remember(self, **arrays) -> None:
        """Remember one step without sending it.

        Parameters
        ----------
        **arrays
            Every array of the spec, in its shape; whatever numpy can make float32 of (None is nan). Copied.

        Raises
        ------
        ValueError
            If an array is unknown, missing, or of another shape. Nothing is remembered then.
        """
        if arrays.keys() != self._shapes.keys():
            unknown, missing = arrays.keys() - self._shapes.keys(), self._shapes.keys() - arrays.keys()
            raise ValueError(
                "; ".join(
                    f"{what} {', '.join(map(repr, sorted(names)))}"
                    for what, names in (("this stage has no array", unknown), ("this step lacks the array", missing))
                    if names
                )
                + f". The spec names {sorted(self._shapes)}"
            )
        with self._lock:
            n = self._count
            if n == self._capacity:
                self._grow()
            for name, shape in self._shapes.items():
                value = arrays[name]
                if isinstance(value, np.ndarray):  # the usual cases without a copy: this is done at every step
                    fits = value.shape == shape and value.dtype.kind in "fiub"
                else:
                    fits = not shape and isinstance(value, float | int)
                self._data[name][n] = value if fits else _row(name, value, shape)
            self._count = n + 1  # only now is it a step: what failed halfway is written over

    def flush(self) -> int:
        """Send every step not yet sent, as one message. Returns how many steps that were."""
        with self._lock:
            start, self._sent = self._sent, self._count
            self._send_steps(start, self._count)
            return self._count - start

    def reset(self) -> None:
        """Forget all steps and marks, here and in every browser."""
        with self._lock:
            self._clear()
            self._marks = []
            self.send({"type": "frames", "run": self._run, "start": 0, "count": 0, "marks": []})

    def mark(self, at: int, label: str) -> None:
        """Put a flag at step ``at`` on every time axis, for instance where a knob was turned."""
        with self._lock:
            self._marks.append({"at": int(at), "label": str(label)})
            self.send({"type": "mark", "marks": self._marks})

    @property
    def marks(self) -> list[dict]:
        """All marks so far, ``{"at", "label"}`` each."""
        return list(self._marks)

    def columns(self, start: int = 0) -> dict[str, np.ndarray]:
        """All steps from ``start`` on: ``{name: float32 array (steps, *shape)}``. Copies."""
        with self._lock:
            return {name: data[start : self._count].copy() for name, data in self._data.items()}

    def __len__(self) -> int:
        return self._count

    # ------------------------------------------------------------------ the reader's clicks
    def on_edge(self, callback: Callable[[int, int], None]) -> None:
        """Call ``callback(edge, view)`` when the reader picks an edge of an ``editable`` cell, by mouse or by keyboard.

        ``edge`` counts the edges that have operations, from 0: the row of the cell's array; ``view`` the pictures.
        """
        self._listeners.append(callback)

    def _answer(self, _widget, message, _buffers) -> None:
        match message:
            case {"type": "need", "start": int(start)}:
                with self._lock:
                    self._sent = self._count
                    self._send_steps(max(0, start), self._count, marks=self._marks)
            case {"type": "edge", "edge": int(edge), "view": int(view)}:
                for callback in self._listeners:
                    callback(edge, view)

    # ------------------------------------------------------------------ memory and messages
    def _clear(self) -> None:
        self._run += 1
        self._count = self._sent = self._capacity = 0
        self._data = {name: np.empty((0, *shape), "<f4") for name, shape in self._shapes.items()}

    def _grow(self) -> None:
        """Room for twice as many steps, in new memory: what is being sent from the old stays as it is."""
        self._capacity = max(64, 2 * self._capacity)
        for name, shape in self._shapes.items():
            data = np.empty((self._capacity, *shape), "<f4")
            data[: self._count] = self._data[name][: self._count]
            self._data[name] = data

    @property
    def _stride(self) -> int:
        """How many steps one message holds."""
        return max(1, MESSAGE // (4 * sum(int(np.prod(shape)) for shape in self._shapes.values())))

    def _send_steps(self, start: int, end: int, **more) -> None:
        for a in range(start, end, self._stride) or ([start] if more else []):
            b = max(a, min(end, a + self._stride))
            buffers = [data[a:b].reshape(-1).view("u1").data for data in self._data.values()] if b > a else []
            self.send({"type": "frames", "run": self._run, "start": a, "count": b - a} | more, buffers)
            more = {}

    # ------------------------------------------------------------------ where no script runs
    def still(self, step: int = -1) -> bytes | None:
        """A PNG of one step (by default the last), light background, or None while there is no step."""
        from .still import png

        return png(self.spec, self.columns(), self.marks, step)

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        names = ", ".join(view.get("title") or view["kind"] for view in self.spec["views"])
        data = {**data, "text/plain": f"Stage: {names}; {len(self)} steps"}
        if picture := self.still():
            data["image/png"] = base64.b64encode(picture).decode()
        return data, metadata


def _row(name: str, value, shape: tuple[int, ...]) -> np.ndarray:
    try:
        row = np.asarray(value, "<f4")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name!r} must be numbers of shape {shape}: {error}") from None
    if row.shape != shape and not (row.size == 1 and int(np.prod(shape)) == 1):
        raise ValueError(f"{name!r} must have shape {shape}, got {row.shape}")
    return row.reshape(shape)


def complete(spec: Mapping) -> dict:
    """A copy of ``spec`` with layouts, styles and series filled in, checked. ValueError says what does not fit."""
    for key in ("arrays", "views"):
        if not spec.get(key):
            raise ValueError(f"a stage needs {key!r} in its spec (see nasviz/views/stage/widget.py)")
    arrays = {name: [int(n) for n in shape] for name, shape in spec["arrays"].items()}
    ops = list(spec.get("ops", ()))
    styles = [style(op) for op in ops]
    out = {
        "colors": [s.color for s in styles],
        "dashes": [list(s.dash) for s in styles],
        "labels": [s.label for s in styles],
        "opacities": [0.4 if s.family == "zero" else 1.0 for s in styles],
        "marks": [],
        **spec,
        "arrays": arrays,
        "ops": ops,
    }
    out["views"] = [_complete_view(i, dict(view), arrays, ops) for i, view in enumerate(spec["views"])]
    for key in ("colors", "dashes", "labels", "opacities"):
        if len(out[key]) != len(ops):
            raise ValueError(f"spec[{key!r}] needs one entry for each of {len(ops)} operations, got {len(out[key])}")
    return out


def _complete_view(i: int, view: dict, arrays: Mapping, ops: list) -> dict:
    where = f"view {i} ({view.get('kind')})"
    if view.get("kind") not in _NAMES:
        raise ValueError(f"{where}: there is no such kind; known: {sorted(_NAMES)}")

    def check(key: str, name: str, axes: tuple[int, ...]) -> None:
        if name not in arrays:
            raise ValueError(f"{where}: {key} names the array {name!r}, but the spec has {sorted(arrays)}")
        shape = arrays[name]
        if len(shape) not in axes and not (0 in axes and shape == [1]):
            wanted = " or ".join(map(str, axes))
            raise ValueError(f"{where}: {key} needs an array of {wanted} axes, {name!r} has the shape {shape}")

    for key, axes in _NAMES[view["kind"]].items():
        if key in view:
            check(key, view[key], axes)
        elif key == "array" and not (view["kind"] == "cell" and len(view.get("fixed", ())) == len(view["edges"])):
            raise ValueError(f"{where}: which array? Give view['array']")
    columns = arrays[view["array"]][1] if view["kind"] in ("cell", "heat") and "array" in view else len(ops)
    if columns != len(ops) and not view.get("columns"):
        raise ValueError(f"{where}: {view['array']!r} has {columns} columns for {len(ops)} operations")
    if view["kind"] == "cell":
        view["edges"] = [[int(a), int(b)] for a, b in view["edges"]]
        looks = [style(op) if op else None for op in view.get("node_ops", ())]
        if looks:
            view["node_styles"] = [look and {"color": look.color, "dash": list(look.dash)} for look in looks]
        names = [look.label if look else name for name, look in zip(view["nodes"], looks, strict=True)] if looks else ()
        view.setdefault("layout", layout(names or view["nodes"], view["edges"]))
        view["fixed"] = sorted(int(e) for e in view.get("fixed", ()))
        free = len(view["edges"]) - len(view["fixed"])
        if "array" in view and view.get("rows", arrays[view["array"]][0]) != free:
            raise ValueError(f"{where}: {view['array']!r} has {arrays[view['array']][0]} rows for {free} free edges")
    if view["kind"] == "options" and len(view["choices"]) != arrays[view["array"]][0]:
        raise ValueError(f"{where}: {len(view['choices'])} choices for an array of shape {arrays[view['array']]}")
    if view["kind"] == "curve":
        names = [view["array"]] if isinstance(view.get("array"), str) else view.get("array", ())
        best = bool(view.get("best"))
        series = view.get("series") or [{"array": n, "label": n.replace("_", " ")} for n in names]
        if not series:
            raise ValueError(f"{where}: which array? Give view['array'] or view['series']")
        first = {"best": best, "points": best}  # dots, and the line of the best so far over them
        view["series"] = [(first if j == 0 else {}) | dict(one) for j, one in enumerate(series)]
        for one in view["series"]:
            check("series", one["array"], (0,))
        for key, parts in (("band", ("x", "lo", "hi", "mid")), ("others", ("x", "y"))):
            view[key] = [_lists(f"{where}: {key}", dict(one), parts) for one in view.get(key, ())]
    return view


def _lists(where: str, one: dict, names: tuple[str, ...]) -> dict:
    """``one`` with plain lists under ``names``, all of one length (the last, ``mid``, may be left out)."""
    present = [name for name in names if name in one]
    if len(present) < min(3, len(names)):
        raise ValueError(f"{where}: each needs {names}, got {sorted(one)}")
    for name in present:
        one[name] = [float(v) if np.isfinite(v) else None for v in np.atleast_1d(one[name])]  # JSON has no nan
    if len({len(one[name]) for name in present}) > 1:
        raise ValueError(f"{where}: {present} must be lists of one length")
    return one
