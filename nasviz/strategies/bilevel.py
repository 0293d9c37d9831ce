"""The state of a DARTS-like search: two halves of the data, the supernet's weights, α, and the descent of both."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from .._old_names import renamed
from ..nn.descent import CLIP, adam, heavy_ball
from ..nn.gpu import to_device

if TYPE_CHECKING:
    from ..nn.gpu import Graphed

ALPHA_BETAS, ALPHA_DECAY = (0.5, 0.999), 1e-3  # of Adam on α
__getattr__ = renamed(__name__)  # old names


class Batch(NamedTuple):
    """Images (batch, colors, height, width) and their labels (batch)."""

    images: Tensor
    labels: Tensor


class Bilevel:
    """Everything that changes during a search: weights, α, the state of both optimisers, the generator, epochs done.

    The network's weights are parts of one vector, and so are their gradients: a descent is a handful of operations,
    whatever the number of layers. (``torch.optim``, at its first use, takes seconds to import torch's compiler.)

    Parameters
    ----------
    network : nn.Module
        The supernet: ``network(images, weights)``.
    alphas : Tensor
        The architecture parameters at the start.
    train, valid : Batch
        The halves on which w and α learn. The network, w and its momentum are on the device of these tensors; α, a few
        hundred numbers that strategies change freely, stays on the CPU.
    generator : torch.Generator
        The source of every random number from here on.

    Attributes
    ----------
    layers : list of Parameter
        The weights that are not frozen.
    weights, gradient, velocity : Tensor
        All these weights as one vector, their gradient (to which ``backward()`` adds), and the momentum.
    steps, epoch : int
        Descents of α so far; epochs done.
    memory : dict of str to Tensor
        What a strategy must still know after the process was killed: of fixed shapes, filled before the first step.
    """

    recorded: dict[str, Graphed]  # of `nasviz.strategies.darts_cuda_graphs` alone

    def __init__(self, network: nn.Module, alphas: Tensor, train: Batch, valid: Batch, generator: torch.Generator):
        self.network = to_device(network, train.images.device)
        self.layers = [weights for weights in network.parameters() if weights.requires_grad]
        self.train, self.valid, self.generator = train, valid, generator
        self.alphas = alphas.requires_grad_()
        self.mean, self.square = torch.zeros_like(alphas), torch.zeros_like(alphas)
        self.steps = self.epoch = 0
        self.memory: dict[str, Tensor] = {}
        layers = self.layers
        self._starts = [0, *accumulate(-(-layer.numel() // 16) * 16 for layer in layers)]  # each on a cache line
        like = layers[0] if layers else alphas
        self.weights, self.gradient, self.velocity = (like.new_zeros(self._starts[-1]) for _ in range(3))
        for layer, weight, grad in zip(layers, self.parts(self.weights), self.parts(self.gradient), strict=True):
            layer.data = weight.copy_(layer.detach())
            layer.grad = grad

    def parts(self, vector: Tensor) -> list[Tensor]:
        """Return views of a vector like `weights`, in the shapes of the network's layers."""
        return [
            vector.as_strided(layer.shape, layer.stride(), start)
            for layer, start in zip(self.layers, self._starts, strict=False)
        ]

    def slopes(self, loss: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        """Return a loss's gradient in all weights, as one vector like `weights`, then its gradients in ``others``."""
        layers, vector = self.layers, torch.zeros_like(self.weights)
        gradients = torch.autograd.grad(loss, [*layers, *others])
        torch._foreach_copy_(self.parts(vector), gradients[: len(layers)])
        return vector, *gradients[len(layers) :]

    def batches(self, size: int) -> Iterator[tuple[Batch, Batch]]:
        """Yield the batches of an epoch (train, valid): each half in a newly drawn order, in whole batches."""
        orders = []
        for half in (self.train, self.valid):
            order = torch.randperm(len(half.labels), generator=self.generator)
            orders.append(order[: len(order) // size * size].split(size))
        for of_train, of_valid in zip(*orders, strict=True):
            yield (
                Batch(self.train.images[of_train], self.train.labels[of_train]),
                Batch(self.valid.images[of_valid], self.valid.labels[of_valid]),
            )

    @torch.no_grad()
    def descend_alphas(self, gradient: Tensor, lr: float) -> None:
        """Move α by one step of `adam` with an L2 penalty."""
        self.steps += 1
        gradient = gradient + ALPHA_DECAY * self.alphas
        adam(self.alphas, gradient, self.mean, self.square, self.steps, lr, ALPHA_BETAS)

    @torch.no_grad()
    def descend_weights(self, lr: float, decay: float) -> None:
        """Move w by a step of gradient descent with momentum and L2 penalty, and set the gradient to 0 again."""
        self.gradient *= (CLIP / self.gradient.norm()).clamp(max=1)  # not an `if`, for which a GPU would have to wait
        self.weights.sub_(heavy_ball(self.velocity, self.gradient.add_(self.weights, alpha=decay)), alpha=lr)
        self.gradient.zero_()

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {name: getattr(self, name).detach() for name in ("alphas", "mean", "square", "weights", "velocity")}
        tensors |= {f"memory.{name}": tensor for name, tensor in self.memory.items()}
        counts = torch.tensor([self.steps, self.epoch])
        return tensors | {"steps, epoch": counts, "generator": self.generator.get_state()}

    def pack(self) -> bytes:
        """Return the state as safetensors."""
        from safetensors.torch import save

        return save(self._tensors())

    def unpack(self, state: bytes) -> None:
        """Restore a state that `pack` made. ValueError if the state belongs to another search."""
        from safetensors import SafetensorError
        from safetensors.torch import load

        try:
            saved = load(state)
        except SafetensorError as error:
            raise ValueError(f"start is no state of a search: {error}") from None
        mine = self._tensors()
        shapes, others = ({name: (*t.shape, t.dtype) for name, t in tensors.items()} for tensors in (mine, saved))
        if differs := sorted(n for n in shapes | others if shapes.get(n) != others.get(n)):
            raise ValueError(f"start is the state of another search: it differs in {', '.join(differs)}")
        for name in mine.keys() - {"steps, epoch", "generator"}:
            mine[name].copy_(saved[name])
        self.steps, self.epoch = saved["steps, epoch"].tolist()
        self.generator.set_state(saved["generator"])
