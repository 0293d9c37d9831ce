"""A folder of wheels for a class: what is asked for, what is said, and what is refused. No network is used."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nasviz import __version__, paths
from nasviz.__main__ import main
from nasviz.course import install_offline, wheelhouse
from nasviz.course.wheelhouse import SYSTEMS, Wheelhouse

PAIR = {"torch": "2.14.1+cpu", "torchvision": "0.29.1+cpu"}


def touch(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(name.encode())
    return folder / name


@pytest.fixture
def tools(monkeypatch):
    """uv and pip that answer from a table instead of the network; returns what they were asked."""
    asked = []
    monkeypatch.setattr(wheelhouse, "uv", lambda: ["uv"])
    monkeypatch.setattr(wheelhouse, "pip", lambda: ["pip"])

    def run(command, text=""):
        words = list(map(str, command))
        asked.append((words, text))
        if words[1] == "pip":
            return "numpy==2.4.6\nloky==3.7.0\nnasviz @ file:///somewhere\n"
        part = Path(words[words.index("--dest" if "--dest" in words else "--wheel-dir") + 1])
        for line in [word for word in words if "==" in word] or [f"nasviz=={__version__}"]:
            touch(part, f"{line.replace('==', '-')}-py3-none-any.whl")
        return ""

    monkeypatch.setattr(wheelhouse, "run", run)
    return asked


# ------------------------------------------------------------------------------------------------------- what is made
def test_a_wheelhouse_holds_each_wheel_once_and_goes_on_where_it_was(tools, tmp_path, monkeypatch):
    house = Wheelhouse(tmp_path / "stick", "windows", "3.12")
    said = list(wheelhouse.make(house, "pypi"))
    assert sorted(path.name for path in house.wheels.iterdir()) == [
        "loky-3.7.0-py3-none-any.whl", f"nasviz-{__version__}-py3-none-any.whl", "numpy-2.4.6-py3-none-any.whl",
    ]  # fmt: skip
    assert said[1:3] == ["numpy==2.4.6", "loky==3.7.0"] and "3 wheels" in said[-1] and "INSTALL.txt" in said[-1]
    asked = tools[1][0]
    assert asked[asked.index("--python-platform") + 1] == SYSTEMS["windows"].uv and "--only-binary" in asked
    (fetched,) = (words for words, _ in tools if "download" in words)
    assert {"win_amd64", "cp312", "3.12", "--no-deps", "numpy==2.4.6", "loky==3.7.0"} <= set(fetched)
    last = tools[-1][0]
    assert "--no-index" in last and str(house.wheels) in last  # at its end it looks whether all is there

    (house.wheels / "loky-3.7.0-py3-none-any.whl").unlink()  # as if it had been killed before
    tools.clear()
    assert list(wheelhouse.make(house, "pypi"))[1:-1] == ["loky==3.7.0"]
    assert [word for words, _ in tools if "download" in words for word in words if "==" in word] == ["loky==3.7.0"]
    assert not (house.out / "part").exists()


def test_a_folder_for_something_else_stays_as_it_is(tools, tmp_path):
    full = tmp_path / "full"
    touch(full, "thesis.txt")
    with pytest.raises(FileExistsError, match="not empty"):
        list(wheelhouse.make(Wheelhouse(full, "linux", "3.12"), "pypi"))
    assert [path.name for path in full.iterdir()] == ["thesis.txt"]
    house = Wheelhouse(tmp_path / "stick", "linux", "3.12")
    list(wheelhouse.make(house, "pypi"))
    with pytest.raises(FileExistsError, match="for something else"):
        list(wheelhouse.make(Wheelhouse(house.out, "macos", "3.12"), "pypi"))


def test_torch_comes_from_a_folder_and_stays_the_pair_that_it_is(tools, tmp_path):
    folder, house = tmp_path / "torch", Wheelhouse(tmp_path / "stick", "linux", "3.11")
    for name, version in PAIR.items():
        touch(folder, f"{name}-{version}-cp311-cp311-manylinux_2_28_x86_64.whl")
        touch(folder, f"{name}-9.9-cp312-cp312-manylinux_2_28_x86_64.whl")  # newer, for another Python
    list(wheelhouse.make(house, str(folder)))
    wanted = tools[1][1].split("\n")
    assert wanted[0].startswith("nasviz[lab] @ file://") and wanted[1:] == [f"{n}=={v}" for n, v in PAIR.items()]
    assert len(list(house.wheels.glob("torch*"))) == 2
    with pytest.raises(FileNotFoundError, match="no wheel of torch in .* is for macos with Python 3.11"):
        list(wheelhouse.make(Wheelhouse(tmp_path / "mac", "macos", "3.11"), str(folder)))
    with pytest.raises(FileNotFoundError, match="neither an address"):
        list(wheelhouse.make(Wheelhouse(tmp_path / "none", "linux", "3.11"), str(tmp_path / "nowhere")))


@pytest.mark.parametrize(
    "system, name, fits",
    [
        ("linux", "a-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("linux", "a-1-cp39-abi3-manylinux_2_28_x86_64.whl", True),
        ("linux", "a-1-cp312-cp312-musllinux_1_2_x86_64.whl", False),
        ("linux", "a-1-cp312-cp312-manylinux_2_34_x86_64.whl", False),
        ("linux-arm", "a-1-cp312-cp312-manylinux_2_28_x86_64.whl", False),
        ("macos", "a-1-cp312-cp312-macosx_11_0_arm64.whl", True),
        ("macos", "a-1-cp312-cp312-macosx_10_9_universal2.whl", True),
        ("macos", "a-1-cp312-cp312-macosx_14_0_arm64.whl", False),
        ("windows", "a-1-cp312-cp312-win_amd64.whl", True),
        ("windows", "a-1-cp311-cp311-win_amd64.whl", False),
        ("windows", "a-1-py3-none-any.whl", True),
    ],
)
def test_wheels_are_told_apart_by_what_they_are_for(system, name, fits):
    assert wheelhouse.suits(Path(name), Wheelhouse(Path("x"), system, "3.12")) is fits


def test_nasvizs_own_wheel_is_given_or_made_of_the_checkout(tools, tmp_path, monkeypatch):
    given = touch(tmp_path / "dist", f"nasviz-{__version__}-py3-none-any.whl")
    house = Wheelhouse(tmp_path / "stick", "linux", "3.12")
    list(wheelhouse.make(house, "pypi", given))
    assert not [words for words, _ in tools if "wheel" in words]
    old = touch(tmp_path / "old", "nasviz-0.0.1-py3-none-any.whl")
    with pytest.raises(ValueError, match="no wheel of nasviz"):
        list(wheelhouse.make(Wheelhouse(tmp_path / "two", "linux", "3.12"), "pypi", old))
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "nasviz")
    with pytest.raises(FileNotFoundError, match="--wheel"):
        list(wheelhouse.make(Wheelhouse(tmp_path / "three", "linux", "3.12"), "pypi"))


# -------------------------------------------------------------------------------------------------------- what is said
@pytest.mark.parametrize("system, start", [("windows", "py -3.12 install.py"), ("macos", "python3.12 install.py")])
def test_the_text_names_the_system_its_python_and_the_command(system, start):
    said = wheelhouse.instructions(Wheelhouse(Path("x"), system, "3.12"))
    assert install_offline.TITLES[system] in said and start in said and "--no-index --find-links wheels" in said
    assert ("%USERPROFILE%\\nasviz-class" in said) == (system == "windows") and "make check" not in said
    assert "make check" in wheelhouse.instructions(Wheelhouse(Path("x"), system, "3.12", ("lab", "test")))


def test_a_missing_network_is_said_with_what_to_do(tmp_path, capsys, monkeypatch):
    told = wheelhouse.complaint("error: Failed to fetch: `https://x/simple/`\n  cause: dns error")
    assert told.startswith("error: Failed to fetch") and "what has been fetched stays" in told
    assert "network" not in wheelhouse.complaint("error: No solution found")
    bound = "The user requested (constraint) torch<=2.14\nWARNING: a folder is ignored\nERROR: ResolutionImpossible"
    assert "UV_CONSTRAINT=FILE" in wheelhouse.complaint(bound) and "WARNING" not in wheelhouse.complaint(bound)
    with pytest.raises(RuntimeError, match="^broken$"):
        wheelhouse.run([sys.executable, "-c", "import sys; sys.exit('broken')"])
    monkeypatch.setattr(wheelhouse, "find_spec", lambda name: None)
    monkeypatch.setattr(wheelhouse.shutil, "which", lambda name: None)
    assert main(["course", "wheelhouse", str(tmp_path / "stick")]) == 1
    assert "pip install uv" in capsys.readouterr().err and not (tmp_path / "stick").exists()
    assert main(["course", "wheelhouse", str(tmp_path / "stick"), "--python", "3.9"]) == 1
    assert "3.11 or newer" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------ the installer
def manifest(**other) -> dict:
    return {"nasviz": "1", "system": "linux", "python": "3.12", "asks": "nasviz[lab]", "more": []} | other


def test_the_installer_says_which_python_is_needed():
    install_offline.fitting(manifest(), "Linux", "x86_64", (3, 12))
    with pytest.raises(ValueError, match=r"with Python 3.12. This is Python 3.11(.|\n)*python3.12 install.py"):
        install_offline.fitting(manifest(), "Linux", "x86_64", (3, 11))
    with pytest.raises(ValueError, match=r"for Windows(.|\n)*py -3.12 install.py"):
        install_offline.fitting(manifest(system="windows"), "Linux", "x86_64", (3, 12))
    with pytest.raises(ValueError, match="no wheels for Darwin on x86_64"):
        install_offline.fitting(manifest(), "Darwin", "x86_64", (3, 12))


def test_each_system_has_a_title_and_a_machine():
    machines = [("Windows", "AMD64"), ("Darwin", "arm64"), ("Linux", "x86_64"), ("Linux", "aarch64")]
    assert [install_offline.system(*one) for one in machines] == list(install_offline.TITLES) == list(SYSTEMS)


def test_damage_is_found_before_anything_is_installed(tmp_path):
    wheels = [touch(tmp_path / "wheels", f"{name}-1-py3-none-any.whl") for name in "abc"]
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  wheels/{path.name}\n" for path in wheels]
    (tmp_path / "SHA256SUMS").write_text("".join(sums))
    assert install_offline.damaged(tmp_path) == []
    wheels[0].write_bytes(b"half")
    wheels[2].unlink()
    assert install_offline.damaged(tmp_path) == ["wheels/a-1-py3-none-any.whl", "wheels/c-1-py3-none-any.whl"]
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    (tmp_path / "wheelhouse.json").write_text(json.dumps(manifest(system=wheelhouse.here(), python=version)))
    script = tmp_path / "install.py"
    script.write_text(Path(install_offline.__file__).read_text("utf-8"), "utf-8")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # it stands alone
    command = [sys.executable, script, tmp_path / "class"]
    ran = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)
    assert ran.returncode == 1 and "Missing or damaged: wheels/a-1" in ran.stderr and not (tmp_path / "class").exists()
