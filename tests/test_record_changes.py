"""The code changes and records stay: new fields, fields that are no more, newer formats, names that come back."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, is_dataclass, make_dataclass, replace
from pathlib import Path

import pytest
from old_records import OWN, RECORDS, changed, copied, moved
from records import make
from toys import ALL_SPACES, Toy

from nasviz import estimators, objectives, spaces, strategies
from nasviz.course import capstone
from nasviz.estimators import Recipe, Table, TableLookup, Training
from nasviz.estimators.tabulate import Work, join, parts_of, status, trainings_in
from nasviz.hardware import LatencyTable
from nasviz.knobs import knob
from nasviz.objectives import Bounded, CubedBest, Less, Penalised, Score, Weighted, Within, accuracy
from nasviz.races.standings import Standings
from nasviz.run import Run
from nasviz.strategies import Nsga2, RandomSearch, RegularizedEvolution

SPACE = make.SPACE


# ------------------------------------------------------------------------------------------------ a new field
@pytest.mark.parametrize("name", OWN)
def test_a_strategy_with_a_new_knob_has_its_old_records(name, tmp_path, monkeypatch):
    search, _, steps = make.RUNS[name]
    path, before = copied(name, tmp_path / "new"), Run.load(RECORDS / "runs" / f"{name}.jsonl")
    raw, new = path.read_bytes(), changed(type(search), knob(0, 0, 9))
    monkeypatch.setattr(strategies, new.__name__, new, raising=False)
    now = Run.load(path)
    assert type(now.search) is new and now.search.freeze == 0 and now.value["freeze"] == 0
    assert now.steps == before.steps and now.turns == before.turns and now.costs == before.costs
    with pytest.raises(ValueError, match=f"{name}.jsonl is the record of another search: freeze is 0 there, 3 here"):
        Run(moved(search, new, freeze=3), path)
    assert path.read_bytes() == raw
    again = list(Run(moved(search, new), path))
    assert again == list(Run(search, copied(name, tmp_path / "old"))) and again[:steps] == before.steps
    assert path.read_bytes().startswith(raw[: raw.rfind(b"\n") + 1])


@pytest.mark.parametrize("name", OWN)
def test_a_field_that_is_no_more_is_named(name, tmp_path):
    search, _, _ = make.RUNS[name]
    new, path = changed(type(search)), tmp_path / "later.jsonl"
    path.write_text(json.dumps(Run(moved(search, new, freeze=7)).head) + "\n")
    words = f"freeze is 7 there, and {new.__name__} has no such field any more: use the version of nasviz that wrote it"
    for read in (lambda: Run(search, path), lambda: Run.load(path)):
        with pytest.raises(ValueError, match=f"later.jsonl.*{words}"):
            read()


def test_a_default_that_is_not_the_old_search_says_what_an_old_record_meant(tmp_path, monkeypatch):
    search, path = make.RUNS["evolution"][0], copied("evolution", tmp_path)
    for one in (field(default=5, metadata={"absent": 0}), knob(5, 0, 9, absent=0)):
        new = changed(RegularizedEvolution, one)
        monkeypatch.setattr(strategies, "RegularizedEvolution", new, raising=False)
        assert Run.load(path).search.freeze == 0
        assert len(Run(moved(search, new, freeze=0), path).recall()) == 12
        with pytest.raises(ValueError, match="freeze is 0 there, 5 here"):
            Run(moved(search, new), path)


def test_a_field_without_any_meaning_in_an_old_record_is_another_search(tmp_path):
    new = make_dataclass("RegularizedEvolution", [("freeze", int, field(kw_only=True))], bases=(RegularizedEvolution,))
    with pytest.raises(ValueError, match="freeze is None there, 0 here"):
        Run(moved(make.RUNS["evolution"][0], new, freeze=0), copied("evolution", tmp_path))


def test_a_field_that_is_compared_no_more_is_passed_over(tmp_path):
    new = make_dataclass("Toy", [("noise", float, field(default=0.05, compare=False))], bases=(Toy,))
    search = replace(make.RUNS["evolution"][0], estimate=new(SPACE, 0.3))
    assert len(Run(search, copied("evolution", tmp_path)).recall()) == 12


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("random", "estimate.recipe"),
        ("random", "estimate"),
        ("evolution", "estimate"),
        ("evolution", "objective"),
        ("halving", "objective.bound"),
        ("nsga2", "objectives.1"),
    ],
)
def test_what_a_search_is_made_of_may_have_new_fields_too(name, where, tmp_path, monkeypatch):
    def with_freeze(thing, path, freeze):
        if not path:
            return moved(thing, changed(type(thing)), freeze=freeze)
        if isinstance(thing, tuple):
            return tuple(with_freeze(t, path[1:], freeze) if str(i) == path[0] else t for i, t in enumerate(thing))
        return replace(thing, **{path[0]: with_freeze(getattr(thing, path[0]), path[1:], freeze)})

    search, _, steps = make.RUNS[name]
    path, where = copied(name, tmp_path), where.split(".")
    assert len(Run(with_freeze(search, where, 0), path).recall()) == steps
    with pytest.raises(ValueError, match=r"\.".join(where).replace(r"\.1", r"\[1\]") + r"\.freeze is 0 there, 2 here"):
        Run(with_freeze(search, where, 2), path)
    if where[0] != "estimate":
        thing = make.RUNS[name][0].objectives[1] if name == "nsga2" else search.objective
        thing = thing.bound if name == "halving" else thing
        monkeypatch.setattr(objectives, type(thing).__name__, changed(type(thing)))
        assert "freeze=0" in repr(Run.load(path).search)


def test_parts_of_a_table_outlive_a_new_field_of_the_recipe(tmp_path, monkeypatch):
    shutil.copytree(RECORDS / "parts", tmp_path / "parts")
    new = changed(Recipe)
    old, same, other = (
        make.WORK,
        *(Work(replace(make.WORK.estimate, recipe=moved(make.TINY, new, freeze=freeze)), 2) for freeze in (0, 4)),
    )
    assert status(same, tmp_path / "parts") == status(old, tmp_path / "parts")
    with pytest.raises(ValueError, match="part of another table: estimate.recipe.freeze is 0 there, 4 here"):
        status(other, tmp_path / "parts")
    parts = parts_of(tmp_path / "parts")
    line = json.dumps({"arch": SPACE.to_text((1,) * 6), "seed": 0, "scores": {}, "seconds": 1.0})
    for work in (same, other):
        (tmp_path / "later.jsonl").write_text(json.dumps(work.head) + f"\n{line}\n")
        with pytest.raises(ValueError, match="freeze is . there, and Recipe has no such field any more"):
            join([*parts, tmp_path / "later.jsonl"])  # by the code of today, which lacks it
        with monkeypatch.context() as later:
            later.setattr(estimators, "Recipe", new, raising=False)
            if work is same:
                assert len(join([*parts, tmp_path / "later.jsonl"])[1]) == 11
                assert len(join([tmp_path / "later.jsonl", *parts])[1]) == 11
            else:
                with pytest.raises(ValueError, match="estimate.recipe.freeze is 4 there, 0 here"):
                    join([*parts, tmp_path / "later.jsonl"])


def test_races_outlive_new_fields(tmp_path, monkeypatch):
    table = Table.load(RECORDS / "tables" / "forty.npz")
    search, look = changed(RegularizedEvolution, knob(0, 0, 9)), changed(TableLookup)

    def race(path, **freezes):
        made = make.race(table, ["RandomSearch", "RegularizedEvolution"], path)
        estimate = moved(made.estimate, look, freeze=freezes.get("estimate", 0))
        ours = {name: replace(one, estimate=estimate) for name, one in made.searches.items()}
        ours["RegularizedEvolution"] = moved(ours["RegularizedEvolution"], search, freeze=freezes.get("evolution", 0))
        return replace(made, searches=ours, executor=ThreadPoolExecutor(1))

    path = Path(shutil.copy(RECORDS / "races" / "two.jsonl", tmp_path))
    raw = path.read_bytes()
    assert len(race(path).standings().tracks) == 4 and path.read_bytes() == raw
    words = "another race: searches.RegularizedEvolution.freeze is 0 there, 2 here"
    with pytest.raises(ValueError, match=words):
        race(path, evolution=2).standings()
    race(tmp_path / "new.jsonl").standings()
    race(tmp_path / "other.jsonl", estimate=1).standings()
    monkeypatch.setattr(estimators, "TableLookup", look, raising=False)
    old, new, other = (Standings.load(file) for file in (path, tmp_path / "new.jsonl", tmp_path / "other.jsonl"))
    assert old.join(new).names == new.join(old).names == old.names
    for one, two in ((old, other), (other, old)):
        with pytest.raises(ValueError, match="cannot stand in one picture: estimate.freeze is . there, . here"):
            one.join(two)


# --------------------------------------------------------------------------------------------- a newer format
def newer_table(path):
    """The table with its header's version raised, and whole as a file."""
    import numpy as np

    with np.load(path) as file:
        arrays = dict(file)
    header = arrays["header"].tobytes().replace(b'"version": 1', b'"version": 2')
    np.savez_compressed(path, **arrays | {"header": np.frombuffer(header, np.uint8)})


