"""EfficientNet's compound scaling: one number sets depth, width and resolution of a network at once (Tan & Le 2019).

Multiply-adds grow with depth, with the square of width, with the square of resolution. With α·β²·γ² ≈ 2 each unit of φ
doubles them. The authors found α = 1.2, β = 1.1, γ = 1.15 by a grid search around B0. The networks they released, B1 to
B7, have coefficients that no φ gives exactly: `RELEASED` holds them, and `compound` computes those of the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType

from ..ranges import REQUIRED, check_fields, ranged

BLOCKS = (  # expansion, kernel, stride, channels in, channels out, layers: Tan & Le 2019, table 1
    (1, 3, 1, 32, 16, 1),
    (6, 3, 2, 16, 24, 2),
    (6, 5, 2, 24, 40, 2),
    (6, 3, 2, 40, 80, 3),
    (6, 5, 1, 80, 112, 3),
    (6, 5, 2, 112, 192, 4),
    (6, 3, 1, 192, 320, 1),
)
RESOLUTION = 224  # side of B0's images, pixels


@dataclass(frozen=True)
class Scaling:
    """The factors by which a network is deeper and wider than EfficientNet-B0, and the size of its images.

    Attributes
    ----------
    depth, width : float
        Factor of the layers of a block (rounded up), and of the channels (rounded to multiples of 8).
    resolution : int
        Height and width of the images, pixels.
    dropout : float
        Dropout before the classifier, 0 to 1.
    """

    depth: float = ranged(REQUIRED, above=0.0, whole=False)
    width: float = ranged(REQUIRED, above=0.0, whole=False)
    resolution: int = ranged(REQUIRED, 1, whole=True)
    dropout: float = ranged(0.2, 0.0, below=1.0)

    def __post_init__(self):
        check_fields(self)

    def network(self, generator=None):
        """Build the network (`torch.nn.Module`) for 1,000 classes; weights from ``generator``, None: seed 0."""
        from ..weights import built

        return built(self.build, generator)

    def build(self):
        """Build the network with torch's initialisation, inside ``with torch.device("meta"):``; else use `network`."""
        from torchvision.models.efficientnet import EfficientNet, MBConvConfig

        blocks = [MBConvConfig(*block, width_mult=self.width, depth_mult=self.depth) for block in BLOCKS]
        return EfficientNet(blocks, dropout=self.dropout)

    def parameters_and_madds(self) -> tuple[int, int]:
        """Count parameters, and multiply-adds for one image, on the meta device, without memory."""
        import torch

        from ..nn import count

        with torch.device("meta"):
            network = self.build()
        return count.parameters(network), count.madds(network, (3, self.resolution, self.resolution))


RELEASED: Mapping[str, Scaling] = MappingProxyType(
    {
        "B0": Scaling(1.0, 1.0, 224, 0.2),
        "B1": Scaling(1.1, 1.0, 240, 0.2),
        "B2": Scaling(1.2, 1.1, 260, 0.3),
        "B3": Scaling(1.4, 1.2, 300, 0.3),
        "B4": Scaling(1.8, 1.4, 380, 0.4),
        "B5": Scaling(2.2, 1.6, 456, 0.4),
        "B6": Scaling(2.6, 1.8, 528, 0.5),
        "B7": Scaling(3.1, 2.0, 600, 0.5),
    }
)
"""The coefficients of the authors' released code."""


def compound(phi: float, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15) -> Scaling:
    """Compute depth α^φ, width β^φ, resolution 224·γ^φ, rounded (Tan & Le 2019, equation 3).

    Parameters
    ----------
    phi : float
        Size of the network; 0 is B0. Multiply-adds grow about (α·β²·γ²)^φ times, see `growth`.
    alpha, beta, gamma : float
        At least 1.

    Raises
    ------
    ValueError
        A coefficient below 1, or φ that is no finite number.
    """
    if not isfinite(phi) or min(alpha, beta, gamma) < 1:
        raise ValueError(f"phi must be finite and alpha, beta, gamma at least 1, got {phi}, {alpha}, {beta}, {gamma}")
    return Scaling(alpha**phi, beta**phi, round(RESOLUTION * gamma**phi))


def growth(alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15) -> float:
    """Return α·β²·γ², the growth of multiply-adds for each unit of φ, without rounding; in the paper it is about 2."""
    return alpha * beta**2 * gamma**2
