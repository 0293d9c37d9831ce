"""Which claims of the labs hold on other processors too.

Processors round differently, and a training amplifies that: a sentence that is true of one live run can be false on
the next machine. `try_labs` runs labs under several roundings; `table` says of each claim on how many it held, and how
close the closest was.

    python -m nasviz.course.edition claims labs/*.ipynb
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import operator
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from . import notebooks


def _instructions(torch: str, onednn: str, mkl: str) -> dict[str, str]:
    return {"ATEN_CPU_CAPABILITY": torch, "ONEDNN_MAX_CPU_ISA": onednn, "MKL_ENABLE_INSTRUCTIONS": mkl}


# Instruction sets that the processor lacks are not used whatever the variables say: there a jitter stands in for them.
ROUNDINGS: Mapping[str, dict[str, str]] = {
    "this processor": {},
    "AVX2": _instructions("avx2", "AVX2", "AVX2"),
    "SSE4.1": _instructions("default", "SSE41", "SSE4_2"),
    "jitter 1": {"NASVIZ_JITTER": "1"},
    "jitter 2": {"NASVIZ_JITTER": "2"},
    "jitter 3": {"NASVIZ_JITTER": "3"},
}

# Runs before a lab's first cell: from then on each claim knows the comparisons that it stands on.
PRELUDE = """from nasviz.course.roundings import Weighing, weigh as _weigh
get_ipython().ast_transformers.append(Weighing())"""


# ------------------------------------------------------------------------------------------------ in the lab's kernel
@dataclass(frozen=True)
class Comparison:
    """Two numbers that a claim compares: ``left`` `sign` ``right``."""

    left: float
    sign: str
    right: float

    @property
    def margin(self) -> float:
        """How far the comparison is from turning over, as a part of the greater number: negative if it fails."""
        greatest = max(abs(self.left), abs(self.right))
        if not greatest or not math.isfinite(greatest):
            return 0.0
        return (self.left - self.right) / greatest * (1 if self.sign.startswith(">") else -1)

    def __str__(self) -> str:
        return f"{self.left:.4g} {self.sign} {self.right:.4g}"


SIGNS = {
    ast.Gt: (">", operator.gt),
    ast.GtE: ("≥", operator.ge),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("≤", operator.le),
}
COMPARED = dict(SIGNS.values())
weighed: list[Comparison] = []  # of the claim that is being evaluated


def weigh(left, sign: str, right):
    """Compare as ``sign`` says, and note the numbers: of arrays, those of the place where it is closest."""
    holds = COMPARED[sign](left, right)
    try:
        pairs = np.broadcast_arrays(np.asarray(left, float), np.asarray(right, float))
    except (TypeError, ValueError):  # texts, or shapes that only the comparison understands
        return holds
    each = [Comparison(float(a), sign, float(b)) for a, b in zip(*map(np.ravel, pairs), strict=True)]
    if each:
        weighed.append(min(each, key=lambda comparison: comparison.margin))
    return holds


class Weighing(ast.NodeTransformer):
    """Turns ``a > b`` in a claim's condition into a call of `weigh`."""

    inside = False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == "claim" and len(node.args) > 1:
            self.inside = True
            node.args[1] = self.visit(node.args[1])
            self.inside = False
            return node
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        sign, _ = SIGNS.get(type(node.ops[0]), ("", None))
        if not self.inside or len(node.ops) > 1 or not sign:
            return node
        arguments = [node.left, ast.Constant(sign), node.comparators[0]]
        call = ast.Call(ast.Name("_weigh", ast.Load()), arguments, [])
        return ast.fix_missing_locations(ast.copy_location(call, node))


def closest() -> dict | None:
    """The comparison with the least margin since the last call, as numbers for the output's metadata."""
    found = min(weighed, key=lambda comparison: comparison.margin, default=None)
    weighed.clear()
    return asdict(found) if found else None


# ----------------------------------------------------------------------------------------------------- many kernels
@dataclass(frozen=True)
class Outcome:
    """What one lab said under one rounding.

    Attributes
    ----------
    claims : list of dict
        Of each claim in order: ``cell`` (its number in the notebook), ``claim``, ``holds`` and ``closest`` (a
        `Comparison`'s fields, or None).
    red : list of str
        What stands red on the page: errors, and what was written to standard error.
    seconds : float
    """

    lab: str
    rounding: str
    digest: str
    claims: list[dict] = field(default_factory=list)
    red: list[str] = field(default_factory=list)
    seconds: float = 0.0


