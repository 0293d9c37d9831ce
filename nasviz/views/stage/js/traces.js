// traces.js: a view with a small panel for every edge, a line per operation. Uses base.js, canvas.js.

function traces(host, spec, { history, colors, dashes }) {
  const shape = history.arrays[spec.array];
  const [panels, series] = shape.length > 1 ? shape : [1, shape[0]];
  const top = spec.max ?? 1;
  const each = spec.each ?? 0;
  const L = layered(host, 100, 2, spec.title ?? "weights in time");
  const [base, over] = L.layers;
  const now = new Float32Array(panels * series);
  const left = 40; // room for the tick labels of the first column
  const gap = 14;
  let columns = 1;
  let rows = 1;
  let tall = 100;
  let drawn = 0;
  let span = 0;
  let theme;
  let hot = -1;
  let last = 0;

  const panel = (p) => {
    const w = (L.width - left - 6) / columns;
    const [column, row] = [p % columns, Math.floor(p / columns)];
    return { x: left + column * w, y: 22 + row * tall, w: w - gap, h: tall - (each ? 42 : 32) };
  };
  const domain = (p) => (each ? [p * each, (p + 1) * each - 1] : [0, span]); // of a panel, steps
  const scaled = (p) => scales(panel(p), domain(p), [0, top]);
  const bottom = (p) => p + columns >= panels;

  function frame() {
    base.clearRect(0, 0, L.width, L.height);
    for (let p = 0; p < panels; p++) {
      const s = scaled(p);
      base.fillStyle = theme.panel;
      base.fillRect(s.x, s.y, s.w, s.h);
      base.strokeStyle = theme.grid;
      base.lineWidth = 1;
      base.font = "11px " + theme.font;
      base.fillStyle = theme.faint;
      base.textAlign = "right";
      for (const v of s.h > 130 ? ticks(0, top, 5) : [0, top / 2, top]) {
        const y = Math.round(s.Y(v)) + 0.5;
        segment(base, s.x, y, s.x + s.w, y);
        if (p % columns === 0) base.fillText(`${Math.round(v * 100)} %`, s.x - 5, y + 4);
      }
      const label = spec.labels?.[p];
      if (bottom(p) || each) {
        const steps = ticks(...domain(p), Math.max(2, s.w / 75));
        base.textAlign = "center";
        for (const v of steps) {
          const x = s.X(v);
          base.textAlign = x + 14 > s.x + s.w ? "right" : x - 10 < s.x ? "left" : "center";
          base.fillText(v.toLocaleString("en"), base.textAlign === "right" ? s.x + s.w : x, s.y + s.h + 14);
        }
      }
      if (label) {
        base.font = "600 12px " + theme.font;
        base.fillStyle = theme.text;
        base.textAlign = "left";
        base.fillText(label, s.x, s.y - 6);
      }
      flags(base, history.marks, s, theme, s.X, panels === 1);
    }
    base.font = "11px " + theme.font;
    base.fillStyle = theme.faint;
    base.textAlign = "right";
    base.fillText(spec.xlabel ?? "step", L.width - 6 - gap, L.height - 2);
  }

  /** Only the new piece of every line: a long search costs no more a step than a short one. */
  function lines() {
    const wanted = Math.max(1, spec.total ?? 0, history.n - 1);
    if (wanted > span || !drawn) {
      // beyond what was planned the axis grows in strides, or every step would redraw everything
      span = span && wanted > span ? Math.max(wanted, Math.ceil(span * 1.25)) : wanted;
      drawn = 0;
      frame();
    }
    const data = history.data[spec.array];
    const size = panels * series;
    const from = Math.max(0, drawn - 1);
    base.lineWidth = panels === 1 ? 2 : 1.7;
    base.lineJoin = "round";
    for (let p = 0; p < panels; p++) {
      const s = scaled(p);
      for (let o = 0; o < series; o++) {
        base.strokeStyle = colors[o] ?? SERIES[o % SERIES.length];
        base.setLineDash(dashes[o] ?? []);
        base.lineDashOffset = s.X(from) - s.x; // the pattern goes on where the last piece ended
        base.beginPath();
        let pen = false;
        const [first, end] = domain(p);
        for (let i = Math.max(from, first); i < history.n && i <= Math.max(end, span * !each); i++) {
          const v = data[i * size + p * series + o];
          if (Number.isNaN(v)) {
            pen = false;
            continue;
          }
          base[pen ? "lineTo" : "moveTo"](s.X(i), s.Y(Math.min(v, top)));
          pen = true;
        }
        base.stroke();
      }
    }
    base.globalAlpha = 1;
    base.setLineDash([]);
    drawn = history.n;
  }

  const under = (event) => {
    const w = (L.width - left - 6) / columns;
    const column = clamp(Math.floor((event.offsetX - left) / w), 0, columns - 1);
    const p = clamp(Math.floor((event.offsetY - 4) / tall), 0, rows - 1) * columns + column;
    return p < panels ? p : -1;
  };
  L.box.addEventListener("pointermove", (event) => panels > 1 && tell(host, "edge", under(event)));
  L.box.addEventListener("pointerleave", () => panels > 1 && tell(host, "edge", -1));
  L.box.addEventListener("pointerdown", (event) => {
    const p = under(event);
    if (p < 0) return;
    const b = panel(p);
    const [first, end] = domain(p);
    tell(host, "seek", clamp(first + ((event.offsetX - b.x) / b.w) * (end - first), 0, span));
  });

  const view = {
    grow() {
      if (theme) lines();
    },
    patch() {
      drawn = span = 0;
      view.grow();
    },
    resize(now) {
      theme = now;
      const wide = L.box.clientWidth;
      if (!wide) return;
      columns = Math.min(panels, Math.max(1, Math.floor((wide - left) / 138)));
      rows = Math.ceil(panels / columns);
      columns = Math.ceil(panels / rows); // the last row as full as the others
      tall = panels === 1 ? 240 : rows === 1 ? 150 : each ? 122 : 112; // with room for ticks below each
      L.fit(rows * tall + 16);
      view.patch();
      view.draw(last);
    },
    draw(t) {
      last = t;
      if (!theme) return;
      over.clearRect(0, 0, L.width, L.height);
      if (!history.n) return;
      history.between(spec.array, t, now);
      for (let p = 0; p < panels; p++) {
        const s = scaled(p);
        const x = s.X(clamp(t, ...domain(p)));
        veil(over, s, x, theme);
        for (let o = 0; o < series; o++) {
          over.fillStyle = colors[o] ?? SERIES[o % SERIES.length];
          disc(over, x, s.Y(Math.min(now[p * series + o], top)), 2.8);
        }
        if (p !== hot) continue;
        over.strokeStyle = theme.text;
        over.lineWidth = 1.5;
        over.strokeRect(s.x - 2, s.y - 2, s.w + 4, s.h + 4);
      }
    },
    hot(e) {
      hot = e;
      view.draw(last);
    },
  };
  return view;
}
