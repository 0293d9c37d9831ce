"""What another processor would do to a training: first weights that differ in their sixth digit.

Processors add up in different orders and round differently. A training amplifies that, so that the same seed gives
another network on another machine. The variable ``NASVIZ_JITTER`` brings such a machine here: `python -m nasviz.edition
claims` sets it to see whether what a lab says survives.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from torch import Tensor

SIZE = 1e-6  # relative; float32 itself rounds at 6e-8


def jitter(weights: Iterable[Tensor]) -> None:
    """Change each of the ``weights`` by up to one part in 10⁶, where ``NASVIZ_JITTER`` is a number; else nothing.

    Each number gives other changes, the same at each call. ValueError where it is no whole number.
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
                change = torch.empty(values.shape, device="cpu").uniform_(-SIZE, SIZE, generator=generator)
                values.mul_(1 + change.to(values))
