"""A transformer as a stack of blocks, of which each half offers its variants to be clicked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from ...space import Arch
from ...spaces import TransformerSpace
from ..colors import BLUE, style
from ..raster import BACK, DIM, GRID, TEXT, Pen, mixed
from ..stage import panel
from ..stage.widget import script
from .chart import drawn, short
from .harms_map import Scale, brief, said

Cost = np.ndarray | Callable[[Arch], float]
NAME, WIRE, BOX, WIDE, TALL, GAP = 148, 14, 112, 74, 22, 6  # of the still, px: its columns, a row, between blocks


class TransformerStack(anywidget.AnyWidget):
    """A stack of half-blocks, the image at the bottom, in which one chooses each half-block's variant by a click.

    A row is a half-block. Its box hangs at the line of tokens, and is as wide as the first cost. Its cells are the
    variants, the smallest first; the chosen one is filled and framed. Above stands at once what the network costs, as a
    share of the parent's, and what it loses: the sum of the harms. Arrow keys left and right choose, up and down go
    from row to row.

    Parameters
    ----------
    space : TransformerSpace
    harms : float array (choices, options), optional
        What each variant loses alone, as `nasviz.estimators.replace_one` says it. Colours are logarithmic.
    costs : mapping, optional
        By what is shown: an array (choices, options), which is summed over the choices, or a callable Arch -> float
        that is such a sum with a constant, like ``space.madds`` or a `nasviz.hardware.HalfBlockTimes`. By default the
        multiply-adds.
    arch : Arch or str, optional
        The first architecture; by default the parent.
    names : mapping from str to str, optional
        What cells show in place of an option: ``{"h4": "4 heads"}``.

    Attributes
    ----------
    arch : Arch
        The chosen architecture, which can be set and observed: ``stack.observe(told, "arch")``.

    Raises
    ------
    ValueError
        Another space, harms or costs of another shape, a cost that is no sum, an ``arch`` that is not in the space.

    Examples
    --------
    >>> space = TransformerSpace(blocks=2)
    >>> stack = TransformerStack(space, arch="h4 f1 | none f1/8")
    >>> print(stack.text)
    h4 f1 | none f1/8: 54 % of the parent's multiply-adds (902 k).
    """

    _esm = "\n".join(
        [script(name) for name in ("base", "look", "listen")]
        + [Path(__file__).with_name("transformer_stack.js").read_text(encoding="utf-8")]
    )
    picture = traitlets.Dict().tag(sync=True)
    arch: traitlets.Tuple = traitlets.Tuple().tag(sync=True)

    def __init__(
        self,
        space: TransformerSpace,
        harms: np.ndarray | None = None,
        costs: Mapping[str, Cost] | None = None,
        arch: Arch | str | None = None,
        names: Mapping[str, str] | None = None,
    ):
        if not isinstance(space, TransformerSpace):
            raise ValueError(f"a stack of half-blocks is a TransformerSpace's, not one of {space!r:.80}")
        self.space = space
        self.shape = len(space.choices), len(space.choices[0].options)
        self.harms = None if harms is None else self._array("harms", harms)
        costs = {"multiply-adds": space.madds} if costs is None else costs
        self.costs = {label: self._table(label, cost) for label, cost in costs.items()}
        self.scale = None if self.harms is None else Scale(self.harms)
        arch = space.from_text(arch) if isinstance(arch, str) else space.largest if arch is None else arch
        super().__init__(picture=self._picture(names or {}), arch=space.check(arch))
        panel.changing(self)

    @traitlets.validate("arch")
    def _checked(self, proposal) -> Arch:
        return self.space.check(proposal["value"])

    # ------------------------------------------------------------------ numbers
    def _array(self, name: str, given) -> np.ndarray:
        array = np.asarray(given, float)
        if array.shape != self.shape or not np.isfinite(array).all():
            raise ValueError(f"{name} are finite numbers (choices, options) = {self.shape}, got shape {array.shape}")
        return array

    def _table(self, label: str, cost: Cost) -> tuple[float, np.ndarray]:
        """Return a constant, and what each option of each choice costs besides."""
        if not callable(cost):
            return 0.0, self._array(f"costs of {label!r}", cost)
        first = self.space.smallest
        rest = float(cost(first))
        table = np.array(
            [
                [float(cost((*first[:place], option, *first[place + 1 :]))) - rest for option in range(self.shape[1])]
                for place in range(self.shape[0])
            ]
        )
        whole = float(cost(self.space.largest))
        if not np.isclose(whole, rest + table[:, -1].sum(), rtol=1e-6):
            raise ValueError(
                f"the cost {label!r} is no sum over half-blocks: the parent costs {whole:g}, and its half-blocks "
                f"{rest + table[:, -1].sum():g} together. A stack cannot show it at once"
            )
        return rest, self._array(f"costs of {label!r}", table)

    @property
    def harm(self) -> float | None:
        """Sum of the harms of the chosen variants; None without harms."""
        return None if self.harms is None else float(self.harms[np.arange(len(self.harms)), list(self.arch)].sum())

    def cost(self, label: str) -> tuple[float, float]:
        """Return what the chosen network costs, and the same as a share of the parent's. KeyError: no such cost."""
        rest, table = self.costs[label]
        spent = rest + float(table[np.arange(len(table)), list(self.arch)].sum())
        return spent, spent / ((rest + float(table[:, -1].sum())) or 1.0)

    @property
    def text(self) -> str:
        """The network for who cannot see it: its half-blocks, costs and harms in one line."""
        parts = []
        for label in self.costs:
            spent, share = self.cost(label)
            parts.append(f"{100 * share:.0f} % of the parent's {label} ({short(spent)})")
        if self.harm is not None:
            parts.append(f"harms add up to {said(self.harm)}")
        return f"{self.space.to_text(self.arch)}: {', '.join(parts)}."

    # ------------------------------------------------------------------ the picture
    def _picture(self, names: Mapping[str, str]) -> dict:
        """Return what the page needs to draw, and to count, by itself."""
        boxes = next(iter(self.costs.values()), (0.0, np.zeros(self.shape)))[1]
        rows = []
        ops = [self.space.graph((option,) * self.shape[0]).ops[1:-1] for option in range(1, self.shape[1])]
        for place, choice in enumerate(self.space.choices):
            block, _, kind = choice.name.partition(": ")
            cells: list[dict] = []
            for option, word in enumerate(choice.options):
                look = style(str(ops[option - 1][place]) if option else word)
                cell = {"word": word, "name": names.get(word, word), "look": look.label, "color": look.color,
                        "dash": list(look.dash), "size": self._size(boxes, place, option)}  # fmt: skip
                if word == "none":
                    cell["look"] = "left out"
                if self.harms is not None and self.scale is not None:
                    harm = float(self.harms[place, option])
                    cell |= {"harm": harm, "said": said(harm), "brief": brief(harm), "fill": self.scale.color(harm)}
                    cell["ink"] = self.scale.ink(harm)
                cells.append(cell)
            rows.append({"block": block, "kind": kind, "cells": cells})
        costs = [{"label": label, "rest": rest, "table": table.tolist()} for label, (rest, table) in self.costs.items()]
        return {"rows": rows, "costs": costs, "most": 0.0 if self.harms is None else float(self.harms.max())}

    def _size(self, boxes: np.ndarray, place: int, option: int) -> float:
        return float(boxes[place, option] / (boxes.max() or 1.0))

    @property
    def stage(self) -> TransformerStack:
        """What a stored page shows: `nasviz.views.stage.panel.changing`."""
        return self

    def still(self) -> bytes:
        """Draw the stack as PNG, light background."""
        rows, lines = self.picture["rows"], self.text.split(": ", 1)
        high = 40 + len(rows) * TALL + self.space.blocks * GAP + 44

        def draw(pen: Pen) -> None:
            pen.text(10, 12, lines[1], 11, TEXT, "lm")
            pen.text(10, 30, lines[0], 10, DIM, "lm")
            y = 40.0 + 22
            pen.text(NAME + WIRE, 50, "classes", 10, DIM)
            for place in reversed(range(len(rows))):
                self._draw_row(pen, y, rows[place], self.arch[place])
                y += TALL + GAP * (place % 2 == 0)
            pen.text(NAME + WIRE, y + 8, "image", 10, DIM)

        return drawn(NAME + WIRE + BOX + WIDE * self.shape[1] + 16, round(high), draw)

    def _draw_row(self, pen: Pen, y: float, row: dict, chosen: int) -> None:
        x, middle = NAME + WIRE, y + TALL / 2
        pen.text(NAME - 4, middle, f"{row['block']}: {row['kind']}", 11, DIM, "rm")
        pen.line([(x, y - GAP), (x, y + TALL + GAP)], DIM, 1.5)
        cell = row["cells"][chosen]
        if cell["size"] > 0:
            pen.line([(x, middle), (x + 12, middle)], DIM, 1.2)
            wide = max(3.0, (BOX - 24) * cell["size"])
            pen.box(x + 12, y + 3, wide, TALL - 6, mixed(cell["color"], 0.55), cell["color"], 1.2, 3)
        for option, one in enumerate(row["cells"]):
            left, on = NAME + WIRE + BOX + WIDE * option, option == chosen
            fill = one.get("fill", BLUE if on else GRID)
            pen.box(left + 1, y + 1, WIDE - 3, TALL - 3, fill if on else mixed(fill, 0.3), TEXT if on else None, 2, 3)
            ink = (one.get("ink", BACK) if on else TEXT) if "harm" in one or on else DIM
            pen.text(left + WIDE / 2, middle, f"{one['name']} {one.get('brief', '')}".strip(), 10, ink, plain=True)

    def __repr__(self):
        return self.text

    def _repr_mimebundle_(self, **kwargs):
        return panel.with_still(super()._repr_mimebundle_(**kwargs), self.text, self)
