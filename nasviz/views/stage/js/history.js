// history.js: the steps received, so that any can be drawn again without asking the kernel. Uses base.js.

/** Float32 columns, one a name; row i is step i. Rows may arrive out of order: `hole` finds what is missing. */
class History {
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

  /** Linear interpolation between two steps, into `out`, of what begins at number `start` of a step's. */
  between(name, t, out, start = 0) {
    const i = clamp(Math.floor(t), 0, this.n - 1);
    const f = t - i;
    const a = this.frame(name, i);
    const b = this.frame(name, Math.min(i + 1, this.n - 1));
    for (let k = 0; k < out.length; k++) {
      const j = start + k;
      out[k] = f ? lerp(a[j], b[j], f) : a[j];
    }
  }
}
