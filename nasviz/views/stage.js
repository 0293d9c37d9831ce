// stage.js: draws the steps of a search, live in a notebook or replayed from a file.
//
// One ES module, no dependency, no build step. Python sends float32 arrays, one row a step; a `History` keeps
// them, and every picture is drawn from it, so that any step can be shown again without asking the kernel.
//
// A view is a function (host, spec, stage) that returns some of
//   draw(t)      show step t; between two steps while playing, a whole number otherwise
//   grow()       steps have arrived at the end (or marks have changed)
//   patch()      steps have arrived somewhere else: forget what was drawn incrementally
//   resize(theme) the width or the theme has changed
//   hot(e)       the reader points at edge e, -1 for none
//   say(i)       a sentence about step i, for the caption and for screen readers
// `stage` holds { history, ops, labels, colors, dashes, opacities }, the style of operation o at index o.

const SVG = "http://www.w3.org/2000/svg";
const BLUE = "#1a6fd4"; // the same as in colors.py
const MAGENTA = "#d6246e";
const SERIES = [BLUE, "#d98300", "#00887a", MAGENTA, "#8358d6", "#8a919c"]; // curves show no operations

const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const lerp = (a, b, f) => a + (b - a) * f;
const short = (v) => Math.round(v * 10) / 10;
const number = (v, digits = 3) => (Number.isFinite(v) ? String(+v.toPrecision(digits)) : "failed");

const svg = (name, attributes = {}, parent) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return parent ? parent.appendChild(node) : node;
};

const html = (name, properties = {}, parent) => {
  const node = Object.assign(document.createElement(name), properties);
  return parent ? parent.appendChild(node) : node;
};

const tell = (host, type, detail) => host.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));

/** Round numbers between low and high, about `count` of them. */
export function ticks(low, high, count) {
  if (!(high > low)) return [low];
  const raw = (high - low) / Math.max(1, count);
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const r = raw / magnitude;
  const step = magnitude * (r > 5 ? 10 : r > 2 ? 5 : r > 1 ? 2 : 1);
  const out = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-6; v += step) {
    out.push(+v.toPrecision(12));
  }
  return out;
}

/** The range that shows most values well: a few far outliers do not squeeze the rest into a line. */
function range(values, fences = [true, true]) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (!sorted.length) return [0, 1];
  let low = sorted[0];
  let high = sorted.at(-1);
  if (sorted.length >= 12) {
    const [q1, q9] = [0.12, 0.88].map((q) => sorted[Math.floor(q * (sorted.length - 1))]);
    const reach = 2 * (q9 - q1) || Infinity;
    if (fences[0]) low = Math.max(low, q1 - reach);
    if (fences[1]) high = Math.min(high, q9 + 2 * reach);
  }
  const gap = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - gap, high + gap];
}

// -------------------------------------------------------------------------------- what has been received

/** Float32 columns, one a name; row i is step i. Rows may arrive out of order: `hole` finds what is missing. */
export class History {
  constructor(arrays) {
    this.sizes = Object.entries(arrays).map(([name, shape]) => [name, shape.reduce((a, b) => a * b, 1)]);
    this.size = Object.fromEntries(this.sizes);
    this.arrays = arrays;
    this.marks = [];
    this.reset();
  }

  reset(run = 0) {
    this.run = run;
    this.n = 0;
    this.capacity = 0;
    this.got = new Uint8Array(0);
    this.data = Object.fromEntries(this.sizes.map(([name]) => [name, new Float32Array(0)]));
  }

  /** Steps start to start + count - 1; `columns` holds one Float32Array a name, in the order of `arrays`. */
  put(start, count, columns) {
    const end = start + count;
    if (end > this.capacity) {
      this.capacity = Math.max(64, end, this.capacity * 2);
      for (const [name, size] of this.sizes) {
        const bigger = new Float32Array(this.capacity * size).fill(NaN);
        bigger.set(this.data[name]);
        this.data[name] = bigger;
      }
      const got = new Uint8Array(this.capacity);
      got.set(this.got);
      this.got = got;
    }
    this.sizes.forEach(([name, size], k) => this.data[name].set(columns[k], start * size));
    this.got.fill(1, start, end);
    this.n = Math.max(this.n, end);
  }

  /** The first missing step, or null. */
  hole() {
    const i = this.got.subarray(0, this.n).indexOf(0);
    return i < 0 ? null : i;
  }

  frame(name, i) {
    const s = this.size[name];
    return this.data[name].subarray(i * s, (i + 1) * s);
  }

  /** Linear interpolation between two steps, into `out`. */
  between(name, t, out) {
    const i = clamp(Math.floor(t), 0, this.n - 1);
    const f = t - i;
    const a = this.frame(name, i);
    const b = this.frame(name, Math.min(i + 1, this.n - 1));
    for (let k = 0; k < out.length; k++) out[k] = f ? lerp(a[k], b[k], f) : a[k];
  }
}

// -------------------------------------------------------------- view: the cell, edges made of operations

/** Points and normals along the Bézier chain of an edge, its ends tucked under the nodes. */
function sample(points) {
  const perSegment = 16;
  const out = [];
  for (let c = 0; c + 3 < points.length; c += 3) {
    const p = points.slice(c, c + 4);
    for (let s = c ? 1 : 0; s <= perSegment; s++) {
      const u = s / perSegment;
      const v = 1 - u;
      const at = (d) =>
        v ** 3 * p[0][d] + 3 * v * v * u * p[1][d] + 3 * v * u * u * p[2][d] + u ** 3 * p[3][d];
      const slope = (d) =>
        v * v * (p[1][d] - p[0][d]) + 2 * v * u * (p[2][d] - p[1][d]) + u * u * (p[3][d] - p[2][d]);
      const [dx, dy] = [slope(0), slope(1)];
      const length = Math.hypot(dx, dy) || 1;
      out.push([at(0), at(1), -dy / length, dx / length]);
    }
  }
  const last = out.length - 1;
  for (const [i, j] of [
    [0, 1],
    [last, last - 1],
  ]) {
    const [x, y] = [out[i][0] - out[j][0], out[i][1] - out[j][1]];
    const length = Math.hypot(x, y) || 1;
    out[i] = [out[i][0] + (x / length) * 10, out[i][1] + (y / length) * 10, out[i][2], out[i][3]];
  }
  return out;
}

/** As few of the points as a smooth ribbon needs: a new one where the edge has turned by some two degrees. */
function thinned(points) {
  const out = [points[0]];
  for (const p of points.slice(1, -1)) {
    const [, , nx, ny] = out.at(-1);
    if (Math.abs(nx * p[3] - ny * p[2]) > 0.035) out.push(p);
  }
  return [...out, points.at(-1)];
}

const line = (points) => "M" + points.map((p) => `${short(p[0])} ${short(p[1])}`).join("L");

/** A node's label; what follows "_" is set lower, as in c_{k-1}. */
function nodeText(text, label) {
  const parts = label.match(/^(.*?)_\{?(.*?)\}?$/);
  text.textContent = parts ? parts[1] : label;
  if (parts) svg("tspan", { dy: ".3em", "font-size": "75%" }, text).textContent = parts[2];
}

/** One place on each edge for its label: near the middle, on no node, on no other label, on few other edges. */
function placeLabels(edges, nodes, width, height) {
  const boxes = nodes.map((n) => [
    n.x - n.w / 2 - 3,
    n.y - n.h / 2 - 3,
    n.x + n.w / 2 + 3,
    n.y + n.h / 2 + 3,
  ]);
  const overlap = (a, b) =>
    Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) *
    Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const order = edges.map((_, e) => e).sort((a, b) => edges[a].length - edges[b].length);
  const places = [];
  for (const e of order) {
    let best = { cost: Infinity };
    for (let i = 2; i < edges[e].points.length - 2; i++) {
      const [x, y] = edges[e].points[i];
      const box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
      let cost = 60 * Math.abs(i / (edges[e].points.length - 1) - 0.5);
      for (const other of boxes) cost += overlap(box, other);
      edges.forEach((edge, k) => {
        if (k === e) return;
        for (const [px, py] of edge.points) {
          if (px > box[0] && px < box[2] && py > box[1] && py < box[3]) cost += 6;
        }
      });
      if (cost < best.cost) best = { cost, x, y, box };
    }
    places[e] = best;
    boxes.push(best.box);
  }
  return places;
}

