"""Lab 09's functions: which children, what is recorded of them, what ranks, what is chosen and what it costs."""

import numpy as np
import pytest

from nasviz.analysis import stats
from nasviz.lessons import child_for_each_device as devices
from nasviz.lessons import old_supernet, one_network
from nasviz.lessons import supernet_ranks as ranks
from nasviz.spaces import ElasticResNet

SPACE = ElasticResNet()


def toy(inherited, validation, test):
    archs = tuple(SPACE.distinct()[: len(test)])
    madds = np.array([SPACE.madds(arch) for arch in archs])
    side = np.array([8, 8, 12, 12])
    return one_network.Judged(archs, madds, side, np.array(test), np.array(validation), np.array(inherited))


def test_children_are_of_all_costs_and_of_one():
    children = one_network.children()
    assert len(set(children)) == 90
    costs = np.log([SPACE.madds(arch) for arch in children[one_network.ALL_COSTS]])
    counts, _ = np.histogram(costs, np.linspace(*np.log([SPACE.madds(SPACE.smallest), SPACE.madds(SPACE.largest)]), 13))
    assert counts.tolist() == [5] * 12
    inside = children[one_network.ONE_BUDGET]
    assert all(abs(SPACE.madds(arch) / 300_000 - 1) < 0.07 for arch in inside)
    assert np.bincount([arch[0] for arch in inside]).tolist() == [10, 10, 10]


def test_ninety_children_have_three_trainings_each_and_all_supernets_judge_them():
    test = one_network.trained(one_network.children())
    assert test.shape == (90, 3) and (test > 60).all() and (test < 95).all()
    assert (np.ptp(test, axis=1) > 0).any(), "seeds differ"
    rows = one_network.lines()
    assert {(row["way"], row["seed"]) for row in rows} == {(w, s) for w in one_network.WAYS for s in one_network.SEEDS}
    assert all(len(row["inherited"]) == len(row["stale"]) == 90 for row in rows)


def test_what_everyone_inherits_is_what_the_supernet_says():
    found, judge = one_network.everyone(), one_network.supernet(1)
    assert [len(one) for one in found] == [SPACE.size] * 3
    for arch in (SPACE.smallest, one_network.children()[70]):  # another processor rounds otherwise
        assert found[1][arch] == pytest.approx(100 * judge(arch).scores["inherited"], abs=0.5)


def test_level_truth_and_the_fair_judge_of_one_training():
    part = toy([[50, 60, 70, 80]], [[50, 52], [60, 62], [70, 72], [80, 82]], [[1, 3], [4, 6], [7, 9], [2, 4]])
    assert part.level() == pytest.approx([-1]) and part.truth.tolist() == [2, 5, 8, 3]
    seen, judge = part.once(0)
    assert seen.tolist() == [50, 60, 70, 80] and judge.tolist() == [3, 6, 9, 4]


def test_pairs_of_one_side_alone_count_within_sides():
    part = toy([[0, 1, 3, 2]], np.zeros((4, 2)), [[1, 1], [2, 2], [3, 3], [4, 4]])
    assert ranks.within_sides(part, part.inherited[0]).value == 0  # one pair right, one wrong
    assert stats.tau(part.inherited[0], part.truth) == pytest.approx(4 / 6)


def test_means_by_side():
    part = toy([[0, 1, 3, 5]], [[1, 1], [2, 2], [3, 3], [6, 6]], np.zeros((4, 2)))
    assert [(side, alone, inherited.tolist()) for side, alone, inherited in ranks.by_side(part)] == [
        (8, 1.5, [0.5]),
        (12, 4.5, [4.0]),
    ]


def test_evolution_keeps_to_the_limit_and_comes_near_the_best():
    found = one_network.everyone()[0]
    for limit in devices.DEVICES:
        best, evolved = devices.by_inheritance(limit, 0), devices.by_evolution(limit, 0)
        assert devices.milliseconds()[evolved] <= limit
        assert found[best] - 2 < found[evolved] <= found[best]
        assert evolved == devices.by_evolution(limit, 0)


def test_what_is_chosen_keeps_to_its_limit_and_is_the_best_of_those():
    ms = devices.milliseconds()
    for limit in devices.DEVICES:
        allowed = [arch for arch, one in ms.items() if one <= limit]
        for number, found in enumerate(one_network.everyone()):
            chosen = devices.by_inheritance(limit, number)
            assert ms[chosen] <= limit and found[chosen] == max(found[arch] for arch in allowed)
        assert SPACE.madds(devices.by_size(limit)) == max(map(SPACE.madds, allowed))
        rule = devices.by_rule(limit)
        assert rule[0] == max(arch[0] for arch in allowed)
        drawn = devices.by_chance(limit)
        assert len(set(drawn)) == devices.DRAWN and all(0.9 * limit <= ms[arch] <= limit for arch in drawn)


def test_worth_of_a_limit_holds_what_the_records_say():
    limit = devices.DEVICES[1]
    found, drawn = devices.worth(limit), devices.by_chance(limit)
    assert found.chance == pytest.approx(one_network.trained(drawn).mean(1))
    assert found.chance.min() <= found.trained <= one_network.trained(drawn).max()
    lead = devices.gains([found], 2)
    assert lead.value == pytest.approx(found.inherited[2] - found.chance.mean()) and lead.low <= lead.value <= lead.high


def test_few_children_are_drawn_by_seed_and_more_of_them_are_nearer():
    assert ranks.few(10, 5).tolist() == ranks.few(10, 6)[:5].tolist()
    assert ranks.few(90, 3) == pytest.approx(0)
    assert ranks.few(5, 100).mean() > ranks.few(50, 100).mean()


# -------------------------------------------------------------------------------------------- the first supernet
def test_large_kernels_matter_where_the_maps_are_large():
    assert old_supernet.idle_kernels() == (11, 20)  # the layers on maps of 2×2 and 1×1
    idle, layers = old_supernet.idle_kernels(32)
    assert layers == 20 and idle < 11


def test_its_children_by_side_are_all_its_children():
    old = old_supernet.recorded()
    rows = old_supernet.by_side(old)
    assert sum(row[1] for row in rows) == len(old.archs) == 60
    assert np.average([row[2] for row in rows], weights=[row[1] for row in rows]) == pytest.approx(old.inherited.mean())


def test_the_middle_of_costs_is_narrower_than_all():
    middle, every = old_supernet.middle_of_costs(SPACE, SPACE.madds)
    assert 1 < middle < every == SPACE.madds(SPACE.largest) / SPACE.madds(SPACE.smallest)
