"""The type checker has nothing to say about the package, and sees a mistake."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def mypy(*arguments, cwd=ROOT):
    return subprocess.run([sys.executable, "-m", "mypy", *arguments], cwd=cwd, capture_output=True, text=True)


def test_the_package_holds_its_types():
    ran = mypy()
    assert ran.returncode == 0, ran.stdout


def test_no_file_is_exempted():
    said = (ROOT / "pyproject.toml").read_text("utf-8")
    assert "ignore_errors" not in said and "exclude" not in said.split("[tool.mypy]")[1]
    assert not [path for path in (ROOT / "nasviz").rglob("*.py") if "mypy: " in path.read_text("utf-8")]


def test_a_wrong_type_outside_is_seen(tmp_path):
    (tmp_path / "user.py").write_text("from nasviz.step import Evaluation\n\nevaluation = Evaluation(3, {})\n")
    ran = mypy("user.py", "--ignore-missing-imports", cwd=tmp_path)
    assert ran.returncode == 1 and "has incompatible type" in ran.stdout, ran.stdout + ran.stderr