function cell(host, spec, { history, labels, colors, dashes, opacities, ops }) {
  const [edges, count] = history.arrays[spec.array];
  const { layout } = spec;
  const thickness = spec.thickness ?? 15;
  const leads = spec.leads ?? 12; // for how many steps an edge says that another operation has taken the lead
  const fixed = new Set(spec.fixed ?? []);
  const pad = Math.max(8, thickness / 2 + 2);
  const [width, height] = [layout.width + 2 * pad, layout.height + 2 * pad];
  const box = html("div", { className: "cell" }, host);
  // Ribbons are drawn on a canvas (a hundred moving SVG paths cost three times as much), the rest is SVG above it
  const c = html("canvas", { ariaHidden: "true" }, box).getContext("2d");
  const root = svg("svg", { viewBox: `${-pad} ${-pad} ${width} ${height}` }, box);
  root.setAttribute("role", spec.editable ? "group" : "img");
  root.setAttribute("aria-label", spec.title ?? "cell");
  const weights = new Float32Array(edges * count);

  const all = layout.edges.map(({ points }, e) => {
    const g = svg("g", { class: "edge" }, root);
    const pts = sample(points);
    if (fixed.has(e)) {
      svg("path", { class: "fixed", d: line(pts) }, g);
      return null;
    }
    const length = pts
      .slice(1)
      .reduce((sum, p, i) => sum + Math.hypot(p[0] - pts[i][0], p[1] - pts[i][1]), 0);
    svg("path", { class: "hit", d: line(pts) }, g);
    const [a, b] = spec.edges[e].map((n) => spec.nodes[n].replace(/[_{}]/g, ""));
    return {
      e,
      g,
      points: pts,
      course: thinned(pts),
      length,
      name: `${a}→${b}`,
      target: spec.edges[e][1],
      top: -1,
    };
  });
  const free = all.filter(Boolean);
  free.forEach((edge, i) => {
    edge.g.dataset.edge = i;
    edge.g.addEventListener("pointerenter", () => tell(host, "edge", i));
    edge.g.addEventListener("pointerleave", () => tell(host, "edge", -1));
    if (!spec.editable) return;
    edge.g.classList.add("editable");
    edge.g.setAttribute("tabindex", "0");
    edge.g.setAttribute("role", "button");
    edge.g.addEventListener("click", () => tell(host, "pick", i));
    edge.g.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      tell(host, "pick", i);
    });
  });
  for (const { x, y, w, h, label } of layout.nodes) {
    const g = svg("g", { class: "node", transform: `translate(${x} ${y})` }, root);
    svg("rect", { x: -w / 2, y: -h / 2, width: w, height: h, rx: h / 2 }, g);
    nodeText(svg("text", { "text-anchor": "middle", dy: ".35em" }, g), label);
  }
  for (const edge of free) {
    edge.label = svg("g", { class: "label", opacity: 0 }, root);
    edge.box = svg("rect", {}, edge.label);
    edge.text = svg("text", { "text-anchor": "middle", dy: ".35em" }, edge.label);
    edge.written = "";
  }

  const measure = document.createElement("canvas").getContext("2d");
  let k = 1; // screen pixels in one unit of the layout
  let hot = -1;
  let at = 0;
  let keep = null;
  let theme;

  /** All operations of edge i side by side, each as wide as its weight, its stroke pattern along its middle. */
  function ribbon(edge, i) {
    let offset = -thickness / 2;
    for (let o = 0; o < count; o++) {
      const w = weights[i * count + o] * thickness || 0;
      const middle = offset + w / 2;
      offset += w;
      if (w < 0.12) continue;
      const pale = keep && !keep.has(i) && i !== hot;
      c.globalAlpha = pale ? 0.25 * opacities[o] : i === hot ? 1 : opacities[o];
      c.strokeStyle = colors[o];
      c.lineWidth = w + 0.25;
      c.beginPath();
      for (const [x, y, nx, ny] of edge.course) c.lineTo(x + nx * middle, y + ny * middle);
      c.stroke();
      if (!dashes[o].length || w < 2.4) continue;
      c.globalAlpha = 1;
      c.strokeStyle = theme.back;
      c.lineWidth = Math.min(2.6, w * 0.34);
      c.setLineDash(dashes[o]);
      c.stroke();
      c.setLineDash([]);
    }
  }

  /** The strongest operation of an edge at step i, or -1 where none leads clearly. */
  function leader(i, e) {
    const row = history.frame(spec.array, i).subarray(e * count, (e + 1) * count);
    let [first, second] = [0, -1];
    for (let o = 1; o < count; o++) {
      if (row[o] > row[first]) [first, second] = [o, first];
      else if (second < 0 || row[o] > row[second]) second = o;
    }
    return second >= 0 && row[first] - row[second] < 0.03 ? -1 : first;
  }

  /** 1 when the lead on edge e has just changed at step i, fading to 0 over `leads` steps. */
  function news(i, e) {
    const now = leader(i, e);
    if (now < 0) return 0;
    for (let age = 0; age < leads && i - age > 0; age++) {
      const before = leader(i - age - 1, e);
      if (before !== now) return before < 0 ? 0 : Math.min(1, 2 - (2 * age) / leads);
    }
    return 0;
  }

  /** What discretisation keeps: the strongest `keep` edges into each node, `ignore` not counted; or null. */
  function kept() {
    if (!spec.keep) return null;
    const ignore = new Set(spec.ignore ?? []);
    const strength = (i) =>
      weights
        .subarray(i * count, (i + 1) * count)
        .reduce((m, v, o) => (ignore.has(o) ? m : Math.max(m, v)), 0);
    const into = new Map();
    free.forEach(({ target }, i) => into.set(target, [...(into.get(target) ?? []), i]));
    const strongest = [...into.values()].flatMap((group) =>
      [...group].sort((a, b) => strength(b) - strength(a)).slice(0, spec.keep),
    );
    return new Set(strongest);
  }

  function write(edge, i, t) {
    const row = weights.subarray(i * count, (i + 1) * count);
    let top = 0;
    for (let o = 1; o < count; o++) if (row[o] > row[top]) top = o;
    const dropped = keep && !keep.has(i);
    const sure = !dropped && row[top] > 0.72 ? 1 : 0; // written once the edge has made up its mind
    const pointed = i === hot;
    const share = row[top] > 0.995 ? "" : ` ${Math.round(row[top] * 100)} %`;
    const opacity = pointed ? 1 : Math.max(sure, leads && !dropped ? news(Math.floor(t), i) : 0);
    if (edge.opacity !== opacity) edge.label.setAttribute("opacity", short(opacity * 10) / 10);
    edge.opacity = opacity;
    const text = labels[top] + (pointed ? share : "");
    if (opacity > 0 && edge.written !== text + k) {
      edge.written = text + k;
      edge.text.textContent = text;
      edge.label.style.setProperty("--op", colors[top]);
      const w = (measure.measureText(text).width + 12) / k;
      for (const [key, v] of Object.entries({
        x: -w / 2,
        y: -9.5 / k,
        width: w,
        height: 19 / k,
        rx: 5 / k,
      })) {
        edge.box.setAttribute(key, short(v));
      }
    }
    if (edge.top !== top && spec.editable)
      edge.g.setAttribute("aria-label", `edge ${edge.name}: ${labels[top]}`);
    edge.top = top;
  }

  const view = {
    draw(t) {
      at = t;
      if (!theme) return;
      c.clearRect(-width, -height, 3 * width, 3 * height);
      if (!history.n) return;
      history.between(spec.array, t, weights);
      keep = kept();
      free.forEach((edge, i) => {
        ribbon(edge, i);
        write(edge, i, t);
      });
    },
    resize(now) {
      const room = host.clientWidth;
      if (!room) return;
      theme = now;
      const tall = Math.min(spec.height ?? 400, (room * height) / width);
      root.style.height = tall + "px";
      k = Math.min(room / width, tall / height);
      const ratio = devicePixelRatio || 1;
      Object.assign(c.canvas, { width: room * ratio, height: tall * ratio });
      const [left, up] = [(room - k * width) / 2 + k * pad, (tall - k * height) / 2 + k * pad];
      c.setTransform(ratio * k, 0, 0, ratio * k, ratio * left, ratio * up);
      c.lineJoin = "round";
      const size = k < 0.75 ? 11 : 12;
      measure.font = `600 ${size}px ${theme.font}`;
      root.style.setProperty("--label", size / k + "px");
      root.style.setProperty("--node", clamp(13 / k, 16, 18) + "px");
      const widest = Math.max(...labels.map((text) => measure.measureText(text).width)) + 12;
      const places = placeLabels(free, layout.nodes, widest / k, 19 / k);
      free.forEach((edge, i) => {
        edge.label.setAttribute("transform", `translate(${short(places[i].x)} ${short(places[i].y)})`);
      });
      view.draw(at);
    },
    hot(e) {
      hot = e;
      free.forEach(({ g }, i) => g.classList.toggle("hot", i === e));
      view.draw(at);
    },
    say(i) {
      const tops = free.map((_, e) => {
        const row = history.frame(spec.array, i).subarray(e * count, (e + 1) * count);
        return row.indexOf(Math.max(...row));
      });
      if (edges <= 6) return free.map(({ name }, e) => `${name} ${labels[tops[e]]}`).join(", ") + ".";
      const tally = labels.map((label, o) => [tops.filter((top) => top === o).length, label]);
      const most = tally.filter(([n]) => n).sort((a, b) => b[0] - a[0]);
      return `Strongest: ${most.map(([n, label]) => `${label} on ${n}`).join(", ")} of ${edges} edges.`;
    },
  };
  return view;
}

