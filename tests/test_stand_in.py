"""The stand-in for a table that is not finished: what was trained is kept, costs are exact, noise has its size."""

import numpy as np
import pytest

from nasviz.estimators import Table, TableLookup, nasbench201_table, stand_in
from nasviz.spaces import NasBench201
from nasviz.strategies import RegularizedEvolution

SPACE = NasBench201()


@pytest.fixture(scope="module")
def whole():
    """A finished table whose accuracy is known: a sum over edges, and noise of 0.006 from seed to seed."""
    rng, edge = np.random.default_rng(0), np.random.default_rng(1).normal(0, 0.01, (6, 5))
    rows = []
    for arch in SPACE.distinct():
        mean = 0.7 + edge[range(6), arch].sum() + 0.01 * arch.count(3)
        for seed in (0, 1):
            a, t = mean + 0.006 * rng.normal(size=2)
            rows.append((arch, seed, {"accuracy": a, "test_accuracy": t, "madds": 2e4 + 7e4 * arch.count(3)}, 2.0))
    return rows


def part(rows, count):
    archs = sorted({arch for arch, *_ in rows})
    kept = {archs[i] for i in np.random.default_rng(2).choice(len(archs), count, replace=False)}
    return Table.of(SPACE, [row for row in rows if row[0] in kept], total=5044)


def test_what_was_trained_is_kept_and_the_rest_filled_in(whole):
    table, truth = part(whole, 300), Table.of(SPACE, whole)
    full = stand_in(table, seeds=6)
    assert len(full.archs) == 5044 and full.there.all() and full.columns["accuracy"].shape == (5044, 6)
    rows = full.rows(table.archs)
    for name in ("accuracy", "test_accuracy"):
        assert (full.columns[name][rows][:, :2] == table.columns[name]).all()
    assert (full.column("madds")[full.rows(truth.archs)] == truth.column("madds")).all()
    assert full.coverage == "300 of 5,044 rows trained, the others filled in"
    assert full.about["trained"] == 300 and abs(full.about["seed_noise"] - 0.006) < 0.0008
    spread = full.columns["accuracy"].std(1, ddof=1)
    assert abs(np.sqrt((spread**2).mean()) - full.about["seed_noise"]) < 0.0003
    close = np.corrcoef(full.column("accuracy", None)[full.rows(truth.archs)], truth.column("accuracy", None))[0, 1]
    assert close > 0.9                                        # a landscape of the same shape
    again = stand_in(table, seeds=6)
    assert again.digest == full.digest and (again.columns["accuracy"] == full.columns["accuracy"]).all()


def test_nothing_is_made_up_where_nothing_is_missing(whole):
    table = Table.of(SPACE, whole)
    full = stand_in(table, seeds=2)
    assert full.coverage == table.coverage and full.archs == table.archs
    assert full.about["trained"] == full.about["rows"] == 5044
    assert all((full.columns[name] == table.columns[name]).all() for name in table.columns)


def test_what_is_filled_in_is_neither_better_nor_worse_than_what_was_trained():
    """Of the best cells under a bound, as many are made up as of all: else searches are after what is not there."""
    table = nasbench201_table()
    hidden = np.random.default_rng(3).random(len(table.archs)) < 0.3
    kept = np.flatnonzero(~hidden)
    columns = {name: table.columns[name][kept] for name in ("accuracy", "test_accuracy", "madds")}
    archs, there, spent = tuple(table.archs[i] for i in kept), table.there[kept], table.seconds[kept]
    full = stand_in(Table(SPACE, "part", archs, columns, there, spent, total=5044), seeds=3)
    made_up = ~np.isin(full.rows(full.archs), full.rows(archs))
    for bound in (125_000, 200_000, np.inf):
        inside = np.flatnonzero(full.column("madds") <= bound)
        best = inside[np.argsort(-full.truth(0)[inside])[:100]]
        assert abs(made_up[best].mean() - made_up[inside].mean()) < 0.17          # 0.05 is its standard error


def test_it_stands_in_for_the_projects_table():
    table = nasbench201_table()
    full = stand_in(table)
    low, high = np.percentile(full.column("accuracy", None), [1, 100])
    assert 0.5 < low < high < 0.95 and 0.002 < full.about["seed_noise"] < 0.02
    steps = list(RegularizedEvolution(SPACE, TableLookup(full), 10, 3, evaluations=30))
    assert len({step.evaluation.seed for step in steps}) == 30


def test_a_table_that_does_not_suffice_is_refused(whole):
    with pytest.raises(ValueError, match="a stand-in needs 20 rows"):
        stand_in(part(whole, 19))
    with pytest.raises(ValueError, match="seeds=1 no fewer"):
        stand_in(part(whole, 40), seeds=1)
    odd = [(a, seed, {**scores, "madds": 1e5 * (a[0] == a[5]) + a[1]}, spent) for a, seed, scores, spent in whole]
    with pytest.raises(ValueError, match="madds is no sum over operations"):
        stand_in(part(odd, 200))
