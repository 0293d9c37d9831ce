"""What passes between the judge and the process of a student's code: plain data, calls, generators, errors.

Each side is a `Peer`. A message is JSON; what it says is built anew on the other side from kinds that are listed here,
so no object of a student's, with comparisons of its own, reaches the judge. A function stays where it is: the other
side has a `Far` for it, and a call of that is a message. Calls go both ways, one inside the other.
"""

from __future__ import annotations

import base64
import builtins
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from types import EllipsisType, GeneratorType, ModuleType
from typing import Any

import numpy as np

from ...estimators.known import KnownSpace
from ...space import OwnSpace, SearchSpace
from ...spaces import NasBench201
from ...step import Evaluation
from .. import exercises
from ..capstone import BudgetSpent

MOST = 2**26  # bytes of a message
DEEPEST = 50  # data within data
ITEMS = 10**6  # of a range; and lists and dicts in a message: each takes thirty times the bytes of its text
MORE, AHEAD = 1000, 0.1  # answers to a call that is repeated, and seconds for them
ALIVE = ('"function"', '"generator"')  # arguments with which a call is not foreseen
SCALARS = (bool, int, float, str)
EXCEPTIONS = {name: one for name, one in vars(builtins).items() if isinstance(one, type) and issubclass(one, Exception)}
EXCEPTIONS["BudgetSpent"] = BudgetSpent


class Broken(Exception):  # noqa: N818 (what a judge says of a process that does not keep to the messages)
    """Raised where the other side ended, or sent what is no message."""

    def __init__(self, said: str):
        super().__init__(said)
        self.elsewhere = said


class Cannot(TypeError):
    """The error for what cannot be passed."""

    def __init__(self, said: str):
        super().__init__(said)
        self.elsewhere = said


@dataclass(frozen=True)
class Rows:
    """The part of a table that says which architectures are there, and no number of them."""

    space: SearchSpace
    digest: str
    tuples: list
    archs: tuple
    row_of: dict = field(compare=False)
    aliases: np.ndarray | None = field(compare=False)

    def find(self, arch) -> int:
        """1 for an architecture that is there, else -1."""
        return self.row_of.get(tuple(arch), -1)

    def nearest(self, arch) -> list:
        """The tuples that differ from an architecture in the fewest choices."""
        others = [one for one in self.tuples if one != arch]
        changes = (np.array(others) != np.array(arch)).sum(1)
        return [one for one, change in zip(others, changes, strict=True) if change == changes.min()]

    def column(self, name: str) -> np.ndarray:
        """Nothing: there are no numbers here."""
        raise ValueError(f"there is no {name} here: ask the estimator")


class Far:
    """A function on the other side."""

    def __init__(self, peer: Peer, number: int):
        self._peer, self._number = peer, number

    def __call__(self, *args, **named):
        return self._peer.call(self._number, args, named)


class FarGenerator:
    """A generator on the other side."""

    def __init__(self, peer: Peer, number: int, lent: list):
        self._peer, self._number, self._lent = peer, number, lent

    def __iter__(self):
        return self

    def __next__(self):
        found = self._peer.call(self._number, (), {}, "next", self._lent)
        if found[0] == "end":
            raise StopIteration
        return found[1]