// ------------------------------------------------------------------------------- canvases and their axes

/** Canvases on top of each other that know their pixels. */
function layered(host, height, count, label) {
  const box = html("div", { className: "canvas" }, host);
  box.style.height = height + "px";
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", label);
  const layers = Array.from({ length: count }, () =>
    html("canvas", { ariaHidden: "true" }, box).getContext("2d"),
  );
  return {
    box,
    layers,
    width: 0,
    height,
    fit(tall = this.height) {
      const wide = box.clientWidth;
      const ratio = devicePixelRatio || 1;
      if (!wide || (wide === this.width && ratio === this.ratio && tall === this.height)) return;
      box.style.height = tall + "px";
      Object.assign(this, { width: wide, height: tall, ratio });
      for (const c of layers) {
        c.canvas.width = wide * ratio;
        c.canvas.height = tall * ratio;
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
      }
    },
  };
}

/** A rectangle with two linear scales. */
const scales = (box, [x0, x1], [y0, y1]) => ({
  ...box,
  domain: [x0, x1],
  values: [y0, y1],
  X: (v) => box.x + (box.w * (v - x0)) / (x1 - x0 || 1),
  Y: (v) => box.y + box.h * (1 - (v - y0) / (y1 - y0 || 1)),
});

/** Grid lines, ticks and axis labels around `s`, all outside the plot except the grid. */
function axes(c, s, theme, { xlabel, ylabel }) {
  c.lineWidth = 1;
  c.font = "12px " + theme.font;
  c.textAlign = "right";
  for (const v of ticks(...s.values, s.h / 45)) {
    const y = Math.round(s.Y(v)) + 0.5;
    c.strokeStyle = theme.grid;
    c.beginPath();
    c.moveTo(s.x, y);
    c.lineTo(s.x + s.w, y);
    c.stroke();
    c.fillStyle = theme.faint;
    c.fillText(String(v), s.x - 7, y + 4);
  }
  c.textAlign = "center";
  for (const v of ticks(...s.domain, s.w / 90)) c.fillText(v.toLocaleString("en"), s.X(v), s.y + s.h + 17);
  c.fillStyle = theme.faint;
  c.fillText(xlabel ?? "", s.x + s.w / 2, s.y + s.h + 34);
  if (!ylabel) return;
  c.save();
  c.translate(s.x - 44, s.y + s.h / 2);
  c.rotate(-Math.PI / 2);
  c.fillText(ylabel, 0, 4);
  c.restore();
}

/** Where knobs were turned: a dashed line with a flag, labelled where there is room; neighbours share one. */
function flags(c, marks, s, theme, place, labelled) {
  const groups = [];
  for (const { at, label } of marks) {
    const x = place(at);
    if (!(x >= s.x - 1 && x <= s.x + s.w + 1)) continue;
    const last = groups.at(-1);
    if (last && x - last.x < 14) last.label += ", " + label;
    else groups.push({ x, label });
  }
  c.strokeStyle = c.fillStyle = theme.mark;
  c.lineWidth = 1.2;
  for (const { x } of groups) {
    c.setLineDash([4, 3]);
    c.beginPath();
    c.moveTo(x, s.y);
    c.lineTo(x, s.y + s.h);
    c.stroke();
    c.setLineDash([]);
    c.beginPath();
    c.moveTo(x, s.y - 1);
    c.lineTo(x + 8, s.y + 3);
    c.lineTo(x, s.y + 7);
    c.fill();
  }
  c.font = "11px " + theme.font;
  c.textAlign = "left";
  let free = -Infinity;
  for (const { x, label } of labelled ? groups : []) {
    const wide = c.measureText(label).width;
    const left = x + 10 + wide > s.x + s.w ? x - 4 - wide : x + 10;
    if (left < free) continue;
    outlined(c, label, left, s.y + 7, theme);
    free = left + wide + 8;
  }
}

function outlined(c, text, x, y, theme, color = theme.text) {
  c.lineJoin = "round";
  c.lineWidth = 4;
  c.strokeStyle = theme.back;
  c.strokeText(text, x, y);
  c.fillStyle = color;
  c.fillText(text, x, y);
}

/** Horizontal reference lines [{y, label}], the label above the right end. Returns the labels' boxes. */
function references(c, lines, s, theme) {
  c.font = "11px " + theme.font;
  c.textAlign = "right";
  return (lines ?? []).map(({ y, label }) => {
    const at = s.Y(y);
    c.strokeStyle = theme.faint;
    c.lineWidth = 1.4;
    c.setLineDash([7, 4]);
    c.beginPath();
    c.moveTo(s.x, at);
    c.lineTo(s.x + s.w, at);
    c.stroke();
    c.setLineDash([]);
    const below = at - 14 < s.y;
    outlined(c, label ?? "", s.x + s.w - 4, at + (below ? 14 : -5), theme, theme.faint);
    const wide = c.measureText(label ?? "").width;
    return [s.x + s.w - 4 - wide, at + (below ? 2 : -17), s.x + s.w, at + (below ? 18 : 0)];
  });
}

// ---------------------------------------------- view: a small panel for every edge, a line per operation

