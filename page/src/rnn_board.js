// The lecture's network: two inputs, two hidden units that see their own past, two outputs, no
// bias. Its weights in one row: W from the inputs, U from the hidden units, V to the outputs.
const w = new Array(12).fill(1);

function runRnn(weights, x) {
  const [W, U, V] = split(weights, 3);
  return rnn(x, [W, U, [0, 0]], linear).map((h) => ({ h, y: product(h, V) }));
}

function rnnArithmetic(weights, x, steps, k) {
  const lines = (name, first, seen) => [0, 1].map((j) => {
    const sum = sumOf(seen.map((_, row) => weights[first + 2 * row + j]), seen);
    return `${name}${j + 1} = ${sum} = ${written(steps[k][name][j])}`;
  });
  const seen = [...x[k], ...(steps[k - 1]?.h ?? [0, 0])];
  return [...lines("h", 0, seen), ...lines("y", 8, steps[k].h)];
}

const RNN_BOARD = {
  least: 3, swappable: true, functions: [], run: runRnn, arithmetic: rnnArithmetic,
  solved: () => false, slider: { min: -3, max: 3, step: 0.1 },
  examples: {
    order: { x: [[1, 1, 2], [1, 1, 2]], w }, reordered: { x: [[2, 1, 1], [2, 1, 1]], w },
  },
  rows: () => [
    ...[0, 1].map((k) => unit("number", `${t("output")} y${k + 1}`, "y", k)),
    ...[0, 1].map((k) => unit("bar", `${t("hidden")} h${k + 1}`, "h", k)),
  ],
  tables: () => {
    const [hidden, open] = [["h1′", "h2′"], true];
    return [
      { title: "weightsHidden", rows: ["x1", "x2", "h1", "h2"], columns: hidden, open },
      { title: "weightsOutput", rows: hidden, columns: ["y1", "y2"], open },
    ];
  },
};
