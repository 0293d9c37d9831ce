"""Second inputs of exercises that judge: rankings, percentiles, fronts, tests, bills."""

from __future__ import annotations

from ....analysis import stats
from .compare import agrees, close


def kendalls_tau(mine, right, rng):
    draws = [tuple(rng.integers(int(rng.integers(2, 9)), size=(2, 17))) for _ in range(8)]
    yield from agrees(mine.my_tau, right.my_tau, [one for one in draws if min(map(len, map(set, one))) > 1])


def naswot_score(mine, right, rng):
    for images, units in ((3, 8), (7, 40), (5, 300)):
        yield from agrees(mine.my_naswot, right.my_naswot, [(rng.integers(2, size=(images, units)),)])


def percentile(mine, right, rng):
    for size in (5, 9, 30):
        truth = rng.integers(60, 70, size=size).astype(float)
        yield from agrees(mine.my_percentile, right.my_percentile, [(truth, own) for own in truth[:4]])


def pareto_front(mine, right, rng):
    draws = [([(int(a), float(b)) for a, b in rng.integers(1, 12, size=(15, 2))],) for _ in range(8)]
    yield from agrees(mine.my_front, right.my_front, draws, equal=True)


def power_by_simulation(mine, right, rng):
    for difference, noise, seeds in ((0.3, 0.4, 8), (1.0, 0.9, 5), (0.2, 0.6, 20)):
        difference *= 1 + 0.3 * rng.random()
        found = float(mine.my_power(difference, noise, seeds, 3000, rng))
        wanted = stats.power(difference, noise, seeds)
        yield (
            abs(found - wanted) < 0.06,
            (f"{difference:.2f} points, noise {noise}, {seeds} seeds: a power of {wanted:.2f}, and not {found:.2f}"),
        )


def energy_bill(mine, right, rng):
    draws = [tuple(float(x) for x in rng.uniform(1, 50, 3)) + (1.3, float(rng.uniform(0.1, 1))) for _ in range(5)]
    for days, devices, watts, pue, intensity in draws:
        found, wanted = (one.my_bill(days, devices, watts, pue, intensity) for one in (mine, right))
        yield close(found, wanted), f"{days:.1f} days of {devices:.1f} devices: {found}, and the solution has {wanted}"


def exchange_rate(mine, right, rng):
    draws = [(float(rng.uniform(1.2, 6)), float(rng.uniform(0.01, 0.4))) for _ in range(6)]
    yield from agrees(mine.my_exponent, right.my_exponent, draws)


def progress_within(mine, right, rng):
    for size, n in ((12, 4), (30, 9), (8, 4)):
        accuracies, costs = rng.random(size), rng.integers(1, 6, size).astype(float)
        costs[[0, -1]] = 1.0  # each end has a cell within the bound
        yield from agrees(mine.my_progress, right.my_progress, [(accuracies, costs, 3.0, n)])


def read_an_answer(mine, right, rng):
    ends = [sorted(rng.integers(-9, 10, size=2).tolist()) for _ in range(30)]
    draws = [
        (low / 10, high / 10, int(bound) / 10)
        for (low, high), bound in zip(ends, rng.integers(-9, 10, size=30), strict=True)
    ]
    yield from agrees(mine.my_answer, right.my_answer, draws, equal=True)
