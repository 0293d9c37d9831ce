"""A cluster as an executor: the same answers as in this process, also when one of its workers is killed meanwhile."""

import numpy as np
import pytest
from toys import Toy, Waiting, mortal

from nasviz.estimator import Cancelled, watching
from nasviz.estimators import Recipe, Training
from nasviz.spaces import NasBench201
from nasviz.strategies import RandomSearch
from nasviz.workers import spread

distributed = pytest.importorskip("distributed", reason="the extra nasviz[dask] is not installed")

SPACE = NasBench201()
TINY = Recipe(images=128, epochs=1, batch=64, network={"channels": 4})
ARCHS = [SPACE.sample(np.random.default_rng(seed)) for seed in range(6)]
TOLD = [Toy(SPACE)(arch, seed=7 + i) for i, arch in enumerate(ARCHS)]


@pytest.fixture(scope="module")
def client():
    """Two workers on this machine; nothing listens beyond it."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, memory_limit=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_a_cluster_gives_what_this_process_gives(client):
    executor = client.get_executor()
    assert list(spread(Toy(SPACE), ARCHS, executor=executor, seed=7)) == TOLD
    training = RandomSearch(SPACE, Training(SPACE, TINY, executor=executor), evaluations=1)
    assert list(training) == list(RandomSearch(SPACE, Training(SPACE, TINY), evaluations=1))


def test_progress_and_stop_reach_workers_on_this_machine(client):
    heard = []

    def hook(progress):
        heard.append(progress)
        raise Cancelled

    results = spread(Waiting(), [(600.0,)] * 3, executor=client.get_executor())
    with watching(hook), pytest.raises(Cancelled):
        next(results)
    assert heard[-1].batch == 1
    assert list(spread(Toy(SPACE), ARCHS, executor=client.get_executor(), seed=7)) == TOLD  # the workers are free again


def test_a_killed_worker_loses_and_doubles_nothing(client, tmp_path):
    job = mortal(SPACE, ARCHS[1], tmp_path / "fuse", matches=1)
    before = {worker["pid"] for worker in client.scheduler_info()["workers"].values() if "pid" in worker}
    assert list(spread(job, ARCHS, executor=client.get_executor(), seed=7)) == TOLD
    assert list((tmp_path / "fuse").iterdir()) == []  # somebody was killed
    client.wait_for_workers(2, timeout=30)
    after = {worker["pid"] for worker in client.scheduler_info()["workers"].values() if "pid" in worker}
    assert len(after) == len(before) and (not before or after != before)
