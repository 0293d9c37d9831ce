"""Second inputs of exercises that search, choose, draw and change."""

from __future__ import annotations

import numpy as np

from ....spaces import NasBench201
from ....step import Evaluation
from ...capstone import Challenge


def random_search(mine, right, rng):
    limit = float(rng.uniform(1e5, 4e5))
    for budget in (7, 31):
        numbers = rng.uniform(0.3, 0.9, budget), rng.uniform(0, 6e5, budget)
        asked: list[tuple] = []

        def estimate(arch, *, seed=0, numbers=numbers, asked=asked):
            asked.append(arch)
            return Evaluation(arch, {"accuracy": float(numbers[0][seed]), "madds": float(numbers[1][seed])}, seed=seed)

        best = mine.my_random_search(NasBench201(), estimate, budget, limit, np.random.default_rng(int(limit)))
        allowed = numbers[0][numbers[1] <= limit]
        yield len(asked) == budget, f"of a budget of {budget} it used {len(asked)}"
        found = best.scores["accuracy"] if isinstance(best, Evaluation) else None
        wanted = float(allowed.max()) if len(allowed) else None
        yield found == wanted, f"the best within {limit:,.0f} has the accuracy {wanted}, and what it returns {found}"


def mutation(mine, right, rng):
    parent = tuple(int(one) for one in rng.integers(5, size=6))
    draws = np.random.default_rng(int(rng.integers(2**31)))
    children = [mine.my_mutation(parent, draws) for _ in range(600)]
    fits = all(isinstance(one, tuple) and len(one) == 6 and set(one) <= set(range(5)) for one in children)
    yield fits, f"children of {parent} should be tuples of six numbers from 0 to 4"
    changes = {sum(a != b for a, b in zip(one, parent, strict=True)) for one in children}
    yield changes == {1}, f"children of {parent} differ from it on {sorted(changes)} edges, and should on one"
    yield len(set(children)) == 24, f"{parent} has 24 children, and yours are {len(set(children))}"


def tournament(mine, right, rng):
    fitness = rng.random(7).tolist()
    draws = np.random.default_rng(int(rng.integers(2**31)))
    won = [mine.my_tournament(fitness, 3, draws) for _ in range(1200)]
    yield set(won) <= set(range(7)), "return a position, a whole number from 0 to 6 for seven members"
    order = np.argsort(fitness)[::-1]
    for rank in (0, 3):
        wanted = ((7 - rank) ** 3 - (6 - rank) ** 3) / 343
        share = won.count(int(order[rank])) / len(won)
        said = f"of seven, in tournaments of three, number {rank + 1} should win {wanted:.0%}, and wins {share:.0%}"
        yield abs(share - wanted) < 0.06, said


def last_word(mine, right, rng):
    for times in (1, 2, 4):
        archs = rng.integers(5, size=24)
        known = [Evaluation((int(a),), {"accuracy": float(rng.random())}) for a in archs]
        found, wanted = mine.my_choice(known, times), right.my_choice(known, times)
        yield found == wanted, f"of 24 evaluations with times={times} it returns {found}, and the solution {wanted}"


def fair_step(mine, right, rng):
    for edges, options in ((4, 3), (9, 6)):
        paths = np.array(mine.my_fair_step(edges, options, np.random.default_rng(int(rng.integers(2**31)))))
        fits = paths.shape == (options, edges) and (np.sort(paths, axis=0) == np.arange(options)[:, None]).all()
        yield bool(fits), f"for {edges} edges of {options} operations, each operation should occur once on each edge"


def compound_scaling(mine, right, rng):
    for _ in range(5):
        base, growth, budget = rng.uniform(0.2, 0.6), rng.uniform(1.5, 2.2), rng.uniform(0.7, 9)

        def cost(phi, base=base, growth=growth):
            return base * growth**phi

        found, wanted = mine.my_largest_phi(float(budget), cost), min(7.0, np.log(budget / base) / np.log(growth))
        fits = found is not None and abs(found - wanted) <= 0.01 and (cost(found) <= budget or found == 7)
        yield (
            bool(fits),
            f"{base:.2f} · {growth:.2f}^φ within {budget:.2f} gives φ = {wanted:.3f}, not {found}",
        )


def knapsack_by_hand(mine, right, rng):
    for places, options in ((3, 4), (6, 3), (1, 5)):
        harms, costs = (rng.integers(0, 40, size=(places, options)).tolist() for _ in range(2))
        least = sum(min(row) for row in costs)
        for most in (least - 1, least, int(rng.integers(least, least + 30)), 1000):
            found, wanted = mine.my_choice(harms, costs, most), right.my_choice(harms, costs, most)
            said = f"for harms {harms} and costs {costs} within {most} it returns {found}, and the solution {wanted}"
            if found is None or wanted is None:
                yield found is wanted, said
                continue
            places_of = range(places)
            yield len(found) == places and all(0 <= one < options for one in found), said
            spent = sum(costs[place][found[place]] for place in places_of)
            harm = [sum(harms[place][one[place]] for place in places_of) for one in (found, wanted)]
            yield spent <= most and harm[0] == harm[1], said  # several choices may be equally good


def hidden_budget(mine, right, rng):
    game = Challenge(rounds=8, low=20, high=60, seed=int(rng.integers(2**31)))

    def first(space, estimate, rng):
        arch = space.sample(rng)
        while estimate(arch).scores["madds"] > game.limit:
            arch = space.sample(rng)
        yield arch

    entry, luck = game.play(mine.my_search, "mine"), game.play(first, "first")
    yield all(entry.answers), "in a round with other budgets there was no answer yet"
    regret, other = game.score(entry), game.score(luck)
    said = f"with other budgets its regret is {regret:.2f} points; the first cell within the bound has {other:.2f}"
    yield regret < 0.9 * other, said
