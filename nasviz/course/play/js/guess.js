// guess.js: draw a cell or take one, guess how good it is, see the truth. Uses histogram.js, cell_picture.js, words.js.

class Guess {
  constructor(host, page) {
    Object.assign(this, { host, page, open: false, guess: 50, rounds: [], counted: new Set() });
    const { table } = page;
    html("p", { className: "what", textContent: "Which operations make a good cell? Click an edge to change it. Then say how good the cell is, before you look." }, host);
    const pictures = html("div", { className: "pictures two" }, host);
    const left = html("div", {}, pictures);
    this.editor = new Editor(left, "Click an edge to change its operation", (arch) => this.take(arch));
    const buttons = html("div", { className: "row" }, left);
    button(buttons, "Another cell", () => this.next(), { className: "main", label: "Another cell, drawn at random" });
    this.facts = html("p", { className: "facts" }, left);
    const right = html("figure", { className: "bars" }, pictures);
    html("figcaption", { textContent: `All ${SIZE.toLocaleString("en")} cells, by their true accuracy` }, right);
    this.bars = new Histogram(right, table);
    const scale = { label: "It is better than how many cells?", low: 0, high: 100, start: 50, step: 1 };
    this.slide = slider(right, scale, (v) => `${v} %`, (v) => this.move(v));
    const row = html("div", { className: "row" }, right);
    this.reveal = button(row, "Show the truth", () => this.show(), { className: "main" });
    this.truth = html("p", { className: "said big" }, right);
    this.truth.setAttribute("role", "status");
    this.score = html("p", { className: "facts" }, right);
    this.counting = this.byCost();
  }

  /** How far off one is, on average, who ranks cells by their cost alone: in percentiles. */
  byCost() {
    const { table } = this.page;
    const sorted = (values) => [...values].sort((a, b) => a - b);
    const all = Array.from(table.rowOf);
    const rank = (of) => {
      const order = sorted(all.map((row) => of[row]));
      const places = new Map();
      order.forEach((value, i) => places.set(value, [...(places.get(value) ?? [i]).slice(0, 1), i]));
      return (row) => {
        const between = places.get(of[row]);
        return (between[0] + between.at(-1) + 1) / 2 / SIZE;
      };
    };
    const [cost, truth] = [rank(table.cost), rank(table.truth)];
    return (100 * all.reduce((sum, row) => sum + Math.abs(cost(row) - truth(row)), 0)) / SIZE;
  }

  begin() {
    const { state } = this.page;
    const arch = state.cell ?? this.drawn();
    if (arch !== this.editor.arch) this.fresh(arch);
    this.page.wake();
  }

  /** The random cell of this seed and round. */
  drawn() {
    const { seed, round } = this.page.state;
    const draws = new Draws(seed);
    let arch = 0;
    for (let k = 0; k < round; k++) arch = sampled(draws);
    return arch;
  }

  fresh(arch) {
    this.open = false;
    this.editor.show(arch);
    this.truth.textContent = "";
    const { table } = this.page;
    const same = table.written[table.rowOf[arch]] - 1;
    const others = same ? ` ${same.toLocaleString("en")} other cell${same > 1 ? "s" : ""} compute${same > 1 ? "" : "s"} exactly the same.` : "";
    this.facts.textContent = `Cost: ${Math.round(table.costOf(arch)).toLocaleString("en")} multiply-adds.${others}`;
    this.page.wake();
  }

  take(arch) {
    this.page.set("cell", arch);
    this.fresh(arch);
  }

  next() {
    this.page.set("cell", null);
    this.page.set("round", this.page.state.round >= SETTINGS.round.high ? 1 : this.page.state.round + 1);
    this.move(50);
    this.fresh(this.drawn());
  }

  move(guess) {
    this.guess = guess;
    this.slide(guess);
    this.page.wake();
  }

  show() {
    const { table } = this.page;
    const { arch } = this.editor;
    const row = table.rowOf[arch];
    const share = 100 * percentile(table, arch);
    const off = Math.abs(share - this.guess);
    this.open = true;
    const each = table.trainings[row].map(percent).join(", ");
    this.truth.textContent = `${percent(table.worth(arch))}: better than ${better(share / 100)} % of all cells. You said ${this.guess}: ${off < 0.5 ? "exactly right" : `${Math.round(off)} off`}. Its trainings reached ${each}.`;
    if (!this.counted.has(row)) this.rounds.push(off);
    this.counted.add(row);
    const mean = this.rounds.reduce((sum, one) => sum + one) / this.rounds.length;
    const cells = this.rounds.length === 1 ? "1 cell" : `${this.rounds.length} cells`;
    this.score.textContent = `You, after ${cells}: ${mean.toFixed(0)} off on average. Who always says 50: 25. Who only looks at the cost: ${this.counting.toFixed(0)}.`;
    this.page.wake();
  }

  resize(theme) {
    this.editor.picture.resize(theme);
    this.bars.resize(theme);
    this.slide(this.guess);
  }

  frame() {
    this.bars.draw(this.guess / 100, this.open ? this.page.table.worth(this.editor.arch) : NaN);
    this.reveal.disabled = this.open;
    return false;
  }
}
