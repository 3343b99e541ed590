import { written } from "./maths.js";

const [HEIGHT, LEFT, RIGHT, BOTTOM, TOP] = [300, 48, 8, 22, 8]; // pixels

export function svgElement(tag, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

// A chart of the steps from `first` to `last`. `lines` are { from, values, kind } and `bands`
// { from, lower, upper }, from a step on; `marks` are two [step, text] below it. Returns a
// function from a pointer's event to the step and the value that it points at.
export function drawChart(svg, [first, last], { lines, bands, marks, range }) {
  const all = [...lines.map(({ values }) => values), ...bands.map((b) => [...b.lower, ...b.upper])];
  const there = all.flat().filter(Number.isFinite);
  const [low, high] = range ?? [Math.min(...there), Math.max(...there)];
  const [width, height] = [svg.clientWidth - LEFT - RIGHT, HEIGHT - BOTTOM - TOP];
  const x = (step) => LEFT + (width * (step - first)) / (last - first || 1);
  const y = (value) => TOP + (height * (high - value)) / (high - low || 1);
  const points = (from, values) => values.map((value, k) => [x(from + k), y(value)]);
  const path = (all) => all.map(([left, top], k) => {
    const joined = k > 0 && Number.isFinite(all[k - 1][1]);
    return Number.isFinite(top) ? `${joined ? "L" : "M"}${left.toFixed(1)},${top.toFixed(1)}` : "";
  }).join("");
  svg.replaceChildren(
    ...[low, (low + high) / 2, high].flatMap((value) => [
      svgElement("path", { d: `M${LEFT},${y(value)}h${width}`, class: "grid" }),
      svgElement("text", { x: LEFT - 4, y: y(value) + 4, "text-anchor": "end" }, written(value)),
    ]),
    ...bands.map(({ from, lower, upper }) => {
      const around = [...points(from, upper), ...points(from, lower).reverse()];
      return svgElement("path", { d: `${path(around)}Z`, class: "band" });
    }),
    ...lines.map(({ from, values, kind }) => {
      return svgElement("path", { d: path(points(from, values)), class: `line ${kind}` });
    }),
    ...marks.map(([step, text], k) => svgElement("text", {
      x: x(step), y: HEIGHT - 5, "text-anchor": ["start", "end"][k],
    }, text)));
  return ({ offsetX, offsetY }) => [
    Math.round(first + ((offsetX - LEFT) / width) * (last - first)),
    high - ((offsetY - TOP) / height) * (high - low),
  ];
}
