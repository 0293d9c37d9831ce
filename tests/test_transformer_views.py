"""A transformer to click together, its library as a map, the frontier of budgets, and milliseconds of half-blocks."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from stage_page import drawn
from test_colors import SIGHTS, lab, linear

from nasviz.hardware import HalfBlockTimes, half_block_times
from nasviz.hardware.block_times import Branch
from nasviz.nn import count
from nasviz.spaces import NasBench201, TransformerSpace
from nasviz.step import Step
from nasviz.strategies import BlockwiseDistillation, Distillation
from nasviz.strategies.blockwise_distillation import BLOCKWISE
from nasviz.strategies.mixed_integer import Budget, programme
from nasviz.views import Stage, TransformerStack, colors, frontier, harms_map
from nasviz.views.charts.harms_map import Scale, brief, said
from nasviz.views.stage import panel
from nasviz.views.stage.from_search import Rows

SPACE = TransformerSpace(blocks=2)
HARMS = np.array(
    [[0.8, 0.5, 0.1, 0.02, 0], [1.5, 0.9, 0.2, 0.06, 0], [0.3, 0.04, 0.01, 0.003, 0], [0.07, 0.03, 0.02, -0.001, 0]]
)
MS = np.tile([0.0, 1.0, 2.0, 3.0, 4.0], (4, 1))
PART = SPACE.from_text("h2 f1/4 | mean none")


@pytest.fixture
def stack():
    return TransformerStack(SPACE, HARMS, {"multiply-adds": SPACE.madds, "ms": MS}, PART)


# ------------------------------------------------------------------------------------------------------- the stack
def test_a_stack_counts_what_a_network_costs_and_loses(stack):
    assert stack.arch == PART == (3, 2, 1, 0)
    assert stack.cost("multiply-adds") == (SPACE.madds(PART), SPACE.madds(PART) / SPACE.madds(SPACE.largest))
    assert stack.cost("ms") == (6.0, 6 / 16)
    assert stack.harm == pytest.approx(0.02 + 0.2 + 0.04 + 0.07)
    heard = []
    stack.observe(lambda change: heard.append(change.new), "arch")
    stack.arch = list(SPACE.largest)
    assert heard == [SPACE.largest] and stack.harm == 0 and stack.cost("ms") == (16.0, 1.0)
    with pytest.raises(ValueError, match="no architecture"):
        stack.arch = (9, 0, 0, 0)
    assert stack.arch == SPACE.largest


def test_a_stack_without_numbers_counts_multiply_adds_from_the_parent_on():
    stack = TransformerStack(SPACE)
    assert stack.arch == SPACE.largest and stack.harm is None and list(stack.costs) == ["multiply-adds"]
    rng = np.random.default_rng(0)
    for arch in [SPACE.sample(rng) for _ in range(10)]:
        stack.arch = arch
        assert stack.cost("multiply-adds")[0] == SPACE.madds(arch)
    assert "harm" not in stack.text


def test_a_stack_is_said_in_words_drawn_and_stored_as_it_is_at_the_end(stack):
    assert stack.text == (
        "h2 f1/4 | mean none: 18 % of the parent's multiply-adds (300 k), 38 % of the parent's ms (6), "
        "harms add up to 0.33."
    )
    before = stack.still()
    assert before.startswith(b"\x89PNG") and "image/png" in stack._repr_mimebundle_()[0]
    stack.arch = SPACE.largest
    stored = panel.pictures()[stack.model_id]
    assert stored["text/plain"] == stack.text and base64.b64decode(stored["image/png"]) == stack.still() != before


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"harms": HARMS[:3]}, "shape"),
        ({"harms": HARMS * np.nan}, "finite"),
        ({"costs": {"ms": MS[:, 1:]}}, "costs of 'ms'"),
        ({"costs": {"squares": lambda arch: SPACE.madds(arch) ** 2}}, "no sum"),
        ({"arch": "h9 f1 | h4 f1"}, "h9"),
        ({"space": NasBench201()}, "TransformerSpace"),
    ],
)
def test_what_a_stack_cannot_show_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        TransformerStack(**{"space": SPACE, **wrong})


# --------------------------------------------------------------------------------------------------- in a browser
KERNEL = """
const heard = [];
const state = { picture: PICTURE, arch: ARCH };
window.state = state;
window.set = (arch) => { state.arch = arch; for (const f of heard) f(); };
const model = {
  get: (name) => state[name],
  set: (name, value) => { state[name] = value; for (const f of heard) f(); },
  save_changes: () => (window.saved = [...state.arch]),
  on: (_, f) => heard.push(f),
  off: () => {},
};
widget.render({ model, el: document.getElementById("a"), signal: new AbortController().signal });
"""


@pytest.fixture
def shown(stack, open_page, tmp_path):
    def opened(**how):
        module = base64.b64encode(stack._esm.encode()).decode()
        kernel = KERNEL.replace("PICTURE", json.dumps(stack.picture)).replace("ARCH", json.dumps(stack.arch))
        path = tmp_path / "stack.html"
        path.write_text(
            "<!doctype html><meta charset='utf-8'><meta name='color-scheme' content='light dark'><div id=a></div>"
            f"<script type=module>import widget from 'data:text/javascript;base64,{module}';{kernel}</script>",
            encoding="utf-8",
        )
        return open_page(path, **how)

    return opened


def of(page):
    """The words of the totals, the text, and the chosen cells from the last half-block to the first."""
    chosen = page.locator(".stack [aria-checked='true'] > span").all_text_contents()
    return page.locator(".stack .totals b").all_text_contents(), page.locator(".stack .text").text_content(), chosen


def test_a_click_chooses_a_variant_and_the_network_is_counted_at_once(shown, stack):
    page = shown(width=900)
    totals, text, chosen = of(page)
    assert totals == ["18 % of the parent's (300 k)", "38 % of the parent's (6)", "0.33"]
    assert text == SPACE.to_text(PART) and chosen == ["none", "mean", "f1/4", "h2"]
    boxes = ".stack .row rect"
    hidden = page.locator(boxes).evaluate_all("(all) => all.map((box) => box.style.display)")
    assert hidden == ["none", "", "", ""]  # a half-block that is left out has no box
    page.get_by_role("radiogroup", name="block 2: feed-forward").get_by_role("radio").nth(3).click()
    assert page.evaluate("saved") == [3, 2, 1, 3]
    stack.arch = (3, 2, 1, 3)
    totals, text, _ = of(page)
    share = 100 * stack.cost("multiply-adds")[1]
    assert totals[0].startswith(f"{share:.0f} %") and totals[1:] == ["56 % of the parent's (9)", "0.26"]
    assert text == SPACE.to_text(stack.arch)
    assert page.locator(boxes).first.evaluate("(box) => box.style.display") == ""
    page.get_by_role("button", name="the whole parent").click()
    assert page.evaluate("saved") == list(SPACE.largest) and of(page)[0][1:] == ["100 % of the parent's (16)", "0"]
    page.evaluate("set([0, 0, 0, 0])")  # the kernel chooses
    assert of(page)[2] == ["none"] * 4 and page.get_by_role("status").text_content().endswith("harms add up to 2.7.")


def test_keys_choose_and_go_from_row_to_row(shown):
    page = shown(width=900, scheme="dark")
    assert page.locator(".stack .rows [tabindex='0']").count() == 1, "one stop for the tab key"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")  # the last half-block has nothing smaller
    assert page.evaluate("state.arch") == [3, 2, 1, 0]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("state.arch") == [3, 2, 2, 0]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")  # there is nothing below the first
    assert page.evaluate("saved") == [4, 0, 2, 0]
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused == "attention, 4 heads, harm 0" and page.locator(".stack .rows [tabindex='0']").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_of_cells_stand_out_and_nothing_is_wider_than_the_page(shown, scheme):
    page = shown(width=560, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    contrasts = page.evaluate("""() => {
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      const light = (color) => {
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const linear = (v) => ((v /= 255) <= 0.04 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(linear);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      return [...document.querySelectorAll(".stack .cells button")].map((cell) => {
        const look = getComputedStyle(cell);
        const [low, high] = [light(look.color), light(look.backgroundColor)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
      });
    }""")
    assert min(contrasts) > 4, sorted(contrasts)[:4]


# ------------------------------------------------------------------------------------------- the map, the frontier
def test_colours_of_harms_are_logarithmic_and_span_three_powers_of_ten():
    scale = Scale(np.array([0.0, 1e-6, 0.01, 1.0]))
    assert scale.share(1.0) == 1 and scale.share(0.1) == pytest.approx(2 / 3)
    assert scale.share(0.001) == scale.share(1e-6) == scale.share(0) == scale.share(-1) == 0
    assert scale.color(0) == colors.COSTS[0] and scale.color(1.0) == colors.COSTS[-1]
    none = Scale(np.zeros((2, 2)))
    assert none.share(0) == 0 and np.isfinite([none.low, none.top]).all()
    assert [said(harm) for harm in (0, 0.00341, 1.5, 12.0, -0.001, 1e-5)] == [
        "0", "0.0034", "1.5", "12", "−0.001", "1.0e−05"]  # fmt: skip
    assert [brief(harm) for harm in (0, 0.00341, 0.0851, 1.5, 12.0, -0.0001, 1e-5)] == [
        "0", "0.003", "0.085", "1.5", "12", "0", "<.001"]  # fmt: skip


def test_the_map_has_a_row_for_each_block_and_says_each_harm():
    view = harms_map(HARMS, SPACE, measured=2 * HARMS)
    attention, after = view.figure.data
    assert list(attention.y) == ["block 1", "block 2"] and list(attention.x) == list(SPACE.attention)
    assert list(after.x) == list(SPACE.feed_forward)
    assert [list(row) for row in after.text] == [["1.5", "0.9", "0.2", "0.06", "0"],
                                                 ["0.07", "0.03", "0.02", "−0.001", "0"]]  # fmt: skip
    assert attention.z[0][2] == pytest.approx(-1) and attention.z[0][4] == pytest.approx(np.log10(0.003))
    assert attention.customdata[1][1] == "block 2: attention: mean<br>harm 0.04<br>measured 0.08"
    assert view.text.endswith("Least needed: block 2: feed-forward; most: block 1: feed-forward.")
    assert view.still().startswith(b"\x89PNG")
    for wrong in ((HARMS[:2], None), (HARMS, HARMS + np.nan)):
        with pytest.raises(ValueError, match=r"\(4, 5\)"):
            harms_map(wrong[0], SPACE, wrong[1])


LINES = {
    "uniform": [(35, 82.5, 82.0, 83.1), (20, 82.1, 81.7, 82.4)],
    "programme": [(20, 83.4, 83.2, 83.7), (35, 84.0, 83.8, 84.1)],
    "mine": [(20, 80.0, 80.0, 80.0)],
}


def test_the_frontier_has_a_line_for_each_method_with_its_intervals():
    view = frontier(LINES, "work kept, %", "test accuracy, %")
    lines = dict(zip(LINES, view.figure.data, strict=True))
    assert list(lines["uniform"].y) == [82.1, 82.5] and lines["uniform"].customdata[:, 0].tolist() == [20, 35]
    error = lines["programme"].error_y
    assert np.allclose(error.array, [0.3, 0.1]) and np.allclose(error.arrayminus, [0.2, 0.2])
    assert len({line.x[0] for line in lines.values()}) == 3, "at one cost, none covers another"
    assert [lines[name].line.color for name in ("uniform", "programme")] == [colors.TEAL, colors.BLUE]
    assert "programme: 83.4 (83.2 to 83.7) at 20, 84.0 (83.8 to 84.1) at 35." in view.text
    assert view.still().startswith(b"\x89PNG")


def test_a_point_below_the_floor_of_a_frontier_is_drawn_there_and_says_its_value():
    view = frontier(LINES | {"depth": [(20, 40.5, 40.0, 41.0), (35, 83, 82, 84)]}, "work, %", "accuracy, %", floor=79)
    assert view.figure.layout.yaxis.range[0] == 79 and view.figure.layout.yaxis.range[1] > 84.1
    depth = view.figure.data[-1]
    assert list(depth.y) == [79, 83] and [text.strip() for text in depth.text] == ["40.5 ↓", ""]
    assert depth.customdata[:, 3].tolist() == [40.5, 83] and list(depth.error_y.array) == [0, 1]
    assert "depth: 40.5 (40.0 to 41.0) at 20" in view.text and view.still() != frontier(LINES, "a", "b").still()
    with pytest.raises(ValueError, match="floor"):
        frontier(LINES, "work, %", "accuracy, %", floor=84.1)


@pytest.mark.parametrize("wrong", [{}, {"a": []}, {"a": [(1, 2, 3, 4)]}, {"a": [(1, np.nan, 0, 3)]}, {"a": [(1, 2)]}])
def test_a_frontier_without_points_or_intervals_is_refused(wrong):
    with pytest.raises(ValueError, match="point"):
        frontier(wrong, "x", "y")


@pytest.mark.parametrize("sight", SIGHTS, ids=["normal", "protanopia", "deuteranopia", "tritanopia"])
def test_two_methods_differ_in_colour_or_in_stroke_pattern(sight):
    looks = list(colors.METHODS.values())
    for i, a in enumerate(looks):
        for b in looks[:i]:
            far = np.linalg.norm(lab(sight @ linear(a.color)) - lab(sight @ linear(b.color))) > 9
            assert far or a.dash != b.dash, (a, b)
    assert colors.method("scratch") is colors.METHODS["uniform from scratch"]
    assert colors.method("mine") == colors.method("mine")


# ------------------------------------------------------------------------------------------------- milliseconds
def timed(module, shape):
    """A clock on which a parameter costs a microsecond, an addition in a network one more, an image a thousandth."""
    return 1e-3 * (count.parameters(module) + isinstance(module, Branch)) * shape[0] / 1000


def test_milliseconds_of_half_blocks_are_measured_once_and_add_up():
    asked = []

    def clock(module, shape):
        asked.append(shape)
        return timed(module, shape)

    times = half_block_times(SPACE, batch=1000, timed=clock, width=16)
    assert asked.count((1000, 16, 16)) == 8 and len(asked) == 8 + 3  # four of each half; patches, norm, classifier
    rng = np.random.default_rng(0)
    for arch in [SPACE.smallest, SPACE.largest, *(SPACE.sample(rng) for _ in range(5))]:
        network = SPACE.network(arch, width=16)
        there = sum(option > 0 for option in arch)
        assert times(arch) == pytest.approx(1e-3 * (count.parameters(network) + there))
    assert times.ms.shape == (4, 5) and not times.ms[:, 0].any() and times(SPACE.smallest) == pytest.approx(times.rest)
    assert times.errors([SPACE.largest], [times(SPACE.largest) / 1.25]) == pytest.approx([0.25])


def test_half_blocks_are_timed_on_this_machine_as_they_run_in_a_network():
    half = SPACE.network(SPACE.largest, width=16).halves[0].eval()
    tokens = torch.randn(2, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(Branch(half)(tokens), tokens + half(tokens))
    times = half_block_times(SPACE, batch=2, samples=5, tolerance=100.0, width=16)
    assert (times.ms[:, 1:] > 0).all() and times.rest > 0 and times.table.batch == 2


def test_milliseconds_are_a_budget_a_cost_of_the_stack_and_a_file(tmp_path):
    times = half_block_times(SPACE, batch=1000, timed=timed)
    found = programme(np.maximum(HARMS, 0), [Budget(times.ms, 0.5 * times(SPACE.largest) - times.rest)])
    assert times(found) <= 0.5 * times(SPACE.largest) and found != SPACE.smallest
    stack = TransformerStack(SPACE, HARMS, {"ms": times}, found)
    assert stack.cost("ms")[0] == pytest.approx(times(found))
    read = half_block_times(SPACE, table=times.table.load(times.table.save(tmp_path / "times.json")))
    assert isinstance(read, HalfBlockTimes) and (read.ms == times.ms).all() and read.rest == times.rest
    with pytest.raises(KeyError, match="never measured"):
        half_block_times(SPACE, table=times.table, width=16)


# ------------------------------------------------------------------------------------------ distillation, watched
def library_step(number, each):
    """A step of a library whose half-block ``number // each`` learns: its errors fall from 1 to 0.1."""
    place = number // each
    errors = np.full((4, 5), np.nan, "<f4")
    errors[:place] = [1, 0.1, 0.1, 0.1, 0]
    errors[place] = [1, *3 * [1 - 0.9 * (number % each) / (each - 1)], 0]
    return Step(loss=float(errors[place, 1:4].mean()), errors=errors, place=place)


def test_a_library_is_watched_half_block_by_half_block():
    search = BlockwiseDistillation(SPACE, b"", recipe=replace(BLOCKWISE, images=1280))
    rows = Rows(search)
    lines, table = rows.spec.views
    assert (lines.kind, lines.each, table.kind) == ("traces", 10, "heat") and len(search) == 40
    assert list(rows.spec.labels) == ["none", "mean f1/8", "h1 f1/4", "h2 f1/2", "h4 f1"]
    assert len({*zip(rows.spec.colors, map(tuple, rows.spec.dashes), strict=True)}) == 5
    row = rows.row(library_step(13, 10), 0.0)
    assert row["learning"].tolist() == [[0] * 5, [0, 1, 1, 1, 0], [0] * 5, [0] * 5]
    stage = Stage(rows.spec, [rows.row(library_step(number, 10), 0.0) for number in range(25)])
    assert stage.still().startswith(b"\x89PNG")
    assert Rows(replace(search, learn=False)).spec.views[0].each == 0


# From where to where the lines of each of four panels reach, as shares of the canvas that holds them.
REACH = """() => {
  const canvas = document.querySelector(".nasviz-stage canvas");
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const ends = [0, 1, 2, 3].map(() => []);
  for (let x = 0; x < width; x++)
    for (let y = 0; y < height; y++) {
      const rgb = data.slice(4 * (y * width + x), 4 * (y * width + x) + 3);
      if (data[4 * (y * width + x) + 3] > 200 && Math.max(...rgb) - Math.min(...rgb) > 90) {
        const place = ((x / width) * canvas.clientWidth - 40) / ((canvas.clientWidth - 46) / 4);
        if (place >= 0) ends[Math.min(3, Math.floor(place))].push(place % 1);
      }
    }
  return ends.map((of) => (of.length ? [Math.min(...of), Math.max(...of)] : []));
}"""


def test_the_page_draws_each_half_block_on_the_axis_of_its_turn(live):
    rows = Rows(BlockwiseDistillation(SPACE, b"", recipe=replace(BLOCKWISE, images=1280)))
    page = live(rows.spec.plain())
    shown = [rows.row(library_step(number, 10), 0.0) for number in range(25)]
    columns = [np.nan_to_num(np.array([row[name] for row in shown])).ravel().tolist() for name in rows.arrays]
    page.evaluate("(all) => tell({ type: 'frames', run: 0, start: 0, count: 25, marks: [] }, all)", columns)
    drawn(page)
    reach = page.evaluate(REACH)
    wide = 1 - 14 / ((page.locator(".nasviz-stage canvas").first.evaluate("(c) => c.clientWidth") - 46) / 4)
    assert reach[0] == pytest.approx([0, wide], abs=0.03) and reach[1] == pytest.approx([0, wide], abs=0.03)
    assert reach[2] == pytest.approx([0, wide * 4 / 9], abs=0.03) and reach[3] == []  # step 24 of 20 to 29


def test_a_whole_distillation_shows_loss_and_accuracy():
    tuned = Rows(Distillation(SPACE, PART))
    assert [view.kind for view in tuned.spec.views] == ["curve", "curve"]
    assert {"loss", "valid_loss", "valid_accuracy"} == set(tuned.arrays)
    taught = Rows(Distillation(SPACE, PART, teacher=b""))  # its losses are of two kinds
    assert [one["label"] for one in taught.spec.plain()["views"][0]["series"]] == [
        "training, against the teacher", "validation, against labels"]  # fmt: skip
