"""MnasNet's factorised hierarchical space: seven blocks, each with layers of its own kind (Tan et al. 2019).

A cell space repeats one cell everywhere. Here each block has its own choices, because early blocks (many pixels) and
late blocks (many channels) need different layers. Within a block all layers are alike, which keeps the space small.

The paper (section 4.1) lists the choices of a block: convolution, kernel, squeeze-excitation, skip, and channels and
number of layers relative to MobileNetV2's. It does not list the expansion of inverted bottlenecks, but its own networks
have 3 and 6 in different blocks. If these count as two kinds of convolution, a block has 4·2·2·3·3·3 = 432 members,
which is the paper's own example of a block's size. Strides are not searched: they are MobileNetV2's.
"""

from __future__ import annotations

from functools import partial

from ..graph import Edge, Graph
from ..ranges import check_number, check_sizes
from ..space import Arch, Choice, SearchSpace
from .reading import Reader

KINDS = ("conv", "sepconv", "mbconv3", "mbconv6")
KERNELS = (3, 5)
SQUEEZES = (0.0, 0.25)
SKIPS = ("none", "identity", "pool")
FILTERS = (16, 24, 32, 64, 96, 160, 320)  # MobileNetV2's, Sandler et al. 2018, table 2
LAYERS = (1, 2, 3, 4, 3, 3, 1)
STRIDES = (2, 1, 2, 2, 2, 1, 2, 1)  # of the stem and the blocks
LAB_STRIDES = (1, 2, 1, 2, 1, 1, 2, 1)  # for images of 8 to 16 pixels
FIELDS = 6  # choices a block
GRAPH_SKIPS = ("", "_id", "_avg")


