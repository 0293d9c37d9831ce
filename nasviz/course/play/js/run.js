// run.js: a search as far as it has been computed, and random searches to compare with. Uses searches.js, table.js.

/** A search whose steps are computed a few milliseconds at a time, ahead of what is shown. */
class Run {
  constructor(table, settings) {
    Object.assign(this, { table, settings, steps: [], done: false });
    this.source = begun(table, settings);
  }

  /** Goes on for so many milliseconds at most, or to the end. Returns whether anything is left to do. */
  ahead(ms) {
    const end = performance.now() + ms;
    while (!this.done && performance.now() < end) this.take();
    return !this.done;
  }

  /** Computes until there are so many steps, however long it takes. */
  until(count) {
    while (!this.done && this.steps.length < count) this.take();
    return this;
  }

  take() {
    const { value: step, done } = this.source.next();
    if (done) this.done = true;
    else if (step) this.steps.push(this.judged(step));
  }

  /** With what the search does not know, and the number of the best so far: most accurate of those within the bound. */
  judged(step) {
    const number = this.steps.length;
    const cost = this.table.costOf(step.arch);
    const allowed = cost <= this.settings.bound;
    const before = number ? this.steps[number - 1].best : -1;
    const better = allowed && (before < 0 || step.accuracy > this.steps[before].accuracy);
    return { ...step, number, cost, allowed, worth: this.table.worth(step.arch), best: better ? number : before };
  }

  /** True accuracy of the best so far after step i; NaN while nothing kept the bound. */
  found(i) {
    const { best } = this.steps[i];
    return best < 0 ? NaN : this.steps[best].worth;
  }
}

const RIVALS = 40; // random searches that are drawn as a band

/** What random search finds: the tenth, the middle and the ninetieth percentile of many seeds, after each training. */
class Band {
  constructor(table, { evaluations, noise, bound }) {
    Object.assign(this, { evaluations, done: false, of: [] });
    const settings = { search: "random", evaluations, noise, bound };
    this.next = (seed) => new Run(table, { ...settings, seed: 1000 + seed });
  }

  ahead(ms) {
    const end = performance.now() + ms;
    while (!this.done && performance.now() < end) {
      const run = this.next(this.of.length).until(Infinity);
      this.of.push(Float64Array.from(run.steps, (_, i) => run.found(i) || 0));
      if (this.of.length === RIVALS) this.finish();
    }
    return !this.done;
  }

  finish() {
    this.done = true;
    const at = Array.from({ length: this.evaluations }, (_, i) => this.of.map((one) => one[i]).sort((a, b) => a - b));
    const share = (sorted, q) => sorted[Math.round(q * (RIVALS - 1))];
    [this.low, this.middle, this.high] = [0.1, 0.5, 0.9].map((q) => at.map((sorted) => share(sorted, q)));
  }
}
