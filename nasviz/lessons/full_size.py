"""Does it hold at full size? The labs' findings on every published table at hand, as figures with intervals.

    python -m nasviz.lessons.full_size        # computes all figures, writes data/full-size.jsonl

A *truth* is a table that judges: ours of small images, or one that `nasviz.estimators.Table.published` reads. A
*finding* is a function that measures one thing on a truth. Where a truth lacks what a finding needs, it has no figure.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from ..analysis.stats import Interval, mean_of, tau, tau_difference, tau_interval
from ..estimators import Baselines, ForestPredictor, Table, TableLookup, nasbench201_table
from ..paths import data_dir
from ..published.rows import TEST, VALID
from ..space import Arch
from ..spaces.nasbench201 import OPS, published_unique
from ..strategies import LocalSearch, RandomSearch, RegularizedEvolution
from ..textfile import json_object, read_text

RECORD, COMMAND = "full-size.jsonl", "python -m nasviz.lessons.full_size"
SAMPLE, RESAMPLES = 1000, 199  # architectures of a τ with an interval, and resamples
SEEDS, EVALUATIONS = 40, 300  # of the searches
FRESH = range(1000, 1160)  # seeds that repeat a comparison
TRAININGS, STRANGERS, DRAWS = 50, 300, 30  # of the predictor
EPOCH = 2  # of 8: what stands for 12 epochs of 200 in the small world
ZERO_COST = ("nwot", "synflow", "jacov", "snip", "grad_norm", "fisher", "grasp", "l2_norm", "epe_nas", "plain", "zen")
OURS = "Fashion-MNIST, 8×8"
# name: benchmark, data set, and what else is read
PUBLISHED = {
    "CIFAR-10": ("nasbench201", "cifar10", ("zero-cost", "12 epochs")),
    "CIFAR-100": ("nasbench201", "cifar100", ("12 epochs",)),
    "ImageNet16-120": ("nasbench201", "imagenet16", ("zero-cost", "12 epochs")),
    "NinaPro": ("nasbench201", "ninapro", ()),
    "Darcy": ("nasbench201", "darcy", ()),
    "NAS-Bench-Macro": ("nasbench-macro", "cifar10", ()),
    "NAS-Bench-101, a sample": ("nasbench101", "cifar10", ()),
}
ENOUGH = 100  # networks, at least, for a τ
FEW = 2000  # rows from which searches run on a table: in a smaller one there is nothing to find


# ------------------------------------------------------------------------------------------------ truths and figures
@dataclass(frozen=True)
class Truth:
    """A table that judges.

    Attributes
    ----------
    name, source : str
        The data set or the benchmark, and the paper.
    table : Table
    """

    name: str
    source: str
    table: Table

    @cached_property
    def archs(self) -> list[Arch]:
        """One architecture for each distinct network."""
        return one_a_class(self.table)

    @cached_property
    def sample(self) -> list[Arch]:
        """At most 1,000 of `archs`, drawn without regard to anything."""
        rng = np.random.default_rng(0)
        order = rng.permutation(len(self.archs))
        return [self.archs[i] for i in order[:SAMPLE]]

    def values(self, archs: Sequence[Arch], name: str, seed: int | None = None) -> np.ndarray:
        """A column for architectures: float array (n,). ``seed`` None: the mean of all trainings."""
        return self.table.column(name, seed)[self.table.rows(np.array(archs))]

    @property
    def judge(self) -> str:
        """The column that judges: test accuracy where there is one."""
        return TEST if TEST in self.table.columns else "accuracy"

    def true(self, archs: Sequence[Arch], seed: int | None = None) -> np.ndarray:
        """What judges architectures, (n,): of a search that saw ``seed``, the other seeds; None: the mean of all."""
        if seed is None:
            return self.values(archs, self.judge)
        return self.table.truth(seed, self.judge)[self.table.rows(np.array(archs))]


@dataclass(frozen=True)
class Figure:
    """What was found.

    Attributes
    ----------
    finding, truth : str
    value, low, high : float
        With its 95 % interval.
    unit : str
        ``"τ"``, ``"points"`` of accuracy, ``"seeds"``.
    architectures, seeds : int
        From how many it was computed.
    """

    finding: str
    truth: str
    value: float
    low: float
    high: float
    unit: str
    architectures: int
    seeds: int


def one_a_class(table: Table) -> list[Arch]:
    """Return one architecture for each distinct network of a table, the smallest tuple of each.

    In NAS-Bench-201 as published, equal strings by the published rule are one network: 6,466 of 15,625. Each string was
    trained for itself, so the others are left out. Other tables have one row a network.
    """
    if table.space.name != "nasbench201" or table.about.get("published") is None:
        return list(table.archs)
    first: dict[str, Arch] = {}
    for arch in sorted(table.archs):
        first.setdefault(published_unique(arch, zeros=True), arch)
    return list(first.values())


def truths(folder: str | Path | None = None) -> list[Truth]:
    """Return the truths at hand: ours first, then the published ones of which files are in the folder."""
    found = [Truth(OURS, "this project", nasbench201_table())]
    for name, (benchmark, dataset, also) in PUBLISHED.items():
        for more in (also, ()):
            try:
                table = Table.published(benchmark, folder, dataset, more)
            except FileNotFoundError:
                continue
            found.append(Truth(name, "; ".join(table.about["papers"]), table))
            break
    return found


# ------------------------------------------------------------------------------------------- the small and the large
@dataclass(frozen=True)
class Transfer:
    """How a small table ranks a large one's networks, in Kendall's τ.

    Attributes
    ----------
    trained : float
        Our mean test accuracy, with the published one.
    size : float
        9 times the 3×3 convolutions plus the 1×1 ones.
    within : list of float
        Our accuracy among networks with 0, 1, 2 and 3 convolutions 3×3.
    networks : int
    """

    trained: float
    size: float
    within: list[float]
    networks: int


def transfer(small: Table, large: Truth) -> Transfer:
    """Return how a small table of NAS-Bench-201 ranks what a published one says, one string a published class."""
    archs = [arch for arch in large.archs if arch in small]
    counts = (np.array(archs)[..., None] == np.arange(len(OPS))).sum(1)
    three, one = counts[:, OPS.index("nor_conv_3x3")], counts[:, OPS.index("nor_conv_1x1")]
    ours, true = small.column(TEST, None)[small.rows(np.array(archs))], large.true(archs)
    within = [tau(ours[three == count], true[three == count]) for count in range(4)]
    return Transfer(tau(ours, true), tau(9 * three + one, true), within, len(archs))


# ------------------------------------------------------------------------------------------------ findings
def _tau(finding: str, truth: Truth, said: np.ndarray, true: np.ndarray) -> Iterator[Figure]:
    """The τ of what an estimator said, where it said anything."""
    known = np.isfinite(said) & np.isfinite(true)
    if known.sum() > ENOUGH:
        found = tau_interval(said[known], true[known], resamples=RESAMPLES)
        yield _figure(finding, truth, found, "τ", int(known.sum()), 1)


def _figure(finding: str, truth: Truth, found: Interval, unit: str, archs: int, seeds: int) -> Figure:
    return Figure(finding, truth.name, found.value, found.low, found.high, unit, archs, seeds)


def counting(truth: Truth) -> Iterator[Figure]:
    """How well counts rank, which cost nothing: the sum of the kernels' areas, parameters, multiply-adds."""
    count = Baselines(truth.table.space)
    size = np.array([count(arch).scores["size"] for arch in truth.sample])
    yield from _tau("size", truth, size, truth.true(truth.sample))
    for name in ("parameters", "madds"):
        if name in truth.table.columns:
            yield from _tau(name, truth, truth.values(truth.sample, name), truth.true(truth.sample))


