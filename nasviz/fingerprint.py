"""What tells functions, classes and objects of one's own apart, as JSON: code, and the values that it reads.

Comments, docstrings, line numbers and the file do not count. What a function writes itself (a counter, a list of what
was asked, a cache) or uses up (an iterator, a generator of random numbers) is its notebook, not its input, and does not
count either. Functions of nasviz and of installed libraries are known by their names.
"""

from __future__ import annotations

import ast
import copyreg
import dis
import functools
import hashlib
import inspect
import json
import os
import sys
import sysconfig
import textwrap
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import is_dataclass
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import cast

CODE = "its code"  # the key of a digest: no field of a dataclass has such a name
LONGEST = 1000  # characters of a value in a record; longer ones are a digest
SAY = (
    "Give the function or object that holds it a name that changes whenever its answers do, "
    "reward.identity = 'mine, version 2', or let it hold numbers, texts, arrays and dataclasses only"
)
CHANGES = {"STORE_SUBSCR", "DELETE_SUBSCR", "STORE_ATTR", "DELETE_ATTR"}
MUTATORS = {"append", "extend", "insert", "add", "update", "setdefault", "pop", "popleft", "appendleft", "remove",
            "discard", "clear", "put", "write", "writelines", "increment"}  # fmt: skip
SHOWN_ONLY = (
    "__repr__",
    "__str__",
    "__eq__",
    "__hash__",
    "_repr_",
)  # they change how something looks, not what it does
TOOLS = ("_thread", "threading", "queue", "_queue", "multiprocessing", "asyncio", "weakref")
DICE = ("Generator", "RandomState", "Random")  # of NumPy, torch and Python
PASSING = {"CACHE", "RESUME", "NOP", "EXTENDED_ARG", "COPY_FREE_VARS", "MAKE_CELL"}
Identity = Callable[[object], object]


class Unknown(ValueError):
    """Nothing tells this thing from another one: the message says how to name it."""


def fingerprint(thing, identity: Identity) -> dict:
    """What tells ``thing`` apart: a function, a class, or an object that is no dataclass.

    Parameters
    ----------
    thing : object
    identity : callable
        `nasviz.identity.identity`, for the values inside.

    Raises
    ------
    Unknown
        If something inside cannot be told apart.
    """
    if isinstance(thing, functools.partial):
        inside = {"function": identity(thing.func), "arguments": identity(thing.args)}
        return {"type": "partial", **inside, "keywords": identity(thing.keywords)}
    name = getattr(thing, "__qualname__", getattr(thing, "__name__", type(thing).__name__))
    if isinstance(thing, MethodType):
        return {**_function(cast("FunctionType", thing.__func__), name, identity), "of": identity(thing.__self__)}
    if isinstance(thing, FunctionType):
        return _function(thing, name, identity)
    if isinstance(thing, type):
        place = {} if _ours(thing) or is_own(thing) else {"module": thing.__module__}
        return {"type": name, **place, **of_class(thing, identity)}
    if (wrapped := getattr(thing, "__wrapped__", None)) is not None and callable(thing):  # functools.lru_cache
        return {"type": name, "function": identity(wrapped)}
    if inspect.isroutine(thing):  # written in C
        owner = getattr(thing, "__self__", None)
        if owner is None or isinstance(owner, ModuleType):
            return {"type": name, "module": str(getattr(thing, "__module__", None))}
        return {"type": name, "of": identity(owner)}
    return _object(thing, identity)


# ------------------------------------------------------------------------------------------------ whose code it is
def _ours(thing) -> bool:
    return (getattr(thing, "__module__", None) or "").split(".")[0] == "nasviz"


def is_own(thing) -> bool:
    """Whether a function or class is of the one who searches: neither of nasviz nor of an installed library."""
    return not _ours(thing) and not _installed((getattr(thing, "__module__", None) or "").split(".")[0])


@functools.cache
def _installed(top: str) -> bool:
    if top == "__main__":  # a notebook, whatever file has started its kernel
        return False
    if top in sys.stdlib_module_names:
        return True
    file = getattr(sys.modules.get(top), "__file__", None) or ""
    return any(file.startswith(sysconfig.get_path(name) + os.sep) for name in ("purelib", "platlib", "stdlib"))


