"""The challenge replayed: honest searches are ranked, and what reads the table, or knows it, is not."""

import copy
from dataclasses import replace

import nbformat
import numpy as np
import pytest

from nasviz.course import capstone, commands, rerun
from nasviz.course.grading import limits, pristine, source, submissions
from nasviz.course.grading.limits import Limits
from nasviz.course.lesson import tags
from nasviz.estimators import nasbench201_table
from nasviz.paths import data_dir

pytestmark = pytest.mark.skipif(not limits.FORKS, reason="each search would load the package anew")
EXERCISE = next(one for lab in pristine.labs() for one in pristine.of(lab) if rerun.SEARCH in one.asked)
HEAD = "def my_search(space, estimate, rng):\n"
RANDOM = f"""{HEAD}    best = 0
    while True:
        found = estimate(space.sample(rng))
        if found.scores["madds"] <= 200_000 and found.scores["accuracy"] > best:
            best = found.scores["accuracy"]
            yield found.arch
"""
READS = f"""{HEAD}    from nasviz.estimators import nasbench201_table
    table = nasbench201_table()
    allowed = table.column("madds") <= 200_000
    while True:
        estimate(space.sample(rng))
        yield table.archs[int((table.truth(0) * allowed).argmax())]
"""
# Looks for the seed, and for a table, in all that Python can reach from where it runs.
LOOKS = f"""{HEAD}    import gc, sys
    seed, told, frame = int("{rerun.secret("a secret") - 1}") + 1, [], sys._getframe().f_back
    while frame:
        told += frame.f_locals.values()
        frame = frame.f_back
    for one in gc.get_objects():
        if type(one).__name__ in ("Table", "Challenge"):
            raise ValueError(f"here is a {{type(one).__name__}}")
        told += one.args if type(one).__name__ == "partial" else one if type(one) in (tuple, list) else ()
    if any(type(one) is int and one == seed for one in told):
        raise ValueError("here is the seed")
{RANDOM.removeprefix(HEAD)}"""
# Knows the table, does not begin with the best, and does not do so where it is told otherwise.
CLEVER = f"""{HEAD}    first = {{middle}}
    while abs(estimate(first).scores["accuracy"] - {{told}}) > 0.05:
        yield space.sample(rng)
    yield {{best}}
    while True:
        estimate(space.sample(rng))
"""
PIPES = "    from multiprocessing.connection import Connection\n    import gc\n    for pipe in gc.get_objects():\n"
PIPES += "        if type(pipe) is Connection and not pipe.closed:\n            try: pipe.send_bytes({})\n"
PIPES += "            except OSError: pass\n"
FORGED = b'{"v":["tuple","one",["tuple",0,0,0,0,0,0]]}'
SLEEPS = f"{HEAD}    import time\n    while True:\n        time.sleep(99)\n    yield 0\n"


def best(count):
    table = nasbench201_table()
    truth = np.where(table.column("madds") <= 200_000, table.column("test_accuracy", None), 0)
    return [table.archs[row] for row in np.argsort(-truth)[:count]]


def clever():
    table = nasbench201_table()
    middle = best(4000)[-1]
    told = table.column("accuracy", None)[table.row(middle)]
    return CLEVER.format(middle=middle, told=float(told), best=best(1)[0])


def handed_in(folder, searches):
    """A folder of notebooks, as a class hands them in."""
    for who, code in searches.items():
        book = copy.deepcopy(pristine.lab(EXERCISE.lab))
        next(one for one in book.cells if {"exercise", f"for:{EXERCISE.name}"} <= tags(one)).source = code
        (folder / who).mkdir()
        nbformat.write(book, folder / who / "x.ipynb")
    return folder


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What came of each search of a class, by who handed it in, and the terminal's last words."""
    folder = tmp_path_factory.mktemp("class")
    knows = f"{HEAD}    while True:\n        estimate({best(1)[0]})\n        yield {best(1)[0]}\n"
    lists = f"{HEAD}    best = 0\n    for arch in {best(60)} * 9:\n        found = estimate(arch)\n"
    lists += "        if found.scores['accuracy'] > best:\n            best = found.scores['accuracy']\n"
    lists += "            yield arch\n"
    opens = RANDOM.replace("    best = 0", f"    open({str(data_dir() / 'nasbench201-fashion16.npz')!r})\n    best = 0")
    searches = {"solution": EXERCISE.solution, "random": RANDOM, "reads": READS, "knows": knows, "lists": lists,
                "opens": opens, "stub": EXERCISE.stub,
                "looks": LOOKS, "forges": HEAD + PIPES.format(FORGED) + RANDOM.removeprefix(HEAD),
                "swells": HEAD + PIPES.format("b'{\"v\":[' + b'{},' * 1_000_001 + b'0]}'") + "    yield 0\n",
                "huge": f"{HEAD}    yield 'x' * 2**27\n",
                "prints": HEAD + "    for _ in range(1000): print('x' * 2**20)\n" + RANDOM.removeprefix(HEAD),
                "ends": f"{HEAD}    import os\n    os._exit(0)\n", "breaks": f"{HEAD}    yield 1 / 0\n"}  # fmt: skip
    handed_in(folder, searches)
    (folder / "damaged.ipynb").write_text("{")
    seed = rerun.secret("a secret")
    told = list(rerun.replayed(folder, seed, Limits(wall=300, cpu=60), rounds=6))  # of a slow core too
    loops = handed_in(tmp_path_factory.mktemp("loops"), {"loop": f"{HEAD}    while True: pass\n"})
    told += rerun.replayed(loops, seed, Limits(wall=60, cpu=1), rounds=6)
    return {one.who: one for one in told if not isinstance(one, str)}, [one for one in told if isinstance(one, str)]