@pytest.mark.parametrize(
    ("file", "read"),
    [
        ("runs/evolution.jsonl", Run.load),
        ("runs/evolution.jsonl", lambda path: Run(make.RUNS["evolution"][0], path)),
        ("races/two.jsonl", Standings.load),
        ("parts/part-001.jsonl", lambda path: list(trainings_in(path))),
        ("parts/part-001.jsonl", lambda path: join([path])),
        ("tables/forty.npz", Table.load),
        ("tables/latency.json", LatencyTable.load),
        ("leaderboards/class.jsonl", lambda path: list(capstone.read(path))),
    ],
)
@pytest.mark.filterwarnings("ignore:.*measured on an abacus")
def test_a_newer_format_says_so(file, read, tmp_path):
    path = Path(shutil.copy(RECORDS / file, tmp_path))
    read(path)
    if path.suffix == ".npz":
        newer_table(path)
    else:
        text = path.read_text("utf-8")
        first = text.replace('": 1,', '": 2,', 1) if file.startswith(("runs", "race", "parts")) else (
            text.replace("{", '{"version": 2, ', 1)
        )  # fmt: skip
        path.write_text(first, "utf-8")
    raw = path.read_bytes()
    words = rf"{path.name}.* has version 2 of its format, and this nasviz reads up to version 1\. Update nasviz"
    with pytest.raises(ValueError, match=words):
        read(path)
    assert path.read_bytes() == raw


