"""The supernet as the authors of DARTS wrote it: every operation on every edge, one after the other, weighted, summed.

What `nasviz.nn.mixed` must equal, and what `benchmarks/darts_step.py` measures it against.
"""

from copy import deepcopy

import torch
from torch import nn

from nasviz.nn.mixed import MixedCell, MixedNetwork


class Zero(nn.Module):
    def forward(self, x):
        return x.mul(0.0)


def relu_conv_bn(channels, kernel):
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels, affine=False),
    )


def separable_twice(channels):
    layers = []
    for _ in range(2):
        layers += [
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels, affine=False),
        ]
    return nn.Sequential(*layers)


PLAIN = {
    "none": lambda channels: Zero(),
    "skip_connect": lambda channels: nn.Identity(),
    "nor_conv_1x1": lambda channels: relu_conv_bn(channels, 1),
    "nor_conv_3x3": lambda channels: relu_conv_bn(channels, 3),
    "sep_conv_3x3": separable_twice,
    "avg_pool_3x3": lambda channels: nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
}


class MixedOp(nn.Module):
    """Liu et al. 2019, eq. 2."""

    def __init__(self, operations, channels):
        super().__init__()
        self.operations = nn.ModuleList(PLAIN[name](channels) for name in operations)

    def forward(self, x, weights):
        return sum(w * operation(x) for w, operation in zip(weights, self.operations, strict=True))


class PlainCell(nn.Module):
    """A mixed cell's equal, with copies of its weights."""

    def __init__(self, cell: MixedCell):
        super().__init__()
        self.edges, self.names = cell.edges, cell.fans[0].operations
        self.mixed = nn.ModuleList(MixedOp(self.names, cell.fans[0].channels) for _ in self.edges)
        for edge, place, filters in each_filter(cell):
            self.convolution(edge, place).weight = nn.Parameter(filters.detach().contiguous().clone())
            self.mixed[edge].to(filters.dtype)

    def convolution(self, edge, place):
        operation, layer = place
        return self.mixed[edge].operations[self.names.index(operation)][layer]

    def forward(self, inputs, weights):
        nodes = list(inputs)
        for node in range(len(inputs), 1 + max(target for _, target in self.edges)):
            entering = [i for i, (_, target) in enumerate(self.edges) if target == node]
            nodes.append(sum(self.mixed[i](nodes[self.edges[i][0]], weights[i]) for i in entering))
        return nodes[len(inputs) :]


class PlainNetwork(nn.Module):
    """A supernet's equal, with copies of its weights, in torch's default memory layout."""

    def __init__(self, network: MixedNetwork):
        super().__init__()
        self.stem, self.head, self.classifier = map(copied, (network.stem, network.head, network.classifier))
        self.body = nn.ModuleList(
            PlainCell(layer) if isinstance(layer, MixedCell) else copied(layer) for layer in network.body
        )

    def forward(self, images, weights):
        x = self.stem(images)
        for layer in self.body:
            x = layer([x], weights)[-1] if isinstance(layer, PlainCell) else layer(x)
        return self.classifier(self.head(x))


def copied(module):
    return deepcopy(module).to(memory_format=torch.contiguous_format)


def each_filter(cell: MixedCell, of=lambda weight: weight):
    """(edge, place, filters) of a mixed cell; ``of=lambda weight: weight.grad`` for their gradients.

    A place is the name of an operation and the number of a layer in it, as `PLAIN` has them.
    """
    for leaving, fan in zip(cell.leaving, cell.fans, strict=True):
        for name, computes in fan.convolutions.items():
            layers = {1: computes}
            if name == "sep_conv_3x3":
                layers = {1: computes.depthwise[0], 2: computes.pointwise[0]}
                layers |= {5: computes.depthwise[1], 6: computes.pointwise[1]}
            for layer, convolution in layers.items():
                for edge, filters in zip(leaving, of(convolution.weight).split(fan.channels), strict=True):
                    yield edge, (name, layer), filters
