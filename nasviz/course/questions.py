"""Questions that are answered before the run: a number, a choice, a ranking, a curve drawn by hand.

A lesson asks before it shows: `predict_number`, `predict_choice`, `predict_ranking` and `predict_curve` take the
student's answer and put the result beside it. From then on the answer is fixed. In a notebook that holds until the
kernel is restarted: a cell that is run again shows the question that it asked before, with its answer, and with the
result if that was shown. To begin anew, restart the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from html import escape
from io import BytesIO
from itertools import combinations
from pathlib import Path
from typing import TypeVar

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets
from IPython import get_ipython
from IPython.display import display

from ..paths import PACKAGE
from .claims import say

T = TypeVar("T")
_asked: dict[tuple, widgets.Widget] = {}  # in this kernel: each question by all that was said of it
LISTENERS: list[Callable[[str, object], object]] = []  # told each answer, with its question, before the result is shown
COLORS = (
    "#8a919c",
    "#1a6fd4",
    "#d6246e",
    "#009178",
)  # of results that are no strategy's


def _once(make: Callable[[], T], *said) -> T:
    """The question that this notebook has asked in these words before, or a new one; a script always has a new one."""
    if get_ipython() is None:
        return make()
    if (made := _asked.get(said)) is None:
        made = _asked[said] = make()
    return made


def given() -> Iterator[tuple[str, object]]:
    """Each question that this kernel has asked, with the student's answer; a question without one is left out."""
    for asked in _asked.values():
        if isinstance(asked, CurveQuestion):
            text, answer = asked.spec["question"], list(asked.drawn)
        else:
            text, answer = asked.question, asked.answer
        if answer is not None and answer != []:
            yield text, answer


def _tell(question: str, answer) -> None:
    for listener in LISTENERS:
        listener(question, answer)


class _Asked(widgets.VBox):
    """A question, the student's answer, and, once revealed, the truth beside it.

    Attributes
    ----------
    answer : str, float, list of str or None
        None until the student has answered; fixed once revealed: ValueError for who sets it then.
    """

    def __init__(self, question: str, field: widgets.Widget, unit: str = ""):
        self.question, self.field, self.unit, self._answer, self._fixed = question, field, unit, None, False
        self.said = widgets.HTML()
        super().__init__([widgets.HTML(f"<b>{escape(question)}</b>"), field, self.said])

    @property
    def answer(self):
        return list(self._answer) if isinstance(self._answer, list) else self._answer

    @answer.setter
    def answer(self, value) -> None:
        if self._fixed:
            raise ValueError(
                f"the answer stays {self._answer!r}: the result was shown; a restart of the kernel asks anew"
            )
        self._set(value)

    def _fix(self) -> None:
        """End the answering."""
        self._fixed, self.field.layout.display = True, "none"

    def _set(self, value) -> None:
        if self._fixed:
            return  # a click that was under way
        self._answer = value
        _tell(self.question, self.answer)
        self.said.value = f"Your answer: <b>{self._text(value)}</b>. Now run the next cells."

    def _text(self, value) -> str:
        return f"{value:g}{self.unit}" if isinstance(value, int | float) else escape(str(value))

    def _repr_mimebundle_(self, **kwargs):
        data = super()._repr_mimebundle_(**kwargs)
        options = "".join(f"<li>{escape(str(option))}</li>" for option in getattr(self.field, "options", ()))
        plain = {"text/html": f"<p><b>{escape(self.question)}</b></p><ul>{options}</ul>", "text/plain": self.question}
        if isinstance(data, tuple):
            return data[0] | plain, data[1]
        return (data or {}) | plain


class Question(_Asked):
    """A question whose answer is a number or one of several texts."""

    def reveal(self, truth: float | str) -> None:
        """Show what came out beside what was answered, here and at the question. The answer is fixed from then on."""
        self._fix()
        text = f"Measured: <b>{self._text(truth)}</b>. "
        if self.answer is None:
            text += "You made no prediction this time: guessing first is half of the lesson."
        elif isinstance(truth, str):
            text += "As you said." if truth == self.answer else f"You said: <b>{self._text(self.answer)}</b>."
        else:
            off = f"{abs(truth - self.answer):.3g}{self.unit.replace(' %', ' points')}"
            text += f"You said <b>{self._text(self.answer)}</b>: {off} off."
        self.said.value = text
        say("▸", "currentColor", text)


def predict_number(question: str, low: float, high: float, *, unit: str = "", step: float | None = None) -> Question:
    """Ask for a number from ``low`` to ``high``, in hundred steps, or of ``step`` (1 where one counts); ``unit`` is
    written behind it (``" %"``)."""
    if not low < high:
        raise ValueError(f"low must be below high, got {low} and {high}")
    step = step or (high - low) / 100
    span = {"min": low, "max": high, "step": step, "value": low + step * round((high - low) / 2 / step)}
    shown = ".3g" if step < 1 else ",.0f"  # 7,812, not 7.81e+3

    def make():
        slider = widgets.FloatSlider(**span, readout_format=shown, description="I guess", layout={"width": "420px"})
        button = widgets.Button(
            description="That is my guess", tooltip="Keep this guess and compare it with the result"
        )
        asked = Question(question, widgets.HBox([slider, button]), unit)
        button.on_click(lambda _: asked._set(slider.value))
        return asked

    return _once(make, question, low, high, unit, step)


