"""NAS-Bench-Macro: eight layers of a network for CIFAR-10, three candidates each (Su et al. 2021).

The benchmark comes from "Prioritized Architecture Sampling with Monto-Carlo Tree Search" (CVPR 2021). Its layers are
those of mobile networks: nothing, or one of two inverted bottlenecks. Three stages have 2, 3 and 3 layers; the first
layer of each stage halves the image and doubles the channels.

=====================  =====
strings of 8 digits    6,561
distinct networks      3,969
=====================  =====

A layer that is the identity computes nothing, unless it is the first of its stage: there it is a 1×1 convolution with
stride 2. So only the order of the other layers of a stage matters. The published table has a row for each string, and
trained each distinct network once, three times over.
"""

from __future__ import annotations

from ..graph import Edge, Graph
from ..ranges import check_number, check_sizes
from ..space import Arch, Choice, SearchSpace
from .mobile import scaled
from .reading import Reader

OPS = ("identity", "mbconv_k3_e3", "mbconv_k5_e6")  # in the published order: digits 0, 1, 2
STAGES = (2, 3, 3)  # layers
CHANNELS = (64, 128, 256)  # of each stage; the stem has 32
STRIDES = (2, 2, 2)  # of each stage's first layer, for images of 32 pixels
LAB_STRIDES = (1, 2, 2)  # for images of 8 to 16 pixels
SIZES = (None, (3, 3), (5, 6))  # kernel and expansion of each candidate


class NasBenchMacro(SearchSpace):
    """The space of NAS-Bench-Macro.

    An architecture is eight option indices, one a layer, over `OPS`. Its text is the published one: eight digits.

    Examples
    --------
    >>> space = NasBenchMacro()
    >>> space.size, space.from_text("22212220")
    (6561, (2, 2, 2, 1, 2, 2, 2, 0))
    >>> space.canonical((2, 0, 1, 0, 2, 1, 0, 0))
    '20120100'
    """

    name = "nasbench-macro"
    title = "NAS-Bench-Macro"
    choices = tuple(
        Choice(f"stage {stage}: layer {layer + 1}", OPS) for stage, n in enumerate(STAGES, 1) for layer in range(n)
    )

    def stages(self, arch: Arch) -> list[Arch]:
        """Return the options of the layers of each stage."""
        arch, first = self.check(arch), 0
        parts = []
        for layers in STAGES:
            parts.append(arch[first : first + layers])
            first += layers
        return parts

    def counting(self) -> str:
        """Explain the number of architectures, and of distinct networks."""
        return f"""Each of 8 layers is one of 3 candidates: $3^8 = {self.size:,}$ strings.

In a stage, the identity behind the first layer computes nothing. What matters is the first layer, 3 ways, and which
others are there, in which order. One other layer: nothing or one of 2, so $1 + 2 = 3$. Two others: $1 + 2 + 2^2 = 7$.

Three stages of 2, 3 and 3 layers: $(3 \\cdot 3) \\cdot (3 \\cdot 7) \\cdot (3 \\cdot 7) = 3969$ distinct networks.

Strings: **{self.size:,}**"""

    def to_text(self, arch: Arch) -> str:
        """Write the published text: a digit for each layer."""
        return "".join(map(str, self.check(arch)))

    def from_text(self, text: str) -> Arch:
        """Read eight digits. A ValueError names the position of an error in the text."""
        reader = Reader(text, "a NAS-Bench-Macro architecture")
        arch = tuple(reader.option(("0", "1", "2")) for _ in self.choices)
        reader.end()
        return arch

    def canonical(self, arch: Arch) -> str:
        """Return the text with a stage's identities at its end, but for the first layer: the published rule.

        Texts are equal exactly for equal functions: such an identity computes nothing, and all layers behind a stage's
        first have the same shape. The first layer of a stage always computes something.
        """
        moved: Arch = ()
        for first, *others in self.stages(arch):
            kept = [option for option in others if option]
            moved += (first, *kept, *(len(others) - len(kept)) * [0])
        return self.to_text(moved)

    def distinct(self) -> list[Arch]:
        """List one architecture for each function: the 3,969 whose stages have their identities at the end."""
        found: list[Arch] = [()]
        for choice in self.choices:
            found = [(*arch, option) for arch in found for option in range(len(choice.options))]
        return [arch for arch in found if self.canonical(arch) == self.to_text(arch)]

    def graph(self, arch: Arch | None = None) -> Graph:
        """Return a chain of layers named ``stage.layer``; without an architecture, eight undecided layers.

        Operations have names such as ``mbconv_k5_e6_f128``: kernel, expansion, channels. The identity of a stage's
        first layer is what it computes, ``conv1x1_f128``.
        """
        nodes: list[str] = ["image"]
        ops: list[str | None] = [None]
        for stage, (layers, channels) in enumerate(zip(STAGES, CHANNELS, strict=True)):
            for layer in range(layers):
                nodes.append(f"{stage + 1}.{layer + 1}")
                option = None if arch is None else self.stages(arch)[stage][layer]
                ops.append(_operation(option, layer, channels))
        edges = (Edge(i, i + 1, None, i if i < len(self.choices) else None) for i in range(len(nodes)))
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
        head: int = 64,
        colors: int = 1,
        classes: int = 10,
        generator=None,
    ):
        """Build the network of ``arch``.

        Parameters
        ----------
        width : float
            Factor of the channels of the stem (32) and the stages (`CHANNELS`); the products are rounded. In the paper
            it is 1.
        strides : sequence of three ints
            Stride of each stage's first layer: `STRIDES` is the paper's, for 32 pixels.
        head : int
            Channels before the classifier; the paper has 1280.
        generator : torch.Generator, optional
            Source of the weights. None: a generator with seed 0.

        Raises
        ------
        ValueError
            A width of 0 or less, strides that are not three ones and twos, another size below 1.
        """
        from ..nn import mobile

        check_number("width", width, above=0.0, whole=False)
        check_number("strides", strides, 1, 2, many=True)
        check_sizes(head=head, colors=colors, classes=classes)
        if len(strides) != len(STAGES):
            raise ValueError(f"strides are three of 1 or 2, got {strides}")
        inputs = scaled(32, width)
        layers: list[mobile.nn.Module] = [mobile.conv_bn(colors, inputs, 3)]
        for options, channels, stride in zip(self.stages(arch), CHANNELS, strides, strict=True):
            outputs = scaled(channels, width)
            for place, option in enumerate(options):
                if option:
                    layers.append(_bottleneck(option, inputs, outputs, 1 if place else stride))
                elif not place:
                    layers.append(mobile.conv_bn(inputs, outputs, 1, stride, activation=mobile.nn.Identity))
                inputs = outputs
        return mobile.finished([*layers, mobile.classifier(inputs, head, classes)], generator)


def _operation(option: int | None, layer: int, channels: int) -> str | None:
    if option is None:
        return None
    if option == 0:
        return "skip_connect" if layer else f"conv1x1_f{channels}"
    return f"{OPS[option]}_f{channels}"


def _bottleneck(option: int, inputs: int, outputs: int, stride: int):
    """Build the inverted bottleneck of an option; where shapes allow, its input is added to its output."""
    from ..nn import mobile

    size = SIZES[option]
    assert size is not None, "the identity is no bottleneck"
    kernel, expansion = size
    body = mobile.expanded(expansion, inputs, outputs, kernel, stride, 0.0)
    return mobile.with_identity(body) if stride == 1 and inputs == outputs else body
