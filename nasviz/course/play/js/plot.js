// plot.js: a canvas with axes. Uses base.js of the stage.

const FLOOR = 0.72; // accuracies below are drawn at the bottom: one cell in thirty
const CEILING = 0.845;
const percent = (accuracy) => (100 * accuracy).toFixed(1) + " %";

/** A canvas as large as its box. `size()` fits it, and says whether there is any room. */
class Plot {
  constructor(host, label) {
    this.box = html("div", { className: "plot" }, host);
    this.canvas = html("canvas", {}, this.box);
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    this.c = this.canvas.getContext("2d");
    this.kept = document.createElement("canvas");
  }

  /** Paints what a key stands for, and keeps it: as long as the key is the same, the picture is only copied. */
  layer(key, paint) {
    if (this.key === key) {
      this.c.save();
      this.c.setTransform(1, 0, 0, 1, 0, 0);
      this.c.clearRect(0, 0, this.canvas.width, this.canvas.height);
      this.c.drawImage(this.kept, 0, 0);
      this.c.restore();
      return;
    }
    this.key = key;
    this.c.clearRect(0, 0, this.w, this.h);
    paint();
    Object.assign(this.kept, { width: this.canvas.width, height: this.canvas.height });
    this.kept.getContext("2d").drawImage(this.canvas, 0, 0);
  }

  size(theme) {
    const ratio = devicePixelRatio || 1;
    [this.w, this.h, this.theme] = [this.box.clientWidth, this.box.clientHeight, theme];
    this.key = null;
    if (!this.w || !theme) return false;
    Object.assign(this.canvas, { width: Math.round(this.w * ratio), height: Math.round(this.h * ratio) });
    this.c.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.text = Math.max(12, 0.8 * parseFloat(getComputedStyle(this.box).fontSize));
    this.left = 4.2 * this.text;
    this.bottom = this.h - 2.9 * this.text;
    this.top = 0.6 * this.text;
    this.right = this.w - 0.7 * this.text;
    return this.right > this.left;
  }

  /** Maps a number between `low` and `high` to a place between two pixels. */
  static scale(low, high, from, to) {
    return (value) => from + ((clamp(value, low, high) - low) / (high - low)) * (to - from);
  }

  say(text, x, y, { align = "left", color = this.theme.faint, bold = false, halo = false } = {}) {
    const { c } = this;
    c.font = `${bold ? 600 : 400} ${this.text}px ${this.theme.font}`;
    c.textAlign = align;
    c.textBaseline = "middle";
    if (halo) {
      [c.strokeStyle, c.lineWidth, c.lineJoin] = [this.theme.back, 4, "round"];
      c.strokeText(text, x, y);
    }
    c.fillStyle = color;
    c.fillText(text, x, y);
  }

  /** Grid and percent signs of accuracies from the floor to `high`; returns the scale. */
  accuracies(high = CEILING) {
    const { c } = this;
    const y = Plot.scale(FLOOR, high, this.bottom, this.top);
    const room = (this.bottom - this.top) / (high - FLOOR);
    const step = [0.02, 0.04, 0.08].find((one) => one * room > 1.6 * this.text) ?? 0.08;
    [c.strokeStyle, c.lineWidth] = [this.theme.grid, 1];
    for (let at = FLOOR; at <= high; at = +(at + step).toFixed(4)) {
      c.beginPath();
      c.moveTo(this.left, Math.round(y(at)) + 0.5);
      c.lineTo(this.right, Math.round(y(at)) + 0.5);
      c.stroke();
      this.say((at === FLOOR ? "≤ " : "") + Math.round(100 * at) + " %", this.left - 6, y(at), { align: "right" });
    }
    return y;
  }

  /** Numbers below the axis, and what they count. */
  below(x, ticks, label, written = String) {
    const row = this.bottom + 0.95 * this.text;
    for (const at of ticks) this.say(written(at), x(at), row, { align: "center" });
    this.say(label, (this.left + this.right) / 2, this.bottom + 2.2 * this.text, { align: "center" });
  }

  dot(x, y, radius, color, { hollow = false, width = 2, alpha = 1 } = {}) {
    const { c } = this;
    c.globalAlpha = alpha;
    c.beginPath();
    c.arc(x, y, radius, 0, 2 * Math.PI);
    [c.fillStyle, c.strokeStyle, c.lineWidth] = [color, color, width];
    if (hollow) c.stroke();
    else c.fill();
    c.globalAlpha = 1;
  }

  /** Many dots of one look, in one stroke of the brush. */
  dots(places, radius, color, { hollow = false, alpha = 1 } = {}) {
    const { c } = this;
    c.beginPath();
    for (const [x, y] of places) {
      c.moveTo(x + radius, y);
      c.arc(x, y, radius, 0, 2 * Math.PI);
    }
    [c.fillStyle, c.strokeStyle, c.lineWidth, c.globalAlpha] = [color, color, 1.2, alpha];
    if (hollow) c.stroke();
    else c.fill();
    c.globalAlpha = 1;
  }

  /** A line through points; NaN lifts the pen. */
  line(points, color, width, dash = [], alpha = 1) {
    const { c } = this;
    [c.strokeStyle, c.lineWidth, c.lineJoin, c.globalAlpha] = [color, width, "round", alpha];
    c.setLineDash(dash);
    c.beginPath();
    let down = false;
    for (const [x, y] of points) {
      if (!Number.isFinite(y)) down = false;
      else if (down) c.lineTo(x, y);
      else {
        c.moveTo(x, y);
        down = true;
      }
    }
    c.stroke();
    c.setLineDash([]);
    c.globalAlpha = 1;
  }
}
