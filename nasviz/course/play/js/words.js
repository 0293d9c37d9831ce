// words.js: what happened in a step, as sentences. Uses run.js, cell_picture.js.

const better = (share) => (share > 0.9995 ? "100" : share >= 0.99 ? (100 * share).toFixed(1) : String(Math.round(100 * share)));

/** The share of all cells that one is better than; half of those that are exactly as good count. */
function percentile(table, arch, bound = Infinity) {
  const { all, below, equal } = table.standing(arch, bound);
  return all ? (below + equal / 2) / all : NaN;
}

/** How a search came to the cell of step i. */
const ORIGINS = {
  random: () => "A cell drawn at random.",
  evolution({ steps }, step) {
    if (step.parent < 0) return "A cell drawn at random, for the first population.";
    return `A child of training ${step.parent + 1}: ${difference(steps[step.parent].arch, step.arch)}.`;
  },
  local({ steps }, step) {
    if (step.parent < 0) return "A random start.";
    const moved = step.position !== step.parent ? ` The search moves to training ${step.position + 1}.` : "";
    return `A neighbour of training ${step.parent + 1}: ${difference(steps[step.parent].arch, step.arch)}.${moved}`;
  },
  reinforce(run, step) {
    const chance = options(step.arch).reduce((p, o, place) => p * step.mine[place * OPTIONS + o], 1);
    const often = chance > 0.1 ? `in ${Math.round(100 * chance)} % of all cases` : `once in ${Math.round(1 / chance).toLocaleString("en")} times`;
    return `Batch ${Math.floor(step.number / run.settings.batch) + 1}. The controller writes this cell ${often}.`;
  },
};

function difference(from, to) {
  const place = EDGES.findIndex((_, at) => option(from, at) !== option(to, at));
  const [before, after] = [from, to].map((arch) => CELL.labels[option(arch, place)]);
  return `edge ${edgeName(place)} changes from ${before} to ${after}`;
}

/** Step i of a run, in sentences. */
function told(run, i) {
  const { steps, settings, table } = run;
  const step = steps[i];
  const over = step.allowed ? "" : " It is over the bound, and does not count.";
  const best = steps[step.best];
  const found = best
    ? ` Best so far: training ${best.number + 1}, reported ${percent(best.accuracy)}, truly ${percent(best.worth)}, better than ${better(percentile(table, best.arch, settings.bound))} % of the cells ${settings.bound < Infinity ? "within the bound" : "there are"}.`
    : " No cell within the bound so far.";
  return `Training ${i + 1} of ${settings.evaluations}. ${ORIGINS[settings.search](run, step)} Reported ${percent(step.accuracy)}, truly ${percent(step.worth)}.${over}${found}`;
}

/** The same search in Python, to be copied into a notebook. */
function inPython({ search, seed, noise, evaluations, bound, ...knobs }) {
  const { python, knobs: all } = SEARCHES[search];
  const switches = all.filter(({ name, high }) => high === undefined && name !== "baseline").map(({ name }) => name);
  const told = (name) => (switches.includes(name) ? (knobs[name] ? "True" : "False") : knobs[name]);
  const own = all.filter(({ name }) => name !== "penalty").map(({ name, field = name }) => `${field}=${told(name)}`);
  const reward = knobs.penalty ? `Penalised("madds", ${bound}, weight=${knobs.penalty})` : `Bounded("madds", ${bound})`;
  const bounded = bound < Infinity;
  return [
    "from nasviz.course.play import Noisy",
    "from nasviz.estimators import nasbench201_table",
    ...(bounded ? [`from nasviz.objectives import ${reward.split("(")[0]}`] : []),
    `from nasviz.strategies import ${python}`,
    "",
    "table = nasbench201_table()",
    `search = ${python}(`,
    `    table.space, Noisy(table, ${noise}), seed=${seed}, evaluations=${evaluations},`,
    ...(bounded ? [`    objective=${reward},`] : []),
    `    ${own.join(", ")},`,
    ")",
    "for step in search:",
    '    print(table.space.to_text(step.evaluation.arch), step.evaluation.scores["accuracy"])',
  ].join("\n");
}
