// pull_plane.js: children by multiply-adds (log) and inherited accuracy, one of them as a star. Uses base.js, canvas.js
// and pull.js.

const STAR = "#d99400";

/** `chosen(child)` hears which dot was clicked. */
function plane(host, { around, label, chosen }) {
  const L = layered(host, 300, 1, label);
  const [c] = L.layers;
  let s;
  let last = { children: [] };

  /** Marks at powers of ten, and at three times these. */
  function marks([low, high]) {
    const out = [];
    for (let power = Math.floor(low); power <= high; power++) out.push(10 ** power, 3 * 10 ** power);
    return out.map((v) => [Math.log10(v), few(v)]).filter(([log]) => log >= low && log <= high);
  }

  function star(x, y, radius, filled, theme) {
    c.beginPath();
    for (let n = 0; n < 10; n++) {
      const [r, angle] = [n % 2 ? radius * 0.45 : radius, (n * Math.PI) / 5 - Math.PI / 2];
      c.lineTo(x + r * Math.cos(angle), y + r * Math.sin(angle));
    }
    c.closePath();
    c.lineJoin = "round";
    c.fillStyle = filled ? STAR : theme.back;
    c.strokeStyle = filled ? "#5b4200" : STAR;
    c.lineWidth = filled ? 1.2 : 2;
    c.fill();
    c.stroke();
  }

  /**
   * `children`: { key, cost, score } each; `near`: those that the star is compared with; `span`: the least and greatest
   * log cost; `at`: the star's log cost and score (NaN before the first); `sure`: whether the score is its own.
   */
  function draw(shown = last) {
    last = shown;
    const { children, near, span, at, sure, theme } = shown;
    if (!theme) return;
    L.fit();
    if (!L.width) return;
    const scores = [...children.map((one) => 100 * one.score), 100 * at[1]];
    const room = (span[1] - span[0]) * 0.04;
    const box = inner(L, { l: 58, r: 14, t: 22, b: 46 });
    s = scales(box, [span[0] - room, span[1] + room], range(scores, [false, false]));
    c.clearRect(0, 0, L.width, L.height);
    const [left, right] = [1 - around, 1 + around].map((v) => s.X(at[0] + Math.log10(v)));
    c.fillStyle = STAR;
    c.globalAlpha = 0.2;
    c.fillRect(left, s.y, right - left, s.h);
    c.globalAlpha = 1;
    axes(c, s, theme, { xlabel: "multiply-adds", ylabel: "inherits, %", marks: marks(s.domain) });
    const lit = new Set(near.map((one) => one.key));
    for (const one of children) {
      const inside = lit.has(one.key);
      c.fillStyle = inside ? theme.text : theme.dead;
      c.globalAlpha = inside ? 0.9 : 0.5;
      disc(c, s.X(Math.log10(one.cost)), s.Y(100 * one.score), inside ? 4 : 3.5);
    }
    c.globalAlpha = 1;
    const y = Number.isFinite(at[1]) ? s.Y(100 * at[1]) : s.y + s.h / 2;
    star(s.X(at[0]), y, 11, sure, theme);
    c.fillStyle = theme.faint;
    const words = `within ±${number(100 * around)} %`;
    const wide = c.measureText(words).width / 2;
    c.fillText(words, clamp(s.X(at[0]), s.x + wide, s.x + s.w - wide), s.y - 7);
  }

  const pointed = (event) => {
    if (!s) return null;
    const { left, top } = L.box.getBoundingClientRect();
    const far = ({ cost, score }) =>
      Math.hypot(s.X(Math.log10(cost)) - event.clientX + left, s.Y(100 * score) - event.clientY + top);
    const nearest = last.children.reduce((best, one) => (!best || far(one) < far(best) ? one : best), null);
    return nearest && far(nearest) < 10 ? nearest : null;
  };
  L.box.addEventListener("click", (event) => {
    const child = pointed(event);
    if (child) chosen(child);
  });
  L.box.addEventListener("pointermove", (event) => {
    const child = pointed(event);
    L.box.style.cursor = child ? "pointer" : "";
    L.box.title = child ? `${few(child.cost)} multiply-adds, inherits ${(100 * child.score).toFixed(1)} %: click` : "";
  });
  return draw;
}
