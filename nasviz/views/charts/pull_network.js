// pull_network.js: an elastic residual network as a picture that one pulls at. Uses base.js.
//
// A child is an index for each choice of the space, in the space's order: side of the image, kernel of the first stage,
// then width and depth of each stage. Its values are the options themselves, with the number of layers in place of the
// depth. The picture is a function of the values, so that it can stand between two children while it moves.

const SLOPE = { x: 0.3, y: 0.2 }; // of what recedes: the maps' second side

/** Where everything stands in a picture of that width: as much of it as blocks, the rest as gaps. */
function plan(room, options) {
  const [sides, kernels, ...rest] = options;
  const f = clamp((room - 16) / 850, 0.45, 1.25);
  const unit = 4.2 * f; // px of a map's pixel
  const tall = clamp(4.2 * f, 3, 4.7); // px of a channel
  const cell = 9 * f;
  const most = Math.max(...rest.filter((_, n) => n % 2 === 0).flat());
  const [largest, kernel] = [sides.at(-1), kernels.at(-1)];
  const base = 34 + most * tall;
  const image = { x: Math.max(8, (room - 850 * f) / 2), pixel: 6 * f };
  const lens = { x: image.x + (largest * 6 + 34) * f + (kernel * cell) / 2, y: base - largest * 3 * f, cell };
  let x = lens.x + (kernel * cell) / 2 + 34 * f;
  const stages = [];
  for (let n = 0; 2 * n < rest.length; n++) {
    const side = Math.floor(largest / 2 ** n);
    const pitch = side * unit * (1 + SLOPE.x) + 3 * f;
    stages.push({ x, pitch, side, slots: rest[2 * n + 1].length, widest: rest[2 * n].at(-1) });
    x += pitch * rest[2 * n + 1].length + 48 * f;
  }
  return { f, unit, tall, base, image, lens, stages, end: x, height: base + 108 };
}

/** The three faces that one sees of a block, and a line for each of its maps. */
function faces(x, base, across, high, back, maps) {
  const [dx, dy] = [back * SLOPE.x, -back * SLOPE.y];
  const y = base - high;
  const d = (...points) => "M" + points.map((point) => point.map(short).join(" ")).join("L") + "Z";
  let lines = "";
  for (let n = 1; n < Math.round(maps); n++) {
    lines += `M${short(x)} ${short(base - (high * n) / maps)}h${short(across)}`;
  }
  return {
    front: d([x, y], [x + across, y], [x + across, base], [x, base]),
    top: d([x, y], [x + dx, y + dy], [x + across + dx, y + dy], [x + across, y]),
    flank: d([x + across, y], [x + across + dx, y + dy], [x + across + dx, base + dy], [x + across, base]),
    maps: lines,
  };
}

function block(parent, kinds) {
  const g = svg("g", {}, parent);
  const paths = kinds.map((kind) => [kind, svg("path", { class: kind }, g)]);
  return {
    g,
    put(...where) {
      const drawn = faces(...where);
      for (const [kind, path] of paths) path.setAttribute("d", drawn[kind]);
    },
  };
}

