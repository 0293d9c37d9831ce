"""A search with buttons and sliders, drawn while it runs.

A player has no thread of its own: its `nasviz.views.stage.worker.Worker` takes the steps from a `Run`. Buttons become
commands to the worker and sliders turns of knobs, both carried out between two steps. What the worker reports is drawn.
"""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Protocol, cast
from weakref import WeakSet

import ipywidgets as widgets

from ...knobs import knobs
from ...lock import same_file
from ...ranges import check_number
from ...record import put_aside
from ...run import Run
from ...step import Step
from . import panel
from .from_search import Rows, turned
from .spec import Spec
from .widget import Stage
from .worker import RATE, Command, Reports, Worker

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

    spec: Spec

    def __init__(self, search, band: Sequence[Run] = (), x: str = "evaluations") -> None: ...

    def row(self, step: Step, seconds: float) -> dict:
        """Return the arrays of one step."""
        ...

    def words(self, run: Run) -> str:
        """Describe the search so far in one line."""
        ...


class Player(widgets.VBox):
    """A widget that runs a search live: play, pause, step, stop, reset, speed, and a slider for each knob.

    Only one player of a kernel runs at a time: starting one pauses the others. Scripts call `run` instead of the
    buttons. A second player on the same record closes the first, since two writers would spoil it.

    Parameters
    ----------
    search : strategy
        A dataclass that yields `nasviz.step.Step` when iterated.
    path : str or path, optional
        The record (see `nasviz.run.Run`); ``~`` is the home folder. Its steps are shown at once, and Play continues
        after them.
    band : sequence of Run
        Finished runs of random search, drawn behind the accuracy.
    x : {"evaluations", "seconds"}
        The horizontal axis of the accuracy.

    Attributes
    ----------
    recorded_run : Run
        The present run; `reset` replaces it.
    stage : Stage
        The picture. While the search runs, it has the steps up to the last picture: a tenth of a second ago, or less.
    sliders : dict of str to widget
        The sliders by the name of their knob.
    worker : Worker
        What takes the steps.
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
        self._fraction = 0.0  # finished share of the present evaluation
        self._published = self._clock = self._elapsed = 0.0
        self._seen = 0  # number of steps that the worker has reported; the stage may still lack the newest
        self._marked = 0  # number of the run's turns that have a mark on the stage
        self._following: int | None = None  # thread that moves a slider after the run
        self.error: BaseException | None = None

        self.search, self.path = search, Path(path).expanduser() if path is not None else None
        for other in list(_players):
            if self.path and other.path and same_file(self.path, other.path):
                other.close()  # a record has one writer, and this is the later wish
        self._rows = self.rows(search, band, x)
        self.stage = Stage(self._rows.spec)
        self.recorded_run = Run(search, self.path).recall()
        self._catch_up()
        self._seen = len(self.stage)
        reports = Reports(
            started=lambda: self._show_error(None),
            stepped=self._show_step,
            progressed=self._show_progress,
            rested=self._show_all,
            reset=self._begin_again,
            ended=self._show_end,
        )
        finished = len(self.stage) >= len(search)
        self.worker = Worker(self._steps_of_run, reports, f"player of {search!r:.60}", finished)
        self.sliders: dict[str, widgets.Widget] = {}
        self._show_turns()

        self.buttons = {name: self._button(name, *words) for name, words in _BUTTONS.items()}
        self.speed = widgets.Dropdown(
            options=SPEEDS, value=0, description="Speed", tooltip="At most so many steps a second",
            layout={"width": "190px"}, style={"description_width": "50px"},
        )  # fmt: skip
        self.speed.observe(lambda change: self._limit_speed(change.new), "value")
        self.sliders |= {name: self._slider(name, field) for name, field in knobs(search).items()}
        self.status, self.panel = widgets.HTML(), widgets.HTML(layout={"display": "none"})
        columns = "repeat(auto-fit, minmax(340px, 1fr))"
        grid = widgets.GridBox(
            list(self.sliders.values()),
            layout={"grid_template_columns": columns, "grid_gap": "2px 24px", "overflow": "hidden"},
        )
        row = {"align_items": "center", "flex_flow": "row wrap", "overflow": "hidden"}
        bar = widgets.HBox([*self.buttons.values(), self.speed], layout=row)
        self.children = [bar, *([grid, panel.Names()] if self.sliders else []), self.status, self.panel, self.stage]
        self._show_status()
        _players.add(self)
        panel.changing(self)

    # ------------------------------------------------------------------ the buttons' actions; from any thread
    def play(self) -> None:
        """Continue the search to its end; other players pause. RuntimeError if the player is closed."""
        self._command(Command.PLAY)

    def step(self) -> None:
        """Do one more step, then pause. RuntimeError if the player is closed."""
        self._command(Command.STEP, 1)

    def pause(self) -> None:
        """Pause after the present step, or between two batches of its training."""
        self._command(Command.PAUSE)

    def stop(self) -> None:
        """Cancel the present evaluation, if it reports its progress, and pause. All recorded steps stay."""
        self._command(Command.STOP)

    def reset(self) -> None:
        """Begin again, paused, with the present slider values. An old record is renamed with a number.

        Raises
        ------
        RuntimeError
            If the player is closed.
        """
        self._command(Command.RESET)

    def run(self, n: int | None = None) -> Run:
        """Run ``n`` more steps, or all steps to the end, and wait for them. The picture moves as after `play`.

        Returns
        -------
        Run
            `recorded_run`, up to date.

        Raises
        ------
        RuntimeError
            If the player is closed.
        Exception
            Any exception of the search. An interrupt of the kernel pauses the search and returns.
        """
        check_number("n", n, 0, none=True)
        self._command(*((Command.PLAY,) if n is None else (Command.STEP, n)))
        try:
            self.worker.wait()
        except KeyboardInterrupt:  # caught here: in next() it would end the search
            self.pause()
            return self.recorded_run
        if self.error:
            raise self.error
        return self.recorded_run

    @property
    def steps(self) -> list[Step]:
        """The steps so far."""
        return self.recorded_run.steps

    @property
    def playing(self) -> bool:
        """Whether the search is running."""
        return self.worker.playing

    @property
    def run_(self) -> Run:
        """The old name of `recorded_run`."""
        warnings.warn("Player.run_ is now Player.recorded_run; the old name goes in 0.3", DeprecationWarning, 2)
        return self.recorded_run

    def close(self) -> None:
        """Stop, close the record, and remove the picture. A closed player stays closed."""
        worker = getattr(self, "worker", None)  # none yet if its making failed
        if worker is not None:
            worker.order(Command.CLOSE)
            worker.join(10)
        _players.discard(self)
        super().close()

    def _command(self, command: Command, steps: int = 0) -> None:
        starts = command in (Command.PLAY, Command.STEP)
        if self.worker.closed:
            if starts or command is Command.RESET:
                raise RuntimeError(
                    "this player is closed: close() ended it, or a newer player took over its record. "
                    "Make a new Player; with the path of a record it goes on where this one was"
                )
            return
        if starts:
            pause_all(but=self)
        self.worker.order(command, steps)
        with self.worker.changed:
            self._show_status()

    # ------------------------------------------------------------------ what the worker asks and reports; in its thread
    def _steps_of_run(self) -> Generator[Step, None, None]:
        return cast("Generator[Step, None, None]", iter(self.recorded_run))

    def _show_step(self, step: Step) -> bool:
        """Count a step that was not seen yet: a run that is iterated again begins with its record.

        Its row is made when the next picture is due, together with those of all steps since the last one. Alone, after
        a step that filled the processor's caches with other things, each would take ten times as long.
        """
        self._fraction = 0.0
        if len(self.recorded_run.steps) <= self._seen:
            return False
        self._seen += 1
        self._publish()
        return True

    def _show_progress(self, share: float) -> None:
        self._fraction = share
        self._publish()

    def _show_all(self) -> None:
        """Show what is not seen yet, and an error of the picture itself: nobody else would."""
        try:
            self._publish(now=True)
        except Exception as error:
            self._show_error(error)

    def _show_end(self, error: BaseException | None) -> None:
        self._fraction = 0.0
        self._show_error(error)

    def _begin_again(self) -> None:
        """Rename the old record, and make a new run whose knobs have the values of the sliders."""
        try:
            if self.path and self.path.exists():
                put_aside(self.path)
            self.recorded_run = Run(self.search, self.path)
            values = {name: self._slider_value(name) for name in self.sliders}
            defaults = self.recorded_run.value
            if changed := {name: value for name, value in values.items() if value != defaults[name]}:
                self.recorded_run.turn(**changed)
            self._show_error(None)
        except (OSError, ValueError) as error:
            self._show_error(error)
        self._elapsed, self._fraction, self._marked, self._seen = 0.0, 0.0, 0, 0
        self.stage.reset()

    # ------------------------------------------------------------------ the display
    def _publish(self, now: bool = False) -> None:
        """Send new steps and the status to the page: at most `RATE` times a second, or at once with ``now``."""
        clock = time.monotonic()
        if now or clock - self._published >= 1 / RATE:
            self._published = clock
            self._catch_up()
            self._show_turns()
            self.stage.flush()
            self._show_status()

    def _catch_up(self) -> None:
        """Give the stage the steps that it lacks."""
        run, there = self.recorded_run, len(self.stage)
        for step, seconds in zip(run.steps[there:], run.costs[there:], strict=True):
            self.stage.remember(**self._rows.row(step, seconds))

    def _show_status(self) -> None:
        """Update the status line (progress, time, best result) and the highlight of the Play button."""
        clock, playing = time.monotonic(), self.playing
        if playing and self._clock:
            self._elapsed += clock - self._clock
        self._clock = clock if playing else 0.0
        done, total = self._seen, len(self.search)
        over = self.worker.finished or done >= total
        word = "running" if playing else "finished" if over else "paused" if done or self._fraction else "ready"
        word, best = "failed" if self.error else word, self._rows.words(self.recorded_run)
        self.status.value = panel.status(done, total, self._fraction, self._elapsed, word, best)
        self.buttons["play"].button_style = "info" if playing else ""

    def _show_error(self, error: BaseException | None) -> None:
        """Show an exception in full, or remove the last one."""
        self.error = error
        self.panel.layout.display = "none" if error is None else None
        self.panel.value = panel.failure(error) if error else ""

    def _show_turns(self) -> None:
        """Mark new turns of knobs on the stage, and move the sliders to the knobs' values."""
        if len(self.recorded_run.turns) == self._marked:
            return
        new = self.recorded_run.turns[self._marked :]
        for at, values in new:
            self.stage.mark(at, turned(values))
        self._marked += len(new)
        values = self.recorded_run.value
        self._following = threading.get_ident()
        for name, slider in self.sliders.items():
            if self._slider_value(name) != values[name]:
                slider.value = values[name]
        self._following = None

    # ------------------------------------------------------------------ controls
    def _button(self, name: str, text: str, icon: str, tooltip: str) -> widgets.Button:
        def pressed(_) -> None:
            if not self.worker.closed:
                getattr(self, name)()

        button = widgets.Button(description=text, icon=icon, tooltip=tooltip, layout={"width": "auto"})
        button.on_click(pressed)
        return button

    def _limit_speed(self, steps_a_second: int) -> None:
        self.worker.pace = 1 / steps_a_second if steps_a_second else 0.0

    def _slider(self, name: str, field) -> widgets.Widget:
        slider = panel.slider(field, self.recorded_run.value[name])
        slider.observe(lambda change: self._turn_knob(name), "value")
        return slider

    def _turn_knob(self, name: str) -> None:
        """Turn a knob as its slider was, before the next step; not where the slider only followed the run."""
        if self._following == threading.get_ident() or self.worker.closed:
            return
        with self.worker.changed:
            self.recorded_run.turn(**{name: self._slider_value(name)})

    def _slider_value(self, name: str) -> float:
        return panel.reading(knobs(self.search)[name], self.sliders[name].value)

    # ------------------------------------------------------------------ pages without scripts
    def __repr__(self):
        state = "playing" if self.playing else "finished" if self.worker.finished else "paused"
        return f"<Player of {type(self.search).__name__}: {self._seen} of {len(self.search)} steps, {state}>"

    def _repr_mimebundle_(self, **kwargs):
        return panel.with_still(super()._repr_mimebundle_(**kwargs), repr(self), self.stage)


def pause_all(but: Player | None = None) -> None:
    """Pause every player of this kernel except ``but``, since all share one processor."""
    for player in list(_players):
        if player is not but:
            player.pause()
