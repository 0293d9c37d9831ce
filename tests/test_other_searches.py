"""The page docs/other-searches.md, run as it stands, and strategies by ask and tell."""

import gc
import importlib.util
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from toys import SPACES, Elastic, Toy

from nasviz import Evaluation, Step, strategies
from nasviz.ask_tell import AskTell
from nasviz.races.race import Race
from nasviz.run import Run
from nasviz.strategies import BatchedEvolution, Hyperband, LocalSearch, RegularizedEvolution

PAGE = Path(__file__).parents[1] / "docs" / "other-searches.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)


def module(tmp_path, text, **given):
    """A code block of the page as a module, which finds ``given`` under these names."""
    path = tmp_path / f"page_{len(list(tmp_path.iterdir()))}.py"
    path.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    made = importlib.util.module_from_spec(spec)
    vars(made).update(given)
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def tpe(tmp_path):
    optuna = pytest.importorskip("optuna", reason="the extra nasviz[optuna] is not installed")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return module(tmp_path, BLOCKS[0]).Tpe


def test_the_loop_has_at_most_twenty_lines():
    loop = BLOCKS[0][BLOCKS[0].index("    def __iter__") :]
    assert len(loop.strip().splitlines()) <= 20


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_optuna_as_a_strategy(tpe, tmp_path, space):
    search = tpe(space, Toy(space), evaluations=30, seed=1)
    steps = list(search)
    assert len(steps) == 30 and all(space.why_invalid(step.evaluation.arch) is None for step in steps)
    assert steps == list(tpe(space, Toy(space), evaluations=30, seed=1)) != list(tpe(space, Toy(space), 30, seed=2))
    for stop in (1, 12):
        for _ in zip(range(stop), Run(search, tmp_path / "tpe.jsonl"), strict=False):
            pass
    assert list(Run(search, tmp_path / "tpe.jsonl")) == steps


def test_optuna_learns_and_races(tpe, tmp_path):
    class Tested(Toy):
        def __call__(self, arch, *, epochs=None, seed=0):
            said = super().__call__(arch, seed=0)
            return type(said)(said.arch, said.scores | {"test_accuracy": sum(arch) / 24}, 1.0, 12, seed)

    space = SPACES[0]
    text = BLOCKS[1].replace("budget=100, seeds=20", "budget=60, seeds=8")
    assert text != BLOCKS[1]
    given = {"Tpe": lambda s, e: tpe(s, e, evaluations=60), "space": space, "estimate": Tested(space)}
    text = text.replace("race.standings()", "").replace("print()", "").replace("RegularizedEvolution(space, estimate)",
                        "RegularizedEvolution(space, estimate, evaluations=60)")  # fmt: skip
    race = module(tmp_path, text, **given).race
    assert isinstance(race, Race)
    tracks = [race.run(name, seed) for name in ("RandomSearch", "Tpe") for seed in race.seeds]
    ends = {name: [t.truths["test"][-1] for t in tracks if t.name == name] for name in ("RandomSearch", "Tpe")}
    assert np.mean(ends["Tpe"]) > np.mean(ends["RandomSearch"])


@pytest.mark.parametrize("cls", [LocalSearch, RegularizedEvolution, Hyperband, strategies.RandomSearch])
def test_ask_and_tell_is_the_strategy_itself(tmp_path, cls):
    ask_tell = module(tmp_path, BLOCKS[2]).AskTell
    space = Elastic()
    estimate = Toy(space)
    search = ask_tell(lambda estimate: cls(space, estimate, evaluations=40, seed=5))
    count = 0
    while question := search.ask():
        arch, epochs, seed = question
        search.tell(estimate(arch, epochs=epochs, seed=seed))
        count += 1
    assert search.steps == list(cls(space, estimate, evaluations=40, seed=5)) and count == len(search.steps)


def test_the_example_of_ask_and_tell_runs(tmp_path):
    space = SPACES[0]
    given = {"AskTell": module(tmp_path, BLOCKS[2]).AskTell, "space": space, "estimate": Toy(space)}
    assert len(module(tmp_path, BLOCKS[3], **given).search.steps) == 50


def test_an_error_of_the_strategy_reaches_who_asks(tmp_path):
    ask_tell = module(tmp_path, BLOCKS[2]).AskTell
    space = SPACES[0]
    search = ask_tell(lambda estimate: BatchedEvolution(space, estimate, batch=0))
    with pytest.raises(ValueError, match="batch is 0, and has to be"):
        search.ask()
    with pytest.raises(ValueError, match="batch is 0, and has to be"):
        search.ask()


def small(evaluations=2, **more):
    return AskTell(lambda estimate: strategies.RandomSearch(SPACES[0], estimate, evaluations=evaluations, **more))


def test_after_the_end_there_is_nothing_to_ask_and_to_tell():
    search = small()
    while question := search.ask():
        assert search.ask() == question
        search.tell(last := Toy(SPACES[0])(question[0], seed=question[2]))
    assert search.ask() is search.ask() is None and len(search.steps) == 2
    with pytest.raises(ValueError, match="the search is over"):
        search.tell(last)


def test_only_what_is_asked_can_be_told():
    search, judge = small(), Toy(SPACES[0])
    other = judge(SPACES[0].sample(np.random.default_rng(7)))
    with pytest.raises(ValueError, match="ask.. was not called yet"):
        search.tell(other)
    arch, _, seed = search.ask()
    assert other.arch != arch
    for nonsense, words in ((other, "this is an evaluation of"), (None, "not NoneType"), (0.9, "not float")):
        with pytest.raises(ValueError, match=words):
            search.tell(nonsense)
    search.tell(judge(arch, seed=seed))
    with pytest.raises(ValueError, match="no question is open: it was answered"):
        search.tell(judge(arch, seed=seed))
    assert search.ask()[0] != arch and len(search.steps) == 1


@pytest.mark.parametrize("error", [ZeroDivisionError("odd"), SystemExit(2), KeyboardInterrupt()])
def test_what_a_strategy_raises_in_between_comes_out_of_ask(error):
    def broken(estimate):
        yield Step(estimate((0,)))
        raise error

    search = AskTell(broken)
    search.tell(Evaluation(search.ask()[0], {"accuracy": 0.5}))
    for _ in range(2):
        with pytest.raises(type(error)):
            search.ask()
    assert len(search.steps) == 1


def stubborn(estimate):
    while True:
        try:
            yield Step(estimate((0,)))
        except Exception:
            pass


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("make", [stubborn, lambda estimate: strategies.RandomSearch(SPACES[0], estimate)])
def test_a_forgotten_search_leaves_no_thread(make, asked):
    before = set(threading.enumerate())
    search = AskTell(make)
    (thread,) = set(threading.enumerate()) - before
    if asked:
        search.tell(Evaluation(search.ask()[0], {"accuracy": 0.5}))
        search.ask()
    del search
    gc.collect()
    thread.join(20)
    assert not thread.is_alive()
