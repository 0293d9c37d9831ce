"""The architectures that the field is known for, at full size, beside the numbers that their papers print.

Searched and designed ones together: that a search beats a designer can only be seen beside the designers' networks. A
row of `MODELS` says what was published and where; `table` builds each network without memory and counts it::

    for row in zoo.table():
        print(row.model.name, row.parameters, row.parameters_off)

Nothing is ever downloaded: weights are drawn from a generator, or not at all. Rows are data, and importing them loads
no torch; a network is built when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .cells import CELLS
from .hand import BY_HAND
from .mobile import MOBILE
from .model import Model

MODELS: tuple[Model, ...] = (*BY_HAND, *CELLS, *MOBILE)


@dataclass(frozen=True)
class Row:
    """One model counted by us, beside what was published.

    Attributes
    ----------
    model : Model
    parameters, madds : int
        Ours: all learned numbers, and multiplications of convolutions and linear layers for one image.
    parameters_off, madds_off : float or None
        Ours above (+) or below (−) the published number, percent; None where none was published.
    """

    model: Model
    parameters: int
    madds: int
    parameters_off: float | None
    madds_off: float | None

    @property
    def agrees(self) -> bool:
        """Within 1 % of the published parameters and 2 % of the published multiply-adds."""
        return abs(self.parameters_off or 0.0) <= 1 and abs(self.madds_off or 0.0) <= 2


def model(name: str) -> Model:
    """The row called ``name``. ValueError with the names there are, if there is none."""
    for one in MODELS:
        if one.name == name:
            return one
    raise ValueError(f"the zoo has no {name!r}; it has {', '.join(one.name for one in MODELS)}")


def table(models: Iterable[Model] = MODELS) -> Iterator[Row]:
    """Count ``models`` one by one on the meta device: no memory for weights or images, a fraction of a second each."""
    for one in models:
        parameters, madds = one.counted()
        yield Row(one, parameters, madds, _off(parameters, one.parameters), _off(madds, one.madds))


def _off(ours: float, published: float | None) -> float | None:
    return None if published is None else 100 * (ours / published - 1)
