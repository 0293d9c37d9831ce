"""One step of first-order DARTS, our supernet against the plain loop over operations: time, memory, same gradients.

    python benchmarks/darts_step.py [--rounds 15]

A step is the gradient of α on one batch, then a descent of the weights on another, one torch thread. Both networks go
through the same step; the loop is measured in torch's default memory layout, as the authors of DARTS wrote it, and
channels-last. Taken in turn, so that whatever else the machine does hits all; ratios are medians over the rounds.
"Memory" is what the forward pass keeps for the gradient. The largest difference of a gradient is measured in float64.
"""

import argparse
import sys
import time
from pathlib import Path
from statistics import median

import torch
from torch import nn
from torch.nn import functional as F

from nasviz.nn.mixed import MixedCell
from nasviz.spaces import NasBench201

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from plain_mixed import PlainNetwork, each_filter  # noqa: E402

SETTINGS = [  # channels, cells a stage, pixels, batch
    ("healthy: C=8, 1 cell, 16×16, batch 64", 8, 1, 16, 64),
    ("C=8, 1 cell, 8×8, batch 64", 8, 1, 8, 64),
    ("C=8, 2 cells, 8×8, batch 32", 8, 2, 8, 32),
    ("C=16, 2 cells, 16×16, batch 64", 16, 2, 16, 64),
]


class ChannelsLast(nn.Module):
    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)

    def forward(self, images, weights):
        images = self.network.stem(images).contiguous(memory_format=torch.channels_last)
        for layer in self.network.body:
            images = layer(images) if isinstance(layer, nn.Sequential) else layer([images], weights)[-1]
        return self.network.classifier(self.network.head(images))


def step(network, sgd, alphas, images, labels):
    """The gradient of α alone, then a descent of the weights."""
    torch.autograd.grad(F.cross_entropy(network(images, alphas.softmax(1)), labels), [alphas])
    sgd.zero_grad()
    F.cross_entropy(network(images, alphas.detach().softmax(1)), labels).backward()
    sgd.step()


def kept(network, alphas, images) -> float:
    """MB that a forward pass keeps for the backward pass, each piece of memory once."""
    seen = {}

    def pack(tensor):
        seen[tensor.untyped_storage().data_ptr()] = tensor  # holding it: no address is used twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        network(images, alphas.softmax(1))
    weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    return sum(t.untyped_storage().nbytes() for address, t in seen.items() if address not in weights) / 1e6


def difference(channels: int, cells: int) -> float:
    """The largest difference of any gradient, weights' and α's, in float64 on a small batch."""
    network = NasBench201().supernet(channels=channels, cells=cells).double()
    plain = PlainNetwork(network)
    draws = torch.Generator().manual_seed(0)
    images = torch.randn(4, 1, 8, 8, generator=draws, dtype=torch.float64)
    alphas = torch.randn(6, 5, generator=draws, dtype=torch.float64).requires_grad_()
    by_alphas = []
    for each in (network, plain):
        alphas.grad = None
        F.cross_entropy(each(images, alphas.softmax(1)), torch.arange(4)).backward()
        by_alphas.append(alphas.grad)
    differences = [by_alphas[0] - by_alphas[1]]
    for mine, its in zip(network.body, plain.body, strict=True):
        if isinstance(mine, MixedCell):
            for edge, place, gradient in each_filter(mine, lambda weight: weight.grad):
                differences.append(gradient - its.convolution(edge, place).weight.grad)
    return max(d.abs().max().item() for d in differences)


def main(rounds: int) -> None:
    torch.set_num_threads(1)
    print(f"{'':40}{'plain':>9}{'channels-l.':>13}{'ours':>9}{'plain/ours':>12}{'ch.-l./ours':>13}", end="")
    print(f"{'memory, MB':>18}{'gradients differ by':>21}")
    for label, channels, cells, pixels, batch in SETTINGS:
        draws = torch.Generator().manual_seed(0)
        network = NasBench201().supernet(channels=channels, cells=cells, generator=draws)
        networks = [PlainNetwork(network), ChannelsLast(PlainNetwork(network)), network]
        optimisers = [torch.optim.SGD(each.parameters(), 0.01, momentum=0.9, fused=True) for each in networks]
        images = torch.randn(batch, 1, pixels, pixels, generator=draws)
        labels = torch.randint(10, (batch,), generator=draws)
        alphas = (1e-3 * torch.randn(6, 5, generator=draws)).requires_grad_()
        times = []
        for _ in range(rounds + 1):  # the first warms up
            row = []
            for each, sgd in zip(networks, optimisers, strict=True):
                before = time.perf_counter()
                step(each, sgd, alphas, images, labels)
                row.append(1e3 * (time.perf_counter() - before))
            times.append(row)
        times = times[1:]
        plain, last, ours = (median(column) for column in zip(*times, strict=True))
        ratio, last_ratio = (median(row[i] / row[2] for row in times) for i in (0, 1))
        memory = f"{kept(networks[0], alphas, images):.0f} → {kept(network, alphas, images):.0f}"
        print(
            f"{label:40}{plain:>6.1f} ms{last:>10.1f} ms{ours:>6.1f} ms{ratio:>11.2f}×{last_ratio:>12.2f}×"
            f"{memory:>18}{difference(channels, cells):>21.0e}",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    main(parser.parse_args().rounds)