class Peer:
    """One side.

    Parameters
    ----------
    pipe : Connection
    names : mapping, optional
        What the other side may ask for by name.
    """

    def __init__(self, pipe: Connection, names: Mapping[str, Any] | None = None):
        self.pipe, self.names = pipe, names
        self.own: list[Any] = []  # what the other side knows by number
        self.numbers: dict[int, int] = {}
        self.generators: dict[int, np.random.Generator] = {}  # the other side's, mirrored
        self.spaces: dict[int, SearchSpace] = {}
        self.lent: list[np.random.Generator] = []  # in the message that is being written
        self.last = ""  # what was called, and with what
        self.ahead: tuple[str, list, Any] | None = None  # what is foreseen: a call, states of generators, answers

    # ------------------------------------------------------------------------------------------------------ messages
    def call(self, number: int, args: tuple, named: Mapping, what: str = "call", lent: list | None = None) -> Any:
        """Call a function of the other side. What it raises is raised here, as far as it has a name here too."""
        before, self.lent = self.lent, list(lent or ())
        try:
            message = {what: number, "a": self.encode(args), "k": {n: self.encode(v) for n, v in named.items()}}
            mine = self.lent
        finally:
            self.lent = before
        message["g"] = [[self.export(one), self._state(one)] for one in mine]
        said = json.dumps([message[what], message["a"], message["k"]])
        if what == "call" and mine and not any(kind in said for kind in ALIVE):
            if self.ahead and self.ahead[0] == said and self.ahead[1] == [self._state(one) for one in mine]:
                return self._again(mine)
            message["more"] = MORE if self.last == said else 0
            self.last = said
        answer = self.ask(message)
        self._return(mine, answer.get("g", ()))
        if isinstance(more := answer.get("m"), list) and more:
            self.ahead = (said, [self._state(one) for one in mine], iter(more))
        found = self.decode(answer["v"])
        if isinstance(found, FarGenerator):
            found._lent = mine
        return found

    def _again(self, mine: list) -> Any:
        """The answer to a call that the other side has foreseen."""
        assert self.ahead is not None
        said, _, more = self.ahead
        try:
            value, states = next(more)
        except (TypeError, ValueError):
            raise Broken("its process sent what is no answer") from None
        self._return(mine, states)
        left = more.__length_hint__()
        self.ahead = (said, [self._state(one) for one in mine], more) if left else None
        return self.decode(value)

    def _return(self, mine: list, states) -> None:
        """Let generators that were lent go on where the other side left them."""
        for one, state in zip(mine, states, strict=False):
            self._set(one, state)

    def ask(self, message: dict) -> dict:
        """Send a message and return its answer; meanwhile, answer the other side's."""
        self.send(message)
        while True:
            got = self.receive()
            if "e" in got:
                raise self.error(got["e"])
            if "v" in got:
                return got
            self.send(self.answered(got))

    def send(self, message: dict) -> None:
        try:
            raw = json.dumps(message, ensure_ascii=True, separators=(",", ":"), check_circular=False).encode()
        except (ValueError, RecursionError) as error:
            raise Cannot(f"it cannot be passed on: {error}") from None
        if len(raw) > MOST:
            raise Cannot(f"it is too large: {len(raw):,} bytes, {MOST:,} are allowed")
        try:
            self.pipe.send_bytes(raw)
        except (OSError, ValueError) as error:
            raise Broken("its process ended") from error

    def receive(self) -> dict:
        try:
            raw = self.pipe.recv_bytes(MOST)
        except (OSError, EOFError) as error:
            raise Broken("its process ended before it had answered") from error
        if raw.count(b"[") + raw.count(b"{") > ITEMS:
            raise Broken("its process sent what is no answer")
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError):
            raise Broken("its process sent what is no answer") from None
        if not isinstance(found, dict):
            raise Broken("its process sent what is no answer")
        return found

    def answered(self, message: dict) -> dict:
        """The answer to a message of the other side."""
        try:
            if "get" in message and self.names is not None:
                return {"v": [self._named(name) for name in message["get"]]}
            what = "next" if "next" in message else "call"
            thing = self.own[message[what]]
            lent = [self._mirrored(number, state) for number, state in message.get("g", ())]
            args, named = self.decode(message["a"]), {n: self.decode(v) for n, v in message["k"].items()}
            value = self._next(thing) if what == "next" else thing(*args, **named)
            answer = {"v": self.encode(value), "g": [self._state(one) for one in lent]}
            if message.get("more"):
                answer["m"] = list(self._foreseen(thing, message, lent))
            return answer
        except (exercises.OutOfTime, Broken):
            raise
        except BaseException as error:
            return {"e": self.told(error)}

    def _foreseen(self, thing: Callable, message: dict, lent: list) -> Iterator[list]:
        """Answers to the same call, again and again with the generators going on: a message less for each.

        A check draws thousands of times; a message takes the time of two changes of process, which may be long.
        """
        until = time.monotonic() + AHEAD
        for _ in range(message["more"]):
            try:
                args, named = self.decode(message["a"]), {n: self.decode(v) for n, v in message["k"].items()}
                yield [self.encode(thing(*args, **named)), [self._state(one) for one in lent]]
            except Exception:  # it is told when it is asked for
                return
            if time.monotonic() > until:
                return

    def serve(self) -> None:
        """Answer messages until the other side is gone."""
        while True:
            try:
                self.send(self.answered(self.receive()))
            except Broken:
                return
            except Cannot as error:
                self.send({"e": self.told(error)})

    def _named(self, name: str) -> list:
        assert self.names is not None
        if name not in self.names:
            return ["no"]
        try:
            return ["yes", self.encode(self.names[name])]
        except Cannot as error:
            return ["cannot", str(error)]

    @staticmethod
    def _next(generator) -> tuple:
        try:
            return "one", next(generator)
        except StopIteration:
            return ("end",)

    # ------------------------------------------------------------------------------------------------------ errors
    @staticmethod
    def told(error: BaseException) -> list:
        """An error as it is passed: its class, its text, and the sentence for who wrote the code."""
        if isinstance(error, NotImplementedError):
            return ["NotImplementedError", "", ""]
        known = next((one.__name__ for one in type(error).__mro__ if one.__name__ in EXCEPTIONS), "Exception")
        return [known, exercises.text_of(error), exercises.stopped(error)]

    @staticmethod
    def error(said) -> BaseException:
        """An error of the other side."""
        if not (isinstance(said, list) and len(said) == 3 and all(isinstance(one, str) for one in said)):
            return Broken("its process sent what is no answer")
        kind = EXCEPTIONS.get(said[0], Exception)
        if kind in (NotImplementedError, BudgetSpent):
            return kind(said[1])
        try:
            made = kind(said[1])
        except TypeError:  # a class that wants more
            made = Exception(said[1])
        vars(made)["elsewhere"] = said[2][: exercises.LONGEST * 2]
        return made

    # ------------------------------------------------------------------------------------------------------ values
    def export(self, thing) -> int:
        """The number by which the other side knows something of this one."""
        if id(thing) not in self.numbers:
            self.own.append(thing)  # kept: its id is not given to another
            self.numbers[id(thing)] = len(self.own) - 1
        return self.numbers[id(thing)]

    @staticmethod
    def _state(generator: np.random.Generator) -> dict:
        return dict(generator.bit_generator.state)

    @staticmethod
    def _set(generator: np.random.Generator, state) -> None:
        try:
            generator.bit_generator.state = state
        except (TypeError, ValueError, KeyError, OverflowError):
            raise Broken("its process sent what is no answer") from None

    def _mirrored(self, number: int, state: dict) -> np.random.Generator:
        if number not in self.generators:
            self.generators[number] = np.random.Generator(np.random.PCG64())
        self._set(self.generators[number], state)
        return self.generators[number]

    def encode(self, value, deep: int = 0) -> Any:
        """A value as JSON. `Cannot` for what is of no kind that is passed."""
        kind = type(value)
        if value is None or kind in SCALARS:
            return value
        if deep > DEEPEST:
            raise Cannot("it is nested too deeply")
        if kind in (list, tuple, set, frozenset):
            return [kind.__name__, *(self.encode(one, deep + 1) for one in value)]
        if kind is dict:
            return ["dict", *([self.encode(a, deep + 1), self.encode(b, deep + 1)] for a, b in value.items())]
        if kind is np.ndarray and value.dtype.kind in "biufcU":
            raw = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
            return ["array", value.dtype.str, list(value.shape), raw]
        if isinstance(value, np.generic) and value.dtype.kind in "biufcU":
            return ["number", value.dtype.str, base64.b64encode(value.tobytes()).decode()]
        if kind is np.random.Generator:
            if not isinstance(value.bit_generator, np.random.PCG64):
                raise Cannot("a generator is passed only if np.random.default_rng made it")
            if not any(value is one for one in self.lent):
                self.lent.append(value)
            return ["rng", self.export(value)]
        if kind is complex:
            return ["complex", value.real, value.imag]
        if kind is bytes:
            return ["bytes", base64.b64encode(value).decode()]
        if isinstance(value, EllipsisType):
            return ["..."]
        if kind in (range, slice):
            return [kind.__name__, value.start, value.stop, value.step]
        if kind is Evaluation:
            parts = (value.arch, dict(value.scores), value.seconds, value.epochs, value.seed)
            return ["Evaluation", *(self.encode(one, deep + 1) for one in parts)]
        if isinstance(value, Far | FarGenerator) and value._peer is self:
            return ["yours", value._number]
        return self._encode_object(value, deep)

    def _encode_object(self, value, deep: int) -> list:
        if isinstance(value, GeneratorType):
            return ["generator", self.export(value)]
        if isinstance(value, KnownSpace) and isinstance(value.whole, NasBench201):
            if id(value) in self.numbers:
                return ["known", self.export(value)]
            archs = np.array(value.table.tuples, np.int8)
            return ["known", self.export(value), value.table.digest, list(value.whole.operations), self.encode(archs)]
        if type(value) is NasBench201:
            return ["nasbench201", list(value.operations)]
        if type(value) is OwnSpace:
            choices = {one.name: one.options for one in value.choices}
            parts = (choices, value.name, value.network, value._rule)
            return ["space", *(self.encode(one, deep + 1) for one in parts)]
        torch = _torch()
        if torch and isinstance(value, torch.Tensor):
            return ["tensor", self.encode(value.detach().cpu().numpy(), deep + 1)]
        if torch and isinstance(value, torch.nn.Module):
            sizes = [list(one.shape) for one in value.parameters()]
            return ["module", sizes, *(self.export(one) for one in (value.__call__, value.train))]
        if callable(value) and not isinstance(value, type):
            return ["function", self.export(value)]
        raise Cannot(f"{type(value).__name__} is none of the kinds of values that a check takes")

    def decode(self, data) -> Any:
        """The value that JSON of the other side says; `Broken` if it says none."""
        if data is None or type(data) in SCALARS:
            return data
        try:
            kind, *rest = data
            return KINDS[kind](self, rest)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
            raise Broken("its process sent what is no answer") from None


