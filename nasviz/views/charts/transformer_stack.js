// transformer_stack.js: a transformer's half-blocks, one a row, and their variants as cells to click. Uses base.js,
// look.js, listen.js. Python's side is transformer_stack.py.

const STACK_CSS = `
.stack .totals {
  display: grid; grid-template-columns: max-content 1fr max-content; gap: 4px 12px; align-items: center;
}
.stack .totals b { min-width: 12.5em; font-variant-numeric: tabular-nums; }
.stack .totals .meter { height: 12px; border-radius: 6px; background: var(--line); overflow: hidden; display: flex; }
.stack .totals .meter i { flex: none; height: 100%; background: #1a6fd4; }
.stack .text {
  margin: 6px 0 8px; color: var(--dim); font: 12px var(--jp-code-font-family, monospace); overflow-wrap: anywhere;
}
.stack .rows { display: grid; grid-template-columns: max-content 150px minmax(0, 1fr) 80px; }
.stack .row { display: contents; }
.stack .row > * { height: 28px; box-sizing: border-box; }
.stack .row.first > * { height: 36px; padding-bottom: 8px; } .stack .row.first > svg { padding: 0; }
.stack .row .name { color: var(--dim); text-align: right; padding-right: 10px; line-height: 28px; font-size: 13px; }
.stack .row.end > * { height: 22px; } .stack .row.end .name { line-height: 22px; }
.stack .row svg { display: block; width: 150px; overflow: visible; }
.stack .row svg line { stroke: var(--dim); stroke-width: 2; }
.stack .row svg rect { fill-opacity: .45; stroke-width: 2; }
.stack .cells { display: flex; gap: 3px; }
.stack .cells button {
  flex: 1 1 0; min-width: 0; height: 26px; margin: 1px 0; padding: 0 5px; border: 1px solid transparent;
  display: flex; justify-content: center; align-items: center; gap: 7px; font-size: 12.5px; border-radius: 4px;
  font-variant-numeric: tabular-nums; white-space: nowrap; overflow: hidden;
  background: color-mix(in srgb, var(--fill, var(--fg)) var(--tint, 6%), var(--bg));
}
.stack .cells button small { font-size: 11px; opacity: .9; }
.stack .cells button:hover { border-color: var(--fg); }
.stack .cells button[aria-checked="true"] {
  background: var(--fill, #1a6fd4); color: var(--ink, #fff); font-weight: 700;
  box-shadow: 0 0 0 1px var(--bg), 0 0 0 3px var(--fg);
}
.stack .cells button:focus-visible { outline: 3px solid #1a6fd4; outline-offset: 3px; z-index: 1; }
.stack .loss { padding: 8px 0 8px 10px; }
.stack .row.first .loss { padding-bottom: 16px; }
.stack .loss i { display: block; height: 12px; min-width: 1px; border-radius: 2px; }
.stack .foot { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: center; margin-top: 8px; color: var(--dim); }
.stack .foot button { padding: 0 12px; } .stack .foot span { font-size: 13px; }
@container (max-width: 640px) {
  .stack .rows { grid-template-columns: max-content minmax(0, 1fr); }
  .stack :is(.row > svg, .loss, .foot .boxes) { display: none; }
  .stack .cells button { flex-direction: column; gap: 0; font-size: 11.5px; line-height: 1; }
  .stack .cells button small { font-size: 10px; }
}
`;

/** 1,234,567 as "1.23 M". */
function brief(v) {
  for (const [size, letter] of [[1e9, " G"], [1e6, " M"], [1e3, " k"]])
    if (Math.abs(v) >= size) return number(v / size) + letter;
  return number(v);
}

const harmOf = (v) => String(+v.toPrecision(2)).replace("-", "−");