def one_training(truth: Truth) -> Iterator[Figure]:
    """How well one training's validation ranks what other trainings, or other images, say.

    NAS-Bench-201's exports have the mean of the trainings: two on CIFAR-10. On ImageNet16-120 the same trainings judge,
    on other images.
    """
    table, sample = truth.table, truth.sample
    if table.there.shape[1] > 1:
        yield from _tau("one training", truth, truth.values(sample, "accuracy", 0), truth.true(sample, 0))
    elif table.about.get("accuracy") == "validation accuracy" and TEST in table.columns:
        yield from _tau("one training", truth, truth.values(sample, "accuracy"), truth.true(sample))
    elif VALID in table.columns:
        yield from _tau("one training", truth, truth.values(sample, VALID), truth.true(sample))


def few_epochs(truth: Truth) -> Iterator[Figure]:
    """How well a short training ranks the long ones: 12 epochs of 200, or 2 of our 8."""
    for name in ("accuracy_12_epochs", f"accuracy@{EPOCH}"):
        if name in truth.table.columns:
            true = truth.true(truth.sample, 0)
            yield from _tau("few epochs", truth, truth.values(truth.sample, name, 0), true)


def zero_cost(truth: Truth) -> Iterator[Figure]:
    """How well each score at initialisation ranks, and how much better than size it does."""
    count, sample = Baselines(truth.table.space), truth.sample
    for name in ZERO_COST:
        if name in truth.table.columns:
            said, true = truth.values(sample, name), truth.true(sample)
            yield from _tau(name, truth, said, true)
            known = np.isfinite(said)
            size = np.array([count(arch).scores["size"] for arch in sample])[known]
            found = tau_difference(said[known], size, true[known], resamples=RESAMPLES)
            yield _figure(f"{name} less size", truth, found, "τ", int(known.sum()), 1)


