// evolution.js: nasviz/strategies/evolution.py, draw for draw: Real et al. 2019, algorithm 1. Uses space.js.

/** Yields steps with `parent`, the number of the parent's evaluation (-1: none), and `alive`, the numbers of who lives. */
function* evolution({ ask, evaluations, population, tournament, aging }, draws) {
  const alive = []; // the oldest first
  for (let number = 0; number < evaluations; number++) {
    let [parent, arch] = [-1, 0];
    if (alive.length < population) arch = sampled(draws);
    else {
      const drawn = draws.integers(alive.length, tournament).map((i) => alive[i]);
      const winner = drawn.reduce((best, one) => (one.value > best.value ? one : best));
      parent = winner.number;
      arch = mutated(winner.arch, draws);
    }
    const answer = ask(arch, number);
    alive.push({ arch, number, value: answer.value });
    if (alive.length > population) alive.splice(aging ? 0 : worst(alive), 1);
    yield { arch, parent, alive: alive.map((one) => one.number), ...answer };
  }
}

/** The place of the first that is worth least. */
const worst = (alive) => alive.reduce((low, one, i) => (one.value < alive[low].value ? i : low), 0);
