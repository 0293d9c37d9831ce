"""Well-known architectures of the field at full size, with the numbers that their papers print.

The zoo holds searched and hand-designed networks, because a search can only be judged in comparison with designers. A
row of `MODELS` holds the published numbers and their source; `table` builds each network without memory and counts it::

    for row in zoo.table():
        print(row.model.name, row.parameters, row.parameters_off)

Nothing is ever downloaded: weights are drawn from a generator, or not at all. Rows are data, and importing them does
not import torch; a network is built only when it is needed.
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
    """One model with our counts, compared with the published ones.

    Attributes
    ----------
    model : Model
    parameters, madds : int
        Our counts: all learned numbers, and multiplications of convolutions and linear layers for one image.
    parameters_off, madds_off : float or None
        Difference of our count from the published one, percent, + if ours is larger; None if none was published.
    """

    model: Model
    parameters: int
    madds: int
    parameters_off: float | None
    madds_off: float | None

    @property
    def agrees(self) -> bool:
        """Whether our counts are within 1 % of the published parameters and 2 % of the published multiply-adds."""
        return abs(self.parameters_off or 0.0) <= 1 and abs(self.madds_off or 0.0) <= 2


def model(name: str) -> Model:
    """Return the model called ``name``. ValueError, with all known names, if there is none."""
    for one in MODELS:
        if one.name == name:
            return one
    raise ValueError(f"the zoo has no {name!r}; it has {', '.join(one.name for one in MODELS)}")


def table(models: Iterable[Model] = MODELS) -> Iterator[Row]:
    """Count ``models`` one by one on the meta device, without memory for weights; each takes a fraction of a second."""
    for one in models:
        parameters, madds = one.parameters_and_madds()
        yield Row(one, parameters, madds, _off(parameters, one.parameters), _off(madds, one.madds))


def _off(ours: float, published: float | None) -> float | None:
    return None if published is None else 100 * (ours / published - 1)
