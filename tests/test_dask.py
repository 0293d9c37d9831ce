"""A cluster as an executor: the same answers as in this process, also when one of its workers is killed meanwhile."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from nasviz.estimator import Cancelled, watching
from nasviz.estimators import Recipe, Training
from nasviz.spaces import NasBench201
from nasviz.strategies import RandomSearch

distributed = pytest.importorskip("distributed", reason="the extra nasviz[dask] is not installed")

SPACE = NasBench201()
TINY = Recipe(images=128, epochs=1, batch=64, network={"channels": 4})
ARCHS = [SPACE.sample(np.random.default_rng(seed)) for seed in range(6)]


class Deadly(NasBench201):
    """Architecture ``victim`` kills the process that builds it, as long as the file ``fuse`` is there."""

    victim: tuple[int, ...] = ()
    fuse: str = ""

    def network(self, arch, **size):
        if arch == self.victim and os.path.exists(self.fuse):
            os.remove(self.fuse)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().network(arch, **size)


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


@pytest.fixture(scope="module")
def alone():
    estimate = Training(SPACE, TINY)
    return [estimate(arch, seed=7 + i) for i, arch in enumerate(ARCHS)]


def test_a_cluster_gives_what_this_process_gives(client, alone):
    assert list(Training(SPACE, TINY, executor=client.get_executor()).many(ARCHS, seed=7)) == alone
    search = RandomSearch(SPACE, Training(SPACE, TINY, executor=client.get_executor()), evaluations=3)
    assert list(search) == list(RandomSearch(SPACE, Training(SPACE, TINY), evaluations=3))


def test_a_killed_worker_loses_and_doubles_nothing(client, alone, tmp_path):
    space = Deadly()
    space.victim, space.fuse = ARCHS[1], str(tmp_path / "fuse")
    Path(space.fuse).touch()
    before = {worker["pid"] for worker in client.scheduler_info()["workers"].values() if "pid" in worker}
    evaluations = list(Training(space, TINY, executor=client.get_executor()).many(ARCHS, seed=7))
    assert not os.path.exists(space.fuse)                                  # somebody was killed
    assert evaluations == alone
    client.wait_for_workers(2, timeout=30)
    after = {worker["pid"] for worker in client.scheduler_info()["workers"].values() if "pid" in worker}
    assert len(after) == len(before) and (not before or after != before)


def test_progress_and_stop_reach_workers_on_this_machine(client):
    heard = []

    def hook(progress):
        heard.append(progress)
        if progress.batch > 3:
            raise Cancelled

    long = Recipe(images=2000, epochs=500, batch=64, network={"channels": 4})
    results = Training(SPACE, long, executor=client.get_executor()).many(ARCHS)
    with watching(hook), pytest.raises(Cancelled):
        next(results)
    assert heard[-1].batch > 3
    assert len(list(Training(SPACE, TINY, executor=client.get_executor()).many(ARCHS[:2]))) == 2
