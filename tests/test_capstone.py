"""The hidden-budget challenge: what ends a round, what counts, and files that students hand in."""

import json
from functools import partial
from itertools import product

import numpy as np
import pytest

from nasviz.course import capstone
from nasviz.course.capstone import Challenge, Entry
from nasviz.estimators import Table
from nasviz.spaces import NasBench201

SPACE = NasBench201()


@pytest.fixture(scope="module")
def table():
    """Sixteen cells; the second seed's test accuracy rises with the number of 3×3 convolutions, which cost."""
    archs = [(a, 3, b, 1, c, d) for a, b, c, d in product((1, 3), repeat=4)]
    rows = {SPACE.canonical(arch): arch for arch in archs}.values()
    return Table.of(SPACE, [
        (arch, seed, {"accuracy": 0.5 + 0.01 * arch.count(3), "test_accuracy": 0.5 + 0.02 * arch.count(3),
                      "madds": 1000.0 * arch.count(3)}, 1.0)
        for arch in rows for seed in (0, 1)
    ])  # fmt: skip


@pytest.fixture
def challenge(table):
    return Challenge(table, limit=4000, rounds=12, low=2, high=9)


def greedy(space, estimate, rng, limit=4000):
    best = None
    while True:
        one = estimate(space.sample(rng))
        if one.scores["madds"] <= limit and (best is None or one.scores["accuracy"] > best.scores["accuracy"]):
            best = one
            yield best.arch


def test_a_search_is_stopped_at_budgets_within_the_ends_and_not_all_alike(challenge):
    asked = []

    def count(space, estimate, rng):
        asked.append(0)
        while True:
            estimate(space.sample(rng))
            asked[-1] += 1
            yield space.sample(rng)

    challenge.play(count, "counts")
    assert len(asked) == 12 and set(asked) <= set(range(2, 10)) and len(set(asked)) > 2


def test_the_last_answer_counts_and_no_question_is_free_after_the_end(challenge):
    late = []

    def stubborn(space, estimate, rng):
        arch = space.sample(rng)
        yield arch
        for _ in range(50):
            try:
                estimate(arch)
            except capstone.BudgetSpent:
                late.append(1)
        yield arch

    entry = challenge.play(stubborn, "stubborn")
    assert all(entry.answers) and len(late) > 12 * 40


def test_regret_is_of_the_other_seed_in_points_and_bounded_by_the_bound(challenge, table):
    truth = {arch.count(3): 100 * table.judge(arch) for arch in table.archs}
    pick = {n: SPACE.to_text(next(a for a in table.archs if a.count(3) == n)) for n in (2, 4, 5)}
    answers = (pick[4], pick[2], pick[5], "", *[pick[4]] * 8)
    regrets = challenge.regrets(Entry("x", answers, table.digest, challenge.name))
    worst = truth[4] - truth[min(truth)]
    assert regrets == pytest.approx([0, truth[4] - truth[2], worst, worst, *[0] * 8])


def test_better_searches_score_better(challenge):
    def first(space, estimate, rng):
        yield space.sample(rng)

    mine, other = challenge.play(greedy, "greedy"), challenge.play(first, "first")
    assert challenge.score(mine) < challenge.score(other)
    assert challenge.play(greedy, "greedy") == mine


def test_a_search_that_never_asks_is_told(challenge, table):
    def chatter(space, estimate, rng):
        while True:
            yield table.archs[0]

    with pytest.raises(ValueError, match="no question"):
        challenge.play(chatter, "chatter")


def test_errors_of_the_search_come_out(challenge):
    def broken(space, estimate, rng):
        estimate(space.sample(rng))
        raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError):
        challenge.play(broken, "broken")

    def strange(space, estimate, rng):
        yield (0,) * 6

    with pytest.raises(ValueError, match="no row"):
        challenge.play(strange, "strange")


def test_a_file_goes_round_and_is_ranked_again(challenge, tmp_path):
    mine = challenge.play(greedy, "Zoë | <b>")
    path = capstone.hand_in(mine, tmp_path / "a" / "leaderboard.jsonl")
    worse = Entry("other", ("",) * 12, mine.digest, mine.challenge)
    capstone.hand_in(worse, path)
    capstone.hand_in(Entry("other", mine.answers, mine.digest, mine.challenge), path)
    assert list(capstone.read(path))[:2] == [mine, worse]
    ranking, problems = capstone.collect([path], challenge)
    assert dict(ranking) == {name: pytest.approx(challenge.score(mine)) for name in ("Zoë | <b>", "other")}
    assert not problems
    assert r"Zoë \| \<b\>" in capstone.table(ranking)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("{", "line 2"),
        ("[1]", "line 2"),
        (json.dumps({"name": "x", "answers": "|", "digest": "", "challenge": ""}), "list of texts"),
        (json.dumps({"name": "", "answers": [], "digest": "", "challenge": ""}), "name"),
        (json.dumps({"name": "x", "answers": ["y"] * 12, "digest": "d", "challenge": "other"}), "another challenge"),
    ],
)
def test_one_bad_line_is_told_and_spoils_nothing_else(challenge, tmp_path, line, word):
    mine = challenge.play(greedy, "greedy")
    bad, good = (capstone.hand_in(mine, tmp_path / name) for name in ("bad", "good"))
    bad.write_text(bad.read_text() + line + "\n")
    ranking, problems = capstone.collect([tmp_path / "missing", bad, good], challenge)
    assert [name for name, _ in ranking] == ["greedy"]
    assert "missing" in problems[0] and word in problems[1]


def test_answers_that_the_table_does_not_have_are_refused(challenge):
    empty = SPACE.to_text((0,) * 6)
    entry = Entry("x", (empty,) * 12, challenge.table.digest, challenge.name)
    with pytest.raises(ValueError, match="has no"):
        challenge.score(entry)


def test_impossible_challenges_are_refused(table):
    for wrong in ({"low": 0}, {"low": 9, "high": 3}, {"rounds": 0}, {"limit": 1}):
        with pytest.raises(ValueError):
            Challenge(table, **wrong)


def test_random_search_plays_on_the_real_table():
    challenge = Challenge(rounds=5)
    score = challenge.score(challenge.play(partial(greedy, limit=200_000), "random"))
    assert 0 <= score < np.ptp(100 * challenge.table.truth(0))


@pytest.mark.parametrize(
    "change", [{"answers": (1, 2)}, {"answers": "|"}, {"digest": None}, {"challenge": 3}, {"name": 5}]
)
def test_what_would_not_be_read_back_is_no_entry(change):
    with pytest.raises(ValueError):
        Entry(**{"name": "x", "answers": (), "digest": "d", "challenge": "c"} | change)
