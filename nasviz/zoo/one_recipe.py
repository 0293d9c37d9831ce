"""Networks that one group trained alike: the same 100 epochs, augmentation and optimiser for designed and searched.

The accuracy of a published network is that of an architecture *and* of its recipe. Here the recipe is the same for all:
100 epochs of SGD with a cosine schedule, batch-norm, no dropout, no AutoAugment, one crop of 224 pixels (EfficientNets:
the resolution of their paper). Numbers: the model zoo of pycls, the code of Radosavovic et al. 2020 ("Designing Network
Design Spaces"), where an error is the mean of five trainings.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trained:
    """A network of the comparison.

    Attributes
    ----------
    name : str
        As in `nasviz.zoo.MODELS` where the zoo has it.
    designed_by : {"search", "scaling", "hand"}
        As `nasviz.zoo.model.Model.designed_by`.
    madds, parameters : float
        As published.
    accuracy : float
        Top-1 on ImageNet, percent: 100 less the published error.
    gpu_days, space, architecture
        As of a `nasviz.zoo.model.Model` of which the source says nothing: so a chart of models takes these rows too.
    """

    name: str
    designed_by: str
    madds: float
    parameters: float
    accuracy: float
    dataset: str = "ImageNet"
    gpu_days: float | None = None
    space: str | None = None
    architecture: str = ""
    source: str = "Model zoo of pycls: 100 epochs, one recipe for all, mean of five trainings"


def _rows(by: str, rows) -> list[Trained]:
    return [Trained(name, by, madds * 1e9, parameters * 1e6, 100 - error) for name, madds, parameters, error in rows]


ONE_RECIPE = (
    *_rows("hand", (
        ("ResNet-50", 4.1, 22.6, 23.2), ("ResNet-101", 7.8, 44.6, 21.4), ("ResNet-152", 11.5, 60.2, 20.9),
        ("RegNetY-200MF", 0.2, 3.2, 29.6), ("RegNetY-400MF", 0.4, 4.3, 25.9), ("RegNetY-600MF", 0.6, 6.1, 24.5),
        ("RegNetY-800MF", 0.8, 6.3, 23.7), ("RegNetY-1.6GF", 1.6, 11.2, 22.0), ("RegNetY-3.2GF", 3.2, 19.4, 21.0),
        ("RegNetY-4.0GF", 4.0, 20.6, 20.6), ("RegNetY-8.0GF", 8.0, 39.2, 20.1),
    )),
    *_rows("search", (("EfficientNet-B0", 0.4, 5.3, 24.9),)),
    *_rows("scaling", (
        ("EfficientNet-B1", 0.7, 7.8, 24.1), ("EfficientNet-B2", 1.0, 9.2, 23.4), ("EfficientNet-B3", 1.8, 12.0, 22.5),
        ("EfficientNet-B4", 4.2, 19.0, 21.2), ("EfficientNet-B5", 9.9, 30.0, 21.5),
    )),
)  # fmt: skip
"""All networks of the comparison (the source prints ResNet-50 with 22.6 M parameters; the zoo counts 25.6 M)."""
