// controller.js: the recurrent network of nasviz/nn/controller.py: writes architectures, learns. Uses space.js,
// torch_draws.js.
//
// Weights are float32 as in torch; sums are taken in double precision and in another order. So probabilities differ from
// torch's in the last digits, as they do from one processor to another. `yield` in a method gives the page a chance to
// draw between two pieces of work; it yields nothing.

const UNITS = 100;
const GATES = 4 * UNITS;
const TOKENS = PLACES * OPTIONS;
const INITIAL = 0.1;

class Controller {
  constructor(seed) {
    const source = new TorchDraws(seed);
    const sizes = {
      first: UNITS, tokens: TOKENS * UNITS, inputs: UNITS * GATES, states: UNITS * GATES, bias: GATES,
      head: UNITS * TOKENS, headBias: TOKENS,
    };
    this.weights = {};
    for (const [name, size] of Object.entries(sizes)) this.weights[name] = source.uniform(size, INITIAL);
    const zeros = () => Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, new Float32Array(size)]));
    [this.slopes, this.means, this.squares] = [zeros(), zeros(), zeros()];
    this.updates = 0;
  }

  /** Draws architectures by the Gumbel-max trick. Returns a batch: all that learning needs to go back through it. */
  *sample(count, draws) {
    const noise = Float64Array.from({ length: PLACES * count * OPTIONS }, () => draws.gumbel());
    const batch = new Batch(count);
    const rows = new Map(); // token: what it adds to the gates
    for (let c = 0; c < PLACES; c++) {
      for (let k = 0; k < count; k++) {
        const token = batch.input(c, k);
        if (!rows.has(token)) rows.set(token, this.gatesOf(token));
        const gates = Float64Array.from(rows.get(token));
        if (c) addProduct(gates, batch.state(c - 1, k), this.weights.states);
        batch.step(c, k, gates);
        batch.decide(c, k, this.logits(batch.state(c, k), c), noise.subarray((c * count + k) * OPTIONS));
        if (k % 8 === 7) yield;
      }
      yield;
    }
    return batch;
  }

  /** What the token of a number (-1: the start) adds to the gates. */
  gatesOf(token) {
    const gates = Float64Array.from(this.weights.bias);
    addProduct(gates, this.vector(token), this.weights.inputs);
    return gates;
  }

  vector(token, of = this.weights) {
    return token < 0 ? of.first : of.tokens.subarray(token * UNITS, (token + 1) * UNITS);
  }

  logits(state, c) {
    const { head, headBias } = this.weights;
    return Array.from({ length: OPTIONS }, (_, o) => {
      let sum = headBias[c * OPTIONS + o];
      for (let i = 0, at = c * OPTIONS + o; i < UNITS; i++, at += TOKENS) sum += state[i] * head[at];
      return sum;
    });
  }

  /** A step of Adam up the gradient of (1/m) Σ_k log P(arch_k) · advantage_k + β · H. */
  *learn(batch, advantages, rate, beta) {
    for (const slope of Object.values(this.slopes)) slope.fill(0);
    const { count } = batch;
    const toState = Array.from({ length: count }, () => new Float64Array(UNITS)); // what comes back from later steps
    const toMemory = Array.from({ length: count }, () => new Float64Array(UNITS));
    const rows = new Map(); // token: slope of what it adds to the gates
    for (let c = PLACES - 1; c >= 0; c--) {
      for (let k = 0; k < count; k++) {
        this.backLogits(batch.logitSlopes(c, k, advantages[k], beta), batch.state(c, k), c, toState[k]);
        const gates = batch.back(c, k, toState[k], toMemory[k]);
        const token = batch.input(c, k);
        if (!rows.has(token)) rows.set(token, new Float64Array(GATES));
        const row = rows.get(token);
        for (let j = 0; j < GATES; j++) row[j] += gates[j];
        if (c) backProduct(gates, batch.state(c - 1, k), this.weights.states, this.slopes.states, toState[k]);
        if (k % 4 === 3) yield;
      }
      yield;
    }
    const { slopes, weights } = this;
    const back = new Float64Array(UNITS);
    for (const [token, row] of rows) {
      for (let j = 0; j < GATES; j++) slopes.bias[j] += row[j];
      backProduct(row, this.vector(token), weights.inputs, slopes.inputs, back);
      this.vector(token, slopes).set(back);
      yield;
    }
    this.descend(rate);
  }

  /** From the slopes of the logits of choice c to those of the head, and of the state, which are put into `toState`. */
  backLogits(logits, state, c, toState) {
    const { head } = this.weights;
    for (let o = 0; o < OPTIONS; o++) {
      const slope = logits[o];
      this.slopes.headBias[c * OPTIONS + o] += slope;
      for (let i = 0, at = c * OPTIONS + o; i < UNITS; i++, at += TOKENS) {
        this.slopes.head[at] += state[i] * slope;
        toState[i] += head[at] * slope;
      }
    }
  }

  /** Adam: Kingma & Ba 2015, algorithm 1. */
  descend(lr) {
    this.updates++;
    const rate = (lr * Math.sqrt(1 - 0.999 ** this.updates)) / (1 - 0.9 ** this.updates);
    for (const [name, weight] of Object.entries(this.weights)) {
      const [slope, mean, square] = [this.slopes[name], this.means[name], this.squares[name]];
      for (let i = 0; i < weight.length; i++) {
        const s = slope[i];
        mean[i] = 0.9 * mean[i] + (1 - 0.9) * s;
        square[i] = 0.999 * square[i] + (1 - 0.999) * s * s;
        weight[i] -= (rate * mean[i]) / (Math.sqrt(square[i]) + 1e-8);
      }
    }
  }
}

/** sums += vector · matrix, a row of the matrix for each entry of the vector. */
function addProduct(sums, vector, matrix) {
  for (let i = 0, at = 0; i < vector.length; i++) {
    const v = vector[i];
    for (let j = 0; j < sums.length; j++, at++) sums[j] += v * matrix[at];
  }
}

/** The way back through it: the slopes of the matrix are added to, those of the vector are put into `out`. */
function backProduct(sums, vector, matrix, slopes, out) {
  for (let i = 0, at = 0; i < vector.length; i++) {
    const v = vector[i];
    let total = 0;
    for (let j = 0; j < sums.length; j++, at++) {
      slopes[at] += v * sums[j];
      total += matrix[at] * sums[j];
    }
    out[i] = total;
  }
}
