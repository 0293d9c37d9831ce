// race.js: twenty trainings for you, twenty for a search: whose best is better? Uses run.js, cell_picture.js, plot.js.

const TURNS = 20;
// With twenty trainings a search must learn early: other defaults than for hundreds.
const RACING = { evolution: { population: 5, tournament: 3 }, reinforce: { batch: 5, lr: 0.03 } };

class Race {
  constructor(host, page) {
    Object.assign(this, { host, page });
    html("p", { className: "what", textContent: `You and a search have ${TURNS} trainings each. Whose best cell within the bound is truly better? Trainings are noisy: what is reported may be luck.` }, host);
    const top = html("div", { className: "top" }, host);
    this.pick = choice(top, "Race against", Object.entries(SEARCHES).map(([name, { label }]) => [name, label]), (v) => page.search(v));
    const pictures = html("div", { className: "pictures two" }, host);
    const left = html("div", {}, pictures);
    this.editor = new Editor(left, "Your next cell: click an edge to change it", (arch) => this.draft(arch));
    const row = html("div", { className: "row" }, left);
    this.go = button(row, "Train it", () => this.train(), { className: "main" });
    button(row, "Start again", () => this.again());
    this.facts = html("p", { className: "facts" }, left);
    this.chips = html("ol", { className: "chips", ariaLabel: "Your trainings" }, left);
    const right = html("figure", { className: "trace" }, pictures);
    html("figcaption", { textContent: "Best reported so far, within the bound" }, right);
    this.plot = new Plot(right, "Best reported accuracy so far, yours and the search's");
    this.key = html("p", { className: "key" }, right);
    this.result = html("p", { className: "said big" }, right);
    this.result.setAttribute("role", "status");
  }

  begin() {
    const { state, table } = this.page;
    const settings = settingsOf(state, TURNS);
    this.settings = settings;
    this.rival = new Run(table, settings).until(TURNS);
    this.mine = new Run(table, settings);
    this.mine.done = true; // its steps are the player's
    for (const arch of state.moves) this.played(arch);
    this.color = LOOK[SEARCHES[state.search].python];
    this.pick(state.search);
    this.editor.show(state.cell ?? state.moves.at(-1) ?? sampled(new Draws(state.seed)));
    const rivals = JSON.stringify([settings.noise, String(settings.bound)]);
    if (this.rivals !== rivals) [this.rivals, this.band] = [rivals, new Band(table, settings)];
    this.told();
    this.page.wake();
  }

  played(arch) {
    const { table } = this.page;
    const number = this.mine.steps.length;
    const accuracy = table.seen(arch, number, this.settings.noise);
    this.mine.steps.push(this.mine.judged({ arch, accuracy }));
  }

  draft(arch) {
    this.page.set("cell", arch);
    this.editor.show(arch);
    this.told();
  }

  train() {
    if (this.mine.steps.length >= TURNS) return;
    const { arch } = this.editor;
    this.played(arch);
    this.page.set("moves", [...this.page.state.moves, arch]);
    this.page.set("cell", arch);
    this.told();
    this.page.wake();
  }

  again() {
    this.page.set("moves", []);
    this.page.set("cell", null);
    this.begin();
  }

  /** Everything beside the picture: costs, list of trainings, who leads. */
  told() {
    const { table } = this.page;
    const cost = table.costOf(this.editor.arch);
    const over = cost > this.settings.bound;
    const left = TURNS - this.mine.steps.length;
    this.facts.textContent = `Cost: ${Math.round(cost).toLocaleString("en")} multiply-adds${over ? ": over the bound, it would not count" : ""}. ${left} training${left === 1 ? "" : "s"} left.`;
    this.facts.classList.toggle("over", over);
    this.go.disabled = !left;
    this.chips.replaceChildren();
    const best = this.mine.steps.at(-1)?.best;
    this.mine.steps.forEach((step, k) => {
      const item = html("li", {}, this.chips);
      const text = `${percent(step.accuracy)}${step.allowed ? "" : " over"}`;
      const b = button(item, text, () => this.draft(step.arch), { label: `Training ${k + 1}: ${text}. Take this cell again` });
      b.classList.toggle("best", k === best);
    });
    this.key.replaceChildren();
    const entry = (css, color, text) => {
      const one = html("span", {}, this.key);
      html("i", { className: css, ariaHidden: "true" }, one).style.setProperty("--color", color);
      one.append(text);
    };
    entry("solid", "var(--fg)", "you");
    entry("dashed", this.color, SEARCHES[this.settings.search].label);
    this.result.textContent = this.verdict(left);
  }

