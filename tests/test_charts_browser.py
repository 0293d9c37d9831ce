"""The charts of one-shot and hardware in a browser: what the kernel and the reader do to each arrives at the other."""

import base64
import json

import pytest
from charts import CHARTS
from lab_page import SCROLL, all_ran, becomes, press, saved_and_loaded_again

from nasviz.estimators import Inherited
from nasviz.spaces import ElasticResNet
from nasviz.strategies import BigNas
from nasviz.views import Pull

# The least contrast between the words of a chart and the page behind them: labels and legend, not what lies on tiles.
CONTRAST = """(plot) => {
  const light = (color) => {
    const linear = (v) => ((v /= 255) <= 0.04 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = color.match(/[\\d.]+/g).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = light(getComputedStyle(plot.closest(".jp-Notebook")).backgroundColor);
  const words = [...plot.querySelectorAll(".xtick text, .ytick text, .g-xtitle text, .g-ytitle text, .legendtext")];
  return Math.min(...words.map((word) => {
    const [low, high] = [light(getComputedStyle(word).fill), page].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }));
}"""
# What the words lie on, from 0 (black) to 255: its style comes after the theme's name.
GROUND = """() => {
  const color = getComputedStyle(document.querySelector(".jp-Notebook")).backgroundColor;
  return color.match(/[\\d.]+/g).slice(0, 3).reduce((sum, value) => sum + value / 3, 0);
}"""
DOT = """(plot, [trace, point]) => {
  const { xaxis, yaxis } = plot._fullLayout, { left, top } = plot.getBoundingClientRect(), { x, y } = plot.data[trace];
  return [left + xaxis._offset + xaxis.l2p(x[point]), top + yaxis._offset + yaxis.l2p(y[point])];
}"""


class Shown:
    """A chart in the page, by the name of its variable."""

    def __init__(self, page, name):
        self.page = page
        page.evaluate(SCROLL, f"{name} = views")
        self.cell = page.locator(".jp-CodeCell").filter(has_text=f"{name} = views")
        self.plot = self.cell.locator(".js-plotly-plot").first
        self.plot.locator(".main-svg").first.wait_for()
        self.until("plot.data.length > 0 && plot._fullLayout.xaxis.range.length", 2)  # its lines come after its frame

    def told(self, what):
        """A JavaScript expression of ``plot``, which is looked for again: JupyterLab may have drawn the cell anew."""
        return self.plot.evaluate(f"(plot) => {what}")

    def until(self, what, value=True):
        """Wait until a JavaScript expression of ``plot`` has that value. A chart drawn anew has no lines at first."""
        careful = f"(() => {{ try {{ return {what}; }} catch {{ return null; }} }})()"
        if becomes(self.page, lambda: self.told(careful) == value):
            return
        handles = self.cell.locator(".noUi-handle").evaluate_all("(all) => all.map((handle) => handle.ariaValueText)")
        told = f"{what}: {self.told(careful)}, not {value}"
        raise AssertionError(f"{told}; its sliders: {handles}; complaints: {self.page.complaints}")

    def press(self, key, slider=0):
        """A key on one of its sliders."""
        press(self.page, self.cell.locator(".noUi-handle").nth(slider), key)

    def click(self, trace, point):
        """A click on a dot, which brings a cell; again if the page moved meanwhile."""
        cell = self.cell.locator(".nasviz-stage")
        for _ in range(4):
            self.plot.scroll_into_view_if_needed()
            self.until(f"({DOT})(plot, [{trace}, {point}]).every(Number.isFinite)")  # it is drawn in several steps
            self.page.mouse.click(*self.plot.evaluate(DOT, [trace, point]))
            if becomes(self.page, cell.count, seconds=10):
                return
        raise AssertionError("a click on a dot brings no cell")