function traces(host, spec, { history, colors, dashes }) {
  const shape = history.arrays[spec.array];
  const [panels, series] = shape.length > 1 ? shape : [1, shape[0]];
  const top = spec.max ?? 1;
  const L = layered(host, 100, 2, spec.title ?? "weights in time");
  const [base, over] = L.layers;
  const now = new Float32Array(panels * series);
  const left = 40; // room for the tick labels of the first column
  const gap = 14;
  let columns = 1;
  let rows = 1;
  let tall = 100;
  let drawn = 0;
  let span = 0;
  let theme;
  let hot = -1;
  let last = 0;

  const panel = (p) => {
    const w = (L.width - left - 6) / columns;
    const [column, row] = [p % columns, Math.floor(p / columns)];
    return { x: left + column * w, y: 22 + row * tall, w: w - gap, h: tall - 32 };
  };
  const scaled = (p) => scales(panel(p), [0, span], [0, top]);
  const bottom = (p) => p + columns >= panels;

  function frame() {
    base.clearRect(0, 0, L.width, L.height);
    for (let p = 0; p < panels; p++) {
      const s = scaled(p);
      base.fillStyle = theme.panel;
      base.fillRect(s.x, s.y, s.w, s.h);
      base.strokeStyle = theme.grid;
      base.lineWidth = 1;
      base.font = "11px " + theme.font;
      base.fillStyle = theme.faint;
      base.textAlign = "right";
      for (const v of s.h > 130 ? ticks(0, top, 5) : [0, top / 2, top]) {
        const y = Math.round(s.Y(v)) + 0.5;
        base.beginPath();
        base.moveTo(s.x, y);
        base.lineTo(s.x + s.w, y);
        base.stroke();
        if (p % columns === 0) base.fillText(`${Math.round(v * 100)} %`, s.x - 5, y + 4);
      }
      const label = spec.labels?.[p];
      if (bottom(p)) {
        const steps = ticks(0, span, Math.max(2, s.w / 75));
        base.textAlign = "center";
        for (const v of steps) {
          const x = s.X(v);
          base.textAlign = x + 14 > s.x + s.w ? "right" : x - 10 < s.x ? "left" : "center";
          base.fillText(v.toLocaleString("en"), base.textAlign === "right" ? s.x + s.w : x, s.y + s.h + 14);
        }
      }
      if (label) {
        base.font = "600 12px " + theme.font;
        base.fillStyle = theme.text;
        base.textAlign = "left";
        base.fillText(label, s.x, s.y - 6);
      }
      flags(base, history.marks, s, theme, s.X, panels === 1);
    }
    base.font = "11px " + theme.font;
    base.fillStyle = theme.faint;
    base.textAlign = "right";
    base.fillText(spec.xlabel ?? "step", L.width - 6 - gap, L.height - 2);
  }

  /** Only the new piece of every line: a long search costs no more a step than a short one. */
  function lines() {
    const wanted = Math.max(1, spec.total ?? 0, history.n - 1);
    if (wanted > span || !drawn) {
      // beyond what was planned the axis grows in strides, or every step would redraw everything
      span = span && wanted > span ? Math.max(wanted, Math.ceil(span * 1.25)) : wanted;
      drawn = 0;
      frame();
    }
    const data = history.data[spec.array];
    const size = panels * series;
    const from = Math.max(0, drawn - 1);
    base.lineWidth = panels === 1 ? 2 : 1.7;
    base.lineJoin = "round";
    for (let p = 0; p < panels; p++) {
      const s = scaled(p);
      for (let o = 0; o < series; o++) {
        base.strokeStyle = colors[o] ?? SERIES[o % SERIES.length];
        base.setLineDash(dashes[o] ?? []);
        base.lineDashOffset = s.X(from) - s.x; // the pattern goes on where the last piece ended
        base.beginPath();
        let pen = false;
        for (let i = from; i < history.n; i++) {
          const v = data[i * size + p * series + o];
          if (Number.isNaN(v)) {
            pen = false;
            continue;
          }
          base[pen ? "lineTo" : "moveTo"](s.X(i), s.Y(Math.min(v, top)));
          pen = true;
        }
        base.stroke();
      }
    }
    base.globalAlpha = 1;
    base.setLineDash([]);
    drawn = history.n;
  }

  const under = (event) => {
    const w = (L.width - left - 6) / columns;
    const column = clamp(Math.floor((event.offsetX - left) / w), 0, columns - 1);
    const p = clamp(Math.floor((event.offsetY - 4) / tall), 0, rows - 1) * columns + column;
    return p < panels ? p : -1;
  };
  L.box.addEventListener("pointermove", (event) => panels > 1 && tell(host, "edge", under(event)));
  L.box.addEventListener("pointerleave", () => panels > 1 && tell(host, "edge", -1));
  L.box.addEventListener("pointerdown", (event) => {
    const p = under(event);
    if (p < 0) return;
    const b = panel(p);
    tell(host, "seek", ((event.offsetX - b.x) / b.w) * span);
  });

  const view = {
    grow() {
      if (theme) lines();
    },
    patch() {
      drawn = span = 0;
      view.grow();
    },
    resize(now) {
      theme = now;
      const wide = L.box.clientWidth;
      if (!wide) return;
      columns = Math.min(panels, spec.columns ?? 99, Math.max(1, Math.floor((wide - left) / 138)));
      rows = Math.ceil(panels / columns);
      columns = Math.ceil(panels / rows); // the last row as full as the others
      tall = spec.rowHeight ?? (panels === 1 ? 240 : rows === 1 ? 150 : 112);
      L.fit(rows * tall + 16);
      view.patch();
      view.draw(last);
    },
    draw(t) {
      last = t;
      if (!theme) return;
      over.clearRect(0, 0, L.width, L.height);
      if (!history.n) return;
      history.between(spec.array, t, now);
      for (let p = 0; p < panels; p++) {
        const s = scaled(p);
        const x = s.X(t);
        over.fillStyle = theme.veil;
        over.fillRect(x, s.y, s.x + s.w - x, s.h);
        over.fillStyle = theme.text;
        over.fillRect(x - 0.5, s.y, 1, s.h);
        for (let o = 0; o < series; o++) {
          over.fillStyle = colors[o] ?? SERIES[o % SERIES.length];
          over.beginPath();
          over.arc(x, s.Y(Math.min(now[p * series + o], top)), 2.8, 0, 7);
          over.fill();
        }
        if (p !== hot) continue;
        over.strokeStyle = theme.text;
        over.lineWidth = 1.5;
        over.strokeRect(s.x - 2, s.y - 2, s.w + 4, s.h + 4);
      }
    },
    hot(e) {
      hot = e;
      view.draw(last);
    },
  };
  return view;
}

// ------------------------------------------------------------- view: the weights at one step, as numbers

