// controls.js: buttons, sliders and switches that have names, values and help. Uses base.js of the stage.

let made = 0;

function button(host, text, act, { label = "", className = "" } = {}) {
  const b = html("button", { type: "button", textContent: text, className }, host);
  if (label) b.ariaLabel = b.title = label;
  b.addEventListener("click", act);
  return b;
}

/** Buttons of which one is pressed: `entries` is [[value, text], …]. Returns show(value). */
function choice(host, label, entries, act) {
  const group = html("div", { className: "choice" }, host);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", label);
  const buttons = entries.map(([value, text]) => [value, button(group, text, () => act(value))]);
  return (now) => buttons.forEach(([value, b]) => (b.ariaPressed = String(value === now)));
}

/** A slider with its name, its value and a sentence. `knob` has low, high, step or log, start. Returns show(value). */
function slider(host, { label, help = "", low, high, step, log, start }, said, act) {
  const id = `slider-${made++}`;
  const box = html("div", { className: "slider" }, host);
  const head = html("div", { className: "head" }, box);
  html("label", { htmlFor: id, textContent: label }, head);
  const out = html("output", {}, head);
  out.setAttribute("for", id);
  const whole = Number.isInteger(start) && !(step < 1);
  const ends = log ? [0, 100, 1] : [low, high, step ?? (whole ? 1 : (high - low) / 100)];
  const input = html("input", { type: "range", id, min: ends[0], max: ends[1], step: ends[2] }, box);
  if (help) {
    html("p", { className: "help", id: id + "-help", textContent: help }, box);
    input.setAttribute("aria-describedby", id + "-help");
  }
  const to = (place) => (log ? +(low * (high / low) ** (place / 100)).toPrecision(2) : place);
  const from = (value) => (log ? (100 * Math.log(value / low)) / Math.log(high / low) : value);
  const say = (value) => (input.ariaValueText = out.textContent = said(value));
  input.addEventListener("input", () => {
    say(to(+input.value));
    act(to(+input.value));
  });
  return (value) => {
    input.value = from(value);
    say(value);
  };
}

/** A switch. Returns show(value), 0 or 1. */
function toggle(host, { label, help = "" }, act) {
  const id = `switch-${made++}`;
  const box = html("div", { className: "slider switch" }, host);
  const head = html("div", { className: "head" }, box);
  const input = html("input", { type: "checkbox", id }, head);
  html("label", { htmlFor: id, textContent: label }, head);
  if (help) {
    html("p", { className: "help", id: id + "-help", textContent: help }, box);
    input.setAttribute("aria-describedby", id + "-help");
  }
  input.addEventListener("change", () => act(+input.checked));
  return (value) => (input.checked = Boolean(value));
}

/** A whole number to type, with a button that takes another one. Returns show(value). */
function seedField(host, label, help, high, act) {
  const id = `seed-${made++}`;
  const box = html("div", { className: "slider" }, host);
  const head = html("div", { className: "head" }, box);
  html("label", { htmlFor: id, textContent: label }, head);
  const row = html("div", { className: "row" }, box);
  const input = html("input", { type: "number", id, min: 0, max: high, step: 1, inputMode: "numeric" }, row);
  button(row, "next", () => act(+input.value < high ? +input.value + 1 : 0), { label: "Next seed" });
  html("p", { className: "help", id: id + "-help", textContent: help }, box);
  input.setAttribute("aria-describedby", id + "-help");
  input.addEventListener("change", () => {
    const value = Number(input.value);
    if (input.value !== "" && Number.isInteger(value) && value >= 0 && value <= high) act(value);
    else input.reportValidity();
  });
  return (value) => (input.value = value);
}

/** The sliders of a search's knobs. Returns show(knobs). */
function knobsOf(host, search, act) {
  host.replaceChildren();
  const show = SEARCHES[search].knobs.map((knob) => {
    const turn = (value) => act(knob.name, value);
    return [knob.name, knob.high === undefined ? toggle(host, knob, turn) : slider(host, knob, number, turn)];
  });
  return (knobs) => show.forEach(([name, set]) => set(knobs[name]));
}

/** Sliders that all views share. Returns show(state). */
function common(host, table, act) {
  const { seed, noise, bound } = SETTINGS;
  const show = {
    seed: seedField(host, "Seed", "Of all random draws. The same seed gives the same search.", seed.high, (v) => act("seed", v)),
    noise: slider(host, { ...noise, label: "Noise", help: "How much the luck of one training counts. 1: as it really was." },
      (v) => (v === 0 ? "none" : v === 1 ? "1 · real" : `× ${v}`), (v) => act("noise", v)),
    bound: slider(host, { ...bound, label: "Cost bound", help: "Multiply-adds for one picture. Dearer cells do not count." },
      (v) => (v >= NO_BOUND ? "none" : `${v / 1000}k`), (v) => act("bound", v)),
  };
  return (state) => Object.entries(show).forEach(([name, set]) => set(state[name]));
}