def predictor(truth: Truth) -> Iterator[Figure]:
    """How well a forest that learned from 50 trainings ranks other networks, and how much better than size."""
    count, look = Baselines(truth.table.space), TableLookup(truth.table)
    found, less = [], []
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        order = rng.permutation(len(truth.archs))
        archs = [truth.archs[i] for i in order[: TRAININGS + STRANGERS]]
        learned, asked = archs[:TRAININGS], archs[TRAININGS:]
        forest = ForestPredictor(truth.table.space, encoding="weisfeiler-lehman")
        forest.fit([look(arch, seed=0) for arch in learned])
        true = truth.true(asked, 0)
        found.append(tau(forest.predict(asked)[0], true))
        less.append(found[-1] - tau([count(arch).scores["size"] for arch in asked], true))
    yield _figure("predictor, 50 trainings", truth, mean_of(found), "τ", STRANGERS, DRAWS)
    yield _figure("predictor, 50 trainings, less size", truth, mean_of(less), "τ", STRANGERS, DRAWS)


def searches(truth: Truth) -> Iterator[Figure]:
    """Regret after 300 evaluations, in points; aging against elitism, local search's patience, seeds of a claim."""
    table = truth.table
    if len(table.archs) < FEW:
        return
    space, regrets = table.known(), {}
    kinds: dict[str, tuple[Callable, dict]] = {
        "random search": (RandomSearch, {}),
        "evolution": (RegularizedEvolution, {"population": 50, "tournament": 10}),
        "elitism": (RegularizedEvolution, {"population": 50, "tournament": 10, "aging": False}),
        "local search": (LocalSearch, {}),
        "local search, first better": (LocalSearch, {"first": True}),
    }
    for name, (kind, fields) in kinds.items():
        regrets[name] = np.array([
            regret(truth, kind(space, TableLookup(table, seed), evaluations=EVALUATIONS, seed=seed, **fields), seed)
            for seed in range(SEEDS)
        ])  # fmt: skip
        yield _figure(f"regret of {name}", truth, mean_of(regrets[name]), "points", len(table.archs), SEEDS)
    for one, other in (
        ("random search", "evolution"),
        ("elitism", "evolution"),
        ("local search, first better", "local search"),
        ("random search", "local search"),
    ):
        found = mean_of(regrets[one] - regrets[other])
        yield _figure(f"{other} gains over {one}", truth, found, "points", len(table.archs), SEEDS)
    fresh = mean_of(aging_gains(truth, FRESH))
    yield _figure("evolution gains over elitism, fresh seeds", truth, fresh, "points", len(table.archs), len(FRESH))
    yield _seeds(truth, regrets["random search"], regrets["evolution"])


def aging_gains(truth: Truth, seeds: Sequence[int]) -> np.ndarray:
    """By how many points aging's choice is better than elitism's on a truth, for each seed: float array (seeds,)."""
    space, table = truth.table.known(), truth.table

    def lost(seed: int, aging: bool) -> float:
        size = {"evaluations": EVALUATIONS, "population": 50, "tournament": 10}
        return regret(
            truth, RegularizedEvolution(space, TableLookup(table, seed), seed=seed, aging=aging, **size), seed
        )

    return np.array([lost(seed, False) - lost(seed, True) for seed in seeds])


