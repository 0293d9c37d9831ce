// heat.js: a view of the weights at one step, as numbers. Uses base.js and `layered` of canvas.js.

function heat(host, spec, { history, labels }) {
  const [rows, columns] = history.arrays[spec.array];
  const L = layered(host, 100, 1, spec.title ?? "weights now");
  const [c] = L.layers;
  const w = new Float32Array(rows * columns);
  const boxed = spec.boxed && new Float32Array(rows * columns);
  const [low, top] = [spec.min ?? 0, spec.max ?? 1];
  const names = spec.columns ?? labels;
  let head = 36;
  let left = 58;
  const tall = rows > 10 ? 22 : 28;
  let theme;
  let hot = -1;
  let last = 0;

  L.box.addEventListener("pointermove", (event) => {
    const row = Math.floor((event.offsetY - head) / tall);
    tell(host, "edge", row >= 0 && row < rows ? row : -1);
  });
  L.box.addEventListener("pointerleave", () => tell(host, "edge", -1));

  const view = {
    resize(now) {
      theme = now;
      c.font = "700 12px " + theme.font;
      const words = (spec.labels ?? []).map((label) => c.measureText(label).width);
      left = Math.max(58, 16 + Math.min(200, Math.max(0, ...words)));
      c.font = "11px " + theme.font;
      const room = (L.box.clientWidth - left) / columns - 4;
      head = names.some((name) => c.measureText(name).width > room) ? 36 : 22;
      L.fit(head + rows * tall + 4);
      view.draw(last);
    },
    draw(t) {
      last = t;
      if (!theme || !L.width) return;
      c.clearRect(0, 0, L.width, L.height);
      const wide = (L.width - left) / columns;
      c.textAlign = "center";
      c.fillStyle = theme.faint;
      c.font = "11px " + theme.font;
      names.forEach((name, o) => {
        const words = name.split(" ");
        const cut =
          c.measureText(name).width > wide - 4 && words.length > 1 ? words.length - 1 : words.length;
        const x = left + (o + 0.5) * wide;
        c.fillText(words.slice(0, cut).join(" "), x, cut < words.length ? head - 20 : head - 8, wide - 2);
        if (cut < words.length) c.fillText(words.slice(cut).join(" "), x, head - 7, wide - 2);
      });
      if (history.n) history.between(spec.array, t, w);
      if (history.n && boxed) boxed.set(history.frame(spec.boxed, Math.floor(t)));
      for (let r = 0; r < rows; r++) {
        const y = head + r * tall;
        c.textAlign = "right";
        c.font = (r === hot ? "700 " : "") + "12px " + theme.font;
        c.fillStyle = theme.text;
        c.fillText(spec.labels?.[r] ?? String(r), left - 8, y + tall / 2 + 4);
        if (!history.n) continue;
        c.textAlign = "center";
        const row = w.subarray(r * columns, (r + 1) * columns);
        const most = Math.max(...row.filter(Number.isFinite)); // a choice may have fewer options than columns
        for (let o = 0; o < columns; o++) {
          const share = clamp((row[o] - low) / (top - low), 0, 1) || 0;
          const x = left + o * wide;
          const marked = boxed ? boxed[r * columns + o] >= 1 : row[o] === most;
          c.fillStyle = theme.panel;
          c.fillRect(x + 1, y + 1, wide - 2, tall - 2);
          c.fillStyle = BLUE;
          c.globalAlpha = share ** 0.8;
          c.fillRect(x + 1, y + 1, wide - 2, tall - 2);
          c.globalAlpha = 1;
          c.font = (marked ? "700 " : "") + "12px " + theme.font;
          c.fillStyle = share > 0.5 ? "#fff" : theme.text;
          c.fillText(
            Number.isFinite(row[o]) ? (row[o] * 100).toFixed(spec.digits ?? 0) : "–",
            x + wide / 2,
            y + tall / 2 + 4,
          );
          if (!marked) continue;
          c.strokeStyle = theme.text;
          c.lineWidth = 1.5;
          c.strokeRect(x + 1.5, y + 1.5, wide - 3, tall - 3);
        }
      }
    },
    hot(e) {
      hot = e;
      view.draw(last);
    },
  };
  return view;
}
