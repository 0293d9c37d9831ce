"""Cells that show charts on numbers of no meaning: what is tested is the page, and that clicks and sliders reach it."""

CHARTS = {
    "elastic": """
from nasviz import views
from nasviz.estimators import Inherited
from nasviz.spaces import ElasticSpace, NasBench201
from nasviz.strategies import BigNas

search = BigNas(ElasticSpace(), images=64, network={"width": 0.1}, batch=64)
elastic = views.Elastic(Inherited.of(search, search.begin().pack(), recalibrate=1))
elastic.set(elastic.space.smallest)
elastic""",
    "shrinking": """
import numpy as np
from nasviz.step import Evaluation, Step

shrinking = views.Shrinking()
parts = [np.array([0.5 + n / 20, n / 10, 0.2], "<f4") for n in range(4)]
epochs = (Step(loss=1.0, losses=np.ones(4, "<f4"), epoch=n, stage=n, children=parts[n]) for n in range(4))
for _ in shrinking.follow(epochs, "made up", ("full", "kernel", "depth", "width")):
    pass
shrinking""",
    "pareto": """
space, rng = NasBench201(), np.random.default_rng(0)
archs, ms, good = [space.sample(rng) for _ in range(30)], rng.uniform(1, 5, 30), rng.uniform(0.6, 0.9, 30)
pareto = views.Pareto(space, target=3.0)
told = ({"accuracy": a, "latency_ms": b} for a, b in zip(good, ms))
for _ in pareto.follow(Step(Evaluation(arch, scores)) for arch, scores in zip(archs, told)):
    pass
pareto""",
    "latency": """
one, three = "ReLU, conv 1×1 8→8, BN @ 8×16×16", "ReLU, conv 3×3 8→8, BN @ 8×16×16"
latency = views.Latency({"a": [(three, 2.0)], "b": [(one, 0.6)]}, {"a": 2.5, "b": 1.0}, {"a": 2.6, "b": 0.9})
latency""",
    "counted": """
counted = views.MaddsAndTime(space, archs, 100 * ms, 2 * good, [[(one, 1.0)] * n for n in range(30)])
counted""",
    "devices": """
from nasviz.hardware import Target

targets = [Target(name, "simulated", float) for name in ("left", "right")]
devices = views.Devices(space, targets, archs, good, np.array([np.sort(ms), -np.sort(-ms)]))
devices""",
    "within": """
from nasviz.spaces import ElasticResNet

small = ElasticResNet()
some = [small.sample(np.random.default_rng(n)) for n in range(60)]
inherits = np.random.default_rng(0).uniform(0.6, 0.8, 60)
within = views.WithinBudget(small, some, inherits, inherits + 0.1, [small.madds(arch) for arch in some], band=0.3)
within.set(2e5)
within""",
    "pulled": """
search = BigNas(small, size=16, images=64, batch=64)
pulled = views.Pull(Inherited.of(search, search.begin().pack(), recalibrate=1))
pulled""",
    "grown": """
import time

def epochs():
    for n in range(20):
        time.sleep(0.1)
        yield Step(alphas=np.eye(5, dtype="f4")[[n % 5] * 6], loss=1.0, valid_loss=2.0, valid_accuracy=0.5, epoch=n)

grown = views.Collapse(space)
display(grown)
for number in range(2):
    for _ in grown.follow(epochs(), f"search {number}"):
        pass""",
}
