"""An elastic network as a picture that one pulls at: widths, depths, kernel, image; what its children inherit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import cos, log10, pi, sin
from pathlib import Path

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets

from ... import datasets
from ...objectives import Score
from ...space import Arch
from ...spaces import ElasticResNet
from ...spaces.elastic_resnet import DEPTHS, KERNELS, SIDES, WIDTHS
from ..colors import AMBER, BLUE, GREY, TEAL
from ..raster import DIM, GRID, Axes, Pen, good_range, mixed
from ..stage import panel
from ..stage.widget import script
from .chart import Chart, drawn, near, short

SCRIPTS = ("pull_network", "pull_plane", "pull")  # beside this file, in this order
# of the still, in px: a pixel of the image, a pixel of the maps, a channel; what recedes goes to the right and up
PIXEL, UNIT, TALL, SLOPE = 5, 3.4, 3.7, (0.3, 0.2)
FACES = ("#114f9b", "#7fb0ec", BLUE)  # flank, top, front
GHOST = tuple(mixed(GREY, part) for part in (0.3, 0.14, 0.2))
MARKS = (3e4, 1e5, 3e5, 1e6, 3e6)  # multiply-adds


class Pull(Chart):
    """A picture of a small elastic network with handles; the child that is pulled out of it is judged at once.

    A block is a layer: its height is the number of channels, its other two sides are those of the maps. What the
    largest network has and the child lacks stays pale. The tops of the stages, their right edges, the kernel and the
    image's corner can be dragged, or moved with the arrow keys; a click on a pale block adds layers. The multiply-adds
    follow at once, and so does an accuracy that is known; else the child is judged on the supernet's weights as soon as
    the hand rests. Below, all known children by cost and inherited accuracy; a click on a dot shows its network.

    Parameters
    ----------
    inherited : Inherited
        An estimator on the weights of a supernet of `nasviz.spaces.ElasticResNet`, which judges on images of 16×16.
    known : mapping from Arch to float, optional
        Inherited validation accuracies on these weights, 0 to 1, that were recorded before. They are not judged again.
    ms : callable, optional
        Function from an architecture to its milliseconds.
    around : float
        Share, above 0 and below 1: children are compared if their multiply-adds differ by at most this share.

    Attributes
    ----------
    arch : Arch
        The child in the picture. It may not be judged yet.
    tried : dict from Arch to dict
        Scores of all children so far that were in the picture: "inherited", "madds" and perhaps "latency_ms".
    picture : Picture
        What the page shows. To set its ``arch`` is to pull.

    Raises
    ------
    ValueError
        For another space, images of another size, or a known accuracy that is none.

    Examples
    --------
    >>> view = Pull(Inherited.of(search, last.state))  # doctest: +SKIP
    >>> view.set(view.space.smallest)["inherited"]  # doctest: +SKIP
    0.712
    """

    def __init__(
        self,
        inherited,
        known: Mapping[Arch, float] | None = None,
        ms: Callable[[Arch], float] | None = None,
        around: float = 0.07,
    ):
        self.inherited, self.space, self.ms, self.around = inherited, inherited.space, ms, around
        if not isinstance(self.space, ElasticResNet):
            raise ValueError(
                f"this picture is that of ElasticResNet only, and the supernet is of {self.space.name}: "
                "views.Elastic shows children of ElasticSpace"
            )
        if inherited.size != max(SIDES):
            raise ValueError(
                f"the picture shows images of {max(SIDES)}×{max(SIDES)}, and this supernet judges on "
                f"{inherited.size}×{inherited.size}: train it with size={max(SIDES)}"
            )
        if not 0 < around < 1:
            raise ValueError(f"around is a share of the multiply-adds, above 0 and below 1, got {around!r}")
        self.known = {self.space.check(arch): float(accuracy) for arch, accuracy in (known or {}).items()}
        for arch, accuracy in self.known.items():
            if not 0 <= accuracy <= 1:
                raise ValueError(f"a known accuracy is 0 to 1, got {accuracy} for {self.space.to_text(arch)}")
        self.tried: dict[Arch, dict[str, float]] = {}
        self.data = datasets.load(inherited.dataset, inherited.size)
        self.picture = Picture(
            space={
                "options": [list(choice.options) for choice in self.space.choices],
                "others": KERNELS[0],
                "around": around,
                "madds": {"colors": self.data.colors, "classes": len(self.data.classes), "others": KERNELS[0]},
                "classes": len(self.data.classes),
                "pictures": [{"side": len(image), "bytes": image.tobytes()} for image in self._images()],
            },
            known=[{"arch": list(arch), "score": accuracy} for arch, accuracy in self.known.items()],
            arch=list(self.space.largest),  # from the first: a page may draw it before it hears what comes after
        )
        self.said = widgets.HTML()
        self.set(self.space.largest)
        self.picture.observe(lambda change: self._pulled(), "arch")
        super().__init__([self.picture, self.said])

    @property
    def arch(self) -> Arch:
        """The child in the picture."""
        return tuple(self.picture.arch)

    def set(self, arch: Arch) -> dict[str, float]:
        """Show this child, and return its scores. ValueError if it is not in the space."""
        arch = self.space.check(arch)
        scores = self._scores(arch)
        self.picture.arch = list(arch)
        self._say()
        return dict(scores)

    def rank(self, arch: Arch) -> tuple[int, int]:
        """Return how many known children of about the same cost inherit less than ``arch``, and how many there are.

        ``arch`` must have been in the picture. Known are those of ``known`` and ``tried``.
        """
        others = {one: score for one, score in self._all().items() if one != arch}
        alike = near(np.array([self._cost(one) for one in others]), self._cost(arch), self.around)
        scores = np.array([*others.values()])[alike]
        return int((scores < self.tried[arch]["inherited"]).sum()), len(scores)

    def _pulled(self) -> None:
        """Judge what the page shows now. An error would be lost in a callback, so it is shown."""
        try:
            self._scores(self.space.check(self.arch))
        except Exception as error:
            self.said.value = panel.failure(error, "This child was not judged")
        else:
            self._say()

    def _scores(self, arch: Arch) -> dict[str, float]:
        if arch not in self.tried:
            accuracy = self.known[arch] if arch in self.known else Score("inherited")(self.inherited(arch))
            scores = {"inherited": accuracy, "madds": float(self._cost(arch))}
            if self.ms is not None:
                scores["latency_ms"] = float(self.ms(arch))
            self.tried[arch] = scores
            told = {"arch": list(arch), "score": accuracy} | ({"ms": scores["latency_ms"]} if self.ms else {})
            self.picture.tried = [*self.picture.tried, told]
        return self.tried[arch]

    def _cost(self, arch: Arch) -> int:
        return self.space.madds(arch, self.data.colors, len(self.data.classes))

    def _all(self) -> dict[Arch, float]:
        """Return the inherited accuracy of every child of which it is known."""
        return self.known | {arch: scores["inherited"] for arch, scores in self.tried.items()}

    def _say(self) -> None:
        scores, (less, count) = self.tried[self.arch], self.rank(self.arch)
        spent = f", {scores['latency_ms']:.3g} ms" if self.ms else ""
        band = f"known child{'ren' if count else ''} within ±{100 * self.around:g} % of its multiply-adds"
        self.text = (
            f"{self.space.to_text(self.arch)}: {short(scores['madds'])} multiply-adds{spent}; inherits "
            f"{100 * scores['inherited']:.1f} % (validation, not trained alone): "
            + (f"better than {less} of {count} {band}." if count else f"no {band}.")
        )
        self.said.value = ""

    def _images(self) -> list[np.ndarray]:
        """Return one image as it enters at each side: uint8 arrays of shape (side, side, 3)."""
        import torch  # with a supernet it is there

        from ...nn.mobile import Resize

        one = torch.from_numpy(self.data.valid_images[:1].astype(np.float32))
        one = one[:, :3] if self.data.colors >= 3 else one[:, :1].expand(-1, 3, -1, -1)
        sizes = (Resize(side / max(SIDES))(one)[0].permute(1, 2, 0) for side in SIDES)
        return [image.round().clip(0, 255).to(torch.uint8).contiguous().numpy() for image in sizes]

    # ------------------------------------------------------------------ without a page that runs
    def still(self) -> bytes:
        """Draw the child inside the largest network, and all known children by cost and accuracy, as PNG."""

        def draw(pen):
            for row, words in enumerate(self.text.split("; ")):
                pen.text(8, 12 + 16 * row, words, 11, anchor="lm")
            self._draw_network(pen, 8, 236)
            self._draw_plane(pen, (0, 312, 720, 224))

        return drawn(740, 546, draw)

    def _draw_network(self, pen: Pen, x: float, base: float) -> None:
        stages, side = self.space.stages(self.arch), SIDES[self.arch[0]]
        whole = PIXEL * max(SIDES)
        pen.box(x, base - whole, whole, whole, None, GRID)
        for row, colors in enumerate(self._images()[self.arch[0]]):
            for column, (red, green, blue) in enumerate(colors.tolist()):
                at = x + PIXEL * column, base - PIXEL * (side - row)
                pen.box(*at, PIXEL, PIXEL, f"#{red:02x}{green:02x}{blue:02x}")
        middle = x + whole + 44
        for kernel, color in ((max(KERNELS), mixed(GREY, 0.25)), (stages[0].kernel, TEAL)):
            for n in range(kernel**2):
                across, down = n % kernel - kernel / 2, n // kernel - kernel / 2
                pen.box(middle + 8 * across, base - whole / 2 + 8 * down, 7, 7, color)
        for center, name, sides in ((x + whole / 2, "image", side), (middle, "kernel", stages[0].kernel)):
            pen.text(center, base + 22, f"{name} {sides}×{sides}", 11, DIM)
        x = middle + 44
        for n, (stage, widths) in enumerate(zip(stages, WIDTHS, strict=True)):
            full, own = (one // 2**n * UNIT for one in (max(SIDES), side))
            pitch = full * (1 + SLOPE[0]) + 3
            for layer in range(1 + max(DEPTHS)):
                _block(pen, x + layer * pitch, base, full, TALL * max(widths), GHOST)
                if layer <= stage.depth:
                    _block(pen, x + layer * pitch, base, own, TALL * stage.width, FACES)
            layers = "1 layer" if not stage.depth else f"{1 + stage.depth} layers"
            for row, words in enumerate((f"{stage.width} channels", layers, f"maps {side // 2**n}×{side // 2**n}")):
                pen.text(x, base + 22 + 15 * row, words, 11, DIM, "lm")
            x += (1 + max(DEPTHS)) * pitch + 36

    def _draw_plane(self, pen: Pen, box: tuple[float, float, float, float]) -> None:
        scores = {arch: 100 * accuracy for arch, accuracy in self._all().items()}
        costs = {arch: log10(self._cost(arch)) for arch in [*scores, self.space.smallest, self.space.largest]}
        ends = costs[self.space.smallest] - 0.05, costs[self.space.largest] + 0.05
        marks = [(log10(cost), short(cost)) for cost in MARKS if ends[0] < log10(cost) < ends[1]]
        spans = ends, good_range(np.array([*scores.values()]), False, False)
        axes = Axes(pen, box, *spans, "multiply-adds", "inherits, %", marks)
        for arch, score in scores.items():
            if arch != self.arch:
                pen.dot(axes.X(costs[arch]), axes.Y(score), 3.5, mixed(GREY, 0.6))
        x, y = axes.X(costs[self.arch]), axes.Y(scores[self.arch])
        corners = [((9 if n % 2 else 4) * sin(n * pi / 5), (9 if n % 2 else 4) * cos(n * pi / 5)) for n in range(10)]
        pen.area([(x + dx, y + dy) for dx, dy in corners], AMBER)


def _block(pen: Pen, x: float, base: float, side: float, high: float, colors: Sequence[str]) -> None:
    """Draw a block whose front is ``side`` wide and ``high`` tall, and that recedes by ``side``."""
    dx, dy, top, end = SLOPE[0] * side, SLOPE[1] * side, base - high, x + side
    flank = [(end, top), (end + dx, top - dy), (end + dx, base - dy), (end, base)]
    roof = [(x, top), (x + dx, top - dy), (end + dx, top - dy), (end, top)]
    front = [(x, top), (end, top), (end, base), (x, base)]
    for face, color in zip((flank, roof, front), colors, strict=True):
        pen.area(face, color)


class Picture(anywidget.AnyWidget):
    """What the page shows: it draws and counts by itself, says which child was pulled, and hears accuracies."""

    _esm = "\n".join(
        [script(name) for name in ("base", "canvas", "look", "listen")]
        + [Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    )
    space = traitlets.Dict().tag(sync=True)
    known: traitlets.List[dict] = traitlets.List().tag(sync=True)
    tried: traitlets.List[dict] = traitlets.List().tag(sync=True)
    arch: traitlets.List[int] = traitlets.List().tag(sync=True)
