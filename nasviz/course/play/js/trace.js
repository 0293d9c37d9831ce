// trace.js: what a search reported, training by training, and what its best is truly worth. Uses plot.js, run.js.

class Trace {
  constructor(host) {
    this.plot = new Plot(host, "Accuracy of each training, and of the best so far");
  }

  resize(theme) {
    this.ready = this.plot.size(theme);
  }

  /** Axes, band of random search and the best there is. */
  ground(x, high, total, band, best) {
    const { plot } = this;
    const { c, theme } = plot;
    const y = plot.accuracies(high);
    const step = [5, 10, 20, 50, 100, 200, 500].find((one) => x(1 + one) - x(1) > 4 * plot.text) ?? 500;
    plot.below(x, [1, ...Array.from({ length: Math.floor(total / step) }, (_, i) => (i + 1) * step)], "trainings");
    if (band.done) {
      c.fillStyle = theme.faint;
      c.globalAlpha = 0.22;
      c.beginPath();
      for (let i = 0; i < total; i++) c.lineTo(x(i + 1), y(band.low[i]));
      for (let i = total - 1; i >= 0; i--) c.lineTo(x(i + 1), y(band.high[i]));
      c.fill();
      c.globalAlpha = 1;
      plot.line(Array.from({ length: total }, (_, i) => [x(i + 1), y(band.middle[i])]), theme.faint, 2, [2, 3]);
    }
    plot.line([[plot.left, y(best)], [plot.right, y(best)]], theme.text, 1.2, [1, 4]);
    return y;
  }

  /** What step i has behind it; a share f of the way to the next is gone. */
  draw(run, i, f, color, { band, best }) {
    const { plot } = this;
    if (!this.ready) return;
    const { steps, settings } = run;
    const total = settings.evaluations;
    const high = Math.max(CEILING, this.highest(run) + 0.003);
    const x = Plot.scale(1, total, plot.left + 8, plot.right - 4);
    if (run !== this.run) [this.run, plot.key] = [run, null];
    plot.layer(`${i} ${high} ${band.done}`, () => {
      this.y = this.ground(x, high, total, band, best);
      if (i >= 0) this.past(run, i, color, x);
    });
    if (i < 0) return;
    const at = x(i + 1 + f);
    if (f && steps[i].best >= 0) plot.line([[x(i + 1), this.y(run.found(i))], [at, this.y(run.found(i))]], color, 4);
    plot.line([[at, plot.top], [at, plot.bottom]], plot.theme.text, 1, [], 0.35);
    plot.dot(x(i + 1), this.y(steps[i].accuracy), 1.8 * this.dotSize(), plot.theme.text, { hollow: true, width: 2.2 });
  }

  dotSize() {
    return clamp(this.plot.w / 200, 1.6, 3.2);
  }

  /** A dot for each training, and the best so far: as it was reported, and what it is worth. */
  past(run, i, color, x) {
    const { plot, y } = this;
    const { steps } = run;
    const done = steps.slice(0, i + 1);
    const places = (of) => of.map(({ number, accuracy }) => [x(number + 1), y(accuracy)]);
    const over = done.filter((step) => !step.allowed);
    plot.dots(places(over), this.dotSize(), plot.theme.faint, { hollow: true, alpha: 0.6 });
    plot.dots(places(done.filter((step) => step.allowed)), this.dotSize(), color, { alpha: 0.6 });
    const upto = (value) => {
      const points = [];
      for (let k = 0; k <= i; k++) {
        const changes = k === i || steps[k].best !== steps[k + 1].best;
        if (k && steps[k].best !== steps[k - 1].best) points.push([x(k + 1), y(value(k - 1))], [x(k + 1), y(value(k))]);
        if (!k || changes) points.push([x(k + 1), y(value(k))]);
      }
      return points;
    };
    plot.line(upto((k) => (steps[k].best < 0 ? NaN : steps[steps[k].best].accuracy)), color, 2, [7, 4], 0.9);
    const worth = upto((k) => run.found(k));
    plot.line(worth, plot.theme.back, 7);
    plot.line(worth, color, 4);
  }

  /** The highest accuracy that the whole run reports, as far as it is known: the axis must not jump while it plays. */
  highest(run) {
    if (this.seen?.run !== run) this.seen = { run, upto: 0, most: 0 };
    for (; this.seen.upto < run.steps.length; this.seen.upto++)
      this.seen.most = Math.max(this.seen.most, run.steps[this.seen.upto].accuracy);
    return this.seen.most;
  }

  /** The training at a place of the canvas. */
  hit(total, px) {
    const { left, right } = this.plot;
    return clamp(Math.round(((px - left - 8) / (right - left - 12)) * (total - 1)), 0, total - 1);
  }
}
