// transport.js: play, step and scrub. Uses controls.js.

const SPEEDS = [1, 5, 10, 20, 60, 200];

/** Buttons, slider and speed. `act` has seek(step), toggle() and speed(value). Returns show({step, total, known, playing, speed}). */
function transport(host, act) {
  const bar = html("div", { className: "transport" }, host);
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Playback");
  let now = { step: 0, total: 1 };
  const sign = (text, label, to) => button(bar, text, to, { label, className: "sign" });
  sign("|◀", "First training", () => act.seek(0));
  sign("◀", "One training back (left arrow)", () => act.seek(now.step - 1));
  const play = button(bar, "▶", act.toggle, { className: "sign play-button" });
  sign("▶", "One training forward (right arrow)", () => act.seek(now.step + 1)).textContent = "▶|";
  const input = html("input", { type: "range", min: 0, step: 1, ariaLabel: "Training" }, bar);
  input.addEventListener("input", () => act.seek(+input.value));
  const out = html("output", {}, bar);
  const rate = html("select", { ariaLabel: "Trainings a second", title: "Trainings a second" }, bar);
  for (const speed of SPEEDS) html("option", { value: speed, textContent: speed + "/s" }, rate);
  rate.addEventListener("change", () => act.speed(+rate.value));
  return (state) => {
    now = state;
    input.max = state.total - 1;
    input.value = state.step;
    const text = `${state.step + 1} / ${state.total}`;
    if (out.textContent !== text) input.ariaValueText = out.textContent = text;
    play.textContent = state.playing ? "⏸" : "▶";
    play.ariaLabel = play.title = state.playing ? "Pause (space)" : "Play (space)";
    rate.value = SPEEDS.includes(state.speed) ? state.speed : SPEEDS.find((one) => one >= state.speed);
  };
}

/** Space and arrows, wherever the focus is, but not where they mean something else. Keys that scroll a page go on to. */
function keys(act, here) {
  document.addEventListener("keydown", (event) => {
    const tag = event.target.tagName;
    if (!here() || event.ctrlKey || event.metaKey || event.altKey) return;
    const typed = tag === "INPUT" && event.target.type !== "range"; // a slider has no use for space
    if (tag === "SELECT" || typed || (tag === "INPUT" && event.key !== " ")) return;
    if (event.target.closest("[role=tablist]") && event.key !== " ") return;
    const pressed = ["BUTTON", "SUMMARY", "A"].includes(tag) || event.target.getAttribute("role") === "button";
    if (event.key === " " && pressed) return;
    const { step } = act.now();
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === " ") act.toggle();
    else if (by) act.seek(step + by);
    else return;
    event.preventDefault();
  });
}
