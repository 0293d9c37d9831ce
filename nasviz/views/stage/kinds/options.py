"""Any architecture, choice by choice: a box for each option, the chosen one filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypedDict

from ...raster import BACK, GRID
from .view import View


class ColoredChoice(TypedDict):
    """A choice: its name, the names of its options, and their colours."""

    name: str
    options: Sequence[str]
    colors: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class OptionsView(View):
    """All choices of an architecture.

    Parameters
    ----------
    array : str
        Array (choices,): the option of each choice, -1 where the choice is not in use.
    choices : sequence of {"name", "options", "colors"}
    """

    kind: ClassVar[str] = "options"
    axes: ClassVar[Mapping[str, tuple[int, ...]]] = {"array": (1,)}

    array: str
    choices: Sequence[ColoredChoice]

    def completed(self, arrays, ops) -> OptionsView:
        """Return the view. ValueError if the array has another number of choices."""
        super().completed(arrays, ops)
        if len(self.choices) != arrays[self.array][0]:
            raise self.wrong(f"{len(self.choices)} choices for an array of shape {list(arrays[self.array])}")
        return self

    def tall(self, columns, wide) -> float:
        """Return the height of all choices, in as many columns as the width has room for."""
        return 22 * -(-len(self.choices) // max(1, int(wide // 290)))

    def still(self, pen, look, columns, marks, step, box) -> None:
        x, y, wide, _ = box
        now, per = columns[self.array][step], max(1, int(wide // 290))
        names = max(pen.wide(choice["name"]) for choice in self.choices) + 10
        for i, choice in enumerate(self.choices):
            left, top = x + (i % per) * wide / per, y + 22 * (i // per)
            pen.text(left, top + 11, choice["name"], anchor="lm")
            for o, color in enumerate(choice["colors"]):
                on = o == now[i]
                pen.box(left + names + 14 * o, top + 5, 11, 11, color if on else BACK, color if on else GRID, 1.5, 3)
            word = choice["options"][int(now[i])] if now[i] >= 0 else "not in use"
            pen.text(left + names + 14 * len(choice["options"]) + 6, top + 11, word, anchor="lm")
