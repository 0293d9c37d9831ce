// space.js: NAS-Bench-201 as numbers, and the draws of nasviz/space.py on it. Uses draws.js through what it is given.
//
// An architecture is a number below 5⁶: its six options, one for each edge, are its digits to the base 5. The number is
// the place of the tuple in itertools.product, by which the table says its row.

const EDGES = [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]];
const PLACES = EDGES.length;
const OPTIONS = 5;
const SIZE = OPTIONS ** PLACES;
const WEIGHT = EDGES.map((_, place) => OPTIONS ** (PLACES - 1 - place));

const option = (arch, place) => Math.floor(arch / WEIGHT[place]) % OPTIONS;
const changed = (arch, place, to) => arch + (to - option(arch, place)) * WEIGHT[place];
const options = (arch) => EDGES.map((_, place) => option(arch, place));
const archOf = (digits) => digits.reduce((arch, digit) => arch * OPTIONS + digit, 0);

/** SearchSpace.sample: each option uniform. */
const sampled = (draws) => archOf(draws.integers(OPTIONS, PLACES));

/** SearchSpace.neighbors: all that differ in one option, in order. */
function neighbours(arch) {
  const others = [];
  for (let place = 0; place < PLACES; place++)
    for (let to = 0; to < OPTIONS; to++) if (to !== option(arch, place)) others.push(changed(arch, place, to));
  return others;
}

/** SearchSpace.mutate: one option becomes another, both uniform. */
function mutated(arch, draws) {
  const place = Math.floor(draws.random() * PLACES);
  const to = Math.floor(draws.random() * (OPTIONS - 1));
  return changed(arch, place, to + (to >= option(arch, place)));
}
