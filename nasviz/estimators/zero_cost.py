"""Zero-cost scores: scores of an untrained network, computed on one batch.

Each score is a function ``score(network, images, labels) -> float`` with its paper's equation in the docstring. A
greater score should be better. The conventions are those of Abdelfattah et al. 2021 ("Zero-cost proxies for lightweight
NAS") unless a docstring says otherwise:

- The network is at its initialisation. Batch-norm normalises by the batch at hand, as in the first step of a training;
  synflow is computed without batch-norm.
- θ are the weights of convolutions and linear layers, without biases and batch-norm's scales. Weights of operations
  that never run have no gradient and add nothing.
- L is the mean cross-entropy over the batch, g = ∂L/∂θ.
- A score does not change weights and their gradients; it does change running statistics of batch-norms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, field, replace
from math import inf, log
from time import perf_counter
from types import MappingProxyType
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from .. import datasets
from ..chance import BUILD, SCORE, Draws, drawn_from
from ..estimator import Estimator
from ..nn import count
from ..nn.threads import one_thread
from ..nn.trial import batch_of_one, tried
from ..space import Arch, SearchSpace
from ..step import Evaluation
from ..workers import spread
from .baselines import count_convolutions, untrained
from .training import FULL, Recipe, _data, tensors_of

Score = Callable[[nn.Module, Tensor, Tensor], float]
JACOV_JITTER = 1e-5  # k of the published code


# ------------------------------------------------------------------------------------------------------- of the weights
def grad_norm(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return Σ over layers of ‖g‖₂ (Abdelfattah et al. 2021): how much the first step would change the weights."""
    _, gradients = _gradients(network, images, labels)
    return _total(g.norm() for g in gradients)


