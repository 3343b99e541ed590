// The lecture's network: two inputs, two hidden units that see their own past, two outputs, no
// bias. Its weights in one row: W from the inputs, U from the hidden units, V to the outputs.
const w = new Array(12).fill(1);
const HIDDEN = ["h1′", "h2′"];

const RNN_BOARD = {
  least: 3, swappable: true, slider: { min: -3, max: 3, step: 0.1 },
  examples: {
    order: { x: [[1, 1, 2], [1, 1, 2]], w }, reordered: { x: [[2, 1, 1], [2, 1, 1]], w },
  },
  tables: [
    { title: "weightsHidden", rows: ["x1", "x2", "h1", "h2"], columns: HIDDEN, open: true },
    { title: "weightsOutput", rows: HIDDEN, columns: ["y1", "y2"], open: true },
  ],
  run(weights, x) {
    const [W, U, V] = split(weights, 3);
    return rnn(x, [W, U, [0, 0]], linear).map((h) => ({ h, y: product(h, V) }));
  },
  picture: (steps) => [["number", "output", "y"], ["bar", "hidden", "h"]].flatMap(
    ([kind, label, name]) => [0, 1].map((k) =>
      [kind, `${t(label)} ${name}${k + 1}`, steps.map((step) => step[name][k])])),
  arithmetic(weights, x, now, before = { h: [0, 0] }) {
    const lines = (name, rows, seen) => transposed(rows).map((to, k) =>
      `${name}${k + 1} = ${sumOf(to, seen)} = ${written(now[name][k])}`);
    const from = split(weights, 6); // x1, x2, h1, h2, h1′, h2′
    const hidden = lines("h", from.slice(0, 4), [...x, ...before.h]);
    return [...hidden, ...lines("y", from.slice(4), now.h)];
  },
};
