"""What tells two searches apart: whatever changes an answer does, and nothing else."""

import functools
import json
import operator
import threading
from dataclasses import dataclass
from enum import Enum
from math import nan
from pathlib import Path

import numpy as np
import pytest
from toys import SPACES, Elastic, Toy

from nasviz.estimator import Estimator
from nasviz.fingerprint import CODE, same_code
from nasviz.identity import differences, identity
from nasviz.objectives import Bounded, accuracy
from nasviz.run import Run
from nasviz.space import Choice, SearchSpace
from nasviz.spaces import DartsSpace, NasBench201
from nasviz.step import Evaluation
from nasviz.strategies import RandomSearch

SPACE = SPACES[0]
own = SearchSpace.from_choices


def told(source, name="f", **globals_):
    """A function from its source, as a cell of a notebook makes it."""
    values = {"__name__": "__main__", "np": np, "functools": functools} | globals_
    exec(source, values)
    return values[name]


def closed(value):
    return lambda said: said.scores["accuracy"] * value


def defaulted(weight=1, *, other=2):
    return weight * other


class Scaled:
    """A callable object that counts its calls."""

    def __init__(self, scale):
        self.scale, self.calls = scale, 0

    def __call__(self, said):
        self.calls += 1
        return self.scale * said.scores["accuracy"]

    def other(self, said):
        return 0.0


class Hidden:
    def __init__(self, rows):
        self.by_name = dict(rows)

    def __call__(self, said):
        return self.by_name["a"]


@dataclass(frozen=True)
class Data:
    weight: float

    def __call__(self, said):
        return self.weight


class Slotted:
    __slots__ = ("weight",)

    def __init__(self, weight):
        self.weight = weight


class Kind(Enum):
    A = 1
    B = 2


def build(width, colors, classes):
    return width


def rule(options):
    return None


class Rows(SearchSpace):
    name, choices = "rows", (Choice("a", (1, 2)), Choice("b", (1, 2)))


class Other(SearchSpace):
    name, choices = "rows", (Choice("a", (1, 2)), Choice("c", (1, 2)))


class Ruled(Rows):
    def rule(self, arch):
        return "no" if arch == (1, 1) else None


class Limited(Rows):
    def __init__(self, limit):
        self.limit = limit

    def rule(self, arch):
        return "no" if sum(arch) > self.limit else None


class Mine(NasBench201):
    rule = Ruled.rule


DIFFERENT = {
    "lambdas": (lambda said: 1.0, lambda said: 2.0),
    "1 and 1.0": (lambda said: 1, lambda said: 1.0),
    "an attribute": (lambda said: said.seed, lambda said: said.epochs),
    "closures": (closed(1), closed(2)),
    "closures over arrays": (closed(np.zeros(3)), closed(np.ones(3))),
    "closures over functions": (closed(closed(1)), closed(closed(2))),
    "shapes": (closed(np.zeros((2, 3))), closed(np.zeros((3, 2)))),
    "closures over long tables": (closed({str(i): i for i in range(999)}), closed({str(i): i + 1 for i in range(999)})),
    "defaults": (told("def f(a=1): return a"), told("def f(a=2): return a")),
    "keyword defaults": (told("def f(*, a=1): return a"), told("def f(*, a=2): return a")),
    "globals": (told("def f(e): return W", W=1), told("def f(e): return W", W=2)),
    "functions that are called": (
        told("def g(): return 1\ndef f(e): return g()"),
        told("def g(): return 2\ndef f(e): return g()"),
    ),
    "nested functions": (
        told("def f(e): return sum(x for x in e if x > 1)"),
        told("def f(e): return sum(x for x in e if x > 2)"),
    ),
    "handled errors": (
        told("def f(e):\n try: return e()\n except ValueError: return 0"),
        told("def f(e):\n try: return e()\n except KeyError: return 0"),
    ),
    "partial arguments": (functools.partial(defaulted, 1), functools.partial(defaulted, 2)),
    "partial keywords": (functools.partial(defaulted, other=1), functools.partial(defaulted, other=2)),
    "partial functions": (functools.partial(max, 1), functools.partial(min, 1)),
    "objects": (Scaled(1), Scaled(2)),
    "objects that hide their arguments": (Hidden({"a": 1}), Hidden({"a": 2})),
    "owners of methods": (Scaled(1).__call__, Scaled(2).__call__),
    "methods": (Scaled(1).__call__, Scaled(1).other),
    "slots": (Slotted(1), Slotted(2)),
    "dataclasses": (Data(1.0), Data(2.0)),
    "enumerations": (Kind.A, Kind.B),
    "sets": ({1, 2}, {1, 3}),
    "functions of C": (len, max),
    "owners of functions of C": ({"a": 1}.get, {"a": 2}.get),
    "getters": (operator.itemgetter("a"), operator.itemgetter("b")),
    "functions of NumPy": (np.log, np.exp),
    "caches": (functools.cache(closed(1)), functools.cache(closed(2))),
    "classes": (told("class f:\n def go(self): return 1"), told("class f:\n def go(self): return 2")),
    "inherited code": (
        told("class g:\n def go(self): return 1\nclass f(g): pass"),
        told("class g:\n def go(self): return 2\nclass f(g): pass"),
    ),
    "values of a class": (told("class f:\n scale = 1"), told("class f:\n scale = 2")),
    "options": (own({"width": (2, 3)}), own({"width": (2, 4)})),
    "kinds of options": (own({"width": (2, 3)}), own({"width": ("2", "3")})),
    "order of options": (own({"width": (2, 3)}), own({"width": (3, 2)})),
    "names of choices": (own({"width": (2, 3)}), own({"depth": (2, 3)})),
    "names": (own({"width": (2, 3)}), own({"width": (2, 3)}, name="other")),
    "rules": (own({"w": (1, 2)}, rule=lambda o: None), own({"w": (1, 2)}, rule=lambda o: "no" if o["w"] > 1 else None)),
    "a rule": (own({"width": (2, 3)}), own({"width": (2, 3)}, rule=rule)),
    "networks": (own({"w": (1, 2)}, build), own({"w": (1, 2)}, lambda w, **size: w)),
    "spaces of one name": (Rows(), Other()),
    "spaces of other rules": (Rows(), Ruled()),
    "spaces and their like": (NasBench201(), Mine()),
    "what a space was made with": (Limited(1), Limited(2)),
    "operations": (DartsSpace(), DartsSpace(("skip_connect", "sep_conv_3x3"))),
    "operations of a name": (DartsSpace(("none", "skip_connect"), "x"), DartsSpace(("none", "sep_conv_3x3"), "x")),
}  # fmt: skip


