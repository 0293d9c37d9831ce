// random_search.js: nasviz/strategies/random_search.py, draw for draw. Uses space.js.
//
// Each search is a generator: it yields its steps. `ask(arch, number)` answers {accuracy, value}: what one training of
// the architecture reports, and what it is worth to the search. `same(arch)` names the function that it computes.

function* randomSearch({ ask, same, evaluations, repeats }, draws) {
  const seen = new Set();
  for (let misses = 0; seen.size < evaluations && misses < 1000; ) {
    const arch = sampled(draws);
    const key = repeats ? seen.size : same(arch);
    if (seen.has(key)) {
      misses++;
      continue;
    }
    misses = 0;
    const number = seen.size;
    seen.add(key);
    yield { arch, ...ask(arch, number) };
  }
}
