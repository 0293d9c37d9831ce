// curve.js: a view of numbers against steps, or against each other. Uses base.js, canvas.js.

function curve(host, spec, { history }) {
  const L = layered(host, spec.height ?? 270, 3, spec.title ?? "curve");
  const [base, over, front] = L.layers;
  const scale = spec.scale ?? 1;
  const unit = spec.unit ? " " + spec.unit : "";
  const margin = { l: 62, r: 16, t: 16, b: 44 };
  const LINE = 17; // of the legend
  const series = spec.series.map((one, j) => ({ color: SERIES[j % 6], dash: DASHES[j % 6], ...one }));
  const bands = spec.band ?? [];
  const others = spec.others ?? [];
  let theme;
  let s;
  let last = 0;

  const x = (i) => (spec.x ? history.data[spec.x][i] : i);
  const y = (one, i) => history.data[one.array][i] * scale;
  const place = (at) => s.X(history.n ? x(clamp(at, 0, history.n - 1)) : at);

  function fit() {
    const xs = [...bands, ...others].flatMap((b) => b.x);
    if (history.n) xs.push(x(0), x(history.n - 1));
    if (!spec.x) xs.push(Math.max(1, spec.total ?? 0));
    const end = Math.max(...(spec.x && spec.total ? [...xs, spec.total] : xs).filter(Number.isFinite), 0);
    const values = series.flatMap((one) => Array.from({ length: history.n }, (_, i) => y(one, i)));
    for (const b of bands) values.push(...b.lo.map((v) => v * scale), ...b.hi.map((v) => v * scale));
    for (const other of others) values.push(...other.y.map((v) => v * scale));
    for (const reference of spec.lines ?? []) values.push(reference.y);
    s = scales(
      inner(L, { ...margin, t: margin.t + LINE * legendRows().length }),
      [Math.min(0, ...xs.filter(Number.isFinite)), end || 1],
      spec.range ?? range(values),
    );
  }

  function inside(c, draw) {
    c.save();
    c.beginPath();
    c.rect(s.x, s.y - 2, s.w, s.h + 4);
    c.clip();
    draw();
    c.restore();
  }

  function polyline(c, points, { color, dash = [], width = 1.8, steps = false }) {
    c.strokeStyle = color;
    c.lineWidth = width;
    c.lineJoin = "round";
    c.setLineDash(dash);
    c.beginPath();
    let before = null;
    for (const [px, py] of points) {
      if (!Number.isFinite(py)) {
        before = null;
        continue;
      }
      const [a, b] = [s.X(px), s.Y(py)];
      if (before === null) c.moveTo(a, b);
      else if (steps) {
        c.lineTo(a, before);
        c.lineTo(a, b);
      } else c.lineTo(a, b);
      before = b;
    }
    c.stroke();
    c.setLineDash([]);
  }

  /** The best value so far, as a line of steps. */
  function record(one) {
    let top = NaN;
    const better = spec.lower ? (a, b) => a < b : (a, b) => a > b;
    return Array.from({ length: history.n }, (_, i) => {
      const v = spec.feasible && !history.data[spec.feasible][i] ? NaN : y(one, i);
      if (Number.isFinite(v) && (Number.isNaN(top) || better(v, top))) top = v;
      return [x(i), top];
    });
  }

  const another = (o, j) => ({ color: o.color ?? theme.faint, dash: j ? [2, 3] : [6, 4] });
  const entries = () => [
    ...series.flatMap((one) => [
      { label: one.label, color: one.color, dash: one.dash, dots: one.points },
      ...(one.best ? [{ label: "best so far", color: theme.text, width: 2.2 }] : []),
    ]),
    ...others.map((o, j) => ({ label: o.label, ...another(o, j) })),
    ...bands.map((b) => ({ label: b.label, color: b.color ?? theme.dead, band: true })),
  ];

  function lines() {
    base.clearRect(0, 0, L.width, L.height);
    axes(base, s, theme, { xlabel: spec.xlabel ?? "step", ylabel: spec.ylabel });
    inside(base, () => {
      for (const one of series) {
        const points = Array.from({ length: history.n }, (_, i) => [x(i), y(one, i)]);
        if (one.points) {
          base.fillStyle = base.strokeStyle = one.color;
          base.lineWidth = 1.3;
          base.globalAlpha = 0.6;
          points.forEach(([a, b], i) => {
            base.beginPath();
            base.arc(s.X(a), s.Y(b), 3, 0, 7);
            base[spec.feasible && !history.data[spec.feasible][i] ? "stroke" : "fill"]();
          });
          base.globalAlpha = 1;
        } else polyline(base, points, one);
        if (one.best) polyline(base, record(one), { color: theme.text, width: 2.2, steps: true });
      }
    });
  }

  /** What does not depend on the step: bands, other runs, references, flags and the legend. */
  function ground() {
    front.clearRect(0, 0, L.width, L.height);
    inside(front, () => {
      for (const b of bands) {
        front.fillStyle = b.color ?? theme.dead;
        front.globalAlpha = 0.22;
        front.beginPath();
        b.x.forEach((v, i) => front.lineTo(s.X(v), s.Y(b.hi[i] * scale)));
        for (let i = b.x.length - 1; i >= 0; i--) front.lineTo(s.X(b.x[i]), s.Y(b.lo[i] * scale));
        front.fill();
        front.globalAlpha = 0.9;
        const middle = b.x.map((v, i) => [v, (b.mid?.[i] ?? NaN) * scale]);
        polyline(front, middle, { color: b.color ?? theme.dead, width: 1.4 });
        front.globalAlpha = 1;
      }
      others.forEach((o, j) => {
        const points = o.x.map((v, i) => [v, (o.y[i] ?? NaN) * scale]);
        polyline(front, points, { ...another(o, j), steps: o.steps });
      });
    });
    references(front, spec.lines, s, theme);
    flags(front, history.marks, s, theme, place, true);
    legend(legendRows());
  }

  /** The legend's lines, none over the data: they stand above the plot, which leaves them room. */
  function legendRows() {
    const list = entries().filter((e) => e.label);
    if (!list.length || (list.length === 1 && !list[0].band)) return [];
    front.font = "12px " + theme.font;
    const rows = [[]];
    let left = margin.l;
    for (const entry of list) {
      const wide = front.measureText(entry.label).width + 44;
      if (left + wide > L.width && rows.at(-1).length) {
        rows.push([]);
        left = margin.l;
      }
      rows.at(-1).push({ ...entry, left });
      left += wide;
    }
    return rows;
  }

  function legend(rows) {
    front.font = "12px " + theme.font;
    rows.flatMap((row, j) => row.map((entry) => ({ ...entry, at: 9 + LINE * j }))).forEach((entry) => {
      const { left, at } = entry;
      front.fillStyle = front.strokeStyle = entry.color;
      front.lineWidth = entry.width ?? 2;
      if (entry.band) {
        front.globalAlpha = 0.3;
        front.fillRect(left, at - 6, 20, 12);
        front.globalAlpha = 1;
      } else if (entry.dots) {
        disc(front, left + 10, at, 3.5);
      } else {
        front.setLineDash(entry.dash ?? []);
        segment(front, left, at, left + 20, at);
        front.setLineDash([]);
      }
      front.fillStyle = theme.text;
      front.textAlign = "left";
      front.fillText(entry.label, left + 26, at + 4);
    });
  }

  L.box.addEventListener("pointerdown", (event) => {
    if (!s || !history.n) return;
    const wanted = s.domain[0] + ((event.offsetX - s.x) / s.w) * (s.domain[1] - s.domain[0]);
    let i = 0;
    while (i < history.n - 1 && Math.abs(x(i + 1) - wanted) <= Math.abs(x(i) - wanted)) i++;
    tell(host, "seek", i);
  });

  const view = {
    grow() {
      if (!theme || !L.width) return;
      fit();
      lines();
      ground();
    },
    resize(now) {
      theme = now;
      L.fit();
      view.grow();
      view.draw(last);
    },
    draw(t) {
      last = t;
      if (!theme || !L.width) return;
      over.clearRect(0, 0, L.width, L.height);
      if (!history.n) return;
      const i = clamp(Math.floor(t), 0, history.n - 1);
      const j = Math.min(i + 1, history.n - 1);
      const at = s.X(lerp(x(i), x(j), t - i));
      veil(over, s, at, theme, 2);
      inside(over, () => {
        for (const one of series) {
          over.fillStyle = one.color;
          disc(over, at, s.Y(lerp(y(one, i), y(one, j), t - i)), 3.6);
        }
      });
    },
    say: (i) => series.map((one) => `${one.label ?? one.array} ${number(y(one, i))}${unit}`).join(", ") + ".",
  };
  return view;
}
