"""How far is a latency table off? Its sum of operations, and what the overhead model makes of it, on held-out networks.

    python benchmarks/latency.py [--space nasbench201] [--batch 1] [--threads 1] [--backend torch] [--device cpu]
        [--tolerance 0.25] [--save PATH]

A table of NAS-Bench-201 at the labs' size (8 channels, 16×16), of the elastic space at its own (8×8), or of the small
elastic residual networks (16×16); the overhead fitted on 30 networks, the error stated on 30 others. On a quiet
machine; what is too noisy is tried ten times and then refused. Must hold: median error at most 10 %. ONNX Runtime
exports each operation and each network first, which takes minutes; int8 calibrates them besides. --busy: other programs
do not count, what they do to the caches does.
"""

import argparse
import sys
import time

import numpy as np
from scipy.stats import kendalltau
from tqdm import tqdm

from nasviz.hardware import LatencyTable, latency, onnx, units
from nasviz.spaces import ElasticResNet, ElasticSpace, NasBench201

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--space", choices=("nasbench201", "elastic", "elastic-resnet"), default="nasbench201")
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--backend", choices=("torch", "onnxruntime", "onnxruntime int8"), default="torch")
parser.add_argument("--device", default="cpu", help="where torch computes: cpu, cuda")
parser.add_argument("--tolerance", type=float, default=0.25, help="how wide the middle half of the times may be")
parser.add_argument("--busy", action="store_true", help="processor time of the thread, where other programs run too")
parser.add_argument("--save")
asked = parser.parse_args()
if asked.busy and (asked.threads > 1 or asked.device != "cpu"):
    parser.error("--busy sees one thread of the processor: it needs --threads 1 and no other device")
if asked.device != "cpu" and asked.backend != "torch":
    parser.error("ONNX Runtime computes on the processor here")


def timed(module, shape):
    how = {"threads": asked.threads, "tries": 10, "tolerance": asked.tolerance}
    how["clock"] = time.thread_time if asked.busy else time.perf_counter
    if asked.backend == "torch":
        return latency(module, shape, device=asked.device, **how).ms
    return onnx.latency(module, shape, int8=asked.backend.endswith("int8"), **how).ms


def covering_elastic(space, side):
    """Architectures as deep as can be, all layers alike, at each size to which images of ``side`` are scaled."""
    sizes = {round(side * resolution / 224): i for i, resolution in enumerate(space.choices[0].options)}
    for first in sizes.values():
        for kernel, expansion in np.ndindex(3, 3):
            same = {"kernel": kernel, "expansion": expansion, "depth": 2}
            yield (first, *(same[choice.name.split()[-1]] for choice in space.choices[1:]))


if asked.space == "nasbench201":
    space, IMAGE = NasBench201(), (1, 16, 16)
    covering = [(option,) * 6 for option in range(1, 5)]  # each operation at both shapes
elif asked.space == "elastic-resnet":
    space, IMAGE = ElasticResNet(), (1, 16, 16)
    deepest = [space.largest[i] if choice.name.endswith("depth") else None for i, choice in enumerate(space.choices)]
    covering = [
        arch for arch in space.distinct() if all(most in (None, at) for most, at in zip(deepest, arch, strict=True))
    ]
else:
    space, IMAGE = ElasticSpace(), (1, 8, 8)
    covering = covering_elastic(space, IMAGE[1])
rng = np.random.default_rng(0)
networks = [space.network(space.sample(rng)) for _ in range(60)]
every = [space.network(arch) for arch in covering]
made = {"batch": asked.batch, "threads": asked.threads, "backend": asked.backend, "device": asked.device}
table = LatencyTable.build(every, IMAGE, **made, timed=timed, progress=True)
shape = (asked.batch, *IMAGE)
bar = tqdm(networks, unit="network", file=sys.stderr)
ms = [timed(network, shape) for network in bar]
table = table.fit(networks[:30], ms[:30], IMAGE)
off = np.abs(table.errors(networks[30:], ms[30:], IMAGE))
said = [table.predict(network, IMAGE) for network in networks[30:]]
madds = [sum(unit.madds for unit in units(network, IMAGE)) for network in networks[30:]]  # of what runs
print(f"{table.device}, {asked.backend}, {asked.threads} thread(s), batch {asked.batch}: {len(table.ms)} operations")
print(f"30 held-out networks, {min(ms[30:]):.3g} to {max(ms[30:]):.3g} ms")
for name, column in zip(("sum of operations", "with overhead"), off.T, strict=True):
    middle, most = 100 * np.median(column), 100 * np.quantile(column, 0.9)
    print(f"{name:20} median error {middle:5.1f} %   90 % of them below {most:5.1f} %")
ranks = [kendalltau(column, ms[30:])[0] for column in (said, madds)]
print(f"τ with the measured: table {ranks[0]:.2f}, multiply-adds {ranks[1]:.2f}")
o = table.overhead
print(f"overhead: {o.fixed:.3g} ms + {o.factor:.3g} × sum + {1000 * o.each:.3g} µs an operation")
if asked.save:
    print("written", table.save(asked.save))