function heat(host, spec, { history, labels }) {
  const [rows, columns] = history.arrays[spec.array];
  const L = layered(host, 100, 1, spec.title ?? "weights now");
  const [c] = L.layers;
  const w = new Float32Array(rows * columns);
  const top = spec.max ?? 1;
  const names = spec.columns ?? labels;
  let head = 36;
  const left = 58;
  const tall = spec.rowHeight ?? (rows > 10 ? 22 : 28);
  let theme;
  let hot = -1;
  let last = 0;

  L.box.addEventListener("pointermove", (event) => {
    const row = Math.floor((event.offsetY - head) / tall);
    tell(host, "edge", row >= 0 && row < rows ? row : -1);
  });
  L.box.addEventListener("pointerleave", () => tell(host, "edge", -1));

  const view = {
    resize(now) {
      theme = now;
      c.font = "11px " + theme.font;
      const room = (L.box.clientWidth - left) / columns - 4;
      head = names.some((name) => c.measureText(name).width > room) ? 36 : 22;
      L.fit(head + rows * tall + 4);
      view.draw(last);
    },
    draw(t) {
      last = t;
      if (!theme || !L.width) return;
      c.clearRect(0, 0, L.width, L.height);
      const wide = (L.width - left) / columns;
      c.textAlign = "center";
      c.fillStyle = theme.faint;
      c.font = "11px " + theme.font;
      names.forEach((name, o) => {
        const words = name.split(" ");
        const cut =
          c.measureText(name).width > wide - 4 && words.length > 1 ? words.length - 1 : words.length;
        const x = left + (o + 0.5) * wide;
        c.fillText(words.slice(0, cut).join(" "), x, cut < words.length ? head - 20 : head - 8, wide - 2);
        if (cut < words.length) c.fillText(words.slice(cut).join(" "), x, head - 7, wide - 2);
      });
      if (history.n) history.between(spec.array, t, w);
      for (let r = 0; r < rows; r++) {
        const y = head + r * tall;
        c.textAlign = "right";
        c.font = (r === hot ? "700 " : "") + "12px " + theme.font;
        c.fillStyle = theme.text;
        c.fillText(spec.labels?.[r] ?? String(r), left - 8, y + tall / 2 + 4);
        if (!history.n) continue;
        c.textAlign = "center";
        const row = w.subarray(r * columns, (r + 1) * columns);
        const most = Math.max(...row);
        for (let o = 0; o < columns; o++) {
          const share = clamp(row[o] / top, 0, 1) || 0;
          const x = left + o * wide;
          c.fillStyle = theme.panel;
          c.fillRect(x + 1, y + 1, wide - 2, tall - 2);
          c.fillStyle = BLUE;
          c.globalAlpha = share ** 0.8;
          c.fillRect(x + 1, y + 1, wide - 2, tall - 2);
          c.globalAlpha = 1;
          c.font = (row[o] === most ? "700 " : "") + "12px " + theme.font;
          c.fillStyle = share > 0.5 ? "#fff" : theme.text;
          c.fillText(
            Number.isFinite(row[o]) ? String(Math.round(row[o] * 100)) : "–",
            x + wide / 2,
            y + tall / 2 + 4,
          );
          if (row[o] !== most) continue;
          c.strokeStyle = theme.text;
          c.lineWidth = 1.5;
          c.strokeRect(x + 1.5, y + 1.5, wide - 3, tall - 3);
        }
      }
    },
    hot(e) {
      hot = e;
      view.draw(last);
    },
  };
  return view;
}

// ---------------------------------------- view: individuals by number and accuracy, and whence they came

function swarm(host, spec, { history }) {
  const L = layered(host, spec.height ?? 330, 2, spec.title ?? "population");
  const [base, over] = L.layers;
  const scale = spec.scale ?? 1;
  const unit = spec.unit ? " " + spec.unit : "";
  const margin = { l: 62, r: 16, t: 26, b: 44 };
  let theme;
  let s;
  let shown = -1;
  let hover = -1;
  let taken = [];

  const score = (i) => history.data[spec.array][i] * scale;
  const parent = (i) => (spec.parent ? history.data[spec.parent][i] : -1);
  const feasible = (i) => !spec.feasible || history.data[spec.feasible][i] !== 0;
  const floor = (i) => clamp(score(i), ...s.values);

  function fit() {
    const span = Math.max(1, spec.total ?? 0, history.n - 1);
    let values = spec.range;
    if (!values) {
      const all = Array.from({ length: history.n }, (_, i) => score(i));
      values = range([...all, ...(spec.lines ?? []).map((r) => r.y)], [true, false]);
      values[1] += 0.1 * (values[1] - values[0]); // for the label of the best
    }
    const box = {
      x: margin.l,
      y: margin.t,
      w: L.width - margin.l - margin.r,
      h: L.height - margin.t - margin.b,
    };
    s = scales(box, [0, span], values);
  }

  function alive(last) {
    if (!spec.population) return (i) => !spec.alive || last - i < spec.alive;
    const numbers = new Set(history.frame(spec.population, last));
    return (i) => numbers.has(i);
  }

  function best(last) {
    let [top, winner] = [-Infinity, -1];
    for (let i = 0; i <= last; i++) if (feasible(i) && score(i) > top) [top, winner] = [score(i), i];
    return winner;
  }

  function link(c, from, to) {
    const [x0, y0, x1, y1] = [s.X(from), s.Y(floor(from)), s.X(to), s.Y(floor(to))];
    c.beginPath();
    c.moveTo(x0, y0);
    c.bezierCurveTo(lerp(x0, x1, 0.6), y0, lerp(x0, x1, 0.4), y1, x1, y1);
    c.stroke();
  }

  function dot(c, i, live) {
    const [x, y] = [s.X(i), s.Y(floor(i))];
    const r = live ? 4 : 3;
    c.beginPath();
    if (Number.isNaN(score(i))) {
      // a training that failed: a cross on the axis
      for (const d of [-3, 3]) {
        c.moveTo(x - 3, s.y + s.h - 4 - d);
        c.lineTo(x + 3, s.y + s.h - 4 + d);
      }
      c.lineWidth = 1.5;
      return c.stroke();
    }
    if (score(i) < s.values[0]) {
      // far below: an arrow head at the edge of the plot
      c.moveTo(x - 4, y - 7);
      c.lineTo(x + 4, y - 7);
      c.lineTo(x, y);
      c.closePath();
    } else c.arc(x, y, r, 0, 7);
    if (feasible(i)) return c.fill();
    c.lineWidth = 1.4;
    c.stroke();
  }

  function picture(last) {
    shown = last;
    base.clearRect(0, 0, L.width, L.height);
    axes(base, s, theme, { xlabel: spec.xlabel ?? "architectures evaluated", ylabel: spec.ylabel });
    const lives = alive(last);
    base.lineWidth = 0.9;
    base.strokeStyle = theme.faint;
    for (let i = 0; i <= last; i++) {
      if (!(parent(i) >= 0) || Number.isNaN(score(i))) continue;
      base.globalAlpha = lives(i) ? 0.6 : 0.17;
      link(base, parent(i), i);
    }
    base.globalAlpha = 0.8;
    base.lineWidth = 2;
    base.strokeStyle = theme.text;
    base.beginPath();
    let top = -Infinity;
    for (let i = 0; i <= last; i++) {
      if (!feasible(i) || !(score(i) > top)) continue;
      if (top > -Infinity) base.lineTo(s.X(i), s.Y(clamp(top, ...s.values)));
      top = score(i);
      base.lineTo(s.X(i), s.Y(clamp(top, ...s.values)));
    }
    if (top > -Infinity) base.lineTo(s.X(last), s.Y(clamp(top, ...s.values)));
    base.stroke();
    for (let i = 0; i <= last; i++) {
      const live = lives(i);
      base.globalAlpha = live ? 0.95 : 0.5;
      base.fillStyle = base.strokeStyle = live ? BLUE : theme.dead;
      dot(base, i, live);
    }
    base.globalAlpha = 1;
    taken = references(base, spec.lines, s, theme);
    flags(base, history.marks, { ...s, y: s.y - 12, h: s.h + 12 }, theme, s.X, true);
    lineage(hover >= 0 && hover <= last ? hover : best(last));
  }

  function ancestors(i) {
    const line = [];
    for (let k = i; k >= 0 && line.length < history.n; k = parent(k)) line.push(k);
    return line;
  }

  const words = (i) => {
    const generations = ancestors(i).length - 1;
    const from =
      generations > 0 ? `, ${generations} mutation${generations > 1 ? "s" : ""} from its ancestor` : "";
    return `#${i}: ${number(score(i))}${unit}${feasible(i) ? "" : ", over the bound"}${from}`;
  };

  /** One individual and its ancestors, with a label that meets neither edge nor reference. */
  function lineage(i) {
    over.clearRect(0, 0, L.width, L.height);
    if (i < 0) return;
    over.strokeStyle = over.fillStyle = MAGENTA;
    over.lineWidth = 2.4;
    const family = ancestors(i);
    family.forEach((k, depth) => {
      if (depth + 1 < family.length) link(over, family[depth + 1], k);
      over.beginPath();
      over.arc(s.X(k), s.Y(floor(k)), depth ? 4 : 6, 0, 7);
      over.fill();
    });
    const text = words(i);
    over.font = "600 13px " + theme.font;
    over.textAlign = "left";
    const wide = over.measureText(text).width;
    const [x, y] = [s.X(i), s.Y(floor(i))];
    const left = clamp(x - wide / 2, s.x + 4, s.x + s.w - wide - 4);
    const places = [y - 14, y + 24, y - 32, y + 42].filter((at) => at > s.y + 10 && at < s.y + s.h - 4);
    const meets = (at) =>
      taken.some((b) => left < b[2] && left + wide > b[0] && at - 14 < b[3] && at + 4 > b[1]);
    outlined(over, text, left, places.find((at) => !meets(at)) ?? places[0] ?? y + 24, theme);
  }

  const redraw = () => theme && L.width && shown >= 0 && shown < history.n && picture(shown);
  L.box.addEventListener("pointermove", (event) => {
    if (!s || shown < 0) return;
    let near = 400;
    const before = hover;
    hover = -1;
    for (let i = 0; i <= shown; i++) {
      const d = (s.X(i) - event.offsetX) ** 2 + (s.Y(floor(i)) - event.offsetY) ** 2;
      if (d < near) [near, hover] = [d, i];
    }
    if (hover !== before) lineage(hover >= 0 ? hover : best(shown));
  });
  L.box.addEventListener("pointerleave", () => {
    hover = -1;
    redraw();
  });

  const view = {
    grow() {
      if (!theme || !L.width) return;
      fit();
      shown = Math.min(shown, history.n - 1);
      if (!history.n) [base, over].forEach((c) => c.clearRect(0, 0, L.width, L.height));
      if (!history.n)
        axes(base, s, theme, { xlabel: spec.xlabel ?? "architectures evaluated", ylabel: spec.ylabel });
      dirty = true;
    },
    resize(now) {
      theme = now;
      L.fit();
      view.grow();
      redraw();
    },
    draw(t) {
      const i = Math.min(Math.floor(t + 1e-6), history.n - 1);
      if (!theme || !L.width || i < 0 || (i === shown && !dirty)) return;
      dirty = false;
      picture(i);
    },
    say(i) {
      const winner = best(i);
      const so = winner >= 0 ? ` Best so far ${words(winner)}.` : "";
      return `Architecture ${i}: ${number(score(i))}${Number.isNaN(score(i)) ? "" : unit}.${so}`;
    },
  };
  let dirty = true;
  return view;
}

