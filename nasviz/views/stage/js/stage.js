// stage.js: pictures, transport and time; entry of notebook and of file. Uses all but canvas.js.
//
// Python joins the files of this folder in a fixed order (SCRIPTS in ../widget.py) into one module: they share its
// scope, so that a name at the top level of one file is known in all, and is to be used once. No build step, no
// dependency. At the end it adds VIEWS, the functions of all kinds of views by their names. Python sends float32 arrays, one row a step; a `History` keeps them, and every picture is drawn from it.
//
// A view is a function (host, spec, stage) that returns some of
//   draw(t)      show step t; between two steps while playing, a whole number otherwise; nothing while there is no step
//   grow()       steps have arrived at the end (or marks have changed)
//   patch()      steps have arrived somewhere else: forget what was drawn incrementally
//   resize(theme) the width or the theme has changed
//   hot(e)       the reader points at edge e, -1 for none
//   say(i)       a sentence about step i, for the caption and for screen readers
// `stage` holds { history, ops, labels, colors, dashes, opacities }, the style of operation o at index o.

// ----------------------------------------------------------------- a stage: pictures, transport and time

/**
 * Puts a stage into `el` until `signal` aborts. Returns told(what), to be called when the history has changed:
 * "grow", "patch" or "reset". `send` takes a message for Python, if any; `moved` hears the step at rest.
 */
