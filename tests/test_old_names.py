"""Names of modules before 0.2 go on working, and say what the new ones are."""

import importlib
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import nasviz
from nasviz._old_names import MOVED, RENAMED

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def as_before():
    """Imports by old names leave nothing behind: they put modules where functions of the same name are."""
    before = {name: dict(vars(module)) for name, module in sys.modules.items() if name.startswith("nasviz")}
    yield
    for name in [name for name in sys.modules if name.removeprefix("nasviz.") in MOVED]:
        del sys.modules[name]
    for name, attributes in before.items():
        for child in vars(sys.modules[name]).keys() & {old.rpartition(".")[2] for old in MOVED}:
            if child in attributes:
                setattr(sys.modules[name], child, attributes[child])
            elif f"{name}.{child}".removeprefix("nasviz.") in MOVED:
                delattr(sys.modules[name], child)


@pytest.mark.parametrize("old", MOVED)
def test_an_old_module_warns_once_and_names_the_new_one(old):
    with pytest.warns(DeprecationWarning, match=rf"nasviz.{old} is now nasviz.{MOVED[old][0]}; .* version 0\.3"):
        module = importlib.import_module(f"nasviz.{old}")
    for home in MOVED[old]:
        new = importlib.import_module(f"nasviz.{home}")
        for name, thing in vars(new).items():
            if getattr(thing, "__module__", "") == new.__name__:
                assert getattr(module, name) is thing
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.import_module(f"nasviz.{old}")
    where = rf"nasviz.{old} has no 'nothing'; its contents are in nasviz.{MOVED[old][0]}"
    with pytest.raises(AttributeError, match=where):
        _ = module.nothing


@pytest.mark.parametrize("old", RENAMED)
def test_an_old_function_warns_and_is_the_new_one(old):
    (module, name), (home, new) = (path.rpartition(".")[::2] for path in (old, RENAMED[old]))
    with pytest.warns(DeprecationWarning, match=rf"nasviz.{old} is now nasviz.{RENAMED[old]}; .* version 0\.3"):
        found = getattr(importlib.import_module(f"nasviz.{module}"), name)
    assert found is getattr(importlib.import_module(f"nasviz.{home}"), new)
    with pytest.raises(AttributeError, match=f"module nasviz.{module} has no attribute 'nothing'"):
        _ = importlib.import_module(f"nasviz.{module}").nothing


def test_what_was_split_is_found_in_its_parts():
    with pytest.warns(DeprecationWarning):
        from nasviz.search import Run, knob, knobs
    assert (Run, knob) == (nasviz.Run, nasviz.knob) and knobs.__module__ == "nasviz.knobs"
    with pytest.warns(DeprecationWarning):
        assert nasviz.stats.tau([1, 2, 3], [1, 2, 3]) == 1


def test_a_function_that_had_its_file_s_name_can_still_be_called():
    from nasviz import views

    with pytest.warns(DeprecationWarning):
        importlib.import_module("nasviz.views.progress")
    assert callable(views.progress) and views.progress.band_of is views.band_of


def test_an_old_command_runs():
    command = [sys.executable, "-m", "nasviz.edition", "--help"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0 and "student" in ran.stdout


def test_nothing_inside_uses_an_old_name():
    program = """if True:
        import sys, warnings
        warnings.simplefilter("error", DeprecationWarning)
        from nasviz import course, doctor, estimators, hardware, races, strategies, views, zoo
        from nasviz._old_names import MOVED
        for package in estimators, strategies:                # they import when a name is asked for
            [getattr(package, name) for name in package.__all__]
        assert not [name for name in sys.modules if name.removeprefix("nasviz.") in MOVED]
    """
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr


def test_no_page_and_no_script_uses_an_old_name():
    endings = [re.escape(".".join(old.split(".")[-2:])) for old in RENAMED]  # encodings.paths
    old_name = re.compile(rf"\b({'|'.join(endings)}|nasviz\.({'|'.join(map(re.escape, MOVED))}))\b")
    for folder, ending in [("labs", "ipynb"), ("docs", "md"), ("benchmarks", "py"), ("data/scripts", "py")]:
        for path in sorted((ROOT / folder).glob(f"*.{ending}")):
            text = path.read_text("utf-8")
            if ending == "ipynb":
                text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
            assert not old_name.search(text), f"{path.name}: {old_name.search(text)[0]}"
