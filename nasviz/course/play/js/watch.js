// watch.js: a search that one watches, step by step. Uses all but guess.js and race.js.

const LEANINGS = {
  evolution: ["Operations in the population", ({ steps }, step) => sharesOf(step.alive.map((k) => steps[k].arch))],
  local: ["Where the search stands", ({ steps }, step) => weightsOf(steps[step.position].arch)],
  reinforce: ["What the controller would write", (_, step) => step.policy],
};

class Watch {
  constructor(host, page) {
    Object.assign(this, { host, page, t: 0, playing: false, before: 0, saidAt: 0 });
    const { table } = page;
    const top = html("div", { className: "top" }, host);
    this.pick = choice(top, "Search", Object.entries(SEARCHES).map(([name, { label }]) => [name, label]), (v) => page.search(v));
    const act = { seek: (to) => this.seek(to), toggle: () => this.toggle(), speed: (v) => page.set("speed", v), now: () => this.now() };
    this.show = transport(host, act);
    this.what = html("p", { className: "what" }, host);
    keys(act, () => page.state.view === "watch");
    const pictures = html("div", { className: "pictures" }, host);
    const figure = (title, className) => {
      const box = html("figure", { className }, pictures);
      html("figcaption", { textContent: title }, box);
      return box;
    };
    const left = figure("All networks, and the way of the search", "map");
    this.map = new CellMap(left, table);
    this.signs = html("p", { className: "key" }, left);
    const right = figure("What it reported, and what its best is worth", "trace");
    this.trace = new Trace(right);
    this.key = html("p", { className: "key" }, right);
    const cells = html("div", { className: "cells" }, pictures);
    this.cell = new CellPicture(cells, "In training now");
    this.leaning = new CellPicture(cells, "Operations");
    legendOf(cells, CELL);
    this.said = html("p", { className: "said" }, host);
    this.spoken = html("p", { className: "spoken" }, host);
    this.spoken.setAttribute("role", "status");
    this.pointed(this.map.plot, (px, py) => this.map.hit(this.run, Math.floor(this.t) + 1, px, py));
    this.pointed(this.trace.plot, (px) => this.trace.hit(this.total(), px));
  }

  /** A click in a picture goes to the training that is shown there. */
  pointed({ canvas }, find) {
    canvas.addEventListener("click", (event) => {
      const found = find(event.offsetX, event.offsetY);
      if (found >= 0) this.seek(found);
    });
  }

  /** Begins the search of the page's state, at its step. */
  begin() {
    const { state, table } = this.page;
    const settings = settingsOf(state);
    const text = JSON.stringify([settings, settings.bound === Infinity]);
    if (this.begunFor !== text) {
      this.begunFor = text;
      this.run = new Run(table, settings);
      const rivals = JSON.stringify([settings.evaluations, settings.noise, String(settings.bound)]);
      if (this.rivals !== rivals) [this.rivals, this.band] = [rivals, new Band(table, settings)];
      const best = table.best(settings.bound);
      this.best = best < 0 ? NaN : table.truth[best];
      this.color = LOOK[SEARCHES[state.search].python];
      this.legend();
    }
    this.t = clamp(state.step, 0, this.total() - 1);
    this.pick(state.search);
    this.what.textContent = `${SEARCHES[state.search].label[0].toUpperCase()}${SEARCHES[state.search].label.slice(1)} ${SEARCHES[state.search].what}`;
    this.leaning.host.hidden = !LEANINGS[state.search];
    if (LEANINGS[state.search]) this.leaning.title.textContent = LEANINGS[state.search][0];
    this.page.wake();
  }

  legend() {
    const { signs, key } = this;
    signs.replaceChildren();
    key.replaceChildren();
    const entry = (css, text, host = key) => {
      const one = html("span", {}, host);
      html("i", { className: css, ariaHidden: "true" }, one).style.setProperty("--color", this.color);
      one.append(text);
    };
    entry("now", "in training now", signs);
    entry("star", "the best it reported", signs);
    entry("ring", "the best there is", signs);
    entry("point", `one of ${this.page.table.rows.toLocaleString("en")} networks`, signs);
    entry("solid", "true accuracy of its best");
    entry("dashed", "what its best reported");
    entry("dots", "one training");
    entry("band", `${RIVALS} random searches: middle, 10 to 90 %`);
    entry("dotted", Number.isFinite(this.best) ? `best cell there is: ${percent(this.best)}` : "no cell is within the bound");
  }

