"""Small networks that predict an architecture's score: ensembles of perceptrons and of graph networks.

The members of an ensemble differ in their first weights only (Lakshminarayanan et al. 2017). All members are one module
whose weights have a leading dimension for the member, so that an ensemble trains as fast as one larger network.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..encodings import Flow
from ..weights import jitter
from .descent import adam_with_decay, cosine
from .threads import one_thread


class Layers(nn.Module):
    """A linear layer for each of ``members``: (members, n, inputs) to (members, n, outputs). Zero biases, He's weights.

    More axes between n and the last one, such as the nodes of a graph, are kept.
    """

    def __init__(self, members: int, inputs: int, outputs: int, generator: torch.Generator):
        super().__init__()
        drawn = torch.randn(members, inputs, outputs, generator=generator)
        self.weight = nn.Parameter(drawn * (2 / inputs) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(members, 1, outputs))
        jitter(self.parameters())

    def forward(self, x: Tensor) -> Tensor:
        flat = x.reshape(len(x), -1, x.shape[-1])
        return torch.baddbmm(self.bias, flat, self.weight).reshape(*x.shape[:-1], -1)


class Perceptrons(nn.Module):
    """Ensemble of perceptrons with two hidden layers of ``hidden`` units: (n, features) to (members, n)."""

    def __init__(self, members: int, features: int, hidden: int, generator: torch.Generator):
        super().__init__()
        self.first = Layers(members, features, hidden, generator)
        self.second = Layers(members, hidden, hidden, generator)
        self.last = Layers(members, hidden, 1, generator)

    def forward(self, x: Tensor) -> Tensor:
        x = x.expand(len(self.first.weight), *x.shape)
        return self.last(self.second(self.first(x).relu()).relu()).squeeze(-1)


class GraphNetworks(nn.Module):
    """Ensemble of graph convolutional networks: ``network(operations, readers)`` to (members, n).

    Each operation has a learned vector. Each of three layers has two linear maps (Wen et al. 2020, eq. 3 and 4). A node
    averages the first map over itself and the nodes that it reads, and the second map over itself and the nodes that
    read it; its new vector is the mean of the ReLUs of both. At the end a linear layer reads the sum of all nodes'
    vectors. (The paper takes their mean, in a space where all graphs have equally many nodes. A sum can count nodes.)
    """

    def __init__(self, members: int, operations: int, hidden: int, generator: torch.Generator):
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(members, operations, hidden, generator=generator))
        layers = [[Layers(members, hidden, hidden, generator) for _ in range(3)] for _ in range(2)]
        self.forwards, self.backwards = (nn.ModuleList(one) for one in layers)
        self.last = Layers(members, hidden, 1, generator)

    def forward(self, operations: Tensor, reads: Tensor) -> Tensor:
        """Return the scores (members, n).

        Parameters
        ----------
        operations : int (n, nodes)
            Number of the operation of each node; −1 where there is no node.
        reads : float (n, nodes, nodes)
            1 where the node of the row reads the node of the column.
        """
        there = (operations >= 0).float()[..., None]
        x = self.embedding[:, operations.clamp(min=0)] * there
        loops = reads + torch.eye(reads.shape[-1])
        down, up = (a / a.sum(-1, keepdim=True) for a in (loops, loops.mT))
        for forwards, backwards in zip(self.forwards, self.backwards, strict=True):
            x = (forwards(down @ x).relu() + backwards(up @ x).relu()) / 2 * there
        return self.last(x.sum(-2)).squeeze(-1)


def graphs(flows: Sequence[Flow], known: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return the operations (n, nodes) and the reading matrices (n, nodes, nodes) that `GraphNetworks` takes.

    The number of an operation is its place in ``known``; all unknown operations share the number after the last.
    """
    place = {label: i for i, label in enumerate(known)}
    nodes = max(len(flow.labels) for flow in flows)
    operations = np.full((len(flows), nodes), -1)
    reads = np.zeros((len(flows), nodes, nodes), np.float32)
    for i, flow in enumerate(flows):
        operations[i, : len(flow.labels)] = [place.get(label, len(known)) for label in flow.labels]
        for node, sources in enumerate(flow.incoming):
            reads[i, node, list(sources)] = 1
    return torch.from_numpy(operations), torch.from_numpy(reads)


def descend(network: nn.Module, inputs: Sequence[Tensor], targets: Tensor, epochs: int, lr: float, decay: float):
    """Fit every member to ``targets`` (n,) by squared error: Adam on all data at once, decoupled decay, cosine to 0.

    See `nasviz.nn.descent.adam_with_decay` and `nasviz.nn.descent.cosine`.
    """
    weights = list(network.parameters())
    moments = [(torch.zeros_like(w), torch.zeros_like(w)) for w in weights]
    with one_thread():
        for step in range(1, epochs + 1):
            losses = F.mse_loss(network(*inputs), targets.expand(len(weights[0]), -1), reduction="none").mean(1)
            gradients = torch.autograd.grad(losses.sum(), weights)  # as if each were alone: members share no weights
            rate = lr * cosine(step - 1, epochs)
            with torch.no_grad():
                for w, g, (mean, square) in zip(weights, gradients, moments, strict=True):
                    adam_with_decay(w, g, mean, square, step, rate, decay)


def opinions(network: nn.Module, inputs: Sequence[Tensor]) -> np.ndarray:
    """Return the prediction of each member: float64 (members, n)."""
    with one_thread(), torch.no_grad():
        return network(*inputs).double().numpy()
