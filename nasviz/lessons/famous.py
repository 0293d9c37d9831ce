"""Lab 11: the zoo's counts as a table, cells connected otherwise, random cells of one cost, EfficientNet's rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from IPython.display import Markdown, display

from .. import zoo
from ..course import as_table
from ..spaces import DartsSpace
from ..zoo import scaling
from ..zoo.one_recipe import ONE_RECIPE

INPUTS = 2  # states 0 and 1 of a cell are its inputs
MADE = {"search": "found by search", "scaling": "a found one, scaled by a rule", "hand": "designed by hand"}
FACTORS = {"depth": 1.2, "width": 1.1, "resolution": 1.15}  # Tan & Le 2019, section 3.3


def count(names: Iterable[str]) -> list[zoo.Row]:
    """Count networks of the zoo by their names, and show the table beside their papers as it grows."""
    rows: list[zoo.Row] = []
    shown = display(Markdown("counting …"), display_id=True)
    for row in zoo.table(map(zoo.model, names)):
        rows.append(row)
        if shown is not None:  # in a script there is no page
            shown.update(counted(rows))
    return rows


def counted(rows: Sequence[zoo.Row]) -> Markdown:
    """The rows of the zoo as a table: our counts, how far they are from the paper's, and why."""
    head = ["network", "made", "parameters", "beside the paper", "MAdds", "beside the paper", "why, if they differ"]
    return as_table(head, [_line(row) for row in rows])


def _line(row: zoo.Row) -> list[str]:
    why = (
        "" if row.agrees else row.model.reason.replace("ultiply-adds", "Adds").replace("mAdds", "MAdds").split(". ")[0]
    )
    counts = [f"{row.parameters:,}", _off(row.parameters_off), f"{row.madds / 1e6:,.0f} M", _off(row.madds_off)]
    return [row.model.name, MADE[row.model.designed_by], *counts, why]


def _off(percent: float | None) -> str:
    if percent is None:
        return "not published"
    return "equal" if percent == 0 else f"{percent:+.1f} %".replace("-", "−")


def rewired(space: DartsSpace, arch, rng: np.random.Generator):
    """An architecture with the same operations in the same nodes, and with other inputs in its normal cell."""
    cells = space.nodes(arch)
    normal = []
    for node, edges in enumerate(cells["normal"]):
        states = sorted(rng.choice(node + INPUTS, size=2, replace=False).tolist())
        normal.append(tuple((operation, state) for (operation, _), state in zip(edges, states, strict=True)))
    return space.arch({**cells, "normal": tuple(normal)})


def sizes(space: DartsSpace, arch) -> tuple[int, int]:
    """Parameters and MAdds of DARTS's network for CIFAR-10, 20 cells of 36 channels, made of the cells ``arch``."""
    import torch

    from ..nn import count as counting

    with torch.device("meta"):
        network = space.network(arch, channels=36, cells=20, colors=3, classes=10)
    return counting.parameters(network), counting.madds(network, (3, 32, 32))


def two_recipes(names: Iterable[str]) -> Markdown:
    """A table of accuracies: with the recipe of a network's own authors, and with the one of `zoo.one_recipe`."""
    own = {model.name: model.accuracy for model in zoo.MODELS}
    one = {trained.name: trained.accuracy for trained in ONE_RECIPE}
    lines = [[n, "the same" if n.startswith("RegNet") else f"{own[n]:.1f} %", f"{one[n]:.1f} %"] for n in names]
    return as_table(["network", "the recipe of its authors", "the one recipe"], lines)


def from_inputs(space: DartsSpace, arch) -> int:
    """How many of the eight edges of a normal cell come from the cell's two inputs, 2 to 8; shallow cells have many."""
    return sum(state < INPUTS for node in space.nodes(arch)["normal"] for _, state in node)


def depths(space: DartsSpace, cells: int, seed: int = 0) -> np.ndarray:
    """`from_inputs` of so many random pairs of cells: an array of shape (cells,)."""
    rng = np.random.default_rng(seed)
    return np.array([from_inputs(space, space.sample(rng)) for _ in range(cells)])


def of_equal_cost(space: DartsSpace, estimate, arch, pairs: int, *, within: float, seed: int) -> list[tuple[int, ...]]:
    """Random pairs of cells whose MAdds are those of ``arch``, give or take the share ``within`` (0 to 1)."""
    kept: list[tuple[int, ...]] = []
    rng = np.random.default_rng(seed)
    goal = estimate.size(arch)["madds"]
    while len(kept) < pairs:
        pair = space.sample(rng)
        if abs(estimate.size(pair)["madds"] / goal - 1) < within:
            kept.append(pair)
    return kept


def told(accuracy: np.ndarray, place: int) -> str:
    """What training says of the pair at ``place``, in words; ``accuracy`` is in percent, of shape (pairs, 2 seeds)."""
    mean, spread = accuracy.mean(1), np.ptp(accuracy, axis=1).max()
    others = np.delete(mean, place)
    rank = ["first", "second", "third", "last"][int((others > mean[place]).sum())]
    gap = mean[place] - others.mean()
    text = f"the found pair comes {rank} of the four, {gap:+.1f} points from the average of the random ones. "
    text += f"Two trainings of one pair differ by up to {spread:.1f} points. "
    if abs(gap) < spread:
        return text + "So these trainings cannot tell the found pair from the others."
    return text + "So these trainings seem to tell it. Other random pairs and other seeds could say otherwise."


def phis() -> Markdown:
    """A table of the released EfficientNets: the φ at which the rule has their depth, width and resolution."""
    lines = []
    for name, s in list(scaling.RELEASED.items())[1:]:
        sizes = {"depth": s.depth, "width": s.width, "resolution": s.resolution / scaling.RESOLUTION}
        lines.append([name, *(f"{np.log(sizes[key]) / np.log(factor):.2f}" for key, factor in FACTORS.items())])
    return as_table(["network", "φ from depth", "φ from width", "φ from resolution"], lines)


def on_the_rule(most: float = 8.0, steps: int = 8001) -> dict[str, list[int]]:
    """For each released network, the resolutions at which the rule has its layers and channels: none, or a few.

    The rule is tried at ``steps`` values of φ from 0 to ``most``.
    """
    rule = [scaling.compound(phi) for phi in np.linspace(0, most, steps)]
    shapes = [_rounded(s) for s in rule]
    found = {}
    for name, released in scaling.RELEASED.items():
        wanted = _rounded(released)
        found[name] = sorted({s.resolution for s, shape in zip(rule, shapes, strict=True) if shape == wanted})
    return found


def _rounded(s: scaling.Scaling) -> tuple:
    """Channels of the stem, channels and layers of the seven blocks, as torchvision rounds them."""
    from torchvision.models.efficientnet import MBConvConfig

    channels, layers = MBConvConfig.adjust_channels, MBConvConfig.adjust_depth
    return (channels(32, s.width), *((channels(b[4], s.width), layers(b[5], s.depth)) for b in scaling.BLOCKS))


def beside_the_rule(found: dict[str, list[int]]) -> Markdown:
    """`on_the_rule` as a table, beside the released resolutions."""
    lines = []
    for name, sizes in found.items():
        where = "no φ" if not sizes else f"{sizes[0]} to {sizes[-1]} pixels"
        lines.append([name, f"{scaling.RELEASED[name].resolution} pixels", where])
    return as_table(["network", "released for", "the rule has its layers and channels for"], lines)
