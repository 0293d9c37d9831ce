"""Many at once: the same answers from every executor, in order; Stop acts; a killed worker is survived."""

import multiprocessing
import shutil
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import count, islice

import numpy as np
import pytest
from toys import Toy, Waiting, mortal

from nasviz import workers
from nasviz.estimator import Cancelled, Progress, watching
from nasviz.estimators import Recipe, Training
from nasviz.spaces import NasBench201
from nasviz.workers import spread

SPACE = NasBench201()
TINY = Recipe(images=128, epochs=1, batch=64, network={"channels": 4})
LONG = Recipe(images=2000, epochs=50_000, batch=64, network={"channels": 4})  # hours: only Stop ends it
ARCHS = [SPACE.sample(np.random.default_rng(seed)) for seed in range(5)]
TOLD = [Toy(SPACE)(arch, seed=7 + i) for i, arch in enumerate(ARCHS)]


@pytest.fixture(autouse=True)
def two_workers(monkeypatch):
    monkeypatch.setenv("NASVIZ_WORKERS", "2")


@pytest.fixture(scope="module")
def alone():
    """What training in this process says, one after the other."""
    estimate = Training(SPACE, TINY)
    return [estimate(arch, seed=7 + i) for i, arch in enumerate(ARCHS)]


# ------------------------------------------------------------------------------------------ same answers
def test_loky_and_many_give_what_one_at_a_time_gives(alone):
    assert list(Training(SPACE, TINY).many(ARCHS, seed=7)) == alone


def test_spawned_processes(alone):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert list(Training(SPACE, TINY, executor=executor).many(ARCHS, seed=7)) == alone


def test_threads(alone):
    with ThreadPoolExecutor(3) as executor:
        assert list(Training(SPACE, TINY, executor=executor).many(ARCHS, seed=7)) == alone


def test_one_worker_is_this_process(alone, monkeypatch):
    monkeypatch.setenv("NASVIZ_WORKERS", "1")
    monkeypatch.setattr(workers, "default_pool", None)  # calling it would fail
    assert list(Training(SPACE, TINY).many(ARCHS[:2], seed=7)) == alone[:2]


def test_a_space_written_in_a_notebook(alone):
    notebook = {"__name__": "__main__", "NasBench201": NasBench201}
    exec("class Mine(NasBench201):\n    name = 'mine'\n", notebook)  # as a cell does: no module holds it
    space = notebook["Mine"]()
    assert [e.scores for e in Training(space, TINY).many(ARCHS[:2], seed=7)] == [e.scores for e in alone[:2]]


def test_epochs_and_the_bar_for_scripts(capsys):
    evaluations = list(Training(SPACE, Recipe(images=128, epochs=3), progress=True).many(ARCHS[:2], epochs=2))
    assert [e.epochs for e in evaluations] == [2, 2]
    assert "2/2" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------ order, laziness
def test_results_in_the_order_asked_though_the_first_takes_longest():
    with ThreadPoolExecutor(4) as executor:
        archs = [(0.4,), (0.0,), (0.1,), (0.0,)]
        evaluations = list(spread(Waiting(), archs, executor=executor, seed=5))
    assert [e.arch for e in evaluations] == archs and [e.seed for e in evaluations] == [5, 6, 7, 8]


def test_lazy_also_for_an_endless_stream():
    pulled = []

    def endless():
        for i in count():
            pulled.append(i)
            yield (0.0, i)

    with ThreadPoolExecutor(2) as executor:
        results = spread(Waiting(), endless(), executor=executor)
        assert pulled == []
        assert [e.arch[1] for e in islice(results, 6)] == [0, 1, 2, 3, 4, 5]
        assert len(pulled) <= 6 + 4  # two a worker ahead of what was taken
        results.close()


def test_nothing_asked_nothing_started(monkeypatch):
    assert list(spread(Waiting(), [], executor=ThreadPoolExecutor(1))) == []


def test_an_exception_arrives_in_its_turn_and_the_rest_is_dropped():
    with ThreadPoolExecutor(1) as executor:
        results = spread(Waiting(), [(0.0,), (-1,), (60.0,)], executor=executor)
        assert next(results).arch == (0.0,)
        with pytest.raises(ZeroDivisionError, match="as asked"):
            next(results)


def test_a_wrong_architecture_is_named_before_it_travels():
    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="choice 5"):
        list(Training(SPACE, TINY, executor=executor).many([(0, 0, 0, 0, 0, 9)]))


