// course.js: axes on which a student draws a curve, and on which the result then appears.
// Uses views/js/listen.js. Pointer: drag. Keys: left and right choose a place, up and down raise and lower the curve there.

const NS = "http://www.w3.org/2000/svg";
const W = 640, H = 320, M = { left: 60, right: 20, top: 16, bottom: 44 };

const node = (name, attributes = {}, parent = undefined) => {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return parent ? parent.appendChild(made) : made;
};

const CSS = `
.curve { --fg: var(--jp-ui-font-color1, light-dark(#16181d, #eceef2)); --dim: var(--jp-ui-font-color2, light-dark(#5a606b, #a9b0bc));
  --line: var(--jp-border-color2, light-dark(#d8dbe0, #3c414a)); --bg: var(--jp-layout-color0, light-dark(#fff, #16181d));
  color: var(--fg); font: 14px/1.35 var(--jp-ui-font-family, system-ui, sans-serif); max-width: 720px; }
.curve svg { width: 100%; display: block; touch-action: none; cursor: crosshair; }
.curve svg:focus-visible { outline: 2px solid #1a6fd4; outline-offset: 2px; }
.curve text { fill: var(--dim); font: 12px var(--jp-ui-font-family, system-ui, sans-serif); }
.curve .name { font-weight: 600; paint-order: stroke; stroke: var(--bg); stroke-width: 4px; }
.curve .grid { stroke: var(--line); } .curve .you { stroke: var(--fg); }
.curve button { font: inherit; color: var(--fg); background: var(--bg); border: 1px solid var(--line); border-radius: 5px;
  padding: 2px 10px; cursor: pointer; }
.curve p { margin: 4px 0; } .curve .hint { color: var(--dim); }`;