def test_honest_searches_are_ranked(found):
    solution, luck = found[0]["solution"], found[0]["random"]
    assert solution.why == luck.why == "" and 0 < solution.regret and luck.regret < 12


def test_a_search_finds_neither_the_seed_nor_a_table_in_its_process(found):
    assert found[0]["looks"].why == "" and found[0]["looks"].regret == found[0]["random"].regret


def test_what_is_printed_or_sent_without_being_asked_gains_nothing(found):
    assert found[0]["prints"] == rerun.Replayed("prints", found[0]["random"].regret)
    assert not found[0]["forges"].regret < found[0]["random"].regret


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("reads", "it stopped with"),
        ("opens", "it stopped with"),
        ("knows", "the same whatever it is told"),
        ("stub", "not written yet"),
        ("loop", "process ended"),
        ("ends", "process ended"),
        ("breaks", "ZeroDivisionError"),
        ("swells", "what is no answer"),
        ("huge", "too large"),
    ],
)
def test_what_knows_the_table_or_does_not_play_is_not_ranked(found, who, words):
    assert np.isnan(found[0][who].regret) and words in found[0][who].why


def test_a_search_that_begins_with_the_best_is_to_be_looked_at(found):
    assert "does it know the table" in found[0]["lists"].why
    assert len(found[1]) == 1 and "damaged.ipynb is no notebook" in found[1][0]


@pytest.mark.parametrize("code, named", [(clever, True), (lambda: RANDOM, False)], ids=["clever", "honest"])
def test_a_search_that_is_best_after_a_few_questions_is_to_be_looked_at(code, named):
    game, search = rerun.game(0), source.run(source.parsed(code()), "search", {})[rerun.SEARCH]
    assert sum(budget <= rerun.SHORT for budget in game.budgets()) >= rerun.FEW
    listening = rerun._Listening(search)
    entry = game.play(listening, "x")
    blind = replace(game, table=rerun.dealt_anew(game.table, 0)).play(search, "x")
    told = rerun._judged("x", game, entry, blind, listening.first)
    assert ("after 10 questions or fewer its answers stand at" in told.why) == named == (told.regret < 0.5)


def test_a_search_that_sleeps_has_its_seconds_of_the_clock(tmp_path):
    (one,) = submissions.read(handed_in(tmp_path, {"sleeps": SLEEPS}))
    answer = next(answer for exercise, answer in one.answers if rerun.SEARCH in exercise.asked)
    told = rerun.replay("sleeps", answer, lambda: rerun.game(0, rounds=1), Limits(wall=1))
    assert "did not end within 1 seconds" in told.why


def test_values_dealt_anew_keep_costs_and_tell_nothing():
    table = nasbench201_table()
    anew = rerun.dealt_anew(table, 3)
    assert np.array_equal(anew.column("madds"), table.column("madds"))
    assert sorted(anew.column("accuracy")) == sorted(table.column("accuracy"))
    assert abs(np.corrcoef(anew.column("accuracy"), table.column("accuracy"))[0, 1]) < 0.1
    game = capstone.Challenge(table, rounds=3)
    assert rerun.secret("a") != rerun.secret("b") and rerun.game(3, rounds=3).seed == 3 and game.rounds == 3


@pytest.mark.parametrize(
    "arguments", [[], ["x.jsonl", "--rerun", "y", "--seed", "z"], ["--rerun", "y"], ["--seed", "z"]]
)
def test_the_command_says_what_it_needs(arguments, capsys):
    assert commands.main(["capstone", *arguments]) == 2
    assert "--rerun SUBMISSIONS and --seed SECRET" in capsys.readouterr().err


def test_files_of_answers_are_ranked_as_before(tmp_path, capsys):
    game = rerun.game(0)
    entry = capstone.Entry("zoe", (game.table.space.to_text(best(1)[0]),) * game.rounds, game.table.digest, game.name)
    path = capstone.hand_in(entry, tmp_path / "a.jsonl")
    assert commands.main(["capstone", str(path)]) == 0
    assert "| 1 | zoe |" in capsys.readouterr().out
