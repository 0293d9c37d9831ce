"""A search with buttons and sliders, drawn while it runs.

One worker thread per player takes steps from a `Run`. Buttons and sliders only set flags and queue turns of knobs, so
that they react while a step is computed. Their orders are carried out between two steps or, in an evaluation that
reports its progress, between two batches.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from math import inf
from pathlib import Path
from typing import Protocol, cast
from weakref import WeakSet

import ipywidgets as widgets

from ...estimator import Cancelled, Progress, watching
from ...knobs import knobs
from ...ranges import check_number
from ...record import put_aside
from ...run import Run
from ...step import Step
from . import panel
from .from_search import Rows, turned
from .widget import Stage

RATE = 10  # the most updates of the picture a second: more only slow the search down
SPEEDS = [("1 step/s", 1), ("2 steps/s", 2), ("5 steps/s", 5), ("10 steps/s", 10), ("30 steps/s", 30), ("no limit", 0)]
_BUTTONS = {
    "play": ("Play", "play", "Search on"),
    "pause": ("Pause", "pause", "Pause, also in the middle of a training"),
    "step": ("Step", "step-forward", "One step, then pause"),
    "stop": ("Stop", "stop", "Stop at once: a training that is not finished is dropped, Play begins it again"),
    "reset": ("Reset", "refresh", "Begin anew, with the sliders as they stand; a record is kept under another name"),
}
_players: WeakSet[Player] = WeakSet()


class Drawing(Protocol):
    """What makes the data that a player draws, as `Rows` does."""

    spec: dict

    def __init__(self, search, band: Sequence[Run] = (), x: str = "evaluations") -> None: ...

    @property
    def shows(self) -> object:
        """Names of the quantities that the steps carry."""
        ...

    def row(self, step: Step, seconds: float) -> dict:
        """Return the arrays of one step."""
        ...

    def words(self, run: Run) -> str:
        """Describe the search so far in one line."""
        ...


class Player(widgets.VBox):
    """A widget that runs a search live: play, pause, step, stop, reset, speed, and a slider for each knob.

    Only one player of a kernel runs at a time: starting one pauses the others. Scripts call `run` instead of the
    buttons.

    Parameters
    ----------
    search : strategy
        A dataclass that yields `nasviz.step.Step` when iterated.
    path : str or path, optional
        The record (see `nasviz.run.Run`). Its steps are shown at once, and Play continues after them.
    band : sequence of Run
        Finished runs of random search, drawn behind the accuracy.
    x : {"evaluations", "seconds"}
        The horizontal axis of the accuracy.

    Attributes
    ----------
    run_ : Run
        The present run; `reset` replaces it.
    stage : Stage
        The picture.
    sliders : dict of str to widget
        The sliders by the name of their knob.
    error : BaseException or None
        The last exception that the search raised.

    Raises
    ------
    ValueError
        If the record is damaged or of another search, or if none of the quantities that the search shows can be drawn.

    Examples
    --------
    >>> player = Player(RegularizedEvolution(space, estimate), "evolution.jsonl")  # doctest: +SKIP
    >>> player.run(20)  # doctest: +SKIP
    """

    rows: type[Drawing] = Rows  # makes the data that is drawn from a step

    def __init__(self, search, path: str | Path | None = None, band: Sequence[Run] = (), x: str = "evaluations"):
        super().__init__()
        self.add_class("nasviz-player")
        self._changed = threading.Condition(threading.RLock())  # guards all flags below
        self._thread: threading.Thread | None = None
        self._goal = -1.0  # play until the stage has so many steps
        self._abandon = self._anew = self._leaving = self._finished = False
        self._fraction = 0.0  # finished share of the present evaluation
        self._published = self._clock = self._elapsed = 0.0
        self._marked = 0  # number of the run's turns that have a mark on the stage
        self._following: int | None = None  # thread that moves a slider after the run
        self.error: BaseException | None = None

        self.search, self.path = search, Path(path) if path is not None else None
        mine = self.path.absolute() if self.path else None
        for other in list(_players) if mine else ():
            if other.path and other.path.absolute() == mine:
                other.close()  # two writers would spoil the record
        self._rows = self.rows(search, band, x)
        if not self._rows.spec["views"]:
            raise ValueError(f"{type(search).__name__} shows {self._rows.shows}: no picture is known for any of these")
        self.stage = Stage(self._rows.spec)
        self.run_ = Run(search, path).recall()
        for step, seconds in zip(self.run_.steps, self.run_.costs, strict=True):
            self.stage.remember(**self._rows.row(step, seconds))
        self._finished = len(self.stage) >= len(search)
        self._mark()

        self.buttons = {name: self._button(name, *words) for name, words in _BUTTONS.items()}
        self.speed = widgets.Dropdown(
            options=SPEEDS, value=0, description="Speed", tooltip="At most so many steps a second",
            layout={"width": "190px"}, style={"description_width": "50px"},
        )  # fmt: skip
        self.speed.observe(lambda change: self._order(), "value")
        self.sliders = {name: self._slider(name, field) for name, field in knobs(search).items()}
        self.status, self.panel = widgets.HTML(), widgets.HTML(layout={"display": "none"})
        columns = "repeat(auto-fit, minmax(340px, 1fr))"
        grid = widgets.GridBox(
            list(self.sliders.values()),
            layout={"grid_template_columns": columns, "grid_gap": "2px 24px", "overflow": "hidden"},
        )
        row = {"align_items": "center", "flex_flow": "row wrap", "overflow": "hidden"}
        bar = widgets.HBox([*self.buttons.values(), self.speed], layout=row)
        self.children = [bar, *([grid, panel.Names()] if self.sliders else []), self.status, self.panel, self.stage]
        self._say()
        _players.add(self)

    # ------------------------------------------------------------------ the buttons' actions; from any thread
    def play(self) -> None:
        """Continue the search to its end; other players pause."""
        self._go(inf)

    def step(self) -> None:
        """Do one more step, then pause."""
        self._go(len(self.stage) + 1)

    def pause(self) -> None:
        """Pause after the present step, or between two batches of its training."""
        self._order(goal=-1)

    def stop(self) -> None:
        """Cancel the present evaluation, if it reports its progress, and pause. All recorded steps stay."""
        self._order(goal=-1, abandon=True)

    def reset(self) -> None:
        """Begin again, paused, with the present slider values. An old record is renamed with a number."""
        self._order(goal=-1, anew=True)

    def run(self, n: int | None = None) -> Run:
        """Run ``n`` more steps, or all steps to the end, and wait for them. The picture moves as after `play`.

        Returns
        -------
        Run
            `run_`, up to date.

        Raises
        ------
        Exception
            Any exception of the search. An interrupt of the kernel pauses the search and returns.
        """
        check_number("n", n, 0, none=True)
        self._go(inf if n is None else len(self.stage) + n)
        try:
            with self._changed:
                while self._playing:
                    self._changed.wait(0.2)  # with a limit: an interrupt must come through
        except KeyboardInterrupt:  # caught here: in next() it would end the search
            self.pause()
            return self.run_
        if self.error:
            raise self.error
        return self.run_

    @property
    def steps(self) -> list[Step]:
        """The steps so far."""
        return self.run_.steps

    @property
    def playing(self) -> bool:
        """Whether the search is running."""
        return self._playing

    def close(self) -> None:
        """Stop, close the record, and remove the picture."""
        thread = getattr(self, "_thread", None)
        if thread is not None:
            self._order(goal=-1, leaving=True)
            if thread is not threading.current_thread():
                thread.join(10)
        super().close()

    # ------------------------------------------------------------------ orders to the worker
    @property
    def _playing(self) -> bool:
        return len(self.stage) < self._goal

    def _go(self, goal: float) -> None:
        pause_all(but=self)
        self._order(goal=goal)

    def _order(self, goal: float | None = None, abandon=False, anew=False, leaving=False) -> None:
        """Set flags for the worker, and start a worker if there is none."""
        with self._changed:
            if goal is not None:
                self._goal = -1 if self._finished and not anew else goal
                self._abandon = abandon
                if self._playing:
                    self._complain(None)
            self._anew, self._leaving = self._anew or anew, self._leaving or leaving
            if self._thread is None and not leaving and (self._playing or self._anew):
                self._thread = threading.Thread(target=self._work, name=f"player of {self.search!r:.60}", daemon=True)
                self._thread.start()
            self._say()
            self._changed.notify_all()

    # ------------------------------------------------------------------ the worker
    def _work(self) -> None:
        """Take steps until the goal, wait between steps, and end the thread when no search is open."""
        steps = None
        with watching(self._listen, curve=False):
            while True:
                if not (steps and self._playing) or self._anew or self._leaving:  # else no lock: steps may be fast
                    steps = self._hold(steps)
                    if steps is None:
                        return
                before = time.monotonic()
                try:
                    step = next(steps)
                except StopIteration:
                    self._end(finished=True)
                    steps = None
                except Cancelled:
                    self._end()
                    steps = None
                except BaseException as error:  # else it would be lost in the thread
                    self._end(error)
                    steps = None
                else:
                    if self._take(step):
                        self._wait_until(before)

    def _hold(self, steps: Generator[Step, None, None] | None) -> Generator[Step, None, None] | None:
        """Wait until more steps are ordered, or carry out another order. Return None if no search is open."""
        with self._changed:
            if not self._playing:
                self._publish(now=True)
            while steps and not (self._playing or self._anew or self._leaving):
                self._changed.wait()
            if self._anew or self._leaving:
                if steps:
                    steps.close()  # this closes the record
                steps = None
                if self._anew:
                    self._begin_anew()
            if steps is None and not self._playing:
                self._publish(now=True)
                self._thread = None
                return None
            self._abandon = False
            return steps or cast("Generator[Step, None, None]", iter(self.run_))

    def _take(self, step: Step) -> bool:
        """Show a step that the stage does not have yet: a run that is iterated again begins with its record."""
        with self._changed:
            self._fraction = 0.0
            if len(self.run_.steps) <= len(self.stage):
                return False
            self.stage.remember(**self._rows.row(step, self.run_.seconds))
            self._mark()
            if self._playing:
                self._publish()
            else:
                self._publish(now=True)  # run(n) returns after its last step is drawn
                self._changed.notify_all()  # only now: to wake run(n) at each step is slow
            return True

    def _wait_until(self, before: float) -> None:
        """Wait as long as the chosen speed requires. A new speed or a button takes effect at once."""
        if not self.speed.value:
            return
        with self._changed:
            while self._playing and self.speed.value:
                due = before + 1 / self.speed.value - time.monotonic()
                if due <= 0:
                    return
                if due > 1 / RATE:
                    self._publish(now=True)  # the next step may be far away
                self._changed.wait(due)

    def _listen(self, progress: Progress) -> None:
        """Handle Pause and Stop within an evaluation, between two batches."""
        with self._changed:
            self._fraction = (progress.epoch + progress.batch / progress.batches) / progress.epochs
            self._publish()
            while True:
                if self._abandon or self._anew or self._leaving:
                    raise Cancelled
                if self._playing:
                    return
                self._publish(now=True)
                self._changed.wait()

    def _end(self, error: BaseException | None = None, finished: bool = False) -> None:
        with self._changed:
            self._goal, self._fraction, self._finished = -1, 0.0, finished
            self._complain(error)
            self._publish(now=True)
            self._changed.notify_all()

    def _begin_anew(self) -> None:
        """Rename the old record, and make a new run whose knobs have the values of the sliders."""
        try:
            if self.path and self.path.exists():
                put_aside(self.path)
            self.run_ = Run(self.search, self.path)
            values = {name: self._read(name) for name in self.sliders}
            defaults = self.run_.value
            if changed := {name: value for name, value in values.items() if value != defaults[name]}:
                self.run_.turn(**changed)
            self._complain(None)
        except (OSError, ValueError) as error:
            self._complain(error)
        self._anew = self._abandon = self._finished = False
        self._elapsed, self._fraction, self._marked = 0.0, 0.0, 0
        self.stage.reset()

    # ------------------------------------------------------------------ the display
    def _publish(self, now: bool = False) -> None:
        """Send new steps and the status to the page: at most `RATE` times a second, or at once with ``now``."""
        clock = time.monotonic()
        if now or clock - self._published >= 1 / RATE:
            self._published = clock
            self.stage.flush()
            self._say()

    def _say(self) -> None:
        """Update the status line (progress, time, best result) and the highlight of the Play button."""
        clock, playing = time.monotonic(), self._playing
        if playing and self._clock:
            self._elapsed += clock - self._clock
        self._clock = clock if playing else 0.0
        done, total = len(self.stage), len(self.search)
        over = self._finished or done >= total
        word = "running" if playing else "finished" if over else "paused" if done or self._fraction else "ready"
        word, best = "failed" if self.error else word, self._rows.words(self.run_)
        self.status.value = panel.status(done, total, self._fraction, self._elapsed, word, best)
        self.buttons["play"].button_style = "info" if playing else ""

    def _complain(self, error: BaseException | None) -> None:
        """Show an exception in full, or remove the last one."""
        self.error = error
        self.panel.layout.display = "none" if error is None else None
        self.panel.value = panel.failure(error) if error else ""

    def _mark(self) -> None:
        """Mark new turns of knobs on the stage, and move the sliders to the knobs' values."""
        if len(self.run_.turns) == self._marked:
            return
        new = self.run_.turns[self._marked :]
        for at, values in new:
            self.stage.mark(at, turned(values))
        self._marked += len(new)
        if not hasattr(self, "sliders"):
            return
        self._following = threading.get_ident()
        for name, value in self.run_.value.items():
            if self._read(name) != value:
                self.sliders[name].value = value
        self._following = None

    # ------------------------------------------------------------------ controls
    def _button(self, name: str, text: str, icon: str, tooltip: str) -> widgets.Button:
        button = widgets.Button(description=text, icon=icon, tooltip=tooltip, layout={"width": "auto"})
        button.on_click(lambda _: getattr(self, name)())
        return button

    def _slider(self, name: str, field) -> widgets.Widget:
        slider = panel.slider(field, self.run_.value[name])
        slider.observe(lambda change: self._slid(name), "value")
        return slider

    def _slid(self, name: str) -> None:
        if self._following == threading.get_ident():
            return
        with self._changed:
            self.run_.turn(**{name: self._read(name)})

    def _read(self, name: str) -> float:
        return panel.reading(knobs(self.search)[name], self.sliders[name].value)

    # ------------------------------------------------------------------ pages without scripts
    def __repr__(self):
        state = "playing" if self._playing else "finished" if self._finished else "paused"
        return f"<Player of {type(self.search).__name__}: {len(self.stage)} of {len(self.search)} steps, {state}>"

    def _repr_mimebundle_(self, **kwargs):
        return panel.with_still(super()._repr_mimebundle_(**kwargs), repr(self), self.stage)


def pause_all(but: Player | None = None) -> None:
    """Pause every player of this kernel except ``but``, since all share one processor."""
    for player in list(_players):
        if player is not but:
            player.pause()
