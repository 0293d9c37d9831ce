"""Descents and learning-rate schedules, each written once: trainings, supernets and predictors take theirs from here.

They are written out because the first use of ``torch.optim`` imports torch's compiler, which takes seconds in each
worker. The controller of a policy has an Adam of its own (`nasviz.nn.controller`), beside the tensors that it saves.

Operations keep their order here: another order rounds differently, and a recorded search would not be found again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from .cells import Cell

MOMENTUM = 0.9  # of supernets' weights, as in DARTS, SPOS and Once-for-all
CLIP = 5.0  # greatest norm of the gradient of supernets' weights, as in DARTS's code
ADAM_CLIP = 1.0  # the same where AdamW trains a transformer
SHORT = 0.98  # the second beta of AdamW there
WARM = 0.1  # share of a supernet's steps in which AdamW's learning rate rises
OPTIMIZERS = ("sgd", "adamw")


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
class _Whole:
    """A descent of all weights of a network at once: they and their gradients become parts of two long vectors.

    So a step is a handful of operations, however many layers there are. Frozen weights are not touched. A weight that
    gets no gradient in a step keeps its value and its ``moments`` in that step, as in torch.
    """

    moments: tuple[Tensor, ...]  # long vectors that a step changes besides the weights

    def __init__(self, network: nn.Module, moments: int):
        layers = [w for w in network.parameters() if w.requires_grad]
        if len(kinds := {(w.dtype, w.device) for w in layers}) != 1:
            raise ValueError(
                f"the weights to be trained must have one type and one device, these have {kinds or 'none'}"
            )
        starts = np.cumsum([0] + [-(-w.numel() // 16) * 16 for w in layers]).tolist()  # each on a cache line
        like = layers[0].detach()
        self.weights, self.gradient = (like.new_zeros(starts[-1]) for _ in range(2))
        self.steps = 0
        self.moments = tuple(like.new_zeros(starts[-1]) for _ in range(moments))
        self.slopes: list[Tensor] = []
        self.kept: list[tuple[Tensor, ...]] = []  # parts of the weights and of the moments
        with torch.no_grad():
            for w, start in zip(layers, starts, strict=False):
                place, slope, *moved = (
                    vector.as_strided(w.shape, w.stride(), start)
                    for vector in (self.weights, self.gradient, *self.moments)
                )
                w.data = place.copy_(w)
                w.grad = slope.data  # unlike a view, it counts its own changes
                self.slopes.append(w.grad)
                self.kept.append((place, *moved))
        cells = [module for module in network.modules() if isinstance(module, Cell)]
        idle = {id(w) for cell in cells for operation in cell.unused() for w in operation.parameters()}
        awake = [i for i, w in enumerate(layers) if id(w) not in idle]
        self.slopes, self.kept = [self.slopes[i] for i in awake], [self.kept[i] for i in awake]
        self.changes = [slope._version for slope in self.slopes]

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Move the weights along the accumulated gradient, and set the gradient to zero."""
        before, self.changes = self.changes, [slope._version for slope in self.slopes]
        resting = [parts for parts, old, new in zip(self.kept, before, self.changes, strict=True) if old == new]
        values = [(part, part.clone()) for parts in resting for part in parts]
        self.steps += 1
        self.move(lr)
        self.gradient.zero_()
        for part, value in values:
            part.copy_(value)

    def move(self, lr: float) -> None:
        """Change the weights and the moments; the gradient may be changed too."""
        raise NotImplementedError(f"{type(self).__name__} moves nothing: write move(lr)")


