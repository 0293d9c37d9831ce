"""The rules of the house, as guards. Each is a function that lists offences; each is shown a bad example too."""

import ast
import io
import json
import re
import subprocess
import sys
import tokenize
import tomllib
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "nasviz"
MODULES = sorted(PACKAGE.rglob("*.py"))
CODE = ("nasviz", "tests", "tools", "benchmarks", "data")
PYTHON = sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))
SCRIPTS = sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.js"))
STRATEGIES = sorted(path for path in (PACKAGE / "strategies").glob("*.py") if not path.name.startswith("_"))
LABS = sorted((ROOT / "labs").glob("*.ipynb"))

CORE = ("space", "step", "run", "estimator", "workers", "objectives", "encodings", "paths", "datasets", "knobs")
PICTURES = {"plotly", "anywidget", "ipywidgets", "IPython", "traitlets", "matplotlib"}
# part of the package: (what it must not import at all, what it must not import when it is itself imported)
DIRECTIONS = {
    "strategies": (PICTURES | {"nasviz.views", "nasviz.course"}, set()),
    "views": ({"nasviz.strategies"}, {"torch", "nasviz.estimators.training", "nasviz.nn"}),
    "spaces": ({"nasviz.strategies", "nasviz.estimators", "nasviz.views", *PICTURES}, {"torch", "nasviz.nn"}),
    "estimators": ({"nasviz.strategies", "nasviz.views", *PICTURES}, set()),
    "nn": ({f"nasviz.{part}" for part in ("strategies", "estimators", "views", "run", "spaces")} | PICTURES, set()),
} | dict.fromkeys(
    CORE, (PICTURES, {f"nasviz.{part}" for part in ("strategies", "estimators", "views", "spaces", "nn")} | {"torch"})
)


# From the ground up: a part imports what stands on a lower floor, or itself. Imports inside functions count.
FLOORS = (
    {"chance"},
    {"graph", "image_folder", "lock", "paths", "ranges", "textfile", "weights", "_old_names"},
    {"space"},
    {"step"},
    {"datasets", "encodings", "estimator", "fingerprint", "knobs", "objectives"},
    {"ask_tell", "identity", "strategy", "workers"},
    {"nn"},
    {"analysis", "spaces"},
    {"hardware", "published", "zoo"},
    {"estimators"},
    {"strategies"},
    {"record"},
    {"run"},
    {"races"},
    {"views"},
    {"course"},
    {"doctor", "lessons"},
    {"__init__", "__main__"},
)
FLOOR = {part: number for number, parts in enumerate(FLOORS) for part in parts}


def parse(text):
    return ast.parse(text)


def imports(tree, module):
    """``(name, whether it runs when the module is imported)`` of all imports, relative ones made absolute."""
    package = module.split(".")[:-1]
    inside = {id(child) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for child in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*base, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from ((name, id(node) not in inside) for name in names)


def is_in(name, forbidden):
    return any(name == one or name.startswith(one + ".") for one in forbidden)


def wrong_directions(text, module):
    """Imports of what a part must not load: pictures, or torch before a network is built."""
    part = module.split(".")[1] if "." in module else ""
    never, not_at_once = DIRECTIONS.get(part, (set(), set()))
    return [
        f"{module} imports {name}"
        for name, at_once in imports(parse(text), module)
        if is_in(name, never) or (at_once and is_in(name, not_at_once))
    ]


def part_of(module):
    """The file or folder of the package in which a module stands."""
    return module.split(".")[1] if "." in module else "__init__"


def upward(text, module):
    """Imports of a part that stands on the same floor or a higher one, at import or later."""
    here = FLOOR[part_of(module)]
    return [
        f"{module} imports {name}"
        for name, _ in imports(parse(text), module)
        if name.split(".")[0] == "nasviz" and part_of(name) in FLOOR and part_of(name) != part_of(module)
        if FLOOR[part_of(name)] >= here
    ]


def circles(texts):
    """Modules that reach themselves by imports, from ``{module: text}``."""
    reads = {
        module: {name if name in texts else name.rpartition(".")[0] for name, _ in imports(parse(text), module)}
        for module, text in texts.items()
    }
    reached = {}
    for module in texts:
        todo, found = list(reads[module]), set()
        while todo:
            if (one := todo.pop()) in texts and one not in found:
                found.add(one)
                todo += reads[one]
        reached[module] = found
    return sorted(module for module in texts if module in reached[module])


def global_randomness_or_worse(text):
    """Calls that draw from or seed a generator that everyone shares, and calls that run what a file says."""
    seeded = {"torch.manual_seed", "torch.seed", "torch.rand", "torch.randn", "torch.randint", "torch.randperm"}
    own = {"default_rng", "Generator", "SeedSequence", "PCG64"}
    offences = []
    for node in ast.walk(parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {getattr(node, "module", None), *(alias.name for alias in node.names)}
            offences += names & {"pickle", "random", "dill"} if not getattr(node, "level", 0) else []
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {keyword.arg for keyword in node.keywords}
            if (name in seeded and "generator" not in given) or name in {"eval", "exec", "torch.load"}:
                offences.append(name)
            elif re.match(r"(np|numpy)\.random\.", name) and name.split(".")[2] not in own:
                offences.append(name)
    return offences


def code_lines(text):
    """Lines that are neither empty nor comment nor docstring."""
    quiet = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    lines = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in quiet:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(parse(text)):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node, clean=False) is not None:
            lines.difference_update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def most_fields(text):
    """The number of fields of the dataclass that has most."""
    counts = [0]
    for node in ast.walk(parse(text)):
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(one) for one in node.decorator_list):
            fields = [line for line in node.body if isinstance(line, ast.AnnAssign)]
            counts.append(sum("ClassVar" not in ast.unparse(line.annotation) for line in fields))
    return max(counts)


