// cell.js: a view of the cell, edges made of operations; canvas and SVG of its own. Uses base.js.

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

/** The head of a wire, where it meets the box of its target. */
function arrow(host, [x, y, nx, ny], { x: cx, y: cy, w, h }) {
  const [dx, dy] = [ny, -nx]; // along the wire
  const inside = ([px, py]) => Math.abs(px - cx) < w / 2 + 2 && Math.abs(py - cy) < h / 2 + 2;
  let tip = [x, y];
  while (inside(tip)) tip = [tip[0] - dx, tip[1] - dy];
  const at = (along, across) => `${short(tip[0] + along * dx + across * nx)} ${short(tip[1] + along * dy + across * ny)}`;
  svg("path", { class: "head", d: `M${at(0, 0)}L${at(-9, 4)}L${at(-9, -4)}Z` }, host);
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

function cell(host, spec, { history, labels, colors, dashes, opacities, ops, text: wanted = 12 }) {
  const [rows, count] = spec.array ? history.arrays[spec.array] : [0, 0]; // none where only nodes compute
  const edges = spec.rows ?? rows;
  const start = (spec.first ?? 0) * count; // a cell of several that share an array
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
    if (spec.marked?.edges.includes(e)) svg("path", { class: "marked", d: line(pts) }, g);
    if (fixed.has(e)) {
      svg("path", { class: spec.node_styles ? "wire" : "fixed", d: line(pts) }, g);
      if (spec.node_styles) arrow(g, pts.at(-1), spec.layout.nodes[spec.edges[e][1]]);
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
  layout.nodes.forEach(({ x, y, w, h, label }, n) => {
    const g = svg("g", { class: "node", transform: `translate(${x} ${y})` }, root);
    const rect = { x: -w / 2, y: -h / 2, width: w, height: h };
    if (spec.marked?.nodes.includes(n))
      svg("rect", { class: "marked", x: -w / 2 - 6, y: -h / 2 - 6, width: w + 12, height: h + 12, rx: 12 }, g);
    const look = spec.node_styles?.[n];
    svg("rect", { ...rect, rx: look ? 7 : h / 2 }, g);
    if (look) {
      g.classList.add("op");
      const tint = `fill: ${look.color}; fill-opacity: .14; stroke: ${look.color}`;
      svg("rect", { ...rect, rx: 7, style: tint, "stroke-dasharray": look.dash.join(" ") }, g);
    }
    nodeText(svg("text", { "text-anchor": "middle", dy: ".35em" }, g), label);
  });
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
  const against = spec.against ? new Float32Array(edges * count) : null; // what differs from it is marked

  /** All operations of edge i side by side, each as wide as its weight, its stroke pattern along its middle. */
  function ribbon(edge, i) {
    let offset = -thickness / 2;
    if (against && differs(i)) {
      c.globalAlpha = 0.38;
      c.strokeStyle = "#d99400";
      c.lineWidth = thickness + 13;
      c.beginPath();
      for (const [x, y] of edge.course) c.lineTo(x, y);
      c.stroke();
    }
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

  /** Whether edge i has another operation than in the array that it is compared with, where that has one. */
  function differs(i) {
    const [mine, its] = [weights, against].map((all) => all.subarray(i * count, (i + 1) * count));
    return Number.isFinite(its[0]) && mine.indexOf(Math.max(...mine)) !== its.indexOf(Math.max(...its));
  }

  /** The strongest operation of an edge at step i, or -1 where none leads clearly. */
  function leader(i, e) {
    const row = history.frame(spec.array, i).subarray(start + e * count, start + (e + 1) * count);
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
      const h = (wanted + 7) / k;
      for (const [key, v] of Object.entries({
        x: -w / 2,
        y: -h / 2,
        width: w,
        height: h,
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
      if (!history.n) for (const edge of free) edge.label.setAttribute("opacity", (edge.opacity = 0));
      if (!history.n || !spec.array) return;
      history.between(spec.array, t, weights, start);
      if (against) against.set(history.frame(spec.against, Math.floor(t)));
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
      const size = k < 0.75 ? (11 / 12) * wanted : wanted;
      measure.font = `600 ${size}px ${theme.font}`;
      root.style.setProperty("--label", size / k + "px");
      root.style.setProperty("--node", clamp(13 / k, 16, 18) + "px");
      const widest = Math.max(0, ...labels.map((text) => measure.measureText(text).width)) + 12;
      const places = placeLabels(free, layout.nodes, widest / k, (wanted + 7) / k);
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
      if (!spec.array) return "";
      const tops = free.map((_, e) => {
        const row = history.frame(spec.array, i).subarray(start + e * count, start + (e + 1) * count);
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
