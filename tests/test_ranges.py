"""Every number that has a range is checked in one way: nothing hangs, and no error is Python's own."""

from dataclasses import dataclass, fields, replace
from itertools import islice
from math import inf, isfinite, nan

import numpy as np
import pytest
from fuzz import deadline
from safetensors.torch import save
from toys import SPACES, Toy

from nasviz import datasets, strategies
from nasviz.analysis.cost import Assumptions
from nasviz.analysis.stats import mean_band
from nasviz.course.edition import main as edition_main
from nasviz.estimators import (
    FAST,
    Assembled,
    EnsemblePredictor,
    Extrapolated,
    ForestPredictor,
    GaussianProcessPredictor,
    GraphPredictor,
    Inherited,
    LinearPredictor,
    PackedTraining,
    Recipe,
    Timing,
    Training,
)
from nasviz.estimators.tabulate import Work, run_packed
from nasviz.estimators.tabulate import main as tabulate_main
from nasviz.hardware import LatencyTable, Roofline
from nasviz.hardware.latency_table import Overhead
from nasviz.hardware.measure import measure
from nasviz.knobs import knob, knobs
from nasviz.nn.threads import threads
from nasviz.objectives import Bounded, CubedBest, Weighted, Within
from nasviz.races.race import main as race_main
from nasviz.ranges import REQUIRED, Range, argument, check_fields, check_number, checked, ranged
from nasviz.run import Run
from nasviz.spaces import (
    DartsSpace,
    ElasticSpace,
    MacroSpace,
    MobileSpace,
    NasBench101,
    NasBench201,
    NasBenchMacro,
    TransformerSpace,
)
from nasviz.views.stage import panel
from nasviz.zoo.scaling import Scaling

SPACE = NasBench201()
WRONG = (0, -1, nan, 1.5, inf, -inf, "3", None, True, 10**400, [1], 1j)
SIZE = {"size": 8, "images": 8, "epochs": 1, "batch": 4, "network": {"channels": 2, "stages": 1}}
ELASTIC = {"images": 16, "batch": 4, "network": {"width": 0.1}}
ONE = TransformerSpace(blocks=1)
TUNED = {"space": ONE, "recipe": Recipe(images=8, epochs=1, batch=4, optimizer="adamw", network={"width": 4})}
PARENT = save(ONE.network(ONE.largest, width=4).state_dict())
FEW = {
    "BigNas": {**ELASTIC, "epochs": 1},
    "Enas": {"updates": 1, "samples": 2},
    "OnceForAll": {**ELASTIC, "epochs": (1, 1, 0, 0)},
    "BlockwiseDistillation": {"parent": PARENT},
    "Distillation": {"arch": (1, 2)},
    "Bananas": {"initial": 3, "members": 2, "epochs": 1},
    "GaussianProcess": {"initial": 3},
    "RankedReinforce": {"hidden": 4},
    "Reinforce": {"hidden": 4},
    "PDarts": {"depths": (1, 1), "keep": (2, 1), "dropout": (0.0, 0.5)},
    "PcDarts": {"share": 2},
    **{name: {"watched": 4} for name in ("AdaptiveDarts", "RobustDarts", "WatchedDarts")},
    "LatencyDarts": {"latency": ((1.0, 2.0),) * 6},
}
PAIR = NasBench201(("skip_connect", "nor_conv_1x1"))
pytestmark = pytest.mark.usefixtures("few_judged")


def small(name):
    """A strategy with the tiniest settings."""
    kind, own = getattr(strategies, name), FEW.get(name, {})
    names = {field.name for field in fields(kind)}
    if "estimate" in names:
        return kind(SPACES[0], Toy(SPACES[0]), evaluations=8, **own)
    if "recipe" in names:
        return kind(**TUNED, **own)
    return kind(ElasticSpace() if own.get("images") else PAIR, **{**SIZE, **own})


def trials(thing):
    """Every number and flag of a dataclass, with each wrong value and those just outside of its range."""
    for field in fields(thing):
        allowed = field.metadata.get("range")
        if allowed is None and not isinstance(field.default, bool):
            continue
        ends = () if allowed is None else (allowed.least - 1, allowed.least, allowed.above, allowed.most + 1)
        for value in {repr(value): value for value in (*filter(isfinite, ends), *WRONG)}.values():
            yield field, value
            if allowed is not None and allowed.many:
                yield field, (value,) * len(field.default)