class Nesterov(_Whole):
    """Stochastic gradient descent with Nesterov momentum and an L2 penalty, on all weights of a network at once.

    With gradient g of the loss: d = g + decay·w, v ← momentum·v + d, w ← w − lr·(d + momentum·v). This is Sutskever et
    al. 2013 ("On the importance of initialization and momentum in deep learning"), equations 3 and 4, in torch's form,
    with the same results as torch's. The weights and their gradients become parts of two long vectors.

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
        super().__init__(network, moments=1)
        self.momentum, self.decay = momentum, decay

    def move(self, lr: float) -> None:
        """Move the weights by one step."""
        (velocity,) = self.moments
        d = self.gradient.add_(self.weights, alpha=self.decay)
        velocity.mul_(self.momentum).add_(d)
        self.weights.sub_(d.add_(velocity, alpha=self.momentum), alpha=lr)


class AdamW(_Whole):
    """AdamW on all weights of a network at once, with what small transformers are usually trained with.

    The step is that of `adam_with_decay`, with betas 0.9 and 0.98: trainings of a few hundred steps do not see a mean
    over 1,000. Only matrices and filters decay, not biases and norms. The gradient is cut to norm 1 before.

    Parameters and errors are those of `Nesterov`, whose description of frozen weights and of weights without a gradient
    holds here too.
    """

    def __init__(self, network: nn.Module, decay: float, clip: float = ADAM_CLIP):
        super().__init__(network, moments=2)
        self.clip = clip
        self.decay = torch.zeros_like(self.weights)
        for (place, *_), slope in zip(self.kept, self.slopes, strict=True):
            if slope.ndim > 1:
                self.decay.as_strided(place.shape, place.stride(), place.storage_offset()).fill_(decay)

    def move(self, lr: float) -> None:
        """Move the weights by one step."""
        mean, square = self.moments
        self.gradient.mul_((self.clip / (self.gradient.norm() + 1e-6)).clamp(max=1.0))
        adam_with_decay(self.weights, self.gradient, mean, square, self.steps, lr, self.decay, SHORT)


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
    weights: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    step: int,
    lr: float,
    decay: float | Tensor,
    beta: float = 0.999,
) -> None:
    """Move ``weights`` by one step of AdamW (Loshchilov & Hutter 2019, algorithm 2): the decay is no part of g.

    Parameters as of `adam`, with betas 0.9 and ``beta``; ``decay`` is the share of the weights, times lr, that a step
    takes away: one number, or one for each weight.
    """
    mean.lerp_(gradient, 0.1)
    square.mul_(beta).addcmul_(gradient, gradient, value=round(1 - beta, 9))  # 0.001, not 0.0010000000000000009
    direction = (mean / (1 - 0.9**step)) / ((square / (1 - beta**step)).sqrt() + 1e-8)
    weights.mul_(1 - lr * decay).sub_(direction, alpha=lr)


def move_used(
    weights: Mapping[str, Tensor],
    velocity: Mapping[str, Tensor],
    square: Mapping[str, Tensor],
    lr: float,
    decay: float,
    momentum: Callable[[Tensor, Tensor], Tensor],
    step: int,
) -> None:
    """Move the weights of a supernet that have a gradient by one step, and take the gradient from them.

    The others stay as they are: no decay, no momentum. With ``square``, the step is AdamW's, and cuts the gradients to
    norm `ADAM_CLIP`; without, it is that of ``momentum``, and cuts them to norm `CLIP`.
    """
    used = [(name, w, slope) for name, w in weights.items() if (slope := w.grad) is not None]
    torch.nn.utils.clip_grad_norm_([w for _, w, _ in used], ADAM_CLIP if square else CLIP)
    with torch.no_grad():
        for name, w, slope in used:
            if square:
                share = decay if w.ndim > 1 else 0.0  # biases and norms do not decay
                adam_with_decay(w, slope, velocity[name], square[name], step, lr, share, SHORT)
            else:
                w.sub_(momentum(velocity[name], slope.add_(w, alpha=decay)), alpha=lr)
            w.grad = None


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


def warmed(step: float, steps: float, share: float) -> float:
    """Return the learning rate's factor in a warm-up: it rises to 1 along a line over the first ``share`` of the steps.

    Goyal et al. 2017 ("Accurate, large minibatch SGD"), section 2.2; transformers are hardly trained without one.
    """
    return min(1.0, (step + 1) / (share * steps)) if share * steps >= 1 else 1.0


def exponential(step: float, steps: float, fall: float, floor: float) -> float:
    """Return the learning rate's factor e^(−fall·step/steps), but never less than ``floor``.

    Yu et al. 2020 ("BigNAS"), section 3.1: an exponential decay that ends in a constant rate of 5 %.
    """
    return max(floor, math.exp(-fall * step / steps))
