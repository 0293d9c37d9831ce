// pull.js: a child of an elastic network, its picture, its numbers, its place among others. Uses base.js, canvas.js,
// look.js, listen.js, pull_network.js, pull_plane.js. Python's side is pull.py.

const PULL_CSS = `
.pull svg { display: block; width: 100%; overflow: visible; touch-action: pan-y; }
.pull svg text { fill: var(--dim); font: 13px var(--family); font-variant-numeric: tabular-nums; }
.pull svg text.head { fill: var(--fg); font-weight: 600; }
.pull .front { fill: #1a6fd4; } .pull .top { fill: #7fb0ec; } .pull .flank { fill: #114f9b; }
.pull .maps { fill: none; stroke: #fff; stroke-opacity: .3; stroke-width: .8; }
.pull .ghost path { fill: var(--fg); fill-opacity: .055; stroke: var(--fg); stroke-opacity: .22; stroke-width: 1; }
.pull .free { cursor: pointer; } .pull .free:hover path { fill: #1a6fd4; fill-opacity: .22; }
.pull .skip { fill: none; stroke: #d6246e; stroke-width: 2; }
.pull .wire { stroke: var(--dim); stroke-width: 1.5; fill: none; } .pull .tip { fill: var(--dim); }
.pull .edge { stroke: #d99400; stroke-width: 3; stroke-linecap: round; }
.pull .cell { fill: #00887a; stroke: var(--bg); stroke-width: 1; }
.pull .cell.off { fill: var(--fg); fill-opacity: .1; }
.pull .lens { fill: none; stroke: #00a08f; stroke-width: 2; }
.pull .beam { stroke: #00a08f; stroke-width: 1; stroke-dasharray: 3 3; }
.pull .frame { fill: none; stroke: var(--dim); stroke-width: 1; }
.pull .frame.off { stroke-dasharray: 4 4; stroke-opacity: .6; }
.pull .grip { outline: none; touch-action: none; } .pull .grip .hit { fill: transparent; }
.pull .grip .knob { fill: #d99400; stroke: var(--bg); stroke-width: 1.5; }
.pull .grip .arrows { fill: none; stroke: #2b1d00; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.pull .grip:hover .knob, .pull .grip.held .knob { fill: #ffb72e; }
.pull .grip:focus-visible .knob { stroke: #1a6fd4; stroke-width: 3.5; }
.pull .row { display: flex; flex-wrap: wrap; gap: 6px 10px; align-items: center; margin-bottom: 4px; }
.pull .row span { color: var(--dim); margin-left: 4px; } .pull .row button { padding: 0 12px; }
.pull .below { display: grid; grid-template-columns: 1fr; gap: 6px 26px; margin-top: 10px; }
@container (min-width: 640px) { .pull .below { grid-template-columns: 270px minmax(0, 1fr); } }
.pull .facts { display: flex; flex-wrap: wrap; gap: 8px 26px; align-content: start; }
.pull .fact { min-width: 190px; } .pull .fact :is(span, small) { display: block; color: var(--dim); }
.pull .fact b { font-size: 25px; line-height: 1.15; font-variant-numeric: tabular-nums; }
.pull .fact small { font-size: 13px; }
`;
const PAUSE = 250; // ms for which a hand rests before the kernel is asked: not every child that is passed is judged
const SNAP = 160; // ms from one child to the next

/** Multiply-adds of each stage and of the classifier, for one image: as `ElasticResNet.madds` counts them. */
function spent([side, kernel, ...stages], { colors, classes, others }) {
  const out = [];
  let inputs = colors;
  for (let n = 0; n < stages.length; n += 2) {
    const [width, layers] = [stages[n], stages[n + 1]];
    out.push(side ** 2 * (n ? others : kernel) ** 2 * width * (inputs + (layers - 1) * width));
    [inputs, side] = [width, Math.floor(side / 2)];
  }
  return [...out, inputs * classes];
}

const total = (numbers) => numbers.reduce((sum, one) => sum + one, 0);

/** 1,234,567 as "1.23 M". */
const few = (v) => (v >= 1e6 ? number(v / 1e6) + " M" : v >= 1e3 ? number(v / 1e3) + " k" : number(v));

/** How many of the others within ± `around` of a cost are less accurate, and how many there are. */
function ranked(children, child, around) {
  const near = children.filter((one) => one.key !== child.key && Math.abs(one.cost - child.cost) <= around * child.cost);
  return { near, worse: near.filter((one) => one.score < child.score).length };
}

