"""Ways to damage a good input: any bytes, lines, words; and what keeps the structure of JSON, CSV, gzip and archives.

`damaged` damages once to three times, drawn from a generator: one seed, one damage.
"""

from __future__ import annotations

import bz2
import copy
import gzip
import io
import json
import math
import pickletools
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np

LONG = 20_000  # characters of a long word, brackets of a deep nesting

WORDS = [
    "", " ", "nan", "NaN", "-inf", "Infinity", "null", "true", "None", "0", "-0", "-1", "1e999", "0x10", "1_000", "1.5",
    "9" * 30, "9" * 5000, "²", "٣", "１", "½", "0,91", "91 %", "é", "e\u0301", "\ud800", "\u202e", "\u2028", "\x85",
    "\x00", "\ufeff", "😀", "\x1b[31m", "\r", "\n", "\t", ";", ",", '"', "'", "\\", "`", "[", "]", "{", "}", "(", ")",
    "|", "~", "+", ":", "..", "../../etc/passwd", "~/x", "__class__", "__import__('os')", "%s%n", "{0}", "a" * LONG,
    "[" * LONG, '{"a":' * LONG, "(" * LONG, "|none~0" * 1000, ",".join("0" * 1000),
]  # fmt: skip
VALUES = [
    None, True, False, 0, -1, 1, 2, 1.5, -0.0, 10**9, 2**31, 2**63, 10**30, 10**400, 1e308, math.nan, math.inf,
    -math.inf, "", "1", "nan", "é\ud800", "x" * LONG, [], {}, [[]], [None], ["a", 1], {"type": "Toy"}, {"": 0},
    [0] * 1000,
    {"space": "darts"}, {"type": "RandomSearch"}, {"sha256": ""}, ["<f4", [10**12], ""], ["<f4", [-1], ""],
    ["|O", [1], "AAAA"],
]  # fmt: skip
DEEP = "\ue000deep\ue000"  # stands in JSON for what its writer could not nest that deeply


# ------------------------------------------------------------------------------------------------ any bytes
def _words(raw: bytes, rng: random.Random) -> bytes:
    at, word = rng.randint(0, len(raw)), rng.choice(WORDS).encode("utf-8", "surrogatepass")
    return raw[:at] + word + raw[at + rng.choice((0, 0, 1, len(word))) :]


