// people.js: views of a population: who lives, by age and accuracy, and from whom the best descends. Uses base.js,
// canvas.js.

/** What both views know of individual i: its score, its parent, its ancestors, the best of the first so many. */
function kin(spec, history) {
  const scale = spec.scale ?? 1;
  const score = (i) => history.data[spec.array][i] * scale;
  const parent = (i) => history.data[spec.parent][i];
  const feasible = (i) => !spec.feasible || history.data[spec.feasible][i] !== 0;
  const best = (last) => {
    let [top, winner] = [-Infinity, -1];
    for (let i = 0; i <= last; i++) if (feasible(i) && score(i) > top) [top, winner] = [score(i), i];
    return winner;
  };
  const ancestors = (i) => {
    const line = [];
    for (let k = i; k >= 0 && line.length < history.n; k = parent(k)) line.push(k);
    return line;
  };
  return { score, parent, feasible, best, ancestors };
}

/** A curve from one place to another that leaves and arrives along an axis. */
function tendril(c, x0, y0, x1, y1, upright) {
  c.beginPath();
  c.moveTo(x0, y0);
  if (upright) c.bezierCurveTo(x0, lerp(y0, y1, 0.6), x1, lerp(y0, y1, 0.4), x1, y1);
  else c.bezierCurveTo(lerp(x0, x1, 0.6), y0, lerp(x0, x1, 0.4), y1, x1, y1);
  c.stroke();
}

function ages(host, spec, { history }) {
  const L = layered(host, spec.height ?? 330, 1, spec.title ?? "the living by age");
  const [c] = L.layers;
  const { score, parent, feasible, best, ancestors } = kin(spec, history);
  const margin = { l: 62, r: 16, t: 20, b: 44 };
  let theme;
  let s;
  let line = new Set(); // the best of all steps and its ancestors
  let last = 0;

  const living = (i) => Array.from(history.frame(spec.population, i)).filter((k) => k >= 0);

  function fit() {
    let oldest = spec.oldest ?? 1;
    for (let i = 0; i < history.n; i++) {
      const first = history.frame(spec.population, i)[0]; // oldest first
      if (first >= 0) oldest = Math.max(oldest, i - first + 1);
    }
    const all = Array.from({ length: history.n }, (_, i) => score(i));
    s = scales(inner(L, margin), [-0.5, oldest + 0.5], spec.range ?? range(all, [true, false]));
    line = new Set(ancestors(best(history.n - 1)));
  }

  function one(i, age, alpha, radius) {
    const [x, y] = [s.X(age), s.Y(clamp(score(i), ...s.values))];
    c.globalAlpha = alpha;
    c.fillStyle = c.strokeStyle = line.has(i) ? MAGENTA : BLUE;
    c.lineWidth = 1.4;
    c.beginPath();
    if (Number.isNaN(score(i))) {
      for (const d of [-3, 3]) {
        c.moveTo(x - 3, s.y + s.h - 4 - d);
        c.lineTo(x + 3, s.y + s.h - 4 + d);
      }
      return c.stroke();
    }
    c.arc(x, y, radius, 0, 7);
    if (feasible(i)) c.fill();
    else c.stroke();
  }

  const view = {
    grow() {
      if (!theme || !L.width) return;
      fit();
      view.draw(last);
    },
    resize(now) {
      theme = now;
      L.fit();
      view.grow();
    },
    draw(t) {
      last = t;
      if (!theme || !L.width) return;
      c.clearRect(0, 0, L.width, L.height);
      axes(c, s, theme, { xlabel: spec.xlabel ?? "age: evaluations since its own", ylabel: spec.ylabel });
      if (!history.n) return;
      const i = Math.min(Math.floor(t + 1e-6), history.n - 1);
      const rest = Math.max(0, t - i); // between two steps all grow older together
      const now = living(i);
      const next = new Set(i + 1 < history.n ? living(i + 1) : now);
      const before = i ? living(i - 1) : [];
      const there = new Set(now);
      const from = parent(i);
      if (from >= 0 && (there.has(from) || before.includes(from)) && !Number.isNaN(score(i))) {
        c.strokeStyle = line.has(i) ? MAGENTA : theme.faint;
        c.lineWidth = 1.6;
        const y = (k) => s.Y(clamp(score(k), ...s.values));
        tendril(c, s.X(i - from + rest), y(from), s.X(rest), y(i));
      }
      for (const k of before) {
        if (there.has(k)) continue; // died at this step: a ring that fades
        c.globalAlpha = 1 - rest;
        c.strokeStyle = theme.dead;
        c.lineWidth = 1.8;
        c.beginPath();
        c.arc(s.X(i - k), s.Y(clamp(score(k), ...s.values)), 7, 0, 7);
        c.stroke();
      }
      for (const k of now) one(k, i - k + rest, next.has(k) ? 0.9 : 0.9 - 0.5 * rest, k === i ? 6 : 4);
      c.globalAlpha = 1;
      references(c, spec.lines, s, theme);
      c.font = "600 12px " + theme.font;
      c.textAlign = "left";
      const top = best(history.n - 1);
      const kept = now.filter((k) => line.has(k)).length;
      const said = line.has(i) && i === top ? `#${i}, the best of all, is born` : `${now.length} live, ${kept} of the best one's line`;
      outlined(c, said, s.x + 6, s.y - 6, theme, kept ? MAGENTA : theme.faint);
    },
    say(i) {
      const before = i ? living(i - 1) : [];
      const there = new Set(living(i));
      const dead = before.filter((k) => !there.has(k));
      const born = parent(i) >= 0 ? `#${i}, a child of #${parent(i)}` : `#${i}, drawn at random`;
      return `${there.size} live. Born: ${born}.${dead.length ? ` Died: ${dead.map((k) => "#" + k).join(", ")}.` : ""}`;
    },
  };
  return view;
}

