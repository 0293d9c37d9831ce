"""What the Makefile installs with: uv or pip, torch beside what is fetched meanwhile, and what is left if one fails."""

import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import install  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# Says what it is asked, fails where FAILS names the command, and fetches two wheels that hold nothing. The pip that
# installs torch also installs one of the two, but for CHOOSES="": then it says nothing, as where all is there.
PIP = """\
import os, pathlib, sys, time
words = [word for word in sys.argv[1:] if word != "--disable-pip-version-check"]
with open(os.environ["LOG"], "a") as log:
    log.write("pip " + " ".join(words) + "\\n")
if words[0] == "config":
    print(os.environ.get("TOLD", ""))
if "--log" in words and os.environ.get("CHOOSES", "torch, One.x"):
    with open(words[words.index("--log") + 1], "a") as log:
        log.write("2026-11-29T13:10:23,426 Installing collected packages: " + os.environ.get("CHOOSES", "torch, One.x"))
if words[0] == "download":
    time.sleep(float(os.environ.get("SLOW", "0")))
    for name in ("one_x-1-py3", "two-1-py3"):
        (pathlib.Path(words[words.index("--dest") + 1]) / (name + ".whl")).touch()
sys.exit(any(word in words for word in os.environ.get("FAILS", "").split()))
"""


