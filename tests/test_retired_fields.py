"""Fields that a class has no more: what old records of it mean, in `nasviz.identity.today`."""

import json
from dataclasses import fields, replace

import pytest
from old_records import OWN, RECORDS, changed, copied, moved
from records import make

from nasviz.estimators import Table
from nasviz.identity import Retired
from nasviz.races.standings import Standings
from nasviz.run import Run
from nasviz.strategies import BatchedEvolution, RegularizedEvolution

SPACE = make.SPACE


@pytest.mark.parametrize("name", OWN)
def test_a_retired_field_at_what_it_meant_is_the_search_of_today(name, tmp_path, monkeypatch):
    """Today's class stands for one of the past that had ``freeze``, at 0 what it is now."""
    search, _, steps = make.RUNS[name]
    cls, path = type(search), copied(name, tmp_path / "old")
    then = changed(cls)
    lines = path.read_bytes().split(b"\n")
    for freeze in (0, 7):
        head = json.loads(lines[0])
        head["fields"]["freeze"] = freeze
        path.write_bytes(b"\n".join([json.dumps(head).encode(), *lines[1:]]))
        words = f"freeze is {freeze} there, and {cls.__name__} has no such field any more"
        with pytest.raises(ValueError, match=words):
            Run(search, path)
        with monkeypatch.context() as now:
            now.setattr(cls, "retired", {**getattr(cls, "retired", {}), "freeze": Retired(0)}, raising=False)
            if freeze:
                for read in (lambda: Run(search, path), lambda: Run.load(path)):
                    with pytest.raises(ValueError, match=words):
                        read()
            else:
                before = Run.load(RECORDS / "runs" / f"{name}.jsonl")
                assert Run.load(path).steps == before.steps and type(Run.load(path).search) is cls
                assert len(Run(search, path).recall()) == steps
                assert Run(moved(search, then), path).recall().steps == before.steps  # nobody is hurt who has it still


def test_a_batch_of_regularized_evolution_is_a_search_of_its_own_now(tmp_path):
    search, path = make.RUNS["batches"][0], copied("batches", tmp_path)
    raw = path.read_bytes()
    plain = {one.name: getattr(search, one.name) for one in fields(RegularizedEvolution)}
    for other, words in (
        (RegularizedEvolution(**plain), "type is BatchedEvolution there, RegularizedEvolution here, batch is 4 there"),
        (replace(search, batch=5), "another search: batch is 4 there, 5 here"),
    ):
        with pytest.raises(ValueError, match=words):
            Run(other, path)
    assert path.read_bytes() == raw
    assert Run.load(path).search.batch == 4
    list(Run(search, path))  # goes on, under its old head
    assert path.read_bytes().startswith(raw)


def test_a_batch_of_one_in_an_old_record_is_no_batched_evolution(tmp_path):
    search, path = make.RUNS["evolution"][0], copied("evolution", tmp_path)
    assert type(Run.load(path).search) is RegularizedEvolution
    plain = {one.name: getattr(search, one.name) for one in fields(search)}
    with pytest.raises(ValueError, match="type is RegularizedEvolution there, BatchedEvolution here"):
        Run(BatchedEvolution(**plain, batch=1), path)


def test_the_mutation_of_an_old_record_is_a_function_now(tmp_path):
    evolution, published = (make.RUNS[name][0] for name in ("evolution", "published"))
    assert Run.load(copied("evolution", tmp_path)).search.mutation is None
    assert len(Run(replace(evolution, mutation=SPACE.mutate), tmp_path / "evolution.jsonl").recall()) == 12
    path = copied("published", tmp_path)
    its = Run.load(path).search
    assert its.mutation == its.space.mutate_as_published and its.space == make.NASNET
    for other, name in ((None, "None"), (make.NASNET.mutate, "None"), (lambda arch, rng: arch, ".*lambda")):
        with pytest.raises(ValueError, match=f"another search: mutation is mutate_as_published there, {name}"):
            Run(replace(published, mutation=other), path)
    path, text = copied("evolution", tmp_path), (RECORDS / "runs" / "evolution.jsonl").read_text()
    for name in ("size", "__init__", "anchors", "operations"):  # no mutations: the last is an ability, and no method
        path.write_text(text.replace('"mutation": "mutate"', f'"mutation": "{name}"'))
        with pytest.raises(ValueError, match=f"cannot rebuild the search from its record .*{name}"):
            Run.load(path)


def test_races_outlive_a_field_that_is_retired(tmp_path):
    one, other = (json.loads((RECORDS / "races" / "two.jsonl").read_text().splitlines()[0]) for _ in range(2))
    before = Standings.load(RECORDS / "races" / "two.jsonl")
    tracks = (RECORDS / "races" / "two.jsonl").read_text().split("\n", 1)[1]
    evolution = other["searches"]["RegularizedEvolution"]
    del evolution["batch"]
    evolution["mutation"] = None  # as it is written today
    for name, head in (("old", one), ("new", other)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(head) + "\n" + tracks)
    for name in ("old", "new"):
        race = make.race(Table.load(RECORDS / "tables" / "forty.npz"), before.names, tmp_path / f"{name}.jsonl")
        assert len(race.standings().tracks) == 4
        assert (tmp_path / f"{name}.jsonl").read_text().endswith(tracks)
    one["searches"]["RegularizedEvolution"]["batch"] = 8
    (tmp_path / "batch.jsonl").write_text(json.dumps(one) + "\n" + tracks)
    words = "type is BatchedEvolution there, RegularizedEvolution here"
    with pytest.raises(ValueError, match=f"another race: searches.{before.names[1]}.{words}"):
        make.race(Table.load(RECORDS / "tables" / "forty.npz"), before.names, tmp_path / "batch.jsonl").standings()
