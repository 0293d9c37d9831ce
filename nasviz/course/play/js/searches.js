// searches.js: which searches there are, and their knobs. Uses random_search.js, evolution.js, local_search.js,
// reinforce.js, table.js.
//
// Names and defaults of knobs are those of the fields in Python. A knob with `log` has a logarithmic slider; one without
// `high` is a switch. Bounds and help are for people.

const SEARCHES = {
  random: {
    label: "random search", python: "RandomSearch", make: randomSearch,
    what: "draws each cell anew, and learns nothing. Every claim of a search must beat it.",
    knobs: [
      { name: "repeats", field: "replacement", start: 1, label: "May draw a network twice",
        help: "Off: no network is trained twice." },
    ],
  },
  evolution: {
    label: "evolution", python: "RegularizedEvolution", make: evolution,
    what: "keeps a population. The best of a few drawn members has a child with one changed edge; the oldest member goes.",
    knobs: [
      { name: "population", start: 50, low: 2, high: 200, label: "Population P", help: "How many cells live at once." },
      { name: "tournament", start: 10, low: 1, high: 50, label: "Tournament S",
        help: "Of how many the best becomes the parent. 1: no selection." },
      { name: "aging", start: 1, label: "Aging", help: "On: the oldest goes. Off: the worst goes." },
    ],
  },
  local: {
    label: "local search", python: "LocalSearch", make: localSearch,
    what: "trains all 24 neighbours of a cell, and moves to the best. Where none is better, it starts again elsewhere.",
    knobs: [
      { name: "first", start: 0, label: "Go to the first better one", help: "Off: to the best of all neighbours." },
    ],
  },
  reinforce: {
    label: "REINFORCE", python: "Reinforce", make: reinforce,
    what: "trains a network that writes cells. What it wrote becomes likelier, the more so the better it was.",
    knobs: [
      { name: "batch", start: 10, low: 1, high: 100, label: "Batch m", help: "Cells before each lesson." },
      { name: "lr", start: 0.003, low: 0.0001, high: 0.1, log: true, label: "Learning rate", help: "Of the controller." },
      { name: "baseline", start: 1, label: "Baseline", help: "On: subtracts the mean of earlier rewards." },
      { name: "entropy", start: 0, low: 0, high: 0.1, step: 0.005, label: "Entropy β", help: "How much it pays to stay undecided." },
      { name: "penalty", start: 0.1, low: 0, high: 1, step: 0.05, label: "Penalty over the bound",
        help: "Accuracy that an excess of the whole bound takes away. 0: only the excess counts." },
    ],
  },
};

/** The knobs of a search at their defaults. */
const defaults = (name) => Object.fromEntries(SEARCHES[name].knobs.map((knob) => [knob.name, knob.start]));

/**
 * Begins a search on a table: a generator of its steps.
 * `settings` has search, seed, evaluations, noise, bound (multiply-adds, Infinity: none), and the search's knobs.
 */
function begun(table, settings) {
  const { search, seed, noise, bound, penalty = 0 } = settings;
  const ask = (arch, number) => {
    const accuracy = table.seen(arch, number, noise);
    return { accuracy, value: reward(accuracy, table.costOf(arch), bound, penalty) };
  };
  const same = (arch) => table.rowOf[arch];
  return SEARCHES[search].make({ ...defaults(search), ...settings, ask, same }, new Draws(seed), seed);
}
