// findings.js: a table of findings and truths; the open cell's chart stands below its row. Uses base.js, look.js,
// listen.js. Python's side is findings.py.

const FINDINGS_CSS = `
.findings table {
  border-collapse: separate; border-spacing: 2px; table-layout: fixed; width: 100%; margin: 0; font: inherit;
}
.findings :is(th, td) {
  padding: 0; text-align: left; font-weight: 400; background: none; color: var(--fg); max-width: none;
}
.findings tr { background: none !important; border: 0; }
.findings thead th {
  font-size: 12px; color: var(--dim); vertical-align: bottom; text-align: center; line-height: 1.15;
}
.findings thead th:first-child { width: 36%; }
.findings thead th span { display: inline-block; overflow-wrap: anywhere; }
.findings tbody th { padding-right: 8px; font-size: 13px; line-height: 1.2; text-align: right; }
.findings td button {
  display: block; width: 100%; min-width: 0; height: 25px; padding: 0; border-width: 1px; font-weight: 600;
}
.findings button.yes { background: #00796d; color: #fff; border-color: #00796d; }
.findings button.no { background: #d99400; color: #1b1200; border-color: #d99400; }
.findings button.open { background: var(--bg); border: 1px dashed var(--dim); }
.findings button.none { background: none; border-color: transparent; color: var(--dim); }
.findings button.opposite { box-shadow: 0 0 0 2px var(--bg), 0 0 0 4px #d6246e; }
.findings button[aria-expanded="true"] { outline: 3px solid #1a6fd4; outline-offset: 1px; }
.findings .chart {
  border-left: 3px solid #1a6fd4; padding: 8px 12px; margin: 4px 0 8px; background: var(--soft); white-space: normal;
}
.findings .chart p { margin: 0 0 6px; }
.findings .chart svg { display: block; width: 100%; overflow: visible; }
.findings .chart text { fill: var(--dim); font: 12px var(--family); font-variant-numeric: tabular-nums; }
.findings .chart .own text { fill: var(--fg); font-weight: 700; }
.findings .chart .bar { stroke: var(--dim); stroke-width: 2; } .findings .chart .dot { fill: var(--dim); }
.findings .chart .own .bar { stroke: #1a6fd4; stroke-width: 4; } .findings .chart .own .dot { fill: #1a6fd4; }
.findings .chart .bound { stroke: var(--fg); stroke-width: 1.5; stroke-dasharray: 5 4; }
.findings .chart .axis { stroke: var(--line); }
.findings .key { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 8px; color: var(--dim); font-size: 13px; }
`;
const WORDS = { yes: "yes", no: "no", open: "open: the interval touches the bound", none: "no figure" };

/** A number as people write it here: three digits, the minus sign a minus. */
const plain = (v) => number(v).replace("-", "−");

