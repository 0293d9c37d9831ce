// batch.js: a batch of architectures as an LSTM wrote them, choice by choice. Uses space.js, UNITS of controller.js.
//
// The cell is that of Hochreiter & Schmidhuber 1997 with the forget gate of Gers et al. 2000, as in nasviz/nn/controller.py:
// of the gates, the first 100 keep, the next write, the next show, and the last 100 are what is written.

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

class Batch {
  constructor(count) {
    this.count = count;
    this.chosen = new Int8Array(PLACES * count);
    this.logs = new Float64Array(PLACES * count * OPTIONS); // log-probability of each option
    for (const name of ["keep", "write", "show", "written", "memory", "states"])
      this[name] = new Float32Array(PLACES * count * UNITS);
  }

  /** The token that is read before choice c: the option taken before it; -1 before the first. */
  input(c, k) {
    return c ? (c - 1) * OPTIONS + this.chosen[(c - 1) * this.count + k] : -1;
  }

  /** The part of an array that belongs to choice c of architecture k. */
  part(array, c, k, width = UNITS) {
    const at = (c * this.count + k) * width;
    return array.subarray(at, at + width);
  }

  state(c, k) {
    return this.part(this.states, c, k);
  }

  arch(k) {
    return archOf(EDGES.map((_, c) => this.chosen[c * this.count + k]));
  }

  /** Probabilities (choices × options) of architecture k. */
  policy(k) {
    return Float64Array.from({ length: TOKENS }, (_, i) =>
      Math.exp(this.part(this.logs, Math.floor(i / OPTIONS), k, OPTIONS)[i % OPTIONS]),
    );
  }

  /** Their mean over the batch. */
  marginals() {
    const mean = new Float64Array(TOKENS);
    for (let k = 0; k < this.count; k++) this.policy(k).forEach((p, i) => (mean[i] += p / this.count));
    return mean;
  }

  /** One step of the LSTM. */
  step(c, k, gates) {
    const [keep, write, show] = ["keep", "write", "show"].map((name) => this.part(this[name], c, k));
    const [written, memory, state] = ["written", "memory", "states"].map((name) => this.part(this[name], c, k));
    const before = c ? this.part(this.memory, c - 1, k) : null;
    for (let i = 0; i < UNITS; i++) {
      keep[i] = sigmoid(gates[i]);
      write[i] = sigmoid(gates[UNITS + i]);
      show[i] = sigmoid(gates[2 * UNITS + i]);
      written[i] = Math.tanh(gates[3 * UNITS + i]);
      memory[i] = (before ? keep[i] * before[i] : 0) + write[i] * written[i];
      state[i] = show[i] * Math.tanh(memory[i]);
    }
  }

  /** Takes the option with the largest log-probability plus noise. */
  decide(c, k, logits, noise) {
    const top = Math.max(...logits);
    const total = Math.log(logits.reduce((sum, one) => sum + Math.exp(one - top), 0)) + top;
    const logs = this.part(this.logs, c, k, OPTIONS);
    let best = 0;
    for (let o = 0; o < OPTIONS; o++) {
      logs[o] = logits[o] - total;
      if (logs[o] + noise[o] > logs[best] + noise[best]) best = o;
    }
    this.chosen[c * this.count + k] = best;
  }

  /** Slopes of the loss, minus the objective, with respect to the logits. */
  logitSlopes(c, k, advantage, beta) {
    const logs = this.part(this.logs, c, k, OPTIONS);
    const taken = this.chosen[c * this.count + k];
    const entropy = logs.reduce((sum, log) => sum - Math.exp(log) * log, 0);
    return Array.from(logs, (log, o) => {
      const p = Math.exp(log);
      return -(advantage * ((o === taken) - p) - beta * p * (log + entropy)) / this.count;
    });
  }

  /** Back through one step: slopes of the gates; `toMemory` becomes the slopes of the memory before the step. */
  back(c, k, toState, toMemory) {
    const [keep, write, show] = ["keep", "write", "show"].map((name) => this.part(this[name], c, k));
    const [written, memory] = ["written", "memory"].map((name) => this.part(this[name], c, k));
    const before = c ? this.part(this.memory, c - 1, k) : null;
    const gates = new Float64Array(4 * UNITS);
    for (let i = 0; i < UNITS; i++) {
      const t = Math.tanh(memory[i]);
      const m = toMemory[i] + toState[i] * show[i] * (1 - t * t);
      gates[i] = before ? m * before[i] * keep[i] * (1 - keep[i]) : 0;
      gates[UNITS + i] = m * written[i] * write[i] * (1 - write[i]);
      gates[2 * UNITS + i] = toState[i] * t * show[i] * (1 - show[i]);
      gates[3 * UNITS + i] = m * write[i] * (1 - written[i] * written[i]);
      toMemory[i] = m * keep[i];
    }
    return gates;
  }
}
