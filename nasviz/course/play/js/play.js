// play.js: the page: its state, its views, the address. Entry. Uses all other files.

class Page {
  constructor(root) {
    document.head.prepend(html("style", { textContent: CSS })); // of the stage, which draws the cells
    this.root = root;
    this.table = new Table(DATA);
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.memory = {}; // knobs, by view and search
    const { state, wrong } = read(location.hash);
    this.state = state;
    this.stats = { frames: 0, ms: 0 };
    const head = root.querySelector("header");
    this.tabs = this.tabList(head.querySelector("[role=tablist]"));
    this.note = root.querySelector(".note");
    this.views = {};
    for (const [name, View] of Object.entries({ watch: Watch, guess: Guess, race: Race }))
      this.views[name] = new View(root.querySelector(`#${name}`), this);
    const settings = root.querySelector(".settings");
    this.common = common(html("div", { className: "sliders" }, settings), this.table, (name, v) => this.change(name, v));
    this.length = slider(settings.querySelector(".sliders"), { ...SETTINGS.trainings, label: "Trainings", help: "The budget of the search." }, String, (v) => this.change("trainings", v));
    this.lengthBox = settings.querySelector(".sliders").lastChild;
    this.knobHost = html("div", { className: "knobs" }, settings.querySelector(".sliders"));
    this.sharing(root.querySelector(".share"));
    this.open(state);
    this.complain(wrong);
    onLook(root, new AbortController().signal, () => this.resize());
    const fit = new ResizeObserver(() => this.fit()); // a picture may get higher without getting wider
    root.querySelectorAll(".plot").forEach((plot) => fit.observe(plot));
    document.addEventListener("visibilitychange", () => this.wake());
    addEventListener("hashchange", () => {
      if (location.hash === this.shown) return;
      const { state: to, wrong: unknown } = read(location.hash);
      this.open(to);
      this.complain(unknown);
    });
  }

  complain(wrong) {
    this.note.hidden = !wrong.length;
    this.note.textContent = wrong.length ? `This address says what the page does not know, and its usual value is taken: ${wrong.join(", ")}.` : "";
  }

  /** Shows a state: the view, its search, its knobs. */
  open(state) {
    this.state = state;
    for (const [name, view] of Object.entries(this.views)) view.host.hidden = name !== state.view;
    this.tabs(state.view);
    this.knobs = knobsOf(this.knobHost, state.search, (name, v) => this.turn(name, v));
    this.knobHost.hidden = state.view === "guess";
    this.root.querySelector(".settings").hidden = state.view === "guess";
    this.lengthBox.hidden = state.view !== "watch";
    this.refresh();
    this.resize();
  }

  /** After a change of what a search is begun with. */
  refresh() {
    this.common(this.state);
    this.length(this.state.trainings);
    this.knobs(this.state.knobs);
    this.views[this.state.view].begin();
    this.code.textContent = inPython(settingsOf(this.state, this.state.view === "race" ? TURNS : this.state.trainings));
    if (this.theme) this.views[this.state.view].resize(this.theme);
    this.keep();
  }

  /** A value that begins nothing anew. */
  set(name, value) {
    this.state[name] = value;
    this.keep();
  }

  /** A value with which the search begins anew. */
  change(name, value) {
    this.state[name] = value;
    if (this.state.view === "race" && name === "seed") Object.assign(this.state, { moves: [], cell: null });
    this.later();
  }

  turn(name, value) {
    this.state.knobs[name] = value;
    this.later();
  }

  /** Once a frame at most: a slider tells each pixel. */
  later() {
    this.stale = true;
    this.wake();
  }

  /** A change of a picture's room alone: nothing begins anew. */
  fit() {
    this.tight = true;
    this.wake();
  }

  search(name) {
    const from = this.state;
    this.memory[`${from.view} ${from.search}`] = from.knobs;
    const knobs = this.memory[`${from.view} ${name}`] ?? starting(name, from.view);
    this.open({ ...from, search: name, knobs, step: 0, moves: [], playing: false });
    if (this.state.view === "watch") this.views.watch.playing = false;
  }

  view(name) {
    const from = this.state;
    if (name === from.view) return;
    this.views.watch.playing = false;
    this.memory[`${from.view} ${from.search}`] = from.knobs;
    const knobs = this.memory[`${name} ${from.search}`] ?? starting(from.search, name);
    this.open({ ...from, view: name, knobs });
  }

  resize() {
    if (!this.root.isConnected) return;
    this.theme = themeOf(this.root);
    this.views[this.state.view].resize(this.theme);
    this.wake();
  }

  wake() {
    this.waiting ||= requestAnimationFrame((now) => this.frame(now));
  }

  frame(now) {
    this.waiting = 0;
    if (this.stale) {
      this.stale = false;
      this.refresh();
    }
    if (this.tight && this.theme) this.views[this.state.view].resize(this.theme);
    this.tight = false;
    const start = performance.now();
    const more = this.views[this.state.view].frame(now);
    this.stats.frames++;
    this.stats.ms += performance.now() - start;
    if (more && !document.hidden) this.wake();
  }

  /** Writes the address, at most twice a second: browsers allow only so many changes. */
  keep() {
    this.root.dataset.view = this.state.view;
    this.keeping ||= setTimeout(() => {
      this.keeping = 0;
      this.shown = written(this.state);
      if (location.hash !== this.shown) history.replaceState(null, "", this.shown);
    }, 500);
  }

  /** The tabs, as the pattern of the same name has them: arrows move, one tab is in the order of the keyboard. */
  tabList(host) {
    const tabs = VIEWS_OF_PAGE.map((name) => host.querySelector(`[data-view=${name}]`));
    tabs.forEach((tab) => tab.addEventListener("click", () => this.view(tab.dataset.view)));
    host.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      const to = tabs[(VIEWS_OF_PAGE.indexOf(this.state.view) + by + tabs.length) % tabs.length];
      this.view(to.dataset.view);
      to.focus();
      event.preventDefault();
    });
    return (now) =>
      tabs.forEach((tab) => {
        tab.ariaSelected = String(tab.dataset.view === now);
        tab.tabIndex = tab.dataset.view === now ? 0 : -1;
      });
  }

  /** The button that copies the address, and the search as Python. */
  sharing(host) {
    const field = html("input", { type: "text", readOnly: true, hidden: true, ariaLabel: "Address of this moment" });
    const copied = html("span", { className: "copied" });
    copied.setAttribute("role", "status");
    const copy = async () => {
      this.shown = written(this.state);
      history.replaceState(null, "", this.shown);
      try {
        await navigator.clipboard.writeText(location.href);
        copied.textContent = "Copied.";
      } catch {
        Object.assign(field, { hidden: false, value: location.href }); // no clipboard here: to be copied by hand
        field.select();
        copied.textContent = "Copy this address:";
      }
      setTimeout(() => (copied.textContent = ""), 4000);
    };
    button(host, "Copy a link to this moment", copy);
    host.append(copied, field);
    this.code = this.root.querySelector("pre");
  }
}

/** Knobs of a search as a view begins: a race is short. */
const starting = (search, view) => ({ ...defaults(search), ...(view === "race" ? RACING[search] : {}) });

const page = new Page(document.getElementById("play"));
globalThis.play = { page, Run, Draws, TorchDraws, SEARCHES, percentile, options }; // for tests, benchmarks and the console
