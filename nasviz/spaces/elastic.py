"""Once-for-all's elastic space: depth, width, kernel and resolution of a MobileNetV3 (Cai et al. 2020).

A network has five units of two to four inverted bottlenecks. The choices are the image's resolution, the depth of each
unit, and the kernel and the expansion of each layer. Layers beyond the depth are inactive. The channels between units,
the strides, the activations and the places of squeeze-excitation are those of MobileNetV3-Large and are not searched.

In Once-for-all all members share the weights of the largest (``single_path``); ``network`` builds a single member.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ..graph import Edge, Graph
from ..ranges import check_number, check_sizes
from ..space import Arch, Choice
from .elastic_choices import ElasticChoices
from .reading import Reader

RESOLUTIONS = tuple(range(128, 225, 4))
DEPTHS = (2, 3, 4)
KERNELS = (3, 5, 7)
EXPANSIONS = (3, 4, 6)
UNITS, MOST = 5, max(DEPTHS)
FILTERS = (24, 40, 80, 112, 160)
EXCITED = (False, True, False, True, True)  # whether each unit has squeeze-excitation
STRIDES = (2, 2, 2, 2, 1, 2)  # of the stem and the units
LAB_STRIDES = (1, 2, 1, 2, 1, 2)  # for images of 8 to 16 pixels
FIELDS = 1 + 2 * MOST  # choices a unit


def _exists(place: int, layer: int, prefix: Arch) -> bool:
    return layer < DEPTHS[prefix[place]]


def _unit(number: int) -> tuple[Choice, ...]:
    depth_at, choices = 1 + number * FIELDS, [Choice(f"unit {number + 1}: depth", DEPTHS)]
    for layer in range(MOST):
        when = partial(_exists, depth_at, layer) if layer >= min(DEPTHS) else None
        name = f"unit {number + 1}, layer {layer + 1}: "
        choices += [Choice(name + "kernel", KERNELS, when), Choice(name + "expansion", EXPANSIONS, when)]
    return tuple(choices)


class ElasticSpace(ElasticChoices):
    """The space of Once-for-all over MobileNetV3-Large.

    The first choice is the resolution, 128 to 224 in steps of 4, at which an image of 224 pixels enters the network;
    other images are scaled by the same share. Then follow, for each unit, the depth and, for each of four layers,
    kernel and expansion. Sampling draws each active choice uniformly, as Once-for-all does. Each depth is thus equally
    likely, and a given shallow architecture is likelier than a given deep one.

    Examples
    --------
    >>> space = ElasticSpace()
    >>> len(space.choices), f"{space.size:.2g}"
    (46, '5.4e+20')
    """

    name = "elastic"
    title = "Once-for-all's space"
    dimensions = ("resolution", "kernel", "depth", "expansion")
    kernels = KERNELS
    choices = (Choice("resolution", RESOLUTIONS), *(choice for number in range(UNITS) for choice in _unit(number)))

    @property
    def size(self) -> int:
        """The number of architectures: tuples in normal form."""
        layer = len(KERNELS) * len(EXPANSIONS)
        return len(RESOLUTIONS) * sum(layer**depth for depth in DEPTHS) ** UNITS

    def counting(self) -> str:
        """Explain the number of architectures, step by step."""
        return f"""A layer chooses one of 3 kernels and 3 expansions: $3 \\cdot 3 = 9$.

A unit has 2, 3 or 4 layers, and what is beyond its depth is no choice: $9^2 + 9^3 + 9^4 = 7371$.

Five units: $7371^5 = {7371**5:,}$, the paper's $2 \\cdot 10^{{19}}$.

The tuples of options are more, $(3 \\cdot 9^4)^5 \\approx {(3 * 9**4) ** 5:.1e}$: those that differ in inactive
entries alone are one architecture.