def _torch() -> ModuleType | None:
    import sys

    return sys.modules.get("torch")


def _array(rest) -> np.ndarray:
    dtype, shape, raw = np.dtype(rest[0]), rest[1], base64.b64decode(rest[2])
    if dtype.kind not in "biufcU":
        raise ValueError
    return np.frombuffer(raw, dtype).reshape(shape).copy()


def _range(rest) -> range:
    found = range(*rest)
    if len(found) > ITEMS:
        raise ValueError
    return found


def _known(peer: Peer, rest) -> SearchSpace:
    if rest[0] not in peer.spaces:
        number, digest, operations, archs = rest
        tuples = [tuple(map(int, row)) for row in peer.decode(archs)]
        rows = dict.fromkeys(tuples, 1)
        rows_only = Rows(NasBench201(operations), digest, tuples, tuple(tuples), rows, np.zeros(0))
        peer.spaces[number] = KnownSpace(rows_only)
    return peer.spaces[rest[0]]


def _evaluation(peer: Peer, rest) -> Evaluation:
    arch, scores, seconds, epochs, seed = map(peer.decode, rest)
    if not isinstance(scores, dict):
        raise ValueError
    return Evaluation(arch, scores, seconds, epochs, seed)


def _own_space(peer: Peer, rest) -> SearchSpace:
    choices, name, network, rule = map(peer.decode, rest)
    space = SearchSpace.from_choices(choices, name=name, rule=rule)
    vars(space)["network"] = network  # built over there, where weights are drawn from a seed
    return space


