// map.js: all networks at once, cost to the right and true accuracy upwards, and the way of a search through them.
// Uses plot.js, table.js.

class CellMap {
  constructor(host, table) {
    this.table = table;
    this.plot = new Plot(host, "All networks: cost to the right, true accuracy upwards");
    this.back = document.createElement("canvas");
    this.version = 0; // of what lies below the search
    this.shift = Float32Array.from(table.cost, (_, row) => ((row * 0.6180339887) % 1) - 0.5); // within its column
  }

  resize(theme, bound) {
    const { plot, table } = this;
    this.ready = plot.size(theme);
    if (!this.ready) return;
    const most = table.costs.at(-1);
    this.x = Plot.scale(0, 1.02 * most, plot.left, plot.right);
    this.column = 0.75 * (this.x(8192) - this.x(0)); // the least distance between two costs
    this.bound = bound;
    this.ground();
  }

  /** Drawn once: the axes, the bound, a point for each network. */
  ground() {
    const { plot, table } = this;
    const { c, theme } = plot;
    c.clearRect(0, 0, plot.w, plot.h);
    this.y = plot.accuracies();
    plot.below(this.x, [0, 100000, 200000, 300000, 400000], "cost, thousand multiply-adds", (v) => v / 1000);
    const radius = clamp(plot.w / 420, 0.9, 2);
    c.fillStyle = theme.faint;
    for (let row = 0; row < table.rows; row++) {
      c.globalAlpha = table.cost[row] <= this.bound ? 0.5 : 0.16;
      const [x, y] = this.place(row);
      c.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    }
    c.globalAlpha = 1;
    if (this.bound < Infinity) {
      const at = this.x(this.bound);
      plot.line([[at, plot.top], [at, plot.bottom]], theme.mark, 2, [6, 4]);
      const right = at < plot.w / 2;
      plot.say("bound", at + (right ? 6 : -6), plot.bottom - plot.text, { color: theme.mark, align: right ? "left" : "right", bold: true, halo: true });
    }
    const best = table.best(this.bound);
    if (best >= 0) {
      const [x, y] = this.place(best);
      plot.dot(x, y, 5, theme.text, { hollow: true, width: 1.5 });
    }
    this.version++;
    Object.assign(this.back, { width: plot.canvas.width, height: plot.canvas.height });
    this.back.getContext("2d").drawImage(plot.canvas, 0, 0);
  }

  place(row) {
    return [this.x(this.table.cost[row]) + this.shift[row] * this.column, this.y(this.table.truth[row])];
  }

  at(arch) {
    return this.place(this.table.rowOf[arch]);
  }

  /** The state after step i, and a share f of the way to the next. */
  draw(run, i, f, color) {
    const { plot } = this;
    if (!this.ready) return;
    if (run !== this.run) [this.run, this.version] = [run, this.version + 1];
    plot.layer(`${i} ${this.version}`, () => this.past(run.steps, i, color));
    if (i >= 0) this.now(run.steps, i, f);
  }

  /** All that was trained so far; who does not live any more is pale. */
  past(steps, i, color) {
    const { plot } = this;
    const { c } = plot;
    c.save();
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.drawImage(this.back, 0, 0);
    c.restore();
    if (i < 0) return;
    const size = this.dotSize();
    const living = steps[i].alive && new Set(steps[i].alive);
    const isOld = (k) => (living ? !living.has(k) : k < i - 60);
    const upto = Array.from({ length: i + 1 }, (_, k) => k);
    const places = (numbers) => numbers.map((k) => this.at(steps[k].arch));
    plot.dots(places(upto.filter(isOld)), 0.7 * size, color, { alpha: 0.35 });
    plot.dots(places(upto.filter((k) => !isOld(k))), size, color, { alpha: 0.85 });
    if (steps[i].best >= 0) this.star(...this.at(steps[steps[i].best].arch), 1.9 * size, color);
  }

  dotSize() {
    return clamp(this.plot.w / 130, 2.6, 5);
  }

  /** The training of step i, moving on to the next. */
  now(steps, i, f) {
    const { plot } = this;
    const { theme } = plot;
    const step = steps[i];
    const radius = 1.7 * this.dotSize();
    if (step.parent >= 0) plot.line([this.at(steps[step.parent].arch), this.at(step.arch)], theme.text, 1.5, [], 0.7);
    let [x, y] = this.at(step.arch);
    if (f > 0 && steps[i + 1]) {
      const next = steps[i + 1];
      const from = next.parent >= 0 ? this.at(steps[next.parent].arch) : [x, y];
      const to = this.at(next.arch);
      const eased = f * f * (3 - 2 * f);
      [x, y] = [lerp(from[0], to[0], eased), lerp(from[1], to[1], eased)];
      if (next.parent >= 0) plot.line([from, [x, y]], theme.text, 1.5, [], 0.5);
    }
    plot.dot(x, y, radius, theme.back, { hollow: true, width: 5 });
    plot.dot(x, y, radius, theme.text, { hollow: true, width: 2.5 });
  }

  star(x, y, radius, color) {
    const { c, theme } = this.plot;
    c.beginPath();
    for (let k = 0; k < 10; k++) {
      const [r, a] = [k % 2 ? 0.45 * radius : radius, (k * Math.PI) / 5 - Math.PI / 2];
      c.lineTo(x + r * Math.cos(a), y + r * Math.sin(a));
    }
    c.closePath();
    [c.fillStyle, c.strokeStyle, c.lineWidth] = [color, theme.text, 1.5];
    c.fill();
    c.stroke();
  }

  /** The newest of the first `count` steps that lies at a place of the canvas, or -1. */
  hit(run, count, px, py) {
    for (let k = count - 1; k >= 0; k--) {
      const [x, y] = this.at(run.steps[k].arch);
      if (Math.hypot(x - px, y - py) < 9) return k;
    }
    return -1;
  }
}