Each at {len(RESOLUTIONS)} resolutions (128 to 224 in steps of 4): $25 \\cdot 7371^5$ = **{self.size:,}**"""

    def units(self, arch: Arch) -> list[list[tuple[int, int]]]:
        """Return ``(kernel, expansion)`` of each layer of each unit."""
        options = [choice.options[i] for choice, i in zip(self.choices, self.check(arch), strict=True)]
        units = (options[1 + unit * FIELDS : 1 + (unit + 1) * FIELDS] for unit in range(UNITS))
        return [[(unit[1 + 2 * i], unit[2 + 2 * i]) for i in range(unit[0])] for unit in units]

    def share(self, arch: Arch) -> float:
        """Return the factor by which the sides of the images are scaled at the input."""
        return RESOLUTIONS[arch[0]] / max(RESOLUTIONS)

    def plan(self, arch: Arch, strides) -> list[tuple]:
        """Return ``(layers, channels, stride, squeeze-excitation)`` of each unit, layers as in `units`."""
        return list(zip(self.units(arch), FILTERS, strides[1:], EXCITED, strict=True))

    def to_text(self, arch: Arch) -> str:
        """Write resolution and units with bars between them, a layer as kernel, expansion: ``r160 | k5e3 k3e3 | …``."""
        units = [" ".join(f"k{kernel}e{expansion}" for kernel, expansion in unit) for unit in self.units(arch)]
        return " | ".join([f"r{RESOLUTIONS[arch[0]]}", *units])

    def from_text(self, text: str) -> Arch:
        """Read the architecture that `to_text` wrote. A ValueError names the position of an error in the text."""
        reader = Reader(text, "an elastic architecture")
        reader.expect("r")
        arch = [reader.option([str(r) for r in RESOLUTIONS])]
        for _ in range(UNITS):
            reader.expect(" | ")
            layers: list[int] = []
            while not layers or len(layers) < 2 * MOST and reader.sees(" k"):
                if layers:
                    reader.expect(" ")
                for word, options in ("k", KERNELS), ("e", EXPANSIONS):
                    reader.expect(word)
                    layers.append(reader.option([str(option) for option in options]))
            if len(layers) < 2 * min(DEPTHS):
                raise reader.unexpected("' k', as a unit has two to four layers")
            arch += [DEPTHS.index(len(layers) // 2), *layers, *[0] * (2 * MOST - len(layers))]
        reader.end()
        return tuple(arch)

    def graph(self, arch: Arch | None = None) -> Graph:
        """Return a chain of layers named ``unit.layer``; without an architecture, all possible layers, undecided.

        Operations have names such as ``mbconv_k5_e6_se``. The edge into a layer has the layer's kernel as its choice.
        """
        units: Sequence[Sequence[tuple[int, int] | None]]
        units = [[None] * MOST] * UNITS if arch is None else self.units(arch)
        nodes, ops = ["image", "stem"], [None if arch is None else f"resize_{RESOLUTIONS[arch[0]]}", "conv_k3"]
        decided: list[int | None] = [None]
        for unit, layers in enumerate(units):
            for layer, chosen in enumerate(layers):
                nodes.append(f"{unit + 1}.{layer + 1}")
                ops.append(chosen and f"mbconv_k{chosen[0]}_e{chosen[1]}{'_se' if EXCITED[unit] else ''}")
                decided.append(1 + unit * FIELDS + 1 + 2 * layer)
        edges = (Edge(i, i + 1, None, choice) for i, choice in enumerate([*decided, None]))
        return Graph((*nodes, "classes"), tuple(edges), (*ops, None))

    def cells(self, arch: Arch | None = None):
        """Return the whole network as one graph, since no cell is repeated."""
        return {"network": self.graph(arch)}

    def network(  # type: ignore[override]  # each space has its own sizes
        self,
        arch: Arch,
        *,
        width: float = 0.25,
        strides=LAB_STRIDES,
        colors: int = 1,
        classes: int = 10,
        generator=None,
    ):
        """Build ``arch`` as a network with its own weights.

        Parameters
        ----------
        width : float
            Factor of all numbers of channels, rounded to multiples of 8. Once-for-all uses 1 and 1.2.
        strides : sequence of six ints
            Strides of the stem and the units: `STRIDES` is the paper's, for 224 pixels.
        generator : torch.Generator, optional
            Source of the weights. None: a generator with seed 0.

        Raises
        ------
        ValueError
            A width of 0 or less, strides that are not six ones and twos, another size below 1.
        """
        from ..nn.elastic import mobilenet_v3

        check_number("width", width, above=0.0, whole=False)
        check_number("strides", strides, 1, 2, many=True)
        check_sizes(colors=colors, classes=classes)
        if len(strides) != UNITS + 1:
            raise ValueError(f"strides are six of 1 or 2, got {strides}")
        share, units = self.share(arch), self.plan(arch, strides)
        return mobilenet_v3(units, share, strides[0], width, colors, classes, generator)

    def single_path(self, *, width: float = 0.25, strides=LAB_STRIDES, **size):
        """Build the supernet: the largest network, which contains all others as parts; one of them runs at a time.

        Sizes are those of `network`. See `nasviz.nn.elastic.ElasticNetwork`.
        """
        from ..nn.elastic import ElasticNetwork

        return ElasticNetwork(self, width=width, strides=strides, **size)