def _tensor(peer: Peer, rest) -> Any:
    import torch

    return torch.from_numpy(peer.decode(rest[0]))


def _module(peer: Peer, rest) -> Any:
    """A network on the other side: here it has parameters of the same sizes, and passes inputs on."""
    import torch
    from torch import nn

    sizes, forward, train = rest
    if sum(int(np.prod(size)) for size in sizes) > 10**7:
        raise ValueError

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ParameterList(nn.Parameter(torch.zeros(size)) for size in sizes)

        def forward(self, images):
            return Far(peer, forward)(images)

        def train(self, mode: bool = True):
            Far(peer, train)(mode)
            return self

    return Network()


def _sequence(kind: Callable) -> Callable[[Peer, list], Any]:
    return lambda peer, rest: kind(map(peer.decode, rest))


KINDS: dict[str, Callable[[Peer, list], Any]] = {
    "list": _sequence(list),
    "tuple": _sequence(tuple),
    "set": _sequence(set),
    "frozenset": _sequence(frozenset),
    "dict": lambda peer, rest: {peer.decode(a): peer.decode(b) for a, b in rest},
    "array": lambda peer, rest: _array(rest),
    "number": lambda peer, rest: _array([rest[0], [], rest[1]])[()],
    "rng": lambda peer, rest: peer.generators[rest[0]],  # its state came with the message
    "complex": lambda peer, rest: complex(*rest),
    "bytes": lambda peer, rest: base64.b64decode(rest[0]),
    "...": lambda peer, rest: ...,
    "range": lambda peer, rest: _range(rest),
    "slice": lambda peer, rest: slice(*rest),
    "Evaluation": _evaluation,
    "yours": lambda peer, rest: peer.own[rest[0]],
    "function": lambda peer, rest: Far(peer, rest[0]),
    "generator": lambda peer, rest: FarGenerator(peer, rest[0], []),
    "known": _known,
    "nasbench201": lambda peer, rest: NasBench201(rest[0]),
    "space": _own_space,
    "tensor": _tensor,
    "module": _module,
}


def names_of(peer: Peer, names: list[str]) -> Iterator[tuple[str, Any]]:
    """Ask for values by name; a name that is not there is left out. `Cannot` for a value that is of no known kind."""
    for name, said in zip(names, peer.ask({"get": names})["v"], strict=True):
        if said[0] == "cannot":
            raise Cannot(f"{name} cannot be graded: {said[1]}")
        if said[0] == "yes":
            yield name, peer.decode(said[1])
