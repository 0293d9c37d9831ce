"""The parts around the stage: sliders for knobs, the status line of the search, and an exception in full."""

from __future__ import annotations

import base64
import traceback
from dataclasses import Field
from html import escape
from math import log10
from weakref import WeakSet

import anywidget
import ipywidgets as widgets

from ..colors import BLUE, MAGENTA
from .widget import Stage


def slider(field: Field, value: float) -> widgets.Widget:
    """Return the slider of a knob (see `nasviz.knobs.knob`): for whole numbers, for powers of ten, or a plain one."""
    low, high = min(field.metadata["low"], value), max(field.metadata["high"], value)  # a script may go beyond
    common = {
        "description": field.name.replace("_", " "),
        "tooltip": f"{field.metadata['help']} ({low:g} to {high:g})".strip(),
        "continuous_update": False,  # one change of the knob a gesture, not one a pixel
        "style": {"description_width": "110px"},
        "layout": {"width": "auto", "max_width": "460px"},
    }
    if isinstance(field.default, int):
        return widgets.IntSlider(value, low, high, **common)
    if field.metadata["log"] and low > 0:
        ends = {"min": log10(low), "max": log10(high), "step": 0.02, "readout_format": ".2g"}
        return widgets.FloatLogSlider(value, base=10, **ends, **common)
    return widgets.FloatSlider(value, min=low, max=high, step=(high - low) / 200, readout_format=".3g", **common)


class Names(anywidget.AnyWidget):
    """A widget that names the handles of the sliders around it for screen readers: ipywidgets gives them no name."""

    _esm = """
    // A page that is loaded again draws its sliders when it comes to it, some of them later than this widget.
    function name(player) {
      for (const handle of player.querySelectorAll(".noUi-handle:not([aria-label])")) {
        const slider = handle.closest(".widget-slider, .widget-hslider");
        const text = slider?.querySelector(".widget-label")?.textContent;
        if (text) handle.setAttribute("aria-label", text);
      }
    }
    export default { render({ el }) {
      el.style.display = "none";
      let observer, waiting;
      const begin = () => {
        const player = el.closest(".nasviz-player");
        if (!player) { waiting = setTimeout(begin, 500); return; }  // not in the page yet
        name(player);
        observer = new MutationObserver(() => name(player));
        observer.observe(player, { childList: true, subtree: true });
      };
      begin();
      return () => { clearTimeout(waiting); observer?.disconnect(); };
    } };
    """


def reading(field: Field, value: float) -> float:
    """Return a slider's value for its knob: rounded to four digits, and kept in what is allowed after rounding."""
    value = value if isinstance(field.default, int) else float(f"{value:.4g}")
    return min(max(value, field.metadata["range"].least), field.metadata["range"].most)


def status(done: int, total: int, part: float, seconds: float, word: str, best: str) -> str:
    """Return the status line in HTML: a progress bar, the time, the state and the best result.

    ``part`` is the finished share of the present step, 0 to 1.
    """
    minutes, seconds = divmod(int(seconds), 60)
    percent = 100 * min(1.0, (done + part) / max(1, total))
    return (
        f'<div style="{_LINE}">'
        f'<div role="progressbar" aria-label="Steps of the search" aria-valuemin="0" aria-valuemax="{total}" '
        f'aria-valuenow="{done}" style="{_BAR}"><div style="{_FILLED}; width:{percent:.2f}%"></div></div>'
        f"<span>{done} / {total}</span><span>{minutes}:{seconds:02d}</span><span>{word}</span>"
        f'<span style="{_CODE}">{escape(best)}</span></div>'
    )


def failure(error: BaseException, what: str = "The search stopped") -> str:
    """Return an exception as HTML: its message and its whole traceback."""
    text = escape("".join(traceback.format_exception(error)))
    return (
        f'<div role="alert" style="{_ALERT}"><b>{what}: {escape(f"{type(error).__name__}: {error}")}</b>'
        f'<pre style="{_PRE}">{text}</pre></div>'
    )


def with_still(bundle, text: str, stage: Stage) -> tuple[dict, dict]:
    """Add ``text`` and a picture of the stage to a widget's MIME bundle, for pages where no widget runs."""
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
    data = {**data, "text/plain": text}
    if picture := stage.still():
        data["image/png"] = base64.b64encode(picture).decode()
    return data, metadata


_changing: WeakSet = WeakSet()


def changing(widget) -> None:
    """Note a widget with a ``stage`` that later cells change: a stored page shows it as it was at the end."""
    _changing.add(widget)


def pictures() -> dict[str, dict[str, str]]:
    """Return what a stored page shows of each `changing` widget as it is now, by its model's id: MIME types, data."""
    there = [widget for widget in list(_changing) if widget.comm is not None]  # None once it is closed
    return {widget.model_id: with_still({}, repr(widget), widget.stage)[0] for widget in there}


_LINE = (
    "display:flex; flex-wrap:wrap; gap:2px 14px; align-items:center; line-height:1.6; font-variant-numeric:tabular-nums"
)
_BAR = (
    "flex:1 1 180px; max-width:320px; height:8px; border-radius:4px; overflow:hidden; "
    "background:var(--jp-layout-color3, #ddd)"
)
_FILLED = f"height:100%; background:{BLUE}"
_CODE = "font-family:var(--jp-code-font-family, monospace); font-size:.86em; overflow-wrap:anywhere"
_ALERT = f"border-left:3px solid {MAGENTA}; padding:4px 10px; line-height:1.4"
_PRE = "overflow:auto; max-height:22em; margin:6px 0 0; font-size:.85em; line-height:1.3"
