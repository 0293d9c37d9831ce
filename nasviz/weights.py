"""First weights of a network, drawn from a generator that is passed: the same seed gives the same network.

The environment variable ``NASVIZ_JITTER`` changes them by up to one part in 10⁶. This imitates another processor:
processors add in different orders and round differently, and training amplifies such differences.
`nasviz.course.roundings` sets the variable to check that the statements of a lab still hold.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from hashlib import sha256

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from .chance import BUILD, drawn_from

JITTER = 1e-6  # relative change; the rounding of float32 is 6e-8
LAYERS = (nn.Conv2d, nn.Linear, nn.BatchNorm2d)


def built(build: Callable[[], nn.Module], generator: torch.Generator | None) -> nn.Module:
    """Build a network that may have any layers, with weights from ``generator`` (None: one with seed 0).

    The layers that `initialize` knows get their weights from the generator itself. What other layers and ``build`` draw
    from the global generators follows from the generator's state too, and the global generators stay as they were.
    Inside a block with the meta device the network has shapes only.

    ValueError if ``build`` returns no module, or weights without memory outside such a block.
    """
    generator = generator or torch.Generator().manual_seed(0)
    if torch.get_default_device().type == "meta":
        return _module(build())
    state = sha256(generator.get_state().numpy().tobytes()).digest()
    with drawn_from(int.from_bytes(state[:16]), BUILD), torch.device("cpu"):
        network = _module(build())
    draw(network, generator)
    if any(is_lazy(weights) for weights in network.parameters()):
        return network  # a layer whose size is not known yet has no layout
    return network.to(memory_format=torch.channels_last)


def _module(network: nn.Module) -> nn.Module:
    if not isinstance(network, nn.Module):
        raise ValueError(f"build must return a torch.nn.Module, got {type(network).__name__}")
    return network


def initialize(module: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights of ``module`` from ``generator``, which is on the CPU for every device.

    Convolutions and linear layers: uniform in ±1/√(inputs of a unit), biases too; batch-norm: scale 1, shift 0, mean
    0, variance 1. These are torch's defaults. ValueError for any other kind of layer with weights. A module on the meta
    device has no memory for weights and stays as it is.
    """
    for layer in module.modules():
        if not isinstance(layer, LAYERS) and next(layer.parameters(recurse=False), None) is not None:
            raise ValueError(f"no initialisation is written for {type(layer).__name__}: add it in nasviz/weights.py")
    draw(module, generator)


def draw(module: nn.Module, generator: torch.Generator) -> None:
    """Draw the weights of the layers that `initialize` knows; leave other and frozen weights as they are."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            for weights in (layer._parameters.get(name) for name in ("weight", "bias")):
                if weights is not None and weights.requires_grad and not is_lazy(weights) and not weights.is_meta:
                    bound = layer.weight[0].numel() ** -0.5
                    drawn = torch.empty(weights.shape, device="cpu").uniform_(-bound, bound, generator=generator)
                    weights.data.copy_(drawn)
        elif isinstance(layer, nn.BatchNorm2d) and not any(map(is_lazy, layer.buffers())):
            if layer.affine and not layer.weight.requires_grad:
                continue
            layer.reset_running_stats()
            if layer.affine:
                nn.init.ones_(layer.weight)
                nn.init.zeros_(layer.bias)
    jitter(weights for weights in module.parameters() if not is_lazy(weights))


def jitter(weights: Iterable[Tensor]) -> None:
    """Change each of the ``weights`` by up to one part in 10⁶ if ``NASVIZ_JITTER`` is set; otherwise do nothing.

    Each number in the variable gives other changes, the same at each call. ValueError if it is no whole number.
    """
    asked = os.environ.get("NASVIZ_JITTER", "")
    if not asked:
        return
    if not asked.isdecimal():
        raise ValueError(f"NASVIZ_JITTER must be a whole number such as 1, or not be set; it is {asked!r}")
    generator = torch.Generator().manual_seed(int(asked))
    with torch.no_grad():
        for values in weights:
            if not values.is_meta:
                change = torch.empty(values.shape, device="cpu").uniform_(-JITTER, JITTER, generator=generator)
                values.mul_(1 + change.to(values))
