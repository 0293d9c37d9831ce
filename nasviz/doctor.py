"""``python -m nasviz doctor``: check that this machine has everything for the labs, and predict how long they take.

Each check is a function that returns its finding as a text, or raises: an exception is a finding too, printed with a
remedy.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from . import __version__, paths

ARCH = (
    3,
    1,
    3,
    1,
    1,
    3,
)  # of NAS-Bench-201, three 3×3 convolutions and three skips: of medium cost
REFERENCE_SECONDS = 1.00  # time of `yardstick` on the machine on which the labs' durations were recorded
MEMORY_NEEDED = 1.5e9  # bytes: a kernel with torch, one worker, and a browser tab
HOSTS = {  # a hosted notebook: variables of the environment by which it is known
    "Google Colab": ("COLAB_RELEASE_TAG", "COLAB_GPU"),
    "Kaggle": ("KAGGLE_KERNEL_RUN_TYPE",),
    "Binder": ("BINDER_SERVICE_HOST", "BINDER_LAUNCH_HOST"),
    "JupyterHub": ("JUPYTERHUB_API_URL",),
}
OWN_NOTEBOOK = ("Google Colab", "Kaggle")  # these bring their own kernel and front end
COLAB = "from google.colab import output; output.enable_custom_widget_manager()"
EXTENSIONS = ("anywidget", "@jupyter-widgets/jupyterlab-manager")  # JupyterLab needs these to show the stage


class Problem(Exception):
    """The error of a check that failed; its message names the cause."""


@dataclass(frozen=True)
class Check:
    """The result of one check. ``remedy`` is an instruction, and empty if all is well."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def checks() -> Iterator[Check]:
    """Run all checks, one after the other, the quick ones first; this takes about ten seconds."""
    for name, look, remedy in CHECKS:
        try:
            yield Check(name, True, look())
        except Exception as error:  # whatever the error, the next check must still run
            kind = "" if isinstance(error, Problem) else f"{type(error).__name__}: "
            yield Check(name, False, f"{kind}{error}", remedy)


def report(findings: Iterator[Check] | None = None) -> int:
    """Print each finding as soon as it is there. Return the exit status: 1 if a check failed, else 0."""
    failed = 0
    for check in checks() if findings is None else findings:
        lines = [part for line in check.detail.strip().splitlines() for part in textwrap.wrap(line, 100)]
        print(f"{'ok ' if check.ok else 'BAD'} {check.name:13} " + ("\n" + " " * 18).join(lines), flush=True)
        if not check.ok:
            failed += 1
            print(f"{'':17} What to do: {check.remedy}", flush=True)
    print(f"\n{failed} of the checks failed." if failed else "\nAll is well: the labs will run here.")
    return int(failed > 0)


# ---------------------------------------------------------------------------------------------------- the installation
def python() -> str:
    system = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return f"{system}, nasviz {__version__}, in {sys.prefix}" + (f", on {host()}" if host() else "")


def host(environment: Mapping[str, str] = os.environ) -> str:
    """The hosted notebook that this runs in, by the variables that it sets, or an empty text."""
    return next((name for name, variables in HOSTS.items() if any(v in environment for v in variables)), "")


def packages() -> str:
    """Return the versions of nasviz's requirements, after a check against the bounds of its installation."""
    try:
        asked = metadata.requires("nasviz") or []
    except metadata.PackageNotFoundError:
        raise Problem("nasviz runs from a folder, but is not installed in this Python") from None
    return held(asked, metadata.version, host() in OWN_NOTEBOOK)


def held(asked: list[str], version: Callable[[str], str], core_only: bool = False) -> str:
    """Return ``"numpy 2.4.1, …"`` for the requirements ``asked`` (PEP 508). Raise `Problem` for those that fail.

    A requirement of an extra may be missing; if it is installed, its version must fit. ``core_only`` asks about no
    extra: a hosted notebook brings another front end and kernel.
    """
    from packaging.requirements import Requirement

    found, wrong = {}, []
    for need in map(Requirement, asked):
        optional = need.marker is not None and not need.marker.evaluate({"extra": ""})
        if optional and core_only:
            continue
        try:
            found[need.name] = version(need.name)
        except metadata.PackageNotFoundError:
            if not optional:
                wrong.append(f"{need.name} is missing")
            continue
        if not need.specifier.contains(found[need.name], prereleases=True):
            wrong.append(f"{need.name} is {found[need.name]}, but must be {need.specifier}")
    if wrong:
        raise Problem(f"{'; '.join(wrong)} (in {sys.prefix})")
    return ", ".join(f"{name} {number}" for name, number in found.items())


def torch() -> str:
    """Check torch and torchvision, which must be of the same build: otherwise torchvision cannot be imported."""
    import torch
    import torchvision

    card = f"CUDA {torch.version.cuda}" if torch.version.cuda else "no CUDA"
    used = "with a card it can use" if torch.cuda.is_available() else "computes on the CPU, as the labs do everywhere"
    return f"torch {torch.__version__} ({card}; {used}), torchvision {torchvision.__version__}"


def machine() -> str:
    """Return the cores that this process may use, and the memory that is free now."""
    from . import workers as pools

    # the cores of the affinity mask: a container or a cluster often gives fewer cores than the machine has
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = pools.available_memory()
    if memory < MEMORY_NEEDED:
        raise Problem(f"{memory / 1e9:.1f} GB of memory are free, the labs need {MEMORY_NEEDED / 1e9:g} GB")
    found = f"{cores} of {os.cpu_count()} cores, {memory / 1e9:.1f} GB of memory free"
    return f"{found}: {pools.workers()} trainings at once"