function family(host, spec, { history }) {
  const L = layered(host, spec.height ?? 330, 1, spec.title ?? "the line of the best");
  const [c] = L.layers;
  const { score, parent, feasible, best, ancestors } = kin(spec, history);
  const count = spec.choices.length;
  const width = history.size[spec.arch] / count; // options of a choice where they are one-hot, else 1
  let theme;
  let shown = -1;

  const option = (i, k) => {
    const row = history.frame(spec.arch, i).subarray(k * width, (k + 1) * width);
    return width > 1 ? row.indexOf(Math.max(...row)) : row[0];
  };

  /** What changed between a parent and its child, in words. */
  function edit(i) {
    const from = parent(i);
    if (!(from >= 0)) return "drawn at random";
    const words = [];
    for (let k = 0; k < count; k++) {
      const [old, now] = [option(from, k), option(i, k)];
      const { name, options } = spec.choices[k];
      if (old !== now) words.push(`${name}: ${options[old] ?? "not in use"} → ${options[now] ?? "not in use"}`);
    }
    if (words.length > 2) return `${words.length} choices changed`;
    return words.join(", ") || "evaluated once more";
  }

  function picture(last) {
    shown = last;
    c.clearRect(0, 0, L.width, L.height);
    const winner = best(last);
    if (winner < 0) return;
    const whole = ancestors(winner).reverse();
    const most = Math.max(2, Math.floor((L.height - 40) / 22));
    const line = whole.slice(-most);
    const children = line.map(() => []);
    const place = new Map(line.slice(0, -1).map((k, row) => [k, row + 1]));
    for (let i = 0; i <= last; i++) {
      const row = place.get(parent(i));
      if (row && !Number.isNaN(score(i))) children[row].push(i);
    }
    const values = range([...line, ...children.flat()].map(score), [true, false]);
    const s = scales({ x: 12, y: 22, w: 0.42 * L.width - 12, h: L.height - 62 }, values, [line.length - 1 || 1, 0]);
    const X = (i) => s.X(clamp(score(i), ...values));
    c.font = "11px " + theme.font;
    c.textAlign = "center";
    for (const v of ticks(...values, s.w / 30)) {
      c.strokeStyle = theme.grid;
      c.lineWidth = 1;
      segment(c, s.X(v), s.y - 6, s.X(v), s.y + s.h + 8);
      c.fillStyle = theme.faint;
      c.fillText(String(v), s.X(v), s.y + s.h + 22);
    }
    c.fillText(spec.ylabel ?? "", s.x + s.w / 2, s.y + s.h + 37);
    line.forEach((_, row) => {
      for (const i of children[row]) {
        c.globalAlpha = 0.5;
        c.strokeStyle = c.fillStyle = theme.faint;
        c.lineWidth = 0.8;
        tendril(c, X(line[row - 1]), s.Y(row - 1), X(i), s.Y(row), true);
        c.beginPath();
        c.arc(X(i), s.Y(row), 2.6, 0, 7);
        if (feasible(i)) c.fill();
        else c.stroke();
      }
    });
    c.globalAlpha = 1;
    c.strokeStyle = c.fillStyle = MAGENTA;
    c.lineWidth = 2.2;
    line.forEach((i, row) => {
      if (row) tendril(c, X(line[row - 1]), s.Y(row - 1), X(i), s.Y(row), true);
      disc(c, X(i), s.Y(row), row === line.length - 1 ? 6 : 4);
    });
    c.textAlign = "left";
    const left = s.x + s.w + 18;
    line.forEach((i, row) => {
      c.font = `${row === line.length - 1 ? 600 : 400} 12px ${theme.font}`;
      c.fillStyle = theme.text;
      c.fillText(`#${i}  ${number(score(i))}  ${edit(i)}`, left, s.Y(row) + 4, L.width - left - 4);
    });
    if (line.length === whole.length) return;
    c.font = "11px " + theme.font;
    c.fillStyle = theme.faint;
    c.fillText(`${whole.length - line.length} earlier ones not shown`, left, 12);
  }

  const view = {
    grow() {
      shown = NaN; // none: whatever is drawn next, it is drawn
    },
    resize(now) {
      theme = now;
      L.fit();
      if (L.width && shown >= 0 && shown < history.n) picture(shown);
    },
    draw(t) {
      const i = Math.min(Math.floor(t + 1e-6), history.n - 1);
      if (!theme || !L.width || i === shown) return;
      if (i < 0) c.clearRect(0, 0, L.width, L.height);
      else picture(i);
    },
    say(i) {
      const winner = best(i);
      const line = winner >= 0 ? ancestors(winner).length - 1 : 0;
      return winner >= 0 ? `The best so far, #${winner}, is ${line} mutations from its ancestor; the last: ${edit(winner)}.` : "";
    },
  };
  return view;
}
