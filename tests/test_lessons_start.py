"""Lab 00's functions, on cases that one can count by hand."""

import numpy as np
import pytest

from nasviz.estimators import nasbench201_table
from nasviz.lessons import start
from nasviz.objectives import Bounded
from nasviz.step import Evaluation
from nasviz.strategies import RandomSearch


def said(*accuracies):
    return [Evaluation((0,) * 6, {"accuracy": a}) for a in accuracies]


def test_the_second_half_of_each_run():
    assert start.second_half([said(0.9, 0.9, 0.2, 0.4), said(0.1, 0.5, 0.6)]) == pytest.approx([30, 55])


def test_searches_are_told_apart_by_their_seeds_and_winners_are_judged():
    table, bounded = nasbench201_table(), Bounded("madds", start.LIMIT)
    runs = start.searches(RandomSearch, table, 3, evaluations=5, objective=bounded)
    assert [len(run) for run in runs] == [5, 5, 5] and len({run[0].arch for run in runs}) > 1
    best = max(runs[1], key=lambda e: e.scores["accuracy"] if e.scores["madds"] <= start.LIMIT else -1)
    assert start.winners(runs, bounded, table)[1] == 100 * table.judge(best.arch, best.seed)


def test_evolution_that_never_leaves_its_first_population_is_random_search():
    """A population as large as the number of trainings has no children: the same draws, unless the seeds differ."""
    mean, (low, high) = start.evolution_less_random(6, 6, 12)
    assert low <= mean <= high and low <= 0 <= high


def test_judged_numbers_are_the_tables():
    table = nasbench201_table()
    largest = Evaluation((3,) * 6, {"accuracy": 0.7})
    by = start.judged({"mine": largest}, table)
    assert np.array_equal(by["mine"], 100 * table.columns["test_accuracy"][table.row(largest.arch)][:2])
    shown = start.reported_and_judged({"mine": largest}, by).data
    assert f"| mine | 70.0 % | {by['mine'][0]:.1f} % | {by['mine'][1]:.1f} % |" in shown


def test_pairs_of_cells_agree_on_as_many_edges_as_one_counts():
    assert start.agreement([(1, 2, 3), (1, 2, 0), (0, 0, 0)]) == [2, 0, 1]
