// trace.js: what a search reported, training by training, and what its best is truly worth. Uses plot.js, run.js.

class Trace {
  constructor(host) {
    this.plot = new Plot(host, "Accuracy of each training, and of the best so far");
  }

  resize(theme) {
    this.ready = this.plot.size(theme);
  }

  /** Axes, band of random search and the best there is, once a frame; returns the scales. */
  ground(total, high, band, best) {
    const { plot } = this;
    const { c, theme } = plot;
    c.clearRect(0, 0, plot.w, plot.h);
    const y = plot.accuracies(high);
    const x = Plot.scale(1, total, plot.left + 8, plot.right - 4);
    const step = [5, 10, 20, 50, 100, 200, 500].find((one) => (one / total) * (plot.right - plot.left) > 4 * plot.text) ?? 500;
    plot.below(x, [1, ...Array.from({ length: Math.floor(total / step) }, (_, i) => (i + 1) * step)], "trainings");
    if (band?.done) {
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
    return { x, y };
  }

  draw(run, i, f, color, { band, best }) {
    const { plot } = this;
    if (!this.ready) return;
    const { steps, settings } = run;
    const total = settings.evaluations;
    const high = Math.max(CEILING, this.highest(run) + 0.003);
    const { x, y } = this.ground(total, high, band, best);
    if (i < 0) return;
    const size = clamp(plot.w / 200, 1.6, 3.2);
    for (let k = 0; k <= i; k++) {
      const { accuracy, allowed } = steps[k];
      plot.dot(x(k + 1), y(accuracy), size, allowed ? color : plot.theme.faint, { alpha: allowed ? 0.6 : 0.55, hollow: !allowed, width: 1.2 });
    }
    const upto = (value) => {
      const points = [];
      for (let k = 0; k <= i; k++) {
        if (k && steps[k].best !== steps[k - 1].best) points.push([x(k + 1), y(value(k - 1))]);
        points.push([x(k + 1), y(value(k))]);
      }
      points.push([x(i + 1 + f), y(value(i))]);
      return points;
    };
    const reported = (k) => (steps[k].best < 0 ? NaN : steps[steps[k].best].accuracy);
    plot.line(upto(reported), color, 2, [7, 4], 0.9);
    plot.line(upto((k) => run.found(k)), plot.theme.back, 7);
    plot.line(upto((k) => run.found(k)), color, 4);
    const at = x(i + 1 + f);
    plot.line([[at, plot.top], [at, plot.bottom]], plot.theme.text, 1, [], 0.35);
    plot.dot(x(i + 1), y(steps[i].accuracy), 1.8 * size, plot.theme.text, { hollow: true, width: 2.2 });
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
