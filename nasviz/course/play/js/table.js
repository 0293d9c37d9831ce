// table.js: the ground truth, and what a search sees of it. Uses space.js.
//
// A row is a function that cells compute; several architectures may have the same. Python's counterparts are
// `nasviz.course.play.Noisy` (accuracy), and `Bounded` and `Penalised` of nasviz/objectives.py (the rewards).

class Table {
  /** `packed` is what nasviz/course/play/packed.py wrote: whole numbers of 16 bits in base64, little-endian. */
  constructor({ images, single, trainings, counts, aliases, costs, cost }) {
    const accuracy = (count) => (single ? Math.fround(count / images) : count / images);
    const all = unpacked(counts);
    this.rowOf = unpacked(aliases);
    this.costs = costs; // the different numbers of multiply-adds, rising
    const places = unpacked(cost);
    this.rows = places.length;
    this.cost = Float64Array.from(places, (place) => costs[place]);
    this.trainings = Array.from({ length: this.rows }, (_, row) =>
      [...all.subarray(row * trainings, (row + 1) * trainings)].filter((count) => count !== 65535).map(accuracy),
    );
    this.truth = Float64Array.from(this.trainings, (of) => of.reduce((sum, one) => sum + one) / of.length);
    this.written = new Uint16Array(this.rows); // in how many architectures a function is written
    for (const row of this.rowOf) this.written[row]++;
  }

  worth(arch) {
    return this.truth[this.rowOf[arch]];
  }

  costOf(arch) {
    return this.cost[this.rowOf[arch]];
  }

  /** The accuracy that a search sees: of one training, which the call's number chooses, its luck times `noise`. */
  seen(arch, number, noise) {
    const row = this.rowOf[arch];
    const of = this.trainings[row];
    const one = of[number % of.length];
    return noise === 1 ? one : this.truth[row] + noise * (one - this.truth[row]);
  }

  /** Which architectures keep a bound, as shares of all: {better, equal} of this one's true accuracy; 0 to 1. */
  standing(arch, bound = Infinity) {
    const mine = this.worth(arch);
    let [all, below, equal] = [0, 0, 0];
    for (let row = 0; row < this.rows; row++) {
      if (this.cost[row] > bound) continue;
      all += this.written[row];
      if (this.truth[row] < mine) below += this.written[row];
      else if (this.truth[row] === mine) equal += this.written[row];
    }
    return { all, below, equal };
  }

  /** The row with the best true accuracy among those that keep the bound. */
  best(bound = Infinity) {
    let best = -1;
    for (let row = 0; row < this.rows; row++)
      if (this.cost[row] <= bound && (best < 0 || this.truth[row] > this.truth[best])) best = row;
    return best;
  }
}

/** What a search maximises. Over the bound: minus the excess; with a penalty, accuracy less its share of the excess. */
function reward(accuracy, cost, bound, penalty = 0) {
  if (cost <= bound) return accuracy;
  const excess = -(cost / bound - 1);
  return penalty ? accuracy + penalty * excess : excess;
}

function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return Uint16Array.from({ length: bytes.length / 2 }, (_, i) => bytes[2 * i] | (bytes[2 * i + 1] << 8));
}
