"""One step of first-order DARTS, our supernets against the plain loop over operations: time, memory, same gradients.

    python benchmarks/darts_step.py [--rounds 15] [--threads 1] [--only "DARTS space"]
    python benchmarks/darts_step.py --device cuda

A step is the gradient of α on one batch, then one of the weights on another. Both networks go through the same step;
the loop is measured in torch's default memory layout, as the authors of DARTS wrote it, and channels-last. Taken in
turn, so that whatever else the machine does hits all; ratios are medians over the rounds. Each setting has two lines:
time of the processor, all threads together, which another program's work does not lengthen, and time on the clock,
the one that says what a second thread gains, and only where nothing else runs. "Floor" is what
the multiply-adds of the plain loop's convolutions would take at the rate of a large matrix product. "Memory" is what
the forward pass keeps for the gradient. The largest difference of a gradient is measured in float64, relative to the
largest gradient.

On a GPU (`darts_step_gpu.py`) it is the whole step of the search, on the largest of these settings, first and second
order, with and without CUDA graphs.
"""

import argparse
import sys
import time
from math import prod
from pathlib import Path
from statistics import median

import torch
from torch import nn
from torch.nn import functional as F

from nasviz.nn.mixed import MixedCell
from nasviz.spaces import DartsSpace, NasBench201

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from plain_darts import PlainDarts  # noqa: E402
from plain_mixed import PlainNetwork, each_filter  # noqa: E402

CELL, OWN = NasBench201(), DartsSpace()
SETTINGS = [  # space, size of the network, pixels, batch
    ("healthy: C=8, 1 cell, 16×16, batch 64", CELL, {"channels": 8, "cells": 1}, 16, 64),
    ("C=8, 1 cell, 8×8, batch 64", CELL, {"channels": 8, "cells": 1}, 8, 64),
    ("C=8, 2 cells, 8×8, batch 32", CELL, {"channels": 8, "cells": 2}, 8, 32),
    ("C=16, 2 cells, 16×16, batch 64", CELL, {"channels": 16, "cells": 2}, 16, 64),
    ("DARTS space: C=4, 3 cells, 8×8, batch 32", OWN, {"channels": 4, "cells": 3}, 8, 32),
    ("DARTS space: C=16, 8 cells, 32×32, batch 64", OWN, {"channels": 16, "cells": 8, "colors": 3}, 32, 64),
]


class ChannelsLast(nn.Module):
    """The plain loop, its weights and images channels-last."""

    def __init__(self, plain: nn.Module):
        super().__init__()
        self.plain = plain.to(memory_format=torch.channels_last)
        if isinstance(plain, PlainDarts):
            plain.layout = torch.channels_last

    def forward(self, images, weights):
        if isinstance(self.plain, PlainDarts):
            return self.plain(images, weights)
        images = self.plain.stem(images).contiguous(memory_format=torch.channels_last)
        for layer in self.plain.body:
            images = layer(images) if isinstance(layer, nn.Sequential) else layer([images], weights)[-1]
        return self.plain.classifier(self.plain.head(images))


def plain_of(network, space) -> nn.Module:
    return PlainDarts(network) if space is OWN else PlainNetwork(network)


def step(network, alphas, images, labels):
    """The gradient of α alone, then one of the weights."""
    torch.autograd.grad(F.cross_entropy(network(images, alphas.softmax(1)), labels), [alphas])
    network.zero_grad()
    F.cross_entropy(network(images, alphas.detach().softmax(1)), labels).backward()


def kept(network, alphas, images) -> float:
    """MB that a forward pass keeps for the backward pass, each piece of memory once."""
    seen = {}

    def pack(tensor):
        memory = tensor.untyped_storage()  # held, so that no address is used twice; nothing goes back through the
        seen[memory.data_ptr()] = memory  # graph here, and one that held its own results would never be freed
        return memory

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda memory: memory):
        network(images, alphas.softmax(1))
    weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    return sum(memory.nbytes() for address, memory in seen.items() if address not in weights) / 1e6


def difference(space, size) -> float:
    """The largest difference of any gradient, w's and α's, in float64 on a small batch, relative to the largest."""
    network = space.supernet(**size).double()
    plain = plain_of(network, space)
    draws = torch.Generator().manual_seed(0)
    images = torch.randn(4, size.get("colors", 1), 8, 8, generator=draws, dtype=torch.float64)
    shape = len(space.relaxed), len(space.relaxed[0].options)
    alphas = torch.randn(shape, generator=draws, dtype=torch.float64).requires_grad_()
    by_alphas = []
    for each in (network, plain):
        alphas.grad = None
        F.cross_entropy(each(images, alphas.softmax(1)), torch.arange(4)).backward()
        by_alphas.append(alphas.grad)
    pairs = [tuple(by_alphas)]
    if space is OWN:
        pairs += [(a.grad, b.grad) for a, b in zip(network.parameters(), plain.parameters(), strict=True)]
    else:
        for mine, its in zip(network.body, plain.body, strict=True):
            if isinstance(mine, MixedCell):
                for edge, place, gradient in each_filter(mine, lambda weight: weight.grad):
                    pairs.append((gradient, its.convolution(edge, place).weight.grad))
    return max((a - b).abs().max().item() for a, b in pairs) / max(b.abs().max().item() for _, b in pairs)