class Checkout:
    """A folder with a space in its path, an environment in it, and a pip that only says what it is asked."""

    def __init__(self, folder):
        self.folder, self.log = folder / "a lab", folder / "log"
        self.prefix = self.folder / ".venv"
        venv.create(self.prefix, with_pip=False)
        (self.folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8"), "utf-8")
        (packages,) = self.prefix.glob("lib/python*/site-packages")
        (packages / "pip").mkdir()
        (packages / "pip" / "__main__.py").write_text(PIP)
        (self.folder / "bin").mkdir()

    def uv(self, status):
        uv = self.folder / "bin" / "uv"
        uv.write_text(f'#!/bin/sh\necho "uv $*" >> "$LOG"\nexit {status}\n')
        uv.chmod(0o755)

    def run(self, *arguments, **environment):
        """The exit status, what was said to people, and what was asked of pip and uv."""
        self.log.write_text("")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV", "PYTHON"))}
        kept |= {"PATH": f"{self.folder / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin", "LOG": str(self.log)}
        command = [self.prefix / "bin" / "python", ROOT / "tools" / "install.py", *arguments]
        ran = subprocess.run(
            command, cwd=self.folder, env=kept | environment, capture_output=True, text=True, timeout=60
        )
        return ran.returncode, ran.stderr, self.log.read_text().replace(str(self.prefix), ".venv").splitlines()


@pytest.fixture
def checkout(tmp_path):
    if os.name == "nt":
        pytest.skip("the Makefile is not for Windows")
    return Checkout(tmp_path)


WITH_EXTRAS = "pip install --no-compile --quiet --editable .[lab]"


# ----------------------------------------------------------------------------------------------------------------- pip
UNPACK = "pip install --no-compile --quiet --no-deps --no-index --no-warn-conflicts"
ONE, TWO = ".venv/wheels/one_x-1-py3.whl", ".venv/wheels/two-1-py3.whl"


def test_the_rest_is_fetched_while_torch_is_installed_and_unpacked_where_torch_does_not_bring_it(checkout):
    status, _, asked = checkout.run("torch", "lab", "torch>=2.9", "torchvision")
    torch = "pip install --no-compile --no-warn-conflicts --log .venv/torch.log torch>=2.9 torchvision"
    assert status == 0 and torch in asked
    download, unpacked, own = (line for line in asked if line != torch)
    assert download.startswith("pip download") and " jupyterlab>=4.6,<5" in download and " torch" not in download
    assert unpacked == f"{UNPACK} {TWO}"
    assert own == "pip install --no-compile --quiet --no-deps --no-warn-conflicts --editable ."

    status, _, asked = checkout.run("project", "lab", "--quiet")
    unpacked, checked = asked
    assert status == 0 and checked == "pip check"
    assert unpacked in (f"{UNPACK} {ONE} {TWO}", f"{UNPACK} {TWO} {ONE}")
    assert not (checkout.prefix / "wheels").exists() and not (checkout.prefix / "torch.log").exists()


def test_where_torch_is_there_already_everything_is_unpacked(checkout):
    _, _, asked = checkout.run("torch", "lab", "--quiet", "torch", CHOOSES="", SLOW="0.5")
    assert any("--log .venv/torch.log --progress-bar off --quiet torch" in line for line in asked)
    assert any(line.startswith(UNPACK) and ONE in line and TWO in line for line in asked)


@pytest.mark.parametrize(
    "first, second", [("download", ""), ("", "--no-index"), ("", "check"), (".", "")], ids=lambda words: words or "-"
)
def test_where_fetching_ahead_fails_pip_installs_as_ever(checkout, first, second):
    assert checkout.run("torch", "lab", "torch", FAILS=first)[0] == 0
    status, _, asked = checkout.run("project", "lab", "--quiet", FAILS=second)
    assert status == 0 and asked[-1] == WITH_EXTRAS


def test_what_was_fetched_for_other_extras_is_not_taken_for_these(checkout):
    assert checkout.run("torch", "lab", "torch")[0] == 0
    _, _, asked = checkout.run("project", "lab,test", "--quiet")
    assert asked == [WITH_EXTRAS.replace("[lab]", "[lab,test]")]


def test_a_failure_of_torch_is_told_at_once_and_ends_the_fetching(checkout):
    status, _, asked = checkout.run("torch", "lab", "torch", FAILS="torch", SLOW="50")
    assert status == 1 and not (checkout.prefix / "wheels" / "complete").exists()
    assert not any("--editable" in line for line in asked)
    status, _, asked = checkout.run("project", "lab", FAILS=".[lab]")
    assert status == 1 and asked == [WITH_EXTRAS.replace(" --quiet", "")]


def test_needed_follows_the_extras_of_the_project_and_leaves_torch_out():
    project = {
        "name": "own",
        "dependencies": ["numpy>=2", "torch>=2", "torchvision"],
        "optional-dependencies": {"a": ["own[b,c]", "x"], "b": ["own[c]", "numpy>=2"], "c": ["torchmetrics[more]>1"]},
    }
    assert install.needed(project, ["a"]) == ["numpy>=2", "x", "torchmetrics[more]>1"]
    assert install.needed(project, []) == ["numpy>=2"]
    with pytest.raises(KeyError):
        install.needed(project, ["d"])
    assert set(PROJECT["optional-dependencies"]["dask"]) < set(install.needed(PROJECT, ["lab", "test"]))


# ------------------------------------------------------------------------------------------------------------------ uv
def test_uv_installs_where_it_is_there_and_pip_has_been_told_nothing(checkout):
    checkout.uv(0)
    python = ".venv/bin/python"
    status, _, asked = checkout.run("torch", "lab", "torch", TOLD="global.timeout='60'")
    assert status == 0 and asked == ["pip config list", f"uv pip install --python {python} torch"]
    status, _, asked = checkout.run("project", "lab", "--quiet")
    assert status == 0 and asked[1:] == [f"uv pip install --python {python} --quiet --editable .[lab]"]


@pytest.mark.parametrize(
    "environment, said",
    [
        ({"TOLD": ":env:.index-url='https://own'"}, "index-url"),
        ({"UV": "uv9"}, "UV=uv9 was not found"),
        ({"UV": ""}, ""),
    ],
)
def test_pip_installs_where_uv_would_not_know_what_to_do_or_is_not_wanted(checkout, environment, said):
    checkout.uv(0)
    status, told, asked = checkout.run("project", "lab", "--quiet", **environment)
    assert status == 0 and asked[-1] == WITH_EXTRAS and not any(line.startswith("uv") for line in asked)
    assert said in told and bool(said) == bool(told)


def test_where_uv_fails_pip_installs(checkout):
    checkout.uv(2)
    status, told, asked = checkout.run("project", "lab", "--quiet")
    assert status == 0 and "pip tries" in told and asked[-2].startswith("uv pip install") and asked[-1] == WITH_EXTRAS


def test_what_pip_has_been_told_is_read_line_by_line():
    listed = ":env:.find-links='/wheels=1'\nglobal.timeout='60'\ninstall.no-index='true'\n"
    assert install.keys(listed) == {"find-links", "timeout", "no-index"} and install.keys("\n") == set()
