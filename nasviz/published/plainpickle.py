"""Pickles that hold plain data, read without unpickling.

A pickle is a program for a small machine, and Python's unpickler runs it: whoever wrote the file decides what is
called. Here the program is only looked at. `pickletools.genops`, of Python's library, splits it into its instructions;
this module knows those that make numbers, texts, lists, tuples, dicts and sets, and the few names below, for which it
has readings of its own. Nothing is imported and nothing is called: any other name is refused.

(The other way is an unpickler whose ``find_class`` refuses names. It was not taken: it still calls what it lets pass,
and its table of remembered values takes as much memory as one number in the file claims.)
"""

from __future__ import annotations

import bz2
import io
import pickletools
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from .. import textfile

MOST = textfile.MOST  # bytes, unpacked
BITS = 128  # of a whole number: a file of torch begins with one of 80
DIGITS = 40
ORDERED, SETS = {"collections.OrderedDict"}, {"builtins.set", "builtins.frozenset"}
DTYPE, ARRAY, ENCODE, BYTES = "numpy.dtype", "numpy.ndarray", "_codecs.encode", "builtins.bytes"
SCALAR, EMPTY_ARRAY = (
    {f"numpy.{core}.multiarray.scalar" for core in ("core", "_core")},
    {f"numpy.{core}.multiarray._reconstruct" for core in ("core", "_core")},
)
WHOLE_ARRAY = {f"numpy.{core}.numeric._frombuffer" for core in ("core", "_core")}
NAMES = ORDERED | SETS | SCALAR | EMPTY_ARRAY | WHOLE_ARRAY | {DTYPE, ARRAY, ENCODE, BYTES}
KINDS = {f"{kind}{size}" for kind, sizes in {"f": "248", "i": "1248", "u": "1248", "b": "1"}.items() for size in sizes}
LEGACY = 0x1950A86A20F9469CFC6C  # the whole number with which torch began its files until 2020
# What the parts of Python's library raise on bytes that are not what they expect.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, TypeError, KeyError, IndexError,
    AttributeError, RuntimeError, OverflowError, NotImplementedError, MemoryError, AssertionError,
)  # fmt: skip
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
NUMBERS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
TEXTS = {
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES",
    "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
PLAIN = (str, bytes, int, float, type(None))


class _Mark:
    """Where a list of values begins."""


@dataclass(frozen=True)
class _Name:
    """A name that a pickle would import."""

    name: str


@dataclass
class _Type:
    """A number's type in NumPy, such as ``f8``, and the order of its bytes."""

    kind: str
    order: str = "<"


@dataclass
class _Array:
    """An array of NumPy whose content comes later."""

    values: np.ndarray | None = None


def load(path: Path, most: int = MOST) -> object:
    """Return the plain data of a pickle: as it is, packed by gzip or bzip2, or in a file of torch without tensors.

    Parameters
    ----------
    path : path
    most : int
        Bytes that the file may have, packed or unpacked.

    Returns
    -------
    object
        Of dicts, lists, tuples, sets, texts, numbers, None; numbers of NumPy as Python's, its arrays as arrays.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is too large, damaged, no pickle, or holds anything else. It names the file.
    """
    raw = textfile.content(path, most)
    try:
        stream = io.BytesIO(_unpacked(raw, most))
        value = _read(stream)
        if value == LEGACY and isinstance(value, int):  # then: a version, the system, and the object
            _read(stream), _read(stream)
            value = _read(stream)
    except DAMAGE as error:
        told = f"{type(error).__name__}: {error!s:.200}"
        raise ValueError(f"{path} is no pickle of plain data, or is damaged ({told}). Get it again") from None
    return _finished(value, path)


def _unpacked(raw: bytes, most: int) -> bytes:
    if raw.startswith(b"BZh"):
        with bz2.BZ2File(io.BytesIO(raw)) as packed:
            raw = packed.read(most + 1)
    elif raw.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            inside = next((one for one in archive.infolist() if one.filename.endswith("data.pkl")), None)
            if inside is None:
                raise ValueError("an archive without data.pkl")
            with archive.open(inside) as packed:
                raw = packed.read(most + 1)
    if len(raw) > most:
        raise ValueError(f"unpacked, it is larger than {most:,} bytes")
    return raw


def _finished(value: object, path: Path) -> object:
    """What was left of an object that is none of plain data."""
    if isinstance(value, _Name | _Type | _Array | _Mark):
        raise ValueError(f"{path} holds no plain data")
    return value


# ------------------------------------------------------------------------------------------------ the machine
def _read(stream: BinaryIO) -> object:
    """Read one pickle from its place in ``stream`` to its end. Raises any of `DAMAGE`."""
    machine = _Machine()
    for opcode, argument, _ in pickletools.genops(stream):
        machine.do(opcode.name, argument)
    return machine.pop()


class _Machine:
    """The values that a pickle has made so far: a stack, and those that it remembers by number."""

    def __init__(self) -> None:
        self.stack: list = []
        self.memory: dict[int, object] = {}

    def do(self, name: str, argument) -> None:
        """Do one instruction, called as `pickletools` calls it."""
        if name in NUMBERS or name in TEXTS:
            self.stack.append(_number(argument) if name in NUMBERS else argument)
        elif name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memory[int(argument)] = self.stack[-1]
        elif name == "MEMOIZE":
            self.memory[len(self.memory)] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            self.stack.append(self.memory[int(argument)])
        elif (method := getattr(self, f"_{name.lower()}", None)) is not None:
            method(argument)
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise ValueError(f"it does {name}, which plain data does not need")

    def pop(self):
        """Take the last value."""
        value = self.stack.pop()
        if isinstance(value, _Mark):
            raise ValueError("a value is missing")
        return value

    def since(self) -> list:
        """Take the values since the last mark."""
        values: list = []
        while not isinstance(value := self.stack.pop(), _Mark):
            values.append(value)
        return values[::-1]

    def last(self, kind: type):
        """The last value, which stays there and must be a ``kind``."""
        if not isinstance(self.stack[-1], kind):
            raise ValueError(f"a {kind.__name__} is expected, found {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    # -------------------------------------------------------------- one method an instruction
    def _mark(self, _):
        self.stack.append(_Mark())

    def _pop(self, _):
        self.stack.pop()

    def _pop_mark(self, _):
        self.since()

    def _empty_tuple(self, _):
        self.stack.append(())

    def _tuple(self, _):
        self.stack.append(tuple(self.since()))

    def _tuple1(self, _, count: int = 1):
        values = [self.pop() for _ in range(count)]
        self.stack.append(tuple(values[::-1]))

    def _tuple2(self, _):
        self._tuple1(None, 2)

    def _tuple3(self, _):
        self._tuple1(None, 3)

    def _empty_list(self, _):
        self.stack.append([])

    def _list(self, _):
        self.stack.append(self.since())

    def _append(self, _):
        value = self.pop()
        self.last(list).append(value)

    def _appends(self, _):
        values = self.since()
        self.last(list).extend(values)

    def _empty_dict(self, _):
        self.stack.append({})

    def _dict(self, _):
        values = self.since()
        self.stack.append({})
        self._set(values)

    def _setitem(self, _):
        value, key = self.pop(), self.pop()
        self._set([key, value])

    def _setitems(self, _):
        self._set(self.since())

    def _set(self, values: list) -> None:
        into = self.last(dict)
        for key, value in zip(values[::2], values[1::2], strict=True):
            into[_key(key)] = value

    def _empty_set(self, _):
        self.stack.append(set())

    def _additems(self, _):
        values = self.since()
        self.last(set).update(map(_key, values))

    def _frozenset(self, _):
        self.stack.append(set(map(_key, self.since())))

    def _global(self, argument):
        self._name(*argument.split(" ", 1))

    def _stack_global(self, _):
        name, module = self.pop(), self.pop()
        self._name(module, name)

    def _name(self, module: str, name: str) -> None:
        full = f"{module}.{name}".replace("__builtin__.", "builtins.")
        if full not in NAMES:
            raise ValueError(f"it would call {full!r:.80}, which is no plain data: it is not read")
        self.stack.append(_Name(full))

    def _reduce(self, _):
        arguments, called = self.pop(), self.pop()
        if not isinstance(called, _Name) or not isinstance(arguments, tuple):
            raise ValueError("it calls what is no name")
        self.stack.append(_made(called.name, arguments))

    def _build(self, _):
        state, made = self.pop(), self.stack[-1]
        if isinstance(made, _Type) and isinstance(state, tuple) and state[1] in ("<", ">", "|", "="):
            made.order = state[1]
        elif isinstance(made, _Array) and isinstance(state, tuple):
            _, shape, kind, fortran, content = state
            made.values = _array(kind, content, shape, "F" if fortran else "C")
            self._replace(made, made.values)
        elif not (isinstance(made, dict) and state in (None, {})):
            raise ValueError("it sets what plain data does not have")

    def _replace(self, made, values) -> None:
        self.stack[-1] = values
        for number, value in self.memory.items():
            if value is made:
                self.memory[number] = values


# ------------------------------------------------------------------------------------------------ values
def _number(value) -> int | float:
    if isinstance(value, int) and value.bit_length() > BITS:
        raise ValueError(f"a whole number of {value.bit_length():,} bits")
    return value


def _key(value):
    """A key: plain, or a tuple of plain values. (Deeper ones are refused: to compare them may never end.)"""
    flat = value if isinstance(value, tuple) else (value,)
    if not all(isinstance(one, PLAIN) for one in flat):
        raise ValueError("a key is no text, number or tuple of them")
    return value


def _made(name: str, arguments: tuple):
    """What a call would make. ValueError or TypeError if it is not called as those who write such files do."""
    if name in ORDERED:
        made: dict = {}
        for key, value in arguments[0] if arguments else ():
            made[_key(key)] = value
        return made
    if name in SETS:
        (values,) = arguments
        return set(map(_key, values))
    if name == DTYPE:
        if not isinstance(arguments[0], str) or arguments[0] not in KINDS:
            raise ValueError(f"numbers of the type {arguments[0]!r:.20}")
        return _Type(arguments[0])
    if name == ENCODE:
        text, encoding = arguments
        if encoding != "latin1":
            raise ValueError("bytes in another encoding")
        return text.encode("latin1")
    if name == BYTES and not arguments:
        return b""
    if name in SCALAR:
        kind, content = arguments
        return _array(kind, content, (), "C").item()
    if name in EMPTY_ARRAY and arguments[0] == _Name(ARRAY):
        return _Array()
    if name in WHOLE_ARRAY:
        content, kind, shape, order = arguments
        return _array(kind, content, shape, order)
    raise ValueError(f"it would call {name}")


def _array(kind, content, shape, order) -> np.ndarray:
    if not isinstance(kind, _Type) or not isinstance(content, bytes | bytearray) or not isinstance(shape, tuple):
        raise ValueError("an array that is none of numbers")
    dtype = np.dtype(kind.kind).newbyteorder("=" if kind.order == "|" else kind.order)  # type: ignore[arg-type]
    if not all(isinstance(side, int) and side >= 0 for side in shape):
        raise ValueError("an array of an impossible shape")
    return np.frombuffer(content, dtype).reshape(shape, order=order).copy()