def refused(thing, field, value, use):
    """Whether a value is refused, by the sentence that names it; what is not refused has to go well."""
    hangs = AssertionError(f"{type(thing).__name__}({field.name}={value!r}) did not come back within 30 s")
    with deadline(30, hangs):
        try:
            use(thing, {field.name: value})
        except ValueError as error:
            assert field.name in str(error), error
            return str(error)
    return ""


def wrong(field, value):
    """Whether the field's own range refuses a value: the contract, in other words."""
    if isinstance(field.default, bool):
        return not isinstance(value, int | float) or value not in (0, 1)
    allowed = field.metadata["range"]
    if allowed.many and isinstance(value, list | tuple):
        return any(outside(allowed, one) for one in value)
    return allowed.many or (outside(allowed, value) and not (value is None and field.default is None))


def outside(allowed, value):
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 10**300:
        return True
    inside = allowed.least <= value <= allowed.most and allowed.above < value < allowed.below
    return not inside or (allowed.whole and isinstance(value, float))


def iterate(search, change):
    list(islice(replace(search, **change), 8 if hasattr(search, "estimate") else 2))


@pytest.mark.parametrize("name", strategies.__all__)
def test_no_number_of_a_strategy_hangs_it_or_breaks_it(name):
    search = small(name)
    assert list(islice(search, 1))
    for field, value in trials(search):
        said = refused(search, field, value, iterate)
        assert wrong(field, value) == said.startswith(f"{name}: {field.name}"), (field.name, value, said)
        if not wrong(field, value):
            continue  # it went well, or one field does not go with another: the class said so
        for use in (len, Run):  # one way, wherever it is used first
            with pytest.raises(ValueError, match=f"{name}: {field.name}"):
                use(replace(search, **{field.name: value}))


@pytest.mark.parametrize("name", strategies.__all__)
def test_numbers_of_numpy_are_numbers(name):
    search, same = small(name), {}
    for field in fields(search):
        if (allowed := field.metadata.get("range")) is not None and not allowed.many:
            kind = np.int64 if allowed.whole else np.float64
            same[field.name] = kind(getattr(search, field.name))
    assert list(islice(replace(search, **same), 2)) == list(islice(search, 2))


@pytest.mark.parametrize("latency", [None, "3", 3, ((1.0, 2.0), (3.0,)), ((nan, 1.0),) * 6, ((1.0,),) * 6], ids=str)
def test_latencies_that_are_no_table_are_refused(latency):
    with pytest.raises(ValueError, match="latency"):
        next(iter(replace(small("LatencyDarts"), latency=latency)))


# ------------------------------------------------------------------------------------------------ what is no strategy
TRAINING = Training(SPACE, FAST)
MADE = [
    FAST,
    TRAINING,
    PackedTraining(TRAINING, "cpu"),
    Timing(TRAINING),
    Extrapolated(Training(SPACE, curve=True)),
    Inherited(SPACE, b""),
    Assembled(ONE, PARENT, b""),
    *(kind(SPACE) for kind in (LinearPredictor, ForestPredictor, EnsemblePredictor, GraphPredictor)),
    GaussianProcessPredictor(SPACE),
    Work(TRAINING, 2),
    Roofline(1.0, 1.0, 1.0),
    Overhead(),
    Assumptions(),
    Scaling(1.0, 1.0, 32),
    Bounded("madds", 1.0),
    Within("madds", 1.0),
    Weighted("madds", 1.0),
    CubedBest(),
]


@pytest.mark.parametrize("thing", MADE, ids=lambda thing: type(thing).__name__)
def test_what_is_made_with_a_wrong_number_is_refused_at_once(thing):
    name, tried = type(thing).__name__, 0
    for field, value in trials(thing):
        said = refused(thing, field, value, lambda thing, change: replace(thing, **change))
        if not (isfinite_or_none(value) or said):
            continue  # an infinite bound bounds nothing
        assert wrong(field, value) == said.startswith(f"{name}: {field.name}"), (field.name, value, said)
        tried += 1
    assert tried


def isfinite_or_none(value):
    return not isinstance(value, float) or isfinite(value)


def test_every_number_of_the_package_has_a_range():
    """A new field without one would be read unchecked."""
    kinds = {type(thing) for thing in MADE} | {getattr(strategies, name) for name in strategies.__all__}
    for kind in kinds:
        bare = [
            field.name
            for field in fields(kind)
            if str(field.type) in ("int", "float", "int | None", "float | None") and "range" not in field.metadata
        ]
        assert not bare, (kind, bare)
    assert all(hasattr(getattr(strategies, name).__iter__, "__wrapped__") for name in strategies.__all__)


