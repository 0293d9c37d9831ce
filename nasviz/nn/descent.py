"""Descents and learning-rate schedules, each written once: trainings, supernets and predictors take theirs from here.

They are written out because the first use of ``torch.optim`` imports torch's compiler, which takes seconds in each
worker. The controller of a policy has an Adam of its own (`nasviz.nn.controller`), beside the tensors that it saves.

Operations keep their order here: another order rounds differently, and a recorded search would not be found again.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from .cells import Cell

MOMENTUM = 0.9  # of supernets' weights, as in DARTS, SPOS and Once-for-all
CLIP = 5.0  # greatest norm of the gradient of supernets' weights, as in DARTS's code


# ----------------------------------------------------------------------------------------------------------- directions
def heavy_ball(velocity: Tensor, gradient: Tensor) -> Tensor:
    """Return the direction v ← 0.9·v + g of a descent with momentum. Changes ``velocity``.

    Polyak 1964 ("Some methods of speeding up the convergence of iteration methods"); Sutskever et al. 2013, equations 1
    and 2, in torch's form: the learning rate multiplies the velocity, not the gradient in it.
    """
    return velocity.mul_(MOMENTUM).add_(gradient)


def nesterov(velocity: Tensor, gradient: Tensor) -> Tensor:
    """Return the direction g + 0.9·v of Nesterov's momentum, after v ← 0.9·v + g. Changes ``velocity``.

    The source is that of `Nesterov`, which moves the weights of a whole network.
    """
    return gradient.add(heavy_ball(velocity, gradient), alpha=MOMENTUM)


# ------------------------------------------------------------------------------------------------------------- descents
class Nesterov:
    """Stochastic gradient descent with Nesterov momentum and an L2 penalty, on all weights of a network at once.

    With gradient g of the loss: d = g + decay·w, v ← momentum·v + d, w ← w − lr·(d + momentum·v). This is Sutskever et
    al. 2013 ("On the importance of initialization and momentum in deep learning"), equations 3 and 4, in torch's form,
    with the same results as torch's. The weights and their gradients become parts of two long vectors, so that a step
    is a handful of operations, however many layers there are.

    Frozen weights are not touched. A weight that gets no gradient in a step keeps its value and its momentum in that
    step, as in torch. Only the operations that a `Cell` builds and never runs decay nevertheless: the children of
    `WeightInheritance` were always trained so.

    Parameters
    ----------
    network : nn.Module
        Its weights are moved into one vector. ``backward()`` adds to their gradients.
    momentum, decay : float
        Momentum, 0 to below 1, and factor of the L2 penalty.

    Raises
    ------
    ValueError
        If nothing can be trained, or if the weights differ in type or device.
    """

    def __init__(self, network: nn.Module, momentum: float, decay: float):
        self.momentum, self.decay = momentum, decay
        layers = [w for w in network.parameters() if w.requires_grad]
        if len(kinds := {(w.dtype, w.device) for w in layers}) != 1:
            raise ValueError(
                f"the weights to be trained must have one type and one device, these have {kinds or 'none'}"
            )
        starts = np.cumsum([0] + [-(-w.numel() // 16) * 16 for w in layers]).tolist()  # each on a cache line
        like = layers[0].detach()
        self.weights, self.gradient, self.velocity = (like.new_zeros(starts[-1]) for _ in range(3))
        self.slopes: list[Tensor] = []
        self.kept: list[tuple[Tensor, Tensor]] = []  # parts of the weights and of the velocity
        with torch.no_grad():
            for w, start in zip(layers, starts, strict=False):
                place, slope, speed = (
                    vector.as_strided(w.shape, w.stride(), start)
                    for vector in (self.weights, self.gradient, self.velocity)
                )
                w.data = place.copy_(w)
                w.grad = slope.data  # unlike a view, it counts its own changes
                self.slopes.append(w.grad)
                self.kept.append((place, speed))
        cells = [module for module in network.modules() if isinstance(module, Cell)]
        idle = {id(w) for cell in cells for operation in cell.unused() for w in operation.parameters()}
        awake = [i for i, w in enumerate(layers) if id(w) not in idle]
        self.slopes, self.kept = [self.slopes[i] for i in awake], [self.kept[i] for i in awake]
        self.changes = [slope._version for slope in self.slopes]

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Move the weights along the accumulated gradient, and set the gradient to zero."""
        before, self.changes = self.changes, [slope._version for slope in self.slopes]
        resting = [pair for pair, old, new in zip(self.kept, before, self.changes, strict=True) if old == new]
        values = [(part, part.clone()) for pair in resting for part in pair]
        d = self.gradient.add_(self.weights, alpha=self.decay)
        self.velocity.mul_(self.momentum).add_(d)
        self.weights.sub_(d.add_(self.velocity, alpha=self.momentum), alpha=lr)
        self.gradient.zero_()
        for part, value in values:
            part.copy_(value)


def adam(
    weights: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, step: int, lr: float, betas: tuple[float, float]
) -> None:
    """Move ``weights`` by one step of Adam (Kingma & Ba 2015, algorithm 1). Changes ``mean`` and ``square`` too.

    Parameters
    ----------
    weights, gradient, mean, square : Tensor
        The weights, their gradient, and its two moving averages, of one shape. The averages are 0 before the first
        step.
    step : int
        Number of this step, from 1.
    lr : float
    betas : (float, float)
        The averages' shares of old values, 0 to below 1.
    """
    beta1, beta2 = betas
    mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
    square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    m, v = mean / (1 - beta1**step), square / (1 - beta2**step)
    weights -= lr * m / (v.sqrt() + 1e-8)


def adam_with_decay(
    weights: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, step: int, lr: float, decay: float
) -> None:
    """Move ``weights`` by one step of AdamW (Loshchilov & Hutter 2019, algorithm 2): the decay is no part of g.

    Parameters as of `adam`, with betas 0.9 and 0.999; ``decay`` is the share of the weights, times lr, that a step
    takes away.
    """
    mean.lerp_(gradient, 0.1)
    square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    direction = (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
    weights.mul_(1 - lr * decay).sub_(direction, alpha=lr)


# ------------------------------------------------------------------------------------------------------------ schedules
def cosine(step: float, steps: float) -> float:
    """Return the learning rate's factor, along half a cosine from 1 at step 0 to 0 at ``steps``.

    Loshchilov & Hutter 2017 ("SGDR"), equation 5, with the rates 1 and 0 and without restarts.
    """
    return 0.5 * (1 + math.cos(math.pi * step / steps))


def cosine_between(first: float, last: float, share: float) -> float:
    """Return the learning rate, along half a cosine from ``first`` at share 0 to ``last`` at share 1.

    Loshchilov & Hutter 2017 ("SGDR"), equation 5, without restarts.
    """
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


def linear(step: float, steps: float) -> float:
    """Return the learning rate's factor, along a line from 1 at step 0 to 0 at ``steps``.

    Zhang et al. 2018 ("ShuffleNet"), section 4, with whose settings SPOS trains its supernet.
    """
    return 1 - step / steps


def exponential(step: float, steps: float, fall: float, floor: float) -> float:
    """Return the learning rate's factor e^(−fall·step/steps), but never less than ``floor``.

    Yu et al. 2020 ("BigNAS"), section 3.1: an exponential decay that ends in a constant rate of 5 %.
    """
    return max(floor, math.exp(-fall * step / steps))