def graphviz() -> str:
    """Check Graphviz with the layout of a cell, which is its only use here."""
    import pygraphviz

    from .spaces import NasBench201
    from .views.stage.layout import layout

    start = time.perf_counter()
    graph = NasBench201().graph(ARCH)
    picture = layout(graph.nodes, [(edge.source, edge.target) for edge in graph.edges])
    milliseconds = 1000 * (time.perf_counter() - start)
    if not picture["width"] > 0:
        raise Problem(f"Graphviz gave a cell of width {picture['width']}")
    return f"pygraphviz {pygraphviz.__version__} laid out a cell in {milliseconds:.0f} ms"


def front_end() -> str:
    """Check the JupyterLab extensions that show the stage in a browser."""
    import anywidget

    if host() == "Google Colab":
        return f"anywidget {anywidget.__version__}; on Colab each notebook first runs: {COLAB}"
    try:
        import jupyter_core.paths

        lab = metadata.version("jupyterlab")
    except (ImportError, metadata.PackageNotFoundError):
        return (
            f"anywidget {anywidget.__version__}; no JupyterLab in {sys.prefix}. That is right in VS Code, and where a"
            " notebook server of another environment starts this Python: that one needs anywidget and ipywidgets too"
        )
    folders = [Path(folder) for folder in jupyter_core.paths.jupyter_path("labextensions")]
    missing = [name for name in EXTENSIONS if not any((folder / name / "package.json").exists() for folder in folders)]
    if missing:
        raise Problem(f"JupyterLab {lab} does not find {' and '.join(missing)} in {', '.join(map(str, folders))}")
    return f"JupyterLab {lab} with anywidget {anywidget.__version__} and ipywidgets {metadata.version('ipywidgets')}"


def data() -> str:
    from . import datasets

    images = datasets.load("fashion16")
    return f"{images.name}: {len(images.train_images)} training images, checksum right, in {paths.data_dir()}"


# ------------------------------------------------------------------------------------------------------ work and speed
def pool() -> str:
    """Start the worker processes and train a network in one; the same training in this process must score the same."""
    from . import estimators, spaces

    space = spaces.NasBench201()
    start = time.perf_counter()
    (there,) = estimators.Training(space, estimators.FAST).many([ARCH])
    seconds = time.perf_counter() - start
    here, _ = yardstick()
    if there != here:
        raise Problem(f"a worker process found {dict(there.scores)}, this process {dict(here.scores)}")
    return f"started and trained a network to {there.scores['accuracy']:.1%} in {seconds:.1f} s"


@lru_cache(maxsize=1)
def yardstick():
    """Train a network three times with the fast recipe; return the evaluation, and the seconds of the fastest run."""
    from . import estimators, spaces

    space = spaces.NasBench201()
    trainings = [estimators.Training(space, estimators.FAST)(ARCH) for _ in range(3)]
    return trainings[0], min(training.seconds for training in trainings)


def speed() -> str:
    _, seconds = yardstick()
    return f"one such training takes {seconds:.2f} s; {REFERENCE_SECONDS:.2f} s where the labs' durations were recorded"


def labs() -> str:
    """Predict the duration of each lab: the time recorded in its notebook, times how much slower this machine is."""
    notebooks = sorted(paths.labs_dir().glob("[0-9]*.ipynb"))
    if not notebooks:
        raise Problem(f"there are no labs in {paths.labs_dir()}")
    _, seconds = yardstick()
    return "\n".join(duration(notebook, seconds / REFERENCE_SECONDS) for notebook in notebooks)


def duration(notebook: Path, slowness: float) -> str:
    """Return a sentence on how long a lab takes here. ``slowness``: seconds here for one second on the reference.

    The notebook's ``metadata.nasviz`` holds ``seconds``, the computing time on the reference machine, and ``minutes``,
    the time that a student needs.
    """
    recorded = json.loads(notebook.read_text(encoding="utf-8"))["metadata"].get("nasviz", {})
    if "seconds" not in recorded:
        return f"{notebook.stem}: no duration is recorded"
    computing = f"{notebook.stem}: about {recorded['seconds'] * slowness:.0f} s of computing"
    return computing + (f", {recorded['minutes']} minutes to work through" if "minutes" in recorded else "")


_AGAIN = "install it again: in a checkout `make clean lab`, elsewhere `pip install --force-reinstall nasviz`"
CHECKS = (  # name, function, remedy if it fails
    ("Python", python, "install Python 3.11 or newer"),
    (
        "packages",
        packages,
        f"`make lab` in the checkout; else `{sys.executable} -m pip install 'nasviz[lab]'`, on Colab and Kaggle without"
        " `[lab]`. If another Python has them, start that one: a notebook's kernel is chosen in its menu",
    ),
    ("torch", torch, "`pip install --force-reinstall torch torchvision`: both in one call, to fit each other"),
    ("machine", machine, "close other programs; NASVIZ_WORKERS=1 in the environment trains one network at a time"),
    (
        "Graphviz",
        graphviz,
        "`pip install --force-reinstall pygraphviz`: its wheels (Linux with glibc, macOS, Windows on"
        " x86) carry Graphviz; on other systems install Graphviz and its headers first",
    ),
    ("browser", front_end, f"`pip install --force-reinstall anywidget ipywidgets jupyterlab_widgets` in {sys.prefix}"),
    ("data", data, f"bring the file back from the repository (`git checkout -- data`), or {_AGAIN}"),
    (
        "pool",
        pool,
        "NASVIZ_WORKERS=1 in the environment needs least memory; on a managed machine, ask whether programs "
        "may start processes and write to the temporary folder",
    ),
    ("speed", speed, "see above"),
    ("labs", labs, _AGAIN),
)
