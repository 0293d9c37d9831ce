"""What is measured about a supernet and its architecture weights: sharpness, entropy, skips, gaps, gradients.

All that a loss is needed for takes ``loss(alphas) -> scalar tensor`` and α; `validation_loss` makes the one that a
DARTS-like search descends:

    >>> search = replace(darts, start=step.state).begin()  # doctest: +SKIP
    >>> loss = validation_loss(darts, search)  # doctest: +SKIP
    >>> dominant_eigenvalue(loss, search.alphas)  # doctest: +SKIP
    0.41
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..nn.threads import one_thread
from ..space import Arch, SearchSpace

Loss = Callable
SKIP = "skip_connect"


# ------------------------------------------------------------------------------------------------ the loss around alpha
def validation_loss(strategy, search, images: int | None = None) -> Loss:
    """``loss(alphas)`` on the first ``images`` of the search's validation half (None: all), at its present weights.

    ``strategy``: a `nasviz.strategies.Darts`; ``search``: its `Bilevel`. The batch-norms see all images as one batch.
    """
    batch = type(search.valid)(*(part[:images] for part in search.valid))

    def loss(alphas):
        with one_thread():
            return strategy.alpha_loss(search, alphas, batch)[0]

    return loss


def hessian_product(loss: Loss, alphas) -> Callable:
    """``product(vector) -> H vector`` with H the second derivatives of the loss at α; shapes as α.

    The derivative of ⟨gradient, vector⟩ (Pearlmutter 1994), so that H is never written down.
    """
    import torch

    with one_thread(), torch.enable_grad():
        at = alphas.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(at), [at], create_graph=True)

    def product(vector):
        with one_thread():
            return torch.autograd.grad(gradient, [at], vector.to(gradient), retain_graph=True)[0]

    return product


def hessian(loss: Loss, alphas) -> np.ndarray:
    """The symmetric matrix of second derivatives of the loss in α, (numbers in α)². As many products as α has numbers:
    some seconds for the 30 of NAS-Bench-201's cell."""
    import torch

    product, size = hessian_product(loss, alphas), alphas.numel()
    rows = [product(row.view(alphas.shape)).flatten() for row in torch.eye(size, dtype=alphas.dtype)]
    matrix = torch.stack(rows).double().numpy()
    return (matrix + matrix.T) / 2


def dominant_eigenvalue(loss: Loss, alphas, *, iterations: int = 30, tolerance: float = 1e-2, seed: int = 0) -> float:
    """The eigenvalue of largest magnitude of the loss's Hessian in α, by power iteration: Zela et al. 2020, section 4.

    It says how sharply the loss bends where it bends most: how much it can rise when α moves by a little, for instance
    to a corner, where every edge keeps one operation.

    Parameters
    ----------
    loss : callable
    alphas : Tensor
    iterations : int
        At most so many Hessian-vector products.
    tolerance : float
        Ends when the value changes by less than this share of itself.
    seed : int
        Of the first direction.

    Returns
    -------
    float
        With its sign. Where the two largest are close, of either: an estimate from inside, |value| never too large.
    """
    import torch

    product = hessian_product(loss, alphas)
    vector = torch.randn(alphas.shape, generator=torch.Generator().manual_seed(seed), dtype=alphas.dtype)
    value = 0.0
    for _ in range(iterations):
        vector = vector / vector.norm()
        image = product(vector)
        before, value = value, float((vector * image).sum())
        if not image.norm() > 0 or abs(value - before) < tolerance * abs(value):
            break
        vector = image
    return value