function mount(el, spec, history, signal, { send, moved, live = true } = {}) {
  const root = html("div", { className: "nasviz-stage", tabIndex: -1 }, el);
  html("style", { textContent: CSS }, root);
  const { ops = [], colors = [] } = spec;
  const stage = {
    ops,
    colors,
    history,
    labels: spec.labels ?? ops,
    dashes: spec.dashes ?? ops.map(() => []),
    opacities: spec.opacities ?? ops.map(() => 1),
  };
  if (ops.length && spec.legend !== false) legendOf(root, stage);
  const grid = html("div", { className: "grid" }, root);
  const views = spec.views.map((one) => {
    const host = html("div", { className: "view" }, grid);
    host.style.setProperty("--span", one.span ?? 12);
    if (one.title) html("p", { className: "title", textContent: one.title }, host);
    return VIEWS[one.kind](host, one, stage);
  });

  const bar = html("div", { className: "bar" }, root);
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Playback");
  bar.hidden = spec.transport === false;
  bar.style.display = bar.hidden ? "none" : "";
  const button = (text, label, act) => {
    const b = html("button", { textContent: text, ariaLabel: label, title: label, type: "button" }, bar);
    b.addEventListener("click", act);
    return b;
  };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const stats = { draws: 0, ms: 0, seekAt: 0, latency: [] };
  let t = 0;
  let playing = false;
  let follow = true; // at the newest step, and staying there
  let frame = 0;
  let before = 0;
  let speed = spec.speed ?? 20;
  let caption = 0;
  let speech = 0;
  let spoke = -1e9;
  let flagged = "";

  button("|◀", "First step (Home)", () => seek(0));
  button("◀", "One step back (left arrow)", () => seek(Math.ceil(t) - 1));
  const play = button("▶", "Play (space)", toggle);
  button("▶|", "One step forward (right arrow)", () => seek(Math.floor(t) + 1));
  const track = html("div", { className: "track" }, bar);
  const slider = html(
    "input",
    { type: "range", min: 0, max: 0, value: 0, step: 1, ariaLabel: "Step" },
    track,
  );
  const out = html("output", {}, bar);
  const rate = html("select", { ariaLabel: "Steps a second", title: "Steps a second" }, bar);
  for (const s of [5, 10, 20, 60, 200])
    html("option", { value: s, textContent: s + "/s", selected: s === speed }, rate);
  rate.addEventListener("change", () => (speed = +rate.value));
  const newestButton = live ? button("live", "live: follow the newest step (End)", newest) : null;
  const said = html("p", { className: "said", ariaHidden: "true" }, root);
  const spoken = html("p", { className: "spoken" }, root);
  spoken.setAttribute("role", "status");
  spoken.setAttribute("aria-live", "polite");
  said.hidden = spec.transport === false;
  slider.addEventListener("input", () => {
    stats.seekAt = performance.now();
    seek(+slider.value);
  });

  const lastStep = () => Math.max(0, history.n - 1);

  function seek(to) {
    playing = false;
    t = clamp(Math.round(to), 0, lastStep());
    follow = t >= lastStep();
    wake();
  }

  /** Live, a publication is drawn once and never tweened: that would take half of the search's speed. */
  function newest() {
    playing = false;
    follow = true;
    t = lastStep();
    wake();
  }

  function toggle() {
    playing = !playing;
    if (playing && t >= lastStep()) t = 0;
    follow = false;
    before = 0;
    wake();
  }

  function wake() {
    if (!frame && !signal.aborted) frame = requestAnimationFrame(tick);
  }

  function tick(now) {
    frame = 0;
    if (playing) {
      t = Math.min(lastStep(), t + (Math.min(100, before ? now - before : 16) * speed) / 1000);
      if (t >= lastStep()) {
        playing = false;
        follow = true;
      }
    }
    const start = performance.now();
    if (history.n) for (const view of views) view.draw(calm.matches ? Math.floor(t) : t);
    stats.draws++;
    stats.ms += performance.now() - start;
    if (stats.seekAt) measure();
    transport();
    caption ||= setTimeout(describe, 200);
    speech ||= setTimeout(speak, Math.max(400, 4000 - (now - spoke)));
    before = playing ? now : 0;
    if (playing) wake();
  }

  function measure() {
    const since = stats.seekAt;
    stats.seekAt = 0;
    const channel = new MessageChannel(); // its message is handled after the paint of this frame
    channel.port1.onmessage = () => stats.latency.push(performance.now() - since);
    channel.port2.postMessage(0);
  }

  function transport() {
    const step = Math.floor(t);
    slider.max = lastStep();
    slider.value = step;
    const label = history.n ? `${step} / ${lastStep()}` : "no steps yet";
    if (out.textContent !== label) slider.ariaValueText = out.textContent = label;
    play.textContent = playing ? "⏸" : "▶";
    play.ariaLabel = play.title = playing ? "Pause (space)" : "Play (space)";
    if (newestButton) newestButton.ariaPressed = String(follow);
    Object.assign(root.dataset, { step, n: history.n });
    const wanted = JSON.stringify([history.marks, lastStep()]);
    if (wanted === flagged) return;
    flagged = wanted;
    track.querySelectorAll(".flag").forEach((flag) => flag.remove());
    for (const { at, label } of history.marks) {
      const flag = html("span", { className: "flag", title: `step ${at}: ${label}` }, track);
      flag.style.left = `calc(8px + (100% - 16px) * ${clamp(at / (lastStep() || 1), 0, 1)})`;
    }
  }

  function sentence() {
    if (!history.n) return "";
    const i = Math.floor(t);
    const turned = history.marks.filter((m) => m.at === i).map((m) => m.label);
    const what = views.map((view) => view.say?.(i)).filter(Boolean);
    return [`Step ${i} of ${lastStep()}.`, ...turned.map((label) => `Turned: ${label}.`), ...what].join(" ");
  }

  function describe() {
    caption = 0;
    const text = sentence();
    if (said.textContent !== text) said.textContent = text;
    if (!playing) moved?.(Math.floor(t));
  }

  function speak() {
    speech = 0;
    spoke = performance.now();
    const text = sentence();
    if (spoken.textContent !== text) spoken.textContent = text;
  }

  root.addEventListener("keydown", (event) => {
    if (event.target === rate || event.ctrlKey || event.metaKey || event.altKey) return;
    event.stopPropagation(); // JupyterLab's command mode binds these keys too
    if (spec.transport === false) return;
    const act = {
      ArrowLeft: () => seek(Math.ceil(t) - 1),
      ArrowRight: () => seek(Math.floor(t) + 1),
      PageUp: () => seek(t + 10),
      PageDown: () => seek(t - 10),
      Home: () => seek(0),
      End: newest,
      " ": toggle,
    }[event.key];
    if (!act || (event.key === " " && event.target.tagName === "BUTTON")) return;
    event.preventDefault();
    stats.seekAt = performance.now();
    act();
  });
  root.addEventListener("seek", (event) => seek(event.detail));
  root.addEventListener("edge", (event) => views.forEach((view) => view.hot?.(event.detail)));
  root.addEventListener("pick", (event) => {
    const view = [...grid.children].indexOf(event.target.closest(".view"));
    send?.({ type: "edge", edge: event.detail, view });
  });

  function resize() {
    if (!root.isConnected) return; // JupyterLab takes what is far from the screen out of the page: no colours there
    const theme = themeOf(root);
    for (const view of views) view.resize?.(theme);
    wake();
  }
  onLook(root, signal, resize);
  signal.addEventListener("abort", () => {
    cancelAnimationFrame(frame);
    clearTimeout(caption);
    clearTimeout(speech);
  });
  root.stage = { stats, seek, toggle, history, position: () => t }; // for tests, benchmarks and the console
  newest(); // a late view starts at the newest step

  return (what) => {
    if (what === "reset") {
      playing = false;
      follow = true;
      t = 0;
    }
    t = clamp(t, 0, lastStep());
    for (const view of views) (what === "grow" ? view.grow : (view.patch ?? view.grow))?.();
    if (!history.n) for (const view of views) view.draw(0); // begun anew: what was drawn of a step is taken away
    if (follow) newest();
    wake();
  };
}