/** The chart of a row: each truth's figure with its interval, the bound, the chosen truth in blue. */
function intervals(host, row, columns, chosen) {
  const [left, right, line, foot] = [170, 470, 20, 24]; // px of a picture 640 wide
  const there = columns.map((column, n) => ({ ...row.cells[n], name: column.name, n })).filter((one) => "value" in one);
  const ends = there.flatMap((one) => [one.low, one.high, row.bound]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const gap = (high - low || 1) * 0.05;
  const X = (v) => lerp(left, right, (v - low + gap) / (high - low + 2 * gap));
  const tall = line * there.length;
  const picture = svg("svg", { viewBox: `0 0 640 ${tall + foot}`, "aria-hidden": "true" }, host);
  svg("line", { class: "axis", x1: left, x2: right, y1: tall, y2: tall }, picture);
  svg("line", { class: "bound", x1: X(row.bound), x2: X(row.bound), y1: 0, y2: tall }, picture);
  const said = svg("text", { x: X(row.bound), y: tall + 16, "text-anchor": "middle" }, picture);
  said.textContent = `${plain(row.bound)} ${row.unit}`;
  there.forEach((one, place) => {
    const y = line * (place + 0.5);
    const group = svg("g", { class: one.n === chosen ? "own" : "" }, picture);
    const name = svg("text", { x: left - 12, y: y + 4, "text-anchor": "end" }, group);
    name.textContent = one.name;
    svg("line", { class: "bar", x1: X(one.low), x2: X(one.high), y1: y, y2: y }, group);
    svg("circle", { class: "dot", cx: X(one.value), cy: y, r: 4 }, group);
    const numbers = svg("text", { x: right + 12, y: y + 4 }, group);
    numbers.textContent = `${plain(one.value)} (${plain(one.low)} to ${plain(one.high)})`;
  });
}

/** What a cell says in words. */
function words(row, column, cell) {
  if (!("value" in cell)) return [`${column.name}: no figure. The table lacks what this finding needs.`];
  const seeds = cell.seeds === 1 ? "" : `, ${cell.seeds} seeds or draws`;
  const figure = `${plain(cell.value)} ${row.unit}, interval ${plain(cell.low)} to ${plain(cell.high)}`;
  const drawn = `${cell.architectures.toLocaleString("en")} architectures${seeds}`;
  const answer = `${column.name}: ${WORDS[cell.answer]}${cell.opposite ? ", the opposite of the small world" : ""}.`;
  return [answer, `${figure}; ${drawn}.`, cell.note, `Source: ${column.source}.`];
}

function matrix(model, el, signal) {
  const { rows, columns, signs } = model.get("matrix");
  const root = html("div", { className: "nasviz-stage findings" }, el);
  html("style", { textContent: CSS + FINDINGS_CSS }, root);
  const key = html("p", { className: "key" }, root);
  for (const [name, sign] of Object.entries(signs)) html("span", { textContent: `${sign} ${WORDS[name]}` }, key);
  html("span", { textContent: "≠ and a frame: the opposite of the first column" }, key);
  const table = html("table", {}, root);
  const head = html("tr", {}, html("thead", {}, table));
  html("th", { scope: "col", ariaLabel: "finding" }, head);
  for (const column of columns) html("span", { textContent: column.name }, html("th", { scope: "col" }, head));
  const body = html("tbody", {}, table);
  const buttons = rows.map((row, r) => {
    const line = html("tr", {}, body);
    html("th", { scope: "row", textContent: row.question }, line);
    return row.cells.map((cell, c) => {
      const button = html("button", { type: "button", tabIndex: r || c ? -1 : 0 }, html("td", {}, line));
      button.className = cell.answer + (cell.opposite ? " opposite" : "");
      button.textContent = signs[cell.answer] + (cell.opposite ? " ≠" : "");
      button.setAttribute("aria-expanded", "false");
      button.setAttribute("aria-label", `${row.question} ${words(row, columns[c], cell)[0]}`);
      button.addEventListener("click", () => {
        const [row, column] = model.get("chosen");
        model.set("chosen", row === r && column === c ? [] : [r, c]);
        model.save_changes();
        show();
      });
      button.addEventListener("focus", () => {
        for (const one of buttons.flat()) one.tabIndex = one === button ? 0 : -1;
      });
      button.addEventListener("keydown", (event) => move(event, r, c));
      return button;
    });
  });

  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  function move(event, r, c) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation(); // JupyterLab binds these keys too
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    buttons[clamp(r + step[0], 0, rows.length - 1)][clamp(c + step[1], 0, columns.length - 1)].focus();
  }

  let shown;
  function show() {
    shown?.remove();
    shown = undefined;
    const [r, c] = model.get("chosen");
    for (const [i, line] of buttons.entries())
      for (const [j, button] of line.entries()) button.setAttribute("aria-expanded", String(i === r && j === c));
    if (r === undefined) return;
    shown = html("tr", {});
    body.children[r].after(shown);
    const box = html("div", { className: "chart" }, html("td", { colSpan: columns.length + 1 }, shown));
    box.setAttribute("role", "status");
    html("p", { className: "title", textContent: rows[r].question }, box);
    html("p", { textContent: words(rows[r], columns[c], rows[r].cells[c]).filter(Boolean).join(" ") }, box);
    intervals(box, rows[r], columns, c);
  }
  model.on("change:chosen", show);
  signal.addEventListener("abort", () => model.off("change:chosen", show));
  show();
}

export default {
  initialize: ({ model }) => listen(model),
  render: ({ model, el, signal }) => matrix(model, el, signal),
};