// ---------------------------------------------------- view: numbers against steps, or against each other

function curve(host, spec, { history }) {
  const L = layered(host, spec.height ?? 270, 3, spec.title ?? "curve");
  const [base, over, front] = L.layers;
  const scale = spec.scale ?? 1;
  const unit = spec.unit ? " " + spec.unit : "";
  const margin = { l: 62, r: 16, t: 16, b: 44 };
  const series = spec.series.map((one, j) => ({ color: SERIES[j % SERIES.length], dash: [], ...one }));
  const bands = spec.band ?? [];
  const others = spec.others ?? [];
  let theme;
  let s;
  let last = 0;

  const x = (i) => (spec.x ? history.data[spec.x][i] : i);
  const y = (one, i) => history.data[one.array][i] * scale;
  const place = (at) => s.X(history.n ? x(clamp(at, 0, history.n - 1)) : at);

  function fit() {
    const xs = [...bands, ...others].flatMap((b) => b.x);
    if (history.n) xs.push(x(0), x(history.n - 1));
    if (!spec.x) xs.push(Math.max(1, spec.total ?? 0));
    const end = Math.max(...(spec.x && spec.total ? [...xs, spec.total] : xs).filter(Number.isFinite), 0);
    const values = series.flatMap((one) => Array.from({ length: history.n }, (_, i) => y(one, i)));
    for (const b of bands) values.push(...b.lo.map((v) => v * scale), ...b.hi.map((v) => v * scale));
    for (const other of others) values.push(...other.y.map((v) => v * scale));
    for (const reference of spec.lines ?? []) values.push(reference.y);
    const box = {
      x: margin.l,
      y: margin.t,
      w: L.width - margin.l - margin.r,
      h: L.height - margin.t - margin.b,
    };
    s = scales(box, [Math.min(0, ...xs.filter(Number.isFinite)), end || 1], spec.range ?? range(values));
  }

  function inside(c, draw) {
    c.save();
    c.beginPath();
    c.rect(s.x, s.y - 2, s.w, s.h + 4);
    c.clip();
    draw();
    c.restore();
  }

  function polyline(c, points, { color, dash = [], width = 1.8, steps = false }) {
    c.strokeStyle = color;
    c.lineWidth = width;
    c.lineJoin = "round";
    c.setLineDash(dash);
    c.beginPath();
    let before = null;
    for (const [px, py] of points) {
      if (!Number.isFinite(py)) {
        before = null;
        continue;
      }
      const [a, b] = [s.X(px), s.Y(py)];
      if (before === null) c.moveTo(a, b);
      else if (steps) {
        c.lineTo(a, before);
        c.lineTo(a, b);
      } else c.lineTo(a, b);
      before = b;
    }
    c.stroke();
    c.setLineDash([]);
  }

  /** The best value so far, as a line of steps. */
  function record(one) {
    let top = NaN;
    const better = spec.lower ? (a, b) => a < b : (a, b) => a > b;
    return Array.from({ length: history.n }, (_, i) => {
      const v = spec.feasible && !history.data[spec.feasible][i] ? NaN : y(one, i);
      if (Number.isFinite(v) && (Number.isNaN(top) || better(v, top))) top = v;
      return [x(i), top];
    });
  }

  const entries = () => [
    ...series.flatMap((one) => [
      { label: one.label, color: one.color, dash: one.dash, dots: one.points },
      ...(one.best ? [{ label: "best so far", color: theme.text, width: 2.2 }] : []),
    ]),
    ...others.map((o, j) => ({ label: o.label, color: o.color ?? theme.faint, dash: j ? [2, 3] : [6, 4] })),
    ...bands.map((b) => ({ label: b.label, color: b.color ?? theme.dead, band: true })),
  ];

  function lines() {
    base.clearRect(0, 0, L.width, L.height);
    axes(base, s, theme, { xlabel: spec.xlabel ?? "step", ylabel: spec.ylabel });
    inside(base, () => {
      for (const one of series) {
        const points = Array.from({ length: history.n }, (_, i) => [x(i), y(one, i)]);
        if (one.points) {
          base.fillStyle = base.strokeStyle = one.color;
          base.lineWidth = 1.3;
          base.globalAlpha = 0.6;
          points.forEach(([a, b], i) => {
            base.beginPath();
            base.arc(s.X(a), s.Y(b), 3, 0, 7);
            base[spec.feasible && !history.data[spec.feasible][i] ? "stroke" : "fill"]();
          });
          base.globalAlpha = 1;
        } else polyline(base, points, one);
        if (one.best) polyline(base, record(one), { color: theme.text, width: 2.2, steps: true });
      }
    });
  }

  /** What does not depend on the step: bands, other runs, references, flags and the legend. */
  function ground() {
    front.clearRect(0, 0, L.width, L.height);
    inside(front, () => {
      for (const b of bands) {
        front.fillStyle = b.color ?? theme.dead;
        front.globalAlpha = 0.22;
        front.beginPath();
        b.x.forEach((v, i) => front.lineTo(s.X(v), s.Y(b.hi[i] * scale)));
        for (let i = b.x.length - 1; i >= 0; i--) front.lineTo(s.X(b.x[i]), s.Y(b.lo[i] * scale));
        front.fill();
        front.globalAlpha = 0.9;
        const middle = b.x.map((v, i) => [v, (b.mid?.[i] ?? NaN) * scale]);
        polyline(front, middle, { color: b.color ?? theme.dead, width: 1.4 });
        front.globalAlpha = 1;
      }
      others.forEach((o, j) => {
        const points = o.x.map((v, i) => [v, (o.y[i] ?? NaN) * scale]);
        polyline(front, points, { color: o.color ?? theme.faint, dash: j ? [2, 3] : [6, 4], steps: o.steps });
      });
    });
    references(front, spec.lines, s, theme);
    flags(front, history.marks, s, theme, place, true);
    legend(entries().filter((e) => e.label));
  }

  /** Inside the plot, in the corner that hides the least. */
  function legend(list) {
    if (!list.length || (list.length === 1 && !list[0].band)) return;
    front.font = "12px " + theme.font;
    const wide = Math.max(...list.map((e) => front.measureText(e.label).width)) + 38;
    const tall = list.length * 17 + 8;
    const [right, low] = [s.x + s.w - wide - 6, s.y + s.h - tall - 6];
    const top = s.y + (history.marks.length ? 14 : 6);
    const corners = [
      [right, low],
      [right, top],
      [s.x + 6, top],
      [s.x + 6, low],
    ];
    const hits = ([a, b]) => {
      let n = 0;
      const see = (px, py) => (n += px > a - 4 && px < a + wide + 4 && py > b - 4 && py < b + tall + 4);
      const stride = Math.max(1, Math.floor(history.n / 200));
      for (const one of series) {
        for (let i = 0; i < history.n; i += stride) see(place(i), s.Y(y(one, i)));
        if (one.best) for (const [px, py] of record(one)) see(s.X(px), s.Y(py));
      }
      for (const b of bands) b.x.forEach((v, i) => see(s.X(v), s.Y((b.mid?.[i] ?? b.hi[i]) * scale)));
      for (const o of others) o.x.forEach((v, i) => see(s.X(v), s.Y(o.y[i] * scale)));
      for (const r of spec.lines ?? []) see(a + wide / 2, s.Y(r.y));
      return n;
    };
    const [left, up] = corners.map((at) => [hits(at), at]).reduce((a, b) => (b[0] < a[0] ? b : a))[1];
    front.fillStyle = theme.back;
    front.globalAlpha = 0.85;
    front.fillRect(left, up, wide, tall);
    front.globalAlpha = 1;
    list.forEach((entry, j) => {
      const at = up + 13 + 17 * j;
      front.fillStyle = front.strokeStyle = entry.color;
      front.lineWidth = entry.width ?? 2;
      if (entry.band) {
        front.globalAlpha = 0.3;
        front.fillRect(left + 6, at - 6, 20, 12);
        front.globalAlpha = 1;
      } else if (entry.dots) {
        front.beginPath();
        front.arc(left + 16, at, 3.5, 0, 7);
        front.fill();
      } else {
        front.setLineDash(entry.dash ?? []);
        front.beginPath();
        front.moveTo(left + 6, at);
        front.lineTo(left + 26, at);
        front.stroke();
        front.setLineDash([]);
      }
      front.fillStyle = theme.text;
      front.textAlign = "left";
      front.fillText(entry.label, left + 32, at + 4);
    });
  }

  L.box.addEventListener("pointerdown", (event) => {
    if (!s || !history.n) return;
    const wanted = s.domain[0] + ((event.offsetX - s.x) / s.w) * (s.domain[1] - s.domain[0]);
    let i = 0;
    while (i < history.n - 1 && Math.abs(x(i + 1) - wanted) <= Math.abs(x(i) - wanted)) i++;
    tell(host, "seek", i);
  });

  const view = {
    grow() {
      if (!theme || !L.width) return;
      fit();
      lines();
      ground();
    },
    resize(now) {
      theme = now;
      L.fit();
      view.grow();
      view.draw(last);
    },
    draw(t) {
      last = t;
      if (!theme || !L.width) return;
      over.clearRect(0, 0, L.width, L.height);
      if (!history.n) return;
      const i = clamp(Math.floor(t), 0, history.n - 1);
      const j = Math.min(i + 1, history.n - 1);
      const at = s.X(lerp(x(i), x(j), t - i));
      over.fillStyle = theme.veil;
      over.fillRect(at, s.y - 2, Math.max(0, s.x + s.w - at), s.h + 4);
      over.fillStyle = theme.text;
      over.fillRect(at - 0.5, s.y, 1, s.h);
      inside(over, () => {
        for (const one of series) {
          over.fillStyle = one.color;
          over.beginPath();
          over.arc(at, s.Y(lerp(y(one, i), y(one, j), t - i)), 3.6, 0, 7);
          over.fill();
        }
      });
    },
    say: (i) => series.map((one) => `${one.label ?? one.array} ${number(y(one, i))}${unit}`).join(", ") + ".",
  };
  return view;
}

