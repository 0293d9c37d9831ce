"""A whole step of DARTS on a GPU, plain code against ours: what `darts_step.py --device cuda` runs.

A step is what the strategy does with a batch of each half: the gradient of α, Adam, the gradient of w, descent, and
both losses on the CPU. All go through the same strategy; only the network differs, how its kernels are launched, and
in which precision. Wall-clock time, the GPU idle before and after each step; medians. "Memory" is the most that tensors
took, above what was there before. "Differs by": the gradients of α and of w at the first step against the plain code's
with TF32 off, the largest difference over the largest entry. Each way is tried for itself: one that fails says why, and
those that come after the time is up are left out.
"""

import gc
import time
import traceback
from contextlib import nullcontext
from statistics import median

import torch

from nasviz.nn import ops
from nasviz.nn.gpu import Graphed, to_device
from nasviz.nn.twoinput_mixed import MixedCell
from nasviz.spaces import DartsSpace
from nasviz.strategies import Darts, SecondOrderDarts
from nasviz.strategies.bilevel import Batch, Bilevel

SIZE = {"channels": 16, "cells": 8, "colors": 3}
PIXELS, BATCH = 32, 64
PAPER = {"weight_lr": 0.025, "alpha_lr": 3e-4, "epochs": 50}  # Liu et al. 2019, section 3.1
METHODS = {"first": Darts, "second": SecondOrderDarts}
WAYS = (  # order of the method, network, how; the most telling first
    ("first", "plain", set()),
    ("first", "ours", set()),
    ("first", "ours", {"graph"}),
    ("second", "ours", {"graph"}),
    ("first", "ours", {"graph", "bf16"}),
    ("first", "ours, edge by edge", {"graph"}),
    ("first", "ours", {"graph", "tf32 products"}),
    ("second", "plain", set()),
    ("first", "plain", {"graph"}),
    ("second", "ours", {"graph", "bf16"}),
    ("first", "ours, channels-last", {"graph"}),
)


def network_of(kind: str, plain_of, device: str, size: dict):
    """The network of this kind, always with the same weights; switches what there is to switch."""
    MixedCell.grouped_on = () if "edge by edge" in kind else (device,)
    if device == "cuda":
        ops.LAYOUTS["cuda"] = torch.channels_last if "channels-last" in kind else torch.contiguous_format
    network = DartsSpace().supernet(**size, generator=torch.Generator().manual_seed(0))
    return to_device(plain_of(network) if kind == "plain" else network, device)


class Steps:
    """A search's steps, its two gradients recorded as CUDA graphs or not."""

    def __init__(self, method, network, batches, how):
        self.strategy, device = METHODS[method](DartsSpace(), **PAPER), batches[0].images.device
        draws = torch.Generator().manual_seed(1)
        self.search = Bilevel(network, self.strategy.first_alphas(draws).to(device), *batches, draws)
        self.batches = batches
        self.how = how
        self.by_alphas, self.by_weights = self.alphas, self.weights
        if "compile" in how:
            network.forward = torch.compile(network.forward)
        if "graph" in how:
            train, valid = batches
            self.by_alphas = Graphed(self.alphas, *train, *valid)
            self.by_weights = Graphed(self.weights, *train)

    def cast(self):
        # A graph must not hold a cast that was made, and kept for later, outside of it.
        bf16 = torch.autocast(self.batches[0].images.device.type, torch.bfloat16, cache_enabled=False)
        return bf16 if "bf16" in self.how else nullcontext()

    def alphas(self, images, labels, valid_images, valid_labels):
        with self.cast():
            batches = Batch(images, labels), Batch(valid_images, valid_labels)
            return self.strategy.alpha_gradient(self.search, *batches)

    def weights(self, images, labels):
        with self.cast():
            loss = self.strategy.weight_loss(self.search, self.search.alphas.detach(), Batch(images, labels))
        return *self.search.slopes(loss), loss

    def gradients(self):
        """Of α and of w."""
        train, valid = self.batches
        return [self.by_alphas(*train, *valid)[0].clone(), self.by_weights(*train)[0].clone()]

    def __call__(self):
        (train, valid), search, strategy = self.batches, self.search, self.strategy
        gradient, valid_loss, _ = self.by_alphas(*train, *valid)
        search.descend_alphas(gradient, strategy.alpha_lr)
        slope, loss = self.by_weights(*train)
        search.gradient.copy_(slope)
        search.descend_weights(strategy.rate(search), strategy.decay(search))
        return loss.item(), valid_loss.item()


