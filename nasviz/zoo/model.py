"""The class of the zoo's rows: one published network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Model:
    """A well-known network: a function that builds it, and the numbers of its paper.

    Attributes
    ----------
    name : str
        Usual name of the network.
    designed_by : {"search", "scaling", "hand"}
        What chose the architecture: an algorithm; a rule that enlarges a searched network, as in EfficientNet-B1 to
        B7; or a person.
    space : str or None
        Name of its search space, as in this project if the project has the space.
    build : callable
        ``build() -> torch.nn.Module`` at full size, without an auxiliary head. Call `network` instead, unless inside
        ``with torch.device("meta"):``: torch's own layers would draw their weights from torch's global generator.
    image : tuple of int
        (colors, height, width) of the images that the numbers hold for.
    parameters : int or float or None
        Published number. It is exact if the paper, its code or torchvision gives all digits; otherwise rounded as in
        the paper.
    parameters_exact : bool
        Whether ``parameters`` is exact.
    madds : float or None
        Published multiply-adds for one image.
    accuracy : float or None
        Published top-1 accuracy in percent, one crop of one model unless ``source`` says otherwise.
    dataset : {"ImageNet", "CIFAR-10"}
    gpu_days : float or None
        Published cost of the search, in days of one accelerator; None where it is not published.
    source : str
        Paper and table of the numbers, and the origin of the network that is counted.
    reason : str
        Reason for a difference between our count and the published one. "Unexplained" is a permitted reason.
    architecture : str
        Text of the network in the format of ``space``, if it is a member of the space; views draw it.
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

    def parameters_and_madds(self) -> tuple[int, int]:
        """Count parameters and multiply-adds on the meta device, without memory."""
        import torch

        from ..nn import count

        with torch.device("meta"):
            network = self.build()
        return count.parameters(network), count.madds(network, self.image)

    def network(self, generator=None):
        """Build the network, ready to run, with weights from ``generator`` (torch.Generator; None: one with seed 0).

        It needs memory: 4 bytes for each parameter, plus the outputs of the layers for your images.
        """
        from ..weights import built

        return built(self.build, generator)
