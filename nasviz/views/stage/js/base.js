// base.js: colours, numbers, elements and events, for all other files. Uses none of them.

const SVG = "http://www.w3.org/2000/svg";
const BLUE = "#1a6fd4"; // the same as in colors.py
const MAGENTA = "#d6246e";
const SERIES = [BLUE, "#d98300", "#00887a", MAGENTA, "#8358d6", "#8a919c"]; // curves show no operations
const DASHES = [[], [6, 3], [2, 2], [14, 3], [9, 3, 2, 3], [4, 4]]; // of them: for grey print

const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const lerp = (a, b, f) => a + (b - a) * f;
const short = (v) => Math.round(v * 10) / 10;
const number = (v, digits = 3) => (Number.isFinite(v) ? String(+v.toPrecision(digits)) : "failed");

const svg = (name, attributes = {}, parent) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return parent ? parent.appendChild(node) : node;
};

const html = (name, properties = {}, parent) => {
  const node = Object.assign(document.createElement(name), properties);
  return parent ? parent.appendChild(node) : node;
};

const tell = (host, type, detail) => host.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