def _flip(raw: bytes, rng: random.Random) -> bytes:
    out = bytearray(raw or b"\0")
    for _ in range(rng.choice((1, 1, 2, 8))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def _span(raw: bytes, rng: random.Random) -> tuple[int, int]:
    at = rng.randint(0, len(raw))
    return at, min(len(raw), at + rng.choice((1, 1, 2, 5, 20, 200)))


def _delete(raw: bytes, rng: random.Random) -> bytes:
    a, b = _span(raw, rng)
    return raw[:a] + raw[b:]


def _double(raw: bytes, rng: random.Random) -> bytes:
    a, b = _span(raw, rng)
    return raw[:b] + raw[a:b] * rng.choice((1, 1, 2, 50)) + raw[b:]


def _random(raw: bytes, rng: random.Random) -> bytes:
    a, b = _span(raw, rng)
    return raw[:a] + rng.randbytes(b - a) + raw[b:]


def _cut(raw: bytes, rng: random.Random) -> bytes:
    return raw[: rng.randint(0, len(raw))]


def _mark(raw: bytes, rng: random.Random) -> bytes:
    encoding = rng.choice(("utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp037"))
    return raw.decode("latin-1").encode(encoding, "replace")


def _lines(raw: bytes, rng: random.Random) -> bytes:
    """A line doubled, left out, cut, emptied, moved; other ends."""
    lines = raw.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    how = rng.randrange(7)
    if how == 0:
        lines.insert(other, lines[at])
    elif how == 1:
        del lines[at]
    elif how == 2:
        lines[at] = lines[at][: rng.randint(0, len(lines[at]))]
    elif how == 3:
        lines.insert(at, b"")
    elif how == 4:
        lines[at], lines[other] = lines[other], lines[at]
    elif how == 5:
        lines[at] += b" " * LONG + lines[other]
    return rng.choice((b"\r\n", b"\r", b"\x0b")).join(lines) if how == 6 else b"\n".join(lines)


BYTES = (_words, _words, _flip, _delete, _double, _random, _cut, _mark, _lines, _lines)


# ------------------------------------------------------------------------------------------------ what has a structure
def places(value, path=()) -> Iterator[tuple]:
    """The way to every value inside of ``value``."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*path, key))


def _at(value, path):
    for key in path:
        value = value[key]
    return value


def _odd(value, rng: random.Random):
    """Something that does not belong where ``value`` stands."""
    how = rng.randrange(10)
    if how == 0 and isinstance(value, str):
        return _words(value.encode("utf-8", "replace"), rng).decode("utf-8", "replace")
    if how == 1 and isinstance(value, list):
        return rng.choice((value[:-1], value + value[:1], value[::-1], value * 3))
    if how == 2 and isinstance(value, int | float):
        return rng.choice((-value, value + 1, value - 1, -(10**30), str(value), [value], 0.5))
    if how == 3:
        return rng.choice(([value], {"a": value}, str(value), DEEP))
    return rng.choice(VALUES)


def odd_json(entry, rng: random.Random) -> str:
    """A JSON text like ``entry`` but for one to three places."""
    entry = json.loads(json.dumps(entry))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = rng.choice(list(places(entry)))
        if not path:
            entry = _odd(entry, rng) if rng.random() < 0.2 else entry
            continue
        within, key = _at(entry, path[:-1]), path[-1]
        how = rng.randrange(8)
        if how == 0:
            del within[key]
        elif how == 1 and isinstance(within, dict):
            within[rng.choice((f"{key}s", f"{key}".upper(), "", *WORDS[:30]))] = within.pop(key)
        elif how == 2:
            within[key] = copy.deepcopy(_at(entry, rng.choice(list(places(entry)))))
        else:
            within[key] = _odd(within[key], rng)
        entry = json.loads(json.dumps(entry))  # no value of `VALUES` is changed itself
    text = json.dumps(entry, ensure_ascii=rng.random() < 0.5)
    nested = rng.choice(("[" * LONG + "]" * LONG, '{"a":' * LONG + "0" + "}" * LONG, "[" * 500 + "]" * 500))
    text = text.replace(json.dumps(DEEP), nested).replace(json.dumps(DEEP, ensure_ascii=False), nested)
    if rng.random() < 0.05 and text.startswith("{"):  # a name twice
        text = '{"' + next(iter(entry), "a") + '": 1, ' + text[1:]
    return text


def _json_line(raw: bytes, rng: random.Random) -> bytes:
    lines = raw.split(b"\n")
    at = rng.choice([i for i, line in enumerate(lines) if line.strip()] or [0])
    try:
        entry = json.loads(lines[at])
    except (ValueError, RecursionError):
        return _words(raw, rng)
    lines[at] = odd_json(entry, rng).encode("utf-8", "surrogatepass")
    return b"\n".join(lines)


def _json_whole(raw: bytes, rng: random.Random) -> bytes:
    try:
        return odd_json(json.loads(raw), rng).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return _words(raw, rng)


def _csv(raw: bytes, rng: random.Random) -> bytes:
    rows = [line.split(b",") for line in raw.split(b"\n")]
    row = rng.choice(rows)
    column, other = rng.randrange(len(row)), rng.randrange(len(row))
    how = rng.randrange(9)
    if how == 0:
        row.pop(column)
    elif how == 1:
        row.insert(column, row[other])
    elif how == 2:
        row[column], row[other] = row[other], row[column]
    elif how == 3:
        rows = [[*one, *one[-1:]] for one in rows]
    elif how == 4:
        rows = [[*one, rng.choice(WORDS).encode("utf-8", "surrogatepass")] for one in rows]
    elif how == 5:
        row[column] = b'"' + row[column] + rng.choice((b'"', b"", b'""'))
    elif how == 6:
        return raw.replace(b",", rng.choice((b";", b"\t", b" ", b"|", b",,")))
    elif how == 7:
        rows.insert(0, [name.upper() for name in rows[0]])
    else:
        row[column] = rng.choice(WORDS).encode("utf-8", "surrogatepass")
    return b"\n".join(b",".join(one) for one in rows)


def _packed(raw: bytes, rng: random.Random) -> bytes:
    """What gzip packed, damaged inside."""
    try:
        inside = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error, struct.error):  # it is damaged already
        return _flip(raw, rng)
    return gzip.compress(rng.choice((_json_line, _lines, _words))(inside, rng), 1, mtime=0)


def npy(said: str, data: bytes) -> bytes:
    """A file of NumPy with the header ``said``, whatever it claims."""
    head = said.encode("latin-1", "replace")
    return b"\x93NUMPY\x01\x00" + len(head[:65_000]).to_bytes(2, "little") + head[:65_000] + data


DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, KeyError, IndexError, TypeError, MemoryError,
          RuntimeError, NotImplementedError, struct.error, OverflowError, UnicodeError)  # fmt: skip
CLAIMS = (
    "(10,)",
    "(1000000000000,)",
    "(1000000000000, 1000000)",
    "(-1,)",
    "()",
    "(0,)",
    "(0, 5)",
    "(2.5,)",
    "('a',)",
    "(True,)",
)
TYPES = (
    "<f4",
    "<f8",
    "<u2",
    "<u4",
    "<i2",
    "<i8",
    "|b1",
    "|u1",
    "|O",
    "<U9",
    "<c16",
    "<M8[s]",
    ">f4",
    "|V8",
    "xx",
    "f4,f4",
)


def _npz(raw: bytes, rng: random.Random) -> bytes:
    """An archive of arrays, one of them of another type, shape, content, or none."""
    try:
        return _other_arrays(raw, rng)
    except DAMAGE:  # it is damaged already
        return _flip(raw, rng)


def _other_arrays(raw: bytes, rng: random.Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as file:
        inside = {name: file.read(name) for name in file.namelist()}
    name = rng.choice(sorted(inside) or ["header.npy"])
    how = rng.randrange(7)
    if how == 0:
        inside.pop(name, None)
    elif how == 1:
        order = rng.choice(("False", "True", "7"))
        claim = f"{{'descr': {rng.choice(TYPES)!r}, 'fortran_order': {order}, 'shape': {rng.choice(CLAIMS)}, }}\n"
        inside[name] = npy(claim, inside.get(name, b"")[128:])
    elif how == 2:
        inside[name] = rng.choice(BYTES)(inside.get(name, b""), rng)
    elif how == 3:
        inside[name] = inside[rng.choice(sorted(inside))] if inside else b""
    elif how == 4 and "header.npy" in inside:
        said = odd_json(json.loads(np.load(io.BytesIO(inside["header.npy"])).tobytes()), rng)
        buffer = io.BytesIO()
        np.save(buffer, np.frombuffer(said.encode("utf-8", "surrogatepass"), np.uint8))
        inside["header.npy"] = buffer.getvalue()
    else:
        array = np.load(io.BytesIO(inside[name])) if name in inside else np.zeros(3)
        inside[name] = _saved(_odd_array(array, rng))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as file:
        for one, data in inside.items():
            file.writestr(zipfile.ZipInfo(one), data)
    return out.getvalue()


def archive(claims: dict[str, str]) -> bytes:
    """An archive of arrays that claim to have these shapes, and hold nothing."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, shape in claims.items():
            said = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}\n"
            file.writestr(f"{name}.npy", npy(said, b""))
    return out.getvalue()