def heavy_cells(notebook):
    """Classes, and functions of more than ten lines, outside exercises: such code belongs into the package."""
    offences = []
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] != "code" or {"exercise", "check", "solution"} & set(cell["metadata"].get("tags", [])):
            continue
        lines = "".join(cell["source"]).splitlines()
        for node in ast.walk(parse("\n".join("" if line.startswith(("%", "!")) else line for line in lines))):
            if isinstance(node, ast.ClassDef):
                offences.append(f"cell {number} defines the class {node.name}")
            elif isinstance(node, ast.FunctionDef) and (length := node.end_lineno - node.lineno + 1) > 10:
                offences.append(f"cell {number}: the function {node.name} has {length} lines")
    return offences


def unclean(notebook):
    """State of widgets, and errors, in a notebook that is to be read on a page without a kernel."""
    offences = ["metadata.widgets"] if "widgets" in notebook["metadata"] else []
    for number, cell in enumerate(notebook["cells"]):
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                offences.append(f"cell {number} shows an error")
            offences += [f"cell {number}: {kind}" for kind in output.get("data", {}) if "jupyter.widget" in kind]
    return offences


def name_of(path):
    return str(path.relative_to(ROOT))


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


# ----------------------------------------------------------------------------------------------- the project keeps them
@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_follow_the_direction_of_the_data(path):
    assert wrong_directions(path.read_text("utf-8"), module_of(path)) == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_imported_upwards(path):
    assert upward(path.read_text("utf-8"), module_of(path)) == []


def test_every_part_has_a_floor_and_no_modules_form_a_circle():
    assert {part_of(module_of(path)) for path in MODULES} == FLOOR.keys()
    packages = {module_of(path) for path in MODULES if path.name == "__init__.py"}
    texts = {module_of(path): path.read_text("utf-8") for path in MODULES}
    assert circles({module: text for module, text in texts.items() if module not in packages}) == []


def test_the_readme_maps_the_package():
    mapped = set(re.findall(r"\(nasviz/([\w./]+?)/?\)", (ROOT / "README.md").read_text("utf-8")))
    files = {p.name for p in PACKAGE.glob("*.py") if not p.name.startswith("_")}
    folders = {str(p.parent.relative_to(PACKAGE)) for p in PACKAGE.rglob("__init__.py")} - {"."}
    assert (files | folders) - mapped == set()
    assert all((PACKAGE / name).exists() for name in mapped)


LENDER = PACKAGE / "chance.py"  # the one module that seeds the global generators, and puts them back
RUNNER = PACKAGE / "course" / "grading" / "source.py"  # the one that runs what a notebook says, to grade it