CALLS = {
    "layers": (0, -1, 2.0, nan, "3", None, True),
    "strides": ((), (0,), (1.5,), (10,), "12", 3, None),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in CALLS.items() for value in values])
def test_a_space_of_an_impossible_size_is_refused(name, value):
    with pytest.raises(ValueError, match=f"MacroSpace: {name}"):
        MacroSpace(**{name: value})


NUMBERS = (0, -1, nan, 1.5, inf, "3", None, True)
NETWORKS = [
    (SPACE, ("channels", "cells", "stages", "colors", "classes")),
    (ElasticSpace(), ("width", "colors", "classes", "strides")),
    (MobileSpace(), ("width", "head", "colors", "classes", "strides")),
    (NasBenchMacro(), ("width", "head", "colors", "classes", "strides")),
    (MacroSpace(), ("width", "colors", "classes")),
    (DartsSpace(), ("channels", "cells", "colors", "classes")),
    (NasBench101(), ("channels", "modules", "stacks", "colors", "classes")),
]


@pytest.mark.parametrize(("space", "names"), NETWORKS, ids=lambda one: getattr(one, "name", ""))
def test_a_network_of_an_impossible_size_is_refused(space, names):
    arch = space.sample(np.random.default_rng(0))
    for name in names:
        for value in NUMBERS:
            if name == "width" and value == 1.5:
                continue
            with pytest.raises(ValueError, match=f"^{name}"):
                space.network(arch, **{name: value})


def test_arguments_are_checked_alike(tmp_path):
    for value in NUMBERS[:-2]:
        with pytest.raises(ValueError, match="size"):
            datasets.load(size=value)
        with pytest.raises(ValueError, match="batch"):
            Roofline(1.0, 1.0, 1.0).predict(SPACE.network((0,) * 6), (1, 8, 8), batch=value)
        with pytest.raises(ValueError, match="threads"), threads(value):
            pass
        with pytest.raises(ValueError, match="resamples"):
            mean_band([[1.0]] * 3, resamples=value)
        with pytest.raises(ValueError, match="samples"):
            measure(lambda: None, samples=value)
        with pytest.raises(ValueError, match="share"):
            next(run_packed(Work(TRAINING, 1), tmp_path, PackedTraining(TRAINING, "cpu"), (0, value)))
    for counts, name in (((0, 1), "threads"), ((1, "3"), "batch")):
        with pytest.raises(ValueError, match=f"LatencyTable: {name}"):
            LatencyTable("a device", "torch", *counts, "today", {})
    with pytest.raises(ValueError, match="seed is -1"):
        mean_band([[1.0]] * 3, seed=-1)
    with pytest.raises(ValueError, match=r"share: which is 2, and has to be a whole number from 0 to 1"):
        next(run_packed(Work(TRAINING, 1), tmp_path, PackedTraining(TRAINING, "cpu"), (2, 2)))