  verdict(left) {
    const turns = this.mine.steps.length;
    if (!turns) return "Draw your first cell, and train it. The search trains one for each of yours.";
    const [mine, its] = [this.mine, this.rival].map((run) => run.steps[run.steps[Math.min(turns, run.steps.length) - 1].best]);
    const name = SEARCHES[this.settings.search].label;
    const said = (who, one) => (one ? `${who}: ${percent(one.accuracy)}` : `${who}: nothing within the bound`);
    if (left) return `${said("You", mine)}. ${said("The search", its)}. The truth comes after the last training.`;
    const told = (who, one) =>
      one
        ? `${who} reported ${percent(one.accuracy)}, truly ${percent(one.worth)}, better than ${better(percentile(this.page.table, one.arch, this.settings.bound))} % of the cells allowed.`
        : `${who} found nothing within the bound.`;
    const gap = (mine?.worth ?? 0) - (its?.worth ?? 0);
    const points = `by ${(100 * Math.abs(gap)).toFixed(1)} points`;
    const won = Math.abs(gap) < 0.00005 ? "A draw." : gap > 0 ? `You win ${points}.` : `${name[0].toUpperCase()}${name.slice(1)} wins ${points}.`;
    return `${won} ${told("You", mine)} ${told("The search", its)} ${this.luck(mine)}`;
  }

  /** How many random searches of the same length found a better one. */
  luck(mine) {
    if (!this.band.done) return "";
    const above = this.band.of.filter((found) => found.at(-1) > (mine?.worth ?? 0)).length;
    return `Of ${RIVALS} random searches with ${TURNS} trainings, ${above} found a better one than you.`;
  }

  resize(theme) {
    this.editor.picture.resize(theme);
    this.ready = this.plot.size(theme);
  }

  frame() {
    const busy = this.band.ahead(6);
    if (!busy && !this.counted) {
      this.counted = true;
      this.told();
    }
    if (busy) this.counted = false;
    if (this.ready) this.draw();
    return busy;
  }

  draw() {
    const { plot } = this;
    const { theme } = plot;
    const turns = this.mine.steps.length;
    plot.c.clearRect(0, 0, plot.w, plot.h);
    const seen = [...this.mine.steps, ...this.rival.steps].map((step) => step.accuracy);
    const y = plot.accuracies(Math.max(CEILING, ...seen) + 0.003);
    const x = Plot.scale(1, TURNS, plot.left + 8, plot.right - 8);
    plot.below(x, [1, 5, 10, 15, 20], "trainings");
    const sides = [[this.rival, this.color, [7, 4]], [this.mine, theme.text, []]];
    for (const [run, color, dash] of sides) {
      const upto = Math.min(turns, run.steps.length);
      const best = (k) => (run.steps[k].best < 0 ? NaN : run.steps[run.steps[k].best].accuracy);
      const points = [];
      for (let k = 0; k < upto; k++) {
        if (k) points.push([x(k + 1), y(best(k - 1))]);
        points.push([x(k + 1), y(best(k))]);
        const { accuracy, allowed } = run.steps[k];
        const shift = run === this.mine ? -2 : 2;
        plot.dot(x(k + 1) + shift, y(accuracy), 4, allowed ? color : theme.faint, { hollow: !allowed || run !== this.mine, alpha: 0.8 });
      }
      plot.line(points.map(([px, py]) => [px, py]), color, 3, dash);
    }
    if (turns < TURNS) return;
    const ends = sides.map(([run, color]) => [run, color, run.steps[run.steps.at(-1).best]]).filter(([, , one]) => one);
    ends.sort((a, b) => b[2].worth - a[2].worth);
    for (const [place, [run, color, one]] of ends.entries()) {
      const at = [plot.right - 8, y(one.worth)];
      plot.dot(...at, 8, theme.back, {});
      plot.dot(...at, 7, color, {});
      plot.say(`${run === this.mine ? "you" : "search"}, truly`, at[0] - 12, at[1] + (place ? 1 : -1) * plot.text, { align: "right", color: theme.text, bold: true, halo: true });
    }
  }
}
