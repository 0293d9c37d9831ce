"""Text files that others wrote: decoded, or refused with the file, the line, the byte and what to do.

All readers of tables, leaderboards and notebooks begin here, so that one file is read the same way everywhere.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import struct
import zlib
from math import isinf
from pathlib import Path

MOST = 2**28  # bytes of a file, unpacked: what a small machine holds several times
# The mark at the beginning, and what it says. UTF-32's begins as UTF-16's does: it is tried first.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How files begin that are no text, and what to do with them.
OTHERS = (
    (b"PK\x03\x04", "a spreadsheet or a ZIP archive", "Save the sheet as 'CSV UTF-8', or unpack the archive"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet", "Save the sheet as 'CSV UTF-8'"),
    (b"PAR1", "a Parquet file", "Write it as CSV: pandas.read_parquet(path).to_csv(new, index=False)"),
    (b"\x89HDF", "an HDF5 file", "Write its numbers as CSV"),
    (b"\x93NUMPY", "an array of NumPy", "Write its numbers as CSV"),
    (b"BZh", "packed with bzip2", "Unpack it first"),
    (b"\xfd7zXZ", "packed with xz", "Unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "Unpack it first"),
)
GZIP = b"\x1f\x8b"
SAVE = "Save it as UTF-8 (spreadsheets call it 'CSV UTF-8')"


def content(path: Path, most: int = MOST) -> bytes:
    """Return the bytes of a file; what gzip packed is unpacked.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is larger than ``most`` bytes, packed or unpacked, or damaged.
    """
    with path.open("rb") as file:
        raw = file.read(most + 1)
    if len(raw) <= most and (raw.startswith(GZIP) or path.suffix == ".gz"):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
                raw = packed.read(most + 1)
        except (OSError, EOFError, zlib.error, struct.error) as error:
            raise ValueError(f"{path} is no text: gzip cannot unpack it ({error}). Get it again") from None
    if len(raw) > most:
        raise ValueError(f"{path} is larger than {most:,} bytes. Keep the lines and columns that are needed")
    return raw


def decoded(path: Path, raw: bytes) -> str:
    """Return the text of ``raw``, which is what `content` read from ``path``: UTF-8, or what its mark says.

    The mark does not belong to the text, and each line ends with ``\\n``. ValueError names the line and the byte that
    are no text, and the remedy.
    """
    for begin, what, remedy in OTHERS:
        if raw.startswith(begin):
            raise ValueError(f"{path} is no text: it is {what}. {remedy}")
    mark, encoding = next(((m, e) for m, e in MARKS if raw.startswith(m)), (b"", "utf-8"))
    raw = raw[len(mark) :]
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        before = _one_end(raw[: error.start].decode(encoding, "replace"))
        line, at = before.count("\n") + 1, len(before.rpartition("\n")[2].encode()) + 1
        found = (
            f"line {line}, byte {at} is 0x{raw[error.start]:02X}" if error.start < len(raw) else "its end is missing"
        )
        raise ValueError(f"{path} is no text in {encoding.upper()}: {found}. {SAVE}") from None
    text = _one_end(text)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ValueError(f"{path} is no text in {encoding.upper()}: line {line} holds a zero byte. {SAVE}")
    return text


def read_text(path: Path, most: int = MOST) -> str:
    """Return the text of a file. Errors: `content`, `decoded`."""
    return decoded(path, content(path, most))


def _one_end(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def json_object(line: str) -> dict:
    """Return the JSON object that a line holds. ValueError if it holds none, a name twice, or too large a number."""
    try:
        found = json.loads(line, object_pairs_hook=_once, parse_float=_float)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError(f"a JSON object is expected, {{…}}, found {line.strip():.40}")
    return found


def _once(pairs: list[tuple[str, object]]) -> dict:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the name {name!r:.60} stands there twice")
        found[name] = value
    return found


def _float(text: str) -> float:
    if isinf(value := float(text)):
        raise ValueError(f"the number {text:.40} is too large")
    return value