def _block(number: int) -> tuple[Choice, ...]:
    base, layers = FILTERS[number], LAYERS[number]
    of = f"block {number + 1}: "
    return (
        Choice(of + "convolution", KINDS),
        Choice(of + "kernel", KERNELS),
        Choice(of + "squeeze-excitation", SQUEEZES),
        Choice(of + "skip", SKIPS),
        Choice(of + "channels", tuple(base * quarters // 4 for quarters in (3, 4, 5))),
        Choice(of + "layers", tuple(n for n in (layers - 1, layers, layers + 1) if n)),
    )


class MobileSpace(SearchSpace):
    """The space of MnasNet.

    It has seven blocks with six choices each: kind of convolution (`KINDS`), kernel, squeeze ratio, skip, channels
    (3/4, 1 and 5/4 of MobileNetV2's), layers (one less, as many, one more than MobileNetV2; at least one).

    The paper does not define the skips, so these are our choice. *identity* adds the input of each layer except the
    first of a block, where channels and resolution change. *pool* adds the 3×3 mean of each layer's input, with
    channels cut or filled with zeros.

    MnasNet-A1 has six of its blocks in this space; its fifth has 112 channels, and 96 · {3/4, 1, 5/4} is 72, 96, 120.
    `MNASNET_A1` is the nearest member, with 120; the zoo builds the published one.

    Examples
    --------
    >>> space = MobileSpace()
    >>> len(space.choices), f"{space.size:.3g}"
    (42, '1.25e+18')
    """

    name = "mobile"
    title = "MnasNet's space"
    choices = tuple(choice for number in range(7) for choice in _block(number))

    def blocks(self, arch: Arch) -> list[tuple]:
        """Return ``(kind, kernel, squeeze ratio, skip, channels, layers)`` of each block."""
        options = [choice.options[i] for choice, i in zip(self.choices, self.check(arch), strict=True)]
        return [tuple(options[i : i + FIELDS]) for i in range(0, len(options), FIELDS)]

    def counting(self) -> str:
        """Explain the number of architectures, step by step."""
        return f"""A block chooses one of 4 convolutions, 2 kernels, 2 squeeze ratios, 3 skips, 3 channel counts and
3 numbers of layers:

$$4 \\cdot 2 \\cdot 2 \\cdot 3 \\cdot 3 \\cdot 3 = 432$$

Tan et al. count a typical case of five such blocks: $432^5 \\approx 1.5 \\cdot 10^{{13}}$. If each of three layers a
block chose for itself, it would be $432^{{15}} \\approx 10^{{39}}$: that is what the hierarchy saves.

Ours has seven blocks. The first and the last have one layer in MobileNetV2 and cannot have less, so 2 numbers of
layers and $4 \\cdot 2 \\cdot 2 \\cdot 3 \\cdot 3 \\cdot 2 = 288$ members:

$$288^2 \\cdot 432^5 = {self.size:,}$$

In a block of one layer *identity* and *no skip* are the same. Three blocks can have one layer, so of a block's
$48 \\cdot 3 \\cdot 2$ (first and last) and $48 \\cdot 3 \\cdot 3$ (second) members $48 \\cdot 5 = 240$ and
$48 \\cdot 8 = 384$ differ, and $240^2 \\cdot 384 \\cdot 432^4 = {240**2 * 384 * 432**4:,}$ networks do.

Architectures: **{self.size:,}**"""

    def to_text(self, arch: Arch) -> str:
        """Write the blocks with bars between them: ``sepconv k3 se0.0 identity f16 n1 | mbconv6 k3 …``."""
        return " | ".join(f"{kind} k{k} se{se} {skip} f{f} n{n}" for kind, k, se, skip, f, n in self.blocks(arch))

    def from_text(self, text: str) -> Arch:
        """Read the architecture that `to_text` wrote. A ValueError names the position of an error in the text."""
        reader, arch = Reader(text, "a mobile architecture"), []
        before = ("", " k", " se", " ", " f", " n")
        for i, choice in enumerate(self.choices):
            reader.expect(" | " if i and i % FIELDS == 0 else before[i % FIELDS])
            arch.append(reader.option([str(option) for option in choice.options]))
        reader.end()
        return tuple(arch)

    def canonical(self, arch: Arch) -> str:
        """Return the text, with *none* in place of *identity* in blocks of one layer, which have no identity skip.

        Texts are equal exactly for equal functions: copied weights then give equal outputs. Architectures that only
        particular weights make equal (a 5×5 filter with a border of zeros) have different texts.
        """
        parts = [part if not part.endswith("n1") else part.replace("identity", "none")
                 for part in self.to_text(arch).split(" | ")]  # fmt: skip
        return " | ".join(parts)

    def graph(self, arch: Arch | None = None) -> Graph:
        """Return a chain of layers named ``block.layer``; without an architecture, one undecided node a block.

        Operations have names such as ``mbconv_k5_e6_se_f40_id``: kernel, expansion, squeeze-excitation, channels, skip.
        """
        nodes: list[str] = ["image"]
        ops: list[str | None] = [None]
        choice: list[int | None] = [None]
        for block in range(7):
            layers: list[str | None] = [None]
            if arch is not None:
                kind, kernel, squeeze, skip, channels, n = self.blocks(arch)[block]
                kind, expansion = (kind[:-1], f"_e{kind[-1]}") if kind[-1].isdigit() else (kind, "")
                op = f"{kind}_k{kernel}{expansion}{'_se' if squeeze else ''}_f{channels}"
                around = GRAPH_SKIPS[SKIPS.index(skip)]
                layers = [op + (around if layer or skip == "pool" else "") for layer in range(n)]
            nodes += [f"{block + 1}.{layer + 1}" for layer in range(len(layers))]
            ops += layers
            choice += [FIELDS * block] * len(layers)
        edges = (Edge(i, i + 1, None, decided) for i, decided in enumerate([*choice[1:], None]))
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
            Factor of the channels of the stem (32) and the blocks; the products are rounded. In the paper it is 1.
        strides : sequence of eight ints
            Strides of the stem and the blocks: `STRIDES` is the paper's, for 224 pixels.
        head : int
            Channels before the classifier; the paper has 1280.
        generator : torch.Generator, optional
            Source of the weights. None: a generator with seed 0.

        Raises
        ------
        ValueError
            A width of 0 or less, strides that are not eight ones and twos, another size below 1.
        """
        from ..nn import mobile

        check_number("width", width, above=0.0, whole=False)
        check_number("strides", strides, 1, 2, many=True)
        check_sizes(head=head, colors=colors, classes=classes)
        if len(strides) != 8:
            raise ValueError(f"strides are eight of 1 or 2, got {strides}")
        inputs = scaled(32, width)
        layers: list[mobile.nn.Module] = [mobile.conv_bn(colors, inputs, 3, strides[0])]
        for (kind, kernel, squeeze, skip, channels, n), stride in zip(self.blocks(arch), strides[1:], strict=True):
            outputs, make = scaled(channels, width), partial(mobile.MNASNET[kind], kernel=kernel, ratio=squeeze)
            for layer in range(n):
                stride = 1 if layer else stride
                body = make(inputs, outputs, stride=stride)
                if skip == "pool":
                    body = mobile.Skipped(body, mobile.PooledSkip(inputs, outputs, stride))
                elif skip == "identity" and layer:
                    body = mobile.with_identity(body)
                layers.append(body)
                inputs = outputs
        return mobile.finished([*layers, mobile.classifier(inputs, head, classes)], generator)


def scaled(channels: int, width: float) -> int:
    """Return ``channels`` times ``width``, rounded half up, at least 1."""
    return max(1, int(channels * width + 0.5))


MNASNET_A1 = (
    "sepconv k3 se0.0 none f16 n1 | mbconv6 k3 se0.0 identity f24 n2 | mbconv3 k5 se0.25 identity f40 n3 | "
    "mbconv6 k3 se0.0 identity f80 n4 | mbconv6 k3 se0.25 identity f120 n2 | mbconv6 k5 se0.25 identity f160 n3 | "
    "mbconv6 k3 se0.0 none f320 n1"
)
"""The member nearest to MnasNet-A1 (Tan et al. 2019, figure 7a), which has 112 channels in its fifth block, not 120."""