/** The network and its handles. `chosen(place, index)` hears what is pulled, `rested()` when the hand lets go. */
function network(host, space, { chosen, rested }) {
  const { options } = space;
  const s = svg("svg", { role: "group", "aria-label": `Elastic network, ${options.length} handles` }, host);
  const [back, front, handles] = [0, 1, 2].map(() => svg("g", {}, s));
  const words = (parent, kind) => svg("text", kind ? { class: kind } : {}, parent);
  const count = (options.length - 2) / 2;
  let p = plan(900, options);
  let values = [];
  let arch = [];

  // ---- what stands in the picture, once
  const off = svg("rect", { class: "frame off" }, back);
  const picture = svg("image", { style: "image-rendering: pixelated", preserveAspectRatio: "none" }, back);
  const frame = svg("rect", { class: "frame" }, back);
  const urls = space.pictures.map(urlOf);
  const lens = svg("rect", { class: "lens" }, front);
  const beams = [0, 1, 2, 3].map(() => svg("line", { class: "beam" }, front));
  const most = options[1].at(-1);
  const cells = Array.from({ length: most ** 2 }, () => svg("rect", { class: "cell" }, front));
  const wires = Array.from({ length: count + 1 }, () => [
    svg("path", { class: "wire" }, back),
    svg("path", { class: "tip" }, back),
  ]);
  const pools = Array.from({ length: count - 1 }, () => words(back));
  const classes = Array.from({ length: space.classes }, () => svg("circle", { class: "tip" }, front));
  const heads = Array.from({ length: count + 3 }, () => words(front, "head"));
  const lines = Array.from({ length: count + 3 }, () => Array.from({ length: 4 }, () => words(front)));
  const stages = Array.from({ length: count }, (_, n) => {
    const slots = options[3 + 2 * n].map((_, slot) => {
      const ghost = block(back, ["flank", "top", "front"]);
      ghost.g.setAttribute("class", "ghost");
      const full = block(front, ["flank", "top", "front", "maps"]);
      const skip = slot ? svg("path", { class: "skip" }, front) : null;
      if (skip) svg("title", {}, skip).textContent = "The layer's input is added to its output.";
      const now = () => options[3 + 2 * n][arch[3 + 2 * n]] + 1; // layers
      ghost.g.addEventListener("click", () => slot >= now() && (chosen(3 + 2 * n, slot), rested()));
      full.g.addEventListener("click", () => slot && slot === now() - 1 && (chosen(3 + 2 * n, slot - 1), rested()));
      return { ghost, full, skip };
    });
    return { slots, edge: svg("line", { class: "edge" }, front) };
  });

  // ---- handles: where one is, and which number the pointer means at a place
  const across = (n) => Math.floor(values[0] / 2 ** n) * p.unit;
  const high = (n) => values[2 + 2 * n] * p.tall;
  const wide = (n) => p.stages[n].x + (values[3 + 2 * n] - 1) * p.stages[n].pitch + across(n);
  const grips = [
    grip(0, "Side of the image", (v) => `${v} pixels`, "↗", {
      at: () => [p.image.x + values[0] * p.image.pixel, p.base - values[0] * p.image.pixel],
      read: ([x, y]) => Math.max(x - p.image.x, p.base - y) / p.image.pixel,
    }),
    grip(1, "Kernel of stage 1", (v) => `${v}×${v}`, "↗", {
      at: () => [p.lens.x + (values[1] * p.lens.cell) / 2, p.lens.y - (values[1] * p.lens.cell) / 2],
      read: ([x, y]) => (2 * Math.max(x - p.lens.x, p.lens.y - y)) / p.lens.cell,
    }),
    ...stages.flatMap((_, n) => [
      grip(2 + 2 * n, `Width of stage ${n + 1}`, (v) => `${v} channels`, "↕", {
        at: () => [
          p.stages[n].x + (across(n) * (1 + SLOPE.x)) / 2,
          p.base - high(n) - across(n) * SLOPE.y - 11,
        ],
        read: ([, y]) => (p.base - across(n) * SLOPE.y - 11 - y) / p.tall,
      }),
      grip(3 + 2 * n, `Depth of stage ${n + 1}`, (v) => (v ? `${v + 1} layers` : "1 layer"), "↔", {
        at: () => [wide(n) + across(n) * SLOPE.x + 9, p.base - high(n) / 2 - (across(n) * SLOPE.y) / 2],
        read: ([x]) => (x - 9 - across(n) * (1 + SLOPE.x) - p.stages[n].x) / p.stages[n].pitch,
      }),
    ]),
  ];

  function grip(place, name, say, sign, { at, read }) {
    const g = svg("g", { class: "grip", role: "slider", tabindex: 0, "aria-label": name }, handles);
    g.style.cursor = { "↕": "ns-resize", "↔": "ew-resize", "↗": "nesw-resize" }[sign];
    g.setAttribute("aria-orientation", sign === "↕" ? "vertical" : "horizontal");
    svg("title", {}, g).textContent = `${name}: drag, or use the arrow keys`;
    svg("rect", { class: "hit", x: -14, y: -14, width: 28, height: 28 }, g);
    const turned = svg("g", {}, g);
    const angle = { "↕": 0, "↔": 90, "↗": 45 }[sign];
    svg("rect", { class: "knob", x: -8, y: -11, width: 16, height: 22, rx: 7 }, turned);
    svg("path", { class: "arrows", d: "M-3 -3.5L0 -6.5L3 -3.5M-3 3.5L0 6.5L3 3.5" }, turned);
    const choices = options[place];
    let held = null; // from the pointer to the handle
    const pointer = (event) => {
      const box = s.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const off = (v) => choices.map((one) => Math.abs(one - v));
    const nearest = (v) => off(v).indexOf(Math.min(...off(v)));
    g.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const [x, y] = pointer(event);
      const [a, b] = at();
      held = [a - x, b - y];
      g.setPointerCapture(event.pointerId);
      g.classList.add("held");
      g.focus({ preventScroll: true });
      event.preventDefault();
    });
    g.addEventListener("pointermove", (event) => {
      if (!held) return;
      const [x, y] = pointer(event);
      chosen(place, nearest(read([x + held[0], y + held[1]])));
    });
    const loose = () => {
      if (held) rested();
      held = null;
      g.classList.remove("held");
    };
    g.addEventListener("pointerup", loose);
    g.addEventListener("pointercancel", loose);
    g.addEventListener("keydown", (event) => {
      const last = choices.length - 1;
      const to = { ArrowUp: arch[place] + 1, ArrowRight: arch[place] + 1, ArrowDown: arch[place] - 1,
        ArrowLeft: arch[place] - 1, Home: 0, End: last }[event.key];
      if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      chosen(place, clamp(to, 0, last));
      rested();
    });
    return {
      put() {
        g.setAttribute("transform", `translate(${at().map(short).join(" ")})`);
        turned.setAttribute("transform", `rotate(${angle}) scale(${clamp(p.f, 0.7, 1)})`);
      },
      tell() {
        const shown = (v) => v + (place > 1 && place % 2); // layers, not the depth
        const told = [["min", choices[0]], ["max", choices.at(-1)], ["now", choices[arch[place]]]];
        for (const [word, v] of told) g.setAttribute("aria-value" + word, shown(v));
        g.setAttribute("aria-valuetext", say(choices[arch[place]]));
      },
    };
  }

  const put = (node, numbers) => {
    for (const [key, v] of Object.entries(numbers)) node.setAttribute(key, short(v));
  };
  const wire = ([path, tip], from, to, y) => {
    path.setAttribute("d", `M${short(from)} ${short(y)}H${short(to - 5)}`);
    tip.setAttribute("d", `M${short(to)} ${short(y)}l-7 -4v8Z`);
  };

  /** Everything that moves, for numbers that may lie between two children's. */
  function paint(now) {
    values = now;
    const { image, base, unit, tall, f } = p;
    const side = values[0] * image.pixel;
    const whole = options[0].at(-1) * image.pixel;
    put(off, { x: image.x, y: base - whole, width: whole, height: whole });
    for (const node of [picture, frame]) put(node, { x: image.x, y: base - side, width: side, height: side });
    // the window of the kernel on the image, and the kernel itself
    const window = values[1] * image.pixel;
    const [right, down] = [0.6, 0.4].map((part) => Math.round((values[0] - values[1]) * part) * image.pixel);
    const corner = { x: image.x + right, y: base - side + down };
    put(lens, { x: corner.x, y: corner.y, width: window, height: window });
    const grid = values[1] * p.lens.cell;
    beams.forEach((beam, n) => {
      const [half, y] = [grid / 2, p.lens.y + ((n % 2) - 0.5) * grid];
      if (n < 2) put(beam, { x1: corner.x + window, y1: corner.y + n * window, x2: p.lens.x - half, y2: y });
      else put(beam, { x1: p.lens.x + half, y1: y, x2: p.stages[0].x, y2: base - high(0) / 2 });
    });
    cells.forEach((one, n) => {
      const [row, column] = [Math.floor(n / most), n % most].map((v) => v - (most - 1) / 2);
      const size = p.lens.cell;
      put(one, { x: p.lens.x + (column - 0.5) * size, y: p.lens.y + (row - 0.5) * size, width: size, height: size });
      one.classList.toggle("off", Math.max(Math.abs(row), Math.abs(column)) > values[1] / 2);
    });
    stages.forEach(({ slots, edge }, n) => {
      const { x, pitch } = p.stages[n];
      const [a, h] = [across(n), high(n)];
      slots.forEach(({ full, skip }, slot) => {
        const part = clamp(values[3 + 2 * n] - slot, 0, 1);
        full.put(x + slot * pitch, base, a, h, a, values[2 + 2 * n]);
        for (const node of [full.g, skip]) node?.setAttribute("opacity", short(part));
        full.g.style.display = part ? "" : "none";
        const [left, right] = [x + slot * pitch - 3 * f, x + slot * pitch + a + 3 * f];
        const [high, low] = [base + 2, base + 13];
        skip?.setAttribute("d", `M${left} ${high}C${left} ${low} ${right} ${low} ${right} ${high}`);
      });
      put(edge, { x1: x, x2: wide(n), y1: base - h, y2: base - h });
    });
    for (const one of grips) one.put();
  }

  /** What only changes with the room. */
  function resize(room) {
    p = plan(room, options);
    const { image, base, f } = p;
    s.setAttribute("height", p.height);
    const y = base - 2;
    const row = (n, x, anchor) => {
      const all = [heads[n], ...lines[n]];
      all.forEach((text, k) => {
        put(text, { x, y: base + 30 + 17 * k });
        text.setAttribute("text-anchor", anchor);
      });
    };
    const whole = options[0].at(-1) * image.pixel;
    row(0, image.x + whole / 2, "middle");
    row(1, p.lens.x, "middle");
    stages.forEach((_, n) => row(2 + n, p.stages[n].x, "start"));
    row(count + 2, p.end - 12 * f, "middle");
    heads[count + 2].style.display = f < 0.8 ? "none" : ""; // it would meet the words of the last stage
    wire(wires[0], image.x + whole + 4, p.stages[0].x - 4, y);
    p.stages.forEach(({ x, pitch, slots, side, widest }, n) => {
      stages[n].slots.forEach(({ ghost }, slot) => {
        ghost.put(x + slot * pitch, base, side * p.unit, widest * p.tall, side * p.unit, 0);
      });
      const end = x + slots * pitch - 3 * f - side * p.unit * SLOPE.x;
      const next = p.stages[n + 1]?.x ?? p.end - 18 * f;
      wire(wires[1 + n], end + 4, next - 4, y);
      if (pools[n]) {
        put(pools[n], { x: (end + next) / 2, y: y + 16 });
        pools[n].setAttribute("text-anchor", "middle");
        pools[n].textContent = "÷2";
      }
    });
    classes.forEach((dot, n) => put(dot, { cx: p.end - 12 * f, cy: y - 9 * f * n, r: 3.2 * f }));
  }

  /** Another child: words and what a screen reader hears, at once; `paint` may take its time. */
  function show(child, now, costs) {
    arch = child;
    picture.setAttribute("href", urls[arch[0]]);
    const sum = total(costs);
    const text = [["Image", `${now[0]}×${now[0]}`], ["Kernel", `${now[1]}×${now[1]}`]];
    stages.forEach(({ slots }, n) => {
      const [width, layers, map] = [now[2 + 2 * n], now[3 + 2 * n], Math.floor(now[0] / 2 ** n)];
      const kernel = n ? space.others : now[1];
      text.push([`Stage ${n + 1}`, `${width} channels`, `${layers} layer${layers > 1 ? "s" : ""}, ${kernel}×${kernel}`,
        `maps ${map}×${map}`, `${Math.round((100 * costs[n]) / sum)} % of cost`]);
      slots.forEach(({ ghost }, slot) => ghost.g.classList.toggle("free", slot >= layers));
      slots.forEach(({ full }, slot) => (full.g.style.cursor = slot && slot === layers - 1 ? "pointer" : ""));
    });
    text.push(["Classes"]);
    text.forEach(([head, ...rest], n) => {
      heads[n].textContent = head;
      lines[n].forEach((line, k) => (line.textContent = rest[k] ?? ""));
    });
    for (const one of grips) one.tell();
  }

  return { paint, resize, show };
}

/** A square of RGB bytes as the address of a picture. */
function urlOf({ side, bytes }) {
  const canvas = html("canvas", { width: side, height: side });
  const c = canvas.getContext("2d");
  const data = c.createImageData(side, side);
  for (let n = 0; n < side * side; n++) {
    data.data.set([bytes.getUint8(3 * n), bytes.getUint8(3 * n + 1), bytes.getUint8(3 * n + 2), 255], 4 * n);
  }
  c.putImageData(data, 0, 0);
  return canvas.toDataURL();
}