  total() {
    return this.run.done ? Math.max(1, this.run.steps.length) : this.page.state.trainings;
  }

  now() {
    return { step: Math.floor(this.t), total: this.total(), playing: this.playing, speed: this.page.state.speed };
  }

  seek(to) {
    this.playing = false;
    this.t = clamp(Math.round(to), 0, this.total() - 1);
    this.rest();
    this.page.wake();
  }

  toggle() {
    this.playing = !this.playing;
    this.before = 0;
    if (this.playing && this.t >= this.total() - 1) this.t = 0;
    if (!this.playing) this.rest();
    this.page.wake();
  }

  rest() {
    this.page.set("step", Math.floor(this.t));
  }

  resize(theme) {
    this.map.resize(theme, this.run.settings.bound);
    this.trace.resize(theme);
    this.cell.resize(theme);
    if (!this.leaning.host.hidden) this.leaning.resize(theme);
  }

  /** One frame. Returns whether another is needed. */
  frame(now) {
    const { run } = this;
    const steps = run.steps.length;
    const late = steps <= Math.min(this.t + 2, this.total() - 1); // nothing to show yet: work longer
    const busy = run.ahead(late ? 12 : 4) || this.band.ahead(4);
    if (this.playing) {
      const passed = Math.min(100, this.before ? now - this.before : 16);
      const known = Math.max(0, run.steps.length - 1);
      this.t = Math.min(this.t + (passed * this.page.state.speed) / 1000, known);
      this.before = now;
      if (run.done && this.t >= known) {
        this.playing = false;
        this.rest();
      }
    }
    if (run.done) this.t = Math.min(this.t, Math.max(0, run.steps.length - 1));
    this.draw();
    return busy || this.playing;
  }

  draw() {
    const { run, color } = this;
    const i = Math.min(Math.floor(this.t), run.steps.length - 1);
    const waiting = i < Math.floor(this.t);
    let f = this.page.calm.matches || waiting || !run.steps[i + 1] ? 0 : this.t - i;
    this.map.draw(run, i, f, color);
    this.trace.draw(run, i, f, color, this);
    this.show(this.now());
    this.host.dataset.step = i;
    this.host.dataset.ready = String(!waiting);
    if (i < 0 || waiting) {
      this.say(`Computing: ${run.steps.length} trainings so far.`);
      return;
    }
    const step = run.steps[i];
    const calm = this.playing && this.page.state.speed > 20; // so fast, nobody sees what lies between, or reads
    if (calm) f = 0;
    this.cell.draw(this.mixed(weightsOf(step.arch), run.steps[i + 1] && weightsOf(run.steps[i + 1].arch), f), inWords(step.arch));
    const lean = LEANINGS[run.settings.search]?.[1];
    if (lean) this.leaning.draw(this.mixed(lean(run, step), run.steps[i + 1] && lean(run, run.steps[i + 1]), f));
    const now = performance.now();
    if (calm && now - this.saidAt < 150) return;
    this.saidAt = now;
    this.say(told(run, i));
  }

  /** Between two pictures of a cell: the second half of the time goes from one to the other. */
  mixed(from, to, f) {
    const share = clamp(2 * f - 1, 0, 1);
    return share && to ? Float32Array.from(from, (v, k) => lerp(v, to[k], share)) : from;
  }

  say(text) {
    if (this.text === text) return;
    this.text = text;
    this.said.textContent = text;
    this.speech ||= setTimeout(() => {
      this.speech = 0;
      this.spoken.textContent = this.text;
      this.map.plot.canvas.ariaLabel = `All networks: cost to the right, true accuracy upwards. ${this.text}`;
    }, this.playing ? 4000 : 600);
  }
}
