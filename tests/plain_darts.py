"""DARTS's own supernet as its authors wrote it: every operation on every edge, one after the other, weighted, summed.

What `nasviz.nn.twoinput_mixed.Supernet` must equal, and what `benchmarks/darts_step.py` measures it against.
"""

from copy import deepcopy

import torch
from torch import nn

from nasviz.nn.separable import DilatedDepthwise
from nasviz.nn.twoinput_mixed import Supernet


class Zero(nn.Module):
    def forward(self, x):
        return x.mul(0.0)


class PlainDarts(nn.Module):
    """A supernet's equal, with copies of its layers, in torch's default memory layout."""

    layout = torch.contiguous_format

    def __init__(self, network: Supernet):
        super().__init__()
        self.network = deepcopy(network).to(memory_format=torch.contiguous_format)
        for layer in self.network.modules():
            if isinstance(layer, DilatedDepthwise):
                layer.__class__ = nn.Conv2d
            elif isinstance(layer, nn.ReLU):
                layer.inplace = False

    def forward(self, images, weights):
        states = self.network.stem(images)
        states = [x.contiguous(memory_format=self.layout) for x in states]
        for cell in self.network.body:
            states = [states[-1], self.cell(cell, *states, weights)]
        return self.network.classifier(self.network.head(states[-1]))

    def cell(self, cell, previous, current, weights):
        values = [previous if cell.previous is None else cell.previous(previous), cell.current(current)]
        for entering, _ in cell.states:
            values.append(sum(self.mixed(cell, edge, values, weights) for edge in entering))
        return torch.cat([values[i] for i in cell.joined], 1)

    def mixed(self, cell, edge, values, weights):
        """Liu et al. 2019, eq. 2."""
        source, row = cell.edges[edge]
        candidates = cell.operations[edge].candidates
        return sum(w * self.one(c, values[source]) for w, c in zip(weights[row], candidates, strict=True))

    def one(self, candidate, x):
        if isinstance(candidate, nn.MaxPool2d | nn.AvgPool2d):
            x = candidate(x)
            return nn.functional.batch_norm(x, None, None, training=True)
        return candidate(x)
