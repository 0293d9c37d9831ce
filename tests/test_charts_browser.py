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
        self.until("plot.data?.length && plot._fullLayout?.xaxis?.range")  # its lines come after its frame

    def told(self, what):
        """A JavaScript expression of ``plot``, which is looked for again: JupyterLab may have drawn the cell anew."""
        return self.plot.evaluate(f"(plot) => {what}")

    def until(self, what):
        """Wait for a JavaScript condition of ``plot``."""
        if becomes(self.page, lambda: self.told(what)):
            return
        handles = self.cell.locator(".noUi-handle").evaluate_all("(all) => all.map((handle) => handle.ariaValueText)")
        raise AssertionError(f"not so: {what}; its sliders: {handles}; complaints: {self.page.complaints}")

    def press(self, key, slider=0):
        """A key on one of its sliders."""
        press(self.page, self.cell.locator(".noUi-handle").nth(slider), key)

    def click(self, trace, point):
        """A click on a dot, which brings a cell."""
        self.plot.scroll_into_view_if_needed()
        self.until(f"({DOT})(plot, [{trace}, {point}]).every(Number.isFinite)")   # it is drawn in several steps
        self.page.mouse.click(*self.plot.evaluate(DOT, [trace, point]))
        self.cell.locator(".nasviz-stage").first.wait_for()


@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
def test_charts_of_one_shot_and_hardware(opened, late):
    page = opened("charts.ipynb", late)
    all_ran(page)

    # chosen before the page had the chart: all of it arrives, the kernels' squares and the star's size too
    elastic = Shown(page, "elastic")
    assert len(elastic.told("plot.data[3].x")) == 20 and elastic.told("plot.data[5].marker.size") == 15
    assert elastic.told("plot.data[1].y.filter((channels) => channels).length") == 10
    elastic.cell.locator(".widget-dropdown select").first.select_option("4")       # the first unit's depth
    elastic.until("plot.data[1].y.filter((channels) => channels).length === 12")
    elastic.press("End")                                                          # the resolution: 8×8 pixels
    elastic.cell.get_by_text("12 of 20 layers on images of 8×8").wait_for()
    elastic.until("plot.data[4].x.length === 3")                                  # what was tried before stays
    elastic.cell.locator("button", has_text="largest").click()
    elastic.until("plot.data[3].marker.size.every((side) => side === 16)")

    shrinking = Shown(page, "shrinking")
    assert shrinking.told("plot.data.map((line) => line.y.length)") == [4, 4, 4]
    assert shrinking.told("[...plot.querySelectorAll('.annotation-text')].map((t) => t.textContent)") == [
        "full", "kernel", "depth", "width",
    ]  # fmt: skip

    pareto = Shown(page, "pareto")
    front = pareto.told("plot.data[2].x.length")
    pareto.click(2, 0)
    pareto.press("Home")
    pareto.press("ArrowRight")
    pareto.until("plot.data[1].x.length === 1 && plot.data[2].x.length === 1")
    pareto.press("End")
    pareto.until(f"plot.data[2].x.length === {front}")

    latency = Shown(page, "latency")
    assert latency.told("[...plot.data[0].y]") == ["a", "b"]
    latency.cell.locator("button", has_text="by measured").click()
    latency.until("plot.data[0].y[0] === 'b'")

    counted = Shown(page, "counted")
    assert counted.told("plot.data[1].text.join('')") == "abc"
    counted.click(1, 0)

    devices = Shown(page, "devices")
    over = "plot.data[0].text.flat().filter((text) => text.includes('✗')).length"
    before = devices.told(over)
    devices.press("End")
    devices.until(f"{over} === 0")
    assert before > 0

    # shown first, and grown while the page still drew it: every curve is there, whole and in its panel
    grown = Shown(page, "grown")
    grown.until("plot.data.length === 12 && plot.data.every((line) => line.y.length === 20)")
    assert grown.told("plot.data.map((line) => line.yaxis)") == 2 * ["y", "y2", "y2", "y3", "y3", "y4"]

    # words stand out from either theme's page
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        page.wait_for_function("(theme) => document.body.dataset.jpThemeName === theme", arg=theme)
        page.wait_for_timeout(500)
        contrast = {name: Shown(page, name).told(f"({CONTRAST})(plot)") for name in CHARTS}
        assert min(contrast.values()) > 3, contrast

    # the page loaded again: what a slider says and what its chart shows still agree
    saved_and_loaded_again(page)
    devices = Shown(page, "devices")
    slider = devices.cell.locator(".noUi-handle").first
    assert slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemax") and devices.told(over) == 0
    assert page.complaints == []