# ------------------------------------------------------------------------------------------ progress and Stop
def test_progress_of_all_running_trainings_and_stop():
    seen: dict[int, Progress] = {}

    def hook(progress):
        seen[progress.index] = progress
        if set(seen) >= {0, 1} and all(p.batch > 3 or p.epoch for p in seen.values()):
            raise Cancelled

    results = Training(SPACE, LONG).many(ARCHS)
    with watching(hook), pytest.raises(Cancelled):
        next(results)
    assert seen[0].arch == ARCHS[0] and seen[1].arch == ARCHS[1] and seen[0].batches == 32 and seen[0].loss > 0
    assert len(list(Training(SPACE, TINY).many(ARCHS[:2]))) == 2  # the workers are free again


def test_closing_midway_stops_what_runs_and_drops_what_waits():
    job = Waiting()
    with ThreadPoolExecutor(2) as executor:  # leaving it waits for its threads
        results = spread(job, [(0.0,), (60.0,), (60.0,), (60.0,)], executor=executor)
        next(results)
        results.close()
    assert job.ended == ((0.0,),)


def test_no_folder_is_left_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(workers.tempfile, "tempdir", str(tmp_path))
    with ThreadPoolExecutor(2) as executor:
        results = spread(Waiting(), [(0.0,), (0.3,)], executor=executor)
        next(results)
        assert len(list(tmp_path.iterdir())) == 1
        list(results)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_vanished_is_only_silence(monkeypatch, tmp_path):
    monkeypatch.setattr(workers.tempfile, "tempdir", str(tmp_path))
    with ThreadPoolExecutor(1) as executor, watching(lambda progress: None):
        results = spread(Waiting(), [(0.0,), (0.5,)], executor=executor)
        next(results)
        for folder in list(tmp_path.iterdir()):
            while folder.exists():  # the worker may just be writing in it
                shutil.rmtree(folder, ignore_errors=True)
        assert next(results).arch == (0.5,)


# ------------------------------------------------------------------------------------------ killed workers
def test_a_killed_worker_is_reported_and_its_architecture_tried_again(tmp_path):
    job = mortal(SPACE, ARCHS[1], tmp_path / "fuse", matches=1)
    with pytest.warns(RuntimeWarning, match="worker process died") as caught:
        evaluations = list(spread(job, ARCHS, seed=7, text=SPACE.to_text))
    assert evaluations == TOLD  # nothing lost, nothing twice, same seeds
    assert SPACE.to_text(ARCHS[1]) in str(caught[0].message) and len(caught) == 1


def test_a_worker_killed_twice_names_the_architecture(tmp_path):
    results = spread(mortal(SPACE, ARCHS[1], tmp_path / "fuse", matches=9), ARCHS, seed=7, text=SPACE.to_text)
    with pytest.warns(RuntimeWarning), pytest.raises(RuntimeError, match="died twice") as caught:
        assert next(results) == TOLD[0]
        next(results)
    assert SPACE.to_text(ARCHS[1]) in str(caught.value)
    with warnings.catch_warnings():  # and the next call has a pool that works
        warnings.simplefilter("error", RuntimeWarning)
        assert list(spread(Toy(SPACE), ARCHS[:2], seed=7)) == TOLD[:2]


def test_a_broken_pool_of_the_caller_is_replaced(tmp_path):
    job = mortal(SPACE, ARCHS[0], tmp_path / "fuse", matches=1)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        with pytest.warns(RuntimeWarning, match="BrokenProcessPool"):
            evaluations = list(spread(job, ARCHS[:2], executor=executor, seed=7))
    assert evaluations == TOLD[:2]


def test_a_pool_that_was_shut_down_is_said_to_be():
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(RuntimeError, match="shutdown"):
        list(spread(Waiting(), [(0.0,)], executor=executor))


# ------------------------------------------------------------------------------------------ workers
@pytest.mark.parametrize("wrong", ["0", "-1", "two", "1.5", "9999"])
def test_a_wrong_number_of_workers_is_named(monkeypatch, wrong):
    monkeypatch.setenv("NASVIZ_WORKERS", wrong)
    with pytest.raises(ValueError, match=f"NASVIZ_WORKERS.*{wrong}"):
        workers.workers()


def test_workers_by_cores_and_memory(monkeypatch):
    import loky

    monkeypatch.setenv("NASVIZ_WORKERS", "")
    monkeypatch.setattr(loky, "cpu_count", lambda: 8)
    for memory, expected in ((1e12, 8), (3e9, 5), (1e6, 1)):
        monkeypatch.setattr(workers, "available_memory", lambda memory=memory: memory)
        assert workers.workers() == expected
    monkeypatch.setenv("NASVIZ_WORKERS", "3")
    assert workers.workers() == 3


def test_memory_is_read():
    assert 1e7 < workers.available_memory() < 1e15