/** Every view of a model has its own picture; the model holds the child and what is known of others. */
function pulled(model, el, signal) {
  const space = model.get("space");
  const { options, around, madds } = space;
  const root = html("div", { className: "nasviz-stage pull" }, el);
  html("style", { textContent: CSS + PULL_CSS }, root);
  const row = html("div", { className: "row" }, root);
  const draw = drawing();
  const ends = { largest: () => options.map((one) => one.length - 1), smallest: () => options.map(() => 0) };
  const some = () => options.map((one) => Math.floor(draw() * one.length));
  for (const [name, child] of Object.entries({ ...ends, random: some })) {
    const button = html("button", { type: "button", textContent: name, title: `The ${name} child` }, row);
    button.addEventListener("click", () => (choose(child()), ask()));
  }
  html("span", { textContent: "Pull at the amber handles, or click a pale layer or a dot." }, row);
  const picture = network(html("div", {}, root), space, {
    chosen: (place, index) => choose(arch.map((one, n) => (n === place ? index : one))),
    rested: () => ask(),
  });
  const below = html("div", { className: "below" }, root);
  const facts = html("div", { className: "facts" }, below); // no <dl>: JupyterLab has a style of its own for it
  const [cost, score, rank] = ["Multiply-adds", "Inherits", "Among children of this cost"].map((word) => {
    const one = html("div", { className: "fact" }, facts);
    html("span", { textContent: word }, one);
    return [html("b", {}, one), html("small", {}, one)];
  });
  const label = "Known children by multiply-adds and inherited accuracy; the child in the picture is a star";
  const dots = plane(html("div", {}, below), { around, label, chosen: (child) => (choose(child.arch), ask()) });
  const spoken = html("p", { className: "spoken" }, root);
  spoken.setAttribute("role", "status");
  spoken.setAttribute("aria-live", "polite");

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const logs = ["smallest", "largest"].map((name) => Math.log10(total(spent(values(ends[name]()), madds))));
  let arch = [...model.get("arch")];
  let children = new Map();
  let theme;
  let asking = 0;
  let speaking = 0;
  let frame = 0;
  let now = null; // what is drawn: values, log cost, accuracy
  let move = null; // { from, to, since }
  let shown = {}; // what the star is compared with, and whether its accuracy is known

  function values(child) {
    return child.map((index, place) => options[place][index] + (place > 1 && place % 2));
  }

  function learn() {
    children = new Map(
      [...model.get("known"), ...model.get("tried")].map((one) => {
        const made = { ...one, key: one.arch.join(), cost: total(spent(values(one.arch), madds)) };
        return [made.key, made];
      }),
    );
    show();
  }

  function choose(child) {
    if (child.join() === arch.join()) return;
    arch = [...child];
    show();
    clearTimeout(asking);
    asking = setTimeout(ask, PAUSE);
  }

  function ask() {
    clearTimeout(asking);
    model.set("arch", arch);
    model.save_changes();
  }

  /** The words at once; the picture moves there. */
  function show() {
    const costs = spent(values(arch), madds);
    const child = { key: arch.join(), cost: total(costs), score: NaN, ...children.get(arch.join()) };
    const { near, worse } = ranked([...children.values()], child, around);
    const known = Number.isFinite(child.score);
    cost[0].textContent = few(child.cost);
    cost[1].textContent = `${number((100 * child.cost) / 10 ** logs[1])} % of the largest's`;
    score[0].textContent = known ? `${(100 * child.score).toFixed(1)} %` : "…";
    const ms = Number.isFinite(child.ms) ? `; ${number(child.ms)} ms` : "";
    score[1].textContent = known ? `validation, not trained alone${ms}` : "being judged on the supernet's weights";
    rank[0].textContent = near.length ? `${known ? worse : "…"} of ${near.length}` : "–";
    const band = `within ±${number(100 * around)} %`;
    rank[1].textContent = near.length ? `known children ${band} inherit less` : `no known child ${band}`;
    Object.assign(root.dataset, { arch: arch.join(), cost: child.cost, score: known ? child.score : "" });
    picture.show(arch, values(arch), costs);
    clearTimeout(speaking);
    speaking = setTimeout(() => {
      spoken.textContent = [cost, score, rank].flat().map((node) => node.textContent).join(" ");
    }, 600);
    shown = { near, sure: known };
    const to = [...values(arch), Math.log10(child.cost), known ? child.score : (now?.at(-1) ?? NaN)];
    move = { from: (now ?? to).map((v, n) => (Number.isNaN(v) ? to[n] : v)), to, since: performance.now() };
    wake();
  }

  const wake = () => (frame ||= signal.aborted ? 0 : requestAnimationFrame(tick));
  function tick(time) {
    frame = 0;
    if (!theme) return;
    const part = calm.matches ? 1 : clamp((time - move.since) / SNAP, 0, 1);
    const eased = 1 - (1 - part) ** 3;
    now = move.to.map((v, n) => lerp(move.from[n], v, eased));
    picture.paint(now.slice(0, -2));
    const others = [...children.values()].filter((one) => one.key !== arch.join());
    dots({ ...shown, children: others, span: logs, at: now.slice(-2), theme });
    if (part < 1) wake();
  }

  function resize() {
    if (!root.isConnected || !root.clientWidth) return;
    theme = themeOf(root);
    picture.resize(root.clientWidth - 28);
    wake();
  }
  onLook(root, signal, resize);
  root.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation(); // JupyterLab binds these keys too
  });

  const told = () => {
    arch = [...model.get("arch")];
    show();
  };
  const heard = { "change:arch": told, "change:known": learn, "change:tried": learn };
  for (const [what, act] of Object.entries(heard)) model.on(what, act);
  signal.addEventListener("abort", () => {
    for (const [what, act] of Object.entries(heard)) model.off(what, act);
    cancelAnimationFrame(frame);
    clearTimeout(asking);
    clearTimeout(speaking);
  });
  root.pull = { spent: (child) => total(spent(values(child), madds)), still: () => !frame }; // for tests
  learn();
}

/** Numbers from 0 to 1, the same in every page: mulberry32, begun with 1. */
function drawing() {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export default {
  initialize: ({ model }) => listen(model),
  render: ({ model, el, signal }) => pulled(model, el, signal),
};