# ------------------------------------------------------------------------------------------------ functions
def _function(function: FunctionType, name: str, identity: Identity) -> dict:
    nested = "<locals>" in name or "<lambda>" in name
    if _ours(function) and not nested:
        return {"type": name}
    if not is_own(function) and not _ours(function) and not nested:
        return {"type": name, "module": function.__module__}
    code = function.__code__
    said: dict = {"type": name, CODE: _told(_digest(code), _source(function))}
    written = _written(code)
    parts = {
        "defaults": [identity(value) for value in function.__defaults__ or ()],
        "keywords": {key: identity(value) for key, value in (function.__kwdefaults__ or {}).items()},
        "closure": {
            key: _inside(cell, identity)
            for key, cell in zip(code.co_freevars, function.__closure__ or (), strict=True)
            if key not in written and key != "__class__"
        },
        "globals": {
            key: {"module": value.__name__} if isinstance(value, ModuleType) else identity(value)
            for key in sorted(_read(code) - written)
            if (value := function.__globals__.get(key, _MISSING)) is not _MISSING
        },
    }
    return said | {key: _short(value) for key, value in parts.items() if value}


_MISSING = object()


def _inside(cell, identity: Identity):
    try:
        return identity(cell.cell_contents)
    except ValueError as error:
        if isinstance(error, Unknown):
            raise
        return "empty"  # a name that has no value yet


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def _read(code: CodeType) -> set[str]:
    """Names that the code looks up around it."""
    return {
        step.argval
        for one in _codes(code)
        for step in dis.get_instructions(one)
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }


def _written(code: CodeType) -> set[str]:
    """Names around the code that it sets, or whose values it changes: ``asked.append(arch)``, ``cache[arch] = …``."""
    out: set[str] = set()
    for one in _codes(code):
        loads, changed = {}, set()
        for step in dis.get_instructions(one):
            place = step.positions and (step.positions.lineno, step.positions.col_offset)
            if step.opname in ("STORE_GLOBAL", "STORE_DEREF", "DELETE_GLOBAL", "DELETE_DEREF"):
                out.add(step.argval)
            elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"):
                loads[place] = step.argval
            elif step.opname in CHANGES or (step.opname in ("LOAD_ATTR", "LOAD_METHOD") and step.argval in MUTATORS):
                changed.add(place)  # an expression has the place at which its first name begins
        out |= {name for place, name in loads.items() if place in changed}
    return out


def _digest(code: CodeType) -> str:
    """SHA-256 of what the code does. Another version of Python has another one."""
    steps = [step for step in dis.get_instructions(code) if step.opname not in PASSING]
    order = {step.offset: number for number, step in enumerate(steps)}
    parts = [repr((code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & 0x2AC))]
    parts.append(repr(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]))
    jumps = {*dis.hasjrel, *dis.hasjabs}
    for step in steps:
        if step.opcode in jumps:
            value = str(order.get(step.argval, step.argval))
        else:
            value = _const(step.argval)
        parts.append(f"{step.opname} {value}")
    parts.append(code.co_exceptiontable.hex())
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()


def _const(value) -> str:
    if isinstance(value, CodeType):
        return _digest(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_const, value))})"
    if isinstance(value, frozenset):  # without an order of its own
        return f"{{{', '.join(sorted(map(_const, value)))}}}"
    return f"{type(value).__name__} {value!r}"


def _source(function: FunctionType) -> str | None:
    """SHA-256 of the source without comments and docstrings; None where it cannot be found."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError, IndexError):
        return None
    kinds = ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, kinds) and getattr(node, "name", "<lambda>") == function.__name__
    ]
    if len(found) != 1:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and len(node.body) > 1:
            if ast.get_docstring(node, False) is not None:
                del node.body[0]
    (node,) = found
    body = node.body if isinstance(node.body, list) else [node.body]
    text = "\n".join([ast.unparse(node.args), *map(ast.unparse, body)])
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _told(sha256: str | None, source: str | None) -> dict:
    """A digest for this version of Python, and one for all of them if there are the sources."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"python": version, "sha256": sha256, "source": source}


def same_code(there, here) -> bool:
    """Whether two digests are of the same code. Between versions of Python the sources decide."""
    if there == here:
        return True
    if not (isinstance(there, dict) and isinstance(here, dict)) or there.get("python") == here.get("python"):
        return False
    return there.get("source") is not None and there.get("source") == here.get("source")


def _short(said):
    """``said``, or its digest where it is long."""
    return said if len(json.dumps(said)) <= LONGEST else compact(said)


