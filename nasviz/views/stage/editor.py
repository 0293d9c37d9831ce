"""An editor of a cell: change it by hand, and see its cost, its function and, after training, its accuracy."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from itertools import product
from math import nan
from typing import Any, Protocol, cast

import ipywidgets as widgets
import numpy as np

from ...estimator import Cancelled, Estimator, Progress, watching
from ...graph import Graph
from ...objectives import accuracy
from ...space import Arch, SearchSpace
from ...step import Evaluation
from ..colors import MAGENTA
from . import leaderboard, panel
from .cell import called, cell_view, labels, pictures
from .from_search import cell_of, option_matrix
from .kinds.cell import CellView
from .kinds.curve import CurveView
from .player import RATE, pause_all
from .spec import Spec
from .widget import Stage

COUNTABLE = 100_000  # the largest space whose strings are all counted
_counting = threading.Lock()


class _Measuring(Protocol):
    """An estimator that knows the size of the network it builds."""

    def size(self, arch: Arch) -> dict[str, float]: ...


class CellEditor(widgets.VBox):
    """An editor that changes any choice of an architecture, shows the consequences at once, and trains it.

    An edge is changed by a click in the picture; every choice has a menu too.

    Parameters
    ----------
    space : SearchSpace
        Any space. If all architectures share a cell (see `nasviz.views.stage.cell.cell_of`), the picture of its edges
        changes smoothly; otherwise the picture is drawn anew.
    estimate : Estimator, optional
        The estimator that Train uses; by default a training by the fast recipe (`nasviz.estimators.training.FAST`).
    limit : float, optional
        Greatest number of multiply-adds allowed: a cell over it is marked and is never the best.
    arch : Arch or str, optional
        The first architecture.

    Attributes
    ----------
    arch : Arch
        The present cell.
    wrong : str or None
        The rule of the space that the present cell breaks.
    leaderboard : list of Evaluation
        All evaluations made here: the best first, cells over the limit last.

    Raises
    ------
    ValueError
        If ``arch`` is not in the space.

    Examples
    --------
    >>> editor = CellEditor(NasBench201(), limit=1e6)  # doctest: +SKIP
    >>> editor.set("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")  # doctest: +SKIP
    >>> editor.train().scores["accuracy"]  # doctest: +SKIP
    """

    def __init__(
        self,
        space: SearchSpace,
        estimate: Estimator | None = None,
        limit: float | None = None,
        arch: Arch | str | None = None,
    ):
        super().__init__()
        self.graph = cell_of(space)
        self.space, self.estimate, self.limit = space, estimate or _fast(space), limit
        self.wrong: str | None = None
        self._evaluations: list[Evaluation] = []
        self._sizes: dict[Arch, dict[str, float]] = {}
        self._lock = threading.RLock()
        self._setting = self._stopping = False
        self._thread: threading.Thread | None = None
        self._count: Counter | None = None  # number of strings for each function, once it is known

        arch = space.sample(np.random.default_rng(0)) if arch is None else arch
        arch = space.from_text(arch) if isinstance(arch, str) else space.check(arch)
        self.menus = [
            widgets.Dropdown(
                options=[(word, number) for number, word in enumerate(labels(choice))],
                description=choice.name,
                tooltip=choice.name,
                style={"description_width": "initial" if self.graph is None else "40px"},
                layout={"width": "auto"},
            )
            for choice in space.choices
        ]
        self.stage = Stage(*self._picture(arch))
        self.stage.on_edge(self._clicked)
        for menu in self.menus:
            menu.observe(self._chosen, "value")
        self.button = widgets.Button(icon="graduation-cap", layout={"width": "auto"})
        self.button.on_click(lambda _: self._pressed())
        self.facts, self.said, self.table = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.curve = Stage(_CURVES)
        self.curve.layout.display = "none"  # until the first training
        self._place()
        self.set(arch)
        self._show_button()
        self._show_table()
        panel.changing(self)
        if space.size <= COUNTABLE:
            threading.Thread(target=self._count_strings, daemon=True).start()

    # ------------------------------------------------------------------ the cell
    @property
    def arch(self) -> Arch:
        """The present cell: one option index per choice. It may break a rule of the space, see ``wrong``."""
        return self.space.normal([menu.value for menu in self.menus])

    def set(self, what: Sequence[int] | str) -> None:
        """Show an architecture, given as tuple or text. ValueError if it is not in the space; the cell then stays."""
        arch = self.space.from_text(what) if isinstance(what, str) else self.space.check(what)
        with self._lock:
            self._setting = True
            for menu, option in zip(self.menus, arch, strict=True):
                menu.value = option
            self._setting = False
            self._changed()

    def _picture(self, arch: Arch) -> tuple[Spec, list[dict]]:
        """Return what a stage needs to show ``arch``, and store which choice belongs to each edge of each picture."""
        graphs: Iterable[Graph]
        if self.graph is None:
            spec, row = pictures([arch], self.space, titles=[called(self.space)], editable=True)
            drawn = any(isinstance(view, CellView) for view in spec.views)
            graphs = self.space.cells(arch).values() if drawn else ()
        else:
            options = [str(option) for option in self.space.choices[0].options]
            title = "Click an edge to change its operation"
            view = cell_view(self.graph, "arch", editable=True, height=270, title=title)
            arrays = {"arch": [len(self.space.choices), len(options)]}
            spec = Spec(arrays=arrays, ops=options, views=[view], transport=False, legend=False)
            row, graphs = {"arch": option_matrix(arch, len(options))}, [self.graph]
        self._edges = [
            [edge.choice for i, edge in enumerate(graph.edges) if i not in view.fixed and edge.choice is not None]
            for graph, view in zip(graphs, spec.views, strict=False)
            if isinstance(view, CellView)
        ]
        return spec, [row]

    def _clicked(self, edge: int, view: int) -> None:
        """Give the edge its next operation; after the last comes the first."""
        menu = self.menus[self._edges[view][edge]]
        menu.value = (menu.value + 1) % len(menu.options)

    def _chosen(self, _change) -> None:
        if not self._setting:
            with self._lock:
                self._changed()

    def _changed(self) -> None:
        arch = self.arch
        self.wrong = self.space.why_invalid(arch)
        if self.graph is not None:
            self.stage.append(arch=option_matrix(arch, len(self.space.choices[0].options)))
        elif not self.wrong:  # otherwise the last picture stays, and the text says why
            self.stage.redraw(*self._picture(arch))
        if self.space.conditional:
            for menu, active in zip(self.menus, self.space.active(arch), strict=True):
                menu.disabled = not active  # a layer beyond the chosen depth
        self._show_facts()

    # ------------------------------------------------------------------ cost, function and text
    def describe(self) -> dict[str, str]:
        """Return the texts beside the cell, by name: cost, function, number of strings, text."""
        size = self._size(self.arch)
        out = {
            "Parameters": f"{size['parameters']:,.0f}",
            "Multiply-adds": f"{leaderboard.short(size['madds'])}{self._against_limit(size['madds'])}",
            "Computes": self.space.canonical(self.arch),
        }
        if self.space.size <= COUNTABLE:
            known = self._count and self._count[out["Computes"]]
            out["Written in"] = f"{known:,} of {self.space.size:,} strings" if known else "counting …"
        return out | {"Text": self.space.to_text(self.arch)}

    def _against_limit(self, madds: float) -> str:
        if self.limit is None:
            return ""
        return f" ({'over the limit of' if madds > self.limit else 'limit'} {leaderboard.short(self.limit)})"

    def _count_strings(self) -> None:
        self._count = meanings(self.space)
        with self._lock:
            self._show_facts()

    def _show_facts(self) -> None:
        if self.wrong:
            self.facts.value = f'<div role="alert" style="{_WRONG}">Not in the space: {escape(self.wrong)}</div>'
            return
        rows = "".join(
            f'<tr><th scope="row" style="{_NAME}">{name}</th><td style="{_VALUE}{_SMALL * (name == "Text")}">'
            f"{escape(value)}</td></tr>"
            for name, value in self.describe().items()
        )
        self.facts.value = f'<table style="border-collapse:collapse; line-height:1.4">{rows}</table>'

    def _size(self, arch: Arch) -> dict[str, float]:
        """Return parameters and multiply-adds of the network that the estimator (or the fast recipe) builds."""
        if arch not in self._sizes:
            judge = self.estimate if hasattr(self.estimate, "size") else _fast(self.space)
            self._sizes[arch] = cast(_Measuring, judge).size(arch)
        return self._sizes[arch]

    # ------------------------------------------------------------------ training
    def train(self, seed: int | None = None) -> Evaluation:
        """Train the present cell, wait for the result, and put it on the leaderboard.

        Parameters
        ----------
        seed : int, optional
            Seed of the initial weights and of the images' order; by default 0, and one more for each further training
            of the same cell.

        Raises
        ------
        ValueError
            If the cell breaks a rule of the space.
        Cancelled
            If Stop was pressed.
        """
        if self.wrong:
            raise ValueError(f"not in the space: {self.wrong}")
        arch = self.arch
        seed = sum(e.arch == arch for e in self._evaluations) if seed is None else seed
        pause_all()
        self._stopping, self._sent, self._loss = False, 0.0, nan
        self.curve.reset()
        self.curve.layout.display = None
        with watching(self._listen):
            evaluation = self.estimate(arch, seed=seed)
        self.curve.flush()
        with self._lock:
            self._evaluations.append(evaluation)
            self._show_table()
        return evaluation

    @property
    def leaderboard(self) -> list[Evaluation]:
        """All evaluations made here: the best first, cells over the limit last."""
        return sorted(self._evaluations, key=lambda e: (self._over(e), -accuracy(e)))

    def _over(self, evaluation: Evaluation) -> bool:
        return self.limit is not None and self._size(evaluation.arch)["madds"] > self.limit

    def _listen(self, progress: Progress) -> None:
        if self._stopping:
            raise Cancelled
        batches = max(1, progress.batches)
        epoch = progress.epoch + progress.batch / batches
        if progress.batch:  # an epoch's last loss is the mean of all its batches
            self._loss = progress.loss
        self.curve.remember(epoch=epoch, loss=self._loss, accuracy=progress.accuracy)
        if (now := time.monotonic()) - self._sent >= 1 / RATE:
            self._sent = now
            self.curve.flush()
            self.said.value = f"{100 * epoch / progress.epochs:.0f} % trained"

    def _pressed(self) -> None:
        """Start a training in its own thread; if one is running, stop it."""
        with self._lock:
            if self._thread is not None:
                self._stopping = True
                return
            self._thread = threading.Thread(target=self._train, name="editor", daemon=True)
            self._show_button()
            self._thread.start()

    def _train(self) -> None:
        said = ""
        try:
            evaluation = self.train()
            said = f"validation accuracy {leaderboard.percent(evaluation)}, {evaluation.seconds:.1f} s"
        except Cancelled:
            said = "stopped: nothing recorded"
        except BaseException as error:  # else it would be lost in the thread
            said = panel.failure(error, "Not trained")
        finally:
            with self._lock:
                self._thread = None
                self._show_button()
            self.said.value = said

    # ------------------------------------------------------------------ the widgets
    def _show_button(self) -> None:
        training = self._thread is not None
        self.button.description, self.button.icon = ("Stop", "stop") if training else ("Train it", "play")
        self.button.button_style = "" if training else "info"
        self.button.tooltip = "Drop this training" if training else "Train this cell from scratch, for real"

    def _show_table(self) -> None:
        ranked = [(e, self._size(e.arch), self._over(e)) for e in self.leaderboard]
        self.table.value = leaderboard.table(ranked, self.space)

    def _place(self) -> None:
        self.stage.layout.flex = "1 1 460px"
        self.stage.layout.min_width = "0"
        many = len(self.menus) > 10  # then the menus stand below the picture, in several columns
        columns = f"repeat(auto-fit, minmax({330 if many else 150}px, 1fr))"
        menus = widgets.GridBox(self.menus, layout={"grid_template_columns": columns, "grid_gap": "0 12px"})
        room = {"flex": "1 1 330px", "min_width": "0", "padding": "0 0 0 12px"}
        side = widgets.VBox([menus, self.facts], layout=room)
        wrap = {"flex_flow": "row wrap", "align_items": "flex-start", "overflow": "hidden"}
        line = {"align_items": "center", "flex_flow": "row wrap"}
        self.children = [
            *([self.stage, menus, self.facts] if many else [widgets.HBox([self.stage, side], layout=wrap)]),
            widgets.HBox([self.button, self.said], layout=line),
            self.curve,
            self.table,
        ]

    def close(self) -> None:
        """Stop a training, and remove the editor."""
        self._stopping = True
        super().close()

    def __repr__(self):
        # A cell that breaks a rule has no text of the space: what is wrong with it stands there instead.
        cell = f"not in the space, {self.wrong}" if self.wrong else self.space.to_text(self.arch)
        return f"<CellEditor of {called(self.space)}: {cell}, {len(self._evaluations)} trained>"

    def _repr_mimebundle_(self, **kwargs):
        return panel.with_still(super()._repr_mimebundle_(**kwargs), repr(self), self.stage)


def meanings(space: SearchSpace) -> Counter:
    """Count the valid architectures of a small space that compute each function: ``{canonical text: number}``.

    Each space is counted once: this takes a second for 15,625 strings. The result is shared, so do not change it.
    """
    with _counting:  # a second editor waits for the counts of the first
        return _meanings(space)


@lru_cache(maxsize=4)
def _meanings(space: SearchSpace) -> Counter:
    archs = product(*(range(len(choice.options)) for choice in space.choices))
    return Counter(space.canonical(arch) for arch in archs if space.why_invalid(arch) is None)


def _fast(space: SearchSpace) -> Estimator:
    from ...estimators.training import FAST, Training  # loads torch: not before an editor needs it

    return Training(space, FAST)


_COMMON: dict[str, Any] = {"x": "epoch", "xlabel": "epochs", "height": 180, "span": 6}
_CURVES = Spec(
    arrays={"epoch": [], "loss": [], "accuracy": []},
    views=[
        CurveView(
            series=[{"array": "loss", "label": "training loss", "points": False}],
            title="Loss of each batch (nats)",
            **_COMMON,
        ),
        CurveView(
            series=[{"array": "accuracy", "label": "validation accuracy", "points": False, "color": "#009178"}],
            title="Validation accuracy after each epoch (%)",
            scale=100,
            unit="%",
            **_COMMON,
        ),
    ],
    transport=False,
)
_NAME = "text-align:left; vertical-align:top; font-weight:600; padding:1px 14px 1px 0; white-space:nowrap"
_VALUE = "text-align:left; padding:1px 14px 1px 0; overflow-wrap:anywhere; font-variant-numeric:tabular-nums"
_SMALL = "; font-family:var(--jp-code-font-family, monospace); font-size:.86em"
_WRONG = f"border-left:3px solid {MAGENTA}; padding:4px 10px"
