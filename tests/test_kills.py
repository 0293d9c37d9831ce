"""Killed at any moment, what writes a record goes on as if nothing had been. See kills.py; a benchmark kills more."""

import os

import kills
import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
CASES = kills.cases()
QUICK = [  # those whose processes end within a second
    "random search", "evolution", "conditional evolution", "local search", "NSGA-II", "Hyperband", "REINFORCE",
    "a walk with a state", "supernet", "DARTS", "a race", "a table in the making",
]  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
def test_who_is_killed_goes_on_as_if_nothing_had_been(name, tmp_path):
    equal, killed = kills.survived(CASES[name], tmp_path, 3)
    assert equal == 3 and killed >= 3


def test_a_kill_is_one_and_a_lost_line_is_found_out(tmp_path):
    """The test can fail: a record that lost a line in its middle does not come out equal."""
    case = CASES["evolution"]
    path = tmp_path / "run"
    events = kills.watched(case.go, tmp_path / "whole", None)
    assert kills.watched(case.go, path, events // 2) == -1 and path.stat().st_size > 0
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    with pytest.raises(ValueError, match="now asks"):
        case.go(path)
