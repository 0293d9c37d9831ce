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


# ------------------------------------------------------------------------------------------ files as people send them
@pytest.fixture(scope="module")
def mine(table):
    return Challenge(table, limit=4000, rounds=12, low=2, high=9).play(greedy, "greedy")


def lines_of(mine, *names):
    return [json.dumps(vars(mine) | {"name": name}, ensure_ascii=False) for name in names]


def sent(tmp_path, challenge, raw, name="class.jsonl"):
    path = tmp_path / name
    path.write_bytes(raw)
    return capstone.collect([path], challenge)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n  \n"])
@pytest.mark.parametrize("last", [True, False])
def test_an_editors_encoding_and_ends_of_lines_do_not_matter(challenge, mine, tmp_path, encoding, end, last):
    text = end.join(lines_of(mine, "Zoë", "Łukasz")) + (end if last else "")
    ranking, problems = sent(tmp_path, challenge, text.encode(encoding))
    assert sorted(dict(ranking)) == ["Zoë", "Łukasz"] and problems == []


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ('{"name": "x"', "it is no|no entry"),
        ('{"name": "x"}', "it has no 'answers'"),
        ("null", "a JSON object is expected"),
        ("[" * 10_000, "nested too deeply"),
        (
            '{"name": "x", "name": "y", "answers": [], "digest": "", "challenge": ""}',
            "the name 'name' stands there twice",
        ),
        ('{"name": "x", "answers": [1], "digest": "", "challenge": ""}', "no list of texts"),
        ('{"name": "x", "answers": {"a": 1}, "digest": "", "challenge": ""}', "no list of texts"),
        ('{"name": "x", "answers": [NaN], "digest": "", "challenge": ""}', "no list of texts"),
        ('{"name": "a\\nb", "answers": [], "digest": "", "challenge": ""}', "a name is one line"),
        ('{"name": ["x"], "answers": [], "digest": "", "challenge": ""}', "a name is one line"),
        ('{"version": 9, "name": "x", "answers": [], "digest": "", "challenge": ""}', "has version 9"),
        ('{"version": 1e999}', "too large"),
    ],
)
def test_a_line_that_is_no_entry_costs_no_other_line(challenge, mine, tmp_path, bad, words):
    one, two = lines_of(mine, "one", "two")
    ranking, problems = sent(tmp_path, challenge, "\n".join([one, bad, two, ""]).encode())
    assert sorted(dict(ranking)) == ["one", "two"]
    assert len(problems) == 1 and "class.jsonl, line 2" in problems[0] and len(problems[0]) < 400
    with pytest.raises(ValueError, match=words):
        list(capstone.read(tmp_path / "class.jsonl"))


def test_a_last_line_that_was_torn_is_told(challenge, mine, tmp_path):
    one, two = lines_of(mine, "one", "two")
    ranking, problems = sent(tmp_path, challenge, f"{one}\n{two}"[:-9].encode())
    assert list(dict(ranking)) == ["one"]
    assert (
        "line 2: no entry of a leaderboard: it is cut short" in problems[0]
        and "Hand that entry in again" in problems[0]
    )


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("Zoë".encode("latin-1"), "class.jsonl is no text in UTF-8: line 1, byte 3 is 0xEB. Save it as UTF-8"),
        (b"PK\x03\x04", "a spreadsheet or a ZIP archive"),
        (b"\0" * 9, "zero byte"),
    ],
)
def test_a_file_that_is_no_text_costs_no_other_file(challenge, tmp_path, raw, words):
    good = capstone.hand_in(challenge.play(greedy, "good"), tmp_path / "good.jsonl")
    (tmp_path / "class.jsonl").write_bytes(raw)
    ranking, problems = capstone.collect([tmp_path / "class.jsonl", tmp_path, good], challenge)
    assert list(dict(ranking)) == ["good"] and words in problems[0] and len(problems) == 2


def test_a_huge_file_is_refused(challenge, tmp_path, monkeypatch):
    monkeypatch.setattr(capstone, "MOST", 1000)
    ranking, problems = sent(tmp_path, challenge, b" " * 1001)
    assert ranking == [] and "class.jsonl is larger than 1,000 bytes" in problems[0]


def test_one_name_in_two_files_is_ranked_once_and_told(challenge, tmp_path):
    mine = challenge.play(greedy, "Zoe\u0308")  # two ways to write one letter
    other = Entry("Zoë", ("",) * 12, mine.digest, mine.challenge)
    paths = [capstone.hand_in(one, tmp_path / f"{i}.jsonl") for i, one in enumerate((mine, other))]
    ranking, problems = capstone.collect(paths, challenge)
    assert ranking == [("Zoë", pytest.approx(challenge.score(mine)))]
    assert len(problems) == 1 and "0.jsonl" in problems[0] and "give them two names" in problems[0]
    copy = capstone.hand_in(mine, tmp_path / "copy.jsonl")
    assert capstone.collect([paths[0], copy], challenge)[1] == []


@pytest.mark.filterwarnings("error")
def test_an_entry_that_nobody_can_judge_is_told_and_not_ranked(table, tmp_path):
    rows = [(arch, 0, {"accuracy": 0.5, "test_accuracy": 0.5, "madds": 1000.0}, 1.0) for arch in table.archs[:3]]
    once = Table.of(SPACE, [*rows, (table.archs[1], 1, rows[1][2], 1.0)])
    challenge = Challenge(once, limit=4000, rounds=2)
    entry = Entry("x", (SPACE.to_text(table.archs[0]),) * 2, once.digest, challenge.name)
    path = capstone.hand_in(entry, tmp_path / "class.jsonl")
    ranking, problems = capstone.collect([path], challenge)
    assert ranking == [] and "class.jsonl: x: no answer can be judged" in problems[0]


def test_messages_stay_short_however_long_an_entry_is(challenge, tmp_path):
    long = "x" * 100_000
    texts = [{"name": "a", "answers": [long] * 12, "digest": challenge.table.digest, "challenge": challenge.name},
             {"name": "b", "answers": [], "digest": long, "challenge": long}]  # fmt: skip
    _, problems = sent(tmp_path, challenge, "\n".join(map(json.dumps, texts)).encode())
    assert len(problems) == 2 and max(map(len, problems)) < 600