def digest(path: Path) -> str:
    """Of the code of a notebook: another text is another run."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\0".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def run(notebook, folder: Path, env: Mapping[str, str] | None = None, **options) -> float:
    """Run all cells of a notebook in a kernel of its own that stands in ``folder``; the seconds that it took.

    ``env`` is added to the environment; ``options`` are nbclient's.
    """
    from nbclient import NotebookClient

    where = {"metadata": {"path": str(folder)}}
    calm = ["--log-level=ERROR"]  # else each kernel warns of its own loopback
    client = NotebookClient(notebook, kernel_name="python3", resources=where, extra_arguments=calm, **options)
    begun = time.perf_counter()
    client.execute(env=os.environ | (env or {}))
    return time.perf_counter() - begun


def try_lab(path: Path, rounding: str) -> Outcome:
    """Run a lab whole, errors or not, in a kernel that rounds as `ROUNDINGS` says."""
    from nbformat.v4 import new_code_cell

    notebook = notebooks.read(path)
    notebook.cells.insert(0, new_code_cell(PRELUDE))
    quiet = {"NASVIZ_TEST": "", "NASVIZ_WORKERS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    seconds = run(notebook, path.parent, quiet | ROUNDINGS[rounding], allow_errors=True)
    outcome = Outcome(path.stem, rounding, digest(path), seconds=round(seconds, 1))
    for number, cell in enumerate(notebook.cells[1:]):
        for output in cell.get("outputs", ()):
            said = output.get("metadata", {}).get("nasviz", {})
            if "claim" in said:
                outcome.claims.append({"cell": number, **said})
            elif output["output_type"] == "error":
                outcome.red.append(f"cell {number}: {output['ename']}: {output['evalue'][:300]}")
            elif output.get("name") == "stderr":
                outcome.red.append(f"cell {number}: {output['text'][:300]}")
    return outcome


def try_labs(paths: Sequence[Path], roundings: Iterable[str], record: Path | None, jobs: int = 2) -> Iterator[Outcome]:
    """Run labs under roundings, ``jobs`` at once, and yield the outcomes as they come.

    What stands in the file ``record`` (JSON Lines) under the same code of a lab is not run again, and what is run is
    added there at once: the work can be stopped at any moment. Delete the file after a change of the package or its
    data: of those it knows nothing.
    """
    known = {}
    if record and record.exists():
        for line in record.read_text(encoding="utf-8").splitlines():
            outcome = Outcome(**json.loads(line))
            known[outcome.lab, outcome.rounding, outcome.digest] = outcome
    asked = [(path, rounding) for path in paths for rounding in roundings]
    here = [known.get((path.stem, rounding, digest(path))) for path, rounding in asked]
    yield from filter(None, here)
    missing = [one for one, outcome in zip(asked, here, strict=True) if outcome is None]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as processes:
        for future in as_completed([processes.submit(try_lab, *one) for one in missing]):
            outcome = future.result()
            if record:
                with record.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")
            yield outcome


def table(outcomes: Sequence[Outcome]) -> tuple[str, int]:
    """Markdown: each claim, on how many roundings it held, the closest comparison; and how many failed somewhere.

    A claim is known by its lab, its cell and its place there: a sentence may name numbers of its run. Red output and a
    claim that did not come at all count as failures.
    """
    labs: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        labs.setdefault(outcome.lab, []).append(outcome)
    rows, failures = ["| lab | cell | claim | held | closest |", "| --- | ---: | --- | ---: | --- |"], 0
    red = []
    for lab, runs in sorted(labs.items()):
        said: dict[tuple[int, int], list[dict]] = {}
        for run in runs:
            places: dict[int, int] = {}
            for one in run.claims:
                place = places[one["cell"]] = places.get(one["cell"], -1) + 1
                said.setdefault((one["cell"], place), []).append({**one, "rounding": run.rounding})
            red += [f"- {lab}, {run.rounding}: {text}" for text in run.red]
        for (cell, _), each in sorted(said.items()):
            held = sum(one["holds"] for one in each)
            failures += held < len(runs)
            compared = [(Comparison(**one["closest"]), one["rounding"]) for one in each if one.get("closest")]
            near, where = min(compared, key=lambda pair: pair[0].margin, default=(None, ""))
            sentence = " ".join(each[0]["claim"].split()).replace("|", "\\|")
            text = f"{near} ({where})" if near else "–"
            bold = "**" if held < len(runs) else ""
            rows.append(f"| {lab[:2]} | {cell} | {sentence} | {bold}{held} of {len(runs)}{bold} | {text} |")
    return "\n".join([*rows, *(["", "Red output:", "", *red] if red else [])]), failures + len(red)


def main(paths: Sequence[Path], roundings: Sequence[str], record: Path | None, out: Path | None, jobs: int) -> int:
    """The command: run, say how it goes, write the table. 1 if a claim failed somewhere or something was red."""
    from tqdm import tqdm

    outcomes = []
    with tqdm(total=len(paths) * len(roundings), unit="lab") as bar:
        for outcome in try_labs(paths, roundings, record, jobs):
            outcomes.append(outcome)
            failed = sum(not one["holds"] for one in outcome.claims)
            held = f"{len(outcome.claims) - failed} of {len(outcome.claims)} claims hold"
            bar.write(f"{outcome.lab}, {outcome.rounding}: {held}, {len(outcome.red)} red, {outcome.seconds:.0f} s")
            bar.update()
    text, failures = table(outcomes)
    if out:
        out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return int(failures > 0)
