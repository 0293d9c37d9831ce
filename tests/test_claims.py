"""Whether claims hold on other processors: the jitter, the comparisons that a claim stands on, the table."""

import json

import nbformat
import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from nasviz.course import roundings as claims
from nasviz.estimators import FAST, Training
from nasviz.spaces import NasBench201
from nasviz.weights import jitter


def test_a_jitter_is_small_repeats_and_is_another_for_each_number(monkeypatch):
    def jittered(number):
        weights = torch.linspace(-1, 1, 101)
        monkeypatch.setenv("NASVIZ_JITTER", number)
        jitter([weights])
        return weights

    before, one, again, two = (jittered(number) for number in ("", "1", "1", "2"))
    assert torch.equal(before, torch.linspace(-1, 1, 101)) and torch.equal(one, again) and not torch.equal(one, two)
    assert 0 < ((one - before) / before.where(before != 0, 1)).abs().max() < 1.3e-6
    with pytest.raises(ValueError, match="NASVIZ_JITTER must be a whole number .* 'much'"):
        jittered("much")


def test_a_training_under_a_jitter_ends_elsewhere_and_draws_the_same(monkeypatch):
    from dataclasses import replace

    estimate = Training(NasBench201(), replace(FAST, images=500, epochs=1))
    losses = []
    for number in ("", "1"):
        monkeypatch.setenv("NASVIZ_JITTER", number)
        losses.append(estimate((3, 1, 2, 0, 1, 3)).scores["train_loss"])
    assert losses[0] != losses[1] and abs(losses[0] - losses[1]) < 0.05


def weighed(code, **names):
    """What a condition evaluates to in a lab, and the comparison it is closest to failing."""
    import ast

    claims.closest()
    tree = claims.Weighing().visit(ast.parse(f"claim('it holds', {code})"))
    said = []
    namespace = {"claim": lambda _, condition: said.append(condition), "_weigh": claims.weigh, **names}
    exec(compile(tree, "lab", "exec"), namespace)
    return bool(said[0]), claims.closest()


def test_a_claim_knows_the_comparison_that_is_closest_to_failing():
    assert weighed("3 > 2") == (True, {"left": 3.0, "sign": ">", "right": 2.0})
    assert weighed("3 > 2 and 10 <= 11")[1] == {"left": 10.0, "sign": "≤", "right": 11.0}
    assert weighed("all(x > 1 for x in (5, 2, 4))")[1] == {"left": 2.0, "sign": ">", "right": 1.0}
    assert weighed("(a < b).all()", a=np.array([1, 3]), b=np.array([2, 2])) == (
        False,
        {"left": 3.0, "sign": "<", "right": 2.0},
    )
    assert weighed("'a' < 'b'") == (True, None) and weighed("1 < 2 < 3") == (True, None)
    assert claims.Comparison(3, "<", 2).margin == pytest.approx(-1 / 3)


LAB = """
import os
from nasviz.course import claim
claim("always", 2 > 1)
claim("only without a jitter", os.environ.get("NASVIZ_JITTER", "0") < "1")
"""


def test_a_lab_under_two_roundings(tmp_path):
    lab, record = tmp_path / "00-toy.ipynb", tmp_path / "record.jsonl"
    cells = [new_code_cell(LAB), new_code_cell("1 / 0"), new_code_cell("import sys; print('oh', file=sys.stderr)")]
    nbformat.write(new_notebook(cells=cells), lab)
    asked = ["this processor", "jitter 1"]
    outcomes = {outcome.rounding: outcome for outcome in claims.try_labs([lab], asked, record, jobs=1)}
    assert [one["holds"] for one in outcomes["this processor"].claims] == [True, True]
    assert [one["holds"] for one in outcomes["jitter 1"].claims] == [True, False]
    assert outcomes["jitter 1"].claims[0]["closest"] == {"left": 2.0, "sign": ">", "right": 1.0}
    red = outcomes["this processor"].red
    assert "cell 1: ZeroDivisionError" in red[0] and "cell 2: oh" in red[1]

    text, failures = claims.table(list(outcomes.values()))
    assert "| 00 | 0 | always | 2 of 2 | 2 > 1 (" in text and "| **1 of 2** |" in text and failures == 1 + 4

    # what was run is not run again, until the lab's code is another
    lines = record.read_text().splitlines()
    assert list(claims.try_labs([lab], asked, record)) == [claims.Outcome(**json.loads(line)) for line in lines]
    before = claims.digest(lab)
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), lab)
    assert claims.digest(lab) != before
