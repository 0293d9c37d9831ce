"""Every number that has a range is checked in one way: nothing hangs, and no error is Python's own."""

import signal
from contextlib import contextmanager
from dataclasses import fields, replace
from itertools import islice
from math import inf, isfinite, nan

import pytest
from toys import SPACES, Toy

from nasviz import strategies
from nasviz.run import Run
from nasviz.spaces import ElasticSpace, NasBench201
from nasviz.strategies import elastic_training

SPACE = NasBench201()
WRONG = (0, -1, nan, 1.5, inf, -inf, "3", None, True, 10**400, [1], 1j)
SIZE = {"size": 8, "images": 8, "epochs": 1, "batch": 4, "network": {"channels": 2, "stages": 1}}
ELASTIC = {"images": 8, "batch": 4, "network": {"width": 0.1}}
FEW = {
    "BigNas": {**ELASTIC, "epochs": 1},
    "Enas": {"updates": 1, "samples": 2},
    "OnceForAll": {**ELASTIC, "epochs": (1, 1, 0, 0)},
    "Bananas": {"initial": 3, "members": 2, "epochs": 1},
    "GaussianProcess": {"initial": 3},
    "Reinforce": {"hidden": 4},
    "PDarts": {"depths": (1, 1), "keep": (2, 1), "dropout": (0.0, 0.5)},
    "PcDarts": {"share": 2},
    **{name: {"watched": 4} for name in ("AdaptiveDarts", "RobustDarts", "WatchedDarts")},
    "LatencyDarts": {"latency": ((1.0, 2.0),) * 6},
}
PAIR = NasBench201(("skip_connect", "nor_conv_1x1"))


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Few children on few validation images: to judge them is most of what an epoch costs here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(elastic_training, "JUDGED", 20)
        patch.setattr(elastic_training, "WATCHED", 1)
        yield


def small(name):
    """A strategy with the tiniest settings."""
    kind, own = getattr(strategies, name), FEW.get(name, {})
    names = {field.name for field in fields(kind)}
    if "estimate" in names:
        return kind(SPACES[0], Toy(SPACES[0]), evaluations=8, **own)
    return kind(ElasticSpace() if own.get("images") else PAIR, **{**SIZE, **own})


@contextmanager
def limit(seconds, what):
    """Fails what does not come back."""

    def late(*_):
        raise AssertionError(f"{what} did not come back within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def trials(thing):
    """Every number and flag of a dataclass, with each wrong value and those just outside of its range."""
    for field in fields(thing):
        allowed = field.metadata.get("range")
        if allowed is None and not isinstance(field.default, bool):
            continue
        ends = () if allowed is None else (allowed.least - 1, allowed.least, allowed.above, allowed.most + 1)
        for value in (*(end for end in ends if isfinite(end)), *WRONG):
            yield field, value
            if allowed is not None and allowed.many:
                yield field, (value,) * len(field.default)


def refused(thing, field, value, use):
    """Whether a value is refused, by the sentence that names it; what is not refused has to go well."""
    with limit(30, f"{type(thing).__name__}({field.name}={value!r})"):
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
    list(islice(replace(search, **change), 3))


@pytest.mark.parametrize("name", strategies.__all__)
def test_no_number_of_a_strategy_hangs_it_or_breaks_it(name):
    search = small(name)
    assert len(list(islice(search, 3)))
    for field, value in trials(search):
        said = refused(search, field, value, iterate)
        assert wrong(field, value) == said.startswith(f"{name}: {field.name}"), (field.name, value, said)
        if not wrong(field, value):
            continue  # it went well, or one field does not go with another: the class said so
        for use in (len, Run):  # one way, wherever it is used first
            with pytest.raises(ValueError, match=f"{name}: {field.name}"):
                use(replace(search, **{field.name: value}))