@pytest.mark.parametrize("one", DIFFERENT)
def test_what_changes_an_answer_tells_apart(one):
    first, second = map(identity, DIFFERENT[one])
    again = identity(DIFFERENT[one][0])
    for said in (first, second):
        json.dumps(said)
    assert differences(json.loads(json.dumps(first)), again) == []
    assert differences(json.loads(json.dumps(first)), second)


SAME = {
    "comments and docstrings": (
        told("def f(e):\n    return e + 1"),
        told('# a line\n\ndef f(e):\n    """What it does."""\n    # why\n    return (e\n            + 1)'),
    ),
    "another place": (told("def f(e): return e"), told("x = 3\n\n\ndef f(e): return e")),
    "annotations": (told("def f(e): return e"), told("def f(e: int) -> int: return e")),
    "classes and how they look": (
        told("class f:\n def go(self): return 1"),
        told("class f:\n 'Words.'\n def go(self): return 1\n def __repr__(self): return 'f'"),
    ),
    "globals that are not read": (told("def f(e): return e", W=1), told("def f(e): return e", W=2)),
    "sets in another order": ({"a", "b", "c"}, {"c", "b", "a"}),
    "a fresh closure": (closed(1), closed(1)),
    "a fresh space": (own({"width": (2, 3)}, build, rule=rule), own({"width": [2, 3]}, build, rule=rule)),
}


@pytest.mark.parametrize("one", SAME)
def test_what_changes_no_answer_does_not(one):
    first, second = map(identity, SAME[one])
    assert differences(json.loads(json.dumps(first)), second) == []


def test_what_a_function_writes_down_is_no_part_of_it():
    asked, cache, count, number = [], {}, [0], 0

    def noted(arch):
        nonlocal number
        number += 1
        asked.append(arch)
        count[0] += 1
        if arch not in cache:
            cache[arch] = len(asked)
        return cache[arch]

    scaled = Scaled(2)
    lock, rng, rest = threading.Lock(), np.random.default_rng(0), iter(range(9))

    def used(arch):
        with lock:
            return rng.random() + next(rest)

    before = identity(noted), identity(scaled), identity(used)
    assert before[0].keys() == {"type", CODE}
    noted(3), noted(4), used(5), scaled(Evaluation((0,), {"accuracy": 1.0}))
    assert (identity(noted), identity(scaled), identity(used)) == before


def test_those_of_nasviz_are_known_by_name():
    assert identity(accuracy) == {"type": "accuracy"}
    assert identity(Bounded("madds", 2.0)) == {"type": "Bounded", "score": "madds", "limit": 2.0}
    assert identity(NasBench201()) == {"space": "nasbench201"} and identity(DartsSpace()) == {"space": "darts"}
    assert identity(DartsSpace.restricted("S3")) == {"space": "darts-S3"}
    assert "choices" in identity(DartsSpace(("skip_connect", "sep_conv_3x3"), "darts-S1"))


