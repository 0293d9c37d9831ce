"""The description of a stage: each kind of picture says what is wrong with it, and a new kind is two files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from stage_page import at, drawn

import nasviz
from nasviz.views import Stage
from nasviz.views.stage.kinds import KINDS
from nasviz.views.stage.kinds.cell import CellView
from nasviz.views.stage.kinds.curve import CurveView
from nasviz.views.stage.kinds.heat import HeatView
from nasviz.views.stage.kinds.options import OptionsView
from nasviz.views.stage.kinds.swarm import SwarmView
from nasviz.views.stage.kinds.traces import TracesView
from nasviz.views.stage.kinds.view import View
from nasviz.views.stage.spec import Spec

PACKAGE = Path(nasviz.__file__).parent


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: HeatView(array=3), r"the heat: array must be text, not 3"),
        (
            lambda: HeatView(array="w", title="Weights", digits=0.5),
            r"the heat 'Weights': digits must be a whole number",
        ),
        (lambda: HeatView(array="w", labels=[1, 2]), r"labels must be a sequence, each text"),
        (lambda: TracesView(array="w", span=13), r"the traces: span must be 1 to 12, .* not 13"),
        (lambda: TracesView(array="w", total=True), r"total must be a whole number, not True"),
        (lambda: CurveView(array="loss", scale="100"), r"the curve: scale must be a number, not '100'"),
        (lambda: CurveView(series=[{"label": "loss"}]), r"series must be .* a dict with \['array'\]"),
        (lambda: CurveView(series=[{"array": "loss", "colour": "red"}]), r"series must be .*'color'"),
        (lambda: CurveView(array="loss", band=[{"x": [1], "lo": [2]}]), r"band: each needs"),
        (lambda: CurveView(array="loss", lines=[3]), r"lines must be .* a dict with \['y'\]"),
        (lambda: SwarmView(array="score", population=10), r"the swarm: population must be text or None, not 10"),
        (lambda: OptionsView(array="arch", choices=[{"name": "depth"}]), r"choices must be .*'options'"),
        (lambda: CellView(nodes="ab", edges=[(0, 1)], node_ops=["conv"]), r"node_ops has 1 entries for 2 nodes"),
        (lambda: CellView(nodes="ab", edges=[0, 1]), r"edges must be a sequence, each a sequence"),
    ],
)
def test_a_wrong_field_raises_where_the_picture_is_made(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize(
    "view, said",
    [
        (
            {"kind": "heat", "array": "w", "colums": ["a"]},
            r"view 0: the heat has no field \['colums'\]; it has .*'columns'",
        ),
        ({"kind": "heat"}, r"view 0: the heat lacks \['array'\]"),
        (
            {"kind": "swarm", "array": "loss", "population": "loss"},
            r"view 0: the swarm: population needs an array of 1",
        ),
    ],
)
def test_plain_data_is_held_to_the_same(view, said):
    with pytest.raises(ValueError, match=said):
        Stage({"arrays": {"w": [2, 2], "loss": []}, "ops": ["none", "skip_connect"], "views": [view]})


def test_a_spec_has_no_entry_that_means_nothing():
    with pytest.raises(ValueError, match=r"no \['sped'\]; it has .*'speed'"):
        Stage({"arrays": {"loss": []}, "views": [{"kind": "curve", "array": "loss"}], "sped": 5})
    with pytest.raises(ValueError, match="curve 'Loss': series names the array 'gain', but the stage has"):
        Spec(arrays={"loss": []}, views=[CurveView(array="gain", title="Loss")])


def test_what_is_sent_is_json_and_makes_the_same_spec_again():
    cell = CellView(nodes=("in", "out"), edges=[(np.int64(0), 1)], array="w", marked={"nodes": [], "edges": (0,)})
    band = {"x": np.arange(2), "lo": [0.1, np.nan], "hi": [0.2, 0.3], "label": "random"}
    curve = CurveView(array=["loss", "gain"], best=True, band=[band], range=(0, np.float32(1)))
    arrays = {"w": (1, 2), "loss": (), "gain": ()}
    spec = Spec(arrays=arrays, ops=["none", "skip_connect"], views=[cell, curve], transport=False, speed=5)
    sent = json.loads(json.dumps(spec.plain(), allow_nan=False))
    assert sent["views"][1]["band"][0]["lo"] == [0.1, None] and sent["transport"] is False
    assert Spec.of(sent).plain() == spec.plain() == Stage(sent).spec == Stage(spec).spec


def test_every_kind_has_a_function_of_its_name_and_a_still():
    for kind, one in KINDS.items():
        script = (PACKAGE / "views" / "stage" / "js" / f"{one.script or kind}.js").read_text("utf-8")
        assert f"function {kind}(host, spec, " in script
        assert one.still is not View.still and one.tall is not View.tall


# ------------------------------------------------------------------ a kind is a file in Python and one in JavaScript
GAUGE = '''
"""A toy: one number as the length of a bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...raster import BLUE
from .view import View


