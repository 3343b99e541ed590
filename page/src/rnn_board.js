import { t } from "./i18n.js";
import { sumOf } from "./lstm_board.js";
import { product, written } from "./maths.js";
import { rnn } from "./rnn.js";

// The lecture's network: two inputs, two hidden units that see their own past, two outputs, no bias.
// Its weights in one row: W from the inputs, U from the hidden units before, V to the outputs.
const w = new Array(12).fill(1);
const parts = (weights) => [0, 4, 8].map((first) => weights.slice(first, first + 4));

function runRnn(weights, inputs, { f }) {
  const [W, U, V] = parts(weights);
  return rnn(inputs, [W, U, [0, 0]], f).map((h) => ({ h, y: product(h, V) }));
}

function sums({ inputs, w: weights, f }, _, steps, k) {
  const [W, U, V] = parts(weights);
  const seen = [...inputs[k], ...(steps[k - 1]?.h ?? [0, 0])];
  const column = (number, ...matrices) => matrices.flatMap((M) => [M[number], M[2 + number]]);
  const line = (name, number, sum) => `${name}${number + 1} = ${sum} = ${written(steps[k][name][number])}`;
  const around = (sum) => (f === "tanh" ? `tanh(${sum})` : sum);
  return [
    ...[0, 1].map((j) => line("h", j, around(sumOf(column(j, W, U), seen)))),
    `(${t("fromMemory")})`, ...[0, 1].map((j) => line("y", j, sumOf(column(j, V), steps[k].h))),
  ];
}

const unit = (kind, label, name, j) => {
  const values = (steps) => steps.map((step) => step[name][j]);
  return { kind, label: `${t(label)} ${name}${j + 1}`, values };
};
export const RNN_BOARD = {
  width: 2, least: 3, swappable: true, functions: ["f"], run: runRnn, arithmetic: sums,
  presets: {
    order: { inputs: [[1, 1], [1, 1], [2, 2]], w },
    reordered: { inputs: [[2, 2], [1, 1], [1, 1]], w },
  },
  rows: () => [
    unit("number", "output", "y", 0), unit("number", "output", "y", 1),
    unit("bar", "hidden", "h", 0), unit("bar", "hidden", "h", 1),
  ],
  tables: () => {
    const slider = { min: -3, max: 3, step: 0.1 };
    const [rows, columns] = [["x1", "x2", "h1", "h2"], ["h1′", "h2′"]];
    return [
      { title: t("weightsHidden"), rows, columns, first: 0, slider },
      { title: t("weightsOutput"), rows: columns, columns: ["y1", "y2"], first: 8, slider },
    ];
  },
};
