"""The challenge replayed: honest searches are ranked, and what reads the table, or knows it, is not."""

import copy

import nbformat
import numpy as np
import pytest

from nasviz.course import capstone, commands, rerun
from nasviz.course.grading import limits, pristine
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


def best(count):
    table = nasbench201_table()
    truth = np.where(table.column("madds") <= 200_000, table.column("test_accuracy", None), 0)
    return [table.archs[row] for row in np.argsort(-truth)[:count]]


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
                "opens": opens, "stub": EXERCISE.stub, "loop": f"{HEAD}    while True: pass\n",
                "ends": f"{HEAD}    import os\n    os._exit(0)\n", "breaks": f"{HEAD}    yield 1 / 0\n"}  # fmt: skip
    for who, code in searches.items():
        book = copy.deepcopy(pristine.lab(EXERCISE.lab))
        next(one for one in book.cells if {"exercise", f"for:{EXERCISE.name}"} <= tags(one)).source = code
        (folder / who).mkdir()
        nbformat.write(book, folder / who / "x.ipynb")
    (folder / "damaged.ipynb").write_text("{")
    nasbench201_table.cache_clear()  # or each search would inherit it
    told = list(rerun.replayed(folder, rerun.secret("a secret"), Limits(wall=120, cpu=3), rounds=6))
    return {one.who: one for one in told if not isinstance(one, str)}, [one for one in told if isinstance(one, str)]


def test_honest_searches_are_ranked_and_the_better_one_first(found):
    solution, luck = found[0]["solution"], found[0]["random"]
    assert solution.why == luck.why == "" and 0 < solution.regret and luck.regret < 12


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
    ],
)
def test_what_knows_the_table_or_does_not_play_is_not_ranked(found, who, words):
    assert np.isnan(found[0][who].regret) and words in found[0][who].why


def test_a_search_that_begins_with_the_best_is_to_be_looked_at(found):
    assert "does it know the table" in found[0]["lists"].why
    assert len(found[1]) == 1 and "damaged.ipynb is no notebook" in found[1][0]


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