@dataclass(frozen=True, kw_only=True)
class GaugeView(View):
    """A bar."""

    kind: ClassVar[str] = "gauge"
    axes: ClassVar = {"array": (0,)}

    array: str
    top: float = 1

    @classmethod
    def for_search(cls, search):
        """Draw how large the batch's entropy is."""
        if "entropy" in type(search).shows:
            return {"entropy": []}, cls(array="entropy", title="Entropy", top=2)

    def tall(self, columns, wide):
        return 40

    def still(self, pen, look, columns, marks, step, box):
        x, y, wide, tall = box
        pen.box(x, y, wide * float(columns[self.array][step]) / self.top, tall, BLUE)
'''
GAUGE_JS = """
// gauge.js: a toy. Uses base.js.

function gauge(host, spec, { history }) {
  const bar = html("div", { className: "gauge" }, host);
  return {
    draw: (t) => {
      const share = history.n ? history.frame(spec.array, Math.floor(t))[0] / (spec.top ?? 1) : 0;
      bar.style.cssText = `height: 40px; width: ${100 * share}%; background: ${BLUE}`;
    },
  };
}
"""
PROGRAM = """
import io, json, sys
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from PIL import Image
import nasviz
from nasviz.run import Run
from nasviz.spaces import NasBench201
from nasviz.step import Step
from nasviz.views import replay, stage_of
from nasviz.views.stage.widget import Stage

@dataclass
class Cooling:
    shows: ClassVar = ("entropy",)
    space: object

    def __len__(self):
        return 3

    def __iter__(self):
        for left in (2.0, 1.0, 0.5):
            yield Step(entropy=left)

run = Run(Cooling(NasBench201()))
list(run)
stage = stage_of(run)
stills = [Image.open(io.BytesIO(stage.still(step))).convert("RGB") for step in range(3)]
blue = [int((np.asarray(still)[..., 0] < 60).sum()) for still in stills]
replay.to_html(stage, sys.argv[1])
said = {"file": nasviz.__file__, "views": stage.spec["views"], "entropy": stage.columns()["entropy"].tolist()}
try:
    Stage({"arrays": {"entropy": []}, "views": [{"kind": "gauge", "array": "entropy", "top": "high"}]})
except ValueError as error:
    said["wrong"] = str(error)
print(json.dumps(said | {"blue": blue, "bundled": "function gauge(" in Stage._esm}))
"""


@pytest.fixture(scope="module")
def with_gauge(tmp_path_factory):
    """(what a copy of the package with a kind of its own says, the page it wrote)."""
    folder = tmp_path_factory.mktemp("copy")
    copy = shutil.copytree(PACKAGE, folder / "nasviz", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "views" / "stage" / "kinds" / "gauge.py").write_text(GAUGE, "utf-8")
    (copy / "views" / "stage" / "js" / "gauge.js").write_text(GAUGE_JS, "utf-8")
    (folder / "program.py").write_text(PROGRAM, "utf-8")
    alone = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "program.py", "run.html"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=alone)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout), folder / "run.html"


def test_a_new_kind_is_two_files_and_is_seen_everywhere(with_gauge):
    said, page = with_gauge
    assert Path(said["file"]).parent.parent == page.parent
    assert said["views"] == [{"kind": "gauge", "title": "Entropy", "span": 12, "array": "entropy", "top": 2}]
    assert said["entropy"] == [2, 1, 0.5]
    assert said["blue"] == pytest.approx([4 * said["blue"][2], 2 * said["blue"][2], said["blue"][2]], rel=0.05)
    assert said["blue"][2] > 1000  # pixels
    assert said["bundled"] and GAUGE_JS in page.read_text("utf-8")
    assert said["wrong"] == "view 0: the gauge: top must be a number, not 'high'"


def test_a_new_kind_is_drawn_by_the_browser(with_gauge, open_page):
    page = open_page(with_gauge[1], step="#step=1")
    width = "(bar) => bar.clientWidth / bar.parentElement.clientWidth"
    assert at(page) == 1 and page.eval_on_selector(".gauge", width) == pytest.approx(0.5, abs=0.01)
    page.get_by_role("slider").fill("2")
    drawn(page)
    assert page.eval_on_selector(".gauge", width) == pytest.approx(0.25, abs=0.01)
