import { t } from "./i18n.js";
import { sumOf, unit } from "./lstm_board.js";
import { product, split, written } from "./maths.js";
import { rnn } from "./rnn.js";

// The lecture's network: two inputs, two hidden units that see their own past, two outputs, no
// bias. Its weights in one row: W from the inputs, U from the hidden units, V to the outputs.
const w = new Array(12).fill(1);

function runRnn(weights, inputs, f) {
  const [W, U, V] = split(weights, 3);
  return rnn(inputs, [W, U, [0, 0]], f).map((h) => ({ h, y: product(h, V) }));
}

function sums({ inputs, w: weights, f }, steps, k) {
  const [W, U, V] = split(weights, 3);
  const seen = [...inputs[k], ...(steps[k - 1]?.h ?? [0, 0])];
  const column = (j, M) => M.filter((_, place) => place % 2 === j);
  const around = (sum) => (f === "tanh" ? `tanh(${sum})` : sum);
  const line = (name, j, sum) => `${name}${j + 1} = ${sum} = ${written(steps[k][name][j])}`;
  return [
    ...[0, 1].map((j) => line("h", j, around(sumOf(column(j, [...W, ...U]), seen)))),
    `(${t("fromMemory")})`, ...[0, 1].map((j) => line("y", j, sumOf(column(j, V), steps[k].h))),
  ];
}

export const RNN_BOARD = {
  width: 2, least: 3, swappable: true, functions: ["f"], run: runRnn, arithmetic: sums,
  presets: {
    order: { inputs: [[1, 1], [1, 1], [2, 2]], w },
    reordered: { inputs: [[2, 2], [1, 1], [1, 1]], w },
  },
  rows: () => [
    ...[0, 1].map((k) => unit("number", `${t("output")} y${k + 1}`, "y", k)),
    ...[0, 1].map((k) => unit("bar", `${t("hidden")} h${k + 1}`, "h", k)),
  ],
  tables: () => {
    const more = { slider: { min: -3, max: 3, step: 0.1 }, rows: ["x1", "x2", "h1", "h2"] };
    const columns = ["h1′", "h2′"];
    return [
      { title: t("weightsHidden"), columns, first: 0, ...more },
      { title: t("weightsOutput"), columns: ["y1", "y2"], first: 8, ...more, rows: columns },
    ];
  },
};
