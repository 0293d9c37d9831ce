// swarm.js: a view of individuals by number and accuracy, and whence they came. Uses base.js, canvas.js.

function swarm(host, spec, { history }) {
  const L = layered(host, spec.height ?? 330, 2, spec.title ?? "population");
  const [base, over] = L.layers;
  const scale = spec.scale ?? 1;
  const unit = spec.unit ? " " + spec.unit : "";
  const labels = { xlabel: spec.xlabel ?? "architectures evaluated", ylabel: spec.ylabel };
  const margin = { l: 62, r: 16, t: 26, b: 44 };
  let theme;
  let s;
  let shown = -1;
  let hover = -1;
  let taken = [];

  const score = (i) => history.data[spec.array][i] * scale;
  const parent = (i) => (spec.parent ? history.data[spec.parent][i] : -1);
  const feasible = (i) => !spec.feasible || history.data[spec.feasible][i] !== 0;
  const floor = (i) => clamp(score(i), ...s.values);

  function fit() {
    const span = Math.max(1, spec.total ?? 0, history.n - 1);
    let values = spec.range;
    if (!values) {
      const all = Array.from({ length: history.n }, (_, i) => score(i));
      values = range([...all, ...(spec.lines ?? []).map((r) => r.y)], [true, false]);
      values[1] += 0.1 * (values[1] - values[0]); // for the label of the best
    }
    s = scales(inner(L, margin), [0, span], values);
  }

  function alive(last) {
    if (!spec.population) return (i) => !spec.alive || last - i < spec.alive;
    const numbers = new Set(history.frame(spec.population, last));
    return (i) => numbers.has(i);
  }

  function best(last) {
    let [top, winner] = [-Infinity, -1];
    for (let i = 0; i <= last; i++) if (feasible(i) && score(i) > top) [top, winner] = [score(i), i];
    return winner;
  }

  function link(c, from, to) {
    const [x0, y0, x1, y1] = [s.X(from), s.Y(floor(from)), s.X(to), s.Y(floor(to))];
    c.beginPath();
    c.moveTo(x0, y0);
    c.bezierCurveTo(lerp(x0, x1, 0.6), y0, lerp(x0, x1, 0.4), y1, x1, y1);
    c.stroke();
  }

  function dot(c, i, live) {
    const [x, y] = [s.X(i), s.Y(floor(i))];
    const r = live ? 4 : 3;
    c.beginPath();
    if (Number.isNaN(score(i))) {
      // a training that failed: a cross on the axis
      for (const d of [-3, 3]) {
        c.moveTo(x - 3, s.y + s.h - 4 - d);
        c.lineTo(x + 3, s.y + s.h - 4 + d);
      }
      c.lineWidth = 1.5;
      return c.stroke();
    }
    if (score(i) < s.values[0]) {
      // far below: an arrow head at the edge of the plot
      c.moveTo(x - 4, y - 7);
      c.lineTo(x + 4, y - 7);
      c.lineTo(x, y);
      c.closePath();
    } else c.arc(x, y, r, 0, 7);
    if (feasible(i)) return c.fill();
    c.lineWidth = 1.4;
    c.stroke();
  }

  function picture(last) {
    shown = last;
    base.clearRect(0, 0, L.width, L.height);
    axes(base, s, theme, labels);
    const lives = alive(last);
    base.lineWidth = 0.9;
    base.strokeStyle = theme.faint;
    for (let i = 0; i <= last; i++) {
      if (!(parent(i) >= 0) || Number.isNaN(score(i))) continue;
      base.globalAlpha = lives(i) ? 0.6 : 0.17;
      link(base, parent(i), i);
    }
    base.globalAlpha = 0.8;
    base.lineWidth = 2;
    base.strokeStyle = theme.text;
    base.beginPath();
    let top = -Infinity;
    for (let i = 0; i <= last; i++) {
      if (!feasible(i) || !(score(i) > top)) continue;
      if (top > -Infinity) base.lineTo(s.X(i), s.Y(clamp(top, ...s.values)));
      top = score(i);
      base.lineTo(s.X(i), s.Y(clamp(top, ...s.values)));
    }
    if (top > -Infinity) base.lineTo(s.X(last), s.Y(clamp(top, ...s.values)));
    base.stroke();
    for (let i = 0; i <= last; i++) {
      const live = lives(i);
      base.globalAlpha = live ? 0.95 : 0.5;
      base.fillStyle = base.strokeStyle = live ? BLUE : theme.dead;
      dot(base, i, live);
    }
    base.globalAlpha = 1;
    taken = references(base, spec.lines, s, theme);
    flags(base, history.marks, { ...s, y: s.y - 12, h: s.h + 12 }, theme, s.X, true);
    lineage(hover >= 0 && hover <= last ? hover : best(last));
  }

  function ancestors(i) {
    const line = [];
    for (let k = i; k >= 0 && line.length < history.n; k = parent(k)) line.push(k);
    return line;
  }

  const words = (i) => {
    const generations = ancestors(i).length - 1;
    const from =
      generations > 0 ? `, ${generations} mutation${generations > 1 ? "s" : ""} from its ancestor` : "";
    return `#${i}: ${number(score(i))}${unit}${feasible(i) ? "" : ", over the bound"}${from}`;
  };

  /** One individual and its ancestors, with a label that meets neither edge nor reference. */
  function lineage(i) {
    over.clearRect(0, 0, L.width, L.height);
    if (i < 0) return;
    over.strokeStyle = over.fillStyle = MAGENTA;
    over.lineWidth = 2.4;
    const family = ancestors(i);
    family.forEach((k, depth) => {
      if (depth + 1 < family.length) link(over, family[depth + 1], k);
      disc(over, s.X(k), s.Y(floor(k)), depth ? 4 : 6);
    });
    const text = words(i);
    over.font = "600 13px " + theme.font;
    over.textAlign = "left";
    const wide = over.measureText(text).width;
    const [x, y] = [s.X(i), s.Y(floor(i))];
    const left = clamp(x - wide / 2, s.x + 4, s.x + s.w - wide - 4);
    const places = [y - 14, y + 24, y - 32, y + 42].filter((at) => at > s.y + 10 && at < s.y + s.h - 4);
    const meets = (at) =>
      taken.some((b) => left < b[2] && left + wide > b[0] && at - 14 < b[3] && at + 4 > b[1]);
    outlined(over, text, left, places.find((at) => !meets(at)) ?? places[0] ?? y + 24, theme);
  }

  const redraw = () => theme && L.width && shown >= 0 && shown < history.n && picture(shown);
  L.box.addEventListener("pointermove", (event) => {
    if (!s || shown < 0) return;
    let near = 400;
    const before = hover;
    hover = -1;
    for (let i = 0; i <= shown; i++) {
      const d = (s.X(i) - event.offsetX) ** 2 + (s.Y(floor(i)) - event.offsetY) ** 2;
      if (d < near) [near, hover] = [d, i];
    }
    if (hover !== before) lineage(hover >= 0 ? hover : best(shown));
  });
  L.box.addEventListener("pointerleave", () => {
    hover = -1;
    redraw();
  });

  const view = {
    grow() {
      if (!theme || !L.width) return;
      fit();
      shown = Math.min(shown, history.n - 1);
      if (!history.n) {
        for (const c of L.layers) c.clearRect(0, 0, L.width, L.height);
        axes(base, s, theme, labels);
      }
      dirty = true;
    },
    resize(now) {
      theme = now;
      L.fit();
      view.grow();
      redraw();
    },
    draw(t) {
      const i = Math.min(Math.floor(t + 1e-6), history.n - 1);
      if (!theme || !L.width || i < 0 || (i === shown && !dirty)) return;
      dirty = false;
      picture(i);
    },
    say(i) {
      const winner = best(i);
      const so = winner >= 0 ? ` Best so far ${words(winner)}.` : "";
      return `Architecture ${i}: ${number(score(i))}${Number.isNaN(score(i)) ? "" : unit}.${so}`;
    },
  };
  let dirty = true;
  return view;
}