def snip(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return Σ |g ⊙ θ| (Lee et al. 2019, without their normalisation; Abdelfattah et al. 2021, equation 1).

    |g·θ| is the first-order change of the loss when a weight is removed. So the sum measures how much the weights
    matter.
    """
    weights, gradients = _gradients(network, images, labels)
    return _total((g * w).abs() for g, w in zip(gradients, weights, strict=True))


def grasp(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return −Σ θ ⊙ Hg (Wang et al. 2020; Abdelfattah et al. 2021, equation 1), where H is the Hessian of L.

    Hg is computed as the gradient of gᵀ·stop(g), without the matrix H. When weights shrink, θ ← (1 − δ)θ, gᵀg changes
    by 2δ times the score. So the score says how much gradient would flow through a smaller network.

    ValueError for a network with a layer that torch cannot differentiate twice (hard sigmoid).
    """
    weights, gradients = _gradients(network, images, labels, create_graph=True)
    product = sum((g * g.detach()).sum() for g in gradients)
    try:
        curved = torch.autograd.grad(cast("Tensor", product), weights, allow_unused=True, materialize_grads=True)
    except RuntimeError as error:
        raise ValueError(f"grasp needs second derivatives, and torch lacks one in this network: {error}") from error
    return -_total(w * h for w, h in zip(weights, curved, strict=True))


def fisher(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return Σ over channels z of all convolutions and linear layers of 1/2N Σₙ (Σ_hw z ∂L/∂z)² (Theis et al. 2018).

    Removing a channel changes the loss by about its term of the sum; Turner et al. 2020 rank blocks by it. n runs over
    the N images of the batch. L is a mean here, so that an image's part of ∂L/∂z holds a factor 1/N.
    """
    outputs: list[Tensor] = []
    with ExitStack() as hooks:
        for layer in _layers(network):
            hook = layer.register_forward_hook(lambda layer, inputs, output: outputs.append(output))
            hooks.callback(hook.remove)
        loss = cross_entropy(network.train()(images), labels)
    gradients = torch.autograd.grad(loss, outputs, allow_unused=True, materialize_grads=True)
    effects = ((z * g).flatten(2).sum(2) if z.ndim > 2 else z * g for z, g in zip(outputs, gradients, strict=True))
    return _total(effect.square().mean(0) / 2 for effect in effects)


def synflow(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return log Σ ∂R/∂θ ⊙ θ with R = 1ᵀ (Π |θ⁽ˡ⁾|) 1 (Tanaka et al. 2020); −∞ if nothing flows.

    R is the sum of the outputs of the network whose weights and biases are replaced by their absolute values, for an
    image of ones; only the shape of ``images`` is used. R is computed in float64 and without batch-norm and layer-norm,
    which would undo the weights' size. The logarithm is taken because R grows exponentially with depth; published
    tables have it too.
    """
    absolute = _without_norms(deepcopy(network)).double().eval()
    with torch.no_grad():
        for each in absolute.parameters():
            each.abs_()
    weights: list[Tensor] = [layer.weight for layer in _layers(absolute)]
    flow = absolute(torch.ones_like(images[:1], dtype=torch.float64)).sum()
    gradients = torch.autograd.grad(flow, weights, allow_unused=True, materialize_grads=True)
    total = _total(g * w for g, w in zip(gradients, weights, strict=True))
    return log(total) if total > 0 else -inf


# --------------------------------------------------------------------------------------------------- of the activations
def naswot(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return log |det K| (Mellor et al. 2021); −∞ if two images have the same code.

    The code cᵢ of image i says which ReLUs it switches on. K_ij = N_A − d_H(cᵢ, c_j), where N_A is the number of ReLUs,
    counts the ReLUs on which two images agree. If all images have very different codes, K is dominated by its diagonal,
    and its determinant is great.

    Only ReLUs (`torch.nn.ReLU`, ReLU6) have two states, h-swish has not. ValueError for a network without any ReLU.
    """
    kernel = torch.zeros(len(images), len(images), dtype=torch.float64)
    relus = [layer for layer in network.modules() if isinstance(layer, nn.ReLU | nn.ReLU6)]
    if not relus:
        raise ValueError("naswot reads the states of ReLUs, and this network has none")

    def agree(layer, inputs, output):
        on = (output > 0).flatten(1).float()  # float32 counts exactly up to 2^24 units a layer
        kernel.add_(on @ on.T + (1 - on) @ (1 - on).T)

    with ExitStack() as hooks, torch.no_grad():
        for layer in relus:
            hooks.callback(layer.register_forward_hook(agree).remove)
        network.train()(images)
    sign, logarithm = np.linalg.slogdet(kernel.numpy())
    return float(logarithm) if sign > 0 else -inf  # K is positive semi-definite: any other sign is rounding of 0


def jacov(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return −Σᵢ [log(λᵢ + k) + 1/(λᵢ + k)], k = 10⁻⁵ (Mellor et al. 2021, first preprint); −∞ if an image is ignored.

    λ are the eigenvalues of the correlation matrix of the batch's Jacobians, whose row i is the gradient of the summed
    outputs with respect to image i. Images that the network treats alike have correlated rows, which give small
    eigenvalues and a low score. If there are at least as many images as an image has pixels, as in the labs (64 of
    8×8), one eigenvalue is always 0 and adds a constant.
    """
    images = images.detach().requires_grad_()
    (jacobian,) = torch.autograd.grad(network.train()(images).sum(), images, allow_unused=True, materialize_grads=True)
    rows = jacobian.detach().flatten(1).double().numpy()
    if (rows.std(1) == 0).any():
        return -inf
    eigenvalues = np.linalg.eigvalsh(np.corrcoef(rows)).clip(0) + JACOV_JITTER
    return -float(np.sum(np.log(eigenvalues) + 1 / eigenvalues))


# ---------------------------------------------------------------------------------------------------------- of the size
def parameters(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Count the learned numbers: see `nasviz.nn.count.parameters`."""
    return float(count.parameters(network))


def madds(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Count the multiply-adds for one image: see `nasviz.nn.count.madds`."""
    return float(count.madds(network, cast("tuple[int, int, int]", tuple(images.shape[1:]))))


SCORES: Mapping[str, Score] = MappingProxyType(
    {f.__name__: f for f in (synflow, snip, grasp, fisher, grad_norm, naswot, jacov, parameters, madds)}
)
COUNTED = ("convolutions", "conv3x3", "size")  # of `nasviz.estimators.baselines`


def _layers(network: nn.Module) -> list[nn.Conv2d | nn.Linear]:
    return [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


def _gradients(network, images, labels, create_graph: bool = False) -> tuple[list[Tensor], tuple[Tensor, ...]]:
    """Return θ and g, layer by layer; g is zero for layers that do not run."""
    weights: list[Tensor] = [layer.weight for layer in _layers(network)]
    loss = cross_entropy(network.train()(images), labels)
    return weights, torch.autograd.grad(
        loss, weights, create_graph=create_graph, allow_unused=True, materialize_grads=True
    )


def _total(parts: Iterable[Tensor]) -> float:
    return float(sum(part.detach().sum() for part in parts))


def _without_norms(network: nn.Module) -> nn.Module:
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d | nn.LayerNorm):
                setattr(module, name, nn.Identity())
    return network


# ------------------------------------------------------------------------------------------------------------ estimator
@dataclass(frozen=True)
class ZeroCost(Estimator):
    """An estimator that scores the network of `Training` with the same recipe and seed, untrained, on its first batch.

    Parameters
    ----------
    space : SearchSpace
    scores : tuple of str
        Names in `SCORES`, or in `COUNTED`, which need no network.
    recipe : Recipe
        Its size of images, batch and network are used.
    dataset : str or Dataset
        See `nasviz.datasets.load`.
    executor : concurrent.futures.Executor, optional
        The executor on which `many` computes; None: this thread, since a score takes less time than its transfer.

    Raises
    ------
    ValueError
        At construction for an unknown score; in a call if ``arch`` is not in the space, or for epochs other than 0.

    Notes
    -----
    The seconds of an evaluation are those of building the network and of all its scores. Ask for a single score to know
    the cost of that score.

    Results to expect: on a hundred distinct cells of NAS-Bench-201 (lab 02), Kendall's τ with the test accuracy of a
    full training was 0.65 for synflow, 0.54 naswot, 0.31 snip, 0.25 grad_norm, 0.20 jacov, 0.18 grasp, −0.26 fisher;
    and 0.66 for size. Within bands of equal size synflow had 0.35, naswot 0.23, size 0.22.

    Examples
    --------
    >>> from nasviz.spaces import NasBench201
    >>> estimate = ZeroCost(NasBench201(), ("parameters", "size"))
    >>> dict(estimate((3, 1, 2, 1, 1, 3)).scores)
    {'parameters': 7698.0, 'size': 19.0}
    """

    space: SearchSpace
    scores: tuple[str, ...] = ("synflow",)
    recipe: Recipe = FULL
    dataset: str | datasets.Dataset = field(default="fashion16", metadata=datasets.BY_CONTENT)
    executor: Executor | None = field(default=None, compare=False, repr=False)

    def __post_init__(self):
        known = (*SCORES, *COUNTED)
        if isinstance(self.scores, str) or not self.scores or set(self.scores) - set(known):
            raise ValueError(f"scores must be a tuple of names out of {', '.join(known)}; got {self.scores!r}")

    def __call__(self, arch: Arch, *, epochs: int | None = None, seed: int = 0) -> Evaluation:
        """Score ``arch`` at the initialisation that ``seed`` draws."""
        arch, start = untrained(self.space, arch, epochs), perf_counter()
        with one_thread():
            values = self._scores(arch, seed)
        return Evaluation(arch, {name: values[name] for name in self.scores}, perf_counter() - start, 0, seed)

    def many(self, archs: Iterable[Arch], *, epochs: int | None = None, seed: int = 0) -> Iterator[Evaluation]:
        """Yield scores in the order asked, one after the other, or on the executor: see `nasviz.workers.spread`."""
        if self.executor is None:
            return super().many(archs, epochs=epochs, seed=seed)
        job = replace(self, executor=None)  # an executor cannot be sent to its own workers
        return spread(job, archs, executor=self.executor, epochs=epochs, seed=seed, text=self.space.to_text)

    def _scores(self, arch: Arch, seed: int) -> dict[str, float]:
        values = count_convolutions(self.space, arch) if set(self.scores) & set(COUNTED) else {}
        if asked := [name for name in self.scores if name in SCORES]:
            images, labels = self._batch(seed)
            sizes = {**self.recipe.network, "colors": images.shape[1]}
            sizes["classes"] = len(_data(self.dataset, self.recipe.size).classes)
            alone = batch_of_one(self.recipe.images, self.recipe.batch) if len(images) == 1 else ""
            words = f"the network of {self.space.to_text(arch)}"
            with drawn_from(seed, BUILD):
                network = self.space.network(arch, **sizes, generator=torch.Generator().manual_seed(seed))
                tried(network, images[:2], sizes["classes"], words, alone)
            draws = Draws(network, seed)
            for name in asked:
                with draws(SCORE, list(SCORES).index(name)):  # the same alone as among others
                    values[name] = SCORES[name](network, images, labels)
        return values

    def _batch(self, seed: int) -> tuple[Tensor, Tensor]:
        """Return the first batch of the training with this seed."""
        images, labels = tensors_of(self.dataset, self.recipe.size, "train")
        order = np.random.default_rng((seed, 1))
        chosen = order.permutation(self.recipe.images)[: self.recipe.batch]
        return images[chosen], labels[chosen]
