"""What trainings and answers take: extrapolated from steps, kept beside the trainings, published in their place."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from nasviz.estimators import FAST, Table, Timing, Training
from nasviz.estimators import training_time as timing
from nasviz.estimators.tabulate import Work, main, measure, publish, run, trainings_in
from nasviz.spaces import NasBench201

SMALL = replace(FAST, images=128, epochs=1, batch=32)
CONVOLUTIONS, SKIPS = (3,) * 6, (1,) * 6


class Two(NasBench201):
    """The space with two architectures."""

    def distinct(self):
        return [SKIPS, CONVOLUTIONS]


@pytest.fixture
def work():
    return Work(Training(Two(), SMALL), seeds=2)


def test_more_work_takes_longer_and_seconds_are_of_the_whole_training(monkeypatch):
    """By a clock that each convolution moves on by a second."""
    now, convolve, space = [0], torch.nn.Conv2d.forward, NasBench201()
    by_modules = replace(SMALL, network={"reduction": "residual"})  # the step of a plain reduction is written out

    def forward(layer, images):
        now[0] += 1
        return convolve(layer, images)

    def time(arch, recipe=by_modules):
        return Timing(Training(space, recipe), steps=9)(arch)

    monkeypatch.setattr(torch.nn.Conv2d, "forward", forward)
    monkeypatch.setattr(timing, "time", SimpleNamespace(thread_time=lambda: now[0], perf_counter=lambda: now[0]))
    for arch in (CONVOLUTIONS, SKIPS):
        layers = sum(
            isinstance(layer, torch.nn.Conv2d) for layer in space.network(arch, **by_modules.network).modules()
        )
        found = time(arch)
        assert found.scores == {"latency_ms": 1000 * layers, "latency_ms_64": 1000 * layers}
        assert found.seconds > 128 / 32 * layers and found.seconds % layers == 0  # four steps, then the validation
        assert time(arch, replace(by_modules, epochs=20)).seconds == 20 * found.seconds
    assert time(CONVOLUTIONS).seconds > time(SKIPS).seconds


def test_each_is_timed_once_and_timings_are_no_part_of_the_trainings(work, tmp_path):
    assert measure(work, tmp_path) == 2 and measure(work, tmp_path) == 0
    (part,) = [p for p in (tmp_path / "timings").glob("*.jsonl") if len(p.read_text().splitlines()) == 3]
    part.write_text("\n".join(part.read_text().splitlines()[:2]) + "\n")  # as if it had been killed
    assert measure(work, tmp_path) == 1
    assert len(list(run(work, tmp_path))) == 4
    timed = [text for part in sorted((tmp_path / "timings").glob("*.jsonl")) for (text, _), _ in trainings_in(part)]
    assert sorted(timed) == sorted(map(work.estimate.space.to_text, (SKIPS, CONVOLUTIONS)))


def test_timings_replace_the_seconds_of_trainings_and_bring_latencies(work, tmp_path, capsys):
    list(run(work, tmp_path))
    measure(work, tmp_path)
    parts = [str(part) for part in tmp_path.glob("*.jsonl")]
    main(["publish", *parts, str(tmp_path / "out.npz"), "--timings", str(tmp_path / "timings")])
    assert "2 of 5,044 rows" in capsys.readouterr().out
    table = Table.load(tmp_path / "out.npz")
    own = {text: row for part in (tmp_path / "timings").glob("*.jsonl") for (text, _), row in trainings_in(part)}
    for arch in (SKIPS, CONVOLUTIONS):
        row, timed = table.row(arch), own[table.space.to_text(arch)]
        assert table.seconds[row] == pytest.approx([timed["seconds"]] * 2, rel=1e-6)
        assert table.columns["latency_ms"][row] == pytest.approx([timed["scores"]["latency_ms"]] * 2, rel=1e-6)
    assert "processor" in table.about["timed on"]


def test_an_architecture_without_timing_or_seed_is_not_published(work, tmp_path):
    list(run(work, tmp_path))
    measure(work, tmp_path)
    (part,) = [p for p in (tmp_path / "timings").glob("*.jsonl") if len(p.read_text().splitlines()) == 3]
    part.write_text("\n".join(part.read_text().splitlines()[:2]) + "\n")
    timed = json.loads(part.read_text().splitlines()[1])["arch"]
    parts = list(tmp_path.glob("*.jsonl"))
    table = publish(parts, tmp_path / "one.npz", timings=[part])
    assert [table.space.to_text(arch) for arch in table.archs] == [timed]
    (trainings,) = [p for p in parts if len(p.read_text().splitlines()) > 1]
    trainings.write_text("\n".join(trainings.read_text().splitlines()[:4]) + "\n")  # one of four is lost
    assert len(publish(parts, tmp_path / "half.npz").archs) == 1
