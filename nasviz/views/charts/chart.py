"""What charts to explore have in common: plotly on a live page, a picture of the same numbers where no widget runs."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from functools import lru_cache

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets

from ..raster import BACK, SHARP, Pen
from ..stage import panel
from ..stage.progress import GRID
from ..stage.widget import script

CLEAR = {
    "paper_bgcolor": "rgba(0,0,0,0)",  # on the light and on the dark theme
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"color": "#7d8590"},
    "margin": {"l": 60, "r": 20, "t": 40, "b": 50},
}


def stroke(dash: Sequence[float]) -> str:
    """A stroke pattern, px on and off, as plotly takes it."""
    return ",".join(f"{one:g}px" for one in dash) or "solid"


class Fit(anywidget.AnyWidget):
    """Invisible: tells plotly when the room beside it changes. It measures before it is shown, then listens to the
    window only. ``width`` is the chart's, in pixels, rounded down to fifty; 0 until a page has shown it."""

    width = traitlets.Int(0).tag(sync=True)
    _esm = """
    export default {
      render({ model, el, signal }) {
        const tell = () => {
          dispatchEvent(new Event("resize"));
          const width = el.clientWidth - el.clientWidth % 50;
          if (!width || width === model.get("width")) return;
          model.set("width", width);
          model.save_changes();
        };
        const size = new ResizeObserver(tell);
        size.observe(el);
        const later = [100, 1000, 4000].map((ms) => setTimeout(tell, ms)); // plotly itself takes a while to load
        signal.addEventListener("abort", () => {
          size.disconnect();
          later.forEach(clearTimeout);
        });
      },
    };
    """


class Chart(widgets.VBox):
    """Widgets around plotly figures, with a still and a text.

    Attributes
    ----------
    text : str
        The chart for who cannot see it.
    """

    text = ""

    def __init__(self, children):
        self.fit = Fit()
        super().__init__([*children, self.fit])

    def still(self) -> bytes | None:
        """The chart as PNG, light background."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs):
        return panel.with_still(super()._repr_mimebundle_(**kwargs), self.text, self)


def figure(**layout):
    """An empty figure in the house's style, to be filled and then made `live`; ``layout`` as plotly takes it."""
    import plotly.graph_objects as go  # half a second, for charts only

    out = go.Figure(layout={**CLEAR, "autosize": True, **layout})
    out.update_xaxes(gridcolor=GRID, zeroline=False)
    out.update_yaxes(gridcolor=GRID, zeroline=False)
    return out


def live(filled):
    """A filled figure as a widget.

    Filled first, and the page told of it once it is complete: what is added to a widget travels as messages, and a page
    that has not drawn it yet would have to catch up with each.
    """
    out = _figure_widget()(filled)
    # as wide as the page, also once it is resized; and no button that uploads a student's chart to plotly's cloud
    out._config = {"responsive": True, "displaylogo": False, "showSendToCloud": False}
    out.complete()
    return out


class PlotlyCode(anywidget.AnyWidget):
    """What plotly runs in a page, 5 MB: all charts of a notebook share one.

    Bytes, as text would be packed into JSON and unpacked each time that the page is loaded.
    """

    _esm = "export default {};"
    code = traitlets.Bytes().tag(sync=True)


