"""The doctor: finds what is wrong, goes on, says what to do."""

import json
import sys
from importlib import metadata

import pytest

from nasviz import doctor, paths
from nasviz.__main__ import main
from nasviz.doctor import Check, Problem


def broken():
    raise OSError("the\ndisk is gone")


def wrong():
    raise Problem("one is two")


def test_every_check_runs_and_failures_carry_their_remedies(monkeypatch, capsys):
    three = (("first", broken, "buy a disk"), ("second", wrong, "count again"), ("third", lambda: "fine", "never said"))
    monkeypatch.setattr(doctor, "CHECKS", three)
    assert list(doctor.checks()) == [
        Check("first", False, "OSError: the\ndisk is gone", "buy a disk"),
        Check("second", False, "one is two", "count again"),
        Check("third", True, "fine"),
    ]
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "What to do: buy a disk" in said and "What to do: count again" in said and "never said" not in said
    assert "2 of the checks failed" in said
    assert all(line.startswith(("ok ", "BAD", " " * 17)) for line in said.splitlines()[:6])


def test_a_healthy_report_exits_with_0(capsys):
    assert doctor.report(iter([Check("only", True, "fine")])) == 0
    assert "All is well" in capsys.readouterr().out


def test_this_machine_is_well(monkeypatch, tmp_path):
    """The real checks: draws a cell, starts the pool, trains. Labs of our own, so that a duration is predicted."""
    monkeypatch.setattr(doctor, "REFERENCE_SECONDS", 1.0)
    monkeypatch.setattr(paths, "labs_dir", lambda: tmp_path)
    notebook = {"metadata": {"nasviz": {"seconds": 10, "minutes": 15}}}
    (tmp_path / "00-start-here.ipynb").write_text(json.dumps(notebook))
    found = {check.name: check for check in doctor.checks()}
    allowed = set()
    try:
        metadata.version("nasviz")
    except metadata.PackageNotFoundError:  # tests may run from a folder; then the doctor says so
        allowed = {"packages"}
        assert "not installed" in found["packages"].detail
    assert {check.name: check.detail for check in found.values() if not check.ok and check.name not in allowed} == {}
    _, seconds = doctor.yardstick()
    assert found["labs"].detail == f"00-start-here: about {10 * seconds:.0f} s of computing, 15 minutes to work through"
    assert "trained a network to" in found["pool"].detail


def version(**known):
    def look(name):
        if name not in known:
            raise metadata.PackageNotFoundError(name)
        return known[name]

    return look


def test_versions_are_held_against_their_bounds():
    asked = ["numpy>=2", "plotly<8,>=7.1", "jupyterlab<5,>=4.6 ; extra == 'lab'"]
    assert doctor.held(asked, version(numpy="2.1", plotly="7.2")) == "numpy 2.1, plotly 7.2"
    with pytest.raises(Problem, match=r"plotly is 8\.0, but must be <8,>=7\.1; jupyterlab is 3\.6"):
        doctor.held(asked, version(numpy="2.1", plotly="8.0", jupyterlab="3.6"))
    with pytest.raises(Problem, match="^numpy is missing") as missing:
        doctor.held(asked, version(plotly="7.1"))
    assert str(missing.value).endswith(f"(in {sys.prefix})")


def test_a_hosted_notebook_is_known_and_keeps_its_own_front_end(monkeypatch):
    assert doctor.host({}) == "" and doctor.host({"HOME": "/root"}) == ""
    assert doctor.host({"COLAB_RELEASE_TAG": "release"}) == "Google Colab"
    assert doctor.host({"JUPYTERHUB_API_URL": "http://hub"}) == "JupyterHub"
    asked = ["numpy>=2", "ipykernel>=7.4 ; extra == 'lab'"]
    found = version(numpy="2.1", ipykernel="6.17.1")
    assert doctor.held(asked, found, core_only=True) == "numpy 2.1"
    with pytest.raises(Problem, match="ipykernel is 6.17.1, but must be >=7.4"):
        doctor.held(asked, found)
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release")
    assert "enable_custom_widget_manager()" in doctor.front_end() and "on Google Colab" in doctor.python()


def test_too_little_memory(monkeypatch):
    monkeypatch.setattr("nasviz.workers.available_memory", lambda: 0.4e9)
    with pytest.raises(Problem, match=r"0\.4 GB of memory are free"):
        doctor.machine()


def test_a_front_end_that_jupyterlab_does_not_find(monkeypatch, tmp_path):
    pytest.importorskip("jupyterlab")
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *names: [str(tmp_path)])
    folder = tmp_path / "anywidget"
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    with pytest.raises(Problem, match="does not find @jupyter-widgets/jupyterlab-manager in"):
        doctor.front_end()


def test_a_worker_that_computes_something_else(monkeypatch):
    from nasviz.step import Evaluation

    class Other:
        def __init__(self, *_):
            pass

        def many(self, archs):
            yield from (Evaluation(arch, {"accuracy": 0.1}) for arch in archs)

    monkeypatch.setattr("nasviz.estimators.training.Training", Other)
    monkeypatch.setattr(doctor, "yardstick", lambda: (Evaluation(doctor.ARCH, {"accuracy": 0.2}), 1.0))
    with pytest.raises(Problem, match=r"0\.1.*this process.*0\.2"):
        doctor.pool()


def test_a_lab_without_durations(tmp_path):
    (tmp_path / "07-x.ipynb").write_text('{"metadata": {}}')
    assert doctor.duration(tmp_path / "07-x.ipynb", 2.0) == "07-x: no duration is recorded"
    (tmp_path / "08-x.ipynb").write_text('{"metadata": {"nasviz": {"seconds": 30}}}')
    assert doctor.duration(tmp_path / "08-x.ipynb", 2.0) == "08-x: about 60 s of computing"


def test_no_labs_at_all(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "labs_dir", lambda: tmp_path)
    with pytest.raises(Problem, match="there are no labs in"):
        doctor.labs()
