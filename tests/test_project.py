"""The project around the package: one list of dependencies, set-up from any path, a wheel that carries everything."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import nasviz
from nasviz import paths
from nasviz.__main__ import main

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import torch_index  # noqa: E402
from torch_index import CPU_INDEX  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


# ---------------------------------------------------------------------------------------------------- what is installed
def test_environment_yml_lists_nothing_that_could_drift():
    text = (ROOT / "environment.yml").read_text("utf-8")
    entries = re.findall(r"^ +- (.*)$", text, re.MULTILINE)
    channels, (python, *rest) = entries[:1], entries[1:]
    assert channels == ["conda-forge"]
    assert rest == ["pip", "pip:", f"--extra-index-url {torch_index.CPU_INDEX}", "-e .[lab]"]
    assert "lab" in PROJECT["optional-dependencies"]
    version = tuple(map(int, python.removeprefix("python=").split(".")))
    lowest = tuple(map(int, PROJECT["requires-python"].removeprefix(">=").split(".")))
    assert lowest <= version <= (3, 14)


def test_makefile_asks_for_the_torch_of_the_project():
    asked = re.search(r"\$\$options '(torch[^']*)' torchvision", (ROOT / "Makefile").read_text("utf-8"))[1]
    assert asked in PROJECT["dependencies"] and "torchvision" in PROJECT["dependencies"]


def test_versions_agree():
    citation, changes = ((ROOT / name).read_text("utf-8") for name in ("CITATION.cff", "CHANGELOG.md"))
    assert f"version: {nasviz.__version__}\n" in citation
    newest, day = re.search(r"^## \[([^\]]+)\] – (.+)$", changes, re.M).groups()
    assert newest == nasviz.__version__ and day in (
        "unreleased",
        re.search(r"^date-released: (.+)$", citation, re.M)[1],
    )


def test_code_and_text_have_a_licence_each():
    assert PROJECT["license"] == "MIT AND CC-BY-4.0" and PROJECT["license-files"] == ["LICENSE", "LICENSE-text"]
    assert "MIT License" in (ROOT / "LICENSE").read_text("utf-8")
    assert "Creative Commons Attribution 4.0 International" in (ROOT / "LICENSE-text").read_text("utf-8")
    assert "(LICENSE)" in (readme := (ROOT / "README.md").read_text("utf-8")) and "(LICENSE-text)" in readme


# ----------------------------------------------------------------------------------------------- where torch comes from
def never(*_):
    raise AssertionError("asked without need")


@pytest.mark.parametrize(
    "environment, system, machine, driver, answers, options, why",
    [
        ({"TORCH_INDEX": "https://own"}, "Linux", "x86_64", never, never, "--index-url https://own", "TORCH_INDEX"),
        ({"TORCH_INDEX": " "}, "Linux", "x86_64", lambda: True, never, "", "NVIDIA driver was found"),
        ({}, "Linux", "aarch64", lambda: False, lambda _: True, f"--index-url {CPU_INDEX}", "no NVIDIA driver"),
        ({}, "Linux", "x86_64", lambda: False, lambda _: False, "", "did not answer within 3 s"),
        ({}, "Darwin", "arm64", never, never, "", "Darwin"),
        ({}, "Windows", "AMD64", never, never, "", "Windows"),
    ],
)
def test_choice_of_the_torch_index(environment, system, machine, driver, answers, options, why):
    chosen, said = torch_index.choose(environment, system, machine, driver, answers)
    assert chosen == options and why in said


@pytest.fixture
def wheels(tmp_path):
    """A folder of wheels at a path with a space."""
    folder = tmp_path / "my wheels"
    folder.mkdir()
    for name in ("torch-2.14.1+cpu", "torchvision-0.29.1+cpu"):
        (folder / f"{name}-cp311-cp311-linux_x86_64.whl").touch()
    return folder


def test_torch_comes_from_a_folder_of_wheels_and_from_nowhere_else(wheels, monkeypatch):
    monkeypatch.chdir(wheels.parent)
    monkeypatch.setenv("HOME", str(wheels.parent))
    for named in (wheels, "my wheels", "./my wheels/", "~/my wheels"):
        options, why = torch_index.choose({"TORCH_INDEX": str(named)}, "Linux", "x86_64", never, never)
        index, links, address = options.split()
        assert (index, links, address) == ("--no-index", "--find-links", wheels.as_uri()) and "TORCH_INDEX" in why


def test_a_folder_that_is_missing_or_has_no_torch_is_named(wheels):
    def told(folder):
        with pytest.raises(LookupError) as caught:
            torch_index.choose({"TORCH_INDEX": str(folder)}, "Linux", "x86_64", never, never)
        return str(caught.value)

    said = told(wheels / "none")
    assert f"TORCH_INDEX={wheels / 'none'}" in said and "is missing" in said and "https://" in said
    for path in wheels.glob("torchvision-*"):
        path.unlink()
    said = told(wheels)
    assert f"no wheel of torchvision in {wheels}" in said and "pip download" in said


def test_a_download_of_gigabytes_is_announced_with_two_ways_around_it(monkeypatch, capsys):
    monkeypatch.setattr(torch_index, "CPU_INDEX", "http://127.0.0.1:9/whl/cpu")
    monkeypatch.setattr(torch_index, "has_driver", lambda: False)
    monkeypatch.setattr(torch_index.platform, "system", lambda: "Linux")
    monkeypatch.delenv("TORCH_INDEX", raising=False)
    assert torch_index.main() == 0
    said = capsys.readouterr()
    assert said.out == "\n"
    assert "http://127.0.0.1:9/whl/cpu" in said.err and "did not answer" in said.err
    assert len(re.findall(r"\d(,\d{3}){3} bytes", said.err)) == 2  # to download, and on disk
    assert "TORCH_INDEX=https://" in said.err and "TORCH_INDEX=FOLDER" in said.err and "pip download" in said.err


def test_intel_macs_are_told():
    with pytest.raises(LookupError, match="no wheels for Intel Macs(.|\n)*Rosetta(.|\n)*another machine"):
        torch_index.choose({}, "Darwin", "x86_64", never, never)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "no address", "file:///nowhere/at/all"])
def test_an_unreachable_index_is_no_error(address):
    assert torch_index.reachable(address) is False


def test_torch_index_prints_options_and_reasons_apart():
    script = ROOT / "tools" / "torch_index.py"
    told = os.environ | {"TORCH_INDEX": "https://mirror/whl"}
    ran = subprocess.run([sys.executable, script], env=told, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0
    assert ran.stdout == "--index-url https://mirror/whl\n"
    assert "https://mirror/whl" in ran.stderr and "TORCH_INDEX" in ran.stderr


# ------------------------------------------------------------------------------------------------------------- make
@pytest.fixture
def checkout(tmp_path):
    """A copy of what set-up needs, at a path with a space, with fake Pythons to be found first."""
    folder = tmp_path / "a lab"
    (folder / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    return folder


def make(folder, *arguments):
    if not shutil.which("make"):
        pytest.skip("no make here")
    # `make test` hands its own flags and variables down to a make that a test starts
    passed = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "PYTHON", "LAB_ARGS", "TEST_ARGS", "TORCH_INDEX")
    env = {name: value for name, value in os.environ.items() if name not in passed}
    env["PATH"] = f"{folder / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin"
    return subprocess.run(["make", *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=60)


def fake(folder, name, body):
    (folder / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / "bin" / name).chmod(0o755)


def test_make_names_a_python_that_does_not_run(checkout):
    ran = make(checkout, ".venv/python.stamp", "PYTHON=python9")
    assert ran.returncode != 0 and "PYTHON=python9 does not run" in ran.stderr
    assert not (checkout / ".venv").exists()


def test_make_says_that_no_python_is_new_enough(checkout):
    for name in ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"):
        fake(checkout, name, "exit 1")
    ran = make(checkout, ".venv/python.stamp")
    assert ran.returncode != 0 and "needs Python 3.11 or newer" in ran.stderr and "PYTHON=" in ran.stderr


def test_make_says_what_a_python_without_venv_needs(checkout):
    fake(checkout, "python3.13", 'case "$2" in *ensurepip*) exit 1;; esac')
    ran = make(checkout, ".venv/python.stamp")
    assert ran.returncode != 0 and "python3-venv" in ran.stderr


def test_make_takes_the_first_python_that_runs_and_makes_it_once(checkout):
    fake(checkout, "python3.13", "exit 1")
    fake(checkout, "python3.12", 'case $1 in -m) mkdir "$3"; echo made >> log;; --version) echo Twelve;; esac')
    first, second = make(checkout, ".venv/python.stamp"), make(checkout, ".venv/python.stamp")
    assert first.returncode == second.returncode == 0, first.stderr
    assert "Making .venv with Twelve" in first.stdout
    assert (checkout / "log").read_text() == "made\n"


def test_make_says_where_torch_comes_from_before_it_is_installed(checkout, wheels):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "python.stamp").touch()
    (checkout / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "torch_index.py", checkout / "tools")
    fake(checkout, "shown", f'case $1 in tools/install.py) echo "$@" >&2;; *) "{sys.executable}" "$@";; esac')
    shutil.move(checkout / "bin" / "shown", checkout / ".venv" / "bin" / "python")
    ran = make(checkout, ".venv/torch.stamp", f"TORCH_INDEX={wheels}")
    said, installed = ran.stderr.splitlines()
    assert ran.returncode == 0 and said == f"torch comes from the folder {wheels}, as TORCH_INDEX says."
    assert installed.startswith("tools/install.py torch lab ")
    assert f" --no-index --find-links {wheels.as_uri()} torch>=" in installed
    (checkout / ".venv" / "torch.stamp").unlink()
    ran = make(checkout, ".venv/torch.stamp", "TORCH_INDEX=no folder")
    assert ran.returncode != 0 and "TORCH_INDEX=no folder is neither" in ran.stderr and "install.py" not in ran.stderr


@pytest.mark.parametrize("goal, extras", [("lab", "lab"), ("check", "lab,test"), ("test", "lab,test")])
def test_make_fetches_ahead_what_its_goal_needs(checkout, goal, extras):
    (checkout / "tools").mkdir()
    for name in ("pyproject.toml", "tools/torch_index.py"):
        (checkout / name).touch()
    ran = make(checkout, "--dry-run", goal)
    assert ran.returncode == 0, ran.stderr
    assert f"tools/install.py torch {extras} $options " in ran.stdout
    assert f"tools/install.py project {extras} --quiet" in ran.stdout


def test_make_lab_serves_this_machine_only_and_passes_more_options_on(checkout):
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / "pyproject.toml").touch()
    (checkout / "tools").mkdir()
    (checkout / "tools" / "torch_index.py").touch()
    for stamp in ("python", "torch", "lab"):
        (checkout / ".venv" / f"{stamp}.stamp").touch()
    fake(checkout, "shown", 'printf "%s\\n" "$@"')
    shutil.move(checkout / "bin" / "shown", checkout / ".venv" / "bin" / "python")
    ran = make(checkout, "lab", "LAB_ARGS=--no-browser --port=9001")
    given, options = ran.stdout.splitlines()[:4], ran.stdout.splitlines()[4:]
    assert given == ["-m", "nasviz", "labs", "my-labs"] and "--ServerApp.root_dir=my-labs" in options
    assert options[:2] == ["-m", "jupyterlab"] and options[-2:] == ["--no-browser", "--port=9001"]
    assert "--ServerApp.ip=127.0.0.1" in options and not any("token" in option for option in options)
    (opened,) = (option for option in options if option.startswith("--LabApp.default_url="))
    assert (ROOT / "labs" / Path(opened).name).exists()


def test_ci_requires_a_browser(checkout):
    if not shutil.which("bash"):
        pytest.skip("no bash here")
    (checkout / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", checkout / ".ci")
    fake(checkout, "chromium", "true")
    fake(checkout, "make", 'echo "$PWD: $1 $NASVIZ_REQUIRE_BROWSER"; exit 3')
    env = os.environ | {"PATH": f"{checkout / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(["bash", checkout / ".ci" / "run"], cwd="/", env=env, capture_output=True, text=True)
    assert ran.returncode == 3
    assert ran.stdout == f"{checkout}: test 1\n"


# ------------------------------------------------------------------------------------------------------------ the wheel
def test_a_wheel_carries_data_and_labs(tmp_path):
    build = pytest.importorskip("hatchling.build")
    before = os.getcwd()
    os.chdir(ROOT)
    try:
        wheel = build.build_wheel(str(tmp_path))
    finally:
        os.chdir(before)
    with zipfile.ZipFile(tmp_path / wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = """if True:
        from pathlib import Path
        import nasviz
        from nasviz import datasets, paths
        assert Path("site").resolve() in Path(nasviz.__file__).parents
        print(len(datasets.load("fashion16").train_images), (paths.labs_dir() / "00-start-here.ipynb").exists())
    """
    env = os.environ | {"PYTHONPATH": "site"}
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert ran.stdout == "8000 True\n", ran.stderr
    top = {path.name for path in (tmp_path / "site").iterdir()}
    assert top == {"nasviz", f"nasviz-{nasviz.__version__}.dist-info"}
    kept = tmp_path / "site" / f"nasviz-{nasviz.__version__}.dist-info" / "licenses"
    assert {path.name for path in kept.iterdir()} == {"LICENSE", "LICENSE-text"}
    templates = {path.name for path in (tmp_path / "site" / "nasviz" / "course" / "slides").rglob("*.*")}
    assert {"deck.css", "deck.js", "index.html.j2", "conf.json"} <= templates
    here, there = (
        {path.relative_to(top) for path in (top / "nasviz").rglob("*.js")} for top in (ROOT, tmp_path / "site")
    )
    assert here == there and here


def test_files_are_found_beside_the_package_and_inside_it(tmp_path, monkeypatch):
    assert paths.data_dir() == ROOT / "data" and paths.labs_dir() == ROOT / "labs"
    (tmp_path / "nasviz" / "_labs").mkdir(parents=True)
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "nasviz")
    assert paths.labs_dir() == tmp_path / "nasviz" / "_labs"
    assert paths.data_dir() == tmp_path / "data"


# ------------------------------------------------------------------------------------------------------ names, terminal
def test_public_names_are_there_and_listed():
    for name in nasviz.__all__:
        assert getattr(nasviz, name) is not None
    assert set(nasviz.__all__) < set(dir(nasviz))
    from nasviz.step import Step

    assert nasviz.Step is Step


def test_an_unknown_name_names_the_known_ones():
    with pytest.raises(AttributeError, match="no 'Search'.*SearchSpace"):
        nasviz.Search  # noqa: B018


def test_no_command_prints_the_help(capsys):
    assert main([]) == 0
    said = capsys.readouterr().out
    assert "doctor" in said and "labs" in said


def test_labs_are_given_and_what_is_written_in_stays(tmp_path, capsys, monkeypatch):
    mine = tmp_path / "my labs"
    assert main(["labs", str(mine), "--path", "3"]) == 0
    assert str(mine / "00-start-here.ipynb") in capsys.readouterr().out
    assert not list(mine.glob("*-famous*")) and (mine / "sessions.md").exists()
    (mine / "00-start-here.ipynb").write_text("mine")
    (mine / "glossary.md").unlink()
    assert main(["labs", str(mine)]) == 0  # the same path as before
    assert (mine / "00-start-here.ipynb").read_text() == "mine" and (mine / "glossary.md").exists()
    assert not list(mine.glob("*-famous*"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    assert main(["labs", str(other)]) == 1
    assert str(other) in capsys.readouterr().err and [one.name for one in other.iterdir()] == ["notes.txt"]
    assert main(["labs", str(tmp_path / "new"), "--path", "4"]) == 1
    assert "3, 6, 13" in capsys.readouterr().err
    monkeypatch.setattr("nasviz.__main__.labs_dir", lambda: tmp_path / "none")
    assert main(["labs", str(tmp_path / "another")]) == 1
    assert "carries no labs" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------------ the pages
@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_pages_name_files_that_exist(page):
    text = (ROOT / page).read_text("utf-8")
    named = re.findall(r"\]\((?!https?:|#)([^)#\s]+)[^)]*\)|<img[^>]*src=\"([^\"]+)\"", text)
    missing = [name for pair in named for name in pair if name and not (ROOT / name).exists()]
    assert named and missing == []


def test_readme_has_every_lab_with_its_recorded_minutes():
    import json

    text = (ROOT / "README.md").read_text("utf-8")
    for lab in (ROOT / "labs").glob("[0-9]*.ipynb"):
        (row,) = (line for line in text.splitlines() if line.startswith("|") and f"(labs/{lab.name})" in line)
        recorded = json.loads(lab.read_text("utf-8"))["metadata"]["nasviz"]
        assert f"| {recorded['minutes']} min" in row
