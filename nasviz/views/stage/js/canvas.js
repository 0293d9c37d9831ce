// canvas.js: layers of canvases, scales, and what plots share: axes, flags, reference lines. Uses html of base.js.

/** Round numbers between low and high, about `count` of them. */
function ticks(low, high, count) {
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

/** The rectangle that margins leave of a picture. */
const inner = ({ width, height }, { l, r, t, b }) => ({ x: l, y: t, w: width - l - r, h: height - t - b });

/** A rectangle with two linear scales. */
const scales = (box, [x0, x1], [y0, y1]) => ({
  ...box,
  domain: [x0, x1],
  values: [y0, y1],
  X: (v) => box.x + (box.w * (v - x0)) / (x1 - x0 || 1),
  Y: (v) => box.y + box.h * (1 - (v - y0) / (y1 - y0 || 1)),
});

function segment(c, x0, y0, x1, y1) {
  c.beginPath();
  c.moveTo(x0, y0);
  c.lineTo(x1, y1);
  c.stroke();
}

function disc(c, x, y, radius) {
  c.beginPath();
  c.arc(x, y, radius, 0, 7);
  c.fill();
}

/** The step shown is at x: a line there, and a veil over what comes after it, `more` pixels beyond the plot. */
function veil(c, s, x, theme, more = 0) {
  c.fillStyle = theme.veil;
  c.fillRect(x, s.y - more, Math.max(0, s.x + s.w - x), s.h + 2 * more);
  c.fillStyle = theme.text;
  c.fillRect(x - 0.5, s.y, 1, s.h);
}

/** Grid lines, ticks and axis labels around `s`, outside the plot except the grid. `marks`: ticks of x, [v, text]. */
function axes(c, s, theme, { xlabel, ylabel, marks }) {
  c.lineWidth = 1;
  c.font = "12px " + theme.font;
  c.textAlign = "right";
  let widest = 0; // of the ticks: the label of the axis keeps clear of 63.95
  for (const v of ticks(...s.values, s.h / 45)) {
    widest = Math.max(widest, c.measureText(String(v)).width);
    const y = Math.round(s.Y(v)) + 0.5;
    c.strokeStyle = theme.grid;
    segment(c, s.x, y, s.x + s.w, y);
    c.fillStyle = theme.faint;
    c.fillText(String(v), s.x - 7, y + 4);
  }
  c.textAlign = "center";
  marks ??= ticks(...s.domain, s.w / 90).map((v) => [v, v.toLocaleString("en")]);
  for (const [v, text] of marks) c.fillText(text, s.X(v), s.y + s.h + 17);
  c.fillStyle = theme.faint;
  c.fillText(xlabel ?? "", s.x + s.w / 2, s.y + s.h + 34);
  if (!ylabel) return;
  c.save();
  c.translate(s.x - Math.max(44, widest + 17), s.y + s.h / 2);
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
    segment(c, x, s.y, x, s.y + s.h);
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
    segment(c, s.x, at, s.x + s.w, at);
    c.setLineDash([]);
    const below = at - 14 < s.y;
    outlined(c, label ?? "", s.x + s.w - 4, at + (below ? 14 : -5), theme, theme.faint);
    const wide = c.measureText(label ?? "").width;
    return [s.x + s.w - 4 - wide, at + (below ? 2 : -17), s.x + s.w, at + (below ? 18 : 0)];
  });
}