def predict_choice(question: str, options: list[str]) -> Question:
    """Ask for one of several answers; none is preselected."""

    def make():
        field = widgets.RadioButtons(options=options, value=None, layout={"width": "max-content"})
        asked = Question(question, field)
        field.observe(lambda change: asked._set(change["new"]), "value")
        return asked

    return _once(make, question, *options)


class Places(widgets.VBox):
    """Names in an order that one changes: each goes up or down a place by its buttons.

    Attributes
    ----------
    options : list of str
        The names in their present order, best first.
    """

    def __init__(self, options: list[str], button: widgets.Button):
        self.options = list(options)
        self.names = [widgets.Label(layout={"width": "max-content"}) for _ in options]
        super().__init__([*(self._row(place) for place in range(len(options))), button])
        self._write()

    def _row(self, place: int) -> widgets.HBox:
        buttons = []
        for icon, step, word in (("arrow-up", -1, "better"), ("arrow-down", 1, "worse")):
            button = widgets.Button(icon=icon, tooltip=f"Place {place + 1}: {word}", layout={"width": "34px"})
            button.disabled = not 0 <= place + step < len(self.options)
            button.on_click(lambda _, step=step: self.swap(place, place + step))
            buttons.append(button)
        return widgets.HBox([*buttons, self.names[place]])

    def swap(self, one: int, other: int) -> None:
        """Exchange two places, from 0."""
        self.options[one], self.options[other] = self.options[other], self.options[one]
        self._write()

    def _write(self) -> None:
        for place, (label, name) in enumerate(zip(self.names, self.options, strict=True), 1):
            label.value = f"{place}. {name}"


class RankingQuestion(_Asked):
    """An order to bet on; ``answer`` is the list of names, best first."""

    def _text(self, value) -> str:
        return escape(", ".join(value))

    def reveal(self, truth: Mapping[str, float]) -> None:
        """Show the order that came out beside the bet: ``{name: number}`` of all that was asked for, greater is better.

        ValueError for other names than those of the question.
        """
        if truth.keys() != set(self.field.options):
            raise ValueError(f"the question ranks {sorted(self.field.options)}, these are {sorted(truth)}")
        self._fix()
        came = sorted(truth, key=lambda name: -truth[name])
        lines = [f"{place}. {escape(name)} ({truth[name]:.2f})" for place, name in enumerate(came, 1)]
        if self.answer is None:
            verdict = "You made no bet this time: betting first is half of the lesson."
        else:
            lines = [f"{line}: you said {self.answer.index(n) + 1}." for line, n in zip(lines, came, strict=True)]
            pairs = list(combinations(self.answer, 2))
            right = sum(truth[better] > truth[worse] for better, worse in pairs)
            verdict = f"Of {len(pairs)} pairs you had <b>{right}</b> in the right order."
        self.said.value = "<br>".join([verdict, *lines])
        say("▸", "currentColor", self.said.value)


def predict_ranking(question: str, options: list[str]) -> RankingQuestion:
    """Ask for an order, best first, to be made with buttons from the order given."""
    if len(set(options)) < max(2, len(options)):
        raise ValueError(f"a ranking needs two or more different names, got {options}")

    def make():
        button = widgets.Button(description="That is my bet", tooltip="Keep this order and compare it with the result")
        places = Places(options, button)
        asked = RankingQuestion(question, places)
        button.on_click(lambda _: asked._set(list(places.options)))
        return asked

    return _once(make, "in order", question, *options)


