"""Evolution in batches, by whatever workers, and the mutations of AmoebaNet's search."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from toys import SPACES, Toy

from nasviz.run import Run
from nasviz.spaces import NasNetSpace
from nasviz.spaces.nasnet import BLOCKS, IDENTITY
from nasviz.strategies import BatchedEvolution, LocalSearch, Nsga2, RegularizedEvolution, Spos
from nasviz.workers import spread

SPACE = SPACES[0]


class Pooled(Toy):
    """The toy's answers, from a pool of so many workers."""

    def __init__(self, space, workers):
        super().__init__(space)
        self.workers = workers

    def many(self, archs, *, epochs=None, seed=0):
        with ThreadPoolExecutor(self.workers) as pool:
            yield from spread(Toy(self.space), archs, executor=pool, epochs=epochs, seed=seed)


def test_children_of_a_batch_have_parents_from_before_it():
    batch, population = 6, 10
    steps = list(BatchedEvolution(SPACE, Toy(SPACE), population, 3, evaluations=45, batch=batch))
    assert [step.evaluation.seed for step in steps] == list(range(45))
    assert [step.shows["parent"] for step in steps[:population]] == [-1] * population
    begins = [*range(population, 45, batch)]
    late = 0
    for number, step in enumerate(steps[population:], population):
        begin = max(b for b in begins if b <= number)
        parent = step.shows["parent"]
        assert parent in steps[begin - 1].shows["population"]
        assert step.evaluation.arch in set(SPACE.neighbors(steps[parent].evaluation.arch))
        late += parent not in steps[number - 1].shows["population"]
    assert late  # some parents die before their child is born
    for number, step in enumerate(steps):  # births and deaths stay one by one
        assert step.shows["population"].tolist() == list(range(max(0, number - 9), number + 1))


def test_a_batch_of_one_is_the_algorithm_as_printed():
    fields = {"population": 10, "tournament": 3, "evaluations": 50}
    one, many = (list(BatchedEvolution(SPACE, Toy(SPACE), batch=b, **fields)) for b in (1, 4))
    assert one == list(RegularizedEvolution(SPACE, Toy(SPACE), **fields))
    assert one != many and one[:10] == many[:10]
    with pytest.raises(ValueError, match="BatchedEvolution: batch is 0, and has to be a whole number of 1 or more"):
        next(iter(BatchedEvolution(SPACE, Toy(SPACE), batch=0)))
    with pytest.raises(ValueError, match="LocalSearch: batch is 0, and has to be a whole number of 1 or more"):
        next(iter(LocalSearch(SPACE, Toy(SPACE), batch=0)))


@pytest.mark.parametrize(
    "search",
    [
        BatchedEvolution(SPACE, None, 8, 3, evaluations=30, batch=5),
        Nsga2(SPACE, None, population=8, batch=8, evaluations=30),
        Spos(SPACE, None, population=8, evaluations=30),
        LocalSearch(SPACE, None, evaluations=30, batch=7),
        LocalSearch(SPACE, None, evaluations=30, batch=7, first=True),
    ],
    ids=lambda search: type(search).__name__,
)
def test_the_number_of_workers_changes_nothing(search):
    def steps(estimate):
        search.estimate = estimate
        return list(search)

    assert steps(Toy(SPACE)) == steps(Pooled(SPACE, 1)) == steps(Pooled(SPACE, 3))


def test_a_batch_killed_midway_keeps_what_was_evaluated(tmp_path):
    whole = list(BatchedEvolution(SPACE, Toy(SPACE), 10, 3, evaluations=40, batch=10))
    run = Run(BatchedEvolution(SPACE, Toy(SPACE), 10, 3, evaluations=40, batch=10), tmp_path / "run.jsonl")
    steps = iter(run)
    for _ in range(25):
        next(steps)
    steps.close()
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 26
    again = Run(BatchedEvolution(SPACE, Toy(SPACE), 10, 3, evaluations=40, batch=10), tmp_path / "run.jsonl")
    assert list(again) == whole


def test_published_mutations():
    """Identity 1 in 20, else one half of one block: its state or its operation, evenly; how they combine never."""
    space, rng = NasNetSpace(), np.random.default_rng(0)
    kinds, cells, blocks, options = Counter(), Counter(), Counter(), Counter()
    for _ in range(3000):
        parent = space.sample(rng)
        child = space.mutate_as_published(parent, rng)
        assert space.why_invalid(child) is None
        changed = [i for i, (a, b) in enumerate(zip(parent, child, strict=True)) if a != b]
        assert len(changed) <= 1
        what = space.choices[changed[0]].name.partition(": ")[2] if changed else "identity"
        kinds[what] += 1
        if changed:
            cells[changed[0] // (5 * BLOCKS)] += 1
            blocks[changed[0] // 5] += 1
            if "operation" in what:
                options[child[changed[0]]] += 1
    expected = {"identity": IDENTITY} | {
        f"{half} {what}": (1 - IDENTITY) / 4 for half in ("first", "second") for what in ("state", "operation")
    }
    assert kinds.keys() == expected.keys()
    for what, share in expected.items():
        assert abs(kinds[what] - 3000 * share) < 4.5 * (3000 * share * (1 - share)) ** 0.5
    for counts, ways in ((cells, 2), (blocks, 10), (options, 13)):
        mean = counts.total() / ways
        assert len(counts) == ways and max(abs(n - mean) for n in counts.values()) < 4.5 * mean**0.5


def test_evolution_uses_the_published_mutations():
    space = NasNetSpace()
    search = RegularizedEvolution(space, Toy(space), 10, 3, evaluations=300, mutation=space.mutate_as_published, seed=1)
    steps = list(search)
    same = 0
    for step in steps[10:]:
        parent, child = steps[step.shows["parent"]].evaluation.arch, step.evaluation.arch
        changed = [i for i, (a, b) in enumerate(zip(parent, child, strict=True)) if a != b]
        assert len(changed) < 2 and all(i % 5 != 4 for i in changed)
        same += not changed
    assert 3 <= same <= 30  # 290 children, one in twenty an identity


@pytest.mark.parametrize("cls", [RegularizedEvolution, BatchedEvolution])
def test_a_mutation_of_ones_own_makes_the_children(cls):
    def first_is_zero(arch, rng):
        return (0, *arch[1:])

    steps = list(cls(SPACE, Toy(SPACE), 10, 3, evaluations=40, mutation=first_is_zero))
    for step in steps[10:]:
        parent = steps[step.shows["parent"]].evaluation.arch
        assert step.evaluation.arch == first_is_zero(parent, None)
    assert any(step.evaluation.arch[0] for step in steps[:10])
