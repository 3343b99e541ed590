const [LEFT, RIGHT, BOTTOM, TOP] = [48, 8, 22, 8]; // pixels

// A chart of the steps from `first` to `last`, whose texts are `marks`. `lines` are { from, values,
// kind } and `bands` { from, lower, upper, fill }, from a step on. Returns a function from a
// pointer's event to the step and the value that it points at.
function drawChart(svg, [first, last], { lines = [], bands, marks, range }) {
  const edges = bands.flatMap(({ lower, upper }) => [...lower, ...upper]);
  const there = [...edges, ...lines.flatMap(({ values }) => values)].filter(Number.isFinite);
  const [low, high] = range ?? [Math.min(...there), Math.max(...there)];
  const full = Number(svg.getAttribute("height"));
  const [width, height] = [svg.clientWidth - LEFT - RIGHT, full - BOTTOM - TOP];
  const x = (step) => LEFT + (width * (step - first)) / (last - first || 1);
  const y = (value) => TOP + (height * (high - value)) / (high - low || 1);
  const points = (from, values) => values.map((value, k) => [x(from + k), y(value)]);
  const to = ([x, y]) => (Number.isFinite(y) ? `L${x.toFixed(1)},${y.toFixed(1)}` : " ");
  const path = (all) => all.map(to).join("").trim().replace(/^L| +L/g, "M"); // gaps aren't bridged
  const label = (left, top, anchor, text) =>
    element("text", { x: left, y: top, "text-anchor": anchor }, text);
  svg.replaceChildren(
    ...[low, (low + high) / 2, high].flatMap((value) => [
      element("path", { d: `M${LEFT},${y(value)}h${width}`, class: "line grid" }),
      label(LEFT - 4, y(value) + 4, "end", written(value)),
    ]),
    ...bands.map(({ from, lower, upper, fill }) => {
      const d = `${path([...points(from, upper), ...points(from, lower).reverse()])}Z`;
      return element("path", fill ? { d, fill } : { d, class: "interval" });
    }),
    ...lines.map(({ from, values, kind }) =>
      element("path", { d: path(points(from, values)), class: `line ${kind}` })),
    label(LEFT, full - 5, "start", marks[0]), label(LEFT + width, full - 5, "end", marks[1]));
  return ({ offsetX, offsetY }) => [
    Math.round(first + ((offsetX - LEFT) / width) * (last - first)),
    high - ((offsetY - TOP) / height) * (high - low),
  ];
}
