"""Colours and strokes of operations and strategies, the same in every picture of the project.

Hue stands for the family of an operation (zero, identity, pooling, convolution, separable, dilated, inverted
bottleneck; of half-blocks of a transformer: attention, feed-forward). Kernel size is shown by the label and by the
stroke pattern, never by hue alone: a reader who sees no difference between two blues still sees a dotted and a plain
line. Of two that are equally dark the stroke patterns differ, so that grey print keeps them apart. All colours have a
contrast of at least 2.4 to 1 on white and on the dark theme's background, and the families stay distinct under
simulated colour blindness (a test checks all of this).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

BLUE, MAGENTA, GREY, AMBER, TEAL, VIOLET = "#1a6fd4", "#d6246e", "#8a919c", "#d99400", "#00887a", "#8358d6"

# From low to high: for every kind of colour vision and in grey, since it becomes lighter from end to end; and on both
# themes, since no end is as dark or as light as a page. Its ends are hues that are told apart by all.
COSTS = ("#2456b0", "#4b6a9f", "#75797f", "#a38656", "#d99400")

SOLID: tuple[int, ...] = ()
KERNEL_DASH = {1: (2, 3), 3: SOLID, 5: (7, 3), 7: (9, 3, 2, 3)}  # stroke pattern by kernel size, px on and off
DILATED_DASH = {3: (4, 6), 5: (10, 6)}  # wide gaps, as in such a kernel


@dataclass(frozen=True)
class Style:
    """The look of one operation or strategy in pictures.

    Attributes
    ----------
    color : str
        ``"#rrggbb"``.
    dash : tuple of int
        Stroke pattern, px on and off alternately; empty for a solid stroke.
    label : str
        Short, for an edge of a cell: ``"conv 3×3"``.
    family : str
        The family for which the hue stands.
    """

    color: str
    dash: tuple[int, ...]
    label: str
    family: str


_FIXED = {
    "none": Style(GREY, (1, 3), "zero", "zero"),
    "skip_connect": Style(MAGENTA, (14, 3), "skip", "identity"),
    "avg_pool_3x3": Style(AMBER, SOLID, "avg pool", "pooling"),
    "max_pool_3x3": Style("#a86700", (6, 2, 2, 2), "max pool", "pooling"),
    # half-blocks of a transformer: the smaller, the more is missing from the stroke
    "attention_4": Style(VIOLET, SOLID, "attention, 4 heads", "attention"),
    "attention_2": Style(VIOLET, (7, 3), "attention, 2 heads", "attention"),
    "attention_1": Style(VIOLET, (2, 3), "attention, 1 head", "attention"),
    "attention_mean": Style("#a58be0", (9, 3, 2, 3), "mean of tokens", "attention"),
    "feed_forward_1": Style(TEAL, SOLID, "feed-forward", "feed-forward"),
    "feed_forward_1/2": Style(TEAL, (7, 3), "feed-forward ½", "feed-forward"),
    "feed_forward_1/4": Style(TEAL, (4, 4), "feed-forward ¼", "feed-forward"),
    "feed_forward_1/8": Style(TEAL, (2, 3), "feed-forward ⅛", "feed-forward"),
}
_SAME = {"zero": "none", "zeroize": "none", "identity": "skip_connect", "skip": "skip_connect", "id": "skip_connect"}

# family, colour of its small kernels, colour of its large ones, label; the first pattern that fits decides
_FAMILIES = (
    (r"sep", "separable", TEAL, "#36b99f", "sep conv"),
    (r"dil", "dilated", VIOLET, "#a58be0", "dil conv"),
    (r"mb|inverted|ir_", "inverted bottleneck", TEAL, "#36b99f", "MBConv"),
    (r"avg.?pool", "pooling", AMBER, AMBER, "avg pool"),
    (r"max.?pool|pool", "pooling", "#a86700", "#a86700", "max pool"),
    (r"conv", "convolution", BLUE, BLUE, "conv"),
)
_OTHER = ("#6b7280", "#9c6b4f", "#5b8a3c", "#7a7aa8")


def style(op: str) -> Style:
    """Return colour, stroke pattern, short label and family of the operation called ``op``.

    Rules recognise the published names of NAS-Bench-101, NAS-Bench-201, DARTS and the mobile spaces, and the
    half-blocks of `nasviz.spaces.TransformerSpace`. A name of an
    unknown family gets a brownish colour of its own, always the same, and its name as label.
    """
    name = str(op).lower()
    name = _SAME.get(name, name)
    if name in _FIXED:
        return _FIXED[name]
    sizes = [int(k) for k in re.findall(r"(\d+)x\d+", name)] or [int(k) for k in re.findall(r"k(\d+)", name)]
    expansion = re.search(r"e(\d+)(?!\d*x)", name)
    for pattern, family, small, large, label in _FAMILIES:
        if re.search(pattern, name):
            kernel = max(sizes, default=3)
            color = "#4a94e8" if family == "convolution" and kernel == 1 else small if kernel <= 3 else large
            sides = re.findall(r"(\d+)x(\d+)", name)
            shape = "×".join(sides[0]) if len(sides) == 1 else f"{kernel}×{kernel}"  # conv3x5 is not conv 3×3
            text = f"{label} {shape}" if sizes else label
            if family == "inverted bottleneck" and expansion:
                text += f" ×{expansion[1]}"
            dashes = DILATED_DASH if family == "dilated" else KERNEL_DASH
            return Style(color, dashes.get(kernel, (4, 4)), text, family)
    return Style(_OTHER[sum(name.encode()) % len(_OTHER)], (3, 3), str(op).replace("_", " "), "other")


# A strategy has the same colour in every race. Related strategies share a hue, and differ in stroke pattern and sign.
STRATEGIES = {
    "RandomSearch": Style(GREY, (4, 4), "random search", "random"),
    "Reinforce": Style(MAGENTA, (14, 3), "REINFORCE", "policy gradient"),
    "RankedReinforce": Style(MAGENTA, (14, 3, 5, 3), "REINFORCE by ranks", "policy gradient"),
    "RegularizedEvolution": Style(BLUE, SOLID, "evolution", "evolution"),
    "BatchedEvolution": Style(BLUE, (6, 3), "evolution in batches", "evolution"),
    "Nsga2": Style("#4a94e8", (3, 2), "NSGA-II", "evolution"),
    "LocalSearch": Style(TEAL, (2, 2), "local search", "local search"),
    "Bananas": Style(AMBER, SOLID, "BANANAS", "model-based"),
    "GaussianProcess": Style("#a86700", (5, 5), "GP + EI", "model-based"),
    "SuccessiveHalving": Style(VIOLET, (7, 2, 2, 2), "successive halving", "multi-fidelity"),
    "Hyperband": Style("#a58be0", (10, 3), "Hyperband", "multi-fidelity"),
    "Bohb": Style(VIOLET, (12, 3, 2, 3), "BOHB", "multi-fidelity"),
    "Darts": Style("#9c6b4f", (20, 2), "DARTS", "weight sharing"),
    "SecondOrderDarts": Style("#9c6b4f", (10, 6), "DARTS, second order", "weight sharing"),
    "DartsPT": Style("#9c6b4f", (2, 3), "DARTS-PT", "weight sharing"),
    "Enas": Style("#5b8a3c", (6, 2, 1, 2), "ENAS", "weight sharing"),
    "Spos": Style("#5b8a3c", (8, 2), "SPOS's evolution", "weight sharing"),
    "TrainSupernet": Style("#5b8a3c", (1, 2), "one-shot", "weight sharing"),
}
REFERENCE = Style("#6b7280", (1, 3), "all conv 3×3", "reference")  # the result without any search

# Ways to choose a smaller network inside a trained one. What is chosen by harms is blue, what was never chosen grey.
METHODS = {
    "programme": Style(BLUE, SOLID, "programme", "by harms"),
    "no local distillation": Style(BLUE, (6, 3), "programme, no local distillation", "by harms"),
    "relaxed and rounded": Style(BLUE, (2, 3), "relaxed and rounded", "by harms"),
    "greedy": Style("#4a94e8", (9, 3, 2, 3), "greedy", "by harms"),
    "one by one": Style(VIOLET, (7, 2, 2, 2), "one by one", "by removal"),
    "depth": Style(AMBER, SOLID, "depth", "by removal"),
    "magnitude": Style("#9c6b4f", (14, 3), "magnitude", "by weights"),
    "uniform": Style(TEAL, (2, 2), "uniform", "equal blocks"),
    "equal blocks of the library": Style(TEAL, (5, 5), "equal blocks of the library", "equal blocks"),
    "random": Style(GREY, (4, 4), "random", "random"),
    "uniform from scratch": Style(MAGENTA, (14, 3, 5, 3), "from scratch", "no parent"),
    "CNN": Style(MAGENTA, (10, 6), "CNN from scratch", "no parent"),
    "parent": Style("#6b7280", (1, 3), "parent", "reference"),
}
_SAME_METHODS = {"from scratch": "uniform from scratch", "scratch": "uniform from scratch", "cnn": "CNN",
                 "greedy removal": "one by one"}  # fmt: skip


def between(scale: Sequence[str], share: float) -> str:
    """Return the colour at ``share``, 0 to 1, of the length of ``scale``; beyond its ends, that of the end."""
    place = min(max(share, 0.0), 1.0) * (len(scale) - 1)
    i = min(int(place), len(scale) - 2)
    parts = []
    for c in (1, 3, 5):
        a, b = (int(scale[k][c : c + 2], 16) for k in (i, i + 1))
        parts.append(round(a + (b - a) * (place - i)))
    return "#" + "".join(f"{part:02x}" for part in parts)


def strategy(name: str) -> Style:
    """Return the style of the strategy of class ``name``; an unknown class gets a brownish colour of its own."""
    if name in STRATEGIES:
        return STRATEGIES[name]
    return Style(_OTHER[sum(name.encode()) % len(_OTHER)], (3, 3), name, "other")


def method(name: str) -> Style:
    """Return the style of a way to shrink a network; one of another name gets a brownish colour of its own."""
    name = _SAME_METHODS.get(name, name)
    return METHODS.get(name) or Style(_OTHER[sum(name.encode()) % len(_OTHER)], (3, 3), name, "other")