def regret(truth: Truth, search, seed: int) -> float:
    """How far the returned network is below the best one, in points, judged by what the search did not see."""
    best = max((step.evaluation for step in search), key=lambda one: np.nan_to_num(one.scores["accuracy"], nan=-1))
    true = truth.table.truth(seed, truth.judge)
    return 100 * float(np.nanmax(true) - true[truth.table.row(best.arch)])


def _seeds(truth: Truth, worse: np.ndarray, better: np.ndarray) -> Figure:
    """How many seeds a claim needs: the fewest with which four of five draws show evolution's mean as the better one.

    The draws are of the recorded searches, with replacement.
    """
    rng, needed = np.random.default_rng(0), []
    for _ in range(200):
        gains = rng.choice(worse - better, SEEDS)
        shares = [(rng.choice(gains, (400, count)).mean(1) > 0).mean() for count in range(1, SEEDS + 1)]
        needed.append(next((count for count, share in enumerate(shares, 1) if share >= 0.8), SEEDS + 1))
    low, value, high = np.percentile(needed, [2.5, 50, 97.5])
    name = "seeds for evolution above random search"
    return Figure(name, truth.name, float(value), float(low), float(high), "seeds", len(truth.table.archs), SEEDS)


FINDINGS: tuple[Callable[[Truth], Iterator[Figure]], ...] = (
    counting, one_training, few_epochs, zero_cost, predictor, searches,
)  # fmt: skip


