"""A table of trainings: killed and resumed it holds each once; foreign, torn and contradicting parts are told apart."""

import gzip
import json
from dataclasses import dataclass

import pytest
from toys import Toy, distinct

from nasviz.estimators import tabulate
from nasviz.estimators.tabulate import Work, main, merge, parts_of, run, status, trainings_in
from nasviz.spaces import NasBench201


class Few(NasBench201):
    """The space with seven architectures."""

    def distinct(self):
        return distinct()[100:107]


@dataclass
class Sure(Toy):
    """Never fails."""

    def __call__(self, arch, *, epochs=None, seed=0):
        evaluation = super().__call__(arch, seed=seed)
        evaluation.scores["accuracy"] = sum(arch) / 24 + seed
        return evaluation


class Here:
    """A pool that works in this process, and counts."""

    def __init__(self):
        self.asked = []

    def submit(self, job, arch, seed):
        from concurrent.futures import Future

        self.asked.append((arch, seed))
        future = Future()
        future.set_result(job(arch, seed=seed))
        return future


@pytest.fixture
def pool(monkeypatch):
    here = Here()
    monkeypatch.setattr(tabulate, "default_pool", lambda: here)
    monkeypatch.setattr(tabulate, "BLOCK", 4)
    return here


@pytest.fixture
def work():
    return Work(Sure(Few()), seeds=2)


def keys(folder):
    return [key for part in sorted(folder.glob("*.jsonl")) for key, _ in trainings_in(part)]


def test_a_table_has_each_architecture_with_each_seed(pool, work, tmp_path):
    evaluations = list(run(work, tmp_path))
    assert len(evaluations) == 14 and len(set(keys(tmp_path))) == 14
    space = work.estimate.space
    assert {key for key in keys(tmp_path)} == {(space.to_text(a), s) for a in space.distinct() for s in (0, 1)}
    assert [seed for _, seed in pool.asked] == [0] * 4 + [1] * 4 + [0] * 3 + [1] * 3  # a block gets all its seeds
    assert status(work, tmp_path) == "seed 0: 7 of 7 (100.0 %)\nseed 1: 7 of 7 (100.0 %)"
    assert list(run(work, tmp_path)) == []


def test_what_is_there_is_not_trained_again_after_a_kill(pool, work, tmp_path):
    first = run(work, tmp_path)
    for _ in range(5):
        next(first)
    first.close()
    part = tmp_path / "part-000.jsonl"
    part.write_bytes(part.read_bytes()[:-9])  # killed while writing the fifth
    there = set(keys(tmp_path))
    assert len(there) == 4
    pool.asked.clear()
    assert len(list(run(work, tmp_path))) == 10
    assert not there & {work.key(*asked) for asked in pool.asked}
    assert sorted(keys(tmp_path)) == sorted(work.key(*one) for one in work.all())


def test_real_processes_fill_a_table(work, tmp_path):
    assert len(list(run(work, tmp_path))) == 14


def test_other_work_and_damage_are_refused(pool, work, tmp_path):
    list(run(work, tmp_path))
    with pytest.raises(ValueError, match="another table"):
        next(run(Work(Sure(Few(), noise=0.5), 2), tmp_path))
    part = tmp_path / "part-000.jsonl"
    part.write_text(part.read_text().replace('"seed"', '"sead"', 1))
    with pytest.raises(ValueError, match="part-000.jsonl, line 2"):
        status(work, tmp_path)


def test_parts_are_joined_and_contradictions_refused(pool, work, tmp_path):
    for folder in ("a", "b"):
        running = run(work, tmp_path / folder)
        for _ in range(9 if folder == "a" else 14):
            next(running)
        running.close()
    a, b = tmp_path / "a" / "part-000.jsonl", tmp_path / "b" / "part-000.jsonl"
    assert merge([a, b], tmp_path / "both.jsonl") == 14
    assert len(list(trainings_in(tmp_path / "both.jsonl"))) == 14
    with pytest.raises(FileExistsError):
        merge([a, b], tmp_path / "both.jsonl")
    lines = b.read_text().splitlines()
    row = json.loads(lines[1])
    row["scores"]["accuracy"] += 0.01
    b.write_text("\n".join([lines[0], json.dumps(row), *lines[2:]]) + "\n")
    with pytest.raises(ValueError, match="disagrees"):
        merge([a, b], tmp_path / "other.jsonl")
    assert not (tmp_path / "other.jsonl").exists()


def test_distinct_architectures_stand_for_all_functions():
    space = NasBench201()
    archs = space.distinct()
    assert len(archs) == len({space.canonical(arch) for arch in archs}) == 5044
    assert archs == sorted(archs) and (1,) + (0,) * 5 not in archs  # the empty cell is (0, 0, 0, 0, 0, 0)
    assert all(not network_has_dead_weights(space, arch) for arch in archs[::200])


def network_has_dead_weights(space, arch):
    cell = space.network(arch).body[0]
    return any(next(operation.parameters(), None) is not None for operation in cell.unused())


def test_the_command_line_says_how_much_is_there(tmp_path, capsys):
    main(["status", str(tmp_path), "--seeds", "1"])
    assert "seed 0: 0 of 5,044" in capsys.readouterr().out


def test_a_finished_part_may_be_packed_and_is_read_and_gone_on_from(work, pool, tmp_path):
    running = run(work, tmp_path)
    for _ in range(5):
        next(running)
    running.close()
    (part,) = tmp_path.glob("*.jsonl")
    packed = tmp_path / f"{part.name}.gz"
    packed.write_bytes(gzip.compress(part.read_bytes()))
    part.unlink()
    assert "seed 0: 4 of 7" in status(work, tmp_path)
    assert len(list(run(work, tmp_path))) == 9  # of 14
    assert [path.name for path in parts_of(tmp_path)] == ["part-000.jsonl.gz", "part-001.jsonl"]
    assert merge(parts_of(tmp_path), tmp_path / "all.jsonl") == 14
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(ValueError, match="part-000.jsonl.gz is damaged"):
        list(trainings_in(packed))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1.5}, {"seed": True}, {"seed": -1}, {"seed": "0"}, {"arch": 3}, {"arch": None}, {"scores": None},
        {"scores": [1]}, {"scores": {"accuracy": "0.9"}}, {"scores": {"accuracy": True}}, {"seconds": None},
    ],
)  # fmt: skip
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_line_of_a_part_that_is_no_training_is_named(tmp_path, change, mark):
    row = {"arch": "|a~0|", "seed": 0, "scores": {"accuracy": 0.9}, "seconds": 1.0}
    head, path = {"nasviz table": 1, "estimate": {}}, tmp_path / "part-000.jsonl"
    path.write_bytes(mark + "".join(json.dumps(one) + "\r\n" for one in (head, row)).encode())
    assert list(trainings_in(path)) == [(("|a~0|", 0), row)]
    path.write_bytes(mark + "".join(json.dumps(one) + "\n" for one in (head, row, row | change)).encode())
    with pytest.raises(ValueError, match=r"part-000\.jsonl, line 3: no line of a table"):
        list(trainings_in(path))


@pytest.mark.parametrize("line", ["[" * 50_000, "[]", "null", '{"arch": "x"}', "{", '"x"'])
def test_a_line_of_a_part_that_is_something_else_is_named(tmp_path, line):
    path = tmp_path / "part-000.jsonl"
    path.write_text('{"nasviz table": 1, "estimate": {}}\n' + line + "\n")
    with pytest.raises(ValueError, match=r"part-000\.jsonl, line 2: no line of a table"):
        list(trainings_in(path))
