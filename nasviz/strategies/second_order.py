"""Second-order DARTS: α descends the loss after one further step of the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from ..nn.by_hand import twice
from ..nn.descent import MOMENTUM
from .bilevel import Batch, Bilevel
from .darts import Darts

RADIUS = 0.01  # how far w moves for a finite difference


@dataclass
class SecondOrderDarts(Darts):
    """Second-order DARTS: Liu, Simonyan & Yang 2019, algorithm 1 with ξ > 0.

    The optimal weights w*(α) are approximated by w' = w - ξ ∇_w L_train(w, α), one step of descent (eq. 6), and α
    descends L_valid(w', α) *including* what it does to w' (eq. 7):

        ∇_α L_valid(w', α) - ξ ∇²_{α,w} L_train(w, α) ∇_w' L_valid(w', α)

    The product of a matrix of mixed second derivatives and a vector v is a finite difference of first derivatives (eq.
    8): (∇_α L_train(w + εv, α) - ∇_α L_train(w - εv, α)) / 2ε, with ε = 0.01 / ‖v‖. That costs five gradients a step
    where the first order costs two.

    Parameters
    ----------
    exact : bool
        True computes the product by differentiating twice, not by the finite difference that approximates it. This is
        slower, and keeps all of the first derivative's intermediate results in memory.

    Notes
    -----
    As in the authors' code, ξ is the learning rate of w, and w' is w after the step that it would take: with momentum
    and weight decay, but without the limit on the gradient's norm. The other fields are those of `Darts`. Steps show
    the validation loss and accuracy at w'.
    """

    exact: bool = False

    def alpha_gradient(self, search: Bilevel, train: Batch, valid: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradient in α by eq. 7, and the validation loss and the logits at w'."""
        rate, before = self.rate(search), search.weights.clone()
        (slope,) = search.slopes(self.weight_loss(search, search.alphas.detach(), train))
        search.weights.sub_(slope + MOMENTUM * search.velocity + self.weight_decay * before, alpha=rate)
        loss, logits = self.alpha_loss(search, search.alphas, valid)
        vector, gradient = search.slopes(loss, search.alphas)
        search.weights.copy_(before)
        product = self._exact if self.exact else self._difference
        return gradient - rate * product(search, train, vector), loss.detach(), logits.detach()

    def _difference(self, search: Bilevel, train: Batch, vector: Tensor) -> Tensor:
        """Return ∇²_{α,w} L_train(w, α) · vector by eq. 8."""
        before, epsilon = search.weights.clone(), RADIUS / vector.norm()
        gradients: list[Tensor] = []
        for sign in (1, -1):
            search.weights.copy_(before + sign * epsilon * vector)
            loss = self.weight_loss(search, search.alphas, train)
            gradients += torch.autograd.grad(loss, [search.alphas])
        search.weights.copy_(before)
        return (gradients[0] - gradients[1]) / (2 * epsilon.to(gradients[0].device))

    def _exact(self, search: Bilevel, train: Batch, vector: Tensor) -> Tensor:
        """Return the same product as `_difference`, by the derivative of ⟨∇_w L_train(w, α), vector⟩ in α."""
        layers = search.layers
        with twice():
            loss = self.weight_loss(search, search.alphas, train)
        slopes = torch.autograd.grad(loss, layers, create_graph=True)
        along = sum((slope * part).sum() for slope, part in zip(slopes, search.parts(vector), strict=True))
        return torch.autograd.grad(cast("Tensor", along), [search.alphas])[0]