@pytest.mark.parametrize("version", ["0", "-1", "true", '"2"', "null", "[1]", "{}", "1.5", "NaN"])
def test_what_is_no_version_is_no_record(version, tmp_path):
    path = tmp_path / "run.jsonl"
    readers = {"nasviz": Run.load, "nasviz_race": Standings.load, "nasviz table": lambda path: list(trainings_in(path))}
    for name, read in readers.items():
        path.write_text(f'{{"{name}": {version}, "search": "RandomSearch", "fields": {{}}, "estimate": 1}}\n')
        with pytest.raises(ValueError, match="run.jsonl"):
            read(path)


def test_what_is_written_says_its_version(tmp_path):
    table = Table.load(RECORDS / "tables" / "forty.npz")
    capstone.hand_in(make.challenge(table).play(make.chosen, "Éva"), tmp_path / "class.jsonl")
    LatencyTable("an abacus", "torch", 1, 64, "2026-11-28", {"a": 1.0}).save(tmp_path / "latency.json")
    for name in ("class.jsonl", "latency.json"):
        assert json.loads((tmp_path / name).read_text("utf-8"))["version"] == 1
    assert [entry.name for entry in capstone.read(tmp_path / "class.jsonl")] == ["Éva"]
    assert LatencyTable.load(tmp_path / "latency.json").ms == {"a": 1.0}
    said = json.loads((tmp_path / "latency.json").read_text("utf-8"))
    (tmp_path / "latency.json").write_text(json.dumps(said | {"watts": 3}))
    with pytest.raises(ValueError, match="latency.json is no latency table: .*'watts'"):
        LatencyTable.load(tmp_path / "latency.json")


# --------------------------------------------------------------------------------------------- names that come back
OBJECTIVES = {
    "accuracy": [accuracy],
    "Bounded": [Bounded("madds", 20.0)],
    "CubedBest": [CubedBest(3), CubedBest(2, Bounded("madds", 30.0))],
    "Less": [Less("madds")],
    "Score": [Score("predicted")],
    "Penalised": [Penalised("madds", 20.0), Penalised("madds", 20.0, 0.5)],
    "Weighted": [Weighted("madds", 20.0), Weighted("madds", 20.0, 0.0, -1.0)],
    "Within": [Within("madds", 20.0), Within("madds", 20.0, of="inherited")],
}
ALL = sum(OBJECTIVES.values(), [])