def of_both_gradients(grad, x, filters, *how, out_shape=None) -> int:
    """Operations of a convolution's gradients, by shapes: each asked for has the multiply-adds of the convolution.

    Torch's own count (2.14) forgets the groups in the gradient of the filters. For depthwise filters its number is too
    large: by a factor that is the number of channels.
    """
    return 2 * prod(grad) * prod(filters[1:]) * sum(how[-1][:2])


def floor(network, alphas, images, labels) -> float:
    """Milliseconds of processor that the multiply-adds of a step take at the rate of a large matrix product."""
    from torch.utils.flop_counter import FlopCounterMode

    backward = {torch.ops.aten.convolution_backward: of_both_gradients}
    with FlopCounterMode(display=False, custom_mapping=backward) as counted:
        step(network, alphas, images, labels)
    square, seconds = torch.randn(1024, 1024), []
    for _ in range(5):
        before = time.process_time()
        square @ square
        seconds.append(time.process_time() - before)
    return 1e3 * counted.get_total_flops() * min(seconds) / (2 * 1024**3)


CLOCKS = {"processor": time.process_time, "clock": time.perf_counter}


def times_of(networks, rounds, alphas, images, labels) -> dict[str, list]:
    """By clock: a row a round, the milliseconds of a step of each network."""
    times = {name: [] for name in CLOCKS}
    for number in range(rounds + 1):
        row = []
        for each in networks:
            before = [clock() for clock in CLOCKS.values()]
            # the first round warms up, on a few images: whole steps of the largest setting take a minute
            step(each, alphas, images if number else images[:4], labels if number else labels[:4])
            row.append([1e3 * (clock() - then) for clock, then in zip(CLOCKS.values(), before, strict=True)])
        if number:
            for name, column in zip(CLOCKS, zip(*row, strict=True), strict=True):
                times[name].append(column)
    return times


def main(rounds: int, threads: int, only: str) -> None:
    torch.set_num_threads(threads)
    print(f"{'':46}{'time of':>10}{'plain':>12}{'channels-l.':>14}{'ours':>12}", end="")
    print(f"{'plain/ours':>12}{'ch.-l./ours':>13}{'ours/floor':>12}{'memory, MB':>18}{'gradients differ by':>21}")
    for label, space, size, pixels, batch in SETTINGS:
        if only not in label:
            continue
        draws = torch.Generator().manual_seed(0)
        network = space.supernet(**size, generator=draws)
        networks = [plain_of(network, space), ChannelsLast(plain_of(network, space)), network]
        images = torch.randn(batch, size.get("colors", 1), pixels, pixels, generator=draws)
        labels = torch.randint(10, (batch,), generator=draws)
        shape = len(space.relaxed), len(space.relaxed[0].options)
        alphas = (1e-3 * torch.randn(shape, generator=draws)).requires_grad_()
        rest = f"{kept(networks[0], alphas, images):.0f} → {kept(network, alphas, images):.0f}"
        rest = f"{rest:>18}{difference(space, size):>21.0e}"
        least = floor(networks[0], alphas, images, labels)
        for name, times in times_of(networks, rounds, alphas, images, labels).items():
            plain, last, ours = (median(column) for column in zip(*times, strict=True))
            ratio, last_ratio = (median(row[i] / row[2] for row in times) for i in (0, 1))
            print(
                f"{label:46}{name:>10}{plain:>9.1f} ms{last:>11.1f} ms{ours:>9.1f} ms"
                f"{ratio:>11.2f}×{last_ratio:>12.2f}×{ours / least:>11.1f}×{rest}",
                flush=True,
            )
            label = rest = ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="", help="settings, on a GPU ways to compute, whose name has this in it")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--seconds", type=float, default=60.0, help="on a GPU: no way to compute is begun after these")
    parser.add_argument("--compile", action="store_true", help="on a GPU: with torch.compile too, which takes minutes")
    options = parser.parse_args()
    if options.device == "cuda":
        import darts_step_gpu

        darts_step_gpu.main(PlainDarts, "cuda", options.rounds, options.seconds, options.only, options.compile)
    else:
        main(options.rounds, options.threads, options.only)