function stackOf(model, el, signal) {
  const { rows, costs, most } = model.get("picture");
  const harmed = "harm" in rows[0].cells[0];
  const root = html("div", { className: "nasviz-stage stack" }, el);
  html("style", { textContent: CSS + STACK_CSS }, root);
  onLook(root, signal, () => themeOf(root)); // the page's scheme of colours

  const totals = html("div", { className: "totals" }, root);
  const meters = [...costs.map((cost) => cost.label), ...(harmed ? ["harms add up to"] : [])].map((label) => {
    html("span", { textContent: label }, totals);
    const meter = html("div", { className: "meter", ariaHidden: "true" }, totals);
    return { meter, value: html("b", {}, totals) };
  });
  const text = html("p", { className: "text" }, root);
  const spoken = html("p", { className: "spoken" }, root);
  spoken.setAttribute("role", "status");

  const grid = html("div", { className: "rows" }, root);
  grid.setAttribute("role", "group");
  grid.setAttribute("aria-label", "half-blocks of the transformer, the last one first");
  end("classes");
  const lines = [...rows.keys()].reverse().map(lineOf); // the image enters at the bottom
  end("image");
  const buttons = [...lines].reverse().map((line) => line.buttons); // by place
  const foot = html("div", { className: "foot" }, root);
  const whole = html("button", { type: "button", textContent: "the whole parent" }, foot);
  whole.addEventListener("click", () => choose(rows.map((row) => row.cells.length - 1)));
  html("span", { className: "boxes", textContent: `A box is as wide as its ${costs[0]?.label ?? "cost"}.` }, foot);
  if (harmed) html("span", { textContent: "Cells: harm of this variant alone, blue little, amber much." }, foot);

  function end(word) {
    const row = html("div", { className: "row end" }, grid);
    html("span", { className: "name", textContent: word }, row);
    const picture = svg("svg", { "aria-hidden": "true" }, row);
    svg("line", { x1: 12, x2: 12, y1: word === "image" ? 0 : 8, y2: word === "image" ? 14 : 22 }, picture);
    html("span", {}, row);
    html("span", { className: "loss" }, row);
  }

  function lineOf(place) {
    const { block, kind, cells } = rows[place];
    const row = html("div", { className: `row${place % 2 ? "" : " first"}` }, grid);
    html("span", { className: "name", textContent: `${block}: ${kind}` }, row);
    const picture = svg("svg", { "aria-hidden": "true" }, row);
    svg("line", { x1: 12, x2: 12, y1: 0, y2: place % 2 ? 28 : 36 }, picture);
    const arm = svg("line", { x1: 12, x2: 26, y1: 14, y2: 14 }, picture);
    const box = svg("rect", { x: 26, y: 4, height: 20, rx: 4 }, picture);
    const group = html("div", { className: "cells" }, row);
    group.setAttribute("role", "radiogroup");
    group.setAttribute("aria-label", `${block}: ${kind}`);
    const bar = html("i", {}, html("div", { className: "loss", ariaHidden: "true" }, row));
    const buttons = cells.map((cell, option) => {
      const button = html("button", { type: "button", tabIndex: -1 }, group);
      html("span", { textContent: cell.name }, button);
      if (harmed) html("small", { textContent: cell.brief }, button);
      button.setAttribute("role", "radio");
      button.setAttribute("aria-label", cell.look + (harmed ? `, harm ${cell.said}` : ""));
      button.title = `${block}: ${cell.look}${harmed ? `; harm ${cell.said}` : ""}${costs
        .map(({ label, table }) => `; ${brief(table[place][option])} ${label}`)
        .join("")}`;
      if (cell.fill) {
        button.style.setProperty("--fill", cell.fill);
        button.style.setProperty("--ink", cell.ink);
        button.style.setProperty("--tint", "28%");
      }
      button.addEventListener("click", () => pick(place, option));
      button.addEventListener("keydown", (event) => move(event, place, option));
      return button;
    });
    return { place, buttons, arm, box, bar };
  }

  function choose(arch) {
    model.set("arch", arch);
    model.save_changes();
    show();
  }

  function pick(place, option) {
    const arch = [...model.get("arch")];
    arch[place] = option;
    choose(arch);
    focus(place);
  }

  function focus(place) {
    for (const line of buttons) for (const one of line) one.tabIndex = -1;
    const one = buttons[place][model.get("arch")[place]];
    one.tabIndex = 0;
    one.focus();
  }

  const ACROSS = { ArrowLeft: -1, ArrowRight: 1 };
  const ALONG = { ArrowUp: 1, ArrowDown: -1 }; // later half-blocks stand higher
  function move(event, place, option) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation(); // JupyterLab binds these keys too
    const last = buttons[place].length - 1;
    const ends = { Home: 0, End: last };
    if (event.key in ACROSS) pick(place, clamp(option + ACROSS[event.key], 0, last));
    else if (event.key in ends) pick(place, ends[event.key]);
    else if (event.key in ALONG) focus(clamp(place + ALONG[event.key], 0, rows.length - 1));
    else return;
    event.preventDefault();
  }

  /** Draw what is chosen. */
  function show() {
    const arch = model.get("arch");
    const chosen = arch.map((option, place) => rows[place].cells[option]);
    const told = costs.map(({ label, rest, table }, n) => {
      const spent = arch.reduce((sum, option, place) => sum + table[place][option], rest);
      const all = table.reduce((sum, row) => sum + row.at(-1), rest) || 1;
      const { meter, value } = meters[n];
      meter.replaceChildren();
      html("i", {}, meter).style.width = `${(100 * spent) / all}%`;
      value.textContent = `${Math.round((100 * spent) / all)} % of the parent's (${brief(spent)})`;
      return `${Math.round((100 * spent) / all)} % of the parent's ${label}`;
    });
    if (harmed) {
      const harm = chosen.reduce((sum, cell) => sum + cell.harm, 0);
      const { meter, value } = meters.at(-1);
      meter.replaceChildren();
      const worst = rows.reduce((sum, row) => sum + Math.max(...row.cells.map((cell) => cell.harm)), 0) || 1;
      for (const cell of chosen) {
        const part = html("i", {}, meter);
        part.style.width = `${(100 * Math.max(0, cell.harm)) / worst}%`;
        part.style.background = cell.fill;
      }
      value.textContent = harmOf(harm);
      told.push(`harms add up to ${harmOf(harm)}`);
    }
    const words = chosen.map((cell) => cell.word);
    text.textContent = words.map((word, place) => word + (place % 2 ? " | " : " ")).join("").slice(0, -3);
    spoken.textContent = `${told.join(", ")}.`;
    const stop = buttons.flat().find((one) => one.tabIndex === 0);
    const at = buttons.findIndex((line) => line.includes(stop));
    lines.forEach(({ place, buttons: line, arm, box, bar }) => {
      const cell = chosen[place];
      line.forEach((one, option) => {
        one.setAttribute("aria-checked", String(option === arch[place]));
        one.tabIndex = option === arch[place] && place === (at < 0 ? rows.length - 1 : at) ? 0 : -1;
      });
      const there = cell.word !== "none";
      arm.style.display = box.style.display = there ? "" : "none";
      box.setAttribute("width", Math.max(4, 112 * cell.size));
      box.setAttribute("fill", cell.color);
      box.setAttribute("stroke", cell.color);
      box.setAttribute("stroke-dasharray", cell.dash.join(" "));
      bar.style.width = `${(100 * Math.max(0, cell.harm ?? 0)) / (most || 1)}%`;
      bar.style.background = cell.fill ?? "none";
    });
  }
  model.on("change:arch", show);
  signal.addEventListener("abort", () => model.off("change:arch", show));
  show();
}

export default {
  initialize: ({ model }) => listen(model),
  render: ({ model, el, signal }) => stackOf(model, el, signal),
};
