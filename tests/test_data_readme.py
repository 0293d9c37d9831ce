"""The table in data/README.md: it names every file of the folder once, what made it, and what reads it."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace

import pytest

from nasviz.races.standings import Standings

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data"
FILES = sorted(
    path.relative_to(DATA).as_posix()
    for path in DATA.rglob("*")
    if path.is_file() and path.suffix not in (".py", ".pyc") and path.name != "README.md"
    if not any(part.startswith(".") for part in path.relative_to(DATA).parts)
)
LEAST = 5  # letters that a name or a pattern must have, to count as a mention


def table(text):
    """The rows of the first table of a page, as lists of cells."""
    lines = [line for line in text.split("\n\n")[2].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def files_of(cell, files):
    """Which files the first cell of a row means: names, patterns, and folders that end in a slash."""
    patterns = re.findall(r"`([^`]+)`", cell)
    return {name: [file for file in files if is_meant(file, name)] for name in patterns}


def is_meant(file, pattern):
    if pattern.endswith("/"):
        return file.startswith(pattern)
    parts, wanted = file.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def links(cell):
    return [(DATA / target).resolve() for target in re.findall(r"\]\(([^)]+)\)", cell)]


def code_of(path):
    """The text of a program; of a notebook, the text of its code."""
    text = path.read_text("utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")


def mentions(text, files, functions=()):
    """Whether a program names one of the files, its folder, a pattern that fits it, or a function that reads it."""
    if any(re.search(rf"\b{function}\b", text) for function in functions):
        return True
    words = {re.sub(r"\{[\w:]+\}", "*", word) for word in re.findall(r"[\w./*{}:-]+", text)}
    names = {part for word in words for part in word.split("/") if len(part.split("*")[0]) >= LEAST}
    of_files = {
        name
        for file in files
        for part in file.split("/")
        for name in (part, part.removesuffix(".gz"), part.partition(".")[0])
    }
    return any(fnmatchcase(part, name) for part in of_files for name in names)


ROWS = table((DATA / "README.md").read_text("utf-8"))


def test_every_file_is_named_once_and_every_name_is_a_file():
    meant = [files for cell, *_ in ROWS for files in files_of(cell, FILES).values()]
    assert all(meant)
    assert sorted(file for files in meant for file in files) == FILES


def test_every_row_says_what_made_it_and_every_script_made_something():
    makers = [links(row[2]) for row in ROWS]
    assert all(makers) and all(path.exists() for paths in makers for path in paths)
    scripts = set((DATA / "scripts").glob("*.py"))
    assert scripts == {path for paths in makers for path in paths if path.parent == DATA / "scripts"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_reader_names_what_it_reads(row):
    name, _, _, read = row
    files = [file for found in files_of(name, FILES).values() for file in found]
    readers, functions = links(read), re.findall(r"`([\w.]+)\(\)`", read)
    assert readers
    for reader in readers:
        assert mentions(code_of(reader), files, functions), f"{reader.name} does not mention {name}"


def test_the_command_in_a_record_is_one_that_can_be_typed():
    other = SimpleNamespace(digest="of another table", coverage="none")
    for path in (DATA / "lab05-race.jsonl", DATA / "races" / "models.jsonl"):
        said = re.search(r"Record it again: python (\S+ \S+)", Standings.load(path).stale(other))[1]
        script = said.removeprefix("-m ").split()[0]
        assert (ROOT / (script if script.endswith(".py") else script.replace(".", "/") + ".py")).exists(), said


def test_what_is_missing_is_seen():
    assert files_of("`a-*.npz`, `b/`", ["a-1.npz", "b/a-2.npz", "c"]) == {"a-*.npz": ["a-1.npz"], "b/": ["b/a-2.npz"]}
    assert table("# A\n\nwords\n\n| file | made |\n| --- | --- |\n| `a` | b |\n\nmore") == [["`a`", "b"]]
    assert mentions('load(data_dir() / f"lab00-x-{seed}.jsonl")', ["lab00-x-1.jsonl"])
    assert mentions('folder = data_dir() / "folder-a"', ["folder-a/1.gz"]) and mentions("read_it()", ["x"], ["read_it"])
    assert not mentions('glob("*.jsonl"), load("lab00-y-1.jsonl")', ["lab00-x-1.jsonl"])
