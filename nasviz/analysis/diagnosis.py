"""Measurements of a supernet and its architecture weights: sharpness, entropy, skips, gaps, gradients.

Functions that need a loss take ``loss(alphas) -> scalar tensor`` and α; `validation_loss` makes the loss that a search
like DARTS descends:

    >>> search = replace(darts, start=step.state).begin()  # doctest: +SKIP
    >>> loss = validation_loss(darts, search)  # doctest: +SKIP
    >>> dominant_eigenvalue(loss, search.alphas)  # doctest: +SKIP
    0.41
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .._old_names import renamed
from ..nn.threads import one_thread
from ..space import Arch, SearchSpace

Loss = Callable
SKIP = "skip_connect"
__getattr__ = renamed(__name__)  # old names


# ------------------------------------------------------------------------------------------------ the loss around alpha
def validation_loss(strategy, search, images: int | None = None) -> Loss:
    """Return ``loss(alphas)`` on the first ``images`` of the search's validation half (None: all), at present weights.

    ``strategy``: a `nasviz.strategies.Darts`; ``search``: its `Bilevel`. For batch-norm, all images are one batch.
    """
    batch, draws = type(search.valid)(*(part[:images] for part in search.valid)), _draws(strategy, search)

    def loss(alphas):
        with one_thread(), draws():  # the same dropout at each α
            return strategy.alpha_loss(search, alphas, batch)[0]

    return loss


def _draws(strategy, search):
    from ..chance import Draws

    return Draws(search.network, strategy.seed)


def hessian_product(loss: Loss, alphas) -> Callable:
    """Return ``product(vector) -> H vector``, where H is the matrix of second derivatives of the loss at α.

    Vectors have the shape of α. The product is the derivative of ⟨gradient, vector⟩ (Pearlmutter 1994), so that H
    itself is never computed. ``product(vectors, batched=True)`` takes several, along a first axis.
    """
    import torch

    from ..nn.by_hand import twice

    with one_thread(), torch.enable_grad(), twice():
        at = alphas.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(at), [at], create_graph=True)

    def product(vector, batched=False):
        with one_thread():
            return torch.autograd.grad(
                gradient, [at], vector.to(gradient), retain_graph=True, is_grads_batched=batched
            )[0]

    return product


def hessian(loss: Loss, alphas, at_once: int = 1) -> np.ndarray:
    """Compute the symmetric matrix of second derivatives of the loss in α, of shape (numbers in α)².

    This takes one Hessian product for each number in α: some seconds for the 30 numbers of NAS-Bench-201's cell.
    ``at_once`` of these products are computed together. With few images that is up to three times as fast; the memory
    for their gradients grows alike.
    """
    import torch

    product, size = hessian_product(loss, alphas), alphas.numel()
    units = torch.eye(size, dtype=alphas.dtype).view(size, *alphas.shape)
    matrix = torch.cat([product(some, batched=True) for some in units.split(at_once)]).flatten(1).double().numpy()
    return (matrix + matrix.T) / 2


def dominant_eigenvalue(loss: Loss, alphas, *, iterations: int = 30, tolerance: float = 1e-2, seed: int = 0) -> float:
    """Find the eigenvalue of largest magnitude of the loss's Hessian in α: Zela et al. 2020, section 4.

    The method is power iteration. The eigenvalue is the curvature of the loss in its most curved direction. If it is
    large, the loss can rise a lot when α moves a little, for instance to a corner, where every edge keeps one
    operation.

    Parameters
    ----------
    loss : callable
    alphas : Tensor
    iterations : int
        Largest number of Hessian-vector products.
    tolerance : float
        The iteration ends when the value changes by less than this share of itself.
    seed : int
        Seed of the first direction.

    Returns
    -------
    float
        The eigenvalue with its sign. If the two largest are close, it may be near either of them; |value| is never too
        large.
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
    """Draw two random directions at right angles, of length 1 and of the shape of α."""
    import torch

    draws = torch.randn(2, alphas.numel(), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    basis, _ = torch.linalg.qr(draws.T)
    return [column.view(alphas.shape).to(alphas.dtype) for column in basis.T]


def sharpest(loss: Loss, alphas):
    """Return the two directions of largest curvature, from `hessian`: eigenvectors of length 1, of the shape of α."""
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
        Distances by which α is moved along each direction.
    losses : array (n, n)
        ``losses[i, j]``: the loss after a move by ``steps[j]`` along the first direction and ``steps[i]`` along the
        second. The entry in the middle is the loss at α itself.
    """

    steps: np.ndarray
    losses: np.ndarray


def loss_surface(loss: Loss, alphas, along: Sequence | None = None, *, reach: float = 1.0, points: int = 11) -> Surface:
    """Compute the loss at ``points`` × ``points`` places around α, up to ``reach`` along two directions.

    The default directions are `directions`. ValueError for an even number of points, or less than 3: α must be in the
    middle.
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
    """Return the mean entropy of the edges' weights, nats: ln(operations) at the start, 0 if all edges are decided."""
    weights = np.asarray(weights, dtype=float)
    return float(-(weights * np.log(np.clip(weights, 1e-12, None))).sum(1).mean())


def skip_share(space: SearchSpace, weights) -> float:
    """Return the share of the skip connections in the weights of an edge, 0 to 1: the mean over the edges."""
    rows = zip(np.asarray(weights, dtype=float), space.relaxed, strict=True)
    return float(np.mean([sum(w for w, op in zip(row, edge.options, strict=True) if op == SKIP) for row, edge in rows]))


def skips(space: SearchSpace, arch: Arch) -> int:
    """Count the edges of the architecture's cells that are skip connections."""
    return sum(edge.op == SKIP for graph in space.cells(arch).values() for edge in graph.edges)


def supernet_weights(space: SearchSpace, arch: Arch) -> np.ndarray:
    """Return the architecture as weights of the supernet, (edges, operations): 1 for its own operations, else 0."""
    weights, open_cells = np.zeros((len(space.relaxed), len(space.relaxed[0].options)), np.float32), space.cells()
    for cell, graph in space.cells(arch).items():
        rows = {(edge.source, edge.target): edge.choice for edge in open_cells[cell].edges}
        for edge in graph.edges:
            if edge.op is not None:
                row = rows[edge.source, edge.target]
                weights[row, space.relaxed[row].options.index(edge.op)] = 1
    return weights


# --------------------------------------------------------------------------------------------- outputs of the supernet
@dataclass(frozen=True)
class Gap:
    """The accuracies (0 to 1) of the same supernet weights with the mixture and with the discretised cell alone."""

    mixture: float
    discrete: float

    @property
    def points(self) -> float:
        """The loss of accuracy by discretisation, in percentage points."""
        return 100 * (self.mixture - self.discrete)


def discretisation_gap(strategy, search, images: int | None = None) -> Gap:
    """Measure accuracy on the first ``images`` of the validation half (None: all) before and after discretisation.

    The weights stay those of the supernet. The gap thus shows how far the mixture is from its discretised cell, not how
    good this cell is after a training of its own.
    """
    import torch

    alphas = search.alphas.detach()
    arch = strategy.space.discretize(strategy.strengths(alphas).numpy())
    chosen = torch.from_numpy(supernet_weights(strategy.space, arch))
    inputs, labels = (part[:images] for part in search.valid)
    with one_thread(), torch.no_grad(), _draws(strategy, search)():
        accuracies = [
            (search.network(inputs, weights).argmax(1) == labels).double().mean().item()
            for weights in (strategy.mixture(search, alphas), chosen)
        ]
    return Gap(*accuracies)


def right_without(strategy, search, images: int | None = None) -> np.ndarray:
    """Count the images that the supernet classifies right when one operation is taken away.

    This is how `nasviz.strategies.DartsPT` measures an operation (Wang et al. 2021): its weight becomes 0, and all
    other weights stay. The operation whose absence costs most is worth most.

    Parameters
    ----------
    strategy : Darts
    search : Bilevel
        Its state.
    images : int, optional
        The count is over the first so many images of the validation half (None: all).

    Returns
    -------
    int array (edges, operations)
        How many of these images are right without the operation. Equal numbers on an edge are a tie.
    """
    import torch

    inputs, labels = (part[:images] for part in search.valid)
    with one_thread(), torch.no_grad(), _draws(strategy, search)():
        weights = strategy.mixture(search, search.alphas.detach())
        counts = np.zeros(tuple(weights.shape), int)
        for edge, option in np.ndindex(counts.shape):
            cut = weights.clone()
            cut[edge, option] = 0
            counts[edge, option] = (search.network(inputs, cut).argmax(1) == labels).sum().item()
    return counts


def operation_gradients(strategy, search, images: int | None = None) -> np.ndarray:
    """Return the first-order importance of each operation: |∂ validation loss / ∂ its weight in the mixture|.

    Shape (edges, operations), in nats for each unit of weight. The loss is that on the first ``images`` of the
    validation half (None: all).
    """
    import torch
    from torch.nn import functional as F

    inputs, labels = (part[:images] for part in search.valid)
    with one_thread(), _draws(strategy, search)():
        weights = strategy.mixture(search, search.alphas.detach()).clone().requires_grad_()
        loss = F.cross_entropy(search.network(inputs, weights), labels)
        (gradient,) = torch.autograd.grad(loss, [weights])
    return gradient.abs().numpy()