@pytest.mark.parametrize(
    ("main", "words"),
    [
        (tabulate_main, ["run", "FOLDER", "--seeds", "0"]),
        (tabulate_main, ["run", "FOLDER", "--networks", "1.5"]),
        (tabulate_main, ["run", "FOLDER", "--nice", "20"]),
        (tabulate_main, ["run", "FOLDER", "--share", "4/4"]),
        (tabulate_main, ["run", "FOLDER", "--share", "0/0"]),
        (tabulate_main, ["run", "FOLDER", "--share", "half"]),
        (race_main, ["record", "FOLDER", "--seeds", "0", "--anew"]),
        (race_main, ["record", "FOLDER", "--evaluations", "-3"]),
        (race_main, ["record", "FOLDER", "--bound", "nan"]),
        (edition_main, ["claims", "x.ipynb", "--jobs", "0"]),
        (edition_main, ["claims", "x.ipynb", "--jobs", "two"]),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_a_command_line_refuses_with_a_sentence(main, words, tmp_path, capsys, monkeypatch):
    words = [str(tmp_path / "there") if word == "FOLDER" else word for word in words]
    (tmp_path / "there").touch()
    monkeypatch.setattr("sys.argv", ["it", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2 and "and has to be a" in capsys.readouterr().err
    assert (tmp_path / "there").exists()


# ------------------------------------------------------------------------------------------------ the ranges themselves
@dataclass
class Mine:
    """A student's strategy."""

    space: object
    count: int = knob(5, 2, 9, least=1, most=20)
    share: float = ranged(0.5, above=0.0, most=1.0)
    places: tuple[int, ...] = ranged((1, 2), 0)
    limit: float = ranged(REQUIRED, 0.0, whole=False, infinite=True, kw_only=True)
    last: int | None = ranged(None, 3, whole=True)
    often: bool = True

    @checked
    def __iter__(self):
        while True:
            yield self.count


def test_a_refusal_names_owner_field_value_and_range():
    mine = Mine(None, limit=inf)
    check_fields(mine)
    for change, words in {
        ("count", 0): "Mine: count is 0, and has to be a whole number from 1 to 20",
        ("count", 5.0): "Mine: count is 5.0, and has to be a whole number from 1 to 20: write 5",
        ("share", 0): "Mine: share is 0, and has to be a number above 0 and of 1 or less",
        ("places", 3): "Mine: places is 3, and has to be a sequence, each a whole number of 0 or more",
        ("places", (3, -1)): "Mine: places[1] is -1, and has to be a whole number of 0 or more",
        ("limit", nan): "Mine: limit is nan, and has to be a number of 0 or more",
        ("last", 2): "Mine: last is 2, and has to be a whole number of 3 or more, or None",
        ("often", "no"): "Mine: often is 'no', and has to be True or False",
        ("count", "9" * 99): f"Mine: count is '{'9' * 56}..., and has to be a whole number from 1 to 20",
    }.items():
        with pytest.raises(ValueError) as error:
            check_fields(replace(mine, **dict([change])))
        assert str(error.value) == words
    good = [("count", np.int64(3)), ("share", np.float32(0.5)), ("share", 1), ("places", [np.int8(4)]), ("last", None)]
    good += [("places", np.arange(3)), ("often", np.True_), ("often", 0), ("last", 7)]
    for change in good:
        check_fields(replace(mine, **dict([change])))
    mine = replace(mine, count=np.int64(3), places=np.arange(3), often=np.True_, limit=np.float64(2))
    check_fields(mine)
    assert [type(one) for one in (mine.count, mine.places, mine.places[0], mine.often, mine.limit)] == [
        int, tuple, int, bool, float]  # fmt: skip
    for value in (10**5000, 1 + 0j, np.array([1]), np.nan, np.True_):
        with pytest.raises(ValueError, match="Mine: count is "):
            check_fields(replace(mine, count=value))


def test_what_is_changed_between_two_steps_is_checked_before_the_next():
    mine = Mine(None, limit=1.0)
    for count in mine:
        assert count in (5, 7)
        if count == 7:
            break
        mine.count = 7
    steps = iter(mine)
    assert next(steps) == 7
    mine.count = 0
    with pytest.raises(ValueError, match="count is 0"):
        next(steps)
    with pytest.raises(ValueError, match="count is 0"):
        iter(mine)


def test_an_argument_and_a_range_in_words():
    assert check_number("n", 3, 1) == 3 and argument(1)("3") == 3 and argument(whole=False)("1e-3") == 0.001
    assert str(Range()) == "a number that is finite" and str(Range(below=0.5)) == "a number below 0.5"
    assert str(Range(0, whole=True)) == "a whole number of 0 or more"
    assert str(Range(1, 1_000_000, whole=True)) == "a whole number from 1 to 1,000,000"


def test_a_slider_shows_a_value_beyond_its_ends():
    search = strategies.RegularizedEvolution(SPACE, Toy(SPACE), population=1000)
    field = knobs(search)["population"]
    assert panel.slider(field, 1000).max == 1000 and panel.slider(field, 50).max == field.metadata["high"]
    assert panel.reading(field, 1000) == 1000
    lr = knobs(strategies.Reinforce(SPACE, Toy(SPACE)))["lr"]
    assert panel.slider(lr, 0.0).value == 0 == panel.reading(lr, 0.0)


def test_a_bad_search_leaves_no_record(tmp_path):
    path = tmp_path / "run.jsonl"
    with pytest.raises(ValueError, match="RandomSearch: evaluations is 0"):
        Run(strategies.RandomSearch(SPACE, Toy(SPACE), evaluations=0), path)
    assert not path.exists()
