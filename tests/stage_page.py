"""The stage's module in a page of its own, with a stand-in kernel and no network: fixtures that browser tests share."""

import base64
import json

import pytest

# A kernel in a page: what js/stage.js asks of anywidget's model, with every message it sends kept in `asked`.
KERNEL = """
const heard = { "msg:custom": [], "change:spec": [] };
window.asked = [];
window.model = {
  get: (name) => ({ spec: window.spec, first: window.first })[name],
  on: (name, f) => heard[name].push(f),
  off: (name, f) => (heard[name] = heard[name].filter((other) => other !== f)),
  send: (message) => window.asked.push(message),
};
window.tell = (message, columns = []) => {
  const buffers = columns.map((c) => new DataView(Float32Array.from(c).buffer));
  for (const f of heard["msg:custom"]) f(message, buffers);
};
window.redraw = (spec, run, count, columns) => {
  const bytes = columns.map((c) => new DataView(Float32Array.from(c).buffer));
  Object.assign(window, { spec, first: { run, count, columns: bytes } });
  for (const f of heard["change:spec"]) f();
};
window.show = (id) => {
  const end = new AbortController();
  hooks.render({ model: { ...window.model }, el: document.getElementById(id), signal: end.signal });
  return end;
};
const hooks = widget();
hooks.initialize({ model: window.model });
window.a = window.show("a");
"""


@pytest.fixture
def open_page(browser):
    """open_page(path, width=, scheme=, hash=): a page with the network cut off, that must log no error."""
    contexts, errors = [], []

    def opened(path, width=1000, scheme="light", step="", motion="no-preference"):
        context = browser.new_context(
            viewport={"width": width, "height": 700}, color_scheme=scheme, offline=True, reduced_motion=motion
        )
        contexts.append(context)
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on(
            "request", lambda r: None if r.url.startswith(("file:", "data:")) else errors.append("asked for " + r.url)
        )
        page.goto(f"file://{path}{step}")
        page.wait_for_selector(".nasviz-stage")
        drawn(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def live(open_page, tmp_path):
    """The widget's module with the stand-in kernel, before any step."""

    from nasviz.views.stage.widget import Stage

    def opened(a_spec):
        stage = Stage(a_spec)
        module = base64.b64encode(stage._esm.encode()).decode()
        page = tmp_path / "live.html"
        page.write_text(
            "<!doctype html><meta charset='utf-8'><div id=a></div><div id=b></div><script type=module>"
            f"import widget from 'data:text/javascript;base64,{module}';"
            f"window.spec = {json.dumps(stage.spec)};{KERNEL}</script>",
            encoding="utf-8",
        )
        return open_page(page)

    return opened


def drawn(page):
    """Wait until what was asked for is drawn: a stage measures its room in one frame and draws in the next."""
    page.evaluate("async () => { for (let n = 0; n < 3; n++) await new Promise(requestAnimationFrame); }")


def at(page):
    """The step shown, after the frame that shows it."""
    drawn(page)
    return int(page.get_attribute(".nasviz-stage", "data-step"))
