"""The stage: one widget that draws the steps of a search, live in the notebook or replayed.

Python keeps float32 arrays, one row a step, and sends them as they come; everything one sees is drawn in the browser by
the files of ``js/``, which keep what they received and can show any step again without the kernel. They also play a run
in a single HTML file (`nasviz.views.stage.replay`). Where no script runs, `nasviz.views.stage.still` draws the last
step.

A stage is told *what* to draw by a `nasviz.views.stage.spec.Spec`, or by the same as plain data, which is what it
sends: ``{"arrays": {"loss": []}, "views": [{"kind": "curve", "array": "loss"}]}``. The files of
`nasviz.views.stage.kinds` say which kinds there are, and what each of them takes.
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

from .kinds import KINDS
from .spec import Spec

_PICTURES = tuple(dict.fromkeys(one.script or kind for kind, one in KINDS.items()))
SCRIPTS = ("base", "history", "canvas", *_PICTURES, "look", "listen", "stage")  # in ``js/``, in this order
MESSAGE = 1 << 21  # bytes; a long run goes out in pieces, since servers close a socket on very large messages


@functools.cache
def source() -> str:
    """The JavaScript that draws: all `SCRIPTS`, one after the other, as the text of one module that exports nothing.

    It defines ``widget``, the hooks of anywidget, and ``replay``, which plays a run in a page. The function that
    draws a kind of picture has the name of the kind.
    """
    return "\n".join([*(script(name) for name in SCRIPTS), f"const VIEWS = {{ {', '.join(KINDS)} }};\n"])


def script(name: str) -> str:
    """One file of ``js/``."""
    return (Path(__file__).with_name("js") / f"{name}.js").read_text(encoding="utf-8")


class Stage(anywidget.AnyWidget):
    """Draws named arrays, one row a step. Needs no browser: without one it only remembers.

    All methods may be called from any thread.

    Parameters
    ----------
    spec : Spec or mapping
        What to draw, see the module.
    run : iterable of mapping, optional
        Steps to begin with, as `append` takes them.

    Raises
    ------
    ValueError
        If the spec names an array, a kind of view, a field or a shape that does not fit; the message says which.

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

    _described: Spec
    _count: int  # these four by `_clear`
    _sent: int
    _capacity: int
    _data: dict[str, np.ndarray]

    def __init__(self, spec: Spec | Mapping, run: Iterable[Mapping] = ()):
        self._listeners: list[Callable[[int, int], None]] = []
        self._lock = threading.RLock()
        self._run = -1
        super().__init__(**self._begin(spec, run))
        self.on_msg(self._answer)

    def _begin(self, spec: Spec | Mapping, run: Iterable[Mapping]) -> dict:
        """The two traits for a spec and its first steps, which are remembered."""
        described = spec if isinstance(spec, Spec) else Spec.of(spec)
        self._described = described
        self._shapes = {name: tuple(shape) for name, shape in described.arrays.items()}
        self._marks = [dict(mark) for mark in described.marks]
        self._clear()
        for step in run:
            self.remember(**step)
        count = min(self._count, self._stride)
        columns = [data[:count].tobytes() for data in self._data.values()] if count else []
        return {"spec": described.plain(), "first": {"run": self._run, "count": count, "columns": columns}}

    def redraw(self, spec: Spec | Mapping, run: Iterable[Mapping] = ()) -> None:
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

        return png(self._described, self.columns(), self.marks, step)

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        names = ", ".join(view.title or view.kind for view in self._described.views)
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