def bomb(size: int = 2**31) -> bytes:
    """An archive of a few megabytes that holds ``size`` zeros."""
    out, said = io.BytesIO(), f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},), }}\n"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        with file.open("header.npy", "w", force_zip64=True) as inside:
            inside.write(npy(said, b""))
            for _ in range(size // 2**24):
                inside.write(bytes(2**24))
    return out.getvalue()


def _odd_array(array: np.ndarray, rng: random.Random) -> np.ndarray:
    how = rng.randrange(7)
    if how == 0:
        return array[: rng.randint(0, len(array))] if array.ndim else array
    if how == 1:
        return array.reshape(-1)
    if how == 2:
        return array[..., None]
    if how == 3:
        return np.concatenate([array, array]) if array.ndim else array
    if how == 4:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return array.astype(rng.choice(("<f4", "<f8", "<u2", "<i8", "|b1", "|u1", "<U9", "<c8")))
    out = array.copy().reshape(-1)
    if len(out):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = rng.choice((0, 1, 7, 127, math.nan, math.inf, -1))
            try:
                out[rng.randrange(len(out)) :: rng.choice((1, 1000))] = value
            except (ValueError, OverflowError):
                out[0] = 1
    return out.reshape(array.shape)


def _saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


# Instructions of a pickle, in places where they do not belong: calls, claims of length, deep nesting, endless memory.
INSTRUCTIONS = (
    b"cos\nsystem\n", b"cbuiltins\neval\nX\x01\x00\x00\x001\x85R", b"cnumpy\nndarray\n", b"ccollections\nOrderedDict\n",
    b"cnumpy.core.multiarray\nscalar\n", b"(lp0\n", b"r\xff\xff\xff\x7f", b"\x8b\xff\xff\xff\x7f",
    b"\x8e" + b"\xff" * 8, b"\x95" + b"\xff" * 8, b"2", b"0", b"(", b"1", b"t", b"N", b"]", b"}", b"R", b"b", b"a",
    b"e", b"s", b"u", b"h\x00", b"Q", b"P1\n", b"\x81", b"i\n\n", b".", b"\x94", b")" + b"\x85" * LONG, b"]" * LONG,
    b"\x8f\x90",    b"L" + b"9" * LONG + b"L\n",
    b"G" + b"\x7f\xf0" + b"\0" * 6, b"G\x7f\xf8" + b"\0" * 6, b"J\xff\xff\xff\xff",
    b"V\\ud800\n", b"F1e999\n", b"I01\n",
)  # fmt: skip


def _pickle(raw: bytes, rng: random.Random) -> bytes:
    """A pickle, packed by bzip2 or not, with an instruction put in, left out, doubled, moved."""
    packed = raw.startswith(b"BZh")
    try:
        inside = bz2.decompress(raw) if packed else raw
        starts = [place for _, _, place in pickletools.genops(inside)]
    except Exception:  # it is damaged already, and anything may come out
        return _flip(raw, rng)
    first, second = sorted((rng.choice(starts), rng.choice(starts)))
    how = rng.randrange(5)
    if how < 2:
        inside = inside[:first] + rng.choice(INSTRUCTIONS) + inside[first:]
    elif how == 2:
        inside = inside[:first] + inside[second:]
    elif how == 3:
        inside = inside[:second] + inside[first:]
    else:
        end = starts[min(len(starts) - 1, starts.index(first) + 1)]
        inside = inside[:first] + rng.choice(INSTRUCTIONS) + inside[end:]
    return bz2.compress(inside, 1) if packed else inside


KINDS = {
    "bytes": BYTES,
    "lines": (_json_line,),
    "json": (_json_whole,),
    "csv": (_csv,),
    "gzip": (_packed,),
    "npz": (_npz,),
    "pickle": (_pickle,),
}


def damaged(raw: bytes, kind: str, rng: random.Random) -> bytes:
    """One to three damages; half of them respect the structure that ``kind`` names."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        raw = rng.choice(KINDS[kind] if rng.random() < 0.5 else BYTES)(raw, rng)
    return raw
