"""What one row of the zoo is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A famous network: how it is built, and what its paper says of it.

    Attributes
    ----------
    name : str
        As people call it.
    designed_by : {"search", "hand"}
        Whether an algorithm chose the architecture. Scaling up a searched network counts as search.
    space : str or None
        Name of the search space it comes from, of this project where there is one.
    build : callable
        ``build() -> torch.nn.Module`` at full size, without an auxiliary head. Call `network` instead, unless inside
        ``with torch.device("meta"):``: torch's own layers would draw their weights from torch's global generator.
    image : tuple of int
        (colors, height, width) of the images that the numbers hold for.
    parameters : int or float or None
        As published. Exact where the paper, its code or torchvision gives all digits; else rounded as the paper prints.
    parameters_exact : bool
        Which of the two.
    madds : float or None
        Published multiply-adds for one image.
    accuracy : float or None
        Published top-1 accuracy in percent, one crop of one model unless ``source`` says otherwise.
    dataset : {"ImageNet", "CIFAR-10"}
    gpu_days : float or None
        Published cost of the search, in days of one accelerator; None where it is not published.
    source : str
        Which paper and table says so, and whose network is counted.
    reason : str
        Why our count differs from the published one, where it does. "Unexplained" is a permitted reason.
    architecture : str
        Its text in the format of ``space``, where it is a member: what is drawn of it.
    """

    name: str
    designed_by: str
    space: str | None
    build: Callable
    image: tuple[int, int, int]
    parameters: float | None
    parameters_exact: bool
    madds: float | None
    accuracy: float | None
    dataset: str
    gpu_days: float | None
    source: str
    reason: str = ""
    architecture: str = ""

    def counted(self) -> tuple[int, int]:
        """Our parameters and multiply-adds, counted on the meta device: no memory."""
        import torch

        from ..nn import count

        with torch.device("meta"):
            network = self.build()
        return count.parameters(network), count.madds(network, self.image)

    def network(self, generator=None):
        """The network with weights drawn from ``generator`` (torch.Generator; None: one with seed 0), ready to run.

        Takes the memory that it takes: 4 bytes a parameter, plus the layers' outputs for the images you give it.
        """
        from ..weights import built

        return built(self.build, generator)