def test_no_objective_is_forgotten():
    public = {
        name for name, one in vars(objectives).items()
        if callable(one) and not name.startswith("_") and getattr(one, "__module__", "") == objectives.__name__
    }  # fmt: skip
    assert public == set(objectives.__all__) == OBJECTIVES.keys()
    assert {type(one).__name__ if is_dataclass(one) else one.__name__ for one in ALL} == public


@pytest.mark.parametrize("objective", ALL, ids=lambda one: getattr(one, "__name__", str(one)))
def test_every_objective_comes_back_from_a_record(objective, tmp_path):
    search = RandomSearch(SPACE, make.Curved(SPACE), evaluations=9, objective=objective, seed=2)
    run = Run(search, tmp_path / "run.jsonl")
    list(run)
    again = Run.load(tmp_path / "run.jsonl")
    assert again.search.objective == objective and again.steps == run.steps and again.best == run.best
    two = Nsga2(SPACE, make.Curved(SPACE), (objective, Less("madds")), population=4, batch=2, evaluations=8)
    list(Run(two, tmp_path / "two.jsonl"))
    assert Run.load(tmp_path / "two.jsonl").search.objectives == (objective, Less("madds"))


@dataclass(frozen=True)
class Mine:
    """An objective that a student wrote."""

    name: str = "madds"

    def __call__(self, evaluation):
        return -evaluation.scores[self.name]


@pytest.mark.parametrize("objective", [Mine(), lambda said: 1.0, Mine().__call__], ids=["class", "lambda", "call"])
def test_an_objective_of_ones_own_has_to_be_passed(objective, tmp_path):
    path = tmp_path / "run.jsonl"
    search = RandomSearch(SPACE, Toy(SPACE), evaluations=9, objective=objective)
    list(Run(search, path))
    with pytest.raises(ValueError, match=r"is not one of nasviz's objectives\). Pass it: Run.load\(path, search\)"):
        Run.load(path)
    assert Run.load(path, search).search.objective is objective


@pytest.mark.parametrize("space", ALL_SPACES, ids=lambda space: space.name)
def test_every_space_comes_back_or_has_to_be_passed(space, tmp_path):
    path = tmp_path / "run.jsonl"
    search = RandomSearch(space, Toy(space), evaluations=3)
    list(Run(search, path))
    exported = space.name in {getattr(spaces, name)().name for name in spaces.__all__}
    if exported:
        again = Run.load(path)
        assert again.search.space == space and [c.options for c in again.search.space.choices] == [
            c.options for c in space.choices
        ]
    else:
        words = rf"its space {space.name!r} is not one of nasviz's own\). Pass it: Run.load\(path, search\)"
        with pytest.raises(ValueError, match=words):
            Run.load(path)
    assert len(Run.load(path, search)) == 3


def test_the_space_of_a_table_has_to_be_passed(tmp_path):
    table = Table.load(RECORDS / "tables" / "forty.npz")
    search = RandomSearch(table.known(), TableLookup(table), evaluations=3)
    list(Run(search, tmp_path / "run.jsonl"))
    with pytest.raises(ValueError, match=r"its space 'nasbench201, 40 rows' is not one.*Run.load\(path, search\)"):
        Run.load(tmp_path / "run.jsonl")
    assert len(Run.load(tmp_path / "run.jsonl", search)) == 3


@pytest.mark.parametrize("name", strategies.__all__)
def test_every_strategy_comes_back_from_a_record(name, tmp_path):
    of = getattr(strategies, name)
    mine = {"estimate": Training(SPACE), "latency": [[0.0] * 5] * 6, "arch": (0,) * 6, "parent": b"weights"}
    search = of(space=SPACE, **{one.name: mine[one.name] for one in fields(of) if one.name in mine})
    path = tmp_path / "run.jsonl"
    path.write_text(json.dumps(Run(search).head) + "\n")
    again = Run.load(path).search
    assert type(again) is of and Run(again).head == Run(search).head