def directions(alphas, seed: int = 0):
    """Two random directions at right angles, of length 1, shapes as α."""
    import torch

    draws = torch.randn(2, alphas.numel(), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    basis, _ = torch.linalg.qr(draws.T)
    return [column.view(alphas.shape).to(alphas.dtype) for column in basis.T]


def sharpest(loss: Loss, alphas):
    """The two directions in which the loss bends most, by `hessian`: eigenvectors of length 1, shapes as α."""
    import torch

    values, vectors = np.linalg.eigh(hessian(loss, alphas))
    chosen = np.argsort(-np.abs(values))[:2]
    return [torch.from_numpy(vectors[:, i].copy()).to(alphas.dtype).view(alphas.shape) for i in chosen]


@dataclass(frozen=True)
class Surface:
    """The loss on a square of a plane through α.

    Attributes
    ----------
    steps : array (n,)
        How far α is moved along each direction.
    losses : array (n, n)
        ``losses[i, j]``: moved by ``steps[j]`` along the first direction and ``steps[i]`` along the second; the middle
        is α itself.
    """

    steps: np.ndarray
    losses: np.ndarray


def loss_surface(loss: Loss, alphas, along: Sequence | None = None, *, reach: float = 1.0, points: int = 11) -> Surface:
    """The loss at ``points`` × ``points`` places around α, up to ``reach`` along two directions (None: `directions`).

    ValueError for an even number of points, or less than 3: α must be in the middle.
    """
    import torch

    if points < 3 or points % 2 == 0:
        raise ValueError(f"points must be odd, from 3, so that α is in the middle; got {points}")
    first, second = directions(alphas) if along is None else along
    steps, start = np.linspace(-reach, reach, points), alphas.detach()
    with torch.no_grad():
        losses = [[float(loss(start + float(a) * first + float(b) * second)) for a in steps] for b in steps]
    return Surface(steps, np.array(losses))


# ----------------------------------------------------------------------------------------------- the weights themselves
def entropy(weights) -> float:
    """Mean entropy of the edges' weights, nats: ln(operations) at the start, 0 when every edge has decided."""
    weights = np.asarray(weights, dtype=float)
    return float(-(weights * np.log(np.clip(weights, 1e-12, None))).sum(1).mean())


def skip_share(space: SearchSpace, weights) -> float:
    """Share of the skip connections in all weight, 0 to 1: the mean over the edges."""
    rows = zip(np.asarray(weights, dtype=float), space.relaxed, strict=True)
    return float(np.mean([sum(w for w, op in zip(row, edge.options, strict=True) if op == SKIP) for row, edge in rows]))


def skips(space: SearchSpace, arch: Arch) -> int:
    """Edges of the architecture's cells that are skip connections."""
    return sum(edge.op == SKIP for graph in space.cells(arch).values() for edge in graph.edges)


def one_hot(space: SearchSpace, arch: Arch) -> np.ndarray:
    """The architecture as weights of the supernet, (edges, operations): 1 for what it keeps, 0 for all else."""
    weights, open_cells = np.zeros((len(space.relaxed), len(space.relaxed[0].options)), np.float32), space.cells()
    for cell, graph in space.cells(arch).items():
        rows = {(edge.source, edge.target): edge.choice for edge in open_cells[cell].edges}
        for edge in graph.edges:
            if edge.op is not None:
                row = rows[edge.source, edge.target]
                weights[row, space.relaxed[row].options.index(edge.op)] = 1
    return weights


# ----------------------------------------------------------------------------------------------- what the supernet does
@dataclass(frozen=True)
class Gap:
    """Accuracy (0 to 1) of the supernet's weights with the mixture and with the discretised cell alone."""

    mixture: float
    discrete: float

    @property
    def points(self) -> float:
        """What discretising costs, percentage points."""
        return 100 * (self.mixture - self.discrete)


def discretisation_gap(strategy, search, images: int | None = None) -> Gap:
    """Accuracy on the first ``images`` of the validation half (None: all), just before and just after discretising.

    The weights stay those of the supernet: this says how far the mixture is from the cell that is read off it, not how
    good that cell is once trained by itself.
    """
    import torch

    alphas = search.alphas.detach()
    arch = strategy.space.discretize(strategy.strengths(alphas).numpy())
    chosen = torch.from_numpy(one_hot(strategy.space, arch))
    inputs, labels = (part[:images] for part in search.valid)
    with one_thread(), torch.no_grad():
        accuracies = [
            (search.network(inputs, weights).argmax(1) == labels).double().mean().item()
            for weights in (strategy.mixture(search, alphas), chosen)
        ]
    return Gap(*accuracies)


def operation_gradients(strategy, search, images: int | None = None) -> np.ndarray:
    """How much each operation matters to first order: |∂ validation loss / ∂ its weight in the mixture|.

    (edges, operations), nats for each unit of weight, at the first ``images`` of the validation half (None: all).
    """
    import torch
    from torch.nn import functional as F

    inputs, labels = (part[:images] for part in search.valid)
    with one_thread():
        weights = strategy.mixture(search, search.alphas.detach()).clone().requires_grad_()
        loss = F.cross_entropy(search.network(inputs, weights), labels)
        (gradient,) = torch.autograd.grad(loss, [weights])
    return gradient.abs().numpy()