const VIEWS = { cell, traces, heat, swarm, curve };

// -------------------------------------------------------------------------------------------- appearance

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
.nasviz-stage .title { font-weight: 600; margin: 0 0 4px; }
.nasviz-stage .legend { display: flex; flex-wrap: wrap; gap: 3px 18px; margin-bottom: 8px; }
.nasviz-stage .legend span { white-space: nowrap; }
.nasviz-stage .legend svg { width: 26px; height: 12px; margin-right: 6px; vertical-align: -1px; }
.nasviz-stage .cell { position: relative; }
.nasviz-stage .cell svg { position: relative; width: 100%; display: block; overflow: visible; }
.nasviz-stage .node rect { fill: var(--bg); stroke: var(--fg); stroke-width: 1.6; }
.nasviz-stage .node text { fill: var(--fg); font: 600 var(--node, 16px) var(--family); }
.nasviz-stage .core { stroke: var(--bg); }
.nasviz-stage .fixed { fill: none; stroke: var(--dim); stroke-width: 1.5; stroke-dasharray: 4 4; }
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
.nasviz-stage .spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
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

// ----------------------------------------------------------------- a stage: pictures, transport and time

/**
 * Puts a stage into `el` until `signal` aborts. Returns told(what), to be called when the history has changed:
 * "grow", "patch" or "reset". `send` takes a message for Python, if any; `moved` hears the step at rest.
 */
