// local_search.js: nasviz/strategies/local_search.py, draw for draw: White et al. 2021, algorithm 1. Uses space.js.

const MISSES = 200; // known random starts in a row after which the search ends

/** Yields steps with `parent`, whose neighbour this is (-1: a random start), and `position`, where the search stands. */
function* localSearch({ ask, evaluations, first }, draws) {
  const known = new Map(); // arch: {number, value}, in the order asked
  const asked = (arch) => {
    const number = known.size;
    const answer = ask(arch, number);
    known.set(arch, { number, value: answer.value });
    return answer;
  };
  while (known.size < evaluations) {
    let at = unknown(known, draws);
    if (at === null) return;
    const answer = asked(at);
    yield { arch: at, parent: -1, position: known.get(at).number, ...answer };
    for (let here = null; here !== at && known.size < evaluations; ) {
      here = at;
      at = yield* climb(here);
    }
  }

  /** Evaluates the neighbours that are not known yet. Returns the neighbour to move to, or `here`. */
  function* climb(here) {
    const value = (arch) => known.get(arch).value;
    const around = neighbours(here);
    const shuffled = draws.permutation(around.length).map((i) => around[i]);
    let best = here;
    for (const arch of shuffled) if (known.has(arch) && value(arch) > value(best)) best = arch;
    if (first && best !== here) return best;
    const todo = shuffled.filter((arch) => !known.has(arch)).slice(0, evaluations - known.size);
    for (const arch of todo) {
      const answer = asked(arch);
      if (value(arch) > value(best)) best = arch;
      const moves = arch === todo.at(-1) || (first && best !== here);
      const position = known.get(moves ? best : here).number;
      yield { arch, parent: known.get(here).number, position, ...answer };
      if (first && best !== here) break;
    }
    return best;
  }
}

/** A random architecture that is not yet evaluated, or null. */
function unknown(known, draws) {
  for (let i = 0; i < MISSES; i++) {
    const arch = sampled(draws);
    if (!known.has(arch)) return arch;
  }
  return null;
}
