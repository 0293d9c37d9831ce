"""The charts of one-shot and hardware in a browser: what the kernel and the reader do to each arrives at the other."""

import pytest
from charts import CHARTS
from lab_page import SCROLL, all_ran, becomes, press, saved_and_loaded_again

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

    # shown first, and grown while the page still drew it: every curve is there, whole and in its panel
    grown = Shown(page, "grown")
    grown.until("plot.data.length === 12 && plot.data.every((line) => line.y.length === 20)")
    assert grown.told("plot.data.map((line) => line.yaxis)") == 2 * ["y", "y2", "y2", "y3", "y3", "y4"]

    # words stand out from either theme's page
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        page.wait_for_function("(theme) => document.body.dataset.jpThemeName === theme", arg=theme)
        page.wait_for_function(f"({GROUND})() {'<' if 'Dark' in theme else '>'} 128")
        contrast = {name: Shown(page, name).told(f"({CONTRAST})(plot)") for name in CHARTS}
        assert min(contrast.values()) > 3, contrast

    # the page loaded again: what a slider says and what its chart shows still agree
    saved_and_loaded_again(page)
    devices = Shown(page, "devices")
    slider = devices.cell.locator(".noUi-handle").first
    assert slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax")
    devices.until("plot.data[0].text.flat().length > 0")
    devices.until(over, 0)
    assert page.complaints == []
