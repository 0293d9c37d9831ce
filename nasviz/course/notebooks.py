"""Notebooks from elsewhere: read whole, or refused with the file, the place and what to do. What their outputs show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from .. import textfile

STAGE = "application/vnd.nasviz.stage+json"  # the recorded steps of a stage, where an output holds them
HTML, MARKDOWN, PLAIN, PNG = "text/html", "text/markdown", "text/plain", "image/png"

MOST = 2**26  # bytes: a notebook with many pictures has a few millions
AGAIN = "Save it again in JupyterLab, as a notebook (.ipynb)"
MERGE = "A merge left its marks <<<<<<< in it: choose one side"
KINDS = ("code", "markdown", "raw", "heading")  # the last is of format 3


def read(path: str | Path):
    """Return a notebook in format 4, whichever it was written in.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no text, no JSON, no notebook, of another format than 3 or 4, or one of its cells is damaged.
    """
    import nbformat

    path = Path(path).expanduser()
    text = textfile.read_text(path, MOST)
    if not text.strip():
        raise ValueError(f"{path} is no notebook: it is empty. Get it again")
    try:
        found = textfile.json_object(text)
        version = found.get("nbformat")
        if isinstance(version, bool) or not isinstance(version, int):
            raise ValueError("nothing says its format ('nbformat')")
        if version not in (3, 4):
            other = "newer" if version > 4 else "older"
            raise ValueError(f"its format {version} is {other} than this reader knows, which are 3 and 4")
        if type(found.get("nbformat_minor", 0)) is not int:
            raise ValueError("its 'nbformat_minor' is no whole number")
        _check(found, version)
        return nbformat.reads(text, as_version=4)
    except json.JSONDecodeError as error:
        told = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise ValueError(f"{path} is no notebook: no JSON at {told}. {MERGE if '<<<<<<<' in text else AGAIN}") from None
    except RecursionError:
        raise ValueError(f"{path} is no notebook: it is nested too deeply. {AGAIN}") from None
    except (ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError) as error:
        raise ValueError(f"{path} is no notebook, or is damaged: {error}. {AGAIN}") from None


def read_all(paths: Iterable[str | Path], tell: Callable[[str], object]) -> dict[Path, object]:
    """Return the notebooks that can be read, by path; ``tell`` each reason why another one cannot."""
    found = {}
    for path in map(Path, paths):
        try:
            found[path] = read(path)
        except (OSError, ValueError) as error:
            tell(str(error))
    return found


def stored(output: Mapping, kind: str) -> str:
    """What an output shows as ``kind``, a MIME type, in one text: a file may hold it as lines. Empty if it has none."""
    return "".join(output.get("data", {}).get(kind) or "")


def _check(found: dict, version: int) -> None:
    """Raise a ValueError unless every cell has what a reader of cells asks for."""
    if not isinstance(found.get("metadata"), dict):
        raise ValueError("it has no 'metadata'")
    sheets = found.get("worksheets") if version == 3 else [found]
    if not isinstance(sheets, list) or not all(isinstance(sheet, dict) for sheet in sheets):
        raise ValueError("it has no 'worksheets'")
    cells = []
    for sheet in sheets:
        if not isinstance(its := sheet.get("cells"), list):
            raise ValueError("it has no list of 'cells'")
        cells += its
    for number, cell in enumerate(cells, 1):
        if why := _damage(cell, version):
            raise ValueError(f"cell {number} {why}")


def _damage(cell, version: int) -> str:
    """What a cell lacks; empty if nothing."""
    if not isinstance(cell, dict) or cell.get("cell_type") not in KINDS:
        return "is of no known kind ('cell_type')"
    if version == 3:
        return "" if _is_text(cell.get("input" if cell["cell_type"] == "code" else "source")) else "has no text"
    if not _is_text(cell.get("source")):
        return "has no text ('source')"
    if not isinstance(cell.get("metadata"), dict):
        return "has no 'metadata'"
    tags = cell["metadata"].get("tags", [])
    if not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        return "has tags that are no list of words"
    outputs = cell.get("outputs", [])
    if not (isinstance(outputs, list) and all(isinstance(one, dict) for one in outputs)):
        return "has outputs that are no list"
    return ""


def _is_text(source) -> bool:
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))