function render({ model, el, signal }) {
  const { question, x, y, x_label, y_label, unit, points } = model.get("spec");
  const root = el.appendChild(Object.assign(document.createElement("div"), { className: "curve" }));
  root.append(Object.assign(document.createElement("style"), { textContent: CSS }));
  const title = root.appendChild(document.createElement("p"));
  title.append(Object.assign(document.createElement("b"), { textContent: question }));
  const svg = node("svg", { viewBox: `0 0 ${W} ${H}`, tabindex: 0, role: "application" }, root);
  svg.setAttribute("aria-label", `${question} Left and right choose a place, up and down move the curve.`);
  const bar = root.appendChild(document.createElement("p"));
  const clear = bar.appendChild(Object.assign(document.createElement("button"), { textContent: "Clear", type: "button" }));
  const hint = bar.appendChild(Object.assign(document.createElement("span"), { className: "hint", role: "status" }));
  hint.ariaLive = "polite";

  const X = (v) => M.left + ((v - x[0]) / (x[1] - x[0])) * (W - M.left - M.right);
  const Y = (v) => H - M.bottom - ((Math.min(y[1], Math.max(y[0], v)) - y[0]) / (y[1] - y[0])) * (H - M.top - M.bottom);
  const place = (i) => x[0] + ((x[1] - x[0]) * i) / (points - 1);
  const round = (v) => +v.toPrecision(4);
  for (let i = 0; i < 5; i++) {
    const v = y[0] + ((y[1] - y[0]) * i) / 4, u = x[0] + ((x[1] - x[0]) * i) / 4;
    node("line", { class: "grid", x1: M.left, x2: W - M.right, y1: Y(v), y2: Y(v) }, svg);
    node("text", { x: M.left - 8, y: Y(v) + 4, "text-anchor": "end" }, svg).textContent = round(v);
    node("text", { x: X(u), y: H - M.bottom + 18, "text-anchor": "middle" }, svg).textContent = round(u);
  }
  node("text", { x: W - M.right, y: H - 6, "text-anchor": "end" }, svg).textContent = x_label;
  node("text", { x: M.left, y: M.top - 4 }, svg).textContent = y_label + (unit ? ` (${unit})` : "");
  const results = node("g", {}, svg);
  const yours = node("path", { class: "you", fill: "none", "stroke-width": 2.5, "stroke-dasharray": "6 4" }, svg);
  const yourName = node("text", { class: "name", style: "fill: var(--fg)" }, svg);
  const cursor = node("circle", { class: "you", fill: "none", r: 5, visibility: "hidden" }, svg);

  let drawn = model.get("drawn").length ? [...model.get("drawn")] : new Array(points).fill(null);
  let last = null, at = 0;
  const path = (xs, ys) => xs.map((u, i) => `${i ? "L" : "M"}${X(u).toFixed(1)} ${Y(ys[i]).toFixed(1)}`).join("");

  function paint() {
    const known = [...drawn.keys()].filter((i) => drawn[i] !== null);
    yours.setAttribute("d", path(known.map(place), known.map((i) => drawn[i])));
    const end = known.at(-1);
    yourName.textContent = known.length > 1 ? "you" : "";
    if (known.length) {
      yourName.setAttribute("x", Math.min(X(place(end)) + 4, W - M.right - 24));
      yourName.setAttribute("y", Math.max(Y(drawn[end]) - 8, M.top + 12));
    }
    clear.hidden = !known.length || model.get("results").length > 0;
    if (!model.get("results").length) hint.textContent = known.length ? " " : " Draw here with the pointer, or with the arrow keys.";
  }
  function reveal() {
    results.replaceChildren();
    const taken = [];
    model.get("results").forEach(({ name, color, data: [u, low, high] }) => {
      if (high) {
        const d = path(u, low) + path([...u].reverse(), [...high].reverse()).replace("M", "L") + "Z";
        node("path", { d, fill: color, opacity: 0.25 }, results);
      } else node("path", { d: path(u, low), fill: "none", stroke: color, "stroke-width": 2.5 }, results);
      let top = Math.max(Y((high ?? low).at(-1)) - 7, M.top + 10);
      while (taken.some((other) => Math.abs(other - top) < 15)) top += 15;               // names do not meet
      taken.push(top);
      const text = node("text", { class: "name", x: W - M.right - 4, y: top, "text-anchor": "end" }, results);
      text.style.fill = color;
      text.textContent = name;
    });
    if (model.get("results").length) hint.textContent = "";
    paint();
  }
  function set(i, value) {
    drawn[i] = Math.min(y[1], Math.max(y[0], value));
  }
  function keep() {
    model.set("drawn", [...drawn]);
    model.save_changes();
  }
  function draw(event) {
    if (model.get("results").length) return;                                             // the answer is fixed by now
    const box = svg.getBoundingClientRect(), k = W / box.width;
    const u = (event.clientX - box.left) * k, v = (event.clientY - box.top) * k;
    const i = Math.max(0, Math.min(points - 1, Math.round(((u - M.left) / (W - M.left - M.right)) * (points - 1))));
    const value = y[0] + ((H - M.bottom - v) / (H - M.top - M.bottom)) * (y[1] - y[0]);
    const [j, from] = last ?? [i, value];
    for (let k = Math.min(i, j); k <= Math.max(i, j); k++) set(k, i === j ? value : from + ((value - from) * (k - j)) / (i - j));
    last = [i, value];
    paint();
  }
  svg.addEventListener("pointerdown", (event) => {
    last = null;
    svg.setPointerCapture(event.pointerId);
    draw(event);
  });
  svg.addEventListener("pointermove", (event) => event.buttons && last && draw(event));
  svg.addEventListener("pointerup", () => {
    last = null;
    keep();
  });
  svg.addEventListener("keydown", (event) => {
    const step = (y[1] - y[0]) / 50;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey || model.get("results").length) return;
    const before = drawn[at] ?? (y[0] + y[1]) / 2;
    at = Math.max(0, Math.min(points - 1, at + move[0]));
    set(at, (drawn[at] ?? before) + move[1]);
    cursor.setAttribute("visibility", "visible");
    cursor.setAttribute("cx", X(place(at)));
    cursor.setAttribute("cy", Y(drawn[at]));
    paint();
    keep();
    hint.textContent = ` ${x_label} ${round(place(at))}: ${round(drawn[at])} ${unit}`;
    event.preventDefault();
    event.stopPropagation();                                                             // JupyterLab binds these keys
  });
  clear.addEventListener("click", () => {
    drawn.fill(null);
    cursor.setAttribute("visibility", "hidden");
    paint();
    keep();
  });
  model.on("change:results", reveal);
  signal?.addEventListener("abort", () => model.off("change:results", reveal));
  reveal();
}

export default { initialize: ({ model }) => listen(model), render };
