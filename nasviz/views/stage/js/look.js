// look.js: style sheet, theme of the page, legend of operations. Uses svg, html of base.js.

const CSS = `
.nasviz-stage {
  --fg: var(--jp-ui-font-color1, var(--vscode-editor-foreground, light-dark(#16181d, #eceef2)));
  --bg: var(--jp-layout-color0, var(--vscode-editor-background, light-dark(#fff, #16181d)));
  --line: color-mix(in srgb, var(--fg) 18%, var(--bg));
  --dim: color-mix(in srgb, var(--fg) 70%, var(--bg));
  --soft: color-mix(in srgb, var(--fg) 5%, var(--bg));
  --dead: light-dark(#8d949e, #8d949e); --mark: light-dark(#7a3fb0, #c9a1f0);
  --family: var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", sans-serif);
  color: var(--fg); background: var(--bg); font: 14px/1.35 var(--family);
  padding: 10px 14px; box-sizing: border-box; container-type: inline-size;
}
.nasviz-stage .grid { display: grid; grid-template-columns: repeat(12, 1fr); gap: 14px 20px; align-items: start; }
.nasviz-stage .view { grid-column: span 12; min-width: 0; }
@container (min-width: 760px) { .nasviz-stage .view { grid-column: span var(--span, 12); } }
.nasviz-stage .title { font-weight: 600; margin: 0 0 4px; overflow-wrap: anywhere; }
.nasviz-stage .legend { display: flex; flex-wrap: wrap; gap: 3px 18px; margin-bottom: 8px; }
.nasviz-stage .legend span { white-space: nowrap; }
.nasviz-stage .legend svg { width: 26px; height: 12px; margin-right: 6px; vertical-align: -1px; }
.nasviz-stage .cell { position: relative; }
.nasviz-stage .cell svg { position: relative; width: 100%; display: block; overflow: visible; }
.nasviz-stage .node rect { fill: var(--bg); stroke: var(--fg); stroke-width: 1.6; }
.nasviz-stage .node text { fill: var(--fg); font: 600 var(--node, 16px) var(--family); }
.nasviz-stage .core { stroke: var(--bg); }
.nasviz-stage .fixed { fill: none; stroke: var(--dim); stroke-width: 1.5; stroke-dasharray: 4 4; }
.nasviz-stage .node.op rect { stroke-width: 2.4; }
.nasviz-stage .node.op text { font-weight: 500; font-size: 14.5px; }
.nasviz-stage path.marked { fill: none; stroke: #d99400; stroke-width: 28; stroke-opacity: .38; stroke-linecap: round; }
.nasviz-stage .node rect.marked { fill: #d99400; fill-opacity: .38; stroke: none; }
.nasviz-stage .options { display: grid; grid-template-columns: repeat(auto-fill, minmax(270px, 1fr)); gap: 1px 22px; }
.nasviz-stage .options div { display: flex; gap: 8px; align-items: center; min-height: 22px; white-space: nowrap; }
.nasviz-stage .options .name { flex: 0 0 var(--names, 7em); overflow: hidden; text-overflow: ellipsis; }
.nasviz-stage .options .boxes { display: flex; gap: 2px; }
.nasviz-stage .options i { width: 11px; height: 11px; border: 1.5px solid var(--line); border-radius: 3px; }
.nasviz-stage .options i.on { background: var(--op); border-color: var(--op); }
.nasviz-stage .options .off { opacity: .4; }
.nasviz-stage .options .new .name { font-weight: 700; text-decoration: underline; text-decoration-thickness: 2px; }
.nasviz-stage .wire { fill: none; stroke: var(--dim); stroke-width: 1.6; }
.nasviz-stage .head { fill: var(--dim); }
.nasviz-stage .hit { fill: none; stroke: transparent; stroke-width: 26; pointer-events: stroke; }
.nasviz-stage .editable { cursor: pointer; outline: none; }
.nasviz-stage .editable:focus-visible .hit { stroke: #1a6fd4; stroke-opacity: .35; }
.nasviz-stage .editable:hover .hit { stroke: var(--fg); stroke-opacity: .12; }
.nasviz-stage .edge.hot .hit { stroke: var(--fg); stroke-opacity: .12; }
.nasviz-stage .label { pointer-events: none; }
.nasviz-stage .label rect { fill: var(--bg); stroke: var(--op, var(--fg)); stroke-width: 1.4; }
.nasviz-stage .label text { fill: var(--fg); font: 600 var(--label, 12px) var(--family); }
.nasviz-stage .canvas { position: relative; width: 100%; }
.nasviz-stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.nasviz-stage .bar { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin-top: 10px; }
.nasviz-stage .track { position: relative; flex: 1; min-width: 140px; display: flex; }
.nasviz-stage .track input { width: 100%; margin: 0; accent-color: #1a6fd4; }
.nasviz-stage .flag {
  position: absolute; top: -9px; width: 9px; height: 9px; pointer-events: auto;
  background: var(--mark); clip-path: polygon(0 0, 100% 50%, 0 100%);
}
.nasviz-stage .bar output { min-width: 6.5em; text-align: right; font-variant-numeric: tabular-nums; }
.nasviz-stage button, .nasviz-stage select {
  font: inherit; color: var(--fg); background: var(--soft); border: 1px solid var(--line); border-radius: 5px;
  min-width: 36px; height: 30px; cursor: pointer;
}
.nasviz-stage button:hover { border-color: var(--fg); }
.nasviz-stage :focus-visible { outline: 2px solid #1a6fd4; outline-offset: 2px; }
.nasviz-stage button[aria-pressed="true"] { background: #1a6fd4; color: #fff; border-color: #1a6fd4; }
.nasviz-stage .said { min-height: 2.7em; color: var(--dim); margin: 5px 0 0; }
.nasviz-stage .spoken {
  position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%);
}
`;