def waiting(device: str) -> float:
    """Seconds on the clock, once the device has nothing left to do."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def measure(way, plain_of, batches, rounds, right, size) -> str:
    """A row of the table. ``right``: the gradients by the plain code, by order of the method; filled when missing."""
    (order, kind, how), device = way, batches[0].images.device.type
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high" if "tf32 products" in how else "highest")
    if order not in right:
        torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = False
        right[order] = Steps(order, network_of("plain", plain_of, device, size), batches, set()).gradients()
        torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
        gc.collect()
    start = waiting(device)
    steps = Steps(order, network_of(kind, plain_of, device, size), batches, how)
    differ = [(a - b).abs().max() / b.abs().max() for a, b in zip(steps.gradients(), right[order], strict=True)]
    prepared = waiting(device) - start
    times = []
    steps()
    while len(times) < rounds and (len(times) < 3 or sum(times) < 3):
        start = waiting(device)
        losses = steps()
        times.append(waiting(device) - start)
    memory = (torch.cuda.max_memory_allocated() - before) / 1e6 if device == "cuda" else float("nan")
    return (
        f"{order:8}{kind + ''.join(f', {each}' for each in sorted(how)):38}{1e3 * median(times):9.1f} ms"
        f"{1e3 * min(times):9.1f}{1e3 * max(times):9.1f}{len(times):7}{memory:9.0f} MB{prepared:8.1f} s"
        f"{differ[0].item():11.0e}{differ[1].item():9.0e}   losses {losses[0]:.3f}, {losses[1]:.3f}"
    )


def profile(steps) -> None:
    """What a step's kernels take, by kind."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as record

    steps()
    with record(activities=[ProfilerActivity.CUDA]) as kernels:
        steps()
        torch.cuda.synchronize()
    average = kernels.key_averages()
    print(f"{sum(one.count for one in average)} kernels and copies a step")
    print(average.table(sort_by="self_cuda_time_total", row_limit=25, max_name_column_width=90))


def main(plain_of, device="cuda", rounds=20, seconds=60.0, only="", compile=False, size=None, pixels=PIXELS) -> None:
    """Measure every way whose name has ``only`` in it."""
    begin, size, right, rows = time.perf_counter(), size or SIZE, {}, []
    if device == "cuda":
        print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}")
    draws = torch.Generator().manual_seed(2)
    batches = [
        Batch(
            torch.randn(BATCH, size["colors"], pixels, pixels, generator=draws).to(device),
            torch.randint(10, (BATCH,), generator=draws).to(device),
        )
        for _ in range(2)
    ]
    for way in [*WAYS, *[("first", "ours", {"compile"})] * compile]:
        name = f"{way[0]} {way[1]}, {', '.join(sorted(way[2]))}"
        if only not in name:
            continue
        if time.perf_counter() - begin > seconds:
            rows.append(f"{name}: left out, the time was up")
            continue
        try:
            rows.append(measure(way, plain_of, batches, rounds, right, size))
        except Exception as error:  # one way that fails must not take the others with it
            traceback.print_exc()
            rows.append(f"{name}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        print(f"{time.perf_counter() - begin:5.0f} s  {rows[-1]}", flush=True)
    if device == "cuda" and time.perf_counter() - begin < seconds and not only:
        for kind in ("ours", "plain"):
            try:
                profile(Steps("first", network_of(kind, plain_of, device, size), batches, set()))
            except Exception:
                traceback.print_exc()
    print(f"\nDARTS space, {size}, {pixels}×{pixels}, batch {BATCH}; took {time.perf_counter() - begin:.0f} s")
    print(f"{'order':8}{'network, how':38}{'median':>12}{'least':>9}{'most':>9}{'steps':>7}", end="")
    print(f"{'memory':>12}{'to begin':>10}{'α differs':>11}{'w':>9}")
    print("\n".join(rows))