@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
def test_charts_of_one_shot_and_hardware(opened, late):
    page = opened("charts.ipynb", late)
    all_ran(page)

    # chosen before the page had the chart: all of it arrives, the kernels' squares and the star's size too; awaited, as
    # the kernel answers a page that asks late only after the last cell
    elastic = Shown(page, "elastic")
    elastic.until("plot.data[3].x.length", 20)
    elastic.until("plot.data[5].marker.size", 15)
    elastic.until("plot.data[1].y.filter((channels) => channels).length", 10)
    elastic.cell.locator(".widget-dropdown select").first.select_option("4")  # the first unit's depth
    elastic.until("plot.data[1].y.filter((channels) => channels).length", 12)
    elastic.press("End")  # the resolution: 8×8 pixels
    elastic.cell.get_by_text("12 of 20 layers on images of 8×8").wait_for()
    elastic.until("plot.data[4].x.length", 3)  # what was tried before stays
    elastic.cell.locator("button", has_text="largest").click()
    elastic.until("plot.data[3].marker.size.every((side) => side === 16)")

    shrinking = Shown(page, "shrinking")
    shrinking.until("plot.data.map((line) => line.y.length)", [4, 4, 4])
    names = "[...plot.querySelectorAll('.annotation-text')].map((text) => text.textContent)"
    shrinking.until(names, ["full", "kernel", "depth", "width"])

    pareto = Shown(page, "pareto")
    pareto.until("plot.data[1].x.length", 30)
    front = pareto.told("plot.data[2].x.length")
    pareto.click(2, 0)
    pareto.press("Home")
    pareto.press("ArrowRight")
    pareto.until("plot.data[1].x.length === 1 && plot.data[2].x.length === 1")
    pareto.press("End")
    pareto.until("plot.data[2].x.length", front)

    latency = Shown(page, "latency")
    latency.until("[...plot.data[0].y]", ["a", "b"])
    latency.cell.locator("button", has_text="by measured").click()
    latency.until("plot.data[0].y[0]", "b")

    counted = Shown(page, "counted")
    counted.until("plot.data[1].text.join('')", "abc")
    counted.click(1, 0)

    devices = Shown(page, "devices")
    over = "plot.data[0].text.flat().filter((text) => text.includes('✗')).length"
    devices.until(f"{over} > 0")
    devices.press("End")
    devices.until(over, 0)

    within = Shown(page, "within")
    lit = within.told("plot.data[1].x.length")
    assert lit > 0
    within.press("Home")  # the budget of the cheapest
    within.until(f"plot.data[1].x.length !== {lit}")

    # the kernel judges what is pulled, and the page hears it
    page.evaluate(SCROLL, "pulled = views")
    assert becomes(page, lambda: told(page)[:1] == ["3.58 M"] and told(page)[1].endswith("%"))
    page.get_by_role("slider", name="Width of stage 3").press("ArrowDown")
    assert becomes(page, lambda: told(page)[:1] == ["3.16 M"] and told(page)[1].endswith("%"))

    # shown first, and grown while the page still drew it: every curve is there, whole and in its panel
    grown = Shown(page, "grown")
    grown.until("plot.data.length === 12 && plot.data.every((line) => line.y.length === 20)")
    assert grown.told("plot.data.map((line) => line.yaxis)") == 2 * ["y", "y2", "y2", "y3", "y3", "y4"]

    # words stand out from either theme's page
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        page.wait_for_function("(theme) => document.body.dataset.jpThemeName === theme", arg=theme)
        page.wait_for_function(f"({GROUND})() {'<' if 'Dark' in theme else '>'} 128")
        contrast = {name: Shown(page, name).told(f"({CONTRAST})(plot)") for name in CHARTS if name != "pulled"}
        assert min(contrast.values()) > 3, contrast

    # the page loaded again: what a slider says and what its chart shows still agree
    saved_and_loaded_again(page)
    devices = Shown(page, "devices")
    slider = devices.cell.locator(".noUi-handle").first
    assert slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")
    devices.until("plot.data[0].text.flat().length > 0")
    devices.until(over, 0)
    assert page.complaints == []


# ------------------------------------------------------------------------------ a network that is pulled at by hand
KERNEL = """
const heard = {};
window.asked = [];
window.model = {
  get: (name) => window.state[name],
  set: (name, value) => (window.state[name] = value),
  save_changes: () => window.asked.push([...window.state.arch]),
  on: (name, act) => (heard[name] = act),
  off: () => {},
};
window.tell = (name, value) => {
  window.state[name] = value;
  heard["change:" + name]();
};
for (const one of window.state.space.pictures) one.bytes = new DataView(Uint8Array.from(one.bytes).buffer);
widget.initialize({ model: window.model });
widget.render({ model: window.model, el: document.getElementById("a"), signal: new AbortController().signal });
"""