def test_itself_may_be_inside():
    def down(n):
        return down(n - 1) if n else 0

    pair = Data(1.0), []
    pair[1].append(pair)
    assert identity(down) == identity(down) and identity(pair)[1] == [{"again": "tuple"}]


@pytest.mark.parametrize("bad", [(x for x in ()), open(__file__, "rb"), {1: "a", "1": "b"}])  # noqa: SIM115
def test_what_cannot_be_told_apart_is_refused_with_how_to_name_it(bad, tmp_path):
    search = RandomSearch(SPACE, Toy(SPACE), evaluations=3, objective=closed(bad))
    with pytest.raises(ValueError, match="identity = |keys that are different"):
        Run(search, tmp_path / "run.jsonl")
    assert not (tmp_path / "run.jsonl").exists()
    Run(search)  # in memory nobody has to know
    named = closed(bad)
    named.identity = "the first"
    other = closed(bad)
    other.identity = "the second"
    assert identity(named) == identity(named) != identity(other)


def test_versions_of_python_are_bridged_by_the_source():
    here = identity(rule)[CODE]
    assert here["source"]
    assert same_code(here | {"python": "3.9", "sha256": "x"}, here)
    assert not same_code(here | {"python": "3.9", "source": "x"}, here)
    assert not same_code(here | {"sha256": "x"}, here)
    assert not same_code(here | {"python": "3.9", "source": None}, here | {"source": None})


def test_nan_is_nan_in_an_identity():
    assert differences(json.loads(json.dumps(identity(closed(nan)))), identity(closed(nan))) == []


def test_a_folder_is_known_by_its_content(tmp_path):
    from nasviz.estimators import Training

    def folder(name, content):
        for kind in ("cats", "dogs"):
            (tmp_path / name / kind).mkdir(parents=True)
            for number in (1, 2, 3):
                (tmp_path / name / kind / f"{number}.png").write_bytes(content)
        return Training(SPACE, dataset=str(tmp_path / name))

    one, moved, other = folder("one", b"1"), folder("moved", b"1"), folder("other", b"2")
    assert differences(identity(one), identity(moved)) == []
    assert differences(identity(one), identity(other))
    old = json.loads(json.dumps(identity(one))) | {"dataset": str(tmp_path / "one")}  # as version 1 wrote it
    assert differences(old, identity(one), old=True) == []
    assert differences(old, identity(moved), old=True)
    (tmp_path / "one" / "cats" / "4.png").write_bytes(b"1")
    assert differences(identity(moved), identity(one))


# ------------------------------------------------------------------------------------------------ in records
def says(value):
    class Says(Estimator):
        def __init__(self, space):
            self.space = space

        def __call__(self, arch, *, epochs=None, seed=0):
            return Evaluation(arch, {"accuracy": value}, seed=seed)

    return Says


def test_a_cell_that_was_edited_is_another_search(tmp_path):
    path = tmp_path / "run.jsonl"
    list(Run(RandomSearch(SPACE, says(0.5)(SPACE), evaluations=3), path))
    assert len(list(Run(RandomSearch(SPACE, says(0.5)(SPACE), evaluations=3), path))) == 3
    for search in (
        RandomSearch(SPACE, says(0.6)(SPACE), evaluations=3),
        RandomSearch(SPACE, says(0.5)(SPACE), evaluations=3, objective=lambda said: 1.0),
        RandomSearch(Elastic(), says(0.5)(SPACE), evaluations=3),
    ):
        with pytest.raises(ValueError, match="the record of another search"):
            Run(search, path)


def test_a_record_of_before_knows_names_only(tmp_path):
    path = tmp_path / "run.jsonl"

    def as_before(search):
        list(Run(search, path))
        lines = path.read_text().splitlines(keepends=True)
        head = json.loads(lines[0])
        del head["identity"]
        head["fields"]["estimate"] = {"type": "Says"}
        head["fields"]["space"] = {"space": search.space.name}
        head["fields"]["objective"] = {"type": search.objective.__qualname__}
        path.write_text("".join([json.dumps(head) + "\n", *lines[1:]]))
        return search

    search = as_before(RandomSearch(SPACE, says(0.5)(SPACE), evaluations=3, objective=closed(1)))
    assert len(Run(search, path).recall()) == 3
    path.unlink()
    mine = own({"width": (2, 3)})
    search = as_before(RandomSearch(mine, says(0.5)(mine), evaluations=3, objective=closed(1)))
    with pytest.raises(ValueError, match="space.choices is None there"):
        Run(search, path)


def test_the_path_of_this_file_is_nowhere_in_an_identity():
    assert str(Path(__file__)) not in json.dumps([identity(one) for pair in DIFFERENT.values() for one in pair])