class CurveQuestion(anywidget.AnyWidget):
    """Axes on which the student draws a curve, by pointer or by keys, and on which the result then appears.

    Attributes
    ----------
    drawn : tuple of float or None
        The drawn curve's heights at `POINTS` places evenly from one end of the x axis to the other, None where nothing
        was drawn. Fixed once revealed.
    """

    POINTS = 61
    _esm = "\n".join(  # read here: to import the views takes seconds, and questions need none
        Path(PACKAGE, name).read_text(encoding="utf-8") for name in ("views/stage/js/listen.js", "course/course.js")
    )
    spec = traitlets.Dict().tag(sync=True)
    drawn = traitlets.Tuple().tag(sync=True)
    results: traitlets.List[dict] = traitlets.List().tag(sync=True)
    _fixed: tuple | None = None  # what was drawn when the result was shown

    @traitlets.validate("drawn")
    def _drawn(self, proposal):
        return proposal["value"] if self._fixed is None else self._fixed

    @traitlets.observe("drawn")
    def _tell_drawn(self, change) -> None:
        if self._fixed is None:
            _tell(self.spec["question"], list(change["new"]))

    def at(self, x: float) -> float | None:
        """Height of the drawn curve at ``x``, interpolated; None where nothing was drawn."""
        low, high = self.spec["x"]
        y = np.array([np.nan if v is None else v for v in self.drawn or (None,) * self.POINTS])
        value = np.interp(x, np.linspace(low, high, self.POINTS), y)
        return None if np.isnan(value) else float(value)

    def reveal(self, **curves) -> None:
        """Draw results on the same axes: ``name=(x, y)``, or ``name=(x, low, high)`` for a band.

        An underscore in a name is shown as a space. A strategy has its colour of every race. The drawn curve is
        compared with the last of them.
        """
        from ..views.colors import STRATEGIES  # with all views: a lab has them by now, a script need not

        own = {style.label.lower(): style.color for style in STRATEGIES.values()}
        new = []
        for place, (name, arrays) in enumerate(curves.items()):
            arrays = [np.asarray(a, float) for a in arrays]
            if len({len(a) for a in arrays}) != 1 or len(arrays) not in (2, 3):
                raise ValueError(f"{name} must be (x, y) or (x, low, high), all of one length")
            shown = name.replace("_", " ")
            color = own.get(shown.lower(), COLORS[place % len(COLORS)])
            new.append({"name": shown, "color": color, "data": [a.tolist() for a in arrays]})
        self.results, self._fixed = new, self.drawn
        off = [abs(self.at(x) - y) for x, y in zip(*new[-1]["data"][:2], strict=True) if self.at(x) is not None]
        if not off:
            say("▸", "currentColor", "You drew no curve this time: a guess on paper counts too.")
        else:
            unit = self.spec["unit"].replace("%", "points")
            away = f"{np.mean(off):.2g} {unit} from <i>{new[-1]['name']}</i>"
            say("▸", "currentColor", f"Your curve is {away} on average.")
        display(self)

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return data | {"image/png": _picture(self), "text/plain": self.spec["question"]}, metadata


def predict_curve(question: str, *, x: tuple, y: tuple, x_label: str, y_label: str, unit: str = "") -> CurveQuestion:
    """Ask for a curve drawn by hand.

    Parameters
    ----------
    x, y : (low, high)
        Ends of the axes.
    x_label, y_label, unit : str
        What the axes mean; ``unit`` is what heights are counted in (``"%"``).
    """
    if not (x[0] < x[1] and y[0] < y[1]):
        raise ValueError(f"each axis needs low < high, got x={x}, y={y}")
    spec = {"question": question, "x": [*x], "y": [*y], "x_label": x_label, "y_label": y_label, "unit": unit}
    make = partial(CurveQuestion, spec=spec | {"points": CurveQuestion.POINTS}, drawn=(), results=[])
    return _once(make, "drawn", repr(spec))


def _picture(curve: CurveQuestion, width: int = 640, height: int = 320) -> bytes:
    """The axes and what is on them, for a page without JavaScript."""
    from PIL import Image, ImageDraw

    scale, spec = 2, curve.spec
    image = Image.new("RGB", (width * scale, height * scale), "white")
    pen, (x0, x1), (y0, y1) = ImageDraw.Draw(image), spec["x"], spec["y"]
    left, right, top, bottom = 60 * scale, (width - 20) * scale, 34 * scale, (height - 44) * scale
    place = lambda x, y: (left + (x - x0) / (x1 - x0) * (right - left), bottom - (y - y0) / (y1 - y0) * (bottom - top))  # noqa: E731
    write = lambda at, text, color, anchor, size=11: pen.text(  # noqa: E731
        at, text, fill=color, anchor=anchor, font_size=size * scale
    )
    write((8 * scale, 6 * scale), spec["question"], "#16181d", "la", 13)
    for i in range(5):
        u, v = x0 + (x1 - x0) * i / 4, y0 + (y1 - y0) * i / 4
        pen.line([place(x0, v), place(x1, v)], "#d8dbe0", scale)
        write((left - 6 * scale, place(x0, v)[1]), f"{v:.4g}", "#5a606b", "rm")
        write((place(u, y0)[0], bottom + 6 * scale), f"{u:.4g}", "#5a606b", "ma")
    write((right, height * scale - 6 * scale), spec["x_label"], "#5a606b", "rs")
    names: list[float] = []
    for result in curve.results:
        color = result["color"]
        xs, *heights = result["data"]
        rows = [[place(u, np.clip(v, y0, y1)) for u, v in zip(xs, ys, strict=True)] for ys in heights]
        if len(rows) == 2:
            pen.polygon(rows[0] + rows[1][::-1], "#dfe2e6")
        else:
            pen.line(rows[0], color, 2 * scale)
        at = max(rows[-1][-1][1] - 5 * scale, top + 14 * scale)
        while any(abs(at - other) < 15 * scale for other in names):  # names do not meet
            at += 15 * scale
        names.append(at)
        write((right, at), result["name"], color, "rs", 12)
    known = [place(u, v) for u, v in zip(np.linspace(x0, x1, curve.POINTS), curve.drawn, strict=False) if v is not None]
    for i in range(0, len(known) - 1, 2):
        pen.line(known[i : i + 2], "#16181d", 2 * scale)
    buffer = BytesIO()
    image.quantize(32).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
