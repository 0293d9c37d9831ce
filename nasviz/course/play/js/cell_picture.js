// cell_picture.js: a cell, or how often each operation stands on each edge; and an editor of cells. Uses the stage's
// cell.js and history.js, space.js. CELL is the picture's description, made by Python.

const NODE_NAMES = CELL.views[0].nodes;
const edgeName = (place) => EDGES[place].map((node) => NODE_NAMES[node]).join("→");

/** One architecture as weights: 1 for the option taken, 0 for the others. */
function weightsOf(arch) {
  const weights = new Float32Array(PLACES * OPTIONS);
  options(arch).forEach((o, place) => (weights[place * OPTIONS + o] = 1));
  return weights;
}

/** The share of architectures that have each option. */
function sharesOf(archs) {
  const shares = new Float32Array(PLACES * OPTIONS);
  for (const arch of archs) options(arch).forEach((o, place) => (shares[place * OPTIONS + o] += 1 / archs.length));
  return shares;
}

const inWords = (arch) => options(arch).map((o, place) => `${edgeName(place)} ${CELL.labels[o]}`).join(", ");

/** `height` is the most it takes of the window's height. */
class CellPicture {
  constructor(host, title, { editable = false, height = 0.2 } = {}) {
    this.host = html("figure", { className: "cell-picture" }, host);
    this.title = html("figcaption", { textContent: title }, this.host);
    this.place = html("div", {}, this.host);
    this.more = { title, editable, height };
  }

  resize(theme) {
    const text = parseFloat(getComputedStyle(this.place).fontSize);
    if (!this.view || this.text !== text) {
      this.text = text;
      this.place.replaceChildren();
      this.history = new History(CELL.arrays);
      const height = Math.max(190, this.more.height * innerHeight);
      const spec = { ...CELL.views[0], ...this.more, leads: 0, thickness: 17, height };
      this.view = cell(this.place, spec, { ...CELL, history: this.history, text: 0.82 * text });
      if (this.last) this.history.put(0, 1, [this.last]);
      this.words = undefined;
    }
    this.view.resize(theme);
  }

  /** Shows weights (edges × options); `words` say the same to who cannot see them. */
  draw(weights, words = "") {
    const same = words === this.words && this.last?.every((w, k) => w === Math.fround(weights[k]));
    if (same) return;
    this.last = Float32Array.from(weights);
    if (!this.view) return;
    this.history.put(0, 1, [this.last]);
    this.view.draw(0);
    if (words === this.words) return;
    this.words = words;
    this.place.querySelector("svg").ariaLabel = words ? `${this.title.textContent}: ${words}` : this.title.textContent;
  }

  hot(edge) {
    this.view?.hot(edge);
  }
}

/** A cell that is changed by clicks on its edges, or by a menu for each edge. `act(arch)` hears the new one. */
class Editor {
  constructor(host, title, act) {
    this.picture = new CellPicture(host, title, { editable: true, height: 0.4 });
    this.picture.host.addEventListener("pick", ({ detail: place }) =>
      act(changed(this.arch, place, (option(this.arch, place) + 1) % OPTIONS)),
    );
    this.picture.host.addEventListener("edge", ({ detail: edge }) => this.picture.hot(edge));
    const box = html("div", { className: "menus" }, host);
    this.menus = EDGES.map((_, place) => {
      const label = html("label", { textContent: edgeName(place) + " " }, box);
      const menu = html("select", {}, label);
      CELL.labels.forEach((text, o) => html("option", { value: o, textContent: text }, menu));
      menu.addEventListener("change", () => act(changed(this.arch, place, +menu.value)));
      return menu;
    });
  }

  show(arch) {
    this.arch = arch;
    this.picture.draw(weightsOf(arch), inWords(arch));
    options(arch).forEach((o, place) => (this.menus[place].value = o));
  }
}
