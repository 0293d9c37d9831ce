// options.js: a view of any architecture, choice by choice: a box an option, the chosen one filled. Uses base.js.

function options(host, spec, { history }) {
  const box = html("div", { className: "options" }, host);
  box.setAttribute("role", "img");
  box.style.setProperty("--names", Math.max(...spec.choices.map((choice) => choice.name.length)) * 0.62 + "em");
  const rows = spec.choices.map(({ name, options: labels, colors }) => {
    const row = html("div", {}, box);
    html("span", { className: "name", textContent: name, title: name }, row);
    const boxes = html("span", { className: "boxes" }, row);
    const marks = labels.map((label, o) => {
      const mark = html("i", { title: label }, boxes);
      mark.style.setProperty("--op", colors[o]);
      return mark;
    });
    return { row, marks, labels, text: html("span", {}, row), shown: NaN };
  });
  const at = (t) => history.frame(spec.array, Math.floor(t));
  const word = ({ labels }, o) => (o < 0 ? "not in use" : labels[o]);

  return {
    draw(t) {
      const now = history.n ? at(t) : rows.map(() => -1);
      const before = t >= 1 ? at(t - 1) : now;
      rows.forEach((one, i) => {
        one.row.classList.toggle("new", now[i] !== before[i]);
        if (one.shown === now[i]) return;
        one.shown = now[i];
        one.marks.forEach((mark, o) => mark.classList.toggle("on", o === now[i]));
        one.row.classList.toggle("off", now[i] < 0);
        one.text.textContent = word(one, now[i]);
      });
    },
    say(i) {
      const [now, before] = [at(i), at(Math.max(0, i - 1))];
      const changed = rows.filter((_, k) => now[k] !== before[k]);
      const told = changed.map((one) => `${spec.choices[rows.indexOf(one)].name}: ${word(one, now[rows.indexOf(one)])}`);
      return told.length ? `Changed: ${told.join(", ")}.` : "";
    },
  };
}