/** The colours of the page as canvases need them: resolved, not as variables. */
function themeOf(root) {
  const probe = html("span", {}, root);
  const resolve = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const back = resolve("--bg");
  const [red, green, blue] = back.match(/[\d.]+/g).map(Number);
  const page = getComputedStyle(root);
  if (page.getPropertyValue("--jp-layout-color0") || page.getPropertyValue("--vscode-editor-background")) {
    // these pages set colours and say nothing of their scheme, which slider and menu are drawn in
    root.style.colorScheme = red + green + blue > 380 ? "light" : "dark";
  }
  const theme = {
    font: getComputedStyle(root).fontFamily,
    text: resolve("--fg"),
    faint: resolve("--dim"),
    grid: resolve("--line"),
    panel: resolve("--soft"),
    dead: resolve("--dead"),
    mark: resolve("--mark"),
    back,
    veil: `rgba(${red}, ${green}, ${blue}, 0.72)`,
  };
  probe.remove();
  return theme;
}

/** What the operations look like: a piece of the stroke itself, so that colour is never the only sign. */
function legendOf(root, { ops, labels, colors, dashes, opacities }) {
  const legend = html("div", { className: "legend" }, root);
  ops.forEach((op, o) => {
    const entry = html("span", { title: op }, legend);
    const s = svg("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" }, entry);
    svg("path", { d: "M0 6H26", stroke: colors[o], "stroke-width": 9, "stroke-opacity": opacities[o] }, s);
    if (dashes[o].length) {
      svg(
        "path",
        { class: "core", d: "M1 6H26", "stroke-width": 2.6, "stroke-dasharray": dashes[o].join(" ") },
        s,
      );
    }
    entry.append(labels[o]);
  });
}

/** Call `resize` when the room of `root` gets another width, or the page another theme, until `signal` aborts. */
function onLook(root, signal, resize) {
  let wide = 0;
  const size = new ResizeObserver(() => {
    if (root.clientWidth === wide) return; // only taller: a caption of two lines changes no picture
    wide = root.clientWidth;
    resize();
  });
  size.observe(root);
  const skin = new MutationObserver(() => setTimeout(resize, 100));
  const attributeFilter = ["data-jp-theme-light", "data-jp-theme-name", "class", "style"];
  for (const node of [document.body, document.documentElement]) {
    skin.observe(node, { attributes: true, attributeFilter });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", resize, { signal });
  signal.addEventListener("abort", () => {
    size.disconnect();
    skin.disconnect();
  });
}