def compact(said) -> dict:
    """One digest of all that ``said`` holds."""
    texts = [json.dumps(_chosen(said, kind), sort_keys=True) for kind in ("sha256", "source")]
    sha256, source = (hashlib.sha256(text.encode()).hexdigest() for text in texts)
    return {CODE: _told(sha256, source if _sourced(said) else None)}


def _chosen(said, kind: str):
    """``said`` with one kind of digest of its code."""
    if isinstance(said, dict):
        return {key: value[kind] if key == CODE else _chosen(value, kind) for key, value in said.items()}
    return [_chosen(value, kind) for value in said] if isinstance(said, list) else said


def _sourced(said) -> bool:
    """Whether the source of all code in ``said`` is known."""
    if isinstance(said, dict):
        return all(value["source"] is not None if key == CODE else _sourced(value) for key, value in said.items())
    return all(map(_sourced, said)) if isinstance(said, list) else True


# ------------------------------------------------------------------------------------------------ classes and objects
def of_class(kind: type, identity: Identity) -> dict:
    """A digest of what one's own part of a class does: its methods, and the values that stand in it. Or nothing."""
    parts: dict[str, object] = {}
    for one in reversed(kind.__mro__):
        if is_own(one):
            for name, value in vars(one).items():
                if (said := _member(one, name, value, identity)) is not None:
                    parts[name] = said
    return compact(parts) if parts else {}


def _member(kind: type, name: str, value, identity: Identity):
    """What a member of a class does; None for what changes no answer, or is told otherwise."""
    if name.startswith(SHOWN_ONLY) or name in getattr(kind, "__dataclass_fields__", ()):
        return None
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    elif isinstance(value, property):
        return [_member(kind, name, one, identity) for one in (value.fget, value.fset) if one] or None
    elif isinstance(value, functools.cached_property):
        value = value.func
    if isinstance(value, FunctionType):
        generated = is_dataclass(kind) and name.startswith("__") and value.__code__.co_filename == "<string>"
        return None if generated else _function(value, name, identity)
    if name.startswith("__") or name == "_abc_impl" or inspect.isdatadescriptor(value):
        return None
    return identity(value)


def _object(thing, identity: Identity) -> dict:
    """An object that is no dataclass: its class, and what it was made with."""
    kind = type(thing)
    said = {"type": kind.__name__, **of_class(kind, identity)}
    if (holds := getattr(thing, "detach", None)) is not None and kind.__module__.startswith("torch"):
        tensor = holds().cpu()
        return said | {"dtype": str(tensor.dtype), "values": identity(tensor.double().numpy())}
    if (is_own(kind) or _ours(kind)) and hasattr(thing, "__dict__"):
        return said | {"with": {name: identity(value) for name, value in made_with(thing).items()}}
    if kind.__module__.split(".")[0] in TOOLS or isinstance(thing, Executor) or kind.__name__ in DICE:
        return said  # a lock and an executor change no answer, and use changes a generator of random numbers
    try:
        made = reduce(thing) if (reduce := copyreg.dispatch_table.get(kind)) else thing.__reduce_ex__(4)
    except Exception:  # what cannot be copied is no value: a lock, a file, a generator
        raise Unknown(f"nothing tells {thing!r:.60} ({kind.__name__}) from another. {SAY}") from None
    if isinstance(thing, Iterator):  # used up by who reads it
        return said
    if isinstance(made, str):
        return said | {"with": made}
    make, arguments, *rest = made
    name = getattr(make, "__qualname__", str(make))
    rest = [list(one) if isinstance(one, Iterator) else one for one in rest[:3]]
    return said | {
        "with": [name, *(identity(one) for one in (*arguments, *rest) if one is not None and one is not kind)]
    }


def made_with(thing) -> dict:
    """The arguments that made an object, as far as it keeps them under their names; else all its attributes."""
    try:
        wanted = list(inspect.signature(type(thing).__init__).parameters.values())[1:]
    except (TypeError, ValueError):
        wanted = []
    held = vars(thing)
    names = [next((name for name in (one.name, f"_{one.name}") if name in held), None) for one in wanted]
    if type(thing).__init__ is not object.__init__ and None not in names:
        return {name: held[name] for name in names}
    members = [pair for kind in type(thing).__mro__ for pair in vars(kind).items()]
    later = {name for name, value in members if isinstance(value, functools.cached_property)}
    for name, value in members:  # what its methods set is a notebook
        if isinstance(value, FunctionType) and name != "__init__":
            later |= {step.argval for step in dis.get_instructions(value) if step.opname == "STORE_ATTR"}
    return {name: value for name, value in held.items() if name not in later}
