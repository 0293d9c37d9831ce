"""Editions of the labs: rendered for reading, without solutions for students, with solutions filled in for tests.

    python -m nasviz.course.edition render labs/*.ipynb         run, store pictures and durations, drop widget state
    python -m nasviz.course.edition student labs out            copy without the solutions
    python -m nasviz.course.edition form labs/*.ipynb           minutes, long sentences, long cells, what is missing
    python -m nasviz.course.edition claims labs/*.ipynb         which claims hold on other processors too

``--help`` says the rest.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path

from ..ranges import argument
from . import lesson, notebooks, roundings
from .lesson import tags

WIDGET = "application/vnd.jupyter.widget-view+json"
PICTURES = """\
import sys
from IPython.display import display
made = sys.modules.get("nasviz.views.stage.panel")
display({"application/json": made.pictures() if made else {}}, raw=True)"""  # asked of a kernel that ran a lab


def solutions(notebook) -> dict[str, str]:
    """Code of each folded solution, by the name of its exercise.

    A solution is a markdown cell tagged ``solution`` and ``for:NAME`` with one block of Python in it; the cell that
    the student fills in is tagged ``exercise`` and ``for:NAME``. The solution of an exercise of the kind ``open`` is
    text, and is not among them.
    """
    opened = {
        tag.removeprefix("for:")
        for cell in notebook["cells"]
        if "exercise" in tags(cell) and cell["metadata"].get("nasviz", {}).get("kind") == "open"
        for tag in tags(cell)
    }
    found = {}
    for cell in notebook["cells"]:
        if "solution" in tags(cell):
            name = next(tag.removeprefix("for:") for tag in tags(cell) if tag.startswith("for:"))
            block = re.search(r"```python\n(.*?)```", cell["source"], re.S)
            if block is None and name in opened:
                continue
            assert block is not None, f"the solution of {name} has no block of Python"
            found[name] = block.group(1)
    return found


def without_solutions(notebook):
    """A copy of ``notebook`` whose solution cells are gone."""
    kept = [cell for cell in notebook["cells"] if "solution" not in tags(cell)]
    return type(notebook)(notebook | {"cells": kept})


def strip(notebook) -> None:
    """Remove what a stored notebook must not hold: widget state, widget views (their pictures stay), clock times."""
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
        for output in cell.get("outputs", ()):
            for data in ("data", "metadata"):
                output.get(data, {}).pop(WIDGET, None)
        if "outputs" in cell:
            cell["outputs"] = [o for o in cell["outputs"] if o.get("name") != "stderr" and o.get("data", True)]


def in_place(notebook, pictures: dict[str, dict[str, str]]) -> None:
    """Give each widget that a notebook shows its last picture, by the id of its model."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            model = output.get("data", {}).get(WIDGET, {}).get("model_id")
            output.get("data", {}).update(pictures.get(model, {}))


def render(path: Path) -> float:
    """Run a lab head to tail and store it with its pictures, its duration and its minutes. Seconds of computing.

    What later cells change, as they run a player, shows its last picture where it stands: without a kernel nobody can.
    """
    import nbformat
    from nbformat.v4 import new_code_cell

    notebook = notebooks.read(path)
    notebook.cells.append(new_code_cell(PICTURES))
    seconds = roundings.run(notebook, path.parent, store_widget_state=False)
    (answer,) = notebook.cells.pop().outputs
    in_place(notebook, answer["data"]["application/json"])
    strip(notebook)
    said = notebook["metadata"].setdefault("nasviz", {})
    said["seconds"] = round(seconds)
    said["minutes"], said["further"] = (spent := lesson.minutes(notebook)).core, spent.further
    first = notebook["cells"][0]
    first["source"] = re.sub(r"(\*\*Time\*\* )\d+ minutes", rf"\g<1>{spent.core} minutes", first["source"])
    nbformat.write(notebook, path)
    return seconds


def stated(readme: str, name: str, notebook) -> str:
    """The README's text, with the seconds and the minutes of one lab in its row as its notebook has them."""
    said = notebook["metadata"]["nasviz"]
    further = f", and {said['further']} for what is beyond" if said.get("further") else ""
    numbers = f"| {said['seconds']} s on two slow cores | {said['minutes']} min{further} |"
    return re.sub(rf"(\(labs/{re.escape(name)}\).*?)\| \d+ s on [^|]*\| \d+ min[^|]*\|", rf"\g<1>{numbers}", readme)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m nasviz.course.edition", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("render", help="run labs and store them with pictures, without widget state")
    one.add_argument("labs", nargs="+", type=Path)
    two = commands.add_parser("student", help="copy a folder of labs without their solutions")
    two.add_argument("folder", type=Path)
    two.add_argument("out", type=Path)
    four = commands.add_parser(
        "form", help="count what labs ask of their readers, and say what is wrong with their form"
    )
    four.add_argument("labs", nargs="+", type=Path)
    five = commands.add_parser("readme", help="write seconds and minutes of labs into README.md beside their folder")
    five.add_argument("labs", nargs="+", type=Path)
    three = commands.add_parser("claims", help="run labs as other processors round, and say which claims hold")
    three.add_argument("labs", nargs="+", type=Path)
    three.add_argument("--rounding", action="append", choices=roundings.ROUNDINGS, help="one of them (default: all)")
    three.add_argument("--record", type=Path, help="a file that remembers what was run (JSON Lines)")
    three.add_argument("--out", type=Path, help="write the table there too, in Markdown")
    three.add_argument("--jobs", type=argument(1), default=2, help="labs at once, one core each (default: 2)")
    options = parser.parse_args()
    damaged: list[str] = []

    def readable(paths) -> dict:
        found = notebooks.read_all(paths, damaged.append)
        for told in damaged:
            print(told, file=sys.stderr)
        return found

    if options.command == "claims":
        asked = options.rounding or list(roundings.ROUNDINGS)
        status = roundings.main(list(readable(options.labs)), asked, options.record, options.out, options.jobs)
        return status or int(bool(damaged))
    if options.command == "readme":
        for path, notebook in readable(options.labs).items():
            readme = path.resolve().parents[1] / "README.md"
            readme.write_text(stated(readme.read_text("utf-8"), path.name, notebook), "utf-8")
        return int(bool(damaged))
    if options.command == "form":
        wrong = 0
        for path, notebook in readable(options.labs).items():
            found, spent = list(lesson.faults(notebook)), lesson.minutes(notebook)
            print(f"{path}: {spent.core} minutes, further {spent.further}; {len(found)} faults")
            print(*(f"  {fault}" for fault in found), sep="\n", end="\n" if found else "")
            wrong += len(found)
        return int(bool(wrong or damaged))
    if options.command == "render":
        for path in readable(options.labs):
            print(f"{path}: {render(path):.0f} s, {path.stat().st_size / 1000:.0f} kB")
        return int(bool(damaged))
    import nbformat

    labs = sorted(options.folder.glob("*.ipynb"))
    if not labs:
        parser.error(f"no notebooks in {options.folder}")
    options.out.mkdir(parents=True, exist_ok=True)
    for path, notebook in readable(labs).items():
        if (options.out / path.name).exists():
            parser.error(f"{options.out / path.name} exists; choose an empty folder")
        nbformat.write(without_solutions(notebook), options.out / path.name)
        print(options.out / path.name)
    for page in sorted(options.folder.glob("*.md")):  # the labs link to them
        shutil.copy(page, options.out / page.name)
    return int(bool(damaged))


if __name__ == "__main__":
    sys.exit(main())