# anywidget gives up a widget that is not there within two seconds (see listen.js). This one is there at once; what it
# is told while plotly is still being read is in its state, with which it begins.
SHARED = """
const load = async (model) => {
  const holder = await model.widget_manager.get_model(model.get("_plotly"));
  const url = URL.createObjectURL(new Blob([holder.get("code")], { type: "text/javascript" }));
  try {
    return (await import(url)).default;
  } finally {
    URL.revokeObjectURL(url);
  }
};
const forget = (error) => { // the next chart tries again
  delete globalThis.nasvizPlotly;
  throw error;
};
const begin = async (model) => {
  globalThis.nasvizPlotly ??= load(model).catch(forget);
  const widget = (await globalThis.nasvizPlotly)();
  widget.initialize({ model });
  return widget;
};

export default () => {
  let own, widget;
  const shown = new Set();
  // A view begins with the state, and then follows messages; the state comes after the message it agrees with. A view
  // that began between the two has missed one: with the first state that comes after it began, it is drawn anew.
  const anew = () => {
    own.off(); // plotly's listeners too, and this one
    widget = undefined;
    for (const show of shown) show();
  };
  return {
    initialize({ model }) {
      own = model;
      listen(model);
    },
    async render({ el, signal }) {
      let remove;
      const show = async () => {
        const drawn = await (widget ??= begin(own));
        if (signal.aborted) return;
        remove?.();
        remove = drawn.render({ el });
      };
      shown.add(show);
      signal.addEventListener("abort", () => {
        shown.delete(show);
        remove?.();
      });
      await show();
      own.off("change:_widget_data change:_widget_layout", anew);
      own.on("change:_widget_data change:_widget_layout", anew);
    },
  };
};
"""


@lru_cache
def _plotly_code() -> PlotlyCode:
    import plotly.graph_objects as go

    return PlotlyCode(code=str(go.FigureWidget._esm).encode())


@lru_cache
def _figure_widget():
    """plotly's widget, which opens its connection to the page only when it is `complete`."""
    import plotly.graph_objects as go

    class Whole(go.FigureWidget):
        _esm = script("listen") + SHARED
        _plotly = traitlets.Unicode().tag(sync=True)
        whole = False

        def open(self):
            if self.whole:
                super().open()

        def complete(self):
            self._plotly = _plotly_code().model_id
            self.whole = True
            self.open()
            self.observe(self._keep, [name for name in self.trait_names() if name.startswith("_py2js_")])

        def _keep(self, change):
            """What a page begins with that draws the chart anew, or later: plotly leaves it as it was at first."""
            if change.new is not None:
                with self.hold_sync():  # as one message: neither is seen without the other
                    self._widget_data, self._widget_layout = deepcopy(self._data), deepcopy(self._layout_obj._props)

    return Whole


def drawn(width: int, height: int, draw: Callable[[Pen], None]) -> bytes:
    """What ``draw`` does with a pen, as PNG."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width * SHARP, height * SHARP), BACK)
    draw(Pen(ImageDraw.Draw(image)))
    out = io.BytesIO()
    image.reduce(SHARP).quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue()


def short(number: float) -> str:
    """1,234,567 as ``1.23 M``."""
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def near(costs: np.ndarray, cost: float, share: float) -> np.ndarray:
    """Return which of ``costs``, shape (n,), differ from ``cost`` by at most ``share`` of it, as bool array."""
    return np.abs(np.asarray(costs, float) - cost) <= share * cost


def sides(x: Collection[float], y: Collection[float], names: Sequence[str], sizes: Sequence[float]) -> list[str]:
    """On which side of its dot each name stands, as plotly says it: the first of four where it covers least, roughly.

    ``x`` and ``y`` in pixels, y upwards; ``sizes``: the dots' diameters.
    """
    taken = [(a - 9, b - 9, a + 9, b + 9) for a, b in zip(x, y, strict=True)]
    out = []
    for a, b, name, size in zip(x, y, names, sizes, strict=True):
        boxes = beside(a, b, 6.2 * len(name), size / 2 + 2)
        side = min(boxes, key=lambda place: sum(meet(boxes[place], box) for box in taken))
        out.append(side)
        taken.append(boxes[side])
    return out


def beside(a: float, b: float, w: float, r: float) -> dict[str, tuple[float, float, float, float]]:
    """The four boxes in which a name of ``w`` pixels can stand, ``r`` pixels from its dot's middle, y upwards."""
    return {
        "top center": (a - w / 2, b + r, a + w / 2, b + r + 13),
        "bottom center": (a - w / 2, b - r - 13, a + w / 2, b - r),
        "middle right": (a + r, b - 7, a + r + w, b + 7),
        "middle left": (a - r - w, b - 7, a - r, b + 7),
    }


def meet(a: tuple, b: tuple) -> float:
    """Area that two boxes (left, low, right, high) share."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