def seed_noise(truth: Truth) -> Iterator[Figure]:
    """How far apart two trainings of one network are, as a share of the spread of the best tenth of networks."""
    values = np.sort(truth.true(truth.archs))
    spread = np.std(values[-len(values) // 10 :])
    if truth.table.there.shape[1] > 1:
        both = truth.table.there.all(1)
        best = truth.table.columns[truth.judge][both]
        best = best[best.mean(1) >= values[-len(values) // 10]]
        noise = best.std(1, ddof=1) ** 2
    else:
        noise = _twins(truth, values[-len(values) // 10])
    if len(noise) > 20:
        found = mean_of(noise / spread**2)
        yield _figure("variance between trainings, of that of the best tenth", truth, found, "share", len(noise), 1)


def _twins(truth: Truth, least: float) -> np.ndarray:
    """Variances between strings that are one network by the published rule: each was trained for itself."""
    groups = [one for one in _groups(truth) if len(one) > 1 and np.mean(one) >= least]
    return np.array([np.var(one, ddof=1) for one in groups])


def _groups(truth: Truth) -> list[list[float]]:
    """What judges the strings of each network, where strings that are one by the published rule were trained apart."""
    table = truth.table
    groups: dict[str, list[float]] = {}
    if table.space.name != "nasbench201" or table.there.shape[1] > 1:
        return []
    for arch, value in zip(table.archs, table.column(truth.judge, None), strict=True):
        groups.setdefault(published_unique(arch, zeros=True), []).append(float(value))
    return list(groups.values())


# ------------------------------------------------------------------------------------------------ beside each other
def beside_size(truth: Truth) -> Iterator[Figure]:
    """How much better than size one training and few epochs rank, on the same networks."""
    table, sample = truth.table, truth.sample
    size = np.array([Baselines(table.space)(arch).scores["size"] for arch in sample])
    seen = "accuracy" if table.there.shape[1] > 1 or table.about.get("accuracy") == "validation accuracy" else VALID
    told = {"one training": seen if seen == "accuracy" and truth.judge == TEST else VALID}
    told["few epochs"] = next((n for n in ("accuracy_12_epochs", f"accuracy@{EPOCH}") if n in table.columns), "")
    for name, column in told.items():
        if column in table.columns:
            said, true = truth.values(sample, column, 0), truth.true(sample, 0)
            found = tau_difference(said, size, true, resamples=RESAMPLES)
            yield _figure(f"{name} less size", truth, found, "τ", len(sample), 1)


def twins(truth: Truth) -> Iterator[Figure]:
    """How well one training ranks what another of the same network says: strings that are one by the published rule."""
    pairs = np.array([group[:2] for group in _groups(truth) if len(group) > 1])
    if len(pairs):
        yield from _tau("a twin's training", truth, pairs[:, 0], pairs[:, 1])


def tastes(truth: Truth) -> Iterator[Figure]:
    """What a truth likes: τ of how often a cell has an operation. And how well our trainings rank it."""
    if truth.table.space.name != "nasbench201":
        return
    counts, true = (np.array(truth.sample)[..., None] == np.arange(len(OPS))).sum(1), truth.true(truth.sample)
    for op, count in zip(OPS, counts.T, strict=True):
        yield from _tau(f"count of {op}", truth, count, true)
    if truth.name != OURS:
        ours = nasbench201_table()
        said = ours.column(TEST, None)[ours.rows(np.array(truth.sample))]
        yield from _tau("our trainings", truth, said, true)


def as_noisy(truth: Truth) -> Iterator[Figure]:
    """How well a published truth would rank itself if its trainings were as noisy as ours.

    Normal noise is added to what is seen, and to a judge of two trainings. Its standard deviation is the same share of
    the interquartile range of all networks as between our trainings.
    """
    if truth.name == OURS:
        return
    true, noise, found = truth.true(truth.sample), our_noise() * _quartiles(truth.true(truth.archs)), []
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        seen, judge = (true + noise / np.sqrt(n) * rng.normal(size=len(true)) for n in (1, 2))
        found.append(tau(seen, judge))
    yield _figure("one training, as noisy as ours", truth, mean_of(found), "τ", len(true), DRAWS)


@lru_cache(maxsize=1)
def our_noise() -> float:
    """Return the standard deviation between our trainings of a network, as a share of our interquartile range."""
    table = nasbench201_table()
    noise = np.sqrt(np.mean(table.columns[TEST][table.there.all(1)].var(1, ddof=1)))
    return float(noise / _quartiles(table.column(TEST, None)))


def _quartiles(values: np.ndarray) -> float:
    high, low = np.nanpercentile(values, [75, 25])
    return float(high - low)


def our_zero_cost(truth: Truth) -> Iterator[Figure]:
    """The scores at initialisation on our images, where no table has them: of the first 300 of the sample."""
    if truth.name != OURS:
        return
    from ..estimators import ZeroCost

    names = {"nwot": "naswot"} | {n: n for n in ("synflow", "jacov", "snip", "grad_norm", "fisher", "grasp")}
    archs, count = truth.sample[:STRANGERS], Baselines(truth.table.space)
    scores = [one.scores for one in ZeroCost(truth.table.space, tuple(names.values())).many(archs)]
    size, true = np.array([count(arch).scores["size"] for arch in archs]), truth.true(archs)
    for name, ours in names.items():
        said = np.array([one[ours] for one in scores])
        yield from _tau(name, truth, said, true)
        found = tau_difference(said, size, true, resamples=RESAMPLES)
        yield _figure(f"{name} less size", truth, found, "τ", len(archs), 1)


BESIDE: tuple[Callable[[Truth], Iterator[Figure]], ...] = (
    beside_size, twins, tastes, as_noisy, our_zero_cost,
)  # fmt: skip


# ------------------------------------------------------------------------------------------------ the record
def figures(known: Sequence[Truth]) -> Iterator[Figure]:
    """Measure every finding on every truth."""
    for truth in known:
        for finding in (*FINDINGS, seed_noise, *BESIDE):
            yield from finding(truth)


@lru_cache(maxsize=1)
def recorded(path: Path | None = None) -> list[Figure]:
    """Read the figures that were recorded. OSError, or ValueError if the file holds something else."""
    file = path or data_dir() / RECORD
    try:
        head, *lines = read_text(file).splitlines()
        if "sources" not in json_object(head):
            raise ValueError("its first line names no sources")
        return [Figure(**json_object(line)) for line in lines]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{file} holds no figures ({error!s:.200}). Make it again: {COMMAND}") from None


def main() -> int:
    """Compute all figures, print them, and write the record."""
    known = truths()
    sources = {truth.name: truth.source for truth in known}
    found = []
    for figure in figures(known):
        found.append(figure)
        interval = f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
        print(f"{figure.truth}: {figure.finding}: {interval} {figure.unit}", flush=True)
    rounded = [{n: round(v, 4) if isinstance(v, float) else v for n, v in asdict(one).items()} for one in found]
    lines = [json.dumps(one, ensure_ascii=False) for one in ({"command": COMMAND, "sources": sources}, *rounded)]
    (data_dir() / RECORD).write_text("\n".join(lines) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