@pytest.fixture
def pulled(open_page, tmp_path):
    """A view of some known children, and its page with a stand-in kernel that answers nothing by itself."""
    space, search = ElasticResNet(), BigNas(ElasticResNet(), size=16, images=64, batch=64)
    known = {arch: 0.5 + n / 10_000 for n, arch in enumerate(space.distinct()[::7])} | {space.largest: 0.9}
    view = Pull(Inherited.of(search, search.begin().pack(), recalibrate=1), known, around=0.3)
    picture = view.picture
    state = {name: getattr(picture, name) for name in ("known", "tried", "arch")}
    pictures = [one | {"bytes": list(one["bytes"])} for one in picture.space["pictures"]]
    state["space"] = picture.space | {"pictures": pictures}
    module = base64.b64encode(picture._esm.encode()).decode()
    path = tmp_path / "pull.html"
    path.write_text(
        "<!doctype html><meta charset='utf-8'><div id=a></div><script type=module>"
        f"import widget from 'data:text/javascript;base64,{module}';"
        f"window.state = {json.dumps(state)};{KERNEL}</script>",
        encoding="utf-8",
    )
    return view, open_page(path, width=900)


def told(page):
    """What the page says: multiply-adds, accuracy, rank."""
    return page.locator(".pull .fact b").all_text_contents()


def drag(page, name, dx, dy):
    """Pull at a handle by so many pixels, once the picture stands still."""
    page.wait_for_function("document.querySelector('.pull').pull.still()")
    box = page.get_by_role("slider", name=name).locator(".knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=6)
    page.mouse.up()


def test_a_network_is_pulled_at_by_mouse_and_by_keys(pulled):
    view, page = pulled
    space = view.space

    def value(name):
        return page.get_by_role("slider", name=name).get_attribute("aria-valuetext")

    assert told(page)[:2] == ["3.58 M", "90.0 %"]
    # page and kernel count alike, for every child
    costs = page.evaluate("(all) => all.map(document.querySelector('.pull').pull.spent)", space.distinct())
    assert costs == [space.madds(arch) for arch in space.distinct()]

    for name, dx, dy, says in (
        ("Width of stage 3", 0, 400, "24 channels"),
        ("Width of stage 3", 0, -40, "32 channels"),
        ("Depth of stage 2", -200, 0, "1 layer"),
        ("Side of the image", -20, 20, "12 pixels"),
        ("Kernel of stage 1", -12, 12, "3×3"),
    ):
        before = value(name)
        drag(page, name, dx, dy)
        assert value(name) == says != before
        child = page.evaluate("window.asked.at(-1)")
        assert page.evaluate("document.querySelector('.pull').dataset.arch") == ",".join(map(str, child))
        cost = space.madds(tuple(child))
        assert page.evaluate("document.querySelector('.pull').dataset.cost") == str(cost)
    assert space.to_text(tuple(child)) == "r12 | k3 w12 d2 | w24 d0 | w32 d2"

    # keys; what is not known is asked for, and the answer is kept
    handle = page.get_by_role("slider", name="Depth of stage 1")
    handle.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert value("Depth of stage 1") == "2 layers" and handle.get_attribute("aria-valuenow") == "2"
    page.get_by_role("button", name="largest").click()
    child = [*space.largest[:-1], 1]
    assert tuple(child) not in view.known
    page.get_by_role("slider", name="Depth of stage 3").press("ArrowLeft")
    assert page.evaluate("window.asked.at(-1)") == child and told(page)[1] == "…"
    page.evaluate("(child) => window.tell('tried', [...window.state.tried, { arch: child, score: 0.85 }])", child)
    view.known[tuple(child)] = 0.85
    view.set(child)
    less, count = view.rank(tuple(child))
    assert count > 1 and told(page) == [f"{space.madds(tuple(child)) / 1e6:.3g} M", "85.0 %", f"{less} of {count}"]

    # what the kernel sets is shown; a pale block adds layers
    page.evaluate("(child) => window.tell('arch', child)", list(space.smallest))
    assert value("Width of stage 1") == "6 channels" and value("Side of the image") == "8 pixels"
    page.locator(".pull .ghost.free").nth(1).locator(".front").click()
    assert value("Depth of stage 1") == "3 layers"
    for button in ("smallest", "random"):
        page.get_by_role("button", name=button).click()
    drawn = page.evaluate("window.asked.at(-1)")
    assert drawn != list(space.smallest) and space.check(tuple(drawn))
    spoken = page.get_by_role("status").filter(has_text=told(page)[0])
    spoken.wait_for(state="attached")
    assert spoken.get_attribute("aria-live") == "polite"
