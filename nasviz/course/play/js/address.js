// address.js: the moment that is shown, in the address: everything that is needed to come back to it. Uses searches.js,
// space.js.

const VIEWS_OF_PAGE = ["watch", "guess", "race"];
const NO_BOUND = 470000; // the end of the slider, above the costliest cell: no bound

/** What can stand in an address besides the knobs of the search: where it starts, and the ends of its slider. */
const SETTINGS = {
  seed: { start: 0, low: 0, high: 2 ** 32 - 1, step: 1 },
  step: { start: 0, low: 0, high: 1000, step: 1 },
  trainings: { start: 200, low: 20, high: 1000, step: 10 },
  noise: { start: 1, low: 0, high: 5, step: 0.25 },
  bound: { start: 200000, low: 30000, high: NO_BOUND, step: 10000 },
  speed: { start: 10, low: 1, high: 200, step: 1 },
  round: { start: 1, low: 1, high: 999, step: 1 },
};

/** A page as it opens without an address. */
function fresh(search = "evolution") {
  const numbers = Object.fromEntries(Object.entries(SETTINGS).map(([name, { start }]) => [name, start]));
  return { view: "watch", search, ...numbers, cell: null, moves: [], knobs: defaults(search) };
}

/** Reads an address. Returns {state, wrong}: what could not be understood keeps its default, and is listed. */
function read(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const wrong = [];
  const known = (name, among, otherwise) => {
    const value = given.get(name);
    if (value === null || among.includes(value)) return value ?? otherwise;
    wrong.push(`${name}=${value}`);
    return otherwise;
  };
  const state = fresh(known("search", Object.keys(SEARCHES), "evolution"));
  state.view = known("view", VIEWS_OF_PAGE, "watch");
  state.knobs = starting(state.search, state.view);
  const number = (name, { start, low = 0, high = 1, step = high === 1 && low === 0 ? 1 : 0 }, log) => {
    const text = given.get(name);
    if (text === null) return start;
    const value = Number(text);
    const whole = (step === 1 || Number.isInteger(start)) && !log && !(step && step < 1);
    if (text.trim() !== "" && value >= low && value <= high && (!whole || Number.isInteger(value))) return value;
    wrong.push(`${name}=${text}`);
    return start;
  };
  for (const [name, one] of Object.entries(SETTINGS)) state[name] = number(name, one);
  for (const knob of SEARCHES[state.search].knobs) state.knobs[knob.name] = number(knob.name, { ...knob, start: state.knobs[knob.name] }, knob.log);
  const cells = (name) => {
    const parts = (given.get(name) ?? "").split(".").filter(Boolean);
    const good = parts.filter((digits) => /^[0-4]{6}$/.test(digits));
    if (good.length < parts.length) wrong.push(`${name}=${given.get(name)}`);
    return good.map((digits) => archOf([...digits].map(Number)));
  };
  state.cell = cells("cell")[0] ?? null;
  state.moves = cells("moves").slice(0, TURNS);
  const names = ["view", "search", "cell", "moves", ...Object.keys(SETTINGS), ...Object.keys(state.knobs)];
  for (const [name, value] of given) if (!names.includes(name)) wrong.push(`${name}=${value}`);
  return { state, wrong };
}

/** The address of a state: what the view that is open needs. */
function written(state) {
  const all = { view: state.view };
  const digits = (arch) => options(arch).join("");
  if (state.view !== "guess") {
    Object.assign(all, { search: state.search, seed: state.seed, noise: state.noise, bound: state.bound });
    Object.assign(all, state.knobs);
  }
  if (state.view === "watch") Object.assign(all, { step: state.step, trainings: state.trainings, speed: state.speed });
  if (state.view === "guess") Object.assign(all, { seed: state.seed, round: state.round });
  if (state.view !== "watch" && state.cell !== null) all.cell = digits(state.cell);
  if (state.view === "race" && state.moves.length) all.moves = state.moves.map(digits).join(".");
  return "#" + new URLSearchParams(all);
}

/** What a search is begun with. */
function settingsOf(state, evaluations = state.trainings) {
  const { search, seed, noise, knobs } = state;
  return { search, seed, noise, evaluations, bound: state.bound >= NO_BOUND ? Infinity : state.bound, ...knobs };
}