function mount(el, spec, history, signal, { send, moved, live = true } = {}) {
  const root = html("div", { className: "nasviz-stage", tabIndex: -1 }, el);
  html("style", { textContent: CSS }, root);
  const { ops = [], colors = [] } = spec;
  const stage = {
    ops,
    colors,
    history,
    labels: spec.labels ?? ops,
    dashes: spec.dashes ?? ops.map(() => []),
    opacities: spec.opacities ?? ops.map(() => 1),
  };
  if (ops.length && spec.legend !== false) legendOf(root, stage);
  const grid = html("div", { className: "grid" }, root);
  const views = spec.views.map((one) => {
    const host = html("div", { className: "view" }, grid);
    host.style.setProperty("--span", one.span ?? 12);
    if (one.title) html("p", { className: "title", textContent: one.title }, host);
    return VIEWS[one.kind](host, one, stage);
  });

  const bar = html("div", { className: "bar" }, root);
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Playback");
  bar.hidden = spec.transport === false;
  bar.style.display = bar.hidden ? "none" : "";
  const button = (text, label, act) => {
    const b = html("button", { textContent: text, ariaLabel: label, title: label, type: "button" }, bar);
    b.addEventListener("click", act);
    return b;
  };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const stats = { draws: 0, ms: 0, seekAt: 0, latency: [] };
  let t = 0;
  let playing = false;
  let follow = true; // at the newest step, and staying there
  let frame = 0;
  let before = 0;
  let speed = spec.speed ?? 20;
  let caption = 0;
  let speech = 0;
  let spoke = -1e9;
  let flagged = "";

  button("|◀", "First step (Home)", () => seek(0));
  button("◀", "One step back (left arrow)", () => seek(Math.ceil(t) - 1));
  const play = button("▶", "Play (space)", toggle);
  button("▶|", "One step forward (right arrow)", () => seek(Math.floor(t) + 1));
  const track = html("div", { className: "track" }, bar);
  const slider = html(
    "input",
    { type: "range", min: 0, max: 0, value: 0, step: 1, ariaLabel: "Step" },
    track,
  );
  const out = html("output", {}, bar);
  const rate = html("select", { ariaLabel: "Steps a second", title: "Steps a second" }, bar);
  for (const s of [5, 10, 20, 60, 200])
    html("option", { value: s, textContent: s + "/s", selected: s === speed }, rate);
  rate.addEventListener("change", () => (speed = +rate.value));
  const newestButton = live ? button("live", "live: follow the newest step (End)", newest) : null;
  const said = html("p", { className: "said", ariaHidden: "true" }, root);
  const spoken = html("p", { className: "spoken" }, root);
  spoken.setAttribute("role", "status");
  spoken.setAttribute("aria-live", "polite");
  said.hidden = spec.transport === false;
  slider.addEventListener("input", () => {
    stats.seekAt = performance.now();
    seek(+slider.value);
  });

  const lastStep = () => Math.max(0, history.n - 1);

  function seek(to) {
    playing = false;
    t = clamp(Math.round(to), 0, lastStep());
    follow = t >= lastStep();
    wake();
  }

  /** Live, a publication is drawn once and never tweened: that would take half of the search's speed. */
  function newest() {
    playing = false;
    follow = true;
    t = lastStep();
    wake();
  }

  function toggle() {
    playing = !playing;
    if (playing && t >= lastStep()) t = 0;
    follow = false;
    before = 0;
    wake();
  }

  function wake() {
    if (!frame && !signal.aborted) frame = requestAnimationFrame(tick);
  }

  function tick(now) {
    frame = 0;
    if (playing) {
      t = Math.min(lastStep(), t + (Math.min(100, before ? now - before : 16) * speed) / 1000);
      if (t >= lastStep()) {
        playing = false;
        follow = true;
      }
    }
    const start = performance.now();
    if (history.n) for (const view of views) view.draw(calm.matches ? Math.floor(t) : t);
    stats.draws++;
    stats.ms += performance.now() - start;
    if (stats.seekAt) measure();
    transport();
    caption ||= setTimeout(describe, 200);
    speech ||= setTimeout(speak, Math.max(400, 4000 - (now - spoke)));
    before = playing ? now : 0;
    if (playing) wake();
  }

  function measure() {
    const since = stats.seekAt;
    stats.seekAt = 0;
    const channel = new MessageChannel(); // its message is handled after the paint of this frame
    channel.port1.onmessage = () => stats.latency.push(performance.now() - since);
    channel.port2.postMessage(0);
  }

  function transport() {
    const step = Math.floor(t);
    slider.max = lastStep();
    slider.value = step;
    const label = history.n ? `${step} / ${lastStep()}` : "no steps yet";
    if (out.textContent !== label) slider.ariaValueText = out.textContent = label;
    play.textContent = playing ? "⏸" : "▶";
    play.ariaLabel = play.title = playing ? "Pause (space)" : "Play (space)";
    if (newestButton) newestButton.ariaPressed = String(follow);
    Object.assign(root.dataset, { step, n: history.n });
    const wanted = JSON.stringify([history.marks, lastStep()]);
    if (wanted === flagged) return;
    flagged = wanted;
    track.querySelectorAll(".flag").forEach((flag) => flag.remove());
    for (const { at, label } of history.marks) {
      const flag = html("span", { className: "flag", title: `step ${at}: ${label}` }, track);
      flag.style.left = `calc(8px + (100% - 16px) * ${clamp(at / (lastStep() || 1), 0, 1)})`;
    }
  }

  function sentence() {
    if (!history.n) return "";
    const i = Math.floor(t);
    const turned = history.marks.filter((m) => m.at === i).map((m) => m.label);
    const what = views.map((view) => view.say?.(i)).filter(Boolean);
    return [`Step ${i} of ${lastStep()}.`, ...turned.map((label) => `Turned: ${label}.`), ...what].join(" ");
  }

  function describe() {
    caption = 0;
    const text = sentence();
    if (said.textContent !== text) said.textContent = text;
    if (!playing) moved?.(Math.floor(t));
  }

  function speak() {
    speech = 0;
    spoke = performance.now();
    const text = sentence();
    if (spoken.textContent !== text) spoken.textContent = text;
  }

  root.addEventListener("keydown", (event) => {
    if (event.target === rate || event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation(); // JupyterLab's command mode binds these keys too
    if (spec.transport === false) return;
    const act = {
      ArrowLeft: () => seek(Math.ceil(t) - 1),
      ArrowRight: () => seek(Math.floor(t) + 1),
      PageUp: () => seek(t + 10),
      PageDown: () => seek(t - 10),
      Home: () => seek(0),
      End: newest,
      " ": toggle,
    }[event.key];
    if (!act || (event.key === " " && event.target.tagName === "BUTTON")) return;
    event.preventDefault();
    stats.seekAt = performance.now();
    act();
  });
  root.addEventListener("seek", (event) => seek(event.detail));
  root.addEventListener("edge", (event) => views.forEach((view) => view.hot?.(event.detail)));
  root.addEventListener("pick", (event) => send?.({ type: "edge", edge: event.detail }));

  function resize() {
    const theme = themeOf(root);
    for (const view of views) view.resize?.(theme);
    wake();
  }
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
    cancelAnimationFrame(frame);
    clearTimeout(caption);
    clearTimeout(speech);
  });
  root.stage = { stats, seek, toggle, history, position: () => t }; // for tests, benchmarks and the console
  newest(); // a late view starts at the newest step

  return (what) => {
    if (what === "reset") {
      playing = false;
      follow = true;
      t = 0;
    }
    t = clamp(t, 0, lastStep());
    for (const view of views) (what === "grow" ? view.grow : (view.patch ?? view.grow))?.();
    if (follow) newest();
    wake();
  };
}

// --------------------------------------------------- anywidget: one history a model, any number of views

const floats = (b) => {
  const view = ArrayBuffer.isView(b) ? b : new DataView(b);
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
};

export default () => {
  let history; // in the closure: `model` is a new object in every hook
  const shown = new Set();
  return {
    initialize({ model }) {
      history = new History(model.get("spec").arrays);
      let waiting = 0;
      const need = (start, wait = 500) => {
        waiting ||= setTimeout(() => {
          waiting = 0;
          model.send({ type: "need", start: history.n ? (history.hole() ?? history.n) : start });
        }, wait);
      };
      model.on("msg:custom", (message, buffers) => {
        if (message.marks) history.marks = message.marks;
        let what = "grow";
        if (message.type === "mark") what = "patch";
        else if (message.type !== "frames") return;
        else {
          if (message.run !== history.run) {
            history.reset(message.run);
            what = "reset";
          } else if (message.start < history.n || message.marks) what = "patch";
          if (message.count) history.put(message.start, message.count, buffers.map(floats));
        }
        for (const told of shown) told(what);
        if (history.hole() !== null) need(0); // steps that were sent before this model existed, or were lost
      });
      need(0, 0);
      return () => clearTimeout(waiting);
    },
    render({ model, el, signal }) {
      const told = mount(el, model.get("spec"), history, signal, { send: (message) => model.send(message) });
      shown.add(told);
      signal.addEventListener("abort", () => shown.delete(told));
    },
  };
};

// ------------------------------------------------------ a file: the same pictures, nothing but this page

/** Plays a recorded run. The step is kept in the address (#step=120), so that a link shares the moment. */
export function replay(el, spec, marks, count, columns) {
  const history = new History(spec.arrays);
  history.marks = marks;
  if (count) history.put(0, count, columns);
  const asked = () => /[#&]step=(\d+)/.exec(location.hash)?.[1];
  const moved = (step) => {
    if (asked() !== String(step)) window.history.replaceState(null, "", "#step=" + step);
  };
  const first = asked();
  const told = mount(el, spec, history, new AbortController().signal, { moved, live: false });
  told("grow");
  const { stage } = el.querySelector(".nasviz-stage");
  if (first !== undefined) stage.seek(+first);
  addEventListener("hashchange", () => asked() !== undefined && stage.seek(+asked()));
  return stage;
}
