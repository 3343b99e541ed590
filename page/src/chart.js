import { written } from "./maths.js";

// A chart of steps from left to right, in an SVG of 800 x 300. `lines` are { from, values, kind }
// and `bands` { from, lower, upper, kind }, from a step on; `marks` are [step, text] below. Returns
// the step and the value at a place of the page.
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [800, 300, 48, 22, 8];

export function svgElement(tag, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

export function drawChart(svg, steps, { lines, bands = [], marks = [], range }) {
  const all = [...lines.flatMap(({ values }) => values), ...bands.flatMap((b) => [...b.lower, ...b.upper])];
  const there = all.filter(Number.isFinite);
  const [low, high] = range ?? [Math.min(...there), Math.max(...there)];
  const x = (step) => LEFT + ((WIDTH - LEFT - 8) * (step - steps[0])) / (steps[1] - steps[0] || 1);
  const y = (value) => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - TOP) * (value - low)) / (high - low || 1);
  const at = (from) => (value, k) => (Number.isFinite(value) ? [x(from + k), y(value)] : null);
  const path = (points) => points.map((point, k) => {
    return point ? `${points[k - 1] ? "L" : "M"}${point[0].toFixed(1)},${point[1].toFixed(1)}` : "";
  }).join("");
  const ticks = [low, (low + high) / 2, high].flatMap((value) => [
    svgElement("line", { x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value), class: "grid" }),
    svgElement("text", { x: LEFT - 4, y: y(value) + 4, "text-anchor": "end" }, written(value)),
  ]);
  const areas = bands.map(({ from, lower, upper, kind }) => {
    const around = [...upper.map(at(from)), ...lower.map(at(from)).reverse()];
    return svgElement("path", { d: `${path(around)}Z`, class: `band ${kind}` });
  });
  const drawn = lines.map(({ from, values, kind }) => {
    return svgElement("path", { d: path(values.map(at(from))), class: `line ${kind}` });
  });
  const labels = marks.map(([step, text], k) => svgElement("text", {
    x: x(step), y: HEIGHT - 5, "text-anchor": ["start", "middle", "end"][k],
  }, text));
  svg.replaceChildren(...ticks, ...areas, ...drawn, ...labels);
  return ({ clientX, clientY }) => {
    const { left, top, width, height } = svg.getBoundingClientRect();
    const [px, py] = [((clientX - left) / width) * WIDTH, ((clientY - top) / height) * HEIGHT];
    const share = (px - LEFT) / (WIDTH - LEFT - 8);
    const value = low + ((HEIGHT - BOTTOM - py) / (HEIGHT - BOTTOM - TOP)) * (high - low);
    return [Math.round(steps[0] + share * (steps[1] - steps[0])), value];
  };
}