@pytest.mark.parametrize("path", [path for path in MODULES if path not in (LENDER, RUNNER)], ids=name_of)
def test_no_global_randomness_no_pickle_no_eval(path):
    assert global_randomness_or_worse(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", STRATEGIES, ids=name_of)
def test_a_strategy_is_only_its_algorithm(path):
    text = path.read_text("utf-8")
    assert code_lines(text) <= 150
    assert most_fields(text) <= 12


@pytest.mark.parametrize("path", PYTHON + SCRIPTS, ids=name_of)
def test_a_file_fits_in_a_head(path):
    text = path.read_text("utf-8")
    lines = code_lines(text) if path.suffix == ".py" else len(text.splitlines())
    assert lines <= 400
    if lines > 300:
        warnings.warn(f"{name_of(path)} has {lines} lines of code: is it one idea?", stacklevel=1)


@pytest.mark.parametrize("path", LABS, ids=name_of)
def test_labs_are_light_and_clean(path):
    assert path.stat().st_size < 500_000
    notebook = json.loads(path.read_text("utf-8"))
    assert heavy_cells(notebook) == []
    assert unclean(notebook) == []


@pytest.mark.parametrize("path", LABS, ids=name_of)
def test_labs_say_how_long_they_take(path):
    recorded = json.loads(path.read_text("utf-8"))["metadata"].get("nasviz", {})
    assert 0 < recorded["seconds"] < 3600 and 0 < recorded["minutes"] < 600


def test_ruff_has_nothing_to_say():
    for command in (["check"], ["format", "--check"]):
        ran = subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_core_loads_neither_torch_nor_pictures():
    program = """if True:
        import sys
        import nasviz
        from nasviz import Choice, Evaluation, Run, SearchSpace, Step, accuracy, datasets, knob, objectives, spaces
        from nasviz.estimator import Estimator
        from nasviz.strategies import RandomSearch, RegularizedEvolution

        class Counting(Estimator):
            def __call__(self, arch, *, epochs=None, seed=0):
                return Evaluation(self.space.check(arch), {"accuracy": sum(arch) / 30}, 0.0, 0, seed)

        estimate = Counting()
        estimate.space = spaces.NasBench201()
        for search in RandomSearch(estimate.space, estimate), RegularizedEvolution(estimate.space, estimate):
            assert len([step for step, _ in zip(search, range(60))]) >= 36
        print(sorted({name.split(".")[0] for name in sys.modules} & set(sys.argv[1:])))
    """
    heavy = ["torch", "torchvision", "plotly", "anywidget", "ipywidgets", "matplotlib", "pygraphviz", "PIL"]
    ran = subprocess.run([sys.executable, "-c", program, *heavy], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "[]"


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [project["dependencies"], *(project["optional-dependencies"][name] for name in ("lab", "onnx", "site"))]
    core, lab, onnx, site = ({re.match(r"[\w-]+", line)[0].lower() for line in lines} for lines in wanted)
    used = {
        name.split(".")[0]
        for path in MODULES
        for name, _ in imports(parse(path.read_text("utf-8")), module_of(path))
        if name.split(".")[0] not in sys.stdlib_module_names
    } - {"nasviz"}
    used = {{"PIL": "pillow", "sklearn": "scikit-learn"}.get(name, name) for name in used}
    # ipywidgets brings IPython and traitlets; the last two are asked for only where a notebook server brought them
    assert onnx & used == used - core - lab - site - {"IPython", "traitlets", "psutil", "jupyter_core"}
    assert core - used == set()


# -------------------------------------------------------------------------------------------- the guards see an offence
@pytest.mark.parametrize(
    "module, text",
    [
        ("nasviz.strategies.evolution", "import plotly.graph_objects"),
        ("nasviz.strategies.evolution", "from ..views import stage"),
        ("nasviz.strategies.evolution", "def f():\n    from .. import views"),
        ("nasviz.views.stage.widget", "from ...strategies.darts import Darts"),
        ("nasviz.spaces.macro", "from torch import nn"),
        ("nasviz.run", "from . import strategies"),
    ],
)
def test_wrong_directions_are_seen(module, text):
    assert len(wrong_directions(text, module)) == 1


def test_imports_upwards_and_circles_are_seen():
    assert upward("def f():\n    from ..run import Run", "nasviz.strategies.evolution") == [
        "nasviz.strategies.evolution imports nasviz.run.Run"
    ]
    assert upward("from ..space import Arch\nfrom .darts import Darts", "nasviz.strategies.evolution") == []
    two = {"nasviz.a": "from .b import x", "nasviz.b": "def f():\n    from . import a", "nasviz.c": "from . import a"}
    assert circles(two) == ["nasviz.a", "nasviz.b"]


def test_right_directions_are_let_pass():
    assert wrong_directions("def network():\n    from ..nn.cells import CellNetwork", "nasviz.spaces.macro") == []
    assert wrong_directions("from ..step import Step\nimport numpy as np", "nasviz.strategies.evolution") == []


@pytest.mark.parametrize(
    "text",
    ["torch.manual_seed(0)", "np.random.seed(0)", "numpy.random.rand(3)", "import pickle", "from random import choice",
     "torch.randn(3)", "eval('1')"],
)  # fmt: skip
def test_shared_generators_are_seen(text):
    assert len(global_randomness_or_worse(text)) == 1


def test_own_generators_are_let_pass():
    assert global_randomness_or_worse("np.random.default_rng(0)\ntorch.rand(3, generator=g)\nmodel.eval()") == []


def test_lines_and_fields_are_counted():
    text = '"""Doc\n\nstring."""\n\n# why\n@dataclass\nclass A:\n    """Doc."""\n\n    x: int = (\n        1\n    )\n'
    text += "    k: ClassVar[int] = 2\n"
    assert code_lines(text) == 6
    assert most_fields(text) == 1


def test_heavy_and_unclean_cells_are_seen():
    long = "def f():\n" + "    pass\n" * 10
    shown = {"output_type": "display_data", "data": {"application/vnd.jupyter.widget-view+json": {}, "image/png": ""}}
    cells = [
        {
            "cell_type": "code",
            "metadata": {},
            "source": ["class A:\n", "  pass"],
            "outputs": [{"output_type": "error"}],
        },
        {"cell_type": "code", "metadata": {"tags": ["exercise"]}, "source": long},
        {"cell_type": "code", "metadata": {}, "source": "%time\n" + long},
        {"cell_type": "code", "metadata": {}, "source": long.removesuffix("    pass\n"), "outputs": [shown]},
    ]
    notebook = {"cells": cells, "metadata": {"widgets": {}}}
    assert [offence.split(" ")[1].strip(":") for offence in heavy_cells(notebook)] == ["0", "2"]
    assert len(unclean(notebook)) == 3
