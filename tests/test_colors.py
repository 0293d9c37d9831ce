"""How operations look, and where the nodes of a cell lie."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_stage import DARTS, EDGES, NODES, OPS

from nasviz.course import questions
from nasviz.spaces import TransformerSpace
from nasviz.views import colors, raster
from nasviz.views.stage.layout import layout

FOUR = TransformerSpace(blocks=4)
HALVES = [op for op in FOUR.graph(FOUR.from_text("h4 f1 | h2 f1/2 | h1 f1/4 | mean f1/8")).ops if op]


def test_operations_of_the_published_spaces_are_told_apart_without_hue():
    for ops in (
        OPS,
        DARTS,
        HALVES,
        ["conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3"],
        ["mb_k3_e3", "mb_k5_e3", "mb_k7_e6"],
    ):
        styles = [colors.style(op) for op in ops]
        assert len({s.label for s in styles}) == len(ops)
        by_family = {}
        for s in styles:
            by_family.setdefault(s.family, []).append(s.dash)
        assert all(len(set(dashes)) == len(dashes) for dashes in by_family.values()), ops
    assert colors.style("nor_conv_3x3").label == "conv 3×3" and colors.style("skip_connect").label == "skip"
    assert colors.style("something_new") == colors.style("something_new")


def linear(color):
    c = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of linear sRGB, D65."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    f = np.cbrt(np.maximum(xyz / [0.9505, 1, 1.089], 1e-6))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def alike_in_grey(a, b):
    """Whether nothing but hue tells two strokes apart: equally dark, and of one pattern."""
    return abs(lab(linear(a.color))[0] - lab(linear(b.color))[0]) < 8 and a.dash == b.dash


@pytest.mark.parametrize(
    "ops", [OPS, DARTS, [op for op in HALVES if "attention" in op], [op for op in HALVES if "feed" in op]]
)
def test_grey_print_keeps_the_operations_of_a_choice_apart(ops):
    looks = [colors.style(op) for op in ops]
    assert not [(a, b) for i, a in enumerate(looks) for b in looks[:i] if alike_in_grey(a, b)]


@pytest.mark.parametrize("looks", [colors.STRATEGIES, colors.METHODS], ids=["strategies", "methods"])
def test_grey_print_keeps_strategies_and_methods_apart(looks):
    names = list(looks)
    assert not [(a, b) for i, a in enumerate(names) for b in names[:i] if alike_in_grey(looks[a], looks[b])]


# Machado, Oliveira, Fernandes 2009, table 1, severity 1.0: protanopia, deuteranopia, tritanopia; and normal sight
SIGHTS = [
    np.eye(3),
    np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
]


@pytest.mark.parametrize("ops", [OPS, DARTS, HALVES], ids=["nasbench201", "darts", "transformer"])
@pytest.mark.parametrize("sight", SIGHTS, ids=["normal", "protanopia", "deuteranopia", "tritanopia"])
def test_families_stay_apart_for_the_colour_blind(ops, sight):
    styles = [colors.style(op) for op in ops]
    for i, a in enumerate(styles):
        for b in styles[:i]:
            if a.family != b.family:
                difference = np.linalg.norm(lab(sight @ linear(a.color)) - lab(sight @ linear(b.color)))
                assert difference > 9, (a, b, difference)


@pytest.mark.parametrize("back", ["#ffffff", "#16181d"])
def test_every_colour_stands_out_from_both_backgrounds(back):
    def luminance(color):
        return float(np.array([0.2126, 0.7152, 0.0722]) @ linear(color))

    for op in {*OPS, *DARTS, *HALVES, "nor_conv_5x5", "mb_k5_e6", "other thing"}:
        a, b = sorted((luminance(colors.style(op).color), luminance(back)))
        assert (b + 0.05) / (a + 0.05) > 2.4, (op, colors.style(op), (b + 0.05) / (a + 0.05))


@pytest.mark.parametrize("sight", SIGHTS, ids=["normal", "protanopia", "deuteranopia", "tritanopia"])
def test_the_scale_of_costs_becomes_lighter_for_every_sight_and_fits_both_themes(sight):
    seen = [lab(sight @ linear(color)) for color in colors.COSTS]
    assert (np.diff([one[0] for one in seen]) > 3).all()
    assert np.linalg.norm(seen[0] - seen[-1]) > 30
    light = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(linear, colors.COSTS)]
    assert min(light) + 0.05 > 2.4 * (0.0093 + 0.05) and 2.4 * (max(light) + 0.05) < 1.05  # on #16181d and on white


def test_scripts_of_the_page_and_questions_have_the_same_colours():
    package = Path(colors.__file__).parents[1]
    said = (package / "views/stage/js/base.js").read_text("utf-8")
    named = dict(re.findall(r'const (\w+) = "(#\w{6})";', said))
    assert named == {"BLUE": colors.BLUE, "MAGENTA": colors.MAGENTA}
    series = re.search(r"const SERIES = \[(.*?)\];", said)[1].replace('"', "").split(", ")
    assert tuple(named.get(color, color) for color in series) == raster.SERIES
    dashes = json.loads(re.search(r"const DASHES = (\[.*\]);", said)[1])
    assert tuple(map(tuple, dashes)) == raster.DASHES and len(dashes) == len(series) == len({*raster.DASHES})
    assert questions.COLORS[:3] == (colors.GREY, colors.BLUE, colors.MAGENTA)


def test_the_colour_of_skip_is_written_once():
    package = Path(colors.__file__).parents[1]
    texts = {path.name: path.read_text("utf-8").lower() for path in package.rglob("*.py")}
    found = {name for name, text in texts.items() if colors.MAGENTA in text}
    assert found == {"colors.py", "questions.py"}  # the course loads no pictures for the sake of a colour


# ---------------------------------------------------------------------- layout
@pytest.mark.parametrize("nodes, edges", [(NODES, EDGES), (list("abcd"), [(0, 2), (1, 2), (0, 3), (2, 3), (0, 3)])])
def test_layout_runs_left_to_right_and_joins_the_nodes(nodes, edges):
    plan = layout(nodes, edges)
    assert [n["label"] for n in plan["nodes"]] == list(nodes)
    for (a, b), edge in zip(edges, plan["edges"], strict=True):
        start, end = plan["nodes"][a], plan["nodes"][b]
        assert start["x"] < end["x"] and len(edge["points"]) % 3 == 1
        for (x, y), node in ((edge["points"][0], start), (edge["points"][-1], end)):
            assert abs(x - node["x"]) < node["w"] and abs(y - node["y"]) < 1.5 * node["h"]
    xs = [p[0] for e in plan["edges"] for p in e["points"]]
    assert min(xs) >= 0 and max(xs) <= plan["width"] and layout(nodes, edges) == plan


def test_the_first_layout_of_a_process_prints_nothing():
    code = "from nasviz.views.stage.layout import layout; import os; layout('ab', [(0, 1)]); os.write(2, b'mine')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "mine")
