"""The race, by hand cases and against scipy."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.stats import permutation_test
from toys import Toy

from nasviz.analysis import stats
from nasviz.estimators import Table, TableLookup
from nasviz.objectives import Bounded
from nasviz.races.race import CHEAP, Race, main, searches, seeing
from nasviz.races.standings import Standings, Track
from nasviz.space import Choice, SearchSpace
from nasviz.spaces import NasBench201
from nasviz.step import Evaluation, Step
from nasviz.strategies import Darts, Hyperband, LocalSearch, RandomSearch, RegularizedEvolution, SuccessiveHalving


class Small(SearchSpace):
    """Five choices of four operations: 1,024 architectures, each a function of its own."""

    name = "small"
    choices = tuple(Choice(f"edge {i}", ("none", "skip", "conv_1x1", "conv_3x3")) for i in range(5))


def landscape(seeds=2, noise=0.01, rng=7):
    """A table with a slope, interactions and noise between seeds; eight epochs, each a second."""
    space, rng, rows = Small(), np.random.default_rng(rng), []
    twos = rng.normal(size=(5, 5, 4, 4)) * 0.012
    for arch in np.ndindex(4, 4, 4, 4, 4):
        true = 0.5 + 0.05 * sum(arch) / 3 + sum(twos[i, j, arch[i], arch[j]] for i in range(5) for j in range(i))
        for seed in range(seeds):
            value, test = true + noise * rng.normal(), true + noise * rng.normal()
            scores = {f"accuracy@{e}": value - 0.3 / e + noise * rng.normal() for e in range(1, 8)}
            scores |= {"accuracy@8": value, "accuracy": value, "madds": 1.0 + sum(arch), "test_accuracy": test}
            scores |= {f"madds@{e}": 1.0 + sum(arch) for e in range(1, 9)}
            rows.append((arch, seed, scores, 8.0))
    return Table.of(space, rows)


TABLE = landscape()
BOUND = Bounded("madds", 11.0)
POOL = ThreadPoolExecutor(2)


def field(budget=60, table=TABLE, objective=BOUND, names=(RandomSearch, LocalSearch, RegularizedEvolution)):
    space, estimate = table.space, TableLookup(table)
    more = {RegularizedEvolution: {"population": 20, "tournament": 5}}
    more |= {cls: {"continued": True, "evaluations": 8 * budget} for cls in (SuccessiveHalving, Hyperband)}
    return [cls(space, estimate, objective=objective, **{"evaluations": budget} | more.get(cls, {})) for cls in names]


@pytest.fixture(scope="module")
def raced():
    race = Race(field(), 60, seeds=20, executor=POOL)
    return race, race.standings()


# ---------------------------------------------------------------------- statistics
def test_permutation_of_pairs_against_scipy():
    rng = np.random.default_rng(0)
    for n in (5, 9, 13):
        a, b = rng.normal(size=n), rng.normal(0.4, size=n)
        theirs = permutation_test((a, b), lambda x, y: (x - y).mean(), permutation_type="samples", n_resamples=np.inf)
        assert stats.paired_permutation(a, b) == pytest.approx(theirs.pvalue)
    a, b = rng.normal(size=40), rng.normal(0.4, size=40)
    theirs = permutation_test((a, b), lambda x, y, axis: (x - y).mean(axis), permutation_type="samples",
                              n_resamples=20000, vectorized=True, rng=rng)  # fmt: skip
    assert stats.paired_permutation(a, b) == pytest.approx(theirs.pvalue, abs=0.015)


def test_permutation_by_hand():
    assert stats.paired_permutation([1, 2, 3], [0, 0, 0]) == 2 / 8  # only +++ and −−− are as far
    assert stats.paired_permutation([1, 1], [1, 1]) == 1.0
    assert stats.paired_permutation(np.ones(100), np.zeros(100), resamples=99) == 1 / 100  # never 0
    with pytest.raises(ValueError, match="pairs of numbers"):
        stats.paired_permutation([1.0, np.nan], [0.0, 0.0])


def test_permutation_keeps_its_level():
    rng = np.random.default_rng(1)
    p = [stats.paired_permutation(rng.normal(size=12), rng.normal(size=12), resamples=199) for _ in range(400)]
    assert np.mean(np.array(p) <= 0.05) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_holm_by_hand():
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([0.5, 0.9]).tolist() == [1.0, 1.0]
    assert stats.holm([]).size == 0


def test_bands_hold_the_mean_and_have_the_width_of_the_normal_approximation():
    values = np.random.default_rng(0).normal(size=(400, 3))
    mean, low, high = stats.mean_band(values)
    assert mean == pytest.approx(values.mean(0))
    assert high - low == pytest.approx(2 * 1.96 * values.std(0) / 20, rel=0.12)
    assert np.isnan(stats.mean_band(values[:2])[1:]).all() and not np.isnan(stats.mean_band(values[:2])[0]).any()


# ---------------------------------------------------------------------- regret, by hand
def standings(tracks, **head):
    known = {"best": {"test": [0.9, 0.8], "validation": [0.9, 0.8]}, "worst": {"test": [0.1], "validation": [0.1]}}
    return Standings({"unit": "evaluations", "budget": 10, "references": {}, "coverage": ""} | known | head, tracks)


def track(name, seed, at, truths, spent=10.0, ended=False):
    at = np.array([(a, 2.0 * a) for a in at], float).reshape(-1, 2)
    judged = {"test": truths, "validation": truths}
    return Track(name, seed, at, [(0,)] * len(truths), judged, (spent, 2 * spent), int(spent), ended)


def test_regret_is_a_staircase_that_begins_with_the_worst():
    one = standings([track("A", 0, [2, 5], [0.5, 0.85])])
    assert one.regret(one.tracks[0], [1, 2, 4.9, 5, 10]) == pytest.approx([0.8, 0.4, 0.4, 0.05, 0.05])
    assert one.regret(one.tracks[0], [3, 4], "seconds") == pytest.approx([0.8, 0.4])
    assert one.best(1) == one.best(3) == 0.8  # seeds are counted round
    grid, curves = one.curves(points=10)
    assert grid.tolist() == list(range(1, 11)) and curves["A"][0, 4] == pytest.approx(0.05)


def test_ranks_pairs_and_times_by_hand():
    tracks = [track("A", s, [1], [0.8]) for s in range(6)] + [track("B", s, [4], [0.7]) for s in range(6)]
    tracks += [track("C", s, [2], [0.8]) for s in range(6)]
    told = standings(tracks, best={"test": [0.9]}, worst={"test": [0.0]})
    assert {name: rank.value for name, rank in told.ranks().items()} == {"A": 1.5, "B": 3.0, "C": 1.5}
    assert {name: rank.value for name, rank in told.ranks(3).items()} == {"A": 1.5, "B": 3.0, "C": 1.5}
    pairs = {(p.first, p.second): p for p in told.pairs()}
    assert pairs["A", "B"].difference.value == pytest.approx(-0.1) and pairs["A", "B"].single == 2 / 64
    assert pairs["A", "B"].p == pytest.approx(3 * 2 / 64) and pairs["A", "C"].p == 1.0
    assert told.reach(0.1) == {"A": (1.0, 1.0), "B": (np.inf, 0.0), "C": (2.0, 1.0)}
    assert told.reach(0.2, "seconds")["B"] == (8.0, 1.0)
    assert "not by half (0 % of runs)" in str(standings(tracks, best={"test": [0.9]}))


def test_who_has_nothing_more_to_ask_stays_where_it_is():
    told = standings([track("A", 0, [1], [0.8], spent=3.0, ended=True), track("B", 0, [1], [0.7])])
    grid, curves = told.curves("seconds", 20)
    assert told.end("A", "seconds") == 6.0 and told.end("A") == 10.0 and not np.isnan(told.curves()[1]["A"]).any()
    assert np.isnan(curves["A"][0, grid > 6.0]).all()


# ---------------------------------------------------------------------- the race itself
def test_a_run_is_judged_by_the_training_it_did_not_see(raced):
    race, told = raced
    for run in told.tracks:
        assert len(run.at) and (np.diff(run.at[:, 0]) > 0).all() and run.spent[0] <= 60
        for arch, test, seen in zip(run.archs, run.truths["test"], run.truths["validation"], strict=True):
            row = TABLE.row(arch)
            assert test == TABLE.columns["test_accuracy"][row, 1 - run.seed % 2]
            assert seen == TABLE.columns["accuracy"][row, run.seed % 2]
            assert TABLE.columns["madds"][row, 0] <= 11
        assert (np.diff(run.truths["validation"]) > 0).all()  # the best so far, as the search saw it
    inside = TABLE.columns["madds"][:, 0] <= 11
    for seed in range(2):
        assert told.best(seed) == TABLE.columns["test_accuracy"][inside, 1 - seed].max()
        assert told.by("validation").best(seed) == TABLE.columns["accuracy"][inside, seed].max()


def test_random_search_is_what_one_would_do_by_hand(raced):
    _, told = raced
    run = next(t for t in told.tracks if (t.name, t.seed) == ("RandomSearch", 3))
    rng, best = np.random.default_rng(3), -1.0
    for number in range(60):
        row = TABLE.row(TABLE.space.sample(rng))
        value = TABLE.columns["accuracy"][row, 1]
        if TABLE.columns["madds"][row, 0] <= 11 and value > best:
            best, truth, when = value, TABLE.columns["test_accuracy"][row, 0], number + 1
    assert run.truths["test"][-1] == truth and run.at[-1].tolist() == [when, 8.0 * when] and run.evaluations == 60


def test_references_are_there_and_say_when_they_break_the_bound(raced):
    _, told = raced
    row = TABLE.row((3,) * 5)
    best = np.mean([told.best(s) - TABLE.columns["test_accuracy"][row, 1 - s] for s in range(2)])
    assert told.references()["all conv 3×3, over the bound"] == pytest.approx(best)
    assert told.by("validation").references()["everything evaluated"] == 0.0
    assert told.references()["everything evaluated"] >= 0
    unbounded = field(objective=Bounded("madds", 99.0))
    assert "all conv 3×3" in Race(unbounded, 10).head["references"]


def test_random_search_joins_by_itself():
    assert list(Race(field()[1:], 60).searches) == ["RandomSearch", "LocalSearch", "RegularizedEvolution"]


def test_short_trainings_count_as_their_share():
    names = (RandomSearch, SuccessiveHalving, Hyperband)
    told = Race(field(20, names=names), 20, seeds=4, executor=POOL).standings()
    for run in told.tracks:
        assert 19 < run.spent[0] <= 20 and run.spent[1] == pytest.approx(8 * run.spent[0])
        assert (run.evaluations == 20) == (run.name == "RandomSearch")
    halving = next(t for t in told.tracks if t.name == "SuccessiveHalving")
    assert halving.at[0, 0] <= 1  # one answer after one epoch of eight
    told = Race(field(20, names=names), 40.0, "seconds", seeds=4, executor=POOL).standings()
    assert {round(t.spent[0]) for t in told.tracks} == {5} and told.end("Hyperband") == 40.0


def test_a_search_that_ends_by_its_own_count_is_refused_and_an_exhausted_one_is_not():
    with pytest.raises(ValueError, match="ended after its 20 evaluations with 20 of 60"):
        Race(field(20), 60).run("LocalSearch", 0)
    few = Table.of(Small(), [((a, b, 0, 0, 0), s, {"accuracy": 0.1 * a + 0.01 * b, "test_accuracy": 0.1 * a}, 1.0)
                             for a in range(3) for b in range(3) for s in range(2)])  # fmt: skip
    search = LocalSearch(few.known(), TableLookup(few), evaluations=60)
    run = Race([search], 60).run("LocalSearch", 0)
    assert run.ended and run.spent == (9.0, 9.0) and run.truths["test"][-1] == 0.2


def test_the_same_in_this_process_in_threads_and_in_processes(raced):
    race, told = raced
    alone = [race.run(name, seed).line() for name in race.searches for seed in race.seeds]
    assert sorted(map(str, alone)) == sorted(str(run.line()) for run in told.tracks)
    pooled = Race(field(20)[:2], 20, seeds=3).standings()  # loky, which takes the space by value
    assert [t.line() for t in pooled.tracks] == [t.line() for t in Race(field(20)[:2], 20, seeds=3, executor=POOL)]


def test_a_race_goes_on_where_it_was(tmp_path, raced):
    path = tmp_path / "races" / "one.jsonl"
    for stop in (1, 7, 30):
        race = Race(field(), 60, seeds=20, path=path, executor=POOL)
        for _, run in zip(range(stop), race, strict=False):
            assert run
        with open(path, "ab") as file:
            file.write(b'{"name": "Rand')
    again = Race(field(), 60, seeds=20, path=path, executor=POOL)
    again.standings()
    assert sorted(map(str, (t.line() for t in again.tracks))) == sorted(str(t.line()) for t in raced[1].tracks)
    assert len(path.read_bytes().splitlines()) == 61
    path.write_bytes(path.read_bytes()[:40])  # killed while it wrote the head
    assert len(Race(field(), 60, seeds=1, path=path, executor=POOL).standings().tracks) == 3
    loaded = Standings.load(path)
    assert loaded.names == ["RandomSearch", "LocalSearch", "RegularizedEvolution"]


@pytest.mark.parametrize(
    "change, word",
    [
        ({"budget": 50}, "budget"),
        ({"objective": Bounded("madds", 9.0)}, "objective"),
        ({"table": landscape(rng=1)}, "digest"),
    ],
)
def test_the_record_of_another_race_is_refused_and_left_alone(tmp_path, change, word):
    path = tmp_path / "one.jsonl"
    Race(field(), 60, seeds=1, path=path, executor=POOL).standings()
    before = path.read_bytes()
    budget = change.pop("budget", 60)
    with pytest.raises(ValueError, match=f"another race: .*{word}"):
        Race(field(60, **change), budget, seeds=1, path=path).standings()
    assert path.read_bytes() == before


def test_a_record_says_when_the_table_has_changed(tmp_path):
    path = tmp_path / "one.jsonl"
    Race(field(), 60, seeds=1, path=path, executor=POOL, command="python -m nasviz.races.race record").standings()
    loaded, other = Standings.load(path), landscape(rng=1)
    assert loaded.stale(TABLE) == ""
    assert "another table (1,024 of 1,024 rows" in loaded.stale(other)
    assert loaded.stale(other).endswith("python -m nasviz.races.race record")
    with pytest.raises(ValueError, match="cannot stand in one picture: estimate"):
        loaded.join(Race(field(table=other), 60, seeds=1, executor=POOL).standings())


def test_two_races_on_one_table_join(raced):
    more = Race(field(20, names=(RandomSearch, Hyperband)), 20, seeds=10, executor=POOL).standings()
    told = raced[1].join(more)
    assert told.budgets["Hyperband"] == told.budget == 20 and told.budgets["LocalSearch"] == 60
    assert len([t for t in told.tracks if t.name == "RandomSearch"]) == 20
    _, curves = told.curves()
    assert np.isnan(curves["Hyperband"][:, -1]).all() and not np.isnan(curves["LocalSearch"]).any()
    assert {p.second for p in told.pairs() if p.first == "RandomSearch"} == {*told.names} - {"RandomSearch"}


@pytest.mark.parametrize("damage", [b'{"a": 1}\n', b"", b"hello\n", b"\xff\x00\n"])
def test_what_is_no_record_is_refused(tmp_path, damage):
    path = tmp_path / "file"
    path.write_bytes(damage)
    with pytest.raises(ValueError, match="file"):
        Standings.load(path)


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "one.jsonl"
    Race(field(), 60, seeds=1, path=path, executor=POOL).standings()
    lines = path.read_bytes().splitlines()
    entry = json.loads(lines[2])
    for name, value in (("at", [[1]]), ("truths", {}), ("truths", "x"), ("spent", [1]), ("seed", None), ("archs", 3)):
        path.write_bytes(b"\n".join([*lines[:2], json.dumps(entry | {name: value}).encode(), b""]))
        with pytest.raises(ValueError, match="line 3: damaged"):
            Standings.load(path)


def test_a_record_may_lack_what_it_does_not_owe(tmp_path):
    path = tmp_path / "one.jsonl"
    whole = str(Race(field(), 60, seeds=1, path=path, executor=POOL).standings())
    head, *lines = path.read_text().splitlines()
    less = {name: value for name, value in json.loads(head).items() if name not in ("coverage", "command")}
    path.write_text("\n".join([json.dumps(less), *lines, ""]))
    loaded = Standings.load(path)
    assert str(loaded).splitlines()[0] == whole.splitlines()[0] and "coverage" in loaded.head


def test_what_makes_no_race_is_refused():
    a, b, _ = field()
    with pytest.raises(ValueError, match="one race, one objective"):
        Race([a, replace(b, objective=Bounded("madds", 5.0))])
    with pytest.raises(ValueError, match="different names"):
        Race([a, a])
    with pytest.raises(ValueError, match="Race: budget is 0, and has to be a number above 0"):
        Race([a], 0)
    with pytest.raises(ValueError, match="a budget is a number of evaluations or seconds"):
        Race([a], unit="days")
    for seeds in (0, -1, 2.0, "3", True, float("nan"), [0, -1], [0.5]):
        with pytest.raises(ValueError, match="Race: seeds"):
            Race([a], seeds=seeds)
    with pytest.raises(ValueError, match="evaluations is 0"):
        Race([replace(a, evaluations=0)])
    with pytest.raises(ValueError, match="the seeds"):
        Race([a], seeds=[1, 1])
    with pytest.raises(ValueError, match="keeps to"):
        Race(field(objective=Bounded("madds", 0.5)))

    @dataclass
    class Weights(RandomSearch):
        def __iter__(self):
            yield Step(loss=1.0)

    with pytest.raises(ValueError, match="evaluates nothing"):
        Race([Weights(a.space, a.estimate, objective=BOUND)]).run("Weights", 0)
    assert not issubclass(Weights, Darts)


def test_without_a_table_the_test_images_of_the_same_training_judge():
    class Tested(Toy):
        def __call__(self, arch, *, epochs=None, seed=0):
            said = super().__call__(arch, seed=seed)
            return replace(said, scores=said.scores | {"test_accuracy": sum(arch) / 24})

    space = NasBench201()
    told = Race([RegularizedEvolution(space, Tested(space), evaluations=60)], 60, seeds=3, executor=POOL).standings()
    assert told.best(0) == max(max(t.truths["test"]) for t in told.tracks) and told.references() == {}
    assert min(min(values.values()) for values in told.final().values()) == 0.0
    with pytest.raises(ValueError, match="nobody can judge"):
        Race([RegularizedEvolution(space, Toy(space), evaluations=60)], 60).run("RandomSearch", 0)


def test_every_look_up_inside_an_estimator_is_fixed_to_one_training():
    from nasviz.estimators import Extrapolated

    inner = Extrapolated(TableLookup(TABLE, curve=True), after=4)
    assert seeing(inner, 5).estimate.seed == 1 and seeing(TableLookup(TABLE, seed=0), 5).seed == 0


# ---------------------------------------------------------------------- who wins
def test_no_cheap_strategy_loses_to_random_search_where_there_is_a_slope():
    """On what it saw: none is significantly worse, and two are clearly better."""
    names = (RandomSearch, LocalSearch, RegularizedEvolution, SuccessiveHalving, Hyperband)
    told = Race(field(120, names=names), 120, seeds=30, executor=POOL).standings().by("validation")
    against = {p.second: p for p in told.pairs() if p.first == "RandomSearch"}
    assert not [p for p in against.values() if p.difference.value < 0 and p.p < 0.05]
    assert against["LocalSearch"].p < 0.01 and against["RegularizedEvolution"].p < 0.01


def test_no_cheap_strategy_loses_to_random_search_on_the_ground_truth():
    """The same on the table. (With 50 seeds and 300 evaluations, too: there evolution and local search are better.)"""
    names = [name for name in CHEAP if name != "Reinforce"]  # its network takes too long for a test
    told = Race(searches(names, 150), 150, seeds=10, executor=POOL).standings().by("validation")
    against = [p for p in told.pairs() if p.first == "RandomSearch"]
    assert len(against) == 4 and not [p for p in against if p.difference.value < 0 and p.p < 0.05], str(told)


def test_halving_needs_a_table_with_epochs():
    rows = [((a, b, 0, 0, 0), s, {"accuracy": 0.1 * a, "test_accuracy": 0.1 * a, "madds": 1.0}, 1.0)
            for a in range(3) for b in range(3) for s in range(2)]  # fmt: skip
    table = Table.of(Small(), rows)
    assert list(searches(["LocalSearch"], 9, table=table)) == ["LocalSearch"]
    with pytest.raises(ValueError, match="Hyperband needs accuracies after fewer epochs"):
        searches(["Hyperband"], 9, table=table)


def test_the_command_records_shows_and_records_anew(tmp_path, capsys):
    path = str(tmp_path / "race.jsonl")
    asked = ["record", path, "--strategies", "LocalSearch", "Hyperband", "--evaluations", "6", "--seeds", "3"]
    assert main(asked) == 0 and "RandomSearch" in capsys.readouterr().out
    head = Standings.load(path).head
    assert head["command"] == f"python -m nasviz.races.race {' '.join(asked)} --anew"
    assert main(["show", path]) == 0 and head["coverage"] in capsys.readouterr().out
    assert main([*asked[:-1], "2", "--bound", "150000"]) == 1 and "another race" in capsys.readouterr().err
    assert main([*asked[:-1], "2", "--bound", "150000", "--anew"]) == 0
    assert main(["show", str(tmp_path / "none")]) == 1


def test_an_evaluation_by_epochs_never_beats_one_by_more():
    class Falls(Toy):
        def __call__(self, arch, *, epochs=None, seed=0):
            value = 0.9 - 0.1 * (epochs or 8)
            scores = {"accuracy": value, "test_accuracy": value, "madds": 1.0}
            return Evaluation(tuple(arch), scores, 1.0, epochs or 8, seed)

    space = NasBench201()
    run = Race([SuccessiveHalving(space, Falls(space), evaluations=15)], 15).run("SuccessiveHalving", 0)
    assert run.truths["test"] == pytest.approx((0.8, 0.7, 0.5, 0.1))