// --------------------------------------------------- anywidget: one history a model, any number of views

const floats = (b) => {
  const view = ArrayBuffer.isView(b) ? b : new DataView(b);
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
};

const widget = () => {
  let history; // in the closure: `model` is a new object in every hook
  const shown = new Set();
  const fresh = (model) => {
    history = new History(model.get("spec").arrays);
    const first = model.get("first"); // came with the model: a picture of one step needs no answer of a busy kernel
    if (first?.count) history.put(0, first.count, first.columns.map(floats));
    if (first) history.run = first.run;
  };
  return {
    initialize({ model }) {
      listen(model);
      fresh(model);
      model.on("change:spec", () => fresh(model)); // before the views that were shown are drawn anew
      let waiting = 0;
      const need = (start, wait = 500) => {
        waiting ||= setTimeout(() => {
          waiting = 0;
          model.send({ type: "need", start: history.n ? (history.hole() ?? history.n) : start });
        }, wait);
      };
      const again = setTimeout(() => need(0, 0), 3000); // the first question of a page may queue behind Run All
      model.on("msg:custom", (message, buffers) => {
        clearTimeout(again);
        if (message.marks) history.marks = message.marks;
        let what = "grow";
        if (message.type === "mark") what = "patch";
        else if (message.type !== "frames") return;
        else {
          if (message.run !== history.run) {
            history.reset(message.run);
            what = "reset";
          } else if (message.start < history.n || message.marks) what = "patch";
          if (message.count) history.put(message.start, message.count, buffers.map(floats));
        }
        for (const told of shown) told(what);
        if (history.hole() !== null) need(0); // steps that were sent before this model existed, or were lost
      });
      need(0, 0);
      return () => [waiting, again].forEach(clearTimeout);
    },
    render({ model, el, signal }) {
      let gone = new AbortController();
      const show = () => {
        gone.abort();
        gone = new AbortController();
        const room = el.offsetHeight;
        if (room) el.style.minHeight = room + "px"; // the page below must not jump while it is drawn anew
        el.replaceChildren();
        const told = mount(el, model.get("spec"), history, gone.signal, { send: (message) => model.send(message) });
        el.style.minHeight = "";
        shown.add(told);
        gone.signal.addEventListener("abort", () => shown.delete(told));
      };
      show();
      model.on("change:spec", show);
      signal.addEventListener("abort", () => {
        model.off("change:spec", show);
        gone.abort();
      });
    },
  };
};

// ------------------------------------------------------ a file: the same pictures, nothing but this page

/** Plays a recorded run. The step is kept in the address (#step=120), so that a link shares the moment. */
function replay(el, spec, marks, count, columns) {
  const history = new History(spec.arrays);
  history.marks = marks;
  if (count) history.put(0, count, columns);
  const asked = () => /[#&]step=(\d+)/.exec(location.hash)?.[1];
  const moved = (step) => {
    if (location.protocol === "about:") return; // a page in a page has no address of its own
    if (asked() !== String(step)) window.history.replaceState(null, "", "#step=" + step);
  };
  const first = asked();
  const told = mount(el, spec, history, new AbortController().signal, { moved, live: false });
  told("grow");
  const { stage } = el.querySelector(".nasviz-stage");
  if (first !== undefined) stage.seek(+first);
  addEventListener("hashchange", () => asked() !== undefined && stage.seek(+asked()));
  return stage;
}
