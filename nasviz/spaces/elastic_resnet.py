"""A small elastic space in which every choice acts: image side, widths, depths and a kernel of a residual network.

The full-size space of Once-for-all (`nasviz.spaces.elastic`) is too deep for images of 16 pixels: most of its layers
would see maps of 2×2 or less, where kernels of 3, 5 and 7 are the same function. This space is made for such images.
Three stages see maps of the image's side, of a half and of a quarter. All members share the weights of the largest
(``single_path``); ``network`` builds a single member.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import NamedTuple

from ..graph import Edge, Graph
from ..ranges import check_sizes
from ..space import Arch, Choice
from .elastic_choices import ElasticChoices
from .reading import Reader

SIDES = (8, 12, 16)  # pixels of an image that enters, if the data's images have 16
WIDTHS = ((6, 8, 12), (12, 16, 24), (24, 32, 48))  # channels of each stage
DEPTHS = (0, 1, 2)  # residual layers after a stage's first layer
KERNELS = (3, 5)  # of the first stage; the others have 3×3


class Stage(NamedTuple):
    """One stage of a network: all its layers have the same width, and see maps of the same side.

    Attributes
    ----------
    width : int
        Channels of each layer.
    depth : int
        Number of residual layers after the first one, 0 or more.
    kernel : int
        Side of the filters.
    """

    width: int
    depth: int
    kernel: int


class ElasticResNet(ElasticChoices):
    """Residual networks of three stages for small images: 4,374 members, all with different functions.

    The choices are the resolution (the side, in pixels, at which an image of 16×16 enters; other images are scaled by
    the same share), and for each stage its width and its depth, for the first stage also its kernel.

    Examples
    --------
    >>> space = ElasticResNet()
    >>> space.size, space.to_text(space.largest)
    (4374, 'r16 | k5 w12 d2 | w24 d2 | w48 d2')
    """

    name = "elastic-resnet"
    choices = (
        Choice("resolution", SIDES),
        Choice("stage 1: kernel", KERNELS),
        *(
            Choice(f"stage {number}: {name}", options)
            for number, widths in enumerate(WIDTHS, 1)
            for name, options in (("width", widths), ("depth", DEPTHS))
        ),
    )

    def counting(self) -> str:
        """Explain the number of architectures, step by step."""
        return f"""A stage chooses one of 3 widths and 3 depths: $3 \\cdot 3 = 9$; three stages: $9^3 = 729$.

The kernel of the first stage: 2. The side of the image: 3.

$729 \\cdot 2 \\cdot 3$ = **{self.size:,}**. No two of them are the same function: each choice changes what the network
computes, on the images on which it is trained."""

    def share(self, arch: Arch) -> float:
        """Return the factor by which the sides of the images are scaled at the input."""
        return SIDES[arch[0]] / max(SIDES)

    def stages(self, arch: Arch) -> list[Stage]:
        """Return the three stages of ``arch``, the first one first."""
        _, kernel, *rest = (choice.options[i] for choice, i in zip(self.choices, self.check(arch), strict=True))
        kernels = (kernel, *[KERNELS[0]] * (len(WIDTHS) - 1))
        return [
            Stage(width, depth, kernel) for width, depth, kernel in zip(rest[::2], rest[1::2], kernels, strict=True)
        ]

    def distinct(self) -> list[Arch]:
        """List all architectures: each has a function of its own."""
        return list(product(*(range(len(choice.options)) for choice in self.choices)))

    @cache  # noqa: B019  # there are 4,374 entries at most, and spaces live as long as the program
    def madds(self, arch: Arch, colors: int = 1, classes: int = 10) -> int:
        """Count the multiply-adds of ``arch`` for one image of 16×16 pixels: what its convolutions compute as run.

        `nasviz.nn.count.madds` counts the same on the network that is built, in thousands of times the time.
        """
        total, inputs, side = 0, colors, SIDES[arch[0]]
        for width, depth, kernel in self.stages(arch):
            total += side**2 * kernel**2 * width * (inputs + depth * width)
            inputs, side = width, side // 2
        return total + inputs * classes

    def to_text(self, arch: Arch) -> str:
        """Write resolution and stages with bars between them: ``r16 | k5 w12 d2 | w24 d2 | w48 d2``."""
        first, *others = self.stages(arch)
        words = [f"r{SIDES[arch[0]]}", f"k{first.kernel} w{first.width} d{first.depth}"]
        return " | ".join([*words, *(f"w{stage.width} d{stage.depth}" for stage in others)])

    def from_text(self, text: str) -> Arch:
        """Read the architecture that `to_text` wrote. A ValueError names the position of an error in the text."""
        reader = Reader(text, "an elastic residual network")
        reader.expect("r")
        arch = [reader.option([str(side) for side in SIDES])]
        for number, widths in enumerate(WIDTHS):
            reader.expect(" | ")
            parts: list[tuple[str, tuple[int, ...]]] = [("w", widths), (" d", DEPTHS)]
            if not number:
                parts = [("k", KERNELS), (" w", widths), (" d", DEPTHS)]
            for word, options in parts:
                reader.expect(word)
                arch.append(reader.option([str(option) for option in options]))
        reader.end()
        return tuple(arch)

    def graph(self, arch: Arch | None = None) -> Graph:
        """Return a chain of layers named ``stage.layer``; without an architecture, all possible layers, undecided.

        The edge into a stage has the stage's width as its choice, the edges inside a stage have its depth.
        """
        stages = [None] * len(WIDTHS) if arch is None else self.stages(arch)
        nodes, ops = ["image"], [None if arch is None else f"resize_{SIDES[arch[0]]}"]
        decided: list[int | None] = []
        for number, stage in enumerate(stages, 1):
            for layer in range(1 + (max(DEPTHS) if stage is None else stage.depth)):
                nodes.append(f"{number}.{layer + 1}")
                decided.append(2 * number + (layer > 0))
                ops.append(stage and f"{'residual' if layer else 'conv'}_k{stage.kernel}_w{stage.width}")
        edges = (Edge(i, i + 1, None, choice) for i, choice in enumerate([*decided, None]))
        return Graph((*nodes, "classes"), tuple(edges), (*ops, None))

    def cells(self, arch: Arch | None = None):
        """Return the whole network as one graph, since no cell is repeated."""
        return {"network": self.graph(arch)}

    def network(  # type: ignore[override]  # each space has its own sizes
        self, arch: Arch, *, colors: int = 1, classes: int = 10, generator=None
    ):
        """Build ``arch`` as a network with its own weights, from ``generator`` (None: seed 0).

        ValueError for colors or classes below 1.
        """
        from ..nn.elastic_resnet import residual_network

        check_sizes(colors=colors, classes=classes)
        return residual_network(self.share(arch), self.stages(arch), colors, classes, generator)

    def single_path(self, **size):
        """Build the supernet: the largest network, which contains all others as parts; one of them runs at a time.

        Sizes are those of `network`. See `nasviz.nn.elastic_resnet.ElasticResidual`.
        """
        from ..nn.elastic_resnet import ElasticResidual

        return ElasticResidual(self, **size)
