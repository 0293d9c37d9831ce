// histogram.js: how many architectures reach which accuracy, with a guess and the truth. Uses plot.js, words.js.

const BINS = 50;

class Histogram {
  constructor(host, table) {
    this.plot = new Plot(host, "How many cells reach which true accuracy");
    this.table = table;
    const sorted = Array.from(table.rowOf, (row) => table.truth[row]).sort((a, b) => a - b);
    this.at = (share) => sorted[Math.min(SIZE - 1, Math.floor(share * SIZE))]; // accuracy below which a share lies
    this.counts = new Float64Array(BINS);
    for (const value of sorted) this.counts[this.bin(value)]++;
  }

  bin(accuracy) {
    return clamp(Math.floor(((accuracy - FLOOR) / (CEILING - FLOOR)) * BINS), 0, BINS - 1);
  }

  resize(theme) {
    this.ready = this.plot.size(theme);
  }

  /** A guess as a share of all cells; the true accuracy, or NaN while it is hidden. */
  draw(guess, truth) {
    const { plot } = this;
    if (!this.ready) return;
    const { c, theme } = plot;
    const left = 12;
    c.clearRect(0, 0, plot.w, plot.h);
    const x = Plot.scale(FLOOR, CEILING, left, plot.w - 12);
    const most = Math.max(...this.counts);
    const top = plot.top + 1.6 * plot.text;
    const upto = this.at(guess);
    const wide = (plot.w - 12 - left) / BINS;
    this.counts.forEach((count, k) => {
      const tall = Math.max(count ? 2 : 0, (count / most) * (plot.bottom - top));
      const low = FLOOR + ((CEILING - FLOOR) * k) / BINS;
      const below = clamp((upto - low) / ((CEILING - FLOOR) / BINS), 0, 1);
      const px = left + k * wide;
      c.fillStyle = theme.grid;
      c.fillRect(px + 0.5, plot.bottom - tall, wide - 1, tall);
      c.fillStyle = BLUE;
      if (below) c.fillRect(px + 0.5, plot.bottom - tall, (wide - 1) * below, tall);
    });
    plot.line([[left, plot.bottom], [plot.w - 12, plot.bottom]], theme.faint, 1);
    for (const at of [0.74, 0.76, 0.78, 0.8, 0.82, 0.84]) plot.say(Math.round(100 * at) + " %", x(at), plot.bottom + plot.text, { align: "center" });
    plot.say("true accuracy", plot.w / 2, plot.bottom + 2.2 * plot.text, { align: "center" });
    this.flag(x(Math.max(FLOOR, upto)), "your guess", BLUE, top, 0);
    if (Number.isFinite(truth)) this.flag(x(truth), "the truth", MAGENTA, top, 1.4 * plot.text);
  }

  flag(x, text, color, top, down) {
    const { plot } = this;
    const at = top + down;
    plot.line([[x, at], [x, plot.bottom]], plot.theme.back, 6);
    plot.line([[x, at], [x, plot.bottom]], color, 3, color === MAGENTA ? [] : [8, 4]);
    const right = x < plot.w / 2;
    plot.say(text, x + (right ? 8 : -8), at, { align: right ? "left" : "right", color: plot.theme.text, bold: true, halo: true });
  }
}
